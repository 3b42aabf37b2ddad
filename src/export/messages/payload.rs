//! The payload in the rest of a line.

use std::ops::Range;

use regex::bytes::Regex;
use unicode_width::UnicodeWidthChar;

use super::json;
use crate::annotate::Story;
use crate::annotate::texts::{Arg, Language, Words};
use crate::export::columns::{columns, cut};
use crate::export::escape::{self, mostly_escapes};
use crate::export::json_text;
use crate::export::palette::Palette;
use crate::export::put::{hex_pairs, number};
use crate::record::{Message, Opcode};

/// Bytes of a binary message that are shown.
const BINARY_BYTES: usize = 64;
/// Of the columns of a payload, this part may stand before what was searched for.
const BEFORE_HIT: usize = 3;

/// How payloads look.
pub(super) struct Look {
    /// Where lines end; `usize::MAX` when they are shown whole.
    pub(super) width: usize,
    pub(super) palette: &'static Palette,
    /// JSON is shown in colours.
    pub(super) json: bool,
    /// What is searched for.
    pub(super) grep: Option<Regex>,
}

impl Look {
    /// So many bytes fill every line: no character has more than four, but for those of no width.
    fn enough(&self) -> usize {
        self.width.saturating_mul(4)
    }
}

/// Appends a blank and the payload of `message`, if there is any, to the line that began at `begin`.
pub(super) fn write(
    out: &mut Vec<u8>,
    begin: usize,
    message: &Message<'_>,
    look: &Look,
    language: &Language,
    story: &Story,
) {
    let before = out.len();
    out.push(b' ');
    if let Some(close) = &message.close {
        number(out, close.code.into());
        if !close.reason.is_empty() {
            out.push(b' ');
            escape::line(out, close.reason.as_bytes());
        }
    } else if message.complete && message.payload.holes.is_empty() {
        match message.text.filter(|text| !mostly_escapes(text.as_bytes())) {
            Some(text) => known(out, begin, text, look),
            None => bytes(out, message, message.payload.bytes, look.enough()),
        }
    } else {
        partial(out, message, look, language, story);
    }
    if out.len() == before + 1 {
        // Nothing was sent, and a line does not end with a blank.
        out.truncate(before);
    } else {
        end(out, begin, before, look);
    }
}

/// A whole text: all of it, or what surrounds the first place that was searched for.
fn known(out: &mut Vec<u8>, begin: usize, text: &str, look: &Look) {
    let hit = look.grep.as_ref().and_then(|grep| grep.find(text.as_bytes()));
    let hit = hit.map(|hit| hit.range()).filter(|hit| text.get(hit.clone()).is_some());
    let Some(hit) = hit.filter(|hit| !hit.is_empty()) else {
        let shown = prefix(text, look.enough());
        return match look.json && !look.palette.key.is_empty() && json_text::begins_like_container(text) {
            true => json::coloured(out, shown, look.palette),
            false => escape::text_line(out, shown),
        };
    };
    let room = look.width.saturating_sub(columns(&out[begin..]));
    let start = start(text, &hit, room);
    if start > 0 {
        out.extend_from_slice("…".as_bytes());
    }
    escape::text_line(out, &text[start..hit.start]);
    out.extend_from_slice(look.palette.hit.as_bytes());
    escape::text_line(out, prefix(&text[hit.clone()], look.enough()));
    out.extend_from_slice(look.palette.hit_end.as_bytes());
    escape::text_line(out, prefix(&text[hit.end..], look.enough()));
}

/// Where a text begins that is to show `hit` in `room` columns.
fn start(text: &str, hit: &Range<usize>, room: usize) -> usize {
    let width = |text: &str| text.chars().map(|ch| ch.width().unwrap_or(8)).sum::<usize>();
    // Nothing is measured that cannot have room.
    if hit.end <= room.saturating_mul(4) && (hit.end <= room / 8 || width(&text[..hit.end]) <= room) {
        return 0;
    }
    let mut left = (room / BEFORE_HIT).saturating_sub(1);
    let mut start = hit.start;
    for (at, ch) in text[..hit.start].char_indices().rev() {
        let wide = ch.width().unwrap_or(8);
        if wide > left {
            break;
        }
        left -= wide;
        start = at;
    }
    start
}

/// At most so many bytes of `text`.
fn prefix(text: &str, enough: usize) -> &str {
    let bytes = escape::prefix(text.as_bytes(), enough);
    &text[..bytes.len()]
}

/// Text as text, other bytes in hex; what is sent as text or is a control frame's reads like text if it can.
fn bytes(out: &mut Vec<u8>, message: &Message<'_>, bytes: &[u8], enough: usize) {
    let text = match message.opcode {
        Opcode::Binary => false,
        _ if mostly_escapes(bytes) => false,
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
fn partial(out: &mut Vec<u8>, message: &Message<'_>, look: &Look, language: &Language, story: &Story) {
    let known = message.payload.bytes;
    let within = |offset: u64| usize::try_from(offset).unwrap_or(known.len()).min(known.len());
    let missing = |out: &mut Vec<u8>, write: &dyn Fn(&mut Words<'_>)| {
        out.extend_from_slice(look.palette.lost.as_bytes());
        write(&mut language.words(story, out, escape::line));
        out.extend_from_slice(look.palette.reset.as_bytes());
    };
    let mut from = 0;
    for hole in message.payload.holes {
        let begin = within(hole.offset);
        bytes(out, message, known.get(from..begin).unwrap_or_default(), look.enough());
        from = within(hole.offset.saturating_add(hole.length.unwrap_or(0))).max(from);
        match hole.length {
            Some(length) => missing(out, &|words| words.h_hole(Arg::Bytes(length))),
            None => missing(out, &|words| words.h_hole_unknown()),
        }
    }
    bytes(out, message, known.get(from..).unwrap_or_default(), look.enough());
    if message.payload.holes.is_empty() {
        // All bytes that came are known, but the message did not end.
        missing(out, &|words| words.h_unfinished());
    }
}

/// Ends the line that began at `begin` where the terminal ends, with an ellipsis, if that is behind `payload`.
pub(super) fn end(out: &mut Vec<u8>, begin: usize, payload: usize, look: &Look) {
    if look.width == usize::MAX {
        return;
    }
    let room = look.width.saturating_sub(columns(&out[begin..payload]));
    if cut(out, payload, room) {
        out.extend_from_slice(look.palette.hit_end.as_bytes());
        out.extend_from_slice(look.palette.reset.as_bytes());
    }
}
