//! LLC (IEEE 802.2) and SNAP (IEEE 802 §9.2.2), which put a header of their own between a length and the payload. Only
//! datagrams of IP are read; of the other protocols there is one short line.

use crate::wire::link::ethernet;
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ethertype, ip4};

const SAP_IP: u8 = 0x06;
const SAP_SNAP: u8 = 0xaa;
/// Unnumbered information: the control field of a datagram.
const UI: u8 = 0x03;

const OUI_ETHERNET: u32 = 0x00_0000;
const OUI_CISCO_BRIDGED: u32 = 0x00_00f8;
const OUI_RFC2684: u32 = 0x00_80c2;

/// How many bytes stand before a bridged frame (RFC 2684 §5.2) here.
const PAD: usize = 2;

/// Reads an LLC header and what it carries; returns its length.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "llc";
    if length < 3 {
        reader.truncated();
        return Ok(0);
    }
    let [dsap, ssap, control] = *reader.array(at)?;
    if control != UI || ssap & !1 != dsap & !1 || !matches!(dsap & !1, SAP_IP | SAP_SNAP) {
        reader.short("LLC", length);
        return Ok(3);
    }
    let (name, individual, command) = (
        if dsap & !1 == SAP_IP { "IP" } else { "SNAP" },
        if dsap & 1 == 0 {
            ") Individual, ssap "
        } else {
            ") Group, ssap "
        },
        if ssap & 1 == 0 { ") Command" } else { ") Response" },
    );
    if reader.link_header() {
        reader.text("LLC, dsap ");
        reader.text(name);
        reader.hex_padded(" (0x", dsap & !1, 2);
        reader.text(individual);
        reader.text(name);
        reader.hex_padded(" (0x", ssap & !1, 2);
        reader.text(command);
        reader.text(", ctrl 0x03: ");
    }
    if dsap & !1 == SAP_IP {
        ip4::read(reader, at + 3, length - 3)?;
        return Ok(3);
    }
    snap(reader, at + 3, length - 3)?;
    Ok(8)
}

fn snap<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "snap";
    if !reader.has(at, 5) || length < 5 {
        reader.truncated();
        return Ok(());
    }
    let (oui, kind) = (reader.u24(at)?, reader.u16(at + 3)?);
    let (payload, rest) = (at + 5, length - 5);
    let bridged = match (oui, kind) {
        (OUI_RFC2684, 1) => Some("Ethernet + FCS"),
        (OUI_RFC2684, 7) => Some("Ethernet w/o FCS"),
        _ => None,
    };
    let (organisation, number, name) = match oui {
        OUI_ETHERNET => ("Ethernet", "), ethertype ", ethertype::name(kind)),
        OUI_CISCO_BRIDGED => ("Cisco bridged", "), pid ", ethertype::name(kind)),
        OUI_RFC2684 => ("Ethernet bridged", "), pid ", bridged),
        _ => ("Unknown", "), pid ", None),
    };
    if reader.link_header() {
        reader.text("oui ");
        reader.text(organisation);
        reader.hex_padded(" (0x", oui, 6);
        reader.text(number);
        reader.text(name.unwrap_or("Unknown"));
        reader.hex_padded(" (0x", kind, 4);
        reader.dec("), length ", rest);
        reader.text(": ");
    }
    let known = match oui {
        OUI_ETHERNET | OUI_CISCO_BRIDGED => ethertype::read(reader, kind, payload, rest)?,
        OUI_RFC2684 if bridged.is_some() => {
            if reader.has(payload, PAD) {
                let length = rest.wrapping_sub(PAD as u32);
                reader.nested(|reader| ethernet::frame(reader, payload + PAD, length))?;
            } else {
                reader.truncated();
            }
            true
        }
        _ => false,
    };
    if !known {
        reader.short("SNAP", rest);
    }
    Ok(())
}
