//! The `message` event: by far the most frequent line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::shape::{Field, Line};
use super::{direction, put, put_string};
use crate::base::Text;
use crate::export::escape::{self, mostly_escapes};
use crate::export::json_text;
use crate::export::put::{hex_pairs, number};
use crate::record::{self, Interpretation, Message, Opcode, Payload};

/// Appends the fields of a message.
pub(super) fn write(line: &mut Line<'_>, message: &Message<'_>) {
    direction(line, message.direction);
    line.word(Field::Opcode, message.opcode.name());
    line.number(Field::Length, message.payload.length());
    line.number(Field::WireLength, message.wire_length);
    line.number(Field::Frames, u64::from(message.frames));
    masking(line, message.masked, message.masking_key);
    line.bool(Field::Compressed, message.compressed);
    packets(line, message.span.packets());
    let complete = message.complete && message.payload.holes.is_empty();
    if complete {
        whole(line, message);
    } else {
        if line.key(Field::Known) {
            known(line.out, message.opcode, &message.payload);
        }
        if line.key(Field::Missing) {
            missing(line.out, &message.payload);
        }
    }
    if let Some(close) = message.close.filter(|_| line.key(Field::Close)) {
        put(line.out, "{\"code\":");
        number(line.out, close.code.into());
        put(line.out, ",\"reason\":");
        put_string(line.out, close.reason);
        put(line.out, "}");
    }
    line.bool(Field::Complete, complete);
    line.bool(Field::Inferred, message.inferred);
    match message.meaning {
        [] => {}
        [read] => {
            if line.key(Field::Meaning) {
                meaning(line.out, read);
            }
        }
        reads => {
            if line.key(Field::Documents) {
                documents(line.out, message.text.unwrap_or_default(), reads);
            }
        }
    }
}

/// `meaning`.
fn meaning(out: &mut Vec<u8>, read: &Interpretation<'_>) {
    put(out, "{\"protocol\":\"");
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
            record::Field::Text(text) => put_text(out, text),
            record::Field::Number(value) => number(out, value),
            record::Field::Json(raw) => {
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
    put(out, "[");
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
        put(out, ",\"meaning\":");
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
pub(super) fn masking(line: &mut Line<'_>, masked: bool, key: Option<[u8; 4]>) {
    line.bool(Field::Masked, masked);
    if line.key(Field::MaskingKey) {
        match key {
            Some(key) => {
                put(line.out, "\"");
                hex_pairs(line.out, &key);
                put(line.out, "\"");
            }
            None => put(line.out, "null"),
        }
    }
}

/// `packets`, of a message or a frame.
pub(super) fn packets(line: &mut Line<'_>, (first, last): (u64, u64)) {
    if line.key(Field::Packets) {
        put(line.out, "[");
        number(line.out, first);
        put(line.out, ",");
        number(line.out, last);
        put(line.out, "]");
    }
}

/// `text` (and `json`, when it or its only document is that) or `base64`.
fn whole(line: &mut Line<'_>, message: &Message<'_>) {
    if ![Field::Text, Field::Json, Field::Base64]
        .into_iter()
        .any(|field| line.wants(field))
    {
        return;
    }
    let bytes = message.payload.bytes;
    let text = message.text.or_else(|| simdutf8::basic::from_utf8(bytes).ok());
    let Some(text) = text.filter(|_| !mostly_escapes(bytes)) else {
        if line.key(Field::Base64) {
            base64(line.out, bytes);
        }
        return;
    };
    let mut hidden = true;
    if line.key(Field::Text) {
        put(line.out, "\"");
        hidden = escape::json(line.out, text);
        put(line.out, "\"");
    }
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
        let before = line.out.len();
        if line.key(Field::Json) {
            let json = if hidden {
                json_text::minify(line.out, text)
            } else {
                json_text::minify_clean(line.out, text)
            };
            if json.is_ok() {
                return;
            }
            line.out.truncate(before);
        }
    }
}

/// `known`.
fn known(out: &mut Vec<u8>, opcode: Opcode, payload: &Payload<'_>) {
    let bytes = payload.bytes;
    put(out, "[");
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
    put(out, "]");
}

/// `missing`.
fn missing(out: &mut Vec<u8>, payload: &Payload<'_>) {
    put(out, "[");
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
            _ => {
                put(out, "\"base64\":");
                base64(out, bytes);
            }
        }
        put(out, "}]");
    }
}

/// The value of `base64`.
fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, "\"");
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
    use crate::export::json::shape::Fields;
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
        write(&mut Line::begin(&mut out, Fields::default(), "message"), &message);
        out.push(b'}');
        serde_json::from_slice(&out).unwrap()
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
