//! The options of a TCP header (RFC 9293 §3.2; IANA's registry of their kinds).

use super::line::{Line, Printed};
use super::{mptcp, number};

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
    Truncated(super::line::Truncated),
}

impl From<super::line::Truncated> for Stop {
    fn from(truncated: super::line::Truncated) -> Self {
        Stop::Truncated(truncated)
    }
}

/// Prints the options; `false` when they are damaged or cut, and the line ends here.
pub(super) fn print(line: &mut Line<'_>, mut options: Options) -> Printed<bool> {
    line.text(", options [");
    let mut first = true;
    while options.left > 0 {
        if !first {
            line.byte(b',');
        }
        match options.next(line) {
            Ok(END) => break,
            Ok(_) => {}
            Err(Stop::Truncated(truncated)) => return Err(truncated),
            Err(Stop::Bad) => {
                line.text("[bad opt]");
                if !first {
                    line.byte(b']');
                }
                return Ok(false);
            }
            Err(Stop::Cut) => {
                line.truncated();
                if !first {
                    line.byte(b'>');
                }
                return Ok(false);
            }
        }
        first = false;
    }
    line.byte(b']');
    Ok(true)
}

/// What is left of a segment's options, and what else their text depends on.
pub(super) struct Options {
    /// Where they begin.
    pub(super) at: usize,
    /// How many bytes there are.
    pub(super) left: u32,
    /// The segment's flags.
    pub(super) flags: u8,
    /// What SACK blocks count from.
    pub(super) sack_origin: u32,
    /// Where the segment's data begin and how long they are: what an MD5 signature covers.
    pub(super) segment: (usize, u32),
}

impl Options {
    /// Prints one option and returns its kind.
    fn next(&mut self, line: &mut Line<'_>) -> Result<u8, Stop> {
        let kind = line.u8(self.at)?;
        self.at += 1;
        let mut length = 1;
        if !matches!(kind, END | NOP) {
            length = u32::from(line.u8(self.at)?);
            self.at += 1;
            if length < 2 || length > self.left {
                return Err(Stop::Bad);
            }
            self.left -= 1;
        }
        self.left -= 1;
        match name(kind) {
            Some(name) => line.text(name),
            None => line.dec("unknown-", kind),
        }
        let used = match kind {
            END | NOP => {
                if length != 1 {
                    line.dec("[len ", length);
                    line.byte(b']');
                }
                return Ok(kind);
            }
            _ => self.data(line, kind, length - 2)?,
        };
        self.at += used as usize;
        self.left -= used;
        if used + 2 != length {
            line.dec("[len ", length);
            line.byte(b']');
        }
        Ok(kind)
    }

    /// Prints an option's data, which its length says are `length` bytes; returns how many bytes it has of its kind.
    fn data(&mut self, line: &mut Line<'_>, kind: u8, length: u32) -> Result<u32, Stop> {
        let at = self.at;
        Ok(match kind {
            SACK_PERMITTED => 0,
            MSS => {
                self.check(line, 2)?;
                line.dec(" ", line.u16(at)?);
                2
            }
            WINDOW_SCALE => {
                self.check(line, 1)?;
                line.dec(" ", line.u8(at)?);
                1
            }
            SACK => {
                self.sack(line, length)?;
                length
            }
            ECHO | ECHO_REPLY | CC | CC_NEW | CC_ECHO => {
                self.check(line, 4)?;
                line.dec(" ", line.u32(at)?);
                4
            }
            TIMESTAMPS => {
                self.check(line, 8)?;
                line.dec(" val ", line.u32(at)?);
                line.dec(" ecr ", line.u32(at + 4)?);
                8
            }
            MD5 => {
                self.check(line, 16)?;
                line.text(if line.has(self.segment.0, self.segment.1 as usize) {
                    " shared secret not supplied with -M, can't check - "
                } else {
                    " snaplen too short, can't check - "
                });
                number::push_hex_bytes(line.out, line.slice(at, 16)?);
                16
            }
            SCPS => {
                self.check(line, 2)?;
                line.hex_padded(" cap ", line.u8(at)?, 2);
                line.dec(" id ", line.u8(at + 1)?);
                2
            }
            USER_TIMEOUT => {
                self.check(line, 2)?;
                let timeout = line.u16(at)?;
                line.hex(" 0x", timeout);
                let minutes = timeout & 1 != 0;
                let granularity = if minutes { 60 } else { 1 };
                line.dec(" ", u32::from(timeout >> 1) * granularity);
                2
            }
            AUTHENTICATION => {
                self.authentication(line, length)?;
                length
            }
            MPTCP => {
                self.check(line, length)?;
                // Other options may follow: the capture ends with this one for whoever prints it.
                let end = line.end;
                line.end = end.min(at + length as usize);
                let printed = mptcp::print(line, at - 2, length + 2, self.flags);
                line.end = end;
                if !printed? {
                    return Err(Stop::Bad);
                }
                length
            }
            FAST_OPEN => {
                self.check(line, length)?;
                line.byte(b' ');
                cookie(line, at, length)?;
                length
            }
            EXPERIMENT_2 => {
                self.check(line, length)?;
                if length < 2 {
                    return Err(Stop::Bad);
                }
                let id = line.u16(at)?;
                if id == EXPERIMENT_FAST_OPEN {
                    line.text("-tfo");
                    cookie(line, at + 2, length - 2)?;
                } else {
                    line.hex_padded("-", id, 4);
                }
                length
            }
            _ => {
                if length > 0 {
                    line.text(" 0x");
                }
                self.bytes(line, 0, length)?;
                length
            }
        })
    }

    /// That an option has `n` bytes of data.
    fn check(&self, line: &Line<'_>, n: u32) -> Result<(), Stop> {
        if n > self.left {
            Err(Stop::Bad)
        } else if line.has(self.at, n as usize) {
            Ok(())
        } else {
            Err(Stop::Cut)
        }
    }

    /// Data from `from` to `to` in hexadecimal, as far as there is some.
    fn bytes(&self, line: &mut Line<'_>, from: u32, to: u32) -> Result<(), Stop> {
        for n in from..to {
            self.check(line, n + 1)?;
            let byte = line.u8(self.at + n as usize)?;
            number::push_hex_bytes(line.out, &[byte]);
        }
        Ok(())
    }

    /// Selective acknowledgments (RFC 2018 §3).
    fn sack(&self, line: &mut Line<'_>, length: u32) -> Result<(), Stop> {
        if !length.is_multiple_of(8) {
            line.text(" invalid sack");
            return Ok(());
        }
        line.dec(" ", length / 8);
        line.byte(b' ');
        for n in (0..length).step_by(8) {
            self.check(line, n + 8)?;
            let left = line.u32(self.at + n as usize)?;
            let right = line.u32(self.at + n as usize + 4)?;
            line.dec("{", left.wrapping_sub(self.sack_origin));
            line.dec(":", right.wrapping_sub(self.sack_origin));
            line.byte(b'}');
        }
        Ok(())
    }

    /// The authentication option (RFC 5925 §2.2).
    fn authentication(&self, line: &mut Line<'_>, length: u32) -> Result<(), Stop> {
        if length < 2 {
            line.invalid();
            return Ok(());
        }
        self.check(line, 1)?;
        line.dec(" keyid ", line.u8(self.at)?);
        self.check(line, 2)?;
        line.dec(" rnextkeyid ", line.u8(self.at + 1)?);
        if length > 2 {
            line.text(" mac 0x");
            self.bytes(line, 2, length)?;
        }
        Ok(())
    }
}

/// A Fast Open cookie, or the request for one (RFC 7413 §4.1.1).
fn cookie(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    if length == 0 {
        line.text(" cookiereq");
    } else if !length.is_multiple_of(2) || !(4..=16).contains(&length) {
        line.invalid();
    } else {
        line.text(" cookie ");
        number::push_hex_bytes(line.out, line.slice(at, length as usize)?);
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
