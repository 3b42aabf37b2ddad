//! The options of an IPv4 header (RFC 791 §3.1, RFC 2113).

use crate::wire::reader::{Listener, Read, Reader};

const END: u8 = 0;
const NOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_ROUTE: u8 = 131;
const STRICT_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

/// Reads `length` bytes of options at `at`; `false` when the capture ends inside one.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, mut at: usize, mut length: u32) -> Read<bool> {
    let mut separator = "";
    while length > 0 {
        reader.text(separator);
        separator = ",";
        let code = reader.u8(at)?;
        match code {
            END => reader.text("EOL"),
            NOP => reader.text("NOP"),
            TIMESTAMP => reader.text("timestamp"),
            130 => reader.text("security"),
            RECORD_ROUTE => reader.text("RR"),
            STRICT_ROUTE => reader.text("SSRR"),
            LOOSE_ROUTE => reader.text("LSRR"),
            ROUTER_ALERT => reader.text("RA"),
            82 => reader.text("traceroute"),
            other => reader.dec("unknown ", other),
        }
        let n = match code {
            END | NOP => 1,
            _ => u32::from(reader.u8(at + 1)?),
        };
        if n > length || (n < 2 && !matches!(code, END | NOP)) {
            bad_length(reader, n);
            return Ok(true);
        }
        if !reader.has(at, n as usize) {
            return Ok(false);
        }
        match code {
            END => return Ok(true),
            TIMESTAMP if !timestamps(reader, at, n)? => return Ok(false),
            RECORD_ROUTE | STRICT_ROUTE | LOOSE_ROUTE if !route(reader, at, n)? => return Ok(false),
            ROUTER_ALERT if n < 4 => bad_length(reader, n),
            ROUTER_ALERT => {
                let value = reader.u16(at + 2)?;
                if value != 0 {
                    reader.dec(" value ", value);
                }
            }
            _ => {}
        }
        at += n as usize;
        length -= n;
    }
    Ok(true)
}

fn bad_length<L: Listener>(reader: &mut Reader<'_, L>, length: u32) {
    reader.dec(" [bad length ", length);
    reader.text("]");
}

/// The addresses of a route, recorded or to be taken.
fn route<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<bool> {
    if length < 3 {
        bad_length(reader, length);
        return Ok(true);
    }
    if (length + 1) & 3 != 0 {
        bad_length(reader, length);
    }
    let field = reader.u8(at + 2)?;
    let pointer = u32::from(field).wrapping_sub(1);
    if pointer < 3 || pointer.wrapping_add(1) & 3 != 0 || pointer > length + 1 {
        reader.dec(" [bad ptr ", field);
        reader.text("]");
    }
    let mut offset = 3;
    while offset < length {
        if !reader.has(at + offset as usize, 4) {
            return Ok(false);
        }
        reader.text(" ");
        reader.v4(at + offset as usize)?;
        if pointer > offset {
            reader.text(",");
        }
        offset += 4;
    }
    Ok(true)
}

/// The times of a timestamp option.
fn timestamps<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<bool> {
    let bad = |reader: &mut Reader<'_, L>, what: &str, n: u32| {
        reader.dec(what, n);
        reader.text("]");
    };
    if length < 4 {
        bad(reader, "[bad length ", length);
        return Ok(true);
    }
    reader.text(" TS{");
    let flags = reader.u8(at + 3)?;
    let only_times = flags & 0x0f == 0;
    let hop: u32 = if only_times { 4 } else { 8 };
    if (length - 4) & (hop - 1) != 0 {
        bad(reader, "[bad length ", length);
    }
    let field = u32::from(reader.u8(at + 2)?);
    let pointer = field.wrapping_sub(1);
    if pointer < 4 || (pointer.wrapping_sub(4)) & (hop - 1) != 0 || pointer > length + 1 {
        bad(reader, "[bad ptr ", field);
    }
    let mut offset = 0;
    match flags & 0x0f {
        0 => reader.text("TSONLY"),
        1 => reader.text("TS+ADDR"),
        3 => reader.text("PRESPEC"),
        other => bad(reader, "[bad ts type ", u32::from(other)),
    }
    if matches!(flags & 0x0f, 0 | 1 | 3) {
        offset = 4;
        while offset < length {
            let entry = at + offset as usize;
            if !reader.has(entry, hop as usize) {
                return Ok(false);
            }
            reader.text(if pointer == offset { " ^ " } else { " " });
            let time = reader.u32(entry + hop as usize - 4)?;
            reader.dec("", time);
            reader.text("@");
            if !only_times {
                reader.v4(entry)?;
            }
            offset += hop;
        }
    }
    if pointer == offset {
        reader.text(" ^ ");
    }
    let overflow = flags >> 4;
    if overflow > 0 {
        reader.dec(" [", overflow);
        reader.text(" hops not recorded]} ");
    } else {
        reader.text("}");
    }
    Ok(true)
}

/// Where the datagram is going in the end: the last address of a source route, which the TCP checksum covers (RFC 1122
/// §4.1.1); `None` when it is the header's.
pub(super) fn final_destination<L: Listener>(reader: &Reader<'_, L>, header: usize) -> Read<Option<[u8; 4]>> {
    let mut at = header + 20;
    let mut length = (u32::from(reader.u8(header)? & 0x0f) * 4).saturating_sub(20);
    while length > 0 {
        let code = reader.u8(at)?;
        let n = match code {
            END => return Ok(None),
            NOP => 1,
            _ => u32::from(reader.u8(at + 1)?),
        };
        if (code != NOP && n < 2) || length < n || !reader.has(at, n as usize) {
            return Ok(None);
        }
        if matches!(code, STRICT_ROUTE | LOOSE_ROUTE) && n >= 7 {
            return Ok(Some(*reader.array(at + n as usize - 4)?));
        }
        at += n as usize;
        length -= n;
    }
    Ok(None)
}
