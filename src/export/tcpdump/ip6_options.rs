//! The options in IPv6's hop-by-hop and destination headers (RFC 8200 §4.2).

use super::line::{Line, Printed};

const PAD1: u8 = 0x00;
const PADN: u8 = 0x01;
const ROUTER_ALERT: u8 = 0x05;
const JUMBO: u8 = 0xc2;
const HOME_ADDRESS: u8 = 0xc9;

/// Prints a hop-by-hop options header and returns its length, if it is whole. A jumbo payload's length goes into
/// `payload_length`, if that was 0.
pub(super) fn hop_by_hop(
    line: &mut Line<'_>,
    at: usize,
    jumbo: &mut bool,
    payload_length: &mut u32,
) -> Printed<Option<u32>> {
    line.protocol = "hbhopt";
    let length = (u32::from(line.u8(at + 1)?) + 1) * 8;
    if !line.has(at, length as usize) {
        line.truncated();
        return Ok(None);
    }
    line.text("HBH ");
    if !options(line, at + 2, length as usize - 2, Some((jumbo, payload_length)))? {
        line.truncated();
        return Ok(None);
    }
    Ok(Some(length))
}

/// Prints a destination options header and returns its length, if it is whole.
pub(super) fn destination(line: &mut Line<'_>, at: usize) -> Printed<Option<u32>> {
    line.protocol = "dstopt";
    let length = (u32::from(line.u8(at + 1)?) + 1) * 8;
    if !line.has(at, length as usize) {
        line.truncated();
        return Ok(None);
    }
    line.text("DSTOPT ");
    if line.options.verbose > 0 && !options(line, at + 2, length as usize - 2, None)? {
        line.truncated();
        return Ok(None);
    }
    Ok(Some(length))
}

/// Where a jumbo payload option goes: that there was one, and its length.
type Jumbo<'j> = Option<(&'j mut bool, &'j mut u32)>;

/// Prints options; `false` when one does not fit.
fn options(line: &mut Line<'_>, start: usize, length: usize, mut jumbo: Jumbo<'_>) -> Printed<bool> {
    let verbose = line.options.verbose > 0;
    let mut seen_jumbo = false;
    let mut offset = 0;
    while offset < length {
        let at = start + offset;
        let kind = line.u8(at)?;
        let left = length - offset;
        let size = match kind {
            PAD1 => 1,
            _ if left > 1 => usize::from(line.u8(at + 1)?) + 2,
            _ => return Ok(false),
        };
        if size > left {
            return Ok(false);
        }
        // The size as the option says it, without kind and length.
        let data = size.saturating_sub(2);
        match kind {
            PAD1 if verbose => line.text("(pad1)"),
            PADN if verbose => line.text("(padn)"),
            PAD1 | PADN => {}
            ROUTER_ALERT => {
                if !expect(line, "rtalert", left, 4, data == 2, data) {
                    return Ok(false);
                }
                if verbose {
                    line.hex_padded("(rtalert: 0x", line.u16(at + 2)?, 4);
                    line.text(") ");
                }
            }
            JUMBO => {
                if !expect(line, "jumbo", left, 6, data == 4, data) {
                    return Ok(false);
                }
                let value = line.u32(at + 2)?;
                let comment = match &mut jumbo {
                    _ if seen_jumbo => " - already seen",
                    None => " - not a hop-by-hop option",
                    Some((_, payload_length)) if **payload_length != 0 => " - payload len != 0",
                    Some(_) if value < 65_536 => " - < 65536",
                    Some((found, payload_length)) => {
                        **found = true;
                        **payload_length = value;
                        ""
                    }
                };
                seen_jumbo = true;
                if verbose {
                    line.dec("(jumbo: ", value);
                    line.text(comment);
                    line.text(") ");
                }
            }
            HOME_ADDRESS => {
                if !expect(line, "homeaddr", left, 18, data >= 16, data) {
                    return Ok(false);
                }
                if verbose {
                    line.text("(homeaddr: ");
                    line.v6(at + 2)?;
                    if data > 16 && !suboptions(line, at + 18, size - 18)? {
                        return Ok(false);
                    }
                    line.byte(b')');
                }
            }
            _ if verbose => {
                line.hex_padded("(opt_type 0x", kind, 2);
                line.dec(": len=", data);
                line.byte(b')');
            }
            _ => {}
        }
        offset += size;
    }
    if verbose {
        line.byte(b' ');
    }
    Ok(true)
}

/// Checks an option of a fixed size, and says what is wrong with it.
fn expect(line: &mut Line<'_>, name: &str, left: usize, size: usize, fits: bool, data: usize) -> bool {
    if left >= size && fits {
        return true;
    }
    line.byte(b'(');
    line.text(name);
    if left < size {
        line.text(": trunc)");
    } else {
        line.dec(": invalid len ", data);
        line.byte(b')');
    }
    false
}

/// Prints the options inside a home address option; `false` when one does not fit.
fn suboptions(line: &mut Line<'_>, start: usize, length: usize) -> Printed<bool> {
    let mut offset = 0;
    while offset < length {
        let at = start + offset;
        let kind = line.u8(at)?;
        let left = length - offset;
        let size = match kind {
            PAD1 => 1,
            _ if left > 1 => usize::from(line.u8(at + 1)?) + 2,
            _ => return Ok(false),
        };
        if size > left {
            return Ok(false);
        }
        match kind {
            PAD1 => line.text(", pad1"),
            PADN => line.text(", padn"),
            _ => {
                line.hex_padded(", sopt_type 0x", kind, 2);
                line.dec(": len=", size - 2);
            }
        }
        offset += size;
    }
    Ok(true)
}
