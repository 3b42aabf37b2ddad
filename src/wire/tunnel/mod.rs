//! Tunnels: packets inside packets. One row a tunnel, with its reader.
//!
//! tcpdump 4.99 does not open all of them. Those that it leaves closed are followed all the same; its line stays what it prints,
//! and who prints may have the packet inside printed behind it.

mod erspan;
mod geneve;
pub(crate) mod gre;
mod gtpu;
mod tzsp;
mod vxlan;

use crate::wire::link::ethernet;
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ip4, ip6, mpls, protocol};

/// Reads what is at a position, of a length.
type ReadTunnel<'p, L> = fn(&mut Reader<'p, L>, usize, u32) -> Read;

/// A tunnel over UDP.
pub(crate) struct OverUdp<'p, L> {
    pub(crate) read: ReadTunnel<'p, L>,
    /// tcpdump opens it.
    pub(crate) is_opened: bool,
}

/// The tunnel that is recognised by one of the two ports, if it is one; where both are, by the upper row.
pub(crate) fn over_udp<'p, L: Listener>(source: u16, destination: u16) -> Option<OverUdp<'p, L>> {
    let rows: [(u16, ReadTunnel<'p, L>, bool); 7] = [
        // What Linux uses for VXLAN unless told otherwise; to tcpdump it is OTV, which looks alike.
        (8472, vxlan::otv, true),
        (4789, vxlan::vxlan, true),
        (6081, geneve::read, true),
        (4790, vxlan::generic, true),
        (6635, mpls::over_udp, true),
        (2152, gtpu::read, false),
        (37_008, tzsp::read, false),
    ];
    rows.into_iter()
        .find(|row| row.0 == source || row.0 == destination)
        .map(|(_, read, is_opened)| OverUdp { read, is_opened })
}

/// The tunnel straight over IP.
pub(crate) fn over_ip<'p, L: Listener>(number: u8, v6: bool) -> Option<ReadTunnel<'p, L>> {
    match number {
        // RFC 2003, RFC 4213.
        protocol::IPV4 => Some(ip_in_ip),
        protocol::IPV6 => Some(ip6_in_ip),
        protocol::GRE => Some(gre::read),
        protocol::ETHERIP => Some(ether_ip),
        // RFC 8986 §4.9.
        protocol::ETHERNET if v6 => Some(frame),
        _ => None,
    }
}

/// Inside GRE of version 0, beside what [`crate::wire::ethertype`] knows.
pub(crate) fn over_gre<'p, L: Listener>(kind: u16, has_sequence: bool) -> Option<ReadTunnel<'p, L>> {
    match (kind, has_sequence) {
        (0x88be, false) => Some(erspan::type1),
        (0x88be, true) => Some(erspan::type2),
        (0x22eb, _) => Some(erspan::type3),
        _ => None,
    }
}

fn ip_in_ip<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.to.tunnel("IP in IP");
    ip4::read(reader, at, length)
}

fn ip6_in_ip<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.to.tunnel("IPv6 in IP");
    ip6::read(reader, at, length)
}

/// EtherIP (RFC 3378): two bytes, and a frame.
fn ether_ip<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.dec(" ip-proto-", protocol::ETHERIP);
    reader.dec(" ", length);
    reader.not_opened(
        |reader, at, length| {
            reader.to.tunnel("EtherIP");
            frame(reader, at + 2, length.saturating_sub(2))
        },
        at,
        length,
    )
}

/// An Ethernet frame inside.
fn frame<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.nested(|reader| ethernet::frame(reader, at, length)).map(drop)
}
