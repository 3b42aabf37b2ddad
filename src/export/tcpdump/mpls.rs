//! Label stacks (RFC 3032).

use super::line::{Line, Printed};
use super::{ip4, ip6};

/// Prints a label stack and what it carries.
pub(super) fn print(line: &mut Line<'_>, mut at: usize, mut length: u32) -> Printed {
    line.protocol = "mpls";
    line.text("MPLS");
    let verbose = line.options.verbose > 0;
    let mut first = true;
    let label = loop {
        if length < 4 {
            line.invalid();
            return line.need(at, length as usize);
        }
        let entry = line.u32(at)?;
        let label = entry >> 12;
        line.text(if verbose && !first { "\n\t" } else { " " });
        first = false;
        line.dec("(label ", label);
        if verbose && label < 16 {
            line.text(match label {
                0 => " (IPv4 explicit NULL)",
                1 => " (router alert)",
                2 => " (IPv6 explicit NULL)",
                3 => " (implicit NULL)",
                _ => " (rsvd)",
            });
        }
        line.dec(", tc ", entry >> 9 & 7);
        let last = entry & 0x100 != 0;
        if last {
            line.text(", [S]");
        }
        line.dec(", ttl ", entry & 0xff);
        line.byte(b')');
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
        _ => line.u8(at)?,
    };
    let separator = if verbose { "\n\t" } else { " " };
    match first {
        0x45..=0x4f => {
            line.text(separator);
            ip4::print(line, at, length)
        }
        0x60..=0x6f => {
            line.text(separator);
            ip6::print(line, at, length)
        }
        0x81..=0x83 => {
            line.text(separator);
            line.dec("OSI, length ", length);
            Ok(())
        }
        _ => line.unknown_payload(at, length),
    }
}
