//! One direction of a WebSocket connection: stream bytes and gaps in, frames and messages out (RFC 6455 §5).
//!
//! A frame that lies whole in one chunk takes the short way: its payload is borrowed from the chunk, or unmasked in one pass
//! into a buffer that is reused. What comes in pieces is joined in a [`Partial`] from a pool. Between frames and outside of
//! fragmented messages a decoder holds nothing but its position.

mod joining;
mod judge;
mod seek;
mod shared;
mod tell;
#[cfg(test)]
mod tests;
mod unfinished;

use super::inflate::Inflater;
use super::partial::{Partial, Piece};
use super::resync::Collected;
use super::{Header, MAX_HEADER, Opcode, Progress};
use crate::base::PacketRef;
use crate::base::{Direction, Gap};
use crate::layer::Chunk;
pub use shared::{Output, Shared};
use unfinished::Unfinished;

/// The decoder of one direction.
#[derive(Debug)]
pub struct Decoder {
    direction: Direction,
    inferred: bool,
    /// permessage-deflate, when it was agreed on, or may have been.
    inflater: Option<Box<Inflater>>,
    state: State,
    /// An extension that we do not know was agreed on: what the reserved bits and the payload mean is its affair (RFC 6455 §5.8).
    extended: bool,
    /// The sender has sent its close frame.
    closed: bool,
    /// No message has begun since the place in the stream was last unknown: a continuation may continue a lost one.
    adrift: bool,
    /// How many headers more must be believable before the place in the stream is certain again.
    guessed: u8,
    /// Stream offset of the next byte.
    position: u64,
    /// The data message that has begun and not ended.
    open: Option<Box<Partial>>,
    /// The frame that has begun and not ended.
    frame: Option<Box<Unfinished>>,
    /// What was collected while the place in the stream is not known.
    seek: Option<Box<Collected>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next byte begins a frame, or continues the header in `frame`.
    Header,
    /// The next byte belongs to the payload of `frame`.
    Payload,
    /// Nobody knows where the next frame begins.
    Lost,
}

impl Decoder {
    /// A decoder whose first byte, at stream offset `position`, begins a frame. `inflater` undoes permessage-deflate, when that was
    /// agreed on.
    pub fn new(direction: Direction, position: u64, inflater: Option<Box<Inflater>>, inferred: bool) -> Self {
        Self {
            direction,
            inferred,
            inflater,
            state: State::Header,
            extended: false,
            closed: false,
            adrift: false,
            guessed: 0,
            position,
            open: None,
            frame: None,
            seek: None,
        }
    }

    /// The same, when nobody knows what the first byte is.
    pub fn lost(direction: Direction, inflater: Option<Box<Inflater>>, inferred: bool) -> Self {
        Self {
            state: State::Lost,
            adrift: true,
            ..Self::new(direction, 0, inflater, inferred)
        }
    }

    /// The same for a connection that has `extended` the protocol in a way that we do not know.
    pub fn extended(mut self, extended: bool) -> Self {
        self.extended = extended;
        self
    }

    /// The same decoder, when nobody knows what its first byte is.
    pub fn adrift(self) -> Self {
        Self {
            state: State::Lost,
            adrift: true,
            ..self
        }
    }

    /// The next bytes of the stream.
    pub fn push(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) {
        if self.state == State::Lost {
            self.position = chunk.end();
            self.seek_data(chunk, shared, out);
        } else {
            self.read(chunk, shared, out);
        }
    }

    /// Bytes of which the place in the frames is known (or is lost on the way).
    fn read(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) {
        let mut here = chunk;
        self.position = chunk.end();
        while !here.bytes.is_empty() {
            let used = match self.state {
                State::Header if self.frame.is_none() => self.frame_start(here, shared, out),
                State::Header => self.header_rest(here, shared, out),
                State::Payload => self.payload(here, shared, out),
                State::Lost => {
                    self.seek_later(here, shared);
                    here.bytes.len()
                }
            };
            here = here.skip(used);
        }
    }

    /// Bytes that will not come.
    pub fn gap(&mut self, gap: Gap, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        self.position = gap.offset.saturating_add(gap.length);
        if self.state == State::Lost {
            return self.seek_gap(gap, at, shared);
        }
        if self.state == State::Payload
            && let Some(frame) = self.frame.as_deref_mut()
        {
            let left = frame.header.map_or(0, |h| h.length) - frame.received;
            let inside = left.min(gap.length);
            frame.received += inside;
            if let Some(partial) = frame.control.as_deref_mut().or(self.open.as_deref_mut()) {
                partial.skip(inside);
            }
            if inside == left {
                self.frame_done(at, shared, out);
            }
            if gap.length <= left {
                return;
            }
        } else if let Some(rest) = self.gap_over_key(gap, at, shared, out) {
            if rest.length > 0 {
                self.gap(rest, at, shared, out);
            }
            return;
        }
        self.lose(at, shared, out);
    }

    /// When all of a header is known but its masking key, it is still known what is lost, and where the next one is: begins the frame, and
    /// returns the gap behind its header.
    fn gap_over_key(&mut self, gap: Gap, at: PacketRef, shared: &mut Shared, out: &mut impl Output) -> Option<Gap> {
        let frame = self.frame.as_deref()?;
        let have = usize::from(frame.have);
        let header = Header::without_key(&frame.raw[..have]).filter(|_| frame.header.is_none())?;
        let missing = (usize::from(header.size) - have) as u64;
        if gap.length < missing || self.guessed > 0 && !self.believe(&header) {
            return None;
        }
        let mut frame = self.frame.take()?;
        frame.header = Some(header);
        frame.key_lost = true;
        self.begin(frame, at, shared, out);
        let frame = self.frame.as_deref_mut();
        if let Some(partial) = frame
            .and_then(|f| f.control.as_deref_mut())
            .or(self.open.as_deref_mut())
        {
            partial.key_lost |= partial.frames == 1;
        }
        Some(Gap {
            offset: gap.offset + missing,
            length: gap.length - missing,
            ..gap
        })
    }

    /// Perhaps bytes are missing, nobody knows how many: the next ones lie at stream offset `position`, and most likely begin a frame.
    pub fn desync(&mut self, position: u64, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        if self.state == State::Lost {
            self.seek_end(shared, out);
        }
        self.lose(at, shared, out);
        self.seek_end(shared, out);
        self.position = position;
        self.expect_at(position);
    }

    /// The stream has ended: what has begun will never be complete.
    pub fn end(&mut self, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        if self.state == State::Lost {
            self.seek_end(shared, out);
        }
        self.lose(at, shared, out);
        if let Some(mut seek) = self.seek.take() {
            seek.take(shared);
        }
        if let Some(inflater) = &mut self.inflater {
            inflater.end(&mut shared.inflaters);
        }
    }

    /// Whether nobody knows where the next frame begins.
    pub fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// Where the next byte lies in the stream.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What has begun and not ended.
    pub fn progress(&self) -> Option<Progress> {
        let frame = self.frame.as_deref();
        let partial = frame.and_then(|f| f.control.as_deref()).or(self.open.as_deref());
        if frame.is_none() && partial.is_none() {
            return None;
        }
        Some(Progress {
            direction: self.direction,
            opcode: partial.map_or(Opcode::Continuation, |p| p.opcode),
            received: frame.map_or(0, |f| f.received),
            total: frame.and_then(|f| f.header).map(|h| h.length),
            frames: partial.map_or(0, |p| p.frames),
            first_packet: partial
                .map(|p| p.span.first.packet)
                .or(frame.map(|f| f.span.first.packet))
                .unwrap_or_default(),
        })
    }

    /// At the start of a frame.
    fn frame_start(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) -> usize {
        let Some(header) = Header::parse(chunk.bytes) else {
            let mut raw = [0; MAX_HEADER];
            raw[..chunk.bytes.len()].copy_from_slice(chunk.bytes);
            self.frame = Some(Box::new(Unfinished::new(raw, chunk.bytes.len(), &chunk)));
            return chunk.bytes.len();
        };
        if self.guessed > 0 && !self.believe(&header) {
            self.lose(chunk.at, shared, out);
            return 1;
        }
        let size = usize::from(header.size);
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if chunk.bytes.len() - size >= length {
            let payload = &chunk.bytes[size..size + length];
            self.whole_frame(&header, payload, &chunk.slice(0..size + length), shared, out);
            return size + length;
        }
        let mut frame = Box::new(Unfinished::new([0; MAX_HEADER], 0, &chunk.slice(0..size)));
        frame.header = Some(header);
        self.begin(frame, chunk.at, shared, out);
        size
    }

    /// In a header that began in an earlier chunk.
    fn header_rest(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) -> usize {
        let Some(mut frame) = self.frame.take() else {
            return 0;
        };
        let mut used = 0;
        while used < chunk.bytes.len() {
            let have = usize::from(frame.have);
            if have >= 2 && have == Header::size_of(frame.raw[1]) {
                break;
            }
            frame.raw[have] = chunk.bytes[used];
            frame.have += 1;
            used += 1;
        }
        frame.span.join(&chunk.slice(0..used).span);
        frame.header = Header::parse(&frame.raw[..usize::from(frame.have)]);
        if let Some(header) = &frame.header {
            if self.guessed > 0 && !self.believe(header) {
                self.lose(chunk.at, shared, out);
                return used;
            }
            self.begin(frame, chunk.at, shared, out);
        } else {
            self.frame = Some(frame);
        }
        used
    }

    /// In a payload that did not come whole.
    fn payload(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) -> usize {
        let Some(frame) = self.frame.as_deref_mut() else {
            self.state = State::Header;
            return 0;
        };
        let Some(header) = frame.header else {
            self.state = State::Header;
            return 0;
        };
        let left = header.length - frame.received;
        let used = usize::try_from(left).map_or(chunk.bytes.len(), |left| left.min(chunk.bytes.len()));
        let span = chunk.slice(0..used).span;
        if let Some(partial) = frame.control.as_deref_mut().or(self.open.as_deref_mut()) {
            let piece = Piece {
                bytes: &chunk.bytes[..used],
                key: header.masking_key,
                phase: frame.received,
            };
            if frame.key_lost {
                partial.skip(used as u64);
            } else {
                shared.append(partial, piece);
            }
            partial.span.join(&span);
        }
        frame.span.join(&span);
        frame.received += used as u64;
        if frame.received == header.length {
            self.frame_done(chunk.at, shared, out);
        }
        used
    }
}
