//! What came of one direction while nobody knows where its frames begin, and the search in it.

use super::chain::Window;
use super::search::{Expect, Found, Resync};
use crate::base::Gap;
use crate::base::PacketRef;
use crate::layer::Chunk;
use crate::layer::ws::{ChunkBuffer, Held, Shared};

/// Bytes and gaps of one direction, from anywhere on, and the [`Resync`] that looks through them as they come.
///
/// A gap's length is exact: a frame may reach over it, and the next header lie behind. Of too many bytes the newest are kept. What it
/// keeps is [held](Shared::hold) in [`Shared`]; when all connections together hold too much, it starts again with what comes next.
#[derive(Debug)]
pub struct Collected {
    expect: Expect,
    /// Where a frame most likely begins.
    likely: Option<u64>,
    backlog: ChunkBuffer,
    /// Once there is something to look at.
    resync: Option<Resync>,
}

/// Memory that a direction's bytes take at most.
const WINDOW: usize = 256 << 10;

impl Collected {
    /// Nothing has come yet.
    pub fn new(expect: Expect) -> Self {
        Self {
            expect,
            likely: None,
            backlog: ChunkBuffer::default(),
            resync: None,
        }
    }

    /// A frame most likely begins at this stream offset.
    pub fn expect_at(&mut self, offset: u64) {
        self.likely = Some(offset);
    }

    /// Whether nothing has come yet, and a frame most likely begins at this stream offset.
    pub fn expects(&self, offset: u64) -> bool {
        self.likely == Some(offset) && self.backlog.is_empty()
    }

    /// The next bytes: `false` when there was no room for them, nor for what was there.
    pub fn push(&mut self, chunk: Chunk<'_>, shared: &mut Shared) -> bool {
        let before = self.backlog.size();
        if !self.backlog.push(chunk, WINDOW) {
            self.keep_newest();
            if !self.backlog.push(chunk, WINDOW) {
                *self = Self::new(self.expect);
            }
        }
        self.account(before, shared)
    }

    /// Bytes that will not come: `false` as for [`push`](Self::push).
    pub fn push_gap(&mut self, gap: Gap, at: PacketRef, shared: &mut Shared) -> bool {
        if self.backlog.is_empty() {
            // What comes first is the beginning anyway.
            return true;
        }
        let before = self.backlog.size();
        self.backlog.push_gap(gap, at);
        if self.backlog.size() > WINDOW {
            self.keep_newest();
        }
        self.account(before, shared)
    }

    /// Looks at what has come since the last look: where in the stream a header begins, and whether its frames are masked. To be called
    /// for every segment, so that its border is noted. `ended`: no more will come, and what is good enough for that is taken.
    pub fn look(&mut self, ended: bool, shared: &mut Shared) -> Option<(u64, bool)> {
        let first = self.backlog.offset_of(0)?;
        // More than one segment may have come before the first look.
        let anew = self.resync.is_none() || self.backlog.has_gap();
        let resync = self.resync.get_or_insert_with(|| Resync::from(self.expect, first));
        if let Some(offset) = self.likely.take() {
            resync.expect_at(offset);
        }
        let found = if anew {
            let (runs, borders) = runs_of(&self.backlog);
            let found = resync.look_at(Window {
                runs: &runs,
                borders: &borders,
                ended,
            });
            resync.remember(borders);
            found
        } else {
            resync.look(self.backlog.bytes(), ended)
        };
        let base = resync.base();
        match found {
            Found::Header(start) => Some((base + start.offset as u64, start.masked)),
            Found::More { useless } => {
                let before = self.backlog.size();
                self.drop_before(base + useless as u64);
                self.account(before, shared);
                None
            }
        }
    }

    /// What has been collected; the room that it took in `shared` is free again.
    pub fn take(&mut self, shared: &mut Shared) -> ChunkBuffer {
        shared.release(self.backlog.size());
        std::mem::replace(self, Self::new(self.expect)).backlog
    }

    fn keep_newest(&mut self) {
        let bytes = self.backlog.bytes().len();
        match self.backlog.offset_of(bytes - bytes / 4) {
            Some(offset) => self.drop_before(offset),
            None => *self = Self::new(self.expect),
        }
    }

    fn drop_before(&mut self, offset: u64) {
        self.backlog.drop_before(offset);
        // In a gap nothing begins.
        let first = self.backlog.offset_of(0).unwrap_or(offset);
        if let Some(resync) = &mut self.resync {
            resync.drop_before(first);
        }
    }

    /// What it keeps took `before` bytes until now.
    fn account(&mut self, before: usize, shared: &mut Shared) -> bool {
        shared.release(before);
        let fits = shared.hold(self.backlog.size());
        if !fits {
            *self = Self::new(self.expect);
        }
        fits
    }
}

/// Runs of bytes with no gap in them, and where segments begin.
fn runs_of(backlog: &ChunkBuffer) -> (Vec<(u64, &[u8])>, Vec<u64>) {
    let mut runs: Vec<(u64, &[u8])> = Vec::new();
    let mut borders = Vec::new();
    let mut taken = 0;
    for held in backlog.iter() {
        let Held::Data(chunk) = held else { continue };
        let from = taken;
        taken += chunk.bytes.len();
        borders.push(chunk.offset);
        match runs.last_mut() {
            Some((offset, bytes)) if *offset + bytes.len() as u64 == chunk.offset => {
                *bytes = &backlog.bytes()[from - bytes.len()..taken];
            }
            _ => runs.push((chunk.offset, chunk.bytes)),
        }
    }
    (runs, borders)
}
