//! IPv6 (RFC 8200) and its extension headers.

use super::line::{Line, Printed};
use super::{checksum, demux, ip6_options, protocol};

const HEADER: u32 = 40;
const FRAGMENT_HEADER: u32 = 8;

/// Routing types: the deprecated source route, Mobile IPv6's (RFC 6275 §6.4) and segment routing (RFC 8754 §2).
const ROUTING_SOURCE: u8 = 0;
const ROUTING_MOBILE: u8 = 2;
const ROUTING_SEGMENTS: u8 = 4;

/// Prints a packet that begins at `at`; `length` is what the header before it left for it.
pub(super) fn print(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.nested(|line| packet(line, at, length))
}

fn packet(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "ip6";
    if !line.has(at, HEADER as usize) {
        line.truncated();
        return Ok(());
    }
    if length < HEADER {
        line.dec("truncated-ip6 ", length);
        return Ok(());
    }
    if !line.options.link_header {
        line.text("IP6 ");
    }
    let version = line.u8(at)? >> 4;
    if version != 6 {
        line.dec("version error: ", version);
        line.text(" != 6");
        return Ok(());
    }
    let mut payload_length = u32::from(line.u16(at + 4)?);
    let total = if payload_length != 0 {
        let total = payload_length + HEADER;
        if length < total {
            missing(line, total - length);
        }
        total
    } else {
        // A jumbo payload may say its length in an option (RFC 2675 §2); until then, all there is.
        length.wrapping_add(HEADER)
    };
    let mut next = line.u8(at + 6)?;
    if line.options.verbose > 0 {
        parenthesis(line, at, next, payload_length)?;
    }
    line.push_end(at, total);
    let shown = extensions(line, at, length, total, &mut payload_length, &mut next);
    if shown? {
        line.pop_end();
    } else {
        line.truncated();
    }
    Ok(())
}

/// Follows the headers; `false` when they are longer than the packet.
fn extensions(
    line: &mut Line<'_>,
    header: usize,
    length: u32,
    mut left: u32,
    payload_length: &mut u32,
    next: &mut u8,
) -> Printed<bool> {
    let mut at = header;
    let mut advance = HEADER;
    let mut total_advance = 0u32;
    let (mut first, mut any, mut hop_by_hop, mut jumbo, mut fragmented) = (true, false, false, false, false);
    while at < line.end && advance > 0 {
        if left < advance {
            return Ok(false);
        }
        at += advance as usize;
        left -= advance;
        total_advance = total_advance.wrapping_add(advance);
        if at == header + HEADER as usize
            && !matches!(*next, protocol::TCP | protocol::UDP | protocol::DCCP | protocol::SCTP)
        {
            line.v6(header + 8)?;
            line.text(" > ");
            line.v6(header + 24)?;
            line.text(": ");
        }
        let shown = match *next {
            protocol::HOP_BY_HOP => {
                if hop_by_hop || !first {
                    line.text("[The Hop-by-Hop Options header ");
                    line.text(if hop_by_hop {
                        "was already found]"
                    } else {
                        "don't follow the IPv6 header]"
                    });
                    line.invalid();
                    return Ok(true);
                }
                let shown = ip6_options::hop_by_hop(line, at, &mut jumbo, payload_length)?;
                if *payload_length == 0 && !jumbo {
                    line.text("[No valid Jumbo Payload Hop-by-Hop option found]");
                    line.invalid();
                    return Ok(true);
                }
                hop_by_hop = true;
                shown
            }
            protocol::DESTINATION_OPTIONS => ip6_options::destination(line, at)?,
            protocol::FRAGMENT => {
                fragmented = true;
                fragment(line, at, header)?.filter(|&n| at + (n as usize) < line.end)
            }
            protocol::MOBILITY | protocol::MOBILITY_OLD => {
                mobility(line, at)?;
                None
            }
            protocol::ROUTING => {
                if !line.has(at, 1) {
                    return Ok(false);
                }
                routing(line, at)?
            }
            _ => {
                if jumbo {
                    left = payload_length.wrapping_add(HEADER);
                    if left < total_advance {
                        return Ok(false);
                    }
                    if length < left {
                        missing(line, left - length);
                    }
                    line.change_end(header, left);
                    left -= total_advance;
                } else if *payload_length == 0 {
                    if any {
                        return Ok(false);
                    }
                    line.change_end(header, HEADER);
                    left = HEADER.wrapping_sub(total_advance);
                }
                let payload = demux::Payload {
                    at,
                    length: left,
                    version: 6,
                    header,
                    fragmented,
                    protocol: *next,
                };
                demux::print(line, payload)?;
                return Ok(true);
            }
        };
        let Some(shown) = shown else {
            return Ok(true);
        };
        advance = shown;
        any = true;
        first = false;
        *next = line.u8(at)?;
        line.protocol = "ip6";
    }
    Ok(true)
}

fn missing(line: &mut Line<'_>, bytes: u32) {
    line.dec("truncated-ip6 - ", bytes);
    line.text(" bytes missing!");
}

/// `-v`: the header's fields.
fn parenthesis(line: &mut Line<'_>, at: usize, next: u8, payload_length: u32) -> Printed {
    let flow = line.u32(at)?;
    line.byte(b'(');
    let class = flow >> 20 & 0xff;
    if class != 0 {
        line.hex_padded("class 0x", class, 2);
        line.text(", ");
    }
    if flow & 0xf_ffff != 0 {
        line.hex_padded("flowlabel 0x", flow & 0xf_ffff, 5);
        line.text(", ");
    }
    line.dec("hlim ", line.u8(at + 7)?);
    line.text(", next-header ");
    line.text(protocol::name(next).unwrap_or("unknown"));
    line.dec(" (", next);
    line.dec(") payload length: ", payload_length);
    line.text(") ");
    Ok(())
}

/// A fragment header (RFC 8200 §4.5); returns its length when the payload's beginning follows it.
fn fragment(line: &mut Line<'_>, at: usize, header: usize) -> Printed<Option<u32>> {
    line.protocol = "frag6";
    let offset = line.u16(at + 2)? & 0xfff8;
    if line.options.verbose > 0 {
        line.hex_padded("frag (0x", line.u32(at + 4)?, 8);
        line.byte(b':');
    } else {
        line.text("frag (");
    }
    line.dec("", offset);
    let payload_length = u64::from(line.u16(header + 4)?);
    let before = (at - header) as u64 + u64::from(FRAGMENT_HEADER);
    line.dec("|", (u64::from(HEADER) + payload_length).wrapping_sub(before));
    line.byte(b')');
    if offset != 0 {
        return Ok(None);
    }
    line.byte(b' ');
    Ok(Some(FRAGMENT_HEADER))
}

/// A mobility header (RFC 6275 §6.1), in short.
fn mobility(line: &mut Line<'_>, at: usize) -> Printed {
    line.protocol = "mobility";
    let kind = line.u8(at + 2)?;
    line.text("mobility: ");
    match kind {
        0 => line.text("BRR"),
        1 => line.text("HoTI"),
        2 => line.text("CoTI"),
        3 => line.text("HoT"),
        4 => line.text("CoT"),
        5 => line.text("BU"),
        6 => line.text("BA"),
        7 => line.text("BE"),
        other => line.dec("type-#", other),
    }
    Ok(())
}

/// A routing header (RFC 8200 §4.4); returns its length unless it is malformed.
fn routing(line: &mut Line<'_>, at: usize) -> Printed<Option<u32>> {
    line.protocol = "rt6";
    line.text("RT6");
    let length = line.u8(at + 1)?;
    line.dec(" (len=", length);
    let kind = line.u8(at + 2)?;
    line.dec(", type=", kind);
    if kind == ROUTING_SOURCE {
        line.text(" [Deprecated]");
    }
    line.dec(", segleft=", line.u8(at + 3)?);
    match kind {
        ROUTING_SOURCE | ROUTING_MOBILE => {
            let reserved = line.u32(at + 4)?;
            if reserved != 0 || line.options.verbose > 0 {
                line.hex(", rsv=0x", reserved);
            }
        }
        ROUTING_SEGMENTS => {
            line.dec(", last-entry=", line.u8(at + 4)?);
            let flags = line.u8(at + 5)?;
            if flags != 0 || line.options.verbose > 0 {
                line.hex(", flags=0x", flags);
            }
            line.hex(", tag=", line.u16(at + 6)?);
        }
        _ => {
            line.text(" (unknown type)");
            line.invalid();
            return Ok(None);
        }
    }
    if length % 2 == 1 {
        line.dec(" (invalid length ", length);
        line.byte(b')');
        line.invalid();
        return Ok(None);
    }
    for n in 0..usize::from(length / 2) {
        let stop = at + 8 + n * 16;
        line.need(stop, 16)?;
        line.dec(", [", n);
        line.byte(b']');
        line.v6(stop)?;
    }
    line.text(") ");
    Ok(Some((u32::from(length) + 1) * 8))
}

/// Adds the pseudo-header (RFC 8200 §8.1) to a checksum over `length` bytes of a protocol.
pub(super) fn sum_pseudo_header(
    line: &Line<'_>,
    header: usize,
    length: u32,
    protocol: u8,
    sum: &mut checksum::Sum,
) -> Printed {
    sum.add(&line.array::<16>(header + 8)?);
    let destination = match final_destination(line, header)? {
        Some(address) => address,
        None => line.array(header + 24)?,
    };
    sum.add(&destination);
    sum.add(&length.to_be_bytes());
    sum.add(&[0, 0, 0, protocol]);
    Ok(())
}

/// Where the packet is going in the end, by its routing header: what checksums cover; `None` when it is the header's
/// destination.
fn final_destination(line: &Line<'_>, header: usize) -> Printed<Option<[u8; 16]>> {
    let mut next = line.u8(header + 6)?;
    if !matches!(
        next,
        protocol::HOP_BY_HOP
            | protocol::DESTINATION_OPTIONS
            | protocol::MOBILITY_OLD
            | protocol::MOBILITY
            | protocol::FRAGMENT
            | protocol::ROUTING
    ) {
        return Ok(None);
    }
    let mut at = header;
    let mut advance = HEADER as usize;
    while at < line.end {
        at += advance;
        match next {
            protocol::HOP_BY_HOP | protocol::DESTINATION_OPTIONS | protocol::MOBILITY_OLD | protocol::MOBILITY => {
                advance = (usize::from(line.u8(at + 1)?) + 1) * 8;
                next = line.u8(at)?;
            }
            protocol::FRAGMENT => {
                advance = FRAGMENT_HEADER as usize;
                next = line.u8(at)?;
            }
            protocol::ROUTING => return routed_to(line, at),
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// The last stop of a routing header.
fn routed_to(line: &Line<'_>, at: usize) -> Printed<Option<[u8; 16]>> {
    if !line.has(at, 4) {
        return Ok(None);
    }
    let length = usize::from(line.u8(at + 1)?);
    let kind = line.u8(at + 2)?;
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
        if !line.has(stop, 16) {
            break;
        }
        found = Some(line.array(stop)?);
    }
    Ok(found)
}
