//! One direction of a connection: where it stands in its frames, and what its field blocks need.

use super::fields::Fields;
use super::frame::{DEFAULT_MAX_FRAME, FrameHeader, HEADER, PREFACE};
use super::hpack;
use super::search::{self, Expect};
use crate::layer::{Chunk, Span};

/// What one side sends.
#[derive(Debug)]
pub(super) struct Half {
    pub(super) mode: Mode,
    /// The beginning of a header; while the place in the frames is not known, the last bytes, which may be one.
    raw: [u8; HEADER],
    have: u8,
    /// The place in the frames was found by itself: the next header must fit, or it was none.
    pub(super) unproven: bool,
    pub(super) frame: Frame,
    pub(super) decoder: hpack::Decoder,
    /// Those of the current field block.
    pub(super) fields: Fields,
    pub(super) block: Option<Block>,
    /// None of its settings is lost.
    pub(super) settings_complete: bool,
    /// The largest payload that the other side allows, while that is known.
    pub(super) max_length: Option<u32>,
    /// Whether this side allows extended CONNECT (RFC 8441 §3), once that is known.
    pub(super) enable_connect: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the client's preface, of which so many bytes have come.
    Preface(u8),
    /// The next byte begins a frame's header, or continues it.
    Header,
    /// The next byte belongs to the payload of `frame`.
    Payload,
    /// Nobody knows where the next frame begins.
    Lost,
}

/// The frame whose payload comes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Frame {
    pub(super) header: FrameHeader,
    /// Bytes of payload that are still to come.
    pub(super) left: u32,
    /// What stands before the content, as far as it has come.
    pub(super) fixed: [u8; 8],
    pub(super) have: u8,
    pub(super) need: u8,
    /// Bytes of it that are lost.
    pub(super) damaged: bool,
    /// Bytes of content that are still to come, once `fixed` is there. Behind it is padding.
    pub(super) content: u32,
}

/// A field block that has begun (RFC 9113 §4.3).
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    /// Where its first frame begins.
    pub(super) start: u64,
    /// Where it came from.
    pub(super) span: Span,
    /// Its HEADERS say END_STREAM.
    pub(super) ends_stream: bool,
    /// It is that of a promised request (§6.6).
    pub(super) promised: bool,
    /// CONTINUATION frames so far.
    pub(super) continuations: u32,
    /// The beginning of a field that is not complete.
    pub(super) rest: Vec<u8>,
    /// Nothing of it is missing, and nothing was malformed.
    pub(super) readable: bool,
    /// That it is too long was told.
    pub(super) too_long: bool,
}

impl Half {
    pub(super) fn new(mode: Mode, table_limit: u32) -> Self {
        let mut decoder = hpack::Decoder::new(table_limit);
        if mode == Mode::Lost {
            decoder.forget();
        }
        Self {
            mode,
            raw: [0; HEADER],
            have: 0,
            unproven: false,
            frame: Frame::default(),
            decoder,
            fields: Fields::default(),
            block: None,
            settings_complete: mode != Mode::Lost,
            // Later settings may have changed it.
            max_length: (mode != Mode::Lost).then_some(DEFAULT_MAX_FRAME),
            enable_connect: None,
        }
    }

    /// What a payload may be long.
    pub(super) fn max_length(&self) -> u32 {
        self.max_length.unwrap_or(1 << 20)
    }

    /// The next bytes of the preface: how many were used; `None` when it is none.
    pub(super) fn preface(&mut self, have: u8, bytes: &[u8]) -> Option<usize> {
        let wanted = &PREFACE[usize::from(have)..];
        let used = bytes.len().min(wanted.len());
        if bytes[..used] != wanted[..used] {
            return None;
        }
        self.mode = match used == wanted.len() {
            true => Mode::Header,
            false => Mode::Preface(have + used as u8),
        };
        Some(used)
    }

    /// The next bytes of a header: how many were used, and the header once it is complete.
    #[inline]
    pub(super) fn header(&mut self, bytes: &[u8]) -> (usize, Option<FrameHeader>) {
        if self.have == 0
            && let Some(header) = FrameHeader::parse(bytes)
        {
            return (HEADER, Some(header));
        }
        let have = usize::from(self.have);
        let used = bytes.len().min(HEADER - have);
        self.raw[have..have + used].copy_from_slice(&bytes[..used]);
        self.have += used as u8;
        if usize::from(self.have) < HEADER {
            return (used, None);
        }
        self.have = 0;
        (used, FrameHeader::parse(&self.raw))
    }

    /// Whether nothing of a header has come.
    pub(super) fn is_between_frames(&self) -> bool {
        self.mode == Mode::Header && self.have == 0
    }

    /// Nobody knows where the next frame begins.
    pub(super) fn lose(&mut self) {
        self.mode = Mode::Lost;
        self.have = 0;
    }

    /// Looks for a header in `chunk`, while the place in the frames is not known: how many bytes are of no use. `border`: a segment begins with it.
    pub(super) fn search(&mut self, chunk: &Chunk<'_>, border: bool, is_open: impl Fn(u32) -> bool) -> usize {
        let expect = Expect {
            max_length: self.max_length(),
            is_open,
            enough: search::REGAIN,
        };
        let bytes = chunk.bytes;
        let have = usize::from(self.have);
        // A header may have begun before it.
        let mut joined = [0; 2 * HEADER];
        let more = bytes.len().min(HEADER - 1);
        joined[..have].copy_from_slice(&self.raw[..have]);
        joined[have..have + more].copy_from_slice(&bytes[..more]);
        let before = search::find(&joined[..have + more], search::INSIDE, &expect).filter(|at| *at < have);
        if let Some(at) = before {
            self.raw.copy_within(at..have, 0);
            self.have = (have - at) as u8;
            self.found();
            return 0;
        }
        let more_wanted = if border { 0 } else { search::INSIDE };
        if let Some(at) = search::find(bytes, more_wanted, &expect) {
            self.have = 0;
            self.found();
            return at;
        }
        let joined = &joined[..have + more];
        let tail = if bytes.len() >= HEADER - 1 { bytes } else { joined };
        let tail = &tail[tail.len().saturating_sub(HEADER - 1)..];
        self.raw[..tail.len()].copy_from_slice(tail);
        self.have = tail.len() as u8;
        bytes.len()
    }

    fn found(&mut self) {
        self.mode = Mode::Header;
        self.unproven = true;
    }

    /// Gives back what it can do without.
    pub(super) fn shed(&mut self) {
        self.decoder.forget();
        self.fields = Fields::default();
        if let Some(block) = &mut self.block {
            block.readable = false;
            block.rest = Vec::new();
        }
    }

    /// How much memory it takes beside itself, in bytes.
    pub(super) fn cost(&self) -> usize {
        let rest = self.block.as_ref().map_or(0, |block| block.rest.capacity());
        self.decoder.cost() + self.fields.cost() + rest
    }
}

impl Frame {
    pub(super) fn new(header: FrameHeader) -> Self {
        let need = header.fixed();
        Self {
            header,
            left: header.length,
            fixed: [0; 8],
            have: 0,
            need: need as u8,
            damaged: false,
            content: header.length.saturating_sub(need),
        }
    }

    /// What stands before the content is complete and has not been damaged.
    pub(super) fn fixed(&self) -> Option<&[u8; 8]> {
        (self.have == self.need && !self.damaged).then_some(&self.fixed)
    }

    /// Four bytes of it.
    pub(super) fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.fixed()?.get(at..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    }
}
