//! LLC (IEEE 802.2) and SNAP (IEEE 802 §9.2.2), which put a header of their own between Ethernet's length and the payload.

use super::ethertype::{self, Addresses, Found};
use super::line::{Line, Printed};
use super::{ethernet, ip4};

const SAP_IP: u8 = 0x06;
const SAP_SPANNING_TREE: u8 = 0x42;
const SAP_SNAP: u8 = 0xaa;
const SAP_IPX: u8 = 0xe0;
const SAP_OSI: u8 = 0xfe;
const SAP_GLOBAL: u8 = 0xff;
/// Unnumbered information: the control field of a datagram.
const UI: u16 = 0x03;
const XID: u16 = 0xaf;
const XID_FORMAT: u8 = 0x81;
/// The poll and final bit of an unnumbered frame, and of the others.
const UNNUMBERED_POLL: u16 = 0x10;
const POLL: u16 = 0x0100;

/// Prints an LLC header and what it carries.
pub(super) fn print(line: &mut Line<'_>, at: usize, length: u32, addresses: Addresses) -> Printed<Found> {
    line.protocol = "llc";
    let captured = line.available(at);
    let available = captured.min(length);
    if available < 3 {
        return too_short(line, at, length, captured, 3);
    }
    let (dsap_field, ssap_field) = (line.u8(at)?, line.u8(at + 1)?);
    let mut control = u16::from(line.u8(at + 2)?);
    let unnumbered = control & 0x03 == 0x03;
    let header = if unnumbered {
        3
    } else {
        if available < 4 {
            return too_short(line, at, length, captured, 4);
        }
        control = u16::from_le_bytes(line.array(at + 2)?);
        4
    };
    if ssap_field == SAP_GLOBAL && dsap_field == SAP_GLOBAL {
        // IPX straight behind the length: what looks like SAPs is its checksum.
        if line.options.link_header {
            line.text("IPX 802.3: ");
        }
        ipx(line, at, length)?;
        return Ok(Found::Known(0));
    }
    let (dsap, ssap) = (dsap_field & !1, ssap_field & !1);
    if line.options.link_header {
        line.text("LLC, dsap ");
        line.text(sap(dsap).unwrap_or("Unknown"));
        line.hex_padded(" (0x", dsap, 2);
        line.text(if dsap_field & 1 == 0 {
            ") Individual, ssap "
        } else {
            ") Group, ssap "
        });
        line.text(sap(ssap).unwrap_or("Unknown"));
        line.hex_padded(" (0x", ssap, 2);
        line.text(if ssap_field & 1 == 0 { ") Command" } else { ") Response" });
        line.hex_padded(", ctrl 0x", control, if unnumbered { 2 } else { 4 });
        line.text(": ");
    }
    let payload = at + header;
    let rest = length - header as u32;
    if control == UI && ssap == dsap {
        match ssap {
            SAP_SNAP => {
                let known = snap(line, payload, rest, addresses, 2)?;
                let header = header + 5;
                return Ok(if known {
                    Found::Known(header)
                } else {
                    Found::Unknown(header)
                });
            }
            SAP_IP => {
                ip4::print(line, payload, rest)?;
                return Ok(Found::Known(header));
            }
            SAP_SPANNING_TREE => {
                short(line, "STP", rest);
                return Ok(Found::Known(header));
            }
            SAP_IPX => {
                if line.options.link_header {
                    line.text("IPX 802.2: ");
                }
                ipx(line, payload, rest)?;
                return Ok(Found::Known(header));
            }
            SAP_OSI => {
                short(line, "OSI", rest);
                return Ok(Found::Known(header));
            }
            _ => {}
        }
    }
    if !line.options.link_header {
        between(line, addresses, dsap, ssap)?;
    }
    frame(line, payload, length, header, control, ssap_field & 1 != 0, unnumbered)
}

/// A frame that is not a datagram of a known protocol: what LLC itself does with it (IEEE 802.2 §5.4).
fn frame(
    line: &mut Line<'_>,
    payload: usize,
    length: u32,
    header: usize,
    control: u16,
    response: bool,
    unnumbered: bool,
) -> Printed<Found> {
    let flags = |poll: u16| match (response, control & poll != 0) {
        (false, false) => "Command",
        (true, false) => "Response",
        (false, true) => "Poll",
        (true, true) => "Final",
    };
    let receive = control >> 9 & 0x7f;
    if unnumbered {
        line.text("Unnumbered, ");
        let command = control & !UNNUMBERED_POLL;
        match command {
            UI => line.text("ui"),
            0xe3 => line.text("test"),
            XID => line.text("xid"),
            0x63 => line.text("ua"),
            0x43 => line.text("disc"),
            0x0f => line.text("dm"),
            0x6f => line.text("sabme"),
            0x87 => line.text("frmr"),
            other => line.hex_padded("", other, 2),
        }
        line.text(", Flags [");
        line.text(flags(UNNUMBERED_POLL));
        line.dec("], length ", length);
        if command == XID {
            if length == header as u32 {
                return Ok(Found::Known(header));
            }
            if !line.has(payload, 1) {
                line.truncated();
                return Ok(Found::Known(header));
            }
            if line.u8(payload)? == XID_FORMAT {
                if !line.has(payload, 3) || length < header as u32 + 3 {
                    line.truncated();
                    line.dump_payload(payload, line.available(payload))?;
                } else {
                    let (class, window) = (line.u8(payload + 1)?, line.u8(payload + 2)?);
                    line.hex_padded(": ", class, 2);
                    line.hex_padded(" ", window, 2);
                }
                return Ok(Found::Known(header));
            }
        }
        return Ok(Found::Unknown(header));
    }
    let supervisory = control & 0x03 == 0x01;
    if supervisory {
        line.text("Supervisory, ");
        line.text(match control >> 2 & 0x03 {
            0 => "Receiver Ready",
            1 => "Receiver not Ready",
            2 => "Reject",
            _ => "?",
        });
    } else {
        line.dec("Information, send seq ", control >> 1 & 0x7f);
    }
    line.dec(", rcv seq ", receive);
    line.text(", Flags [");
    line.text(flags(POLL));
    line.dec("], length ", length);
    Ok(if supervisory {
        Found::Known(header)
    } else {
        Found::Unknown(header)
    })
}

/// A header of which too little is there; what is there is dumped.
fn too_short(line: &mut Line<'_>, at: usize, length: u32, captured: u32, needed: u32) -> Printed<Found> {
    line.truncated();
    line.dump_payload(at, captured)?;
    Ok(Found::Known(if captured < needed { captured } else { length } as usize))
}

/// Who talks to whom, when no link header said it already.
fn between(line: &mut Line<'_>, addresses: Addresses, dsap: u8, ssap: u8) -> Printed {
    let name = |line: &mut Line<'_>, which: &str, number: u8| match sap(number) {
        Some(name) => line.text(name),
        None => {
            line.text(which);
            line.hex_padded(" 0x", number, 2);
        }
    };
    if let Some((source, _)) = addresses {
        line.mac(source, 6)?;
        line.byte(b' ');
    }
    if ssap != dsap {
        name(line, "Unknown SSAP", ssap);
        line.byte(b' ');
    }
    if addresses.is_some() || ssap != dsap {
        line.text("> ");
    }
    if let Some((_, destination)) = addresses {
        line.mac(destination, 6)?;
        line.byte(b' ');
    }
    name(line, "Unknown DSAP", dsap);
    line.byte(b' ');
    Ok(())
}

const OUI_ETHERNET: u32 = 0x00_0000;
const OUI_CISCO: u32 = 0x00_000c;
const OUI_CISCO_BRIDGED: u32 = 0x00_00f8;
const OUI_RFC2684: u32 = 0x00_80c2;
const OUI_APPLETALK: u32 = 0x08_0007;

/// Prints a SNAP header and what it carries; `false` when that is unknown. `pad` bytes stand before a bridged frame (RFC 2684).
pub(super) fn snap(line: &mut Line<'_>, at: usize, length: u32, addresses: Addresses, pad: usize) -> Printed<bool> {
    line.protocol = "snap";
    if !line.has(at, 5) || length < 5 {
        line.truncated();
        return Ok(true);
    }
    let (oui, kind) = (line.u24(at)?, line.u16(at + 3)?);
    let rest = length - 5;
    if line.options.link_header {
        line.text("oui ");
        line.text(organisation(oui).unwrap_or("Unknown"));
        line.hex_padded(" (0x", oui, 6);
        line.text(if oui == OUI_ETHERNET {
            "), ethertype "
        } else {
            "), pid "
        });
        line.text(pid(oui, kind).unwrap_or("Unknown"));
        line.hex_padded(" (0x", kind, 4);
        line.dec("), length ", rest);
        line.text(": ");
    }
    let payload = at + 5;
    match (oui, kind) {
        (OUI_ETHERNET | OUI_CISCO_BRIDGED, _) if ethertype::print(line, kind, payload, rest, addresses)? => {
            return Ok(true);
        }
        (OUI_APPLETALK, 0x809b) => return ethertype::print(line, kind, payload, rest, addresses),
        (OUI_CISCO, 0x2000 | 0x2003 | 0x2004 | 0x0111 | 0x010b | 0x010c) => {
            short(line, pid(oui, kind).unwrap_or_default(), rest);
            return Ok(true);
        }
        (OUI_RFC2684, 0x0001 | 0x0007) => {
            if !line.has(payload, pad) {
                line.truncated();
                return Ok(true);
            }
            line.nested(|line| ethernet::frame(line, payload + pad, rest.wrapping_sub(pad as u32)))?;
            return Ok(true);
        }
        (OUI_RFC2684, 0x000e) => {
            short(line, "STP", rest);
            return Ok(true);
        }
        _ => {}
    }
    if !line.options.link_header {
        if let Some((source, destination)) = addresses {
            line.mac(source, 6)?;
            line.text(" > ");
            line.mac(destination, 6)?;
            line.byte(b' ');
        }
        if oui == OUI_ETHERNET {
            line.text("SNAP, ethertype ");
        } else {
            line.text("SNAP, oui ");
            line.text(organisation(oui).unwrap_or("Unknown"));
            line.hex_padded(" (0x", oui, 6);
            line.text("), pid ");
        }
        line.text(pid(oui, kind).unwrap_or("Unknown"));
        line.hex_padded(" (0x", kind, 4);
        line.dec("), length ", rest);
        line.text(": ");
    }
    Ok(false)
}

/// IPX, in short.
pub(super) fn ipx(line: &mut Line<'_>, _at: usize, length: u32) -> Printed {
    short(line, "IPX", length);
    Ok(())
}

/// `STP, length 35`: a protocol about which no more is told.
fn short(line: &mut Line<'_>, name: &str, length: u32) {
    line.text(name);
    line.dec(", length ", length);
}

fn sap(sap: u8) -> Option<&'static str> {
    Some(match sap {
        0x00 => "Null",
        0x02 => "802.1B I",
        0x04 => "SNA",
        SAP_IP => "IP",
        0x0e => "ProWay NM",
        SAP_SPANNING_TREE => "STP",
        0x4e => "RS511",
        0x7e => "ISO8208",
        0x8e => "ProWay",
        SAP_SNAP => "SNAP",
        SAP_IPX => "IPX",
        0xf0 => "NetBeui",
        SAP_OSI => "OSI",
        _ => return None,
    })
}

/// Who gave a SNAP header's protocol identifier its meaning.
fn organisation(oui: u32) -> Option<&'static str> {
    Some(match oui {
        OUI_ETHERNET => "Ethernet",
        OUI_CISCO => "Cisco",
        0x00_005e => "IANA",
        0x00_0081 => "Nortel Networks SONMP",
        OUI_CISCO_BRIDGED => "Cisco bridged",
        0x00_049f => "Freescale",
        0x00_04ea => "HP-Labs",
        0x00_1018 => "Broadcom",
        0x00_120f => "IEEE 802.3 Private",
        0x00_12bb => "ANSI/TIA",
        0x00_15ad => "Netronome",
        0x00_1b21 => "DCBX",
        0x00_2320 => "Nicira Networks",
        0x00_2481 => "HP",
        OUI_RFC2684 => "Ethernet bridged",
        0x00_9069 => "Juniper",
        0x00_a03e => "ATM Forum",
        0x00_e004 => "PMC-Sierra",
        0x00_e02f => "DOCSIS Spanning Tree",
        OUI_APPLETALK => "Appletalk",
        0x08_0009 => "Hewlett-Packard",
        0x5c_16c7 => "Big Switch Networks",
        0x74_8771 => "Infoblox Inc",
        0xa4_2305 => "Open Networking Lab",
        0xb0_d2f5 => "Vello Systems",
        0xd0_f0db => "Ericsson",
        _ => return None,
    })
}

fn pid(oui: u32, kind: u16) -> Option<&'static str> {
    Some(match (oui, kind) {
        (OUI_ETHERNET | OUI_CISCO_BRIDGED | OUI_APPLETALK, _) => return ethertype::name(kind),
        (OUI_CISCO, 0x2000) => "CDP",
        (OUI_CISCO, 0x2003) => "VTP",
        (OUI_CISCO, 0x2004) => "DTP",
        (OUI_CISCO, 0x0111) => "UDLD",
        (OUI_CISCO, 0x010b) => "PVST",
        (OUI_CISCO, 0x010c) => "VLAN Bridge",
        (OUI_RFC2684, 0x0001) => "Ethernet + FCS",
        (OUI_RFC2684, 0x0007) => "Ethernet w/o FCS",
        (OUI_RFC2684, 0x0002) => "802.4 + FCS",
        (OUI_RFC2684, 0x0008) => "802.4 w/o FCS",
        (OUI_RFC2684, 0x0003) => "Token Ring + FCS",
        (OUI_RFC2684, 0x0009) => "Token Ring w/o FCS",
        (OUI_RFC2684, 0x0004) => "FDDI + FCS",
        (OUI_RFC2684, 0x000a) => "FDDI w/o FCS",
        (OUI_RFC2684, 0x0005) => "802.6 + FCS",
        (OUI_RFC2684, 0x000b) => "802.6 w/o FCS",
        (OUI_RFC2684, 0x000e) => "BPDU",
        _ => return None,
    })
}
