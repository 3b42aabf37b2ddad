//! Tunnels over UDP: VXLAN (RFC 7348) and its generic form, Geneve (RFC 8926), OTV.

use super::line::{Line, Printed};
use super::{ethernet, ethertype, ip4, ip6};

const HEADER: u32 = 8;
const ETHERNET: u16 = 0x6558;

fn frame(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.nested(|line| ethernet::frame(line, at, length))?;
    Ok(())
}

/// Names of the bits that are set.
fn flags(line: &mut Line<'_>, flags: u8, names: &[(u8, &str)], none: &str) {
    let mut any = false;
    for &(flag, name) in names {
        if flags & flag != 0 {
            line.text(name);
            any = true;
        }
    }
    if !any {
        line.text(none);
    }
}

pub(super) fn vxlan(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "vxlan";
    line.text("VXLAN");
    if length < HEADER {
        line.invalid();
        return Ok(());
    }
    let bits = line.u8(at)?;
    line.text(", flags [");
    flags(line, bits, &[(0x08, "I")], "invalid");
    line.hex_padded("] (0x", bits, 2);
    line.text("), ");
    line.dec("vni ", line.u24(at + 4)?);
    line.byte(b'\n');
    line.need(at + 7, 1)?;
    frame(line, at + HEADER as usize, length - HEADER)
}

pub(super) fn otv(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "otv";
    line.text("OTV, ");
    if length < HEADER {
        line.dec("[length ", length);
        line.dec(" < ", HEADER);
        line.byte(b']');
        line.invalid();
        return line.need(at, length as usize);
    }
    let bits = line.u8(at)?;
    line.text("flags [");
    line.text(if bits & 0x08 != 0 { "I" } else { "." });
    line.hex_padded("] (0x", bits, 2);
    line.text("), ");
    line.dec("overlay ", line.u24(at + 1)?);
    line.text(", ");
    line.dec("instance ", line.u24(at + 4)?);
    line.byte(b'\n');
    line.need(at + 7, 1)?;
    frame(line, at + HEADER as usize, length - HEADER)
}

pub(super) fn vxlan_gpe(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "vxlan_gpe";
    line.text("VXLAN-GPE, ");
    if length < HEADER {
        line.dec(" (len ", length);
        line.dec(" < ", HEADER);
        line.byte(b')');
        line.invalid();
        return Ok(());
    }
    let bits = line.u8(at)?;
    line.text("flags [");
    flags(
        line,
        bits,
        &[(0x08, "I"), (0x04, "P"), (0x02, "B"), (0x01, "O")],
        "none",
    );
    line.text("], ");
    let next = line.u8(at + 3)?;
    let network = line.u24(at + 4)?;
    line.need(at + 7, 1)?;
    line.dec("vni ", network);
    line.text(if line.options.verbose > 0 { "\n    " } else { ": " });
    let (at, length) = (at + HEADER as usize, length - HEADER);
    match next {
        1 => ip4::print(line, at, length),
        2 => ip6::print(line, at, length),
        3 => frame(line, at, length),
        4 => {
            line.dec("NSH, length ", length);
            Ok(())
        }
        _ => {
            line.text("ERROR: unknown-next-protocol");
            line.invalid();
            Ok(())
        }
    }
}

pub(super) fn geneve(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "geneve";
    line.text("Geneve");
    if length < HEADER {
        line.dec(" [length ", length);
        line.text(" < 8]");
        line.invalid();
        return Ok(());
    }
    if !line.has(at, HEADER as usize) {
        line.truncated();
        return Ok(());
    }
    let first = line.u8(at)?;
    let version = first >> 6;
    if version != 0 {
        line.dec(" ERROR: unknown-version ", version);
        return Ok(());
    }
    line.text(", Flags [");
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
    flags(line, line.u8(at + 1)?, &names, "none");
    line.hex("], vni 0x", line.u24(at + 4)?);
    let reserved = line.u8(at + 7)?;
    if reserved != 0 {
        line.hex(", rsvd 0x", reserved);
    }
    let kind = line.u16(at + 2)?;
    if line.options.link_header {
        line.text(", proto ");
        line.text(ethertype::name(kind).unwrap_or("unknown"));
        line.hex_padded(" (0x", kind, 4);
        line.byte(b')');
    }
    let (at, length) = (at + HEADER as usize, length - HEADER);
    let options = u32::from(first & 0x3f) * 4;
    if length < options {
        line.dec(" truncated-geneve - ", options - length);
        line.text(" bytes missing");
        return Ok(());
    }
    if !line.has(at, options as usize) {
        line.truncated();
        return Ok(());
    }
    if options > 0 {
        line.text(", options [");
        if line.options.verbose > 0 {
            geneve_options(line, at, options)?;
        } else {
            line.dec("", options);
            line.text(" bytes");
        }
        line.byte(b']');
    }
    let (at, length) = (at + options as usize, length - options);
    line.text(if line.options.verbose > 0 { "\n\t" } else { ": " });
    if ethertype::print(line, kind, at, length, None)? {
        Ok(())
    } else if kind == ETHERNET {
        frame(line, at, length)
    } else {
        line.hex("geneve-proto-0x", kind);
        Ok(())
    }
}

/// Options (RFC 8926 §3.5).
fn geneve_options(line: &mut Line<'_>, mut at: usize, mut left: u32) -> Printed {
    let mut separator = "";
    while left > 0 {
        line.text(separator);
        separator = ", ";
        let class = line.u16(at)?;
        let kind = line.u8(at + 2)?;
        let length = 4 + u32::from(line.u8(at + 3)? & 0x1f) * 4;
        line.text("class ");
        line.text(match class {
            0x0000..=0x00ff => "Standard",
            0x0100 => "Linux",
            0x0101 => "Open vSwitch",
            0x0102 => "Open Virtual Networking (OVN)",
            0x0103 => "In-band Network Telemetry (INT)",
            0x0104 => "VMware",
            0xfff0.. => "Experimental",
            _ => "Unknown",
        });
        line.hex(" (0x", class);
        line.hex(") type 0x", kind);
        line.text(if kind & 0x80 != 0 { "(C)" } else { "" });
        line.dec(" len ", length);
        if length > left {
            line.text(" [bad length]");
            return Ok(());
        }
        if line.options.verbose > 1 && length > 4 {
            line.text(" data");
            for word in (4..length as usize).step_by(4) {
                line.hex_padded(" ", line.u32(at + word)?, 8);
            }
        }
        at += length as usize;
        left -= length;
    }
    Ok(())
}
