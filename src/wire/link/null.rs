//! BSD loopback: four bytes of address family, in the order of the capturing machine (`DLT_NULL`) or big-endian (`DLT_LOOP`).

use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ip, ip4, ip6};

const HEADER: usize = 4;

const AF_INET: u32 = 2;
/// Each of the BSDs has its own number: NetBSD and OpenBSD, FreeBSD, macOS.
const AF_INET6: [u32; 3] = [24, 28, 30];

/// Reads a packet of a loopback interface.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "null";
    let mut family = u32::from_le_bytes(*reader.array(at)?);
    if family & 0xffff_0000 != 0 {
        family = family.swap_bytes();
    }
    if reader.link_header() {
        header(reader, family, length);
    }
    let (at, payload) = (at + HEADER, length.wrapping_sub(HEADER as u32));
    match family {
        AF_INET => ip4::read(reader, at, payload)?,
        family if AF_INET6.contains(&family) => ip6::read(reader, at, payload)?,
        // Other systems have other numbers yet, and IP says its version itself.
        _ if !L::PRINTS => ip::either(reader, at, payload)?,
        _ => {
            if !reader.link_header() {
                header(reader, family, length);
            }
            reader.unknown_payload(at, reader.available(at))?;
        }
    }
    Ok(HEADER)
}

fn header<L: Listener>(reader: &mut Reader<'_, L>, family: u32, length: u32) {
    let name = match family {
        AF_INET => Some("IPv4"),
        family if AF_INET6.contains(&family) => Some("IPv6"),
        _ => None,
    };
    match (reader.quiet() > 0, name) {
        (true, Some(name)) => reader.text(name),
        (true, None) => reader.dec("Unknown AF ", family),
        (false, name) => {
            reader.text("AF ");
            reader.text(name.unwrap_or("Unknown"));
            reader.dec(" (", family);
            reader.text(")");
        }
    }
    reader.dec(", length ", length);
    reader.text(": ");
}
