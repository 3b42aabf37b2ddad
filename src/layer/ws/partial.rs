//! A message (or a frame that came in pieces) on its way to completion: the bytes so far, the holes in them, the bound.

use super::{Header, Hole, Opcode};
use crate::base::PacketRef;
use crate::layer::{Span, StreamRange};

/// What is known so far of a message that has begun and not ended.
///
/// Of its payload, `bytes` are kept; `length` may be larger when bytes at the end are missing or beyond the bound.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) opcode: Opcode,
    pub(crate) compressed: bool,
    pub(crate) masking_key: Option<[u8; 4]>,
    /// Its first frame is masked, and the key was not seen.
    pub(crate) key_lost: bool,
    pub(crate) frames: u32,
    pub(crate) span: Span,
    pub(crate) range: StreamRange,
    /// The beginning is lost: `opcode` and `compressed` are guesses.
    pub(crate) headless: bool,
    /// Unmasked payload bytes, with filler in the holes.
    pub(crate) bytes: Vec<u8>,
    /// Holes inside `bytes`.
    pub(crate) holes: Vec<Hole>,
    /// Payload bytes as sent, so far.
    pub(crate) length: u64,
}

impl Partial {
    fn empty() -> Self {
        Self {
            opcode: Opcode::Continuation,
            compressed: false,
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
        }
    }

    /// Starts anew with the first frame's header.
    pub(crate) fn begin(&mut self, header: &Header, opcode: Opcode, compressed: bool, offset: u64, span: Span) {
        self.opcode = opcode;
        self.compressed = compressed;
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
    }

    /// The next payload bytes of a frame, of which `phase` went before; at most `limit` bytes of the message are kept.
    fn append(&mut self, bytes: &[u8], key: Option<[u8; 4]>, phase: u64, limit: usize) {
        let start = self.length;
        self.length = self.length.saturating_add(bytes.len() as u64);
        if start >= limit as u64 {
            return;
        }
        self.fill(start as usize);
        let bytes = &bytes[..bytes.len().min(limit - start as usize)];
        match key {
            Some(key) => super::mask::unmask_into(&mut self.bytes, bytes, key, phase),
            None => self.bytes.extend_from_slice(bytes),
        }
    }

    /// What its bytes and holes take, in bytes of memory.
    fn cost(&self) -> usize {
        self.bytes.len() + self.holes_cost()
    }

    fn holes_cost(&self) -> usize {
        self.holes.len() * size_of::<Hole>()
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

/// Partials for reuse: in steady state a message in pieces allocates nothing, and an idle connection holds nothing.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    #[expect(
        clippy::vec_box,
        reason = "they are handed out boxed: a decoder without one stays small"
    )]
    spare: Vec<Box<Partial>>,
    /// Capacity of the spare ones.
    held: usize,
    /// How many are in use.
    taken: usize,
    /// Payload bytes and holes in those, in bytes of memory.
    used: usize,
}

/// Capacity that the pool keeps, in bytes; what is beyond it goes back to the allocator.
const POOL_BYTES: usize = 4 << 20;

impl Pool {
    pub(crate) fn take(&mut self) -> Box<Partial> {
        self.taken += 1;
        match self.spare.pop() {
            Some(partial) => {
                self.held -= partial.bytes.capacity();
                partial
            }
            None => Box::new(Partial::empty()),
        }
    }

    /// Appends to a partial as [`Partial::append`] does, as long as all of them together keep at most `total` bytes. When they do,
    /// each may still have its fair share: whoever fills the room with messages that never end takes it from nobody whose messages
    /// are no larger than those. (So all together never keep more than twice as much.)
    pub(crate) fn append(&mut self, partial: &mut Partial, piece: Piece<'_>, limit: usize, total: usize) {
        let before = partial.cost();
        // What the bytes and the filler before them may take at most. A message torn into crumbs costs more for its holes than
        // for its bytes: it may have that many crumbs less.
        let fair = total / self.taken.max(1);
        let room = before.saturating_add(total.saturating_sub(self.used)).max(fair);
        let holes = partial.holes_cost();
        partial.append(
            piece.bytes,
            piece.key,
            piece.phase,
            limit.min(room).saturating_sub(holes),
        );
        self.used += partial.cost().saturating_sub(before);
    }

    pub(crate) fn give(&mut self, partial: Box<Partial>) {
        self.taken = self.taken.saturating_sub(1);
        self.used = self.used.saturating_sub(partial.cost());
        let capacity = partial.bytes.capacity();
        if self.spare.len() < 64 && self.held + capacity <= POOL_BYTES && partial.holes.capacity() < 1024 {
            self.held += capacity;
            self.spare.push(partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial() -> Partial {
        Partial::empty()
    }

    #[test]
    fn a_hole_is_filled_only_when_something_follows() {
        let mut p = partial();
        p.append(b"ab", None, 0, 100);
        p.skip(3);
        assert_eq!((p.bytes.len(), p.length, p.holes.len()), (2, 5, 0));
        p.append(b"c", None, 0, 100);
        assert_eq!(p.bytes, b"ab\0\0\0c");
        assert_eq!(
            p.holes,
            [Hole {
                offset: 2,
                length: Some(3)
            }]
        );
    }

    #[test]
    fn many_that_never_end_leave_others_their_share() {
        let mut pool = Pool::default();
        let piece = |bytes| Piece {
            bytes,
            key: None,
            phase: 0,
        };
        let mut endless: Vec<_> = (0..10).map(|_| pool.take()).collect();
        for n in 0..1000 {
            pool.append(&mut endless[n % 10], piece(&[0; 10]), 1000, 1100);
        }
        let kept: usize = endless.iter().map(|partial| partial.bytes.len()).sum();
        assert!((1000..=1100).contains(&kept), "{kept}");
        let mut other = pool.take();
        for _ in 0..20 {
            pool.append(&mut other, piece(&[1; 10]), 1000, 1100);
        }
        assert_eq!(other.bytes.len(), 100);
        endless
            .into_iter()
            .chain([other])
            .for_each(|partial| pool.give(partial));
        assert_eq!((pool.used, pool.taken), (0, 0));
    }

    #[test]
    fn beyond_the_bound_bytes_are_counted_not_kept() {
        let mut p = partial();
        p.append(b"abcd", None, 0, 6);
        p.append(b"efgh", None, 0, 6);
        p.append(b"ijkl", None, 0, 6);
        assert_eq!((p.bytes.as_slice(), p.length), (&b"abcdef"[..], 12));
        let mut p = partial();
        p.skip(u64::MAX - 3);
        p.append(b"a", None, 0, 6);
        assert!(p.bytes.is_empty());
    }
}
