//! What came of one direction while nobody knows where its frames begin.

use super::Expect;
use super::evidence::Evidence;
use super::search::{Found, Scratch, Search};
use super::window::Window;
use crate::base::{Gap, PacketRef};
use crate::layer::Chunk;
use crate::layer::ws::ChunkBuffer;

/// Bytes and gaps of one direction, from anywhere on. A gap's length is exact: a frame may reach over it, and the next header lie
/// behind. Of too many bytes the newest are kept.
#[derive(Debug)]
pub struct Collected {
    pub(super) expect: Expect,
    /// It begins with the first bytes that were captured of the direction, not behind a gap.
    late: bool,
    /// Where a frame most likely begins.
    likely: Option<u64>,
    pub(super) buffer: ChunkBuffer,
    /// How many bytes have come.
    seen: usize,
    /// It is worth searching again when so many have.
    next_search: usize,
    /// What unmasked frames say, and masked ones, after the last search.
    pub(super) evidence: [Evidence; 2],
}

/// Memory that a direction's bytes take at most.
const WINDOW: usize = 256 << 10;

impl Collected {
    /// Nothing has come yet.
    pub fn new(expect: Expect) -> Self {
        Self {
            expect,
            late: false,
            likely: None,
            buffer: ChunkBuffer::default(),
            seen: 0,
            next_search: 0,
            evidence: Default::default(),
        }
    }

    /// The same for the first bytes that were captured of the direction.
    pub fn late(mut self, late: bool) -> Self {
        self.late = late;
        self
    }

    /// A frame most likely begins at this stream offset.
    pub fn expect_at(&mut self, offset: u64) {
        self.likely = Some(offset);
    }

    /// Whether nothing has come yet, and a frame most likely begins at this stream offset.
    pub fn expects(&self, offset: u64) -> bool {
        self.likely == Some(offset) && self.buffer.is_empty()
    }

    /// In how many pieces it came.
    pub fn pieces(&self) -> usize {
        self.buffer.pieces()
    }

    /// About how many bytes of memory it takes.
    pub fn cost(&self) -> usize {
        self.buffer.size()
    }

    /// The next bytes.
    pub fn push(&mut self, chunk: Chunk<'_>) {
        self.seen = self.seen.saturating_add(chunk.bytes.len());
        if !self.buffer.push(chunk, WINDOW) {
            self.keep_newest();
            if !self.buffer.push(chunk, WINDOW) {
                self.buffer = ChunkBuffer::default();
            }
        }
    }

    /// Bytes that will not come. What comes first is the beginning anyway.
    pub fn push_gap(&mut self, gap: Gap, at: PacketRef) {
        if self.buffer.is_empty() {
            return;
        }
        if !self.buffer.push_gap(gap, at, WINDOW) {
            self.keep_newest();
            if !self.buffer.push_gap(gap, at, WINDOW) {
                self.buffer = ChunkBuffer::default();
            }
        }
    }

    /// Where in the stream frames begin, once that is clear. To be called for every segment. `ended`: no more will come, and what is good
    /// enough for that is taken.
    pub(in crate::layer::ws) fn search(&mut self, ended: bool, scratch: &mut Scratch) -> Option<u64> {
        if !self.is_due(ended) {
            return None;
        }
        let mut search = self.searching(ended, scratch);
        let found: Found = search.run();
        let (best, _) = found.winner(search.wanted())?;
        search.believed(best)
    }

    /// Looks for what says that these are frames, when that is due. Whether it was.
    pub(super) fn gather(&mut self, ended: bool, scratch: &mut Scratch) -> bool {
        let due = self.is_due(ended);
        if due {
            self.evidence = Evidence::of_both(&mut self.searching(ended, scratch));
        }
        due
    }

    /// Whether enough has come since the last search: so all searches together cost a few times what one does.
    pub(super) fn is_due(&mut self, ended: bool) -> bool {
        let due = !self.buffer.bytes().is_empty() && (ended || self.seen >= self.next_search);
        if due {
            self.next_search = self.seen + (self.buffer.bytes().len() / 4).max(1);
        }
        due
    }

    pub(super) fn searching<'a>(&'a self, ended: bool, scratch: &'a mut Scratch) -> Search<'a> {
        let mut search = Search::new(Window::new(&self.buffer, ended), self.expect, self.likely, scratch);
        search.late = self.late;
        search
    }

    /// What has been collected.
    pub fn take(&mut self) -> ChunkBuffer {
        std::mem::replace(self, Self::new(self.expect)).buffer
    }

    fn keep_newest(&mut self) {
        let bytes = self.buffer.bytes().len();
        match self.buffer.offset_of(bytes - bytes / 2) {
            Some(offset) => self.buffer.drop_before(offset),
            None => self.buffer = ChunkBuffer::default(),
        }
    }
}
