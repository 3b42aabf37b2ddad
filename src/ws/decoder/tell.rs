//! A message's last way: inflated if it is compressed, judged, handed on.

use super::{Decoder, KEPT_BUFFER, Output, Shared};
use crate::base::{Rule, Violation};
use crate::tcp::At;
use crate::ws::inflate::{Compressed, Inflated};
use crate::ws::{Close, Message, Opcode, Payload};

impl Decoder {
    /// Inflates the payload if it is compressed, judges it and hands the message on.
    pub(super) fn tell(&mut self, message: Message<'_>, at: At, shared: &mut Shared, out: &mut impl Output) {
        if !message.compressed {
            return self.judge_payload(message, at, out);
        }
        let Some(inflater) = self.inflater.as_deref_mut() else {
            return;
        };
        let mut bytes = std::mem::take(&mut shared.inflated);
        let mut holes = std::mem::take(&mut shared.inflated_holes);
        let known = message.payload.holes.first().map_or(u64::MAX, |h| h.offset);
        let known = usize::try_from(known).map_or(message.payload.bytes.len(), |k| k.min(message.payload.bytes.len()));
        let whole = message.payload.holes.is_empty();
        let compressed = Compressed {
            payload: &message.payload.bytes[..known],
            whole,
            text: message.opcode == Opcode::Text,
            range: message.range,
        };
        let limit = shared.limits.inflated_bytes;
        let inflated = inflater.message(&mut shared.inflaters, compressed, limit, &mut bytes, &mut holes);
        self.lost = !whole;
        if inflated == Inflated::Invalid {
            let violation = Violation::new(
                Rule::InflateFailed,
                format!(
                    "a compressed message that does not inflate beyond {} bytes",
                    bytes.len()
                ),
            );
            out.violation(at, &violation);
        }
        let message = Message {
            payload: Payload {
                bytes: &bytes,
                holes: &holes,
            },
            complete: whole && inflated == Inflated::Whole,
            ..message
        };
        self.judge_payload(message, at, out);
        // What a bomb needed must not stay for ever.
        if bytes.capacity() > KEPT_BUFFER {
            bytes = Vec::new();
        }
        if holes.capacity() > 4096 {
            holes = Vec::new();
        }
        shared.inflated = bytes;
        shared.inflated_holes = holes;
    }

    /// Compressed messages may be missing here.
    pub(super) fn history_lost(&mut self) {
        if !self.lost
            && let Some(inflater) = &mut self.inflater
        {
            inflater.lost();
            self.lost = true;
        }
    }

    fn judge_payload(&mut self, mut message: Message<'_>, at: At, out: &mut impl Output) {
        match message.opcode {
            Opcode::Text if message.complete => match simdutf8::compat::from_utf8(message.payload.bytes) {
                Ok(text) => message.text = Some(text),
                Err(error) => out.violation(
                    at,
                    &Violation::new(
                        Rule::InvalidUtf8,
                        format!("byte {} of a text message is not UTF-8", error.valid_up_to()),
                    ),
                ),
            },
            Opcode::Close => {
                self.closed = true;
                if message.complete {
                    message.close = Close::read(message.payload.bytes, |v| out.violation(at, &v));
                }
            }
            _ => {}
        }
        out.message(at, &message);
    }
}
