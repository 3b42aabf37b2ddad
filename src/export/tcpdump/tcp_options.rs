//! The options of a TCP header (RFC 9293 §3.2; IANA's registry of their kinds).

use super::line::Reader;
use super::mptcp;
use crate::wire::reader::{Read, Truncated};

const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const ECHO: u8 = 6;
const ECHO_REPLY: u8 = 7;
const TIMESTAMPS: u8 = 8;
const CC: u8 = 11;
const CC_NEW: u8 = 12;
const CC_ECHO: u8 = 13;
const MD5: u8 = 19;
const SCPS: u8 = 20;
const USER_TIMEOUT: u8 = 28;
const AUTHENTICATION: u8 = 29;
const MPTCP: u8 = 30;
const FAST_OPEN: u8 = 34;
const EXPERIMENT_2: u8 = 254;

/// The experiment (RFC 6994) that TCP Fast Open was.
const EXPERIMENT_FAST_OPEN: u16 = 0xf989;

/// Why an option could not be told to its end.
enum Stop {
    /// Its length does not fit.
    Bad,
    /// The capture ends inside it, and the line goes no further.
    Cut,
    /// The capture ends inside it.
    Truncated(Truncated),
}

impl From<Truncated> for Stop {
    fn from(truncated: Truncated) -> Self {
        Stop::Truncated(truncated)
    }
}

/// Prints the options; `false` when they are damaged or cut, and the line ends here.
#[inline]
pub(super) fn print(reader: &mut Reader<'_, '_>, mut options: Options) -> Read<bool> {
    reader.text(", options [");
    // The layout that RFC 7323 (appendix A) recommends and nearly all segments have.
    if options.left == 12
        && let Ok([NOP, NOP, TIMESTAMPS, 10, times @ ..]) = reader.array::<12>(options.at)
    {
        let [v0, v1, v2, v3, e0, e1, e2, e3] = *times;
        reader.dec("nop,nop,TS val ", u32::from_be_bytes([v0, v1, v2, v3]));
        reader.dec(" ecr ", u32::from_be_bytes([e0, e1, e2, e3]));
        reader.text("]");
        return Ok(true);
    }
    let mut first = true;
    while options.left > 0 {
        if !first {
            reader.text(",");
        }
        match options.next(reader) {
            Ok(END) => break,
            Ok(_) => {}
            Err(Stop::Truncated(truncated)) => return Err(truncated),
            Err(Stop::Bad) => {
                reader.text("[bad opt]");
                if !first {
                    reader.text("]");
                }
                return Ok(false);
            }
            Err(Stop::Cut) => {
                reader.truncated();
                if !first {
                    reader.text(">");
                }
                return Ok(false);
            }
        }
        first = false;
    }
    reader.text("]");
    Ok(true)
}

/// What is left of a segment's options, and what else their text depends on.
pub(super) struct Options {
    /// Where they begin.
    pub(super) at: usize,
    /// How many bytes there are.
    pub(super) left: u32,
    /// The segment's flags.
    pub(super) flags: u16,
    /// What SACK blocks count from.
    pub(super) sack_origin: u32,
    /// Where the segment's data begin and how long they are: what an MD5 signature covers.
    pub(super) segment: (usize, u32),
}

impl Options {
    /// Prints one option and returns its kind.
    fn next(&mut self, reader: &mut Reader<'_, '_>) -> Result<u8, Stop> {
        let kind = reader.u8(self.at)?;
        self.at += 1;
        let mut length = 1;
        if !matches!(kind, END | NOP) {
            length = u32::from(reader.u8(self.at)?);
            self.at += 1;
            if length < 2 || length > self.left {
                return Err(Stop::Bad);
            }
            self.left -= 1;
        }
        self.left -= 1;
        match name(kind) {
            Some(name) => reader.text(name),
            None => reader.dec("unknown-", kind),
        }
        let used = match kind {
            END | NOP => {
                if length != 1 {
                    reader.dec("[len ", length);
                    reader.text("]");
                }
                return Ok(kind);
            }
            _ => self.data(reader, kind, length - 2)?,
        };
        self.at += used as usize;
        self.left -= used;
        if used + 2 != length {
            reader.dec("[len ", length);
            reader.text("]");
        }
        Ok(kind)
    }

    /// Prints an option's data, which its length says are `length` bytes; returns how many bytes it has of its kind.
    fn data(&mut self, reader: &mut Reader<'_, '_>, kind: u8, length: u32) -> Result<u32, Stop> {
        let at = self.at;
        Ok(match kind {
            SACK_PERMITTED => 0,
            MSS => {
                self.check(reader, 2)?;
                reader.dec(" ", reader.u16(at)?);
                2
            }
            WINDOW_SCALE => {
                self.check(reader, 1)?;
                reader.dec(" ", reader.u8(at)?);
                1
            }
            SACK => {
                self.sack(reader, length)?;
                length
            }
            ECHO | ECHO_REPLY | CC | CC_NEW | CC_ECHO => {
                self.check(reader, 4)?;
                reader.dec(" ", reader.u32(at)?);
                4
            }
            TIMESTAMPS => {
                self.check(reader, 8)?;
                reader.dec(" val ", reader.u32(at)?);
                reader.dec(" ecr ", reader.u32(at + 4)?);
                8
            }
            MD5 => {
                self.check(reader, 16)?;
                reader.text(if reader.has(self.segment.0, self.segment.1 as usize) {
                    " shared secret not supplied with -M, can't check - "
                } else {
                    " snaplen too short, can't check - "
                });
                reader.hex_bytes(reader.slice(at, 16)?);
                16
            }
            SCPS => {
                self.check(reader, 2)?;
                reader.hex_padded(" cap ", reader.u8(at)?, 2);
                reader.dec(" id ", reader.u8(at + 1)?);
                2
            }
            USER_TIMEOUT => {
                self.check(reader, 2)?;
                let timeout = reader.u16(at)?;
                reader.hex(" 0x", timeout);
                let minutes = timeout & 1 != 0;
                let granularity = if minutes { 60 } else { 1 };
                reader.dec(" ", u32::from(timeout >> 1) * granularity);
                2
            }
            AUTHENTICATION => {
                self.authentication(reader, length)?;
                length
            }
            MPTCP => {
                self.check(reader, length)?;
                // Other options may follow: the capture ends with this one for whoever prints it.
                let end = at + length as usize;
                if !reader.within(end, |reader| mptcp::print(reader, at - 2, length + 2, self.flags))? {
                    return Err(Stop::Bad);
                }
                length
            }
            FAST_OPEN => {
                self.check(reader, length)?;
                reader.text(" ");
                cookie(reader, at, length)?;
                length
            }
            EXPERIMENT_2 => {
                self.check(reader, length)?;
                if length < 2 {
                    return Err(Stop::Bad);
                }
                let id = reader.u16(at)?;
                if id == EXPERIMENT_FAST_OPEN {
                    reader.text("-tfo");
                    cookie(reader, at + 2, length - 2)?;
                } else {
                    reader.hex_padded("-", id, 4);
                }
                length
            }
            _ => {
                if length > 0 {
                    reader.text(" 0x");
                }
                self.bytes(reader, 0, length)?;
                length
            }
        })
    }

    /// That an option has `n` bytes of data.
    fn check(&self, reader: &Reader<'_, '_>, n: u32) -> Result<(), Stop> {
        if n > self.left {
            Err(Stop::Bad)
        } else if reader.has(self.at, n as usize) {
            Ok(())
        } else {
            Err(Stop::Cut)
        }
    }

    /// Data from `from` to `to` in hexadecimal, as far as there is some.
    fn bytes(&self, reader: &mut Reader<'_, '_>, from: u32, to: u32) -> Result<(), Stop> {
        for n in from..to {
            self.check(reader, n + 1)?;
            let byte = reader.u8(self.at + n as usize)?;
            reader.hex_bytes(&[byte]);
        }
        Ok(())
    }

    /// Selective acknowledgments (RFC 2018 §3).
    fn sack(&self, reader: &mut Reader<'_, '_>, length: u32) -> Result<(), Stop> {
        if !length.is_multiple_of(8) {
            reader.text(" invalid sack");
            return Ok(());
        }
        reader.dec(" ", length / 8);
        reader.text(" ");
        for n in (0..length).step_by(8) {
            self.check(reader, n + 8)?;
            let left = reader.u32(self.at + n as usize)?;
            let right = reader.u32(self.at + n as usize + 4)?;
            reader.dec("{", left.wrapping_sub(self.sack_origin));
            reader.dec(":", right.wrapping_sub(self.sack_origin));
            reader.text("}");
        }
        Ok(())
    }

    /// The authentication option (RFC 5925 §2.2).
    fn authentication(&self, reader: &mut Reader<'_, '_>, length: u32) -> Result<(), Stop> {
        if length < 2 {
            reader.invalid();
            return Ok(());
        }
        self.check(reader, 1)?;
        reader.dec(" keyid ", reader.u8(self.at)?);
        self.check(reader, 2)?;
        reader.dec(" rnextkeyid ", reader.u8(self.at + 1)?);
        if length > 2 {
            reader.text(" mac 0x");
            self.bytes(reader, 2, length)?;
        }
        Ok(())
    }
}

/// A Fast Open cookie, or the request for one (RFC 7413 §4.1.1).
fn cookie(reader: &mut Reader<'_, '_>, at: usize, length: u32) -> Read {
    if length == 0 {
        reader.text(" cookiereq");
    } else if !length.is_multiple_of(2) || !(4..=16).contains(&length) {
        reader.invalid();
    } else {
        reader.text(" cookie ");
        reader.hex_bytes(reader.slice(at, length as usize)?);
    }
    Ok(())
}

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        END => "eol",
        NOP => "nop",
        MSS => "mss",
        WINDOW_SCALE => "wscale",
        SACK_PERMITTED => "sackOK",
        SACK => "sack",
        ECHO => "echo",
        ECHO_REPLY => "echoreply",
        TIMESTAMPS => "TS",
        CC => "cc",
        CC_NEW => "ccnew",
        // tcpdump's table has no word for it.
        CC_ECHO => "",
        MD5 => "md5",
        SCPS => "scps",
        USER_TIMEOUT => "uto",
        AUTHENTICATION => "tcp-ao",
        MPTCP => "mptcp",
        FAST_OPEN => "tfo",
        EXPERIMENT_2 => "exp",
        _ => return None,
    })
}
