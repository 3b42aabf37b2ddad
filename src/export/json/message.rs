//! The `message` event: by far the most frequent line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{put, put_bool, put_direction, put_string};
use crate::base::Text;
use crate::export::escape::{self, mostly_escapes};
use crate::export::json_text;
use crate::export::put::{hex_pairs, number};
use crate::record::{Field, Interpretation, Message, Opcode, Payload};

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
    match message.meaning {
        [] => {}
        [read] => meaning(out, read),
        reads => documents(out, message.text.unwrap_or_default(), reads),
    }
}

/// `meaning`.
fn meaning(out: &mut Vec<u8>, read: &Interpretation<'_>) {
    put(out, ",\"meaning\":{\"protocol\":\"");
    put(out, read.protocol);
    put(out, "\",\"action\":\"");
    put(out, read.action.name());
    put(out, "\",\"label\":");
    optional_text(out, read.label);
    put(out, ",\"id\":");
    optional_text(out, read.id);
    match &read.answers {
        Some(answers) => {
            put(out, ",\"answers\":{\"packet\":");
            number(out, answers.packet);
            put(out, ",\"after_ms\":");
            milliseconds(out, answers.after);
            put(out, if answers.again { ",\"again\":true}" } else { "}" });
        }
        None => put(out, ",\"answers\":null"),
    }
    for (name, field) in read.fields.iter() {
        put(out, ",\"");
        put(out, name);
        put(out, "\":");
        match field {
            Field::Text(text) => put_text(out, text),
            Field::Number(value) => number(out, value),
            Field::Json(raw) => {
                let before = out.len();
                if json_text::minify(out, raw).is_err() {
                    out.truncate(before);
                    put_string(out, raw);
                }
            }
        }
    }
    put(out, "}");
}

/// `documents`.
fn documents(out: &mut Vec<u8>, text: &str, reads: &[Interpretation<'_>]) {
    put(out, ",\"documents\":[");
    for (i, read) in reads.iter().enumerate() {
        let (offset, length) = read.document.unwrap_or_default();
        put(out, if i == 0 { "{\"offset\":" } else { ",{\"offset\":" });
        number(out, offset as u64);
        put(out, ",\"length\":");
        number(out, length as u64);
        let document = text.get(offset..offset.saturating_add(length)).unwrap_or_default();
        if json_text::begins_like_container(document) {
            let before = out.len();
            put(out, ",\"json\":");
            if json_text::minify(out, document).is_err() {
                out.truncate(before);
            }
        }
        meaning(out, read);
        put(out, "}");
    }
    put(out, "]");
}

fn optional_text(out: &mut Vec<u8>, text: Option<Text<'_>>) {
    match text {
        Some(text) => put_text(out, text),
        None => put(out, "null"),
    }
}

/// A captured text as a string.
fn put_text(out: &mut Vec<u8>, text: Text<'_>) {
    if let Some(plain) = text.as_plain() {
        return put_string(out, plain);
    }
    let mut resolved = Vec::new();
    text.copy_into(&mut resolved, usize::MAX);
    put_string(out, &String::from_utf8_lossy(&resolved));
}

/// Nanoseconds as milliseconds with three digits behind the point.
fn milliseconds(out: &mut Vec<u8>, nanos: i64) {
    if nanos < 0 {
        put(out, "-");
    }
    let micros = nanos.unsigned_abs() / 1_000;
    number(out, micros / 1_000);
    put(out, ".");
    let digits = micros % 1_000;
    out.extend_from_slice(&[100, 10, 1].map(|place| b'0' + (digits / place % 10) as u8));
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

/// `text` (and `json`, when it or its only document is that) or `base64`.
fn whole(out: &mut Vec<u8>, message: &Message<'_>) {
    let bytes = message.payload.bytes;
    let text = message.text.or_else(|| simdutf8::basic::from_utf8(bytes).ok());
    let Some(text) = text.filter(|_| !mostly_escapes(bytes)) else {
        put(out, ",");
        return base64(out, bytes);
    };
    put(out, ",\"text\":\"");
    let hidden = escape::json(out, text);
    put(out, "\"");
    let document = match message.meaning {
        [] => None,
        [read] => read
            .document
            .and_then(|(offset, length)| text.get(offset..)?.get(..length)),
        _ => return,
    };
    for text in [Some(text), document].into_iter().flatten() {
        if !json_text::begins_like_container(text) {
            continue;
        }
        let before = out.len();
        put(out, ",\"json\":");
        let json = if hidden {
            json_text::minify(out, text)
        } else {
            json_text::minify_clean(out, text)
        };
        if json.is_ok() {
            return;
        }
        out.truncate(before);
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
        if !matches!(self.opcode, Opcode::Text | Opcode::Unknown) {
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
            Ok(text) if !mostly_escapes(bytes) => {
                put(out, "\"text\":");
                put_string(out, text);
            }
            _ => base64(out, bytes),
        }
        put(out, "}]");
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::export::samples;
    use crate::record::Action;

    fn written(opcode: Opcode, bytes: &[u8], places: &[(usize, usize)]) -> Value {
        let meaning: Vec<_> = places
            .iter()
            .map(|&place| Interpretation {
                document: Some(place),
                ..Interpretation::new("MQTT", Action::Ping)
            })
            .collect();
        let message = Message {
            meaning: &meaning,
            ..samples::message(opcode, bytes)
        };
        let mut out = Vec::new();
        write(&mut out, &message);
        serde_json::from_str(&format!(
            "{{{}}}",
            String::from_utf8(out).unwrap().trim_start_matches(',')
        ))
        .unwrap()
    }

    #[test]
    fn several_documents_of_a_binary_message_stand_at_their_places() {
        let message = written(Opcode::Binary, b"\xc0\x00\xc0\x00", &[(0, 2), (2, 2)]);
        assert_eq!(message["documents"][1]["offset"], 2);
        assert_eq!(message["documents"][1]["meaning"]["action"], "ping");
        assert_eq!(
            (&message["base64"], &message["meaning"]),
            (&json!("wADAAA=="), &Value::Null)
        );
    }

    #[test]
    fn a_single_document_is_no_list() {
        let message = written(Opcode::Text, b"{\"type\":6}\x1e", &[(0, 10)]);
        assert_eq!(
            (&message["json"], &message["documents"]),
            (&json!({"type": 6}), &Value::Null)
        );
        assert_eq!(message["meaning"]["action"], "ping");
        let array = written(Opcode::Text, br#"["{}"]"#, &[(2, 2)]);
        assert_eq!(array["json"], json!(["{}"]));
    }
}
