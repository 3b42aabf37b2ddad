//! The options of an IPv4 header (RFC 791 §3.1, RFC 2113).

use super::line::{Line, Printed};

const END: u8 = 0;
const NOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_ROUTE: u8 = 131;
const STRICT_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

/// Prints `length` bytes of options at `at`; `false` when the capture ends inside one.
pub(super) fn print(line: &mut Line<'_>, mut at: usize, mut length: u32) -> Printed<bool> {
    let mut separator = "";
    while length > 0 {
        line.text(separator);
        separator = ",";
        let code = line.u8(at)?;
        match code {
            END => line.text("EOL"),
            NOP => line.text("NOP"),
            TIMESTAMP => line.text("timestamp"),
            130 => line.text("security"),
            RECORD_ROUTE => line.text("RR"),
            STRICT_ROUTE => line.text("SSRR"),
            LOOSE_ROUTE => line.text("LSRR"),
            ROUTER_ALERT => line.text("RA"),
            82 => line.text("traceroute"),
            other => line.dec("unknown ", other),
        }
        let n = match code {
            END | NOP => 1,
            _ => u32::from(line.u8(at + 1)?),
        };
        if n > length || (n < 2 && !matches!(code, END | NOP)) {
            bad_length(line, n);
            return Ok(true);
        }
        if !line.has(at, n as usize) {
            return Ok(false);
        }
        match code {
            END => return Ok(true),
            TIMESTAMP if !timestamps(line, at, n)? => return Ok(false),
            RECORD_ROUTE | STRICT_ROUTE | LOOSE_ROUTE if !route(line, at, n)? => return Ok(false),
            ROUTER_ALERT if n < 4 => bad_length(line, n),
            ROUTER_ALERT => {
                let value = line.u16(at + 2)?;
                if value != 0 {
                    line.dec(" value ", value);
                }
            }
            _ => {}
        }
        at += n as usize;
        length -= n;
    }
    Ok(true)
}

fn bad_length(line: &mut Line<'_>, length: u32) {
    line.dec(" [bad length ", length);
    line.byte(b']');
}

/// The addresses of a route, recorded or to be taken.
fn route(line: &mut Line<'_>, at: usize, length: u32) -> Printed<bool> {
    if length < 3 {
        bad_length(line, length);
        return Ok(true);
    }
    if (length + 1) & 3 != 0 {
        bad_length(line, length);
    }
    let field = line.u8(at + 2)?;
    let pointer = u32::from(field).wrapping_sub(1);
    if pointer < 3 || pointer.wrapping_add(1) & 3 != 0 || pointer > length + 1 {
        line.dec(" [bad ptr ", field);
        line.byte(b']');
    }
    let mut offset = 3;
    while offset < length {
        if !line.has(at + offset as usize, 4) {
            return Ok(false);
        }
        line.byte(b' ');
        line.v4(at + offset as usize)?;
        if pointer > offset {
            line.byte(b',');
        }
        offset += 4;
    }
    Ok(true)
}

/// The times of a timestamp option.
fn timestamps(line: &mut Line<'_>, at: usize, length: u32) -> Printed<bool> {
    let bad = |line: &mut Line<'_>, what: &str, n: u32| {
        line.dec(what, n);
        line.byte(b']');
    };
    if length < 4 {
        bad(line, "[bad length ", length);
        return Ok(true);
    }
    line.text(" TS{");
    let flags = line.u8(at + 3)?;
    let only_times = flags & 0x0f == 0;
    let hop: u32 = if only_times { 4 } else { 8 };
    if (length - 4) & (hop - 1) != 0 {
        bad(line, "[bad length ", length);
    }
    let field = u32::from(line.u8(at + 2)?);
    let pointer = field.wrapping_sub(1);
    if pointer < 4 || (pointer.wrapping_sub(4)) & (hop - 1) != 0 || pointer > length + 1 {
        bad(line, "[bad ptr ", field);
    }
    let mut offset = 0;
    match flags & 0x0f {
        0 => line.text("TSONLY"),
        1 => line.text("TS+ADDR"),
        3 => line.text("PRESPEC"),
        other => bad(line, "[bad ts type ", u32::from(other)),
    }
    if matches!(flags & 0x0f, 0 | 1 | 3) {
        offset = 4;
        while offset < length {
            let entry = at + offset as usize;
            if !line.has(entry, hop as usize) {
                return Ok(false);
            }
            line.text(if pointer == offset { " ^ " } else { " " });
            let time = line.u32(entry + hop as usize - 4)?;
            line.dec("", time);
            line.byte(b'@');
            if !only_times {
                line.v4(entry)?;
            }
            offset += hop;
        }
    }
    if pointer == offset {
        line.text(" ^ ");
    }
    let overflow = flags >> 4;
    if overflow > 0 {
        line.dec(" [", overflow);
        line.text(" hops not recorded]} ");
    } else {
        line.byte(b'}');
    }
    Ok(true)
}

/// Where the datagram is going in the end: the last address of a source route, which the TCP checksum covers (RFC 1122
/// §4.1.1); `None` when it is the header's.
pub(super) fn final_destination(line: &Line<'_>, header: usize, length: u32) -> Printed<Option<[u8; 4]>> {
    let mut at = header + 20;
    let mut length = length.saturating_sub(20);
    while length > 0 {
        let code = line.u8(at)?;
        let n = match code {
            END => return Ok(None),
            NOP => 1,
            _ => u32::from(line.u8(at + 1)?),
        };
        if (code != NOP && n < 2) || length < n || !line.has(at, n as usize) {
            return Ok(None);
        }
        if matches!(code, STRICT_ROUTE | LOOSE_ROUTE) && n >= 7 {
            return Ok(Some(line.array(at + n as usize - 4)?));
        }
        at += n as usize;
        length -= n;
    }
    Ok(None)
}
