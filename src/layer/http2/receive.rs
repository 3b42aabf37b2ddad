//! From the bytes of both sides to frames.

use super::connection::Connection;
use super::event::{Output, StreamEnd};
use super::frame::{self, FrameHeader, HEADER};
use super::half::{Block, Frame, Mode};
use crate::base::{Gap, GapCause, PacketRef, Rule, Side};
use crate::layer::Chunk;
use crate::record::Http2Frame as Told;

/// SETTINGS_MAX_FRAME_SIZE (RFC 9113 §6.5.2), SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3).
const MAX_FRAME_SIZE: u16 = 0x5;
const ENABLE_CONNECT_PROTOCOL: u16 = 0x8;

/// The least that a lost frame takes of what matters: a header and one byte.
const LEAST_FRAME: u64 = HEADER as u64 + 1;

impl Connection {
    /// The next bytes that `side` sends; each call begins where a segment or a TLS record does.
    pub fn data(&mut self, side: Side, chunk: Chunk<'_>, out: &mut impl Output) {
        self.allow_heads(chunk.bytes.len());
        let mut rest = chunk;
        while !rest.bytes.is_empty() {
            let half = &mut self.halves[side.index()];
            let used = match half.mode {
                Mode::Preface(have) => match half.preface(have, rest.bytes) {
                    Some(used) => {
                        if half.mode == Mode::Header {
                            self.tell(side, 0, Told::Preface, rest.at, out);
                        }
                        used
                    }
                    None => {
                        half.lose();
                        self.settings_lost(side);
                        0
                    }
                },
                Mode::Header => self.header(side, &rest, out),
                Mode::Payload => self.payload(side, &rest, out),
                Mode::Lost => {
                    let border = rest.offset == chunk.offset;
                    let streams = &self.streams;
                    half.search(&rest, border, |stream| streams.is_followed(stream))
                }
            };
            rest = rest.skip(used);
        }
    }

    /// Bytes that `side` sent and that will not come.
    pub fn gap(&mut self, side: Side, gap: Gap, at: PacketRef, out: &mut impl Output) {
        let half = &mut self.halves[side.index()];
        let mut left = gap.length;
        if let Mode::Preface(have) = half.mode {
            let missing = frame::PREFACE.len() as u64 - u64::from(have);
            if left < missing {
                half.mode = Mode::Preface(have + left as u8);
                return;
            }
            half.mode = Mode::Header;
            left -= missing;
        }
        if half.mode == Mode::Payload {
            let inside = left.min(u64::from(half.frame.left)) as u32;
            left -= u64::from(inside);
            self.hole(side, inside, Gap { length: 0, ..gap }, at, out);
        }
        // Between two frames nothing is lost with nothing.
        if left == 0 {
            return;
        }
        self.settings_lost(side);
        let half = &mut self.halves[side.index()];
        let most = left.saturating_sub(HEADER as u64);
        let was_lost = half.mode == Mode::Lost;
        let header_lost = !half.is_between_frames();
        half.lose();
        if let Some(block) = &mut half.block {
            block.readable = false;
        }
        if was_lost || header_lost || left >= LEAST_FRAME {
            let length = most.max(1);
            self.lost_frames(side, Gap { length, ..gap }, at, out);
        }
    }

    /// So many bytes of the current frame's payload are missing.
    fn hole(&mut self, side: Side, length: u32, gap: Gap, at: PacketRef, out: &mut impl Output) {
        let half = &mut self.halves[side.index()];
        let frame = &mut half.frame;
        let (header, missing) = (frame.header, u32::from(frame.need - frame.have));
        let fixed = length.min(missing);
        if fixed > 0 {
            frame.damaged = true;
            frame.have += fixed as u8;
        }
        // Without the pad length nobody knows where the content ends.
        let exact = !(frame.damaged && header.may_be_padded());
        let content = (length - fixed).min(frame.content);
        frame.content -= content;
        frame.left -= length;
        if let Some(block) = half.block.as_mut().filter(|_| is_field_block(header.kind)) {
            block.readable = false;
        }
        let done = half.frame.left == 0;
        if header.kind == frame::SETTINGS {
            self.settings_lost(side);
        }
        if header.kind == frame::DATA {
            let gap = Gap {
                length: u64::from(content),
                ..gap
            };
            self.gap_of(side, header.stream, gap, exact, at, out);
        }
        if done {
            self.frame_ends(side, gap.offset, at, out);
        }
    }

    /// In a header: how many bytes were used.
    fn header(&mut self, side: Side, chunk: &Chunk<'_>, out: &mut impl Output) -> usize {
        let half = &mut self.halves[side.index()];
        let (used, header) = half.header(chunk.bytes);
        let Some(header) = header else { return used };
        let streams = &self.streams;
        let evidence = || header.evidence(half.max_length(), |stream| streams.is_followed(stream));
        if half.unproven && evidence().is_none() || header.length > half.max_length() {
            let (was_proven, limit) = (!half.unproven, half.max_length);
            half.lose();
            self.settings_lost(side);
            if was_proven {
                if limit.is_some() {
                    let detail = "a frame longer than its receiver allows";
                    self.violation(side, 0, Rule::Http2FrameSize, detail, chunk.at, out);
                }
                let gap = Gap {
                    offset: chunk.offset,
                    length: 1,
                    cause: GapCause::Lost,
                };
                self.lost_frames(side, gap, chunk.at, out);
            }
            return used.min(1);
        }
        half.unproven = false;
        self.frame_begins(side, header, &chunk.slice(0..used), out);
        used
    }

    fn frame_begins(&mut self, side: Side, header: FrameHeader, chunk: &Chunk<'_>, out: &mut impl Output) {
        let (start, at) = (chunk.end() - HEADER as u64, chunk.at);
        let half = &mut self.halves[side.index()];
        half.frame = Frame::new(header);
        half.mode = Mode::Payload;
        let stream = header.stream;
        match header.kind {
            frame::DATA => {
                let (length, end) = (header.length, header.ends_stream());
                self.tell(side, stream, Told::Data { length, end }, at, out);
            }
            frame::HEADERS | frame::PUSH_PROMISE => {
                if half.block.take().is_some() {
                    // Its end is lost, or it has none (§6.10).
                    half.decoder.forget();
                }
                let promised = header.kind == frame::PUSH_PROMISE;
                half.fields.clear();
                half.block = Some(Block {
                    stream,
                    start,
                    span: chunk.span,
                    ends_stream: header.ends_stream(),
                    promised,
                    continuations: 0,
                    rest: Vec::new(),
                    readable: true,
                    too_long: false,
                });
                if self.client != Some(side.other()) && !promised && stream % 2 == 1 && stream > self.last_stream {
                    self.last_stream = stream;
                }
            }
            frame::CONTINUATION => {
                let most = self.bounds.continuations;
                if let Some(block) = &mut half.block {
                    block.span.join(&chunk.span);
                    block.continuations += 1;
                    if block.continuations == most + 1 {
                        let detail = "a field block in more CONTINUATION frames than anybody needs";
                        self.violation(side, stream, Rule::Http2FieldBlock, detail, at, out);
                    }
                }
            }
            _ => {}
        }
        if header.length == 0 {
            self.frame_ends(side, start + HEADER as u64, at, out);
        }
    }

    /// In a payload: how many bytes were used.
    fn payload(&mut self, side: Side, chunk: &Chunk<'_>, out: &mut impl Output) -> usize {
        let mut frame = self.halves[side.index()].frame;
        let used = chunk.bytes.len().min(frame.left as usize);
        let begins = frame.left == frame.header.length;
        let mut piece = chunk.slice(0..used);
        frame.left -= used as u32;
        while frame.have < frame.need && !piece.bytes.is_empty() {
            let missing = usize::from(frame.need - frame.have);
            let here = missing.min(piece.bytes.len());
            let have = usize::from(frame.have);
            frame.fixed[have..have + here].copy_from_slice(&piece.bytes[..here]);
            frame.have += here as u8;
            piece = piece.skip(here);
            if here == missing {
                self.fixed_part(side, &mut frame, chunk.at, out);
            }
        }
        let content = piece.bytes.len().min(frame.content as usize);
        let whole = begins && content == frame.content as usize;
        frame.content -= content as u32;
        self.halves[side.index()].frame = frame;
        if content > 0 {
            let piece = Chunk {
                whole,
                ..piece.slice(0..content)
            };
            match frame.header.kind {
                frame::DATA => self.data_of(side, frame.header.stream, piece, out),
                kind if is_field_block(kind) => self.fields(side, &piece, out),
                _ => {}
            }
        }
        if frame.left == 0 {
            self.frame_ends(side, chunk.offset + used as u64, chunk.at, out);
        }
        used
    }

    /// What stands before the content is complete.
    fn fixed_part(&mut self, side: Side, frame: &mut Frame, at: PacketRef, out: &mut impl Output) {
        if frame.header.may_be_padded() {
            let padding = u32::from(frame.fixed[0]);
            if padding > frame.content {
                let detail = "padding that is longer than its frame";
                self.violation(side, frame.header.stream, Rule::Http2Padding, detail, at, out);
            }
            frame.content = frame.content.saturating_sub(padding);
        }
        if frame.header.kind == frame::SETTINGS && !frame.damaged {
            let [a, b, value @ ..] = frame.fixed;
            let value = value.first_chunk().map_or(0, |value| u32::from_be_bytes(*value));
            self.setting(side, u16::from_be_bytes([a, b]), value);
            // The next one.
            frame.have = 0;
            frame.need = if frame.content >= 6 { 6 } else { 0 };
            frame.content -= u32::from(frame.need);
        }
    }

    /// Settings of `side` may be lost.
    fn settings_lost(&mut self, side: Side) {
        self.halves[side.index()].settings_complete = false;
        self.halves[side.other().index()].max_length = None;
    }

    fn setting(&mut self, side: Side, name: u16, value: u32) {
        match name {
            MAX_FRAME_SIZE => self.halves[side.other().index()].max_length = Some(value),
            ENABLE_CONNECT_PROTOCOL => self.halves[side.index()].enable_connect = Some(value == 1),
            _ => {}
        }
    }

    /// A part of a field block.
    fn fields(&mut self, side: Side, piece: &Chunk<'_>, out: &mut impl Output) {
        let most = self.bounds.field_block;
        let half = &mut self.halves[side.index()];
        let Some(block) = half.block.as_mut().filter(|block| block.readable) else {
            return;
        };
        let stream = block.stream;
        block.span.join(&piece.span);
        let mut fits = true;
        let fields = &mut half.fields;
        let mut read = |bytes: &[u8]| half.decoder.read(bytes, |field| fits &= fields.push(field, most));
        let result = if block.rest.is_empty() {
            read(piece.bytes).map(|used| block.rest.extend_from_slice(&piece.bytes[used..]))
        } else {
            block.rest.extend_from_slice(piece.bytes);
            read(&block.rest).map(|used| drop(block.rest.drain(..used)))
        };
        if block.rest.len() > most {
            (block.readable, block.rest, fits) = (false, Vec::new(), false);
        }
        let tell_length = !fits && !std::mem::replace(&mut block.too_long, true);
        if let Err(malformed) = result {
            block.readable = false;
            self.violation(side, stream, Rule::Http2Compression, malformed.detail(), piece.at, out);
        }
        if tell_length {
            let detail = "a field block longer than is kept";
            self.violation(side, stream, Rule::Http2FieldBlock, detail, piece.at, out);
        }
    }

    /// All of a frame has come, or will not come; `end` is where it ends in its stream.
    fn frame_ends(&mut self, side: Side, end: u64, at: PacketRef, out: &mut impl Output) {
        let half = &mut self.halves[side.index()];
        half.mode = Mode::Header;
        let frame = half.frame;
        let (header, stream) = (frame.header, frame.header.stream);
        match header.kind {
            frame::DATA => {
                if header.ends_stream() {
                    self.stream_ended(side, stream, at, out);
                }
            }
            kind if is_field_block(kind) => {
                if header.has(frame::END_HEADERS)
                    && let Some(block) = half.block.take()
                {
                    self.block_ends(side, &block, end, at, out);
                }
            }
            frame::SETTINGS if header.has(frame::ACK) => self.tell(side, 0, Told::SettingsAck, at, out),
            frame::SETTINGS => {
                // An earlier one may have allowed it.
                if half.settings_complete {
                    half.enable_connect.get_or_insert(false);
                }
                let enable_connect = half.enable_connect;
                self.tell(side, 0, Told::Settings { enable_connect }, at, out);
            }
            frame::RST_STREAM => {
                let code = frame.number(0);
                if let Some(code) = code {
                    self.tell(side, stream, Told::Reset { code }, at, out);
                }
                self.stream_closed(side, stream, StreamEnd::Reset(code), at, out);
            }
            frame::GOAWAY => {
                if let Some((last, code)) = frame.number(0).zip(frame.number(4)) {
                    let last = last & 0x7fff_ffff;
                    self.tell(side, 0, Told::GoAway { last, code }, at, out);
                    self.go_away(side, last, code, at, out);
                }
            }
            frame::PING => {
                let ack = header.has(frame::ACK);
                self.tell(side, 0, Told::Ping { ack }, at, out);
            }
            frame::WINDOW_UPDATE => {
                if let Some(increment) = frame.number(0) {
                    let increment = increment & 0x7fff_ffff;
                    self.tell(side, stream, Told::WindowUpdate { increment }, at, out);
                }
            }
            kind => self.tell(side, stream, Told::Other(kind), at, out),
        }
    }

    fn block_ends(&mut self, side: Side, block: &Block, end: u64, at: PacketRef, out: &mut impl Output) {
        let half = &mut self.halves[side.index()];
        let mut fields = std::mem::take(&mut half.fields);
        half.decoder.end_block();
        if !block.readable || !block.rest.is_empty() {
            half.decoder.forget();
            fields.set_incomplete();
        }
        self.fields_of(side, block, &mut fields, end, at, out);
        fields.clear();
        self.halves[side.index()].fields = fields;
        if block.ends_stream {
            self.stream_ended(side, block.stream, at, out);
        }
    }
}

/// Whether frames of this type carry a part of a field block (RFC 9113 §4.3).
fn is_field_block(kind: u8) -> bool {
    matches!(kind, frame::HEADERS | frame::CONTINUATION | frame::PUSH_PROMISE)
}
