//! PPP (RFC 1661), in HDLC-like framing (RFC 1662) and over Ethernet (RFC 2516); and Cisco's HDLC, which is not far from it.
//! Of control protocols there is one short line.

use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ethertype, ip4, ip6, mpls};

const HEADER: u32 = 4;
const ALL_STATIONS: u8 = 0xff;
/// Cisco's addresses for one station and for all.
const UNICAST: u8 = 0x0f;
const BROADCAST: u8 = 0x8f;

const IP: u16 = 0x0021;
const VJ_UNCOMPRESSED: u16 = 0x002f;
const IPV6: u16 = 0x0057;
const MPLS: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;

/// Reads a packet of a PPP interface.
pub(crate) fn interface<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "ppp";
    let captured = reader.available(at);
    if captured < HEADER {
        reader.truncated();
        return Ok(captured as usize);
    }
    frame(reader, at, length)?;
    Ok(HEADER as usize)
}

/// Reads a packet of an interface with HDLC-like framing, Cisco's or the standard one.
pub(crate) fn hdlc_interface<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "ppp_hdlc";
    let captured = reader.available(at);
    let first = reader.u8(at).ok().filter(|_| captured > 1);
    match first {
        Some(UNICAST | BROADCAST) => return cisco_interface(reader, at, length),
        Some(_) if captured >= HEADER => {}
        _ => {
            reader.truncated();
            return Ok(captured as usize);
        }
    }
    if reader.link_header() {
        reader.hex_padded("", reader.u8(at)?, 2);
        reader.hex_padded(" ", reader.u8(at + 1)?, 2);
        reader.dec(" ", length);
        reader.text(" ");
    }
    if first != Some(ALL_STATIONS) {
        reader.hex_padded("unknown addr ", reader.u8(at + 2)?, 2);
        reader.hex_padded("; ctrl ", reader.u8(at + 3)?, 2);
        return Ok(2);
    }
    let kind = reader.u16(at + 2)?;
    if let Some(name) = name(kind) {
        reader.text(name);
        reader.text(": ");
    }
    payload(reader, kind, at + 4, length.wrapping_sub(HEADER))?;
    Ok(HEADER as usize)
}

/// Reads a packet of an interface with Cisco's HDLC.
pub(crate) fn cisco_interface<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "chdlc";
    if length < HEADER {
        reader.truncated();
        return Ok(reader.available(at) as usize);
    }
    let kind = reader.u16(at + 2)?;
    if reader.link_header() {
        match reader.u8(at)? {
            UNICAST => reader.text("unicast"),
            BROADCAST => reader.text("bcast"),
            other => reader.hex_padded("0x", other, 2),
        }
        reader.text(", ethertype ");
        ethertype::name_and_number(reader, kind, "Unknown");
        reader.dec(", length ", length);
        reader.text(": ");
    }
    let (at, rest) = (at + HEADER as usize, length - HEADER);
    match kind {
        ethertype::IPV4 => ip4::read(reader, at, rest)?,
        ethertype::IPV6 => ip6::read(reader, at, rest)?,
        ethertype::MPLS | ethertype::MPLS_MULTICAST => mpls::read(reader, at, rest)?,
        _ if reader.link_header() => {}
        _ => {
            reader.hex_padded("unknown CHDLC protocol (0x", kind, 4);
            reader.text(")");
        }
    }
    Ok(HEADER as usize)
}

/// Reads a frame that begins with the address and control fields, or without them; returns how long its header is.
pub(crate) fn frame<L: Listener>(reader: &mut Reader<'_, L>, start: usize, whole: u32) -> Read<usize> {
    reader.protocol = "ppp";
    let (mut at, mut length) = (start, whole);
    if length < 2 {
        reader.truncated();
        return Ok(0);
    }
    let way = match reader.u16(at)? {
        // pppd's own marks of a packet's direction.
        0x0003 => Some("In  "),
        0x0103 => Some("Out "),
        0xff03 => Some(""),
        _ => None,
    };
    if let Some(way) = way {
        if reader.link_header() {
            reader.text(way);
        }
        at += 2;
        length -= 2;
    }
    if length < 2 {
        reader.truncated();
        return Ok(0);
    }
    // A compressed protocol field is odd (RFC 1661 §6.5).
    let first = reader.u8(at)?;
    let (kind, n) = if first & 1 != 0 {
        (u16::from(first), 1)
    } else {
        (reader.u16(at)?, 2)
    };
    at += n as usize;
    length -= n;
    if reader.link_header() {
        let name = name(kind);
        reader.text(name.unwrap_or("unknown"));
        reader.hex_padded(" (0x", kind, 4);
        reader.dec("), length ", whole);
        if name.is_none() {
            return Ok(at - start);
        }
        reader.text(": ");
    }
    payload(reader, kind, at, length)?;
    Ok(at - start)
}

/// Reads what a protocol number says it is.
fn payload<L: Listener>(reader: &mut Reader<'_, L>, kind: u16, at: usize, length: u32) -> Read {
    match kind {
        ethertype::IPV4 | IP | VJ_UNCOMPRESSED => ip4::read(reader, at, length),
        ethertype::IPV6 | IPV6 => ip6::read(reader, at, length),
        MPLS | MPLS_MULTICAST => mpls::read(reader, at, length),
        _ => {
            reader.hex_padded("PPP protocol 0x", kind, 4);
            reader.dec(", length ", length);
            Ok(())
        }
    }
}

fn name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        IP => "IP",
        VJ_UNCOMPRESSED => "VJNC IP",
        IPV6 => "IP6",
        MPLS | MPLS_MULTICAST => "MPLS",
        _ => return None,
    })
}

const OVER_ETHERNET: u32 = 6;

/// PPP over Ethernet (RFC 2516 §4); returns how long its headers are.
pub(crate) fn over_ethernet<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "pppoe";
    if length < OVER_ETHERNET {
        reader.dec(" (length ", length);
        reader.dec(" < ", OVER_ETHERNET);
        reader.text(")");
        reader.invalid();
        return Ok(0);
    }
    let rest = length - OVER_ETHERNET;
    let [version, code, ..] = *reader.array::<6>(at)?;
    let session = reader.u16(at + 2)?;
    let mut payload = u32::from(reader.u16(at + 4)?);
    let header = OVER_ETHERNET as usize;
    if code != 0 {
        reader.short("PPPoE discovery", length);
        return Ok(header);
    }
    for (name, nibble) in [(" [ver ", version >> 4), (" [type ", version & 15)] {
        if nibble != 1 {
            reader.dec(name, nibble);
            reader.text("]");
        }
    }
    reader.text("PPPoE ");
    if payload > rest {
        reader.dec(" [len ", payload);
        reader.dec(" > ", rest);
        reader.text("!]");
        payload = rest;
    }
    if session != 0 {
        reader.hex(" [ses 0x", session);
        reader.text("]");
    }
    reader.text(" ");
    Ok(header + reader.nested(|reader| frame(reader, at + header, payload))?)
}
