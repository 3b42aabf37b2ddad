//! Multipath TCP's option (RFC 8684 §3; version 0 in RFC 6824).

use super::line::Reader;
use super::tcp::{ACK, SYN};
use crate::wire::reader::Read;

/// Prints one subtype, given as the whole option is.
type Print = fn(&mut Reader<'_, '_>, usize, u32, u16) -> Read<bool>;

/// Prints the option of `length` bytes that begins (with its kind) at `at`; `false` when it is not as its subtype demands.
pub(super) fn print(reader: &mut Reader<'_, '_>, at: usize, length: u32, flags: u16) -> Read<bool> {
    reader.protocol = "mptcp";
    if length < 3 {
        return Ok(false);
    }
    let subtype = reader.u8(at + 2)? >> 4;
    reader.dec(" ", length);
    let (name, print): (&str, Print) = match subtype {
        0 => (" capable", capable),
        1 => (" join", join),
        2 => (" dss", data_sequence),
        3 => (" add-addr", add_address),
        4 => (" rem-addr", remove_address),
        5 => (" prio", priority),
        6 => (" fail", fail),
        7 => (" fast-close", fast_close),
        _ => (" unknown", |_, _, _, _| Ok(true)),
    };
    reader.text(name);
    print(reader, at, length, flags)
}

/// §3.1: the keys.
fn capable(reader: &mut Reader<'_, '_>, at: usize, length: u32, flags: u16) -> Read<bool> {
    let opening = matches!(length, 4 | 12) && flags & SYN != 0;
    let third = matches!(length, 20 | 22) && flags & (SYN | ACK) == ACK;
    if !opening && !third {
        return Ok(false);
    }
    let version = reader.u8(at + 2)? & 0x0f;
    if version > 1 {
        reader.dec(" Unknown Version (", version);
        reader.text(")");
        return Ok(true);
    }
    reader.dec(" v", version);
    if reader.u8(at + 3)? & 0x80 != 0 {
        reader.text(" csum");
    }
    if length == 12 || length >= 20 {
        reader.hex(" {0x", reader.u64(at + 4)?);
        if length >= 20 {
            reader.hex(",0x", reader.u64(at + 12)?);
        }
        reader.text("}");
    }
    Ok(true)
}

/// §3.2: a further subflow.
fn join(reader: &mut Reader<'_, '_>, at: usize, length: u32, flags: u16) -> Read<bool> {
    let fits = match length {
        12 => flags & SYN != 0,
        16 => flags & (SYN | ACK) == SYN | ACK,
        24 => flags & ACK != 0,
        _ => false,
    };
    if !fits {
        return Ok(false);
    }
    if length != 24 {
        if reader.u8(at + 2)? & 0x01 != 0 {
            reader.text(" backup");
        }
        reader.dec(" id ", reader.u8(at + 3)?);
    }
    match length {
        12 => {
            reader.hex(" token 0x", reader.u32(at + 4)?);
            reader.hex(" nonce 0x", reader.u32(at + 8)?);
        }
        16 => {
            reader.hex(" hmac 0x", reader.u64(at + 4)?);
            reader.hex(" nonce 0x", reader.u32(at + 12)?);
        }
        _ => {
            reader.text(" hmac 0x");
            reader.hex_bytes(reader.slice(at + 4, 20)?);
        }
    }
    Ok(true)
}

/// §3.3: where the subflow's bytes belong in the whole.
fn data_sequence(reader: &mut Reader<'_, '_>, at: usize, length: u32, flags: u16) -> Read<bool> {
    if length < 4 || flags & SYN != 0 {
        return Ok(false);
    }
    let bits = reader.u8(at + 3)?;
    if bits & 0x10 != 0 {
        reader.text(" fin");
    }
    let mut at = at + 4;
    let mut left = length - 4;
    // A number of eight bytes or of four, as a flag says.
    let number = |reader: &mut Reader<'_, '_>, long: bool, at: &mut usize, left: &mut u32| {
        let size = if long { 8 } else { 4 };
        if *left < size {
            return Ok(false);
        }
        let value = if long {
            reader.u64(*at)?
        } else {
            u64::from(reader.u32(*at)?)
        };
        reader.dec("", value);
        *at += size as usize;
        *left -= size;
        Ok(true)
    };
    if bits & 0x01 != 0 {
        reader.text(" ack ");
        if !number(reader, bits & 0x02 != 0, &mut at, &mut left)? {
            return Ok(false);
        }
    }
    if bits & 0x04 != 0 {
        reader.text(" seq ");
        if !number(reader, bits & 0x08 != 0, &mut at, &mut left)? || left < 4 {
            return Ok(false);
        }
        reader.dec(" subseq ", reader.u32(at)?);
        if left < 6 {
            return Ok(false);
        }
        reader.dec(" len ", reader.u16(at + 4)?);
        at += 6;
        left -= 6;
        if left >= 2 {
            reader.hex(" csum 0x", reader.u16(at)?);
            left -= 2;
        }
    }
    Ok(left == 0)
}

/// §3.4.1: a further address, of either IP version, perhaps with a port and an HMAC.
fn add_address(reader: &mut Reader<'_, '_>, at: usize, length: u32, _flags: u16) -> Read<bool> {
    let (v6, port, hmac) = match length {
        8 => (false, false, false),
        10 => (false, true, false),
        16 => (false, false, true),
        18 => (false, true, true),
        20 => (true, false, false),
        22 => (true, true, false),
        28 => (true, false, true),
        30 => (true, true, true),
        _ => return Ok(false),
    };
    reader.text(match reader.u8(at + 2)? & 0x0f {
        6 => " v0-ip6",
        4 => " v0-ip4",
        1 => " v1-echo",
        0 => " v1",
        _ => " [bad version/echo]",
    });
    reader.dec(" id ", reader.u8(at + 3)?);
    reader.text(" ");
    let mut at = at + 4;
    if v6 {
        reader.v6(at)?;
        at += 16;
    } else {
        reader.v4(at)?;
        at += 4;
    }
    if port {
        reader.dec(":", reader.u16(at)?);
        at += 2;
    }
    if hmac {
        reader.hex(" hmac 0x", reader.u64(at)?);
    }
    Ok(true)
}

/// §3.4.2: addresses that are gone.
fn remove_address(reader: &mut Reader<'_, '_>, at: usize, length: u32, _flags: u16) -> Read<bool> {
    if length < 4 {
        return Ok(false);
    }
    reader.text(" id");
    for n in 3..length as usize {
        reader.dec(" ", reader.u8(at + n)?);
    }
    Ok(true)
}

/// §3.3.8: whether a subflow is for emergencies.
fn priority(reader: &mut Reader<'_, '_>, at: usize, length: u32, _flags: u16) -> Read<bool> {
    if !matches!(length, 3 | 4) {
        return Ok(false);
    }
    let backup = reader.u8(at + 2)? & 0x01 != 0;
    reader.text(if backup { " backup" } else { " non-backup" });
    if length == 4 {
        reader.dec(" id ", reader.u8(at + 3)?);
    }
    Ok(true)
}

/// §3.7: back to a single flow.
fn fail(reader: &mut Reader<'_, '_>, at: usize, length: u32, _flags: u16) -> Read<bool> {
    if length != 12 {
        return Ok(false);
    }
    reader.dec(" seq ", reader.u64(at + 4)?);
    Ok(true)
}

/// §3.5: the end of all subflows.
fn fast_close(reader: &mut Reader<'_, '_>, at: usize, length: u32, _flags: u16) -> Read<bool> {
    if length != 12 {
        return Ok(false);
    }
    reader.hex(" key 0x", reader.u64(at + 4)?);
    Ok(true)
}
