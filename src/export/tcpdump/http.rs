//! The first line of an HTTP/1.x message (RFC 9112 §2.1), or with `-v` all lines of its head.

use super::line::Reader;
use crate::wire::reader::{Read, Truncated};

/// The ports on which tcpdump looks for HTTP.
const PORTS: [u16; 2] = [80, 8080];

/// Ports of which tcpdump asks the printer before HTTP's: telnet, SMTP, whois, BGP, PPTP, RESP, SSH, BEEP, OpenFlow (two), FTP.
const BEFORE: [u16; 11] = [23, 25, 43, 179, 1723, 6379, 22, 10288, 6633, 6653, 21];

/// Whether tcpdump looks for HTTP in a segment from and to these ports.
#[inline]
pub(super) fn is_expected(source: u16, destination: u16) -> bool {
    let has = |ports: &[u16]| ports.contains(&source) || ports.contains(&destination);
    has(&PORTS) && !has(&BEFORE)
}

/// The longest token that is looked at.
const TOKEN: usize = 128;

/// The methods that tcpdump knows, WebDAV's among them.
const METHODS: [&str; 38] = [
    "GET",
    "PUT",
    "COPY",
    "HEAD",
    "LOCK",
    "MOVE",
    "POLL",
    "POST",
    "BCOPY",
    "BMOVE",
    "MKCOL",
    "TRACE",
    "LABEL",
    "MERGE",
    "DELETE",
    "SEARCH",
    "UNLOCK",
    "REPORT",
    "UPDATE",
    "NOTIFY",
    "BDELETE",
    "CONNECT",
    "OPTIONS",
    "CHECKIN",
    "PROPFIND",
    "CHECKOUT",
    "CCM_POST",
    "SUBSCRIBE",
    "PROPPATCH",
    "BPROPFIND",
    "BPROPPATCH",
    "UNCHECKOUT",
    "MKACTIVITY",
    "MKWORKSPACE",
    "UNSUBSCRIBE",
    "RPC_CONNECT",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
];

/// Prints a payload of `length` bytes at `at`: `: HTTP`, and the text when it begins as a request or a response does.
pub(super) fn print(reader: &mut Reader<'_, '_>, at: usize, length: u32) -> Read {
    reader.protocol = "http";
    reader.text(": HTTP");
    let captured = reader.rest(at, length as usize);
    let cut = captured.len() < length as usize;
    if !begins_message(captured, cut) {
        return Ok(());
    }
    if reader.verbose() == 0 {
        text_line(reader, ": ", captured, 0, length as usize)?;
        return Ok(());
    }
    reader.dec(", length: ", length);
    let mut index = 0;
    while index < length as usize {
        match text_line(reader, "\n\t", captured, index, length as usize)? {
            Some(next) => index = next,
            None => break,
        }
    }
    Ok(())
}

/// Whether the first token is a method, or the second one a status code of three digits.
fn begins_message(payload: &[u8], cut: bool) -> bool {
    let Some((first, next)) = token(payload, 0, cut) else {
        return false;
    };
    if METHODS
        .iter()
        .any(|method| first.eq_ignore_ascii_case(method.as_bytes()))
    {
        return true;
    }
    token(payload, next, cut).is_some_and(|(second, _)| second.len() == 3 && second.iter().all(u8::is_ascii_digit))
}

/// The token at `index`, and where the one after it begins, on the same line. In a payload that was cut, a token that reaches its
/// end is none.
fn token(payload: &[u8], index: usize, cut: bool) -> Option<(&[u8], usize)> {
    let rest = payload.get(index..)?;
    let end = rest
        .iter()
        .position(|&b| matches!(b, b' ' | b'\t' | b'\r' | b'\n') || !b.is_ascii_graphic());
    let length = match end {
        Some(end) if !matches!(rest[end], b' ' | b'\t' | b'\r' | b'\n') => return None,
        Some(end) => end,
        None if cut => return None,
        None => rest.len(),
    };
    if length == 0 || length > TOKEN {
        return None;
    }
    let blanks = rest[length..].iter().take_while(|&&b| b == b' ').count();
    Some((&rest[..length], index + length + blanks))
}

/// Prints the line at `index` of a payload of `length` bytes, and returns where the next one begins, if there may be one.
fn text_line(
    reader: &mut Reader<'_, '_>,
    before: &str,
    captured: &[u8],
    index: usize,
    length: usize,
) -> Read<Option<usize>> {
    let mut at = index;
    let byte = |at: usize| captured.get(at).copied().ok_or(Truncated);
    let next = loop {
        if at >= length {
            // Text to the end without a line break.
            reader.text(before);
            reader.to.text.put(&captured[index..at]);
            reader.truncated();
            return Ok(None);
        }
        match byte(at)? {
            b'\n' => break at + 1,
            b'\r' if at + 1 >= length => return Ok(None),
            b'\r' if byte(at + 1)? == b'\n' => break at + 2,
            b'\t' | 0x20..=0x7e => at += 1,
            // Not text: nothing of the line is shown.
            _ => return Ok(None),
        }
    };
    reader.text(before);
    reader.to.text.put(&captured[index..at]);
    Ok(Some(next))
}
