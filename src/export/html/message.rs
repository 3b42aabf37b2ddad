//! One message of the list.

use super::is_control;
use super::markup::{beginning, element, line, put, shown_text};
use crate::annotate::Story;
use crate::annotate::texts::{Arg, Language};
use crate::base::Direction;
use crate::export::contents::Contents;
use crate::export::json_text::Layout;
use crate::export::palette::Palette;
use crate::export::put::number;
use crate::export::utc::Utc;
use crate::export::{escape, hexdump};
use crate::record::{Message, Opcode, Record};

/// Bytes of a text that are shown without `--full`.
const TEXT: usize = 64 << 10;
/// Bytes of a binary message that are shown without `--full`.
const BINARY: usize = 1 << 10;
/// What `--full` shows of either.
const FULL: usize = 4 << 20;
/// Bytes of a message in its first line.
const PREVIEW: usize = 160;

/// Appends message `number_on_page` as an item that opens. The script takes the items apart by how they begin.
pub(super) fn write(
    out: &mut Vec<u8>,
    number_on_page: u64,
    record: &Record<'_>,
    message: &Message<'_>,
    language: &'static Language,
    utc: &mut Utc,
    full: bool,
) {
    put(out, "<li id=m");
    number(out, number_on_page);
    put(out, " data-s=");
    number(out, record.source.number());
    if is_control(message.opcode) {
        put(out, " data-c");
    }
    put(
        out,
        match message.direction {
            Direction::ClientToServer => " class=up><details><summary><time>",
            Direction::ServerToClient => " class=down><details><summary><time>",
        },
    );
    let begin = out.len();
    utc.write(out, record.at.time);
    // The time of day: the day is in the list of sessions.
    out.drain(begin..(begin + 11).min(out.len()));
    out.pop();
    put(out, "</time> <b>#");
    number(out, record.source.number());
    put(
        out,
        match message.direction {
            Direction::ClientToServer => "</b> <i>→</i> <span>",
            Direction::ServerToClient => "</b> <i>←</i> <span>",
        },
    );
    put(out, message.opcode.name());
    put(out, " ");
    number(out, message.payload.length());
    put(out, "</span> <code>");
    preview(out, message);
    put(out, "</code></summary><pre>");
    let complete = message.complete && message.payload.holes.is_empty();
    if complete {
        payload(out, message, language, full);
    }
    put(out, "</pre>");
    if !complete {
        element(out, "p", language.catalog().w_incomplete);
    }
    put(out, "</details></li>\n");
}

fn preview(out: &mut Vec<u8>, message: &Message<'_>) {
    if let Some(close) = message.close {
        number(out, close.code.into());
        put(out, " ");
        return line(out, beginning(close.reason.as_bytes(), PREVIEW).0);
    }
    if message.opcode == Opcode::Binary || !message.payload.holes.is_empty() {
        return;
    }
    let (begin, all) = beginning(message.payload.bytes, PREVIEW);
    line(out, begin);
    if !all {
        put(out, "…");
    }
}

fn payload(out: &mut Vec<u8>, message: &Message<'_>, language: &'static Language, full: bool) {
    let bytes = message.payload.bytes;
    if message.close.is_some() {
        return preview(out, message);
    }
    let text = message.text.or_else(|| match message.opcode {
        Opcode::Binary => None,
        _ => std::str::from_utf8(bytes).ok(),
    });
    let mut shown = Vec::new();
    let left = match text {
        Some(text) => {
            let layout = Layout {
                indent: 0,
                limit: if full { FULL } else { TEXT },
                palette: Palette::new(false),
            };
            Contents::of(text, message.meaning).lay_out(&mut shown, &layout).left
        }
        None => {
            let told = bytes.len().min(if full { FULL / 8 } else { BINARY });
            hexdump::hexdump(&mut shown, &bytes[..told], 0, 0);
            bytes.len() - told
        }
    };
    shown_text(out, &shown);
    if left > 0 {
        put(out, "</pre><p>");
        let story = Story::default();
        language.words(&story, out, escape::line).w_cut(Arg::Bytes(left as u64));
        put(out, "</p><pre>");
    }
}
