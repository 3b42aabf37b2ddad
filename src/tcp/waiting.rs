//! Bytes that have come before their turn.

use std::collections::BTreeMap;

use crate::base::{Captured, Timestamp};
use crate::tcp::At;

/// What a chunk costs beside its bytes: its share of a map's node and of the allocator.
const OVERHEAD: usize = 96;

/// Chunks that do not overlap, by offset. What came first stays.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Since when the first of them waits.
    pub(super) since: Timestamp,
    chunks: BTreeMap<u64, Chunk>,
    /// What all of them cost.
    cost: usize,
    /// Bytes on the wire in all of them.
    bytes: u64,
}

/// Bytes of one segment.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The first offset behind it on the wire.
    pub(super) end: u64,
    /// As far as they were captured.
    pub(super) bytes: Vec<u8>,
    /// The packet that carried it.
    pub(super) from: At,
}

impl Waiting {
    /// Nothing waits yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            ..Self::default()
        }
    }

    /// What it keeps, in bytes of memory.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Where the first chunk begins.
    pub(super) fn first(&self) -> Option<u64> {
        self.chunks.first_key_value().map(|(&start, _)| start)
    }

    /// Takes the first chunk out.
    pub(super) fn pop(&mut self) -> Option<(u64, Chunk)> {
        let (start, chunk) = self.chunks.pop_first()?;
        self.cost -= OVERHEAD + chunk.bytes.capacity();
        self.bytes -= chunk.end - start;
        Some((start, chunk))
    }

    /// Keeps those bytes of `data`, which begins at `start`, that do not wait already.
    pub(super) fn insert(&mut self, start: u64, data: Captured<'_>, from: At) {
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
        let mut reached = end;
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

    /// Makes the first chunk's offset 0; answers how far all of them have moved.
    pub(super) fn rebase(&mut self) -> u64 {
        let by = self.first().unwrap_or(0);
        let moved = std::mem::take(&mut self.chunks);
        self.chunks = moved
            .into_iter()
            .map(|(start, chunk)| {
                let end = chunk.end - by;
                (start - by, Chunk { end, ..chunk })
            })
            .collect();
        by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(packet: u64) -> At {
        let time = Timestamp::default();
        At { packet, time }
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
        let mut waiting = Waiting::default();
        waiting.insert(10, Captured::whole(b"BBBB"), at(1));
        waiting.insert(18, Captured::whole(b"CC"), at(2));
        assert_eq!(waiting.missing(5, 30), 19);
        assert_eq!(waiting.missing(5, 12), 5);
        waiting.insert(8, Captured::whole(b"aaaaaaaaaaaaaaaa"), at(3));
        assert!(waiting.covers(8, 24) && waiting.covers(9, 11) && !waiting.covers(8, 25) && !waiting.covers(7, 9));
        assert_eq!(waiting.follows(8), 16);
        let joined: Vec<u8> = contents(waiting).into_iter().flat_map(|c| c.2).collect();
        assert_eq!(joined, b"aaBBBBaaaaCCaaaa");
    }

    #[test]
    fn cut_bytes_keep_their_place() {
        let mut waiting = Waiting::default();
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
