//! BSD loopback: four bytes of address family, in the order of the capturing machine (`DLT_NULL`) or big-endian (`DLT_LOOP`).

use super::line::{Line, Printed};
use super::{ip4, ip6};

const HEADER: usize = 4;

/// The address families of the BSDs; each has its own number for IPv6.
const AF_INET: u32 = 2;
const AF_INET6_BSD: u32 = 24;
const AF_INET6_FREEBSD: u32 = 28;
const AF_INET6_DARWIN: u32 = 30;

/// Prints a packet of a loopback interface.
pub(super) fn interface(line: &mut Line<'_>, length: u32) -> Printed {
    line.protocol = "null";
    let mut family = u32::from_le_bytes(line.array(0)?);
    line.link_length += HEADER;
    if family & 0xffff_0000 != 0 {
        family = family.swap_bytes();
    }
    if line.options.link_header {
        header(line, family, length);
    }
    let payload = length.wrapping_sub(HEADER as u32);
    match family {
        AF_INET => ip4::print(line, HEADER, payload),
        AF_INET6_BSD | AF_INET6_FREEBSD | AF_INET6_DARWIN => ip6::print(line, HEADER, payload),
        _ => {
            if !line.options.link_header {
                header(line, family, length);
            }
            line.unknown_payload(HEADER, line.available(HEADER))
        }
    }
}

fn header(line: &mut Line<'_>, family: u32, length: u32) {
    let name = match family {
        AF_INET => Some("IPv4"),
        6 => Some("NS"),
        7 => Some("ISO"),
        16 => Some("Appletalk"),
        23 => Some("IPX"),
        AF_INET6_BSD | AF_INET6_FREEBSD | AF_INET6_DARWIN => Some("IPv6"),
        _ => None,
    };
    match (line.options.quiet > 0, name) {
        (true, Some(name)) => line.text(name),
        (true, None) => line.dec("Unknown AF ", family),
        (false, name) => {
            line.text("AF ");
            line.text(name.unwrap_or("Unknown"));
            line.dec(" (", family);
            line.byte(b')');
        }
    }
    line.dec(", length ", length);
    line.text(": ");
}
