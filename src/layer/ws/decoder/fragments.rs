//! From frames to messages (RFC 6455 §5.4): a frame is a message of its own, begins one, goes on with one, or ends one.

use super::complete::Tail;
use super::frame::PartialFrame;
use super::{Decoder, Output, Shared, State};
use crate::base::PacketRef;
use crate::base::{Rule, Violation};
use crate::layer::ws::message_buffer::{KEPT_BUFFER, Piece};
use crate::layer::ws::{FrameInfo, Header, Message, Opcode, Payload};
use crate::layer::{Chunk, Span, StreamRange};

impl Decoder {
    /// The header is complete, the payload (or some of it) is still to come.
    pub(super) fn begin(
        &mut self,
        mut frame: Box<PartialFrame>,
        at: PacketRef,
        shared: &mut Shared,
        out: &mut impl Output,
    ) {
        let Some(header) = frame.header else { return };
        self.check(&header, at, out);
        if self.stands_alone(&header) {
            let mut partial = shared.pool.take();
            partial.begin(&header, header.opcode, false, frame.offset, frame.span);
            partial.extended = self.extended && header.has_reserved_bits();
            frame.control = Some(partial);
        } else {
            self.open_message(&header, frame.offset, &frame.span, at, shared, out);
        }
        self.state = State::Payload;
        let empty = header.length == 0;
        self.frame = Some(frame);
        if empty {
            self.frame_done(at, shared, out);
        }
    }

    /// A data frame begins: a message, or the next fragment of one.
    fn open_message(
        &mut self,
        header: &Header,
        offset: u64,
        span: &Span,
        at: PacketRef,
        shared: &mut Shared,
        out: &mut impl Output,
    ) {
        if header.opcode == Opcode::Continuation {
            if let Some(open) = &mut self.open {
                open.frames = open.frames.saturating_add(1);
                open.span.join(span);
                return;
            }
            if !std::mem::take(&mut self.after_gap) {
                let violation = Violation::new(
                    Rule::ContinuationWithoutStart,
                    "a continuation frame, and no message to continue",
                );
                out.violation(at, &violation);
            }
            let mut partial = shared.pool.take();
            partial.begin(header, Opcode::Unknown, false, offset, *span);
            partial.headless = true;
            self.open = Some(partial);
            return;
        }
        self.after_gap = false;
        if self.open.is_some() {
            self.finish_open(Tail::Cut, at, shared, out);
            let violation = Violation::new(
                Rule::NewMessageInsideOne,
                format!(
                    "a {} frame before the fragmented message before it has ended",
                    header.opcode.name()
                ),
            );
            out.violation(at, &violation);
        }
        let mut partial = shared.pool.take();
        partial.begin(
            header,
            header.opcode,
            self.inflater.is_some() && header.rsv1,
            offset,
            *span,
        );
        partial.extended = self.extended && header.has_reserved_bits();
        self.open = Some(partial);
    }

    /// A frame that lies whole in one chunk.
    pub(super) fn whole_frame(
        &mut self,
        header: &Header,
        payload: &[u8],
        chunk: &Chunk<'_>,
        shared: &mut Shared,
        out: &mut impl Output,
    ) {
        self.check(header, chunk.at, out);
        let alone = self.stands_alone(header);
        let fresh = header.fin && self.open.is_none() && header.opcode != Opcode::Continuation;
        if alone || (fresh && payload.len() <= shared.limits.message_bytes) {
            self.after_gap &= alone;
            let mut plain = std::mem::take(&mut shared.plain);
            let bytes = match header.masking_key {
                Some(key) => crate::layer::ws::mask::unmask_to(&mut plain, payload, key),
                None => payload,
            };
            let message = Message {
                direction: self.direction,
                opcode: header.opcode,
                payload: Payload::whole(bytes),
                text: None,
                wire_length: header.length,
                frames: 1,
                masked: header.masking_key.is_some(),
                masking_key: header.masking_key,
                compressed: self.inflater.is_some() && header.rsv1 && !alone,
                extended: self.extended && header.has_reserved_bits(),
                span: chunk.span,
                range: StreamRange {
                    start: chunk.offset,
                    end: chunk.offset + u64::from(header.size) + header.length,
                },
                complete: true,
                inferred: self.inferred,
                told_late: false,
                meaning: &[],
                close: None,
            };
            if shared.frames {
                out.frame(chunk.at, &self.info(header, chunk.offset, &chunk.span));
            }
            self.complete(message, chunk.at, shared, out);
            // A huge frame must not leave its buffer behind for ever.
            if plain.capacity() > KEPT_BUFFER {
                plain = Vec::new();
            }
            shared.plain = plain;
            return;
        }
        self.open_message(header, chunk.offset, &chunk.span, chunk.at, shared, out);
        if let Some(open) = &mut self.open {
            let piece = Piece {
                bytes: payload,
                key: header.masking_key,
                phase: 0,
            };
            open.append(piece, shared.limits.message_bytes);
            open.range.end = chunk.offset + u64::from(header.size) + header.length;
        }
        if shared.frames {
            out.frame(chunk.at, &self.info(header, chunk.offset, &chunk.span));
        }
        if header.fin {
            self.finish_open(Tail::Whole, chunk.at, shared, out);
        }
    }

    /// The last payload byte of the frame in pieces has come (or never will).
    pub(super) fn frame_done(&mut self, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        self.state = State::Header;
        let Some(mut frame) = self.frame.take() else { return };
        let Some(header) = frame.header else { return };
        let end = frame
            .offset
            .saturating_add(u64::from(header.size))
            .saturating_add(header.length);
        if shared.frames {
            out.frame(at, &self.info(&header, frame.offset, &frame.span));
        }
        if let Some(mut partial) = frame.control.take() {
            partial.range.end = end;
            self.finish(partial, Tail::Whole, at, shared, out);
        } else {
            if let Some(open) = &mut self.open {
                open.range.end = end;
            }
            if header.fin {
                self.finish_open(Tail::Whole, at, shared, out);
            }
        }
    }

    /// Control frames, and what nobody has defined: such a frame is a message of its own, also between fragments. But a data frame
    /// that nobody has defined may begin a fragmented message (RFC 6455 §5.4).
    fn stands_alone(&self, header: &Header) -> bool {
        match header.opcode {
            Opcode::Continuation | Opcode::Text | Opcode::Binary => false,
            opcode => opcode.is_control() || header.fin || self.open.is_some(),
        }
    }

    fn info(&self, header: &Header, offset: u64, span: &Span) -> FrameInfo {
        FrameInfo {
            direction: self.direction,
            opcode: header.opcode,
            fin: header.fin,
            rsv: [header.rsv1, header.rsv2, header.rsv3],
            masking_key: header.masking_key,
            header: header.size,
            length: header.length,
            span: *span,
            offset,
        }
    }
}
