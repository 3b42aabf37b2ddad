//! The payload in the rest of a line.

use unicode_width::UnicodeWidthChar;

use crate::export::escape;
use crate::export::palette::Palette;
use crate::export::put::{hex_pairs, number};
use crate::record::{Message, Opcode};

/// Bytes of a binary message that are shown.
const BINARY_BYTES: usize = 64;

/// Appends a blank and the payload of `message`, if there is any. The line, which began at `begin`, ends after at most `width`
/// columns.
pub(super) fn write(out: &mut Vec<u8>, begin: usize, message: &Message<'_>, width: usize, palette: &Palette) {
    let before = out.len();
    out.push(b' ');
    // No character is narrower than a quarter of its bytes' number in columns but those of no width; so this much is enough.
    let enough = width.saturating_mul(4);
    if let Some(close) = &message.close {
        number(out, close.code.into());
        if !close.reason.is_empty() {
            out.push(b' ');
            escape::line(out, close.reason.as_bytes());
        }
    } else if message.complete && message.payload.holes.is_empty() {
        match message.text {
            Some(text) if text.len() <= enough => escape::text_line(out, text),
            _ => bytes(out, message, message.payload.bytes, enough),
        }
    } else {
        partial(out, message, enough, palette);
    }
    if out.len() == before + 1 {
        // Nothing was sent, and a line does not end with a blank.
        out.truncate(before);
    } else if width != usize::MAX {
        cut(out, begin, before, width, palette);
    }
}

/// Text as text, other bytes in hex; what is sent as text or is a control frame's reads like text if it can.
fn bytes(out: &mut Vec<u8>, message: &Message<'_>, bytes: &[u8], enough: usize) {
    let text = match message.opcode {
        Opcode::Binary => false,
        Opcode::Text => true,
        _ => simdutf8::basic::from_utf8(bytes).is_ok(),
    };
    if text {
        let shown = escape::prefix(bytes, enough);
        escape::line(out, shown);
        if shown.len() < bytes.len() {
            out.extend_from_slice("…".as_bytes());
        }
    } else {
        let shown = &bytes[..bytes.len().min(BINARY_BYTES)];
        hex_pairs(out, shown);
        if shown.len() < bytes.len() {
            out.extend_from_slice("…".as_bytes());
        }
    }
}

/// What is known, and where how much is missing.
fn partial(out: &mut Vec<u8>, message: &Message<'_>, enough: usize, palette: &Palette) {
    let known = message.payload.bytes;
    let within = |offset: u64| usize::try_from(offset).unwrap_or(known.len()).min(known.len());
    let mut from = 0;
    for hole in message.payload.holes {
        let begin = within(hole.offset);
        bytes(out, message, known.get(from..begin).unwrap_or_default(), enough);
        from = within(hole.offset.saturating_add(hole.length.unwrap_or(0))).max(from);
        out.extend_from_slice(palette.wrong.as_bytes());
        out.extend_from_slice("[… ".as_bytes());
        if let Some(length) = hole.length {
            number(out, length);
            out.extend_from_slice(if length == 1 { b" byte " } else { b" bytes " });
        }
        out.extend_from_slice(b"missing]");
        out.extend_from_slice(palette.reset.as_bytes());
    }
    bytes(out, message, known.get(from..).unwrap_or_default(), enough);
    if message.payload.holes.is_empty() {
        // All bytes that came are known, but the message did not end.
        out.extend_from_slice(palette.wrong.as_bytes());
        out.extend_from_slice("[… unfinished]".as_bytes());
        out.extend_from_slice(palette.reset.as_bytes());
    }
}

/// Ends the line that began at `begin` after `width` columns, with an ellipsis, if that is behind `payload`.
fn cut(out: &mut Vec<u8>, begin: usize, payload: usize, width: usize, palette: &Palette) {
    let mut room = width.saturating_sub(columns(&out[begin..payload]));
    if columns(&out[payload..]) <= room {
        return;
    }
    room = room.saturating_sub(1);
    let mut end = payload;
    for (at, len, columns) in pieces(&out[payload..]) {
        if columns > room {
            break;
        }
        room -= columns;
        end = payload + at + len;
    }
    out.truncate(end);
    out.extend_from_slice("…".as_bytes());
    out.extend_from_slice(palette.reset.as_bytes());
}

/// How many columns of a terminal `line` takes; our colours take none.
pub(super) fn columns(line: &[u8]) -> usize {
    pieces(line).map(|(_, _, columns)| columns).sum()
}

/// The characters and colours of `line`: where each begins, how many bytes it has, how many columns it takes.
fn pieces(line: &[u8]) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
    // Lines are UTF-8, since what was captured has been escaped.
    let text = std::str::from_utf8(line).unwrap_or_default();
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let ch = rest.chars().next()?;
        let (len, columns) = match (ch, rest.find('m')) {
            // Only our own colours begin with an escape.
            ('\x1b', Some(end)) => (end + 1, 0),
            _ => (ch.len_utf8(), ch.width().unwrap_or(0)),
        };
        at += len;
        Some((at - len, len, columns))
    })
}
