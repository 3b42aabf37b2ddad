//! What an IP header of either version says, and what it carries, by its protocol number.

use std::net::IpAddr;

use crate::wire::checksum::Sum;
use crate::wire::protocol;
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{icmp, ip4, ip4_options, ip6, ipsec, tcp, tunnel, udp};

/// An IP header, and its payload or a fragment of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ip {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// The identification of an IPv4 header.
    pub(crate) id: Option<u16>,
    /// Time to live, or hop limit.
    pub(crate) ttl: u8,
    /// The protocol that the header itself names; other headers may come before the payload.
    pub(crate) next: u8,
    /// Where the header begins.
    pub(crate) header: usize,
    /// What the payload is.
    pub(crate) protocol: u8,
    /// Where the payload begins.
    pub(crate) at: usize,
    /// How long it is, by the headers.
    pub(crate) length: u32,
    /// Set when this is a part of a datagram only.
    pub(crate) fragment: Option<Fragment>,
}

/// Which part of its datagram a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Tells datagrams of the same two hosts apart.
    pub(crate) id: u32,
    /// Where its payload begins, in bytes.
    pub(crate) offset: usize,
    /// More fragments follow behind it.
    pub(crate) more: bool,
}

impl Ip {
    pub(crate) fn is_v6(&self) -> bool {
        self.destination.is_ipv6()
    }
}

/// IP of whatever version its first four bits say.
pub(crate) fn either<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    match reader.u8(at)? >> 4 {
        4 => ip4::read(reader, at, length),
        6 => ip6::read(reader, at, length),
        version => {
            reader.dec("unknown ip ", version);
            Ok(())
        }
    }
}

/// `10.0.0.1 > 10.0.0.2`
pub(crate) fn addresses<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip) {
    reader.to.host(ip.source);
    reader.text(" > ");
    reader.to.host(ip.destination);
}

/// Reads a payload.
#[inline]
pub(crate) fn payload<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip) -> Read {
    match ip.protocol {
        protocol::TCP => tcp::read(reader, ip),
        _ => other(reader, ip),
    }
}

fn other<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip) -> Read {
    let Ip { at, length, .. } = *ip;
    let v6 = ip.is_v6();
    if let Some(tunnel) = tunnel::over_ip(ip.protocol, v6) {
        return tunnel(reader, at, length);
    }
    match ip.protocol {
        protocol::UDP => udp::read(reader, ip),
        protocol::AH => match ipsec::authentication(reader, at)? {
            Some(advance) => {
                let behind = Ip {
                    protocol: reader.u8(at)?,
                    at: at + advance as usize,
                    length: length.wrapping_sub(advance),
                    ..*ip
                };
                reader.nested(|reader| payload(reader, &behind))
            }
            None => Ok(()),
        },
        protocol::ICMP | protocol::ICMPV6 => icmp::read(reader, ip),
        other => {
            reader.dec(" ip-proto-", other);
            reader.dec(" ", length);
            Ok(())
        }
    }
}

/// The sum over the pseudo-header of `length` bytes that `ip` carries, with the destination that options or a routing header name.
pub(crate) fn sum_pseudo_header<L: Listener>(reader: &Reader<'_, L>, ip: &Ip, length: u32) -> Read<Sum> {
    let last = if ip.is_v6() {
        ip6::final_destination(reader, ip)?.map(IpAddr::from)
    } else {
        ip4_options::final_destination(reader, ip.header)?.map(IpAddr::from)
    };
    let destination = last.unwrap_or(ip.destination);
    Ok(Sum::of_pseudo_header(ip.source, destination, ip.protocol, length))
}

/// Gives the packet up, with a note, when a header's announced length was not captured.
#[inline]
pub(crate) fn header_captured<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: usize) -> Read {
    if reader.has(at, length) {
        Ok(())
    } else {
        header_cut(reader, at, length)
    }
}

#[cold]
fn header_cut<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: usize) -> Read {
    let available = reader.available(at);
    reader.dec(" [remaining caplen(", available);
    reader.dec(") < header length(", length as u64);
    reader.text(")]");
    Err(super::reader::Truncated)
}
