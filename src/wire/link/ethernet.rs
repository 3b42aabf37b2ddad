//! Ethernet (IEEE 802.3) with its VLAN tags (IEEE 802.1Q, 802.1ad).

use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use crate::wire::ethertype::{self, JUMBO, LENGTH_MAX, VLAN, VLAN_9100, VLAN_9200, VLAN_QINQ};
use crate::wire::llc;
use crate::wire::reader::{Listener, Read, Reader};

const HEADER: u32 = 14;
const TAG: u32 = 4;

/// Reads an Ethernet frame that begins at `start`; returns how long its headers are.
#[inline]
pub(crate) fn frame<L: Listener>(reader: &mut Reader<'_, L>, start: usize, length: u32) -> Read<usize> {
    reader.protocol = "ether";
    let captured = reader.available(start);
    if length < captured {
        reader.dec("[length ", length);
        reader.dec(" < caplen ", captured);
        reader.text("]");
        reader.invalid();
        return Ok(length as usize);
    }
    let Ok(header) = Ethernet2HeaderSlice::from_slice(reader.rest(start, HEADER as usize)) else {
        reader.truncated();
        return Ok(captured as usize);
    };
    let kind = header.ether_type().0;
    let at = start + HEADER as usize;
    if kind > LENGTH_MAX && !is_tag(kind) && kind != JUMBO && !reader.link_header() {
        if !ethertype::read(reader, kind, at, length - HEADER)? {
            unknown(reader, start, kind, length)?;
            reader.unknown_payload(at, captured - HEADER)?;
        }
        return Ok(HEADER as usize);
    }
    detailed(reader, start, length, kind)
}

fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, VLAN | VLAN_9100 | VLAN_9200 | VLAN_QINQ)
}

/// A frame with tags, with a length instead of an ethertype, or of which the header is wanted.
fn detailed<L: Listener>(reader: &mut Reader<'_, L>, start: usize, whole: u32, mut kind: u16) -> Read<usize> {
    let shows = reader.link_header();
    if shows {
        addresses(reader, start)?;
    }
    let mut at = start + HEADER as usize;
    let mut length = whole - HEADER;
    let mut length_told = false;
    while is_tag(kind) {
        let Ok(tag) = SingleVlanHeaderSlice::from_slice(reader.rest(at, TAG as usize)) else {
            reader.protocol = "vlan";
            reader.truncated();
            return Ok(reader.end() - start);
        };
        if shows {
            name(reader, kind);
            end_of_name(reader, whole, &mut length_told);
        }
        vlan(reader, &tag);
        kind = tag.ether_type().0;
        at += TAG as usize;
        length -= TAG;
    }
    if kind <= LENGTH_MAX || kind == JUMBO {
        // An LLC header follows.
        if kind != JUMBO {
            length = length.min(u32::from(kind));
            reader.limit(at, length);
            if shows {
                reader.text("802.3");
                if !length_told {
                    reader.dec(", length ", length);
                    reader.text(": ");
                }
            }
        }
        return Ok(at - start + llc::read(reader, at, length)?);
    }
    if shows {
        name(reader, kind);
        end_of_name(reader, whole, &mut length_told);
    }
    if !ethertype::read(reader, kind, at, length)? {
        if !shows {
            unknown(reader, start, kind, whole)?;
        }
        reader.unknown_payload(at, reader.available(at))?;
    }
    Ok(at - start)
}

/// A frame of which nothing else is known.
fn unknown<L: Listener>(reader: &mut Reader<'_, L>, start: usize, kind: u16, length: u32) -> Read {
    addresses(reader, start)?;
    name(reader, kind);
    end_of_name(reader, length, &mut false);
    Ok(())
}

/// `00:00:00:00:00:01 > 00:00:00:00:00:02, `
fn addresses<L: Listener>(reader: &mut Reader<'_, L>, start: usize) -> Read {
    reader.mac(start + 6, 6)?;
    reader.text(" > ");
    reader.mac(start, 6)?;
    reader.text(", ");
    Ok(())
}

fn name<L: Listener>(reader: &mut Reader<'_, L>, kind: u16) {
    if reader.quiet() == 0 {
        reader.text("ethertype ");
        ethertype::name_and_number(reader, kind, "Unknown");
        return;
    }
    match ethertype::name(kind) {
        Some(name) => reader.text(name),
        None => {
            reader.hex_padded("Unknown Ethertype (0x", kind, 4);
            reader.text(")");
        }
    }
}

/// The frame's length behind the first name, a comma behind the others.
fn end_of_name<L: Listener>(reader: &mut Reader<'_, L>, length: u32, length_told: &mut bool) {
    if std::mem::replace(length_told, true) {
        reader.text(", ");
    } else {
        reader.dec(", length ", length);
        reader.text(": ");
    }
}

/// `vlan 7, p 0, `: a tag's control information, with `-e`.
pub(crate) fn vlan<L: Listener>(reader: &mut Reader<'_, L>, tag: &SingleVlanHeaderSlice<'_>) {
    let id = tag.vlan_identifier().value();
    reader.to.vlan(id);
    if reader.link_header() {
        reader.dec("vlan ", id);
        reader.dec(", p ", tag.priority_code_point().value());
        if tag.drop_eligible_indicator() {
            reader.text(", DEI");
        }
        reader.text(", ");
    }
}
