//! Bytes that have come before their turn.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::PacketRef;
use crate::base::{Captured, Timestamp};

/// What a chunk costs beside its bytes: its share of a map's node and of the allocator.
const OVERHEAD: usize = 96;

/// The key of offset 0 until anything moves: what waits moves to the left by a window at most.
const ORIGIN: u64 = 1 << 40;

/// Chunks that do not overlap, by offset. What came first stays.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Since when the first of them waits.
    pub(super) since: Timestamp,
    /// By offset, plus `origin`.
    chunks: BTreeMap<u64, Chunk>,
    /// The key of offset 0.
    origin: u64,
    /// What all of them cost.
    cost: usize,
    /// Bytes on the wire in all of them.
    bytes: u64,
}

/// Bytes of one segment.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The first offset behind it on the wire; while it waits, its key.
    pub(super) end: u64,
    /// As far as they were captured.
    pub(super) bytes: Vec<u8>,
    /// The packet that carried it.
    pub(super) from: PacketRef,
}

impl Waiting {
    /// Nothing waits yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            chunks: BTreeMap::new(),
            origin: ORIGIN,
            cost: 0,
            bytes: 0,
        }
    }

    /// What it keeps, in bytes of memory.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Where the first chunk begins.
    pub(super) fn first(&self) -> Option<u64> {
        self.chunks.first_key_value().map(|(&start, _)| start - self.origin)
    }

    /// Where the first chunk ends.
    pub(super) fn first_end(&self) -> Option<u64> {
        self.chunks.first_key_value().map(|(_, chunk)| chunk.end - self.origin)
    }

    /// Where the last chunk ends.
    pub(super) fn end(&self) -> Option<u64> {
        self.chunks.last_key_value().map(|(_, chunk)| chunk.end - self.origin)
    }

    /// In so many segments bytes without a hole wait from `next` on; 0 when there is a hole.
    pub(super) fn in_order_from(&self, next: u64) -> usize {
        let (Some(first), Some(end)) = (self.first(), self.end()) else {
            return 0;
        };
        if first <= next && end - first == self.bytes {
            self.chunks.len()
        } else {
            0
        }
    }

    /// Which of `bytes`, which are said to be at `start`, are not those that wait for there: from the first to the last, in
    /// not too many chunks.
    pub(super) fn differing(&self, start: u64, bytes: &[u8]) -> Option<Range<u64>> {
        let (start, end) = (start + self.origin, start + self.origin + bytes.len() as u64);
        let before = self.chunks.range(..start).next_back();
        let mut differing = None::<Range<u64>>;
        for (&at, chunk) in before.into_iter().chain(self.chunks.range(start..end).take(64)) {
            let overlap = at.max(start)..(at + chunk.bytes.len() as u64).min(end);
            let differs = |&place: &u64| chunk.bytes[(place - at) as usize] != bytes[(place - start) as usize];
            if let (Some(first), Some(last)) = (overlap.clone().find(differs), overlap.rev().find(differs)) {
                let first = differing.map_or(first, |range| range.start + self.origin);
                differing = Some(first - self.origin..last + 1 - self.origin);
            }
        }
        differing
    }

    /// Takes the first chunk out.
    pub(super) fn pop(&mut self) -> Option<(u64, Chunk)> {
        let (start, chunk) = self.chunks.pop_first()?;
        self.cost -= OVERHEAD + chunk.bytes.capacity();
        self.bytes -= chunk.end - start;
        let end = chunk.end - self.origin;
        Some((start - self.origin, Chunk { end, ..chunk }))
    }

    /// Keeps those bytes of `data`, which begins at `start`, that do not wait already.
    pub(super) fn insert(&mut self, start: u64, data: Captured<'_>, from: PacketRef) {
        let start = start + self.origin;
        let end = start + data.wire_len as u64;
        let mut at = match self.chunks.range(..=start).next_back() {
            Some((_, before)) => before.end.max(start),
            None => start,
        };
        while at < end {
            let (until, resume) = match self.chunks.range(at..end).next() {
                Some((&next, chunk)) => (next, chunk.end),
                None => (end, end),
            };
            if at < until {
                let part = data.bytes.get((at - start) as usize..).unwrap_or_default();
                let part = &part[..part.len().min((until - at) as usize)];
                self.cost += OVERHEAD + part.len();
                self.bytes += until - at;
                let chunk = Chunk {
                    end: until,
                    bytes: part.to_vec(),
                    from,
                };
                self.chunks.insert(at, chunk);
            }
            at = resume;
        }
    }

    /// How many of the bytes `start..end` are not here.
    pub(super) fn missing(&self, start: u64, end: u64) -> u64 {
        let mut missing = end.saturating_sub(start);
        let end = end + self.origin;
        // Nearly always all of them lie before `end`; when not, a segment that carries a byte must not make us walk
        // over thousands of chunks, so what is told then may be too much.
        if self.chunks.last_key_value().is_none_or(|(_, last)| last.end <= end) {
            return missing.saturating_sub(self.bytes);
        }
        for (&from, chunk) in self.chunks.range(..end).take(64) {
            missing = missing.saturating_sub(chunk.end.min(end) - from);
        }
        missing
    }

    /// How many bytes wait from `start` on without anything missing before `end`, and behind it.
    pub(super) fn follows(&self, end: u64) -> u64 {
        let mut reached = end + self.origin;
        let mut bytes = 0;
        for (&start, chunk) in &self.chunks {
            if start > reached {
                break;
            }
            bytes += chunk.end - start;
            reached = reached.max(chunk.end);
        }
        bytes
    }

    /// Whether all of `start..end` waits here, in not too many chunks.
    pub(super) fn covers(&self, start: u64, end: u64) -> bool {
        let (start, end) = (start + self.origin, end + self.origin);
        let Some((_, before)) = self.chunks.range(..=start).next_back() else {
            return false;
        };
        let mut reached = before.end;
        for _ in 0..64 {
            match self.chunks.get(&reached) {
                Some(chunk) if reached < end => reached = chunk.end,
                _ => break,
            }
        }
        reached >= end
    }

    /// Offset 0 lies `by` further to the right from now on: to the left when negative.
    pub(super) fn shift(&mut self, by: i64) {
        self.origin = self.origin.wrapping_add_signed(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(packet: u64) -> PacketRef {
        let time = Timestamp::default();
        PacketRef { packet, time }
    }

    fn contents(mut waiting: Waiting) -> Vec<(u64, u64, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some((start, chunk)) = waiting.pop() {
            all.push((start, chunk.end, chunk.bytes));
        }
        assert_eq!((waiting.cost(), waiting.bytes), (0, 0));
        all
    }

    #[test]
    fn what_came_first_stays() {
        let mut waiting = Waiting::new(Timestamp::default());
        waiting.insert(10, Captured::whole(b"BBBB"), at(1));
        waiting.insert(18, Captured::whole(b"CC"), at(2));
        assert_eq!(waiting.missing(5, 30), 19);
        assert_eq!(waiting.missing(5, 12), 5);
        waiting.insert(8, Captured::whole(b"aaaaaaaaaaaaaaaa"), at(3));
        for by in [8, -100] {
            waiting.shift(by);
            assert_eq!(waiting.first(), Some((8 - by) as u64));
            waiting.shift(-by);
        }
        assert!(waiting.covers(8, 24) && waiting.covers(9, 11) && !waiting.covers(8, 25) && !waiting.covers(7, 9));
        assert_eq!(waiting.follows(8), 16);
        let joined: Vec<u8> = contents(waiting).into_iter().flat_map(|c| c.2).collect();
        assert_eq!(joined, b"aaBBBBaaaaCCaaaa");
    }

    #[test]
    fn cut_bytes_keep_their_place() {
        let mut waiting = Waiting::new(Timestamp::default());
        waiting.insert(12, Captured::whole(b"x"), at(1));
        waiting.insert(10, Captured::new(b"abcd", 8), at(2));
        assert_eq!(
            contents(waiting),
            [
                (10, 12, b"ab".to_vec()),
                (12, 13, b"x".to_vec()),
                (13, 18, b"d".to_vec())
            ]
        );
    }
}
