//! TCP packets, made anew: an IP header without options, a TCP header with the options that are known, and bytes.
//!
//! Nothing else of a captured packet is kept: no link layer, no tunnel, no trailer.

use std::net::IpAddr;

use crate::base::Endpoint;
use crate::wire::checksum::Sum;
use crate::wire::{Segment, TcpFlags};

/// What a packet says besides its data.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) source: Endpoint,
    pub(super) destination: Endpoint,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) flags: TcpFlags,
    pub(super) window: u16,
    pub(super) urgent: u16,
    pub(super) options: Vec<u8>,
    pub(super) id: u16,
    pub(super) ttl: u8,
    /// Its checksum is to be wrong.
    pub(super) damaged: bool,
}

/// Data that one packet can have: a datagram is no longer than 65,535 bytes.
pub(super) const MAX_DATA: usize = 65_535 - 40 - 60;

impl Head {
    pub(super) fn of(segment: &Segment<'_>) -> Self {
        Self {
            source: segment.source,
            destination: segment.destination,
            seq: segment.seq,
            ack: segment.ack,
            flags: segment.flags,
            window: segment.window,
            urgent: segment.urgent().unwrap_or(0),
            options: known_options(segment.options()),
            id: segment.ip_id.unwrap_or(0),
            ttl: segment.ttl,
            damaged: false,
        }
    }

    /// The packet with this data, from its IP header on.
    pub(super) fn packet(&self, data: &[u8]) -> Vec<u8> {
        let header = 20 + self.options.len();
        let length = header + data.len();
        let mut out = Vec::with_capacity(40 + length);
        let mut sum = Sum::default();
        match (self.source.addr, self.destination.addr) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                out.extend([0x45, 0]);
                out.extend(((20 + length) as u16).to_be_bytes());
                out.extend(self.id.to_be_bytes());
                // Not to be fragmented.
                out.extend([0x40, 0, self.ttl, 6, 0, 0]);
                out.extend(source.octets());
                out.extend(destination.octets());
                sum.add(&out[12..]);
                let mut own = Sum::default();
                own.add(&out);
                out[10..12].copy_from_slice(&own.finish().to_be_bytes());
            }
            (source, destination) => {
                let octets = |addr: IpAddr| match addr {
                    IpAddr::V4(addr) => addr.to_ipv6_mapped().octets(),
                    IpAddr::V6(addr) => addr.octets(),
                };
                out.extend([0x60, 0, 0, 0]);
                out.extend((length as u16).to_be_bytes());
                out.extend([6, self.ttl]);
                out.extend(octets(source));
                out.extend(octets(destination));
                sum.add(&out[8..]);
            }
        }
        sum.add(&[0, 6]);
        sum.add(&(length as u32).to_be_bytes());
        let begin = out.len();
        out.extend(self.source.port.to_be_bytes());
        out.extend(self.destination.port.to_be_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.ack.to_be_bytes());
        let offset = ((header / 4) as u16) << 12;
        out.extend((offset | self.flags.0 & 0x1ff).to_be_bytes());
        out.extend(self.window.to_be_bytes());
        out.extend([0, 0]);
        out.extend(self.urgent.to_be_bytes());
        out.extend_from_slice(&self.options);
        out.extend_from_slice(data);
        sum.add(&out[begin..]);
        let checksum = sum.finish() ^ if self.damaged { 0x5555 } else { 0 };
        out[begin + 16..begin + 18].copy_from_slice(&checksum.to_be_bytes());
        out
    }
}

/// The options that say nothing but what TCP needs (RFC 9293, RFC 7323, RFC 2018); others stand as padding.
fn known_options(options: &[u8]) -> Vec<u8> {
    const PADDING: u8 = 1;
    let mut out = options.to_vec();
    let mut at = 0;
    while at < out.len() {
        let (kind, length) = (out[at], out.get(at + 1).map_or(0, |length| usize::from(*length)));
        match kind {
            0 => {
                // Behind the end there may be anything.
                out[at..].fill(0);
                break;
            }
            PADDING => at += 1,
            _ if length < 2 || at + length > out.len() => {
                out[at..].fill(PADDING);
                break;
            }
            2..=5 | 8 => at += length,
            _ => {
                out[at..at + length].fill(PADDING);
                at += length;
            }
        }
    }
    out.resize(out.len().next_multiple_of(4).min(40), PADDING);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_not_known_are_padding() {
        let mss = [2, 4, 5, 0xb4];
        let signature = [[19, 18].as_slice(), &[0xaa; 16]].concat();
        let kept = known_options(&[&mss[..], &signature, &[1, 1]].concat());
        assert_eq!(kept, [&mss[..], &[1; 20]].concat());
        assert_eq!(known_options(&[0, 7, 7, 7]), [0; 4]);
        assert_eq!(known_options(&[8, 10, 7]), [1; 4]);
        assert_eq!(known_options(&[2]), [1; 4]);
    }
}
