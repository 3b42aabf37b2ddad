//! Multipath TCP's option (RFC 8684 §3; version 0 in RFC 6824).

use super::line::{Line, Printed};
use super::number;
use super::tcp::{ACK, SYN};

/// Prints one subtype, given as the whole option is.
type Print = fn(&mut Line<'_>, usize, u32, u8) -> Printed<bool>;

/// Prints the option of `length` bytes that begins (with its kind) at `at`; `false` when it is not as its subtype demands.
pub(super) fn print(line: &mut Line<'_>, at: usize, length: u32, flags: u8) -> Printed<bool> {
    line.protocol = "mptcp";
    if length < 3 {
        return Ok(false);
    }
    let subtype = line.u8(at + 2)? >> 4;
    line.dec(" ", length);
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
    line.text(name);
    print(line, at, length, flags)
}

/// §3.1: the keys.
fn capable(line: &mut Line<'_>, at: usize, length: u32, flags: u8) -> Printed<bool> {
    let opening = matches!(length, 4 | 12) && flags & SYN != 0;
    let third = matches!(length, 20 | 22) && flags & (SYN | ACK) == ACK;
    if !opening && !third {
        return Ok(false);
    }
    let version = line.u8(at + 2)? & 0x0f;
    if version > 1 {
        line.dec(" Unknown Version (", version);
        line.byte(b')');
        return Ok(true);
    }
    line.dec(" v", version);
    if line.u8(at + 3)? & 0x80 != 0 {
        line.text(" csum");
    }
    if length == 12 || length >= 20 {
        line.hex(" {0x", line.u64(at + 4)?);
        if length >= 20 {
            line.hex(",0x", line.u64(at + 12)?);
        }
        line.byte(b'}');
    }
    Ok(true)
}

/// §3.2: a further subflow.
fn join(line: &mut Line<'_>, at: usize, length: u32, flags: u8) -> Printed<bool> {
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
        if line.u8(at + 2)? & 0x01 != 0 {
            line.text(" backup");
        }
        line.dec(" id ", line.u8(at + 3)?);
    }
    match length {
        12 => {
            line.hex(" token 0x", line.u32(at + 4)?);
            line.hex(" nonce 0x", line.u32(at + 8)?);
        }
        16 => {
            line.hex(" hmac 0x", line.u64(at + 4)?);
            line.hex(" nonce 0x", line.u32(at + 12)?);
        }
        _ => {
            line.text(" hmac 0x");
            number::push_hex_bytes(line.out, line.slice(at + 4, 20)?);
        }
    }
    Ok(true)
}

/// §3.3: where the subflow's bytes belong in the whole.
fn data_sequence(line: &mut Line<'_>, at: usize, length: u32, flags: u8) -> Printed<bool> {
    if length < 4 || flags & SYN != 0 {
        return Ok(false);
    }
    let bits = line.u8(at + 3)?;
    if bits & 0x10 != 0 {
        line.text(" fin");
    }
    let mut at = at + 4;
    let mut left = length - 4;
    // A number of eight bytes or of four, as a flag says.
    let number = |line: &mut Line<'_>, long: bool, at: &mut usize, left: &mut u32| {
        let size = if long { 8 } else { 4 };
        if *left < size {
            return Ok(false);
        }
        let value = if long {
            line.u64(*at)?
        } else {
            u64::from(line.u32(*at)?)
        };
        line.dec("", value);
        *at += size as usize;
        *left -= size;
        Ok(true)
    };
    if bits & 0x01 != 0 {
        line.text(" ack ");
        if !number(line, bits & 0x02 != 0, &mut at, &mut left)? {
            return Ok(false);
        }
    }
    if bits & 0x04 != 0 {
        line.text(" seq ");
        if !number(line, bits & 0x08 != 0, &mut at, &mut left)? || left < 4 {
            return Ok(false);
        }
        line.dec(" subseq ", line.u32(at)?);
        if left < 6 {
            return Ok(false);
        }
        line.dec(" len ", line.u16(at + 4)?);
        at += 6;
        left -= 6;
        if left >= 2 {
            line.hex(" csum 0x", line.u16(at)?);
            left -= 2;
        }
    }
    Ok(left == 0)
}

/// §3.4.1: a further address, of either IP version, perhaps with a port and an HMAC.
fn add_address(line: &mut Line<'_>, at: usize, length: u32, _flags: u8) -> Printed<bool> {
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
    line.text(match line.u8(at + 2)? & 0x0f {
        6 => " v0-ip6",
        4 => " v0-ip4",
        1 => " v1-echo",
        0 => " v1",
        _ => " [bad version/echo]",
    });
    line.dec(" id ", line.u8(at + 3)?);
    line.byte(b' ');
    let mut at = at + 4;
    if v6 {
        line.v6(at)?;
        at += 16;
    } else {
        line.v4(at)?;
        at += 4;
    }
    if port {
        line.dec(":", line.u16(at)?);
        at += 2;
    }
    if hmac {
        line.hex(" hmac 0x", line.u64(at)?);
    }
    Ok(true)
}

/// §3.4.2: addresses that are gone.
fn remove_address(line: &mut Line<'_>, at: usize, length: u32, _flags: u8) -> Printed<bool> {
    if length < 4 {
        return Ok(false);
    }
    line.text(" id");
    for n in 3..length as usize {
        line.dec(" ", line.u8(at + n)?);
    }
    Ok(true)
}

/// §3.3.8: whether a subflow is for emergencies.
fn priority(line: &mut Line<'_>, at: usize, length: u32, _flags: u8) -> Printed<bool> {
    if !matches!(length, 3 | 4) {
        return Ok(false);
    }
    let backup = line.u8(at + 2)? & 0x01 != 0;
    line.text(if backup { " backup" } else { " non-backup" });
    if length == 4 {
        line.dec(" id ", line.u8(at + 3)?);
    }
    Ok(true)
}

/// §3.7: back to a single flow.
fn fail(line: &mut Line<'_>, at: usize, length: u32, _flags: u8) -> Printed<bool> {
    if length != 12 {
        return Ok(false);
    }
    line.dec(" seq ", line.u64(at + 4)?);
    Ok(true)
}

/// §3.5: the end of all subflows.
fn fast_close(line: &mut Line<'_>, at: usize, length: u32, _flags: u8) -> Printed<bool> {
    if length != 12 {
        return Ok(false);
    }
    line.hex(" key 0x", line.u64(at + 4)?);
    Ok(true)
}
