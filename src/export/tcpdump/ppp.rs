//! PPP (RFC 1661), in HDLC-like framing (RFC 1662) and over Ethernet (RFC 2516); and Cisco's HDLC, which is not far from it.

use super::line::{Line, Printed};
use super::{ethertype, ip4, ip6, mpls};

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

/// Prints a packet of a PPP interface.
pub(super) fn interface(line: &mut Line<'_>, length: u32) -> Printed {
    line.protocol = "ppp";
    let captured = line.available(0);
    if captured < HEADER {
        line.truncated();
        line.link_length += captured as usize;
        return Ok(());
    }
    line.link_length += HEADER as usize;
    frame(line, 0, length)?;
    Ok(())
}

/// Prints a packet of an interface with HDLC-like framing, Cisco's or the standard one.
pub(super) fn hdlc_interface(line: &mut Line<'_>, length: u32) -> Printed {
    line.protocol = "ppp_hdlc";
    let captured = line.available(0);
    let first = match captured {
        0 | 1 => None,
        _ => Some(line.u8(0)?),
    };
    match first {
        Some(UNICAST | BROADCAST) => return cisco_interface(line, length),
        Some(_) if captured >= 4 => {}
        _ => {
            line.truncated();
            line.link_length += captured as usize;
            return Ok(());
        }
    }
    if line.options.link_header {
        line.hex_padded("", line.u8(0)?, 2);
        line.hex_padded(" ", line.u8(1)?, 2);
        line.dec(" ", length);
        line.byte(b' ');
    }
    if first == Some(ALL_STATIONS) {
        let kind = line.u16(2)?;
        print_name(line, kind);
        line.text(": ");
        payload(line, kind, 4, length.wrapping_sub(4))?;
        line.link_length += 4;
    } else {
        line.hex_padded("unknown addr ", line.u8(2)?, 2);
        line.hex_padded("; ctrl ", line.u8(3)?, 2);
        line.link_length += 2;
    }
    Ok(())
}

/// Prints a packet of an interface with Cisco's HDLC.
pub(super) fn cisco_interface(line: &mut Line<'_>, length: u32) -> Printed {
    line.protocol = "chdlc";
    if length < HEADER {
        line.truncated();
        line.link_length += line.available(0) as usize;
        return Ok(());
    }
    let kind = line.u16(2)?;
    if line.options.link_header {
        match line.u8(0)? {
            UNICAST => line.text("unicast"),
            BROADCAST => line.text("bcast"),
            other => line.hex_padded("0x", other, 2),
        }
        line.text(", ethertype ");
        line.text(ethertype::name(kind).unwrap_or("Unknown"));
        line.hex_padded(" (0x", kind, 4);
        line.dec("), length ", length);
        line.text(": ");
    }
    let (at, rest) = (HEADER as usize, length - HEADER);
    match kind {
        ethertype::IPV4 => ip4::print(line, at, rest)?,
        ethertype::IPV6 => ip6::print(line, at, rest)?,
        ethertype::MPLS | ethertype::MPLS_MULTICAST => mpls::print(line, at, rest)?,
        0x8035 => {
            line.dec("SLARP (length: ", rest);
            line.text("), ");
        }
        0xfefe => line.dec("OSI, length ", rest),
        _ if line.options.link_header => {}
        _ => {
            line.hex_padded("unknown CHDLC protocol (0x", kind, 4);
            line.byte(b')');
        }
    }
    line.link_length += HEADER as usize;
    Ok(())
}

/// Prints a frame that begins with the address and control fields, or without them; returns how long its header is.
pub(super) fn frame(line: &mut Line<'_>, at: usize, length: u32) -> Printed<usize> {
    line.protocol = "ppp";
    let (start, whole) = (at, length);
    let (mut at, mut length) = (at, length);
    if length < 2 {
        line.truncated();
        return Ok(0);
    }
    let way = match line.u16(at)? {
        // pppd's own marks of a packet's direction.
        0x0003 => Some("In  "),
        0x0103 => Some("Out "),
        0xff03 => Some(""),
        _ => None,
    };
    if let Some(way) = way {
        if line.options.link_header {
            line.text(way);
        }
        at += 2;
        length -= 2;
    }
    if length < 2 {
        line.truncated();
        return Ok(0);
    }
    // A compressed protocol field is odd (RFC 1661 §6.5).
    let first = line.u8(at)?;
    let (kind, n) = if first & 1 != 0 {
        (u16::from(first), 1)
    } else {
        (line.u16(at)?, 2)
    };
    at += n as usize;
    length -= n;
    if line.options.link_header {
        line.text(name(kind).unwrap_or("unknown"));
        line.hex_padded(" (0x", kind, 4);
        line.dec("), length ", whole);
        if name(kind).is_none() {
            return Ok(at - start);
        }
        line.text(": ");
    }
    payload(line, kind, at, length)?;
    Ok(at - start)
}

/// Prints what a protocol number says it is.
fn payload(line: &mut Line<'_>, kind: u16, at: usize, length: u32) -> Printed {
    match kind {
        ethertype::IPV4 | IP | VJ_UNCOMPRESSED => ip4::print(line, at, length),
        ethertype::IPV6 | IPV6 => ip6::print(line, at, length),
        MPLS | MPLS_MULTICAST => mpls::print(line, at, length),
        // Control protocols, authentication, and others of which no more is told.
        0x8021 | 0x8023 | 0x8057 | 0x80fd | 0x8281 | 0xc021 | 0xc02b | 0xc023 | 0xc02d | 0xc223 | 0x003d | 0x002b
        | 0x8137 | 0x0023 => {
            line.text(name(kind).unwrap_or("IPX"));
            line.dec(", length ", length);
            Ok(())
        }
        0x00fd => {
            line.text("compressed PPP data");
            Ok(())
        }
        _ => {
            print_name(line, kind);
            line.byte(b' ');
            line.hex_payload(at, length);
            Ok(())
        }
    }
}

fn print_name(line: &mut Line<'_>, kind: u16) {
    match name(kind) {
        Some(name) => line.text(name),
        None => {
            line.hex_padded("unknown PPP protocol (0x", kind, 4);
            line.byte(b')');
        }
    }
}

fn name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        IP => "IP",
        0x0023 => "OSI",
        0x0025 => "NS",
        0x0027 => "DECNET",
        0x0029 => "APPLE",
        0x002b => "IPX",
        0x002d => "VJC IP",
        VJ_UNCOMPRESSED => "VJNC IP",
        0x0031 => "BRPDU",
        0x0033 => "STII",
        0x0035 => "VINES",
        0x003d => "MLPPP",
        IPV6 => "IP6",
        0x00fd => "Compressed",
        0x0201 => "HELLO",
        0x0231 => "LUXCOM",
        0x0233 => "SNS",
        MPLS | MPLS_MULTICAST => "MPLS",
        0x8021 => "IPCP",
        0x8023 => "OSICP",
        0x8025 => "NSCP",
        0x8027 => "DECNETCP",
        0x8029 => "APPLECP",
        0x802b => "IPXCP",
        0x8033 => "STIICP",
        0x8035 => "VINESCP",
        0x8057 => "IP6CP",
        0x80fd => "CCP",
        0x8281 => "MPLSCP",
        0xc021 => "LCP",
        0xc023 => "PAP",
        0xc025 => "LQM",
        0xc027 => "SPAP",
        0xc02b => "BACP",
        0xc02d => "BAP",
        0xc03d => "MLPPP-CP",
        0xc123 => "Old-SPAP",
        0xc223 => "CHAP",
        0xc227 => "EAP",
        _ => return None,
    })
}

const OVER_ETHERNET: u32 = 6;

/// Prints a packet that begins with the header of PPP over Ethernet.
pub(super) fn over_ethernet_interface(line: &mut Line<'_>, length: u32) -> Printed {
    line.link_length += over_ethernet(line, 0, length)?;
    Ok(())
}

/// PPP over Ethernet (RFC 2516 §4); returns how long its headers are.
pub(super) fn over_ethernet(line: &mut Line<'_>, at: usize, length: u32) -> Printed<usize> {
    line.protocol = "pppoe";
    if length < OVER_ETHERNET {
        line.dec(" (length ", length);
        line.dec(" < ", OVER_ETHERNET);
        line.byte(b')');
        line.invalid();
        return Ok(0);
    }
    let rest = length - OVER_ETHERNET;
    line.need(at, OVER_ETHERNET as usize)?;
    let version = line.u8(at)?;
    let code = line.u8(at + 1)?;
    let session = line.u16(at + 2)?;
    let mut payload = u32::from(line.u16(at + 4)?);
    if version >> 4 != 1 {
        line.dec(" [ver ", version >> 4);
        line.byte(b']');
    }
    if version & 15 != 1 {
        line.dec(" [type ", version & 15);
        line.byte(b']');
    }
    line.text("PPPoE ");
    match code {
        0 => {}
        0x09 => line.text("PADI"),
        0x07 => line.text("PADO"),
        0x19 => line.text("PADR"),
        0x65 => line.text("PADS"),
        0xa7 => line.text("PADT"),
        other => line.hex("PAD-", other),
    }
    if code == 0x09 && payload > 1484 - OVER_ETHERNET {
        line.dec(" [len ", payload);
        line.text("!]");
    }
    if payload > rest {
        line.dec(" [len ", payload);
        line.dec(" > ", rest);
        line.text("!]");
        payload = rest;
    }
    if session != 0 {
        line.hex(" [ses 0x", session);
        line.byte(b']');
    }
    let header = OVER_ETHERNET as usize;
    if code != 0 {
        // The tags of a discovery packet are not told.
        return Ok(header);
    }
    line.byte(b' ');
    Ok(header + line.nested(|line| frame(line, at + header, payload))?)
}
