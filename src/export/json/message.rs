//! The `message` event: by far the most frequent line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{put, put_bool, put_direction, put_string};
use crate::export::put::{hex_pairs, number};
use crate::export::{escape, json_text};
use crate::record::{Message, Opcode, Payload};

/// Appends the fields of a message.
pub(super) fn write(out: &mut Vec<u8>, message: &Message<'_>) {
    put_direction(out, message.direction);
    put(out, ",\"opcode\":\"");
    put(out, message.opcode.name());
    put(out, "\",\"length\":");
    number(out, message.payload.length());
    put(out, ",\"wire_length\":");
    number(out, message.wire_length);
    put(out, ",\"frames\":");
    number(out, message.frames.into());
    masking(out, message.masked, message.masking_key);
    put(out, ",\"compressed\":");
    put_bool(out, message.compressed);
    packets(out, message.span.packets());
    let complete = message.complete && message.payload.holes.is_empty();
    if complete {
        whole(out, message);
    } else {
        partial(out, message.opcode, &message.payload);
    }
    if let Some(close) = &message.close {
        put(out, ",\"close\":{\"code\":");
        number(out, close.code.into());
        put(out, ",\"reason\":");
        put_string(out, close.reason);
        put(out, "}");
    }
    put(out, ",\"complete\":");
    put_bool(out, complete);
    put(out, ",\"inferred\":");
    put_bool(out, message.inferred);
}

/// `masked` and `masking_key`, of a message or a frame.
pub(super) fn masking(out: &mut Vec<u8>, masked: bool, key: Option<[u8; 4]>) {
    put(out, ",\"masked\":");
    put_bool(out, masked);
    match key {
        Some(key) => {
            put(out, ",\"masking_key\":\"");
            hex_pairs(out, &key);
            put(out, "\"");
        }
        None => put(out, ",\"masking_key\":null"),
    }
}

/// `packets`, of a message or a frame.
pub(super) fn packets(out: &mut Vec<u8>, (first, last): (u64, u64)) {
    put(out, ",\"packets\":[");
    number(out, first);
    put(out, ",");
    number(out, last);
    put(out, "]");
}

/// `text` (and `json`, when it is that) or `base64`.
fn whole(out: &mut Vec<u8>, message: &Message<'_>) {
    let bytes = message.payload.bytes;
    let Some(text) = message.text.or_else(|| simdutf8::basic::from_utf8(bytes).ok()) else {
        put(out, ",");
        return base64(out, bytes);
    };
    put(out, ",\"text\":\"");
    let hidden = escape::json(out, text);
    put(out, "\"");
    if json_text::begins_like_container(text) {
        let before = out.len();
        put(out, ",\"json\":");
        let json = if hidden {
            json_text::minify(out, text)
        } else {
            json_text::minify_clean(out, text)
        };
        if json.is_err() {
            out.truncate(before);
        }
    }
}

/// `known` and `missing`.
fn partial(out: &mut Vec<u8>, opcode: Opcode, payload: &Payload<'_>) {
    let bytes = payload.bytes;
    put(out, ",\"known\":[");
    let mut pieces = Pieces { first: true, opcode };
    let mut from = 0;
    for hole in payload.holes {
        let begin = usize::try_from(hole.offset).unwrap_or(usize::MAX).min(bytes.len());
        // Nothing is known behind a hole of unknown length but when it is the beginning, and then no filler stands for it.
        let length = hole.length.unwrap_or(0);
        let end = usize::try_from(hole.offset.saturating_add(length))
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        pieces.known(out, bytes, from, begin);
        from = end.max(from);
    }
    pieces.known(out, bytes, from, bytes.len());
    put(out, "],\"missing\":[");
    for (i, hole) in payload.holes.iter().enumerate() {
        put(out, if i == 0 { "[" } else { ",[" });
        number(out, hole.offset);
        put(out, ",");
        match hole.length {
            Some(length) => number(out, length),
            None => put(out, "null"),
        }
        put(out, "]");
    }
    put(out, "]");
}

/// Writes the items of `known`.
struct Pieces {
    first: bool,
    opcode: Opcode,
}

impl Pieces {
    /// What is known from `from` to `to`. Of text, characters that a hole has cut stand apart as bytes, the rest stays legible.
    fn known(&mut self, out: &mut Vec<u8>, bytes: &[u8], from: usize, to: usize) {
        let Some(known) = bytes.get(from..to) else { return };
        if self.opcode != Opcode::Text {
            return self.piece(out, from, known);
        }
        let head = known.iter().take(3).take_while(|&&b| b & 0xc0 == 0x80).count();
        let tail = match std::str::from_utf8(&known[head..]) {
            Ok(_) => known.len(),
            Err(error) if error.error_len().is_none() => head + error.valid_up_to(),
            Err(_) => return self.piece(out, from, known),
        };
        for (begin, end) in [(0, head), (head, tail), (tail, known.len())] {
            self.piece(out, from + begin, &known[begin..end]);
        }
    }

    /// One item: its offset and its bytes, as text if they are that. None when there are no bytes.
    fn piece(&mut self, out: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        put(out, if self.first { "[" } else { ",[" });
        self.first = false;
        number(out, offset as u64);
        put(out, ",{");
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) if legible(bytes) => {
                put(out, "\"text\":");
                put_string(out, text);
            }
            _ => base64(out, bytes),
        }
        put(out, "}]");
    }
}

/// Whether what is known is worth being shown as text. Megabytes of NUL are UTF-8, and six times as long in JSON.
fn legible(bytes: &[u8]) -> bool {
    const LARGE: usize = 1 << 20;
    bytes.len() < LARGE || bytes.iter().filter(|&&byte| byte < b' ').count() < bytes.len() / 2
}

/// `base64`, without a comma before it.
fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, "\"base64\":\"");
    let begin = out.len();
    out.resize(begin + bytes.len().div_ceil(3) * 4, 0);
    // The room is exactly what is needed, so this cannot fail; if it did, the line would still be JSON.
    let written = STANDARD.encode_slice(bytes, &mut out[begin..]).unwrap_or(0);
    out.truncate(begin + written);
    put(out, "\"");
}
