//! VXLAN (RFC 7348) and its generic form (draft-ietf-nvo3-vxlan-gpe), and OTV (draft-hasmit-otv), which looks alike.

use super::frame;
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ip4, ip6};

const HEADER: u32 = 8;

/// Names of the bits that are set.
pub(super) fn flags<L: Listener>(reader: &mut Reader<'_, L>, flags: u8, names: &[(u8, &str)], none: &str) {
    let mut any = false;
    for &(flag, name) in names {
        if flags & flag != 0 {
            reader.text(name);
            any = true;
        }
    }
    if !any {
        reader.text(none);
    }
}

pub(super) fn vxlan<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "vxlan";
    reader.text("VXLAN");
    if length < HEADER {
        reader.invalid();
        return Ok(());
    }
    reader.need(at, 1)?;
    reader.text(", ");
    instance_flag(reader, at, "invalid")?;
    reader.dec("vni ", reader.u24(at + 4)?);
    bridged(reader, at, length)
}

pub(super) fn otv<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "otv";
    reader.text("OTV, ");
    if length < HEADER {
        reader.dec("[length ", length);
        reader.dec(" < ", HEADER);
        reader.text("]");
        reader.invalid();
        return reader.need(at, length as usize);
    }
    instance_flag(reader, at, ".")?;
    reader.dec("overlay ", reader.u24(at + 1)?);
    reader.text(", ");
    reader.dec("instance ", reader.u24(at + 4)?);
    bridged(reader, at, length)
}

/// The first byte, of whose flags one says that the instance's number counts.
fn instance_flag<L: Listener>(reader: &mut Reader<'_, L>, at: usize, none: &str) -> Read {
    let bits = reader.u8(at)?;
    reader.text("flags [");
    flags(reader, bits, &[(0x08, "I")], none);
    reader.hex_padded("] (0x", bits, 2);
    reader.text("), ");
    Ok(())
}

/// The Ethernet frame behind a header, once that is whole.
fn bridged<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.text("\n");
    reader.need(at + 7, 1)?;
    reader.to.tunnel("VXLAN");
    frame(reader, at + HEADER as usize, length - HEADER)
}

pub(super) fn generic<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "vxlan_gpe";
    reader.text("VXLAN-GPE, ");
    if length < HEADER {
        reader.dec(" (len ", length);
        reader.dec(" < ", HEADER);
        reader.text(")");
        reader.invalid();
        return Ok(());
    }
    let bits = reader.u8(at)?;
    reader.text("flags [");
    flags(
        reader,
        bits,
        &[(0x08, "I"), (0x04, "P"), (0x02, "B"), (0x01, "O")],
        "none",
    );
    reader.text("], ");
    let next = reader.u8(at + 3)?;
    let network = reader.u24(at + 4)?;
    reader.need(at + 7, 1)?;
    reader.dec("vni ", network);
    reader.to.tunnel("VXLAN");
    reader.text(if reader.verbose() > 0 { "\n    " } else { ": " });
    let (at, length) = (at + HEADER as usize, length - HEADER);
    match next {
        1 => ip4::read(reader, at, length),
        2 => ip6::read(reader, at, length),
        3 => frame(reader, at, length),
        _ => {
            reader.text("ERROR: unknown-next-protocol");
            reader.invalid();
            Ok(())
        }
    }
}
