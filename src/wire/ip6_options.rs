//! The options in IPv6's hop-by-hop and destination headers (RFC 8200 §4.2).

use crate::wire::reader::{Listener, Read, Reader};

const PAD1: u8 = 0x00;
const PADN: u8 = 0x01;
const ROUTER_ALERT: u8 = 0x05;
const JUMBO: u8 = 0xc2;
const HOME_ADDRESS: u8 = 0xc9;

/// Reads a hop-by-hop options header and returns its length, if it is whole. A jumbo payload's length goes into
/// `payload_length`, if that was 0.
pub(crate) fn hop_by_hop<L: Listener>(
    reader: &mut Reader<'_, L>,
    at: usize,
    jumbo: &mut bool,
    payload_length: &mut u32,
) -> Read<Option<u32>> {
    reader.protocol = "hbhopt";
    header(reader, at, "HBH ", true, Some((jumbo, payload_length)))
}

/// Reads a destination options header and returns its length, if it is whole.
pub(crate) fn destination<L: Listener>(reader: &mut Reader<'_, L>, at: usize) -> Read<Option<u32>> {
    reader.protocol = "dstopt";
    let verbose = reader.verbose() > 0;
    header(reader, at, "DSTOPT ", verbose, None)
}

fn header<L: Listener>(
    reader: &mut Reader<'_, L>,
    at: usize,
    name: &str,
    read: bool,
    jumbo: Jumbo<'_>,
) -> Read<Option<u32>> {
    let length = (u32::from(reader.u8(at + 1)?) + 1) * 8;
    let mut whole = reader.has(at, length as usize);
    if whole {
        reader.text(name);
        whole = !read || options(reader, at + 2, length as usize - 2, jumbo)?;
    }
    if !whole {
        reader.truncated();
    }
    Ok(whole.then_some(length))
}

/// Where a jumbo payload option goes: that there was one, and its length.
type Jumbo<'j> = Option<(&'j mut bool, &'j mut u32)>;

/// Reads options; `false` when one does not fit.
fn options<L: Listener>(reader: &mut Reader<'_, L>, start: usize, length: usize, mut jumbo: Jumbo<'_>) -> Read<bool> {
    let verbose = reader.verbose() > 0;
    let mut seen_jumbo = false;
    let mut offset = 0;
    while offset < length {
        let at = start + offset;
        let kind = reader.u8(at)?;
        let left = length - offset;
        let Some(size) = size(reader, at, left)? else {
            return Ok(false);
        };
        // The size as the option says it, without kind and length.
        let data = size.saturating_sub(2);
        match kind {
            PAD1 if verbose => reader.text("(pad1)"),
            PADN if verbose => reader.text("(padn)"),
            PAD1 | PADN => {}
            ROUTER_ALERT => {
                if !expect(reader, "rtalert", left, 4, data == 2, data) {
                    return Ok(false);
                }
                if verbose {
                    reader.hex_padded("(rtalert: 0x", reader.u16(at + 2)?, 4);
                    reader.text(") ");
                }
            }
            JUMBO => {
                if !expect(reader, "jumbo", left, 6, data == 4, data) {
                    return Ok(false);
                }
                let value = reader.u32(at + 2)?;
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
                    reader.dec("(jumbo: ", value);
                    reader.text(comment);
                    reader.text(") ");
                }
            }
            HOME_ADDRESS => {
                if !expect(reader, "homeaddr", left, 18, data >= 16, data) {
                    return Ok(false);
                }
                if verbose {
                    reader.text("(homeaddr: ");
                    reader.v6(at + 2)?;
                    if data > 16 && !suboptions(reader, at + 18, size - 18)? {
                        return Ok(false);
                    }
                    reader.text(")");
                }
            }
            _ if verbose => {
                reader.hex_padded("(opt_type 0x", kind, 2);
                reader.dec(": len=", data as u64);
                reader.text(")");
            }
            _ => {}
        }
        offset += size;
    }
    if verbose {
        reader.text(" ");
    }
    Ok(true)
}

/// How many bytes the option at `at` takes, if it fits into those that are left.
fn size<L: Listener>(reader: &Reader<'_, L>, at: usize, left: usize) -> Read<Option<usize>> {
    let size = match reader.u8(at)? {
        PAD1 => 1,
        _ if left > 1 => usize::from(reader.u8(at + 1)?) + 2,
        _ => return Ok(None),
    };
    Ok((size <= left).then_some(size))
}

/// Checks an option of a fixed size, and says what is wrong with it.
fn expect<L: Listener>(
    reader: &mut Reader<'_, L>,
    name: &str,
    left: usize,
    size: usize,
    fits: bool,
    data: usize,
) -> bool {
    if left >= size && fits {
        return true;
    }
    reader.text("(");
    reader.text(name);
    if left < size {
        reader.text(": trunc)");
    } else {
        reader.dec(": invalid len ", data as u64);
        reader.text(")");
    }
    false
}

/// Reads the options inside a home address option; `false` when one does not fit.
fn suboptions<L: Listener>(reader: &mut Reader<'_, L>, start: usize, length: usize) -> Read<bool> {
    let mut offset = 0;
    while offset < length {
        let at = start + offset;
        let kind = reader.u8(at)?;
        let left = length - offset;
        let Some(size) = size(reader, at, left)? else {
            return Ok(false);
        };
        match kind {
            PAD1 => reader.text(", pad1"),
            PADN => reader.text(", padn"),
            _ => {
                reader.hex_padded(", sopt_type 0x", kind, 2);
                reader.dec(": len=", (size - 2) as u64);
            }
        }
        offset += size;
    }
    Ok(true)
}
