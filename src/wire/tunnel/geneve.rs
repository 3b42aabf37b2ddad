//! Geneve (RFC 8926).

use super::frame;
use crate::wire::ethertype;
use crate::wire::reader::{Listener, Read, Reader};

const HEADER: u32 = 8;

pub(super) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "geneve";
    reader.text("Geneve");
    if length < HEADER {
        reader.dec(" [length ", length);
        reader.text(" < 8]");
        reader.invalid();
        return Ok(());
    }
    if !reader.has(at, HEADER as usize) {
        reader.truncated();
        return Ok(());
    }
    let first = reader.u8(at)?;
    let version = first >> 6;
    if version != 0 {
        reader.dec(" ERROR: unknown-version ", version);
        return Ok(());
    }
    reader.text(", Flags [");
    let names = [
        (0x80, "O"),
        (0x40, "C"),
        (0x20, "R1"),
        (0x10, "R2"),
        (0x08, "R3"),
        (0x04, "R4"),
        (0x02, "R5"),
        (0x01, "R6"),
    ];
    super::vxlan::flags(reader, reader.u8(at + 1)?, &names, "none");
    reader.hex("], vni 0x", reader.u24(at + 4)?);
    let reserved = reader.u8(at + 7)?;
    if reserved != 0 {
        reader.hex(", rsvd 0x", reserved);
    }
    let kind = reader.u16(at + 2)?;
    if reader.link_header() {
        reader.text(", proto ");
        ethertype::name_and_number(reader, kind, "unknown");
    }
    let (at, length) = (at + HEADER as usize, length - HEADER);
    let options = u32::from(first & 0x3f) * 4;
    if length < options {
        reader.dec(" truncated-geneve - ", options - length);
        reader.text(" bytes missing");
        return Ok(());
    }
    if !reader.has(at, options as usize) {
        reader.truncated();
        return Ok(());
    }
    if options > 0 {
        reader.text(", options [");
        if reader.verbose() > 0 {
            geneve_options(reader, at, options)?;
        } else {
            reader.dec("", options);
            reader.text(" bytes");
        }
        reader.text("]");
    }
    reader.to.tunnel("Geneve");
    let (at, length) = (at + options as usize, length - options);
    reader.text(if reader.verbose() > 0 { "\n\t" } else { ": " });
    if kind == ethertype::ETHERNET {
        frame(reader, at, length)
    } else if ethertype::read(reader, kind, at, length)? {
        Ok(())
    } else {
        reader.hex("geneve-proto-0x", kind);
        Ok(())
    }
}

/// Options (RFC 8926 §3.5).
fn geneve_options<L: Listener>(reader: &mut Reader<'_, L>, mut at: usize, mut left: u32) -> Read {
    let mut separator = "";
    while left > 0 {
        reader.text(separator);
        separator = ", ";
        let class = reader.u16(at)?;
        let kind = reader.u8(at + 2)?;
        let length = 4 + u32::from(reader.u8(at + 3)? & 0x1f) * 4;
        reader.text("class ");
        reader.text(match class {
            0x0000..=0x00ff => "Standard",
            0x0100 => "Linux",
            0x0101 => "Open vSwitch",
            0x0102 => "Open Virtual Networking (OVN)",
            0x0103 => "In-band Network Telemetry (INT)",
            0x0104 => "VMware",
            0xfff0.. => "Experimental",
            _ => "Unknown",
        });
        reader.hex(" (0x", class);
        reader.hex(") type 0x", kind);
        reader.text(if kind & 0x80 != 0 { "(C)" } else { "" });
        reader.dec(" len ", length);
        if length > left {
            reader.text(" [bad length]");
            return Ok(());
        }
        if reader.verbose() > 1 && length > 4 {
            reader.text(" data");
            for word in (4..length as usize).step_by(4) {
                reader.hex_padded(" ", reader.u32(at + word)?, 8);
            }
        }
        at += length as usize;
        left -= length;
    }
    Ok(())
}
