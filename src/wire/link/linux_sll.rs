//! Linux's cooked headers, v1 (`DLT_LINUX_SLL`) and v2 (`DLT_LINUX_SLL2`): what `-i any` captures.

use etherparse::SingleVlanHeaderSlice;

use super::{ethernet, radiotap};
use crate::wire::ethertype::{self, LENGTH_MAX, VLAN};
use crate::wire::llc;
use crate::wire::reader::{Listener, Read, Reader};

/// LLC (IEEE 802.2), in place of an ethertype.
const LLC_802_2: u16 = 0x0004;
/// The hardware type of packets that begin with a radiotap header.
const RADIOTAP: u16 = 803;

/// The header of either version.
struct Header {
    protocol: &'static str,
    length: usize,
    hardware_type: u16,
    ethertype: u16,
    packet_type: u16,
    /// Where the sender's address is, and how long it is.
    address: (usize, u16),
    interface: Option<u32>,
}

/// Reads a packet with the header of version 1.
pub(crate) fn v1<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "sll";
    let bytes = reader.array::<16>(at)?;
    let u16_at = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let header = Header {
        protocol: "sll",
        length: 16,
        hardware_type: u16_at(2),
        ethertype: u16_at(14),
        packet_type: u16_at(0),
        address: (at + 6, u16_at(4)),
        interface: None,
    };
    read(reader, &header, at, length)
}

/// Reads a packet with the header of version 2, which begins with the interface and the way the packet took.
pub(crate) fn v2<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "sll2";
    let bytes = reader.array::<20>(at)?;
    let header = Header {
        protocol: "sll2",
        length: 20,
        hardware_type: u16::from_be_bytes([bytes[8], bytes[9]]),
        ethertype: u16::from_be_bytes([bytes[0], bytes[1]]),
        packet_type: bytes[10].into(),
        address: (at + 12, bytes[11].into()),
        interface: Some(u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]])),
    };
    if let Some(index) = header.interface {
        reader.to.interface(index);
    }
    let way = way(header.packet_type);
    reader.text(way);
    reader.text(&"    "[way.len()..]);
    read(reader, &header, at, length)
}

#[inline]
fn read<L: Listener>(reader: &mut Reader<'_, L>, header: &Header, start: usize, whole: u32) -> Read<usize> {
    if reader.link_header() {
        describe(reader, header, whole)?;
    }
    let mut at = start + header.length;
    let mut length = whole.wrapping_sub(header.length as u32);
    if header.hardware_type == RADIOTAP {
        return Ok(header.length + radiotap::read(reader, at, length)?);
    }
    let mut kind = header.ethertype;
    while kind == VLAN {
        let Ok(tag) = SingleVlanHeaderSlice::from_slice(reader.rest(at, 4)) else {
            reader.protocol = "vlan";
            reader.truncated();
            return Ok(reader.end() - start);
        };
        ethernet::vlan(reader, &tag);
        kind = tag.ether_type().0;
        if kind <= LENGTH_MAX {
            kind = LLC_802_2;
        }
        if reader.quiet() == 0 {
            reader.text("ethertype ");
            reader.text(ethertype::name(kind).unwrap_or("Unknown"));
            reader.text(", ");
        }
        at += 4;
        length = length.wrapping_sub(4);
    }
    let known = match kind {
        LLC_802_2 => return Ok(at - start + llc::read(reader, at, length)?),
        0..=LENGTH_MAX => false,
        _ => ethertype::read(reader, kind, at, length)?,
    };
    if !known {
        if !reader.link_header() && kind > LENGTH_MAX {
            describe(reader, header, length.wrapping_add(header.length as u32))?;
        }
        reader.unknown_payload(at, reader.available(at))?;
    }
    Ok(at - start)
}

fn way(packet_type: u16) -> &'static str {
    match packet_type {
        0 => "In",
        1 => "B",
        2 => "M",
        3 => "P",
        4 => "Out",
        _ => "?",
    }
}

fn describe<L: Listener>(reader: &mut Reader<'_, L>, header: &Header, length: u32) -> Read {
    reader.protocol = header.protocol;
    match header.interface {
        Some(index) => reader.dec("ifindex ", index),
        None => {
            let way = way(header.packet_type);
            reader.text(&"   "[way.len()..]);
            reader.text(way);
        }
    }
    reader.text(" ");
    if header.address.1 == 6 {
        reader.mac(header.address.0, 6)?;
        reader.text(" ");
    }
    if reader.quiet() == 0 {
        match header.ethertype {
            LLC_802_2 => reader.text("802.2"),
            kind => {
                reader.text("ethertype ");
                ethertype::name_and_number(reader, kind, "Unknown");
            }
        }
        reader.dec(", length ", length);
        reader.text(": ");
    }
    Ok(())
}
