//! A message (or a frame that came in pieces) on its way to completion: the bytes so far, the holes in them, the bound.

use super::{Header, Hole, Opcode};
use crate::base::PacketRef;
use crate::layer::{Span, StreamRange};

/// What is known so far of a message that has begun and not ended.
///
/// Of its payload, `bytes` are kept; `length` may be larger when bytes at the end are missing or beyond the bound.
#[derive(Debug)]
pub(crate) struct MessageBuffer {
    pub(crate) opcode: Opcode,
    pub(crate) compressed: bool,
    pub(crate) extended: bool,
    pub(crate) masking_key: Option<[u8; 4]>,
    /// Its first frame is masked, and the key was not seen.
    pub(crate) key_lost: bool,
    pub(crate) frames: u32,
    pub(crate) span: Span,
    pub(crate) range: StreamRange,
    /// The beginning is lost: `opcode` is unknown, and whether it is compressed.
    pub(crate) headless: bool,
    /// Unmasked payload bytes, with filler in the holes.
    pub(crate) bytes: Vec<u8>,
    /// Holes inside `bytes`.
    pub(crate) holes: Vec<Hole>,
    /// Payload bytes as sent, so far.
    pub(crate) length: u64,
    /// Memory was short: its bytes are counted and not kept.
    evicted: bool,
}

impl MessageBuffer {
    fn empty() -> Self {
        Self {
            opcode: Opcode::Continuation,
            compressed: false,
            extended: false,
            masking_key: None,
            key_lost: false,
            frames: 0,
            span: Span::packet(
                PacketRef {
                    packet: 0,
                    time: Default::default(),
                },
                StreamRange::default(),
            ),
            range: StreamRange::default(),
            headless: false,
            bytes: Vec::new(),
            holes: Vec::new(),
            length: 0,
            evicted: false,
        }
    }

    /// Starts anew with the first frame's header.
    pub(crate) fn begin(&mut self, header: &Header, opcode: Opcode, compressed: bool, offset: u64, span: Span) {
        self.opcode = opcode;
        self.compressed = compressed;
        self.extended = false;
        self.masking_key = header.masking_key;
        self.key_lost = false;
        self.frames = 1;
        self.span = span;
        self.range = StreamRange {
            start: offset,
            end: offset + u64::from(header.size),
        };
        self.headless = false;
        self.bytes.clear();
        self.holes.clear();
        self.length = 0;
        self.evicted = false;
    }

    /// The next payload bytes of a frame; at most `limit` bytes of the message are kept, holes counted.
    pub(crate) fn append(&mut self, piece: Piece<'_>, limit: usize) {
        let Piece { bytes, key, phase } = piece;
        let start = self.length;
        self.length = self.length.saturating_add(bytes.len() as u64);
        let limit = limit.saturating_sub(self.holes.len() * size_of::<Hole>());
        if self.evicted || start >= limit as u64 {
            return;
        }
        self.fill(start as usize);
        let bytes = &bytes[..bytes.len().min(limit - start as usize)];
        match key {
            Some(key) => super::mask::unmask_into(&mut self.bytes, bytes, key, phase),
            None => self.bytes.extend_from_slice(bytes),
        }
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn cost(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() + self.holes.capacity() * size_of::<Hole>()
    }

    /// Drops the bytes, and keeps none of those that follow.
    pub(crate) fn evict(&mut self) {
        (self.bytes, self.holes, self.evicted) = (Vec::new(), Vec::new(), true);
    }

    /// `length` payload bytes will not come.
    pub(crate) fn skip(&mut self, length: u64) {
        self.length = self.length.saturating_add(length);
    }

    /// The end of what is missing behind `bytes` is known now: fill it up to `end`.
    fn fill(&mut self, end: usize) {
        let from = self.bytes.len();
        if from < end {
            self.holes.push(Hole {
                offset: from as u64,
                length: Some((end - from) as u64),
            });
            self.bytes.resize(end, 0);
        }
    }
}

/// Payload bytes of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) key: Option<[u8; 4]>,
    /// How many payload bytes of the frame went before them.
    pub(crate) phase: u64,
}

/// Buffers for reuse: in steady state a message in pieces allocates nothing, and an idle connection holds nothing.
#[derive(Debug)]
pub(crate) struct Pool {
    #[expect(
        clippy::vec_box,
        reason = "they are handed out boxed: a decoder without one stays small"
    )]
    spare: Vec<Box<MessageBuffer>>,
    /// Capacity of the spare ones.
    held: usize,
    /// Capacity that is kept; what is beyond it goes back to the allocator.
    most: usize,
}

/// Buffers for one message of more bytes than this are not kept for reuse.
pub(crate) const KEPT_BUFFER: usize = 2 << 20;

impl Pool {
    /// Keeps buffers of so many bytes in all.
    pub(crate) const fn within(most: usize) -> Self {
        Self {
            spare: Vec::new(),
            held: 0,
            most,
        }
    }

    pub(crate) fn take(&mut self) -> Box<MessageBuffer> {
        match self.spare.pop() {
            Some(buffer) => {
                self.held -= buffer.bytes.capacity();
                buffer
            }
            None => Box::new(MessageBuffer::empty()),
        }
    }

    pub(crate) fn give(&mut self, buffer: Box<MessageBuffer>) {
        let capacity = buffer.bytes.capacity();
        if self.spare.len() < 64 && self.held + capacity <= self.most && buffer.holes.capacity() < 1024 {
            self.held += capacity;
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(buffer: &mut MessageBuffer, bytes: &[u8], limit: usize) {
        let (key, phase) = (None, 0);
        buffer.append(Piece { bytes, key, phase }, limit);
    }

    #[test]
    fn a_hole_is_filled_only_when_something_follows() {
        let mut buffer = MessageBuffer::empty();
        append(&mut buffer, b"ab", 100);
        buffer.skip(3);
        assert_eq!((buffer.bytes.len(), buffer.length, buffer.holes.len()), (2, 5, 0));
        append(&mut buffer, b"c", 100);
        assert_eq!(buffer.bytes, b"ab\0\0\0c");
        let (offset, length) = (2, Some(3));
        assert_eq!(buffer.holes, [Hole { offset, length }]);
    }

    #[test]
    fn beyond_the_bound_and_once_evicted_bytes_are_counted_not_kept() {
        let mut buffer = MessageBuffer::empty();
        for bytes in [b"abcd", b"efgh", b"ijkl"] {
            append(&mut buffer, bytes, 6);
        }
        assert_eq!((buffer.bytes.as_slice(), buffer.length), (&b"abcdef"[..], 12));
        buffer.evict();
        append(&mut buffer, b"mnop", 100);
        assert_eq!((buffer.bytes.len(), buffer.length), (0, 16));
        assert!(buffer.cost() <= size_of::<MessageBuffer>());
        let mut buffer = MessageBuffer::empty();
        buffer.skip(u64::MAX - 3);
        append(&mut buffer, b"a", 6);
        assert!(buffer.bytes.is_empty());
    }
}
