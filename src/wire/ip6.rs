//! IPv6 (RFC 8200) and its extension headers.

use std::net::IpAddr;

use etherparse::{Ipv6FragmentHeaderSlice, Ipv6HeaderSlice};

use crate::wire::ip::{self, Fragment, Ip, addresses};
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ip6_options, protocol};

const HEADER: u32 = 40;
const FRAGMENT_HEADER: u32 = 8;

/// Extension headers that only their own protocols know, but that have the usual shape: mobility (RFC 6275 §6.1), the host
/// identity protocol (RFC 7401 §5.1), Shim6 (RFC 5533 §5.3). tcpdump does not look behind them.
const OTHER_EXTENSIONS: [u8; 3] = [135, 139, 140];
const MOBILITY: u8 = 135;
/// Its number before it had one.
const MOBILITY_OLD: u8 = 62;

/// Routing types: the deprecated source route, Mobile IPv6's (RFC 6275 §6.4) and segment routing (RFC 8754 §2).
const ROUTING_SOURCE: u8 = 0;
const ROUTING_MOBILE: u8 = 2;
const ROUTING_SEGMENTS: u8 = 4;

/// Reads a packet that begins at `at`; `length` is what the header before it left for it.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.nested(|reader| packet(reader, at, length))
}

fn packet<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "ip6";
    if !reader.has(at, HEADER as usize) {
        reader.truncated();
        return Ok(());
    }
    if length < HEADER {
        reader.dec("truncated-ip6 ", length);
        return Ok(());
    }
    if !reader.link_header() {
        reader.text("IP6 ");
    }
    let Ok(header) = Ipv6HeaderSlice::from_slice(reader.slice(at, HEADER as usize)?) else {
        reader.dec("version error: ", reader.u8(at)? >> 4);
        reader.text(" != 6");
        return Ok(());
    };
    let payload_length = u32::from(header.payload_length());
    let total = if payload_length != 0 {
        let total = payload_length + HEADER;
        if length < total {
            missing(reader, total - length);
        }
        total
    } else {
        // A jumbo payload may say its length in an option (RFC 2675 §2), and offloading leaves 0 behind: until then, all there is.
        length.wrapping_add(HEADER)
    };
    let next = header.next_header().0;
    if reader.verbose() > 0 {
        parenthesis(reader, at, next, payload_length)?;
    }
    reader.limit(at, total);
    let mut chain = Chain {
        ip: Ip {
            source: IpAddr::V6(header.source().into()),
            destination: IpAddr::V6(header.destination().into()),
            id: None,
            ttl: header.hop_limit(),
            next,
            header: at,
            protocol: next,
            at,
            length: 0,
            fragment: None,
        },
        left: total,
        packet: length,
        payload_length,
        jumbo: false,
        first: true,
    };
    if !chain.read(reader, HEADER)? {
        reader.truncated();
    }
    Ok(())
}

/// What stands above an IPv6 fragment that has become whole: extension headers, or the payload.
pub(crate) fn reassembled<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip) -> Read {
    let mut chain = Chain {
        ip: *ip,
        left: ip.length,
        packet: ip.length,
        payload_length: ip.length,
        jumbo: false,
        first: false,
    };
    chain.read(reader, 0).map(drop)
}

/// The way along the extension headers.
struct Chain {
    ip: Ip,
    /// Bytes from `ip.at` to the end.
    left: u32,
    /// Bytes of the packet, by the header before it.
    packet: u32,
    payload_length: u32,
    /// There was a jumbo payload option.
    jumbo: bool,
    /// The next header follows the fixed one.
    first: bool,
}

impl Chain {
    /// Follows the headers behind one of `advance` bytes; `false` when they are longer than the packet.
    fn read<L: Listener>(&mut self, reader: &mut Reader<'_, L>, mut advance: u32) -> Read<bool> {
        let mut hop_by_hop = false;
        let mut any = false;
        loop {
            if self.ip.at >= reader.end() {
                return Ok(true);
            }
            if self.left < advance {
                return Ok(false);
            }
            self.ip.at += advance as usize;
            self.left -= advance;
            let at = self.ip.at;
            if self.first && !any && !protocol::names_ports(self.ip.protocol) {
                addresses(reader, &self.ip);
                reader.text(": ");
            }
            let shown = match self.ip.protocol {
                protocol::HOP_BY_HOP => {
                    if any {
                        reader.text("[The Hop-by-Hop Options header ");
                        reader.text(if hop_by_hop {
                            "was already found]"
                        } else {
                            "don't follow the IPv6 header]"
                        });
                        reader.invalid();
                        return Ok(true);
                    }
                    let shown = ip6_options::hop_by_hop(reader, at, &mut self.jumbo, &mut self.payload_length)?;
                    if self.payload_length == 0 && !self.jumbo && L::PRINTS {
                        reader.text("[No valid Jumbo Payload Hop-by-Hop option found]");
                        reader.invalid();
                        return Ok(true);
                    }
                    hop_by_hop = true;
                    shown
                }
                protocol::DESTINATION_OPTIONS => ip6_options::destination(reader, at)?,
                protocol::FRAGMENT => self.fragment(reader)?,
                MOBILITY | MOBILITY_OLD if L::PRINTS => {
                    reader.text("mobility");
                    None
                }
                other if !L::PRINTS && OTHER_EXTENSIONS.contains(&other) => {
                    Some((u32::from(reader.u8(at + 1)?) + 1) * 8)
                }
                protocol::ROUTING => {
                    if !reader.has(at, 1) {
                        return Ok(false);
                    }
                    routing(reader, at)?
                }
                _ => return self.payload(reader, any),
            };
            let Some(shown) = shown else {
                return Ok(true);
            };
            advance = shown;
            any = true;
            self.ip.protocol = reader.u8(at)?;
            reader.protocol = "ip6";
        }
    }

    fn payload<L: Listener>(&mut self, reader: &mut Reader<'_, L>, any: bool) -> Read<bool> {
        let before = (self.ip.at - self.ip.header) as u32;
        if self.jumbo {
            let total = self.payload_length.wrapping_add(HEADER);
            if total < before {
                return Ok(false);
            }
            if self.packet < total {
                missing(reader, total - self.packet);
            }
            reader.change_limit(self.ip.header, total);
            self.left = total - before;
        } else if self.payload_length == 0 && L::PRINTS {
            if any {
                return Ok(false);
            }
            reader.change_limit(self.ip.header, HEADER);
            self.left = HEADER.wrapping_sub(before);
        } else if self.payload_length == 0 {
            self.left = self.packet - before.min(self.packet);
        }
        let ip = Ip {
            length: self.left,
            ..self.ip
        };
        ip::payload(reader, &ip)?;
        Ok(true)
    }

    /// A fragment header (RFC 8200 §4.5); returns its length when the payload's beginning follows it.
    fn fragment<L: Listener>(&mut self, reader: &mut Reader<'_, L>) -> Read<Option<u32>> {
        reader.protocol = "frag6";
        let (at, header) = (self.ip.at, self.ip.header);
        let offset = reader.u16(at + 2)? & 0xfff8;
        let payload = at + FRAGMENT_HEADER as usize;
        if let Ok(view) = Ipv6FragmentHeaderSlice::from_slice(reader.rest(at, FRAGMENT_HEADER as usize)) {
            let fragment = Fragment {
                id: view.identification(),
                offset: usize::from(offset),
                more: view.more_fragments(),
            };
            // An "atomic" fragment is the whole datagram (RFC 6946), but to tcpdump one like the others.
            if view.is_fragmenting_payload() || L::PRINTS {
                let ip = Ip {
                    protocol: view.next_header().0,
                    at: payload,
                    length: self.left.saturating_sub(FRAGMENT_HEADER),
                    fragment: Some(fragment),
                    ..self.ip
                };
                if !reader.to.fragment(&ip) {
                    return Ok(None);
                }
                self.ip.fragment = Some(fragment);
            }
        }
        if reader.verbose() > 0 {
            reader.hex_padded("frag (0x", reader.u32(at + 4)?, 8);
            reader.text(":");
        } else {
            reader.text("frag (");
        }
        reader.dec("", offset);
        let payload_length = u64::from(reader.u16(header + 4)?);
        let before = (at - header) as u64 + u64::from(FRAGMENT_HEADER);
        reader.dec("|", (u64::from(HEADER) + payload_length).wrapping_sub(before));
        reader.text(")");
        if offset != 0 {
            return Ok(None);
        }
        reader.text(" ");
        Ok((payload < reader.end()).then_some(FRAGMENT_HEADER))
    }
}

fn missing<L: Listener>(reader: &mut Reader<'_, L>, bytes: u32) {
    reader.dec("truncated-ip6 - ", bytes);
    reader.text(" bytes missing!");
}

/// `-v`: the header's fields.
fn parenthesis<L: Listener>(reader: &mut Reader<'_, L>, at: usize, next: u8, payload_length: u32) -> Read {
    let flow = reader.u32(at)?;
    reader.text("(");
    let class = flow >> 20 & 0xff;
    if class != 0 {
        reader.hex_padded("class 0x", class, 2);
        reader.text(", ");
    }
    if flow & 0xf_ffff != 0 {
        reader.hex_padded("flowlabel 0x", flow & 0xf_ffff, 5);
        reader.text(", ");
    }
    reader.dec("hlim ", reader.u8(at + 7)?);
    reader.text(", next-header ");
    reader.text(protocol::name(next).unwrap_or("unknown"));
    reader.dec(" (", next);
    reader.dec(") payload length: ", payload_length);
    reader.text(") ");
    Ok(())
}

/// A routing header (RFC 8200 §4.4); returns its length unless it is malformed.
fn routing<L: Listener>(reader: &mut Reader<'_, L>, at: usize) -> Read<Option<u32>> {
    reader.protocol = "rt6";
    reader.text("RT6");
    let length = reader.u8(at + 1)?;
    reader.dec(" (len=", length);
    let kind = reader.u8(at + 2)?;
    reader.dec(", type=", kind);
    // What tcpdump does not look behind is followed all the same.
    let whole = Some((u32::from(length) + 1) * 8);
    let not_shown = whole.filter(|_| !L::PRINTS);
    if kind == ROUTING_SOURCE {
        reader.text(" [Deprecated]");
    }
    reader.dec(", segleft=", reader.u8(at + 3)?);
    match kind {
        ROUTING_SOURCE | ROUTING_MOBILE => {
            let reserved = reader.u32(at + 4)?;
            if reserved != 0 || reader.verbose() > 0 {
                reader.hex(", rsv=0x", reserved);
            }
        }
        ROUTING_SEGMENTS => {
            reader.dec(", last-entry=", reader.u8(at + 4)?);
            let flags = reader.u8(at + 5)?;
            if flags != 0 || reader.verbose() > 0 {
                reader.hex(", flags=0x", flags);
            }
            reader.hex(", tag=", reader.u16(at + 6)?);
        }
        _ => {
            reader.text(" (unknown type)");
            reader.invalid();
            return Ok(not_shown);
        }
    }
    if length % 2 == 1 {
        reader.dec(" (invalid length ", length);
        reader.text(")");
        reader.invalid();
        return Ok(not_shown);
    }
    for n in 0..usize::from(length / 2) {
        let stop = at + 8 + n * 16;
        reader.need(stop, 16)?;
        reader.dec(", [", n as u64);
        reader.text("]");
        reader.v6(stop)?;
    }
    reader.text(") ");
    Ok(whole)
}

/// Where the packet is going in the end, by its routing header: what checksums cover; `None` when it is the header's
/// destination.
pub(super) fn final_destination<L: Listener>(reader: &Reader<'_, L>, ip: &Ip) -> Read<Option<[u8; 16]>> {
    let mut next = ip.next;
    let mut at = ip.header + HEADER as usize;
    loop {
        let length = match next {
            protocol::HOP_BY_HOP | protocol::DESTINATION_OPTIONS | MOBILITY_OLD | MOBILITY => {
                (usize::from(reader.u8(at + 1)?) + 1) * 8
            }
            protocol::FRAGMENT => FRAGMENT_HEADER as usize,
            protocol::ROUTING => return routed_to(reader, at),
            _ => return Ok(None),
        };
        next = reader.u8(at)?;
        at += length;
    }
}

/// The last stop of a routing header.
fn routed_to<L: Listener>(reader: &Reader<'_, L>, at: usize) -> Read<Option<[u8; 16]>> {
    if !reader.has(at, 4) {
        return Ok(None);
    }
    let length = usize::from(reader.u8(at + 1)?);
    let kind = reader.u8(at + 2)?;
    if length % 2 == 1 {
        return Ok(None);
    }
    let mut found = None;
    let stops = match kind {
        ROUTING_SOURCE | ROUTING_MOBILE => length / 2,
        // Segments are listed backwards.
        ROUTING_SEGMENTS => 1,
        _ => 0,
    };
    for n in 0..stops {
        let stop = at + 8 + n * 16;
        if !reader.has(stop, 16) {
            break;
        }
        found = Some(*reader.array(stop)?);
    }
    Ok(found)
}
