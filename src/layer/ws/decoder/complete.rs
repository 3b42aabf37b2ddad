//! A message's last way: ended, inflated if it is compressed, judged, handed on.

use super::{Decoder, Output, Shared, State};
use crate::base::PacketRef;
use crate::base::{Rule, Violation};
use crate::layer::ws::inflate::{Compressed, Inflated};
use crate::layer::ws::message_buffer::{KEPT_BUFFER, MessageBuffer};
use crate::layer::ws::resync::is_text;
use crate::layer::ws::{Close, Hole, Message, Opcode, Payload};

impl Decoder {
    /// Where frames begin is not known any more: what is unfinished ends here.
    pub(super) fn desync(&mut self, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        self.state = State::Unsynced;
        self.after_gap = true;
        self.late = false;
        if let Some(mut frame) = self.frame.take()
            && let Some(header) = frame.header
        {
            let left = header.length - frame.received;
            if let Some(partial) = frame.control.take() {
                self.finish(partial, Tail::Known(left), at, shared, out);
            } else {
                let tail = if header.fin { Tail::Known(left) } else { Tail::Cut };
                self.finish_open(tail, at, shared, out);
            }
        }
        self.finish_open(Tail::Cut, at, shared, out);
        self.history_lost();
    }

    pub(super) fn finish_open(&mut self, tail: Tail, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        if let Some(partial) = self.open.take() {
            self.finish(partial, tail, at, shared, out);
        }
    }

    /// Tells what is known of a message in pieces.
    pub(super) fn finish(
        &mut self,
        mut partial: Box<MessageBuffer>,
        tail: Tail,
        at: PacketRef,
        shared: &mut Shared,
        out: &mut impl Output,
    ) {
        let missing = partial.length - partial.bytes.len() as u64;
        let left = match tail {
            Tail::Known(left) => left,
            Tail::Whole | Tail::Cut => 0,
        };
        let tail = match tail {
            Tail::Whole | Tail::Known(_) => Some(missing.saturating_add(left)),
            Tail::Cut => None,
        };
        if tail != Some(0) {
            partial.holes.push(Hole {
                offset: partial.bytes.len() as u64,
                length: tail,
            });
        }
        let mut bytes = &partial.bytes[..];
        if partial.headless {
            // Whether it is compressed was said at the lost beginning: only of text it is clear that it is not.
            if self.inflater.is_some() && !is_text(bytes) {
                bytes = &[];
                partial.holes.clear();
                self.history_lost();
            }
            let offset = 0;
            partial.holes.insert(0, Hole { offset, length: None });
        }
        let message = Message {
            direction: self.direction,
            opcode: partial.opcode,
            payload: Payload {
                bytes,
                holes: &partial.holes,
            },
            text: None,
            wire_length: partial.length.saturating_add(left),
            frames: partial.frames,
            masked: partial.masking_key.is_some(),
            masking_key: partial.masking_key.filter(|_| !partial.key_lost),
            compressed: partial.compressed,
            extended: partial.extended,
            span: partial.span,
            range: partial.range,
            complete: partial.holes.is_empty(),
            inferred: self.inferred,
            told_late: false,
            meaning: &[],
            close: None,
        };
        self.complete(message, at, shared, out);
        shared.pool.give(partial);
    }

    /// Inflates the payload if it is compressed, judges it and hands the message on.
    pub(super) fn complete(&mut self, message: Message<'_>, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        if !message.compressed {
            return self.validate_payload(message, at, out);
        }
        let Some(inflater) = self.inflater.as_deref_mut() else {
            return;
        };
        let mut bytes = std::mem::take(&mut shared.inflated);
        let mut holes = std::mem::take(&mut shared.inflated_holes);
        let compressed = Compressed {
            payload: message.payload.bytes,
            holes: message.payload.holes,
            text: message.opcode == Opcode::Text,
            range: message.range,
        };
        let wire = compressed.payload.len();
        let limit = shared.allowance.of(wire, at.time);
        let inflated = inflater.message(&mut shared.inflaters, compressed, limit, &mut bytes, &mut holes);
        let known = bytes.len();
        shared.allowance.spend(wire, &bytes, inflated == Inflated::TooLong);
        let violation = match inflated {
            Inflated::Whole | Inflated::Partial | Inflated::TooLong => None,
            Inflated::InsideBlock => Some((
                Rule::DeflateInsideBlock,
                format!("a compressed message that ends inside of a block, behind {known} bytes"),
            )),
            Inflated::Invalid => Some((
                Rule::InflateFailed,
                format!("a compressed message that does not inflate beyond {known} bytes"),
            )),
        };
        if let Some((rule, detail)) = violation {
            out.violation(at, &Violation::new(rule, detail));
        }
        let message = Message {
            payload: Payload {
                bytes: &bytes,
                holes: &holes,
            },
            complete: inflated == Inflated::Whole,
            ..message
        };
        self.validate_payload(message, at, out);
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
        if let Some(inflater) = &mut self.inflater {
            inflater.lost();
        }
    }

    fn validate_payload(&mut self, mut message: Message<'_>, at: PacketRef, out: &mut impl Output) {
        match message.opcode {
            // Where it is not is asked only then: knowing that would cost the good ones something.
            Opcode::Text if message.complete => match simdutf8::basic::from_utf8(message.payload.bytes) {
                Ok(text) => message.text = Some(text),
                Err(_) if self.extended => {}
                Err(_) => out.violation(at, &not_utf8(message.payload.bytes)),
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

/// `bytes` are those of a text message.
#[cold]
fn not_utf8(bytes: &[u8]) -> Violation {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    Violation::new(
        Rule::InvalidUtf8,
        format!("byte {valid} of a text message is not UTF-8"),
    )
}

/// How a message ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tail {
    /// With its final frame.
    Whole,
    /// This many bytes of its final frame never came.
    Known(u64),
    /// Without its final frame.
    Cut,
}
