//! One direction of a WebSocket connection: stream bytes and gaps in, frames and messages out (RFC 6455 §5).
//!
//! A frame that lies whole in one chunk takes the short way: its payload is borrowed from the chunk, or unmasked in one pass
//! into a buffer that is reused. What comes in pieces is joined in a [`MessageBuffer`] from a pool. Between frames and outside of
//! fragmented messages a decoder holds nothing but its position.

mod complete;
mod context;
mod fragments;
mod frame;
mod resync;
#[cfg(test)]
mod tests;
mod validate;

use super::inflate::Inflater;
use super::message_buffer::{MessageBuffer, Piece};
use super::resync::Collected;
use super::{Header, MAX_HEADER, Opcode, Progress};
use crate::base::PacketRef;
use crate::base::{Direction, Gap, GapCause};
use crate::layer::Chunk;
pub use context::{Output, Shared};
use frame::PartialFrame;

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
    /// Its frames are masked, or not, when that is known.
    masks: Option<bool>,
    /// The sender has sent its close frame.
    closed: bool,
    /// No frame has been read yet, and the first ones were not captured.
    late: bool,
    /// No message has begun since the place in the stream was last unknown: a continuation may continue a lost one.
    after_gap: bool,
    /// How many headers more must be believable before the place in the stream is certain again.
    trust_left: u8,
    /// Stream offset of the next byte.
    position: u64,
    /// The data message that has begun and not ended.
    open: Option<Box<MessageBuffer>>,
    /// The frame that has begun and not ended.
    frame: Option<Box<PartialFrame>>,
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
    Unsynced,
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
            masks: Some(matches!(direction, Direction::ClientToServer)),
            closed: false,
            late: false,
            after_gap: false,
            trust_left: 0,
            position,
            open: None,
            frame: None,
            seek: None,
        }
    }

    /// The same, when nobody knows what the first byte is.
    pub fn unsynced(direction: Direction, inflater: Option<Box<Inflater>>, inferred: bool) -> Self {
        Self {
            late: true,
            ..Self::new(direction, 0, inflater, inferred).unsync()
        }
    }

    /// The same for a connection that has `extended` the protocol in a way that we do not know.
    pub fn extended(mut self, extended: bool) -> Self {
        self.extended = extended;
        self
    }

    /// The same for a direction that masks or not, whatever it should do; `None` when that is not known.
    pub fn masking(mut self, masks: Option<bool>) -> Self {
        self.masks = masks;
        self
    }

    /// The same decoder, when nobody knows what its first byte is.
    pub fn unsync(mut self) -> Self {
        // Messages before it may have gone unseen.
        self.history_lost();
        Self {
            state: State::Unsynced,
            after_gap: true,
            ..self
        }
    }

    /// The next bytes of the stream.
    pub fn push(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) {
        if self.state == State::Unsynced {
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
                State::Unsynced => {
                    self.seek_later(here);
                    here.bytes.len()
                }
            };
            here = here.skip(used);
        }
    }

    /// Bytes that will not come.
    pub fn gap(&mut self, gap: Gap, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        self.position = gap.end();
        if self.state == State::Unsynced {
            return self.seek_gap(gap, at);
        }
        if self.state == State::Payload
            && let Some(frame) = self.frame.as_deref_mut()
        {
            let left = frame.header.map_or(0, |h| h.length) - frame.received;
            let inside = if gap.is_unknown() { left } else { left.min(gap.length) };
            frame.received += inside;
            if let Some(partial) = frame.control.as_deref_mut().or(self.open.as_deref_mut()) {
                partial.skip(inside);
            }
            if inside == left {
                self.frame_done(at, shared, out);
            }
            if gap.length <= left && !gap.is_unknown() {
                return;
            }
        } else if let Some(rest) = self.gap_over_key(gap, at, shared, out) {
            if rest.length > 0 {
                self.gap(rest, at, shared, out);
            }
            return;
        }
        self.desync(at, shared, out);
    }

    /// When all of a header is known but its masking key, it is still known what is lost, and where the next one is: begins the frame, and
    /// returns the gap behind its header.
    fn gap_over_key(&mut self, gap: Gap, at: PacketRef, shared: &mut Shared, out: &mut impl Output) -> Option<Gap> {
        let frame = self.frame.as_deref()?;
        let have = usize::from(frame.have);
        let header = Header::without_key(&frame.raw[..have]).filter(|_| frame.header.is_none())?;
        let missing = (usize::from(header.size) - have) as u64;
        if gap.length < missing || self.trust_left > 0 && !self.confirm(&header) {
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
    pub fn resync_at(&mut self, position: u64, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        if self.state == State::Unsynced {
            self.seek_end(shared, out);
        }
        self.desync(at, shared, out);
        self.seek_end(shared, out);
        self.position = position;
        self.expect_at(position);
    }

    /// The stream has ended: what has begun will never be complete. Whether its last bytes were read: false where it was not known, even
    /// now, which frames they belong to.
    pub fn end(&mut self, at: PacketRef, shared: &mut Shared, out: &mut impl Output) -> bool {
        if self.state == State::Unsynced {
            self.seek_end(shared, out);
        }
        let read = self.state != State::Unsynced;
        self.desync(at, shared, out);
        self.seek = None;
        if let Some(inflater) = &mut self.inflater {
            inflater.forget();
        }
        read
    }

    /// About how many bytes of memory it keeps beside its own size.
    #[inline]
    pub fn cost(&self) -> usize {
        let buffer = |buffer: &Option<Box<MessageBuffer>>| buffer.as_ref().map_or(0, |buffer| buffer.cost());
        buffer(&self.open)
            + self
                .frame
                .as_ref()
                .map_or(0, |frame| size_of::<PartialFrame>() + buffer(&frame.control))
            + self
                .seek
                .as_ref()
                .map_or(0, |seek| size_of::<Collected>() + seek.cost())
            + self.inflater.as_ref().map_or(0, |inflater| inflater.cost())
    }

    /// Memory is short: drops what is kept, and goes on with what comes. The messages that have begun will miss what was there; what
    /// later compressed ones refer to is unknown. The gap are bytes whose place in the frames was not known yet.
    pub fn shed(&mut self, shared: &mut Shared) -> Option<Gap> {
        let frame = self.frame.as_deref_mut().and_then(|frame| frame.control.as_deref_mut());
        for buffer in self.open.as_deref_mut().into_iter().chain(frame) {
            buffer.evict();
        }
        if let Some(inflater) = self.inflater.as_deref_mut().filter(|inflater| inflater.cost() > 0) {
            inflater.forget();
            shared.evicted_histories += 1;
        }
        let offset = self.seek.take()?.take().offset_of(0)?;
        Some(Gap {
            offset,
            length: self.position.saturating_sub(offset),
            cause: GapCause::Evicted,
        })
    }

    /// Whether nobody knows where the next frame begins.
    pub fn is_unsynced(&self) -> bool {
        self.state == State::Unsynced
    }

    /// Whether it holds bytes until it is known where a frame begins in them.
    pub(crate) fn is_seeking(&self) -> bool {
        self.is_unsynced() && self.seek.as_ref().is_some_and(|seek| seek.pieces() > 0)
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
            self.frame = Some(Box::new(PartialFrame::new(raw, chunk.bytes.len(), &chunk)));
            return chunk.bytes.len();
        };
        if self.trust_left > 0 && !self.confirm(&header) {
            self.desync(chunk.at, shared, out);
            return 1;
        }
        let size = usize::from(header.size);
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if chunk.bytes.len() - size >= length {
            let payload = &chunk.bytes[size..size + length];
            self.whole_frame(&header, payload, &chunk.slice(0..size + length), shared, out);
            return size + length;
        }
        let mut frame = Box::new(PartialFrame::new([0; MAX_HEADER], 0, &chunk.slice(0..size)));
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
            if self.trust_left > 0 && !self.confirm(header) {
                self.desync(chunk.at, shared, out);
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
                partial.append(piece, shared.limits.message_bytes);
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
