//! Label stacks (RFC 3032).

use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ip4, ip6};

/// MPLS over UDP (RFC 7510).
pub(crate) fn over_udp<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.to.tunnel("MPLS");
    reader.nested(|reader| read(reader, at, length))
}

/// Reads a label stack and what it carries.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, mut at: usize, mut length: u32) -> Read {
    reader.protocol = "mpls";
    reader.text("MPLS");
    let verbose = reader.verbose() > 0;
    let mut first = true;
    let label = loop {
        if length < 4 {
            reader.invalid();
            return reader.need(at, length as usize);
        }
        let entry = reader.u32(at)?;
        let label = entry >> 12;
        reader.text(if verbose && !first { "\n\t" } else { " " });
        first = false;
        reader.dec("(label ", label);
        if verbose && label < 16 {
            reader.text(match label {
                0 => " (IPv4 explicit NULL)",
                1 => " (router alert)",
                2 => " (IPv6 explicit NULL)",
                3 => " (implicit NULL)",
                _ => " (rsvd)",
            });
        }
        reader.dec(", tc ", entry >> 9 & 7);
        let last = entry & 0x100 != 0;
        if last {
            reader.text(", [S]");
        }
        reader.dec(", ttl ", entry & 0xff);
        reader.text(")");
        at += 4;
        length -= 4;
        if last {
            break label;
        }
    };
    // Labels do not say what follows: their number or the payload's first byte may.
    let first = match label {
        0 | 3 => 0x45,
        2 => 0x60,
        _ if length < 1 => return Ok(()),
        _ => reader.u8(at)?,
    };
    let separator = if verbose { "\n\t" } else { " " };
    match first {
        0x45..=0x4f => {
            reader.text(separator);
            ip4::read(reader, at, length)
        }
        0x60..=0x6f => {
            reader.text(separator);
            ip6::read(reader, at, length)
        }
        0x81..=0x83 => {
            reader.text(separator);
            reader.dec("OSI, length ", length);
            Ok(())
        }
        _ => reader.unknown_payload(at, length),
    }
}
