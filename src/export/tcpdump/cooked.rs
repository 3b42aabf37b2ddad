//! Linux's cooked headers, v1 (`DLT_LINUX_SLL`) and v2 (`DLT_LINUX_SLL2`): what `-i any` captures.

use super::ethertype::{self, ETHERNET_LENGTH_MAX, Found, VLAN};
use super::line::{Line, Memory, Printed};
use super::{ethernet, llc};

const V1_HEADER: usize = 16;
const V2_HEADER: usize = 20;
/// Novell's IPX without LLC, in place of an ethertype.
const RAW_802_3: u16 = 0x0001;
/// LLC (IEEE 802.2), in place of an ethertype.
const LLC_802_2: u16 = 0x0004;
/// The hardware type of packets that begin with a radiotap header.
pub(super) const RADIOTAP: [u8; 2] = 803u16.to_be_bytes();

/// Where the fields of one of the two headers are.
struct Layout {
    protocol: &'static str,
    header: usize,
    hardware_type: usize,
    ethertype: usize,
    interface: Option<usize>,
}

const V1: Layout = Layout {
    protocol: "sll",
    header: V1_HEADER,
    hardware_type: 2,
    ethertype: 14,
    interface: None,
};

const V2: Layout = Layout {
    protocol: "sll2",
    header: V2_HEADER,
    hardware_type: 8,
    ethertype: 0,
    interface: Some(4),
};

/// Prints a packet with the header of version 1.
pub(super) fn v1(line: &mut Line<'_>, length: u32) -> Printed {
    line.protocol = V1.protocol;
    line.need(0, V1_HEADER)?;
    print(line, &V1, length)
}

/// Prints a packet with the header of version 2, which begins with the interface and the way the packet took.
pub(super) fn v2(line: &mut Line<'_>, length: u32) -> Printed {
    line.protocol = V2.protocol;
    line.need(0, V2_HEADER)?;
    let header = line.slice(0, V2_HEADER)?;
    way_in(line.memory, header, line.out);
    print(line, &V2, length)
}

/// Prints the interface and the way the packet took, which begin the line of a header of version 2, if it is whole.
#[inline]
pub(super) fn way_in(memory: &mut Memory, bytes: &[u8], out: &mut Vec<u8>) {
    let Some(header) = bytes.first_chunk::<V2_HEADER>() else {
        return;
    };
    let index = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    let name = memory.interfaces.name(index).unwrap_or(b"?");
    out.extend_from_slice(name);
    out.extend_from_slice(&b"      "[..6usize.saturating_sub(name.len()).max(1)]);
    let way = way(u16::from(header[10]));
    out.extend_from_slice(way.as_bytes());
    out.extend_from_slice(&b"    "[..4 - way.len()]);
}

fn print(line: &mut Line<'_>, layout: &Layout, length: u32) -> Printed {
    if line.options.link_header {
        header(line, layout, length)?;
    }
    let mut at = layout.header;
    let mut length = length.wrapping_sub(layout.header as u32);
    if line.array(layout.hardware_type)? == RADIOTAP {
        line.link_length += layout.header;
        return line.unknown_payload(at, line.available(at));
    }
    let mut ethertype = line.u16(layout.ethertype)?;
    while ethertype == VLAN {
        if !line.has(at, 4) {
            line.protocol = "vlan";
            line.truncated();
            line.link_length += at + line.available(at) as usize;
            return Ok(());
        }
        if line.options.link_header {
            ethernet::tag(line, at)?;
        }
        ethertype = line.u16(at + 2)?;
        if ethertype <= ETHERNET_LENGTH_MAX {
            ethertype = LLC_802_2;
        }
        if line.options.quiet == 0 {
            line.text("ethertype ");
            line.text(ethertype::name(ethertype).unwrap_or("Unknown"));
            line.text(", ");
        }
        at += 4;
        length = length.wrapping_sub(4);
    }
    let mut header_length = at;
    match ethertype {
        LLC_802_2 => match llc::print(line, at, length, None)? {
            Found::Known(n) => header_length += n,
            Found::Unknown(_) => line.unknown_payload(at, line.available(at))?,
        },
        RAW_802_3 => llc::ipx(line, at, length)?,
        0..=ETHERNET_LENGTH_MAX => line.unknown_payload(at, line.available(at))?,
        _ => {
            if !ethertype::print(line, ethertype, at, length, None)? {
                if !line.options.link_header {
                    header(line, layout, length.wrapping_add(layout.header as u32))?;
                }
                line.unknown_payload(at, line.available(at))?;
            }
        }
    }
    line.link_length += header_length;
    Ok(())
}

fn way(kind: u16) -> &'static str {
    match kind {
        0 => "In",
        1 => "B",
        2 => "M",
        3 => "P",
        4 => "Out",
        _ => "?",
    }
}

fn header(line: &mut Line<'_>, layout: &Layout, length: u32) -> Printed {
    line.protocol = layout.protocol;
    let (address_length, address) = match layout.interface {
        Some(interface) => {
            let index = line.u32(interface)?;
            line.dec("ifindex ", index);
            line.byte(b' ');
            (u16::from(line.u8(11)?), 12)
        }
        None => {
            let way = way(line.u16(0)?);
            line.text(&"   "[..3 - way.len()]);
            line.text(way);
            line.byte(b' ');
            (line.u16(4)?, 6)
        }
    };
    if address_length == 6 {
        line.mac(address, 6)?;
        line.byte(b' ');
    }
    if line.options.quiet == 0 {
        let ethertype = line.u16(layout.ethertype)?;
        match ethertype {
            RAW_802_3 => line.text("802.3"),
            LLC_802_2 => line.text("802.2"),
            _ => {
                let name = ethertype::name(ethertype).filter(|_| ethertype > ETHERNET_LENGTH_MAX);
                line.text("ethertype ");
                line.text(name.unwrap_or("Unknown"));
                line.hex_padded(" (0x", ethertype, 4);
                line.byte(b')');
            }
        }
        line.dec(", length ", length);
        line.text(": ");
    }
    Ok(())
}
