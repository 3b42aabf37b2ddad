//! A segment out of its headers, and what its own header says beyond what [`Segment`] has.

use etherparse::TcpHeader;

use crate::base::{Captured, Endpoint};
use crate::wire::checksum::Sum;
use crate::wire::ip::Ip;
use crate::wire::tcp::Header;
use crate::wire::{Checksum, Segment, TcpFlags, protocol};

/// The segment of these headers, in a packet (or a datagram put together). The header fits.
#[inline]
pub(super) fn segment<'p>(packet: Captured<'p>, ip: &Ip, tcp: &Header) -> Segment<'p> {
    let header_len = tcp.length as usize;
    let whole = payload(packet, ip);
    Segment {
        source: Endpoint::new(ip.source, tcp.source_port),
        destination: Endpoint::new(ip.destination, tcp.destination_port),
        seq: tcp.seq,
        ack: tcp.ack,
        flags: TcpFlags(tcp.flags),
        window: tcp.window,
        header: whole.bytes.get(..header_len).unwrap_or(whole.bytes),
        payload: Captured {
            bytes: whole.bytes.get(header_len..).unwrap_or_default(),
            wire_len: whole.wire_len - header_len,
        },
        ip_id: ip.id,
        ttl: ip.ttl,
        is_short: is_short(packet, ip),
        fragments: &[],
        fragments_differ: false,
    }
}

/// What `ip` carries, as far as it was captured.
#[inline]
pub(super) fn payload<'p>(packet: Captured<'p>, ip: &Ip) -> Captured<'p> {
    Captured::new(packet.bytes.get(ip.at..).unwrap_or_default(), ip.length as usize)
}

/// Whether the packet ended on the wire before what `ip` says it carries.
#[inline]
pub(super) fn is_short(packet: Captured<'_>, ip: &Ip) -> bool {
    ip.at + ip.length as usize > packet.wire_len
}

impl<'p> Segment<'p> {
    /// The options, raw and perhaps malformed, as far as they were captured.
    #[inline]
    pub fn options(&self) -> &'p [u8] {
        self.header.get(TcpHeader::MIN_LEN..).unwrap_or_default()
    }

    /// Where the byte behind urgent data is, counted from `seq` (RFC 9293 §3.8.5), when there is some.
    pub fn urgent(&self) -> Option<u16> {
        let pointer = self.header.get(18..20)?.try_into().ok()?;
        self.flags.urg().then_some(u16::from_be_bytes(pointer))
    }

    /// What its checksum is (RFC 9293 §3.1, over the pseudo header, the header and the data).
    pub fn checksum(&self) -> Checksum {
        let Some(&[high, low]) = self.header.get(16..18) else {
            return Checksum::Unknown;
        };
        let header_len = usize::from(self.header[12] >> 4) * 4;
        if self.header.len() < header_len.max(TcpHeader::MIN_LEN) || self.payload.missing() > 0 {
            return Checksum::Unknown;
        }
        let length = (self.header.len() + self.payload.wire_len) as u32;
        let pseudo = Sum::of_pseudo_header(self.source.addr, self.destination.addr, protocol::TCP, length);
        let mut sum = pseudo;
        sum.add(self.header);
        sum.add(self.payload.bytes);
        match sum.finish() {
            0 => Checksum::Right,
            // What is left of it when a network card is to do the rest, or a kernel has joined segments.
            _ if pseudo.finish() == !u16::from_be_bytes([high, low]) => Checksum::Partial,
            _ => Checksum::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Limits, Timestamp};
    use crate::wire::{Decoder, LinkType, Packet};

    /// A segment of `payload` with that checksum.
    fn with_checksum(checksum: Option<u16>, payload: &[u8]) -> Checksum {
        let mut header = vec![
            0x9c, 0x40, 0x1c, 0x68, 0, 0, 3, 0xe8, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
        ];
        // What another implementation makes of it.
        let parsed = TcpHeader::from_slice(&header).unwrap().0;
        let right = parsed
            .calc_checksum_ipv4_raw([10, 0, 0, 1], [10, 0, 0, 2], payload)
            .unwrap();
        header[16..18].copy_from_slice(&checksum.unwrap_or(right).to_be_bytes());
        let tcp = [&header, payload].concat();
        let length = (20 + tcp.len() as u16).to_be_bytes();
        let ip = [
            0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ];
        let bytes = [&ip[..], &tcp].concat();
        let packet = Packet {
            number: 1,
            time: Timestamp::default(),
            link: LinkType::RAW,
            data: Captured::whole(&bytes),
        };
        let mut decoder = Decoder::new(&Limits::default());
        decoder.decode(&packet).expect("a segment").checksum()
    }

    #[test]
    fn rfc1071_checksums_are_verified_for_every_length() {
        let payload: Vec<u8> = (0..200u8).map(|at| at.wrapping_mul(77)).collect();
        for length in 0..payload.len() {
            assert_eq!(with_checksum(None, &payload[..length]), Checksum::Right);
            assert_eq!(with_checksum(Some(0xdead), &payload[..length]), Checksum::Wrong);
        }
    }

    #[test]
    fn the_checksum_of_a_header_whose_options_were_cut_is_not_known() {
        let ip = [0x45, 0, 0, 44, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let tcp = [
            0x9c, 0x40, 0x1c, 0x68, 0, 0, 3, 0xe8, 0, 0, 0, 0, 0x60, 2, 0xff, 0xff, 1, 2, 0, 0, 2, 4,
        ];
        let bytes = [&ip[..], &tcp].concat();
        let packet = Packet {
            number: 1,
            time: Timestamp::default(),
            link: LinkType::RAW,
            data: Captured::new(&bytes, 44),
        };
        let mut decoder = Decoder::new(&Limits::default());
        assert_eq!(decoder.decode(&packet).map(|s| s.checksum()), Some(Checksum::Unknown));
    }

    #[test]
    fn a_checksum_that_is_left_to_the_network_card_is_partial() {
        let pseudo = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 6 + 25;
        assert_eq!(with_checksum(Some(pseudo), b"hello"), Checksum::Partial);
    }
}
