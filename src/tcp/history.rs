//! The bytes that a direction sent last, to see whether what comes again is the same.

use std::ops::Range;

/// How many bytes are remembered, a power of two: more than one segment of most networks.
pub(super) const MAX_BYTES: usize = 2048;

/// A ring of the last bytes of a stream.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The byte at offset `o` of the stream stands at `o` modulo the length, [`MAX_BYTES`]. Empty at first.
    ring: Vec<u8>,
    /// Which bytes are there.
    start: u64,
    end: u64,
}

impl History {
    /// Nothing is remembered any more.
    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// The stream has gone on with `bytes` at `offset`.
    #[inline]
    pub(super) fn push(&mut self, offset: u64, bytes: &[u8]) {
        let skipped = bytes.len().saturating_sub(MAX_BYTES);
        let (bytes, offset) = (&bytes[skipped..], offset + skipped as u64);
        if offset != self.end {
            (self.start, self.end) = (offset, offset);
        }
        if self.ring.is_empty() {
            self.ring = vec![0; MAX_BYTES];
        }
        let at = self.place(offset);
        let (before, behind) = bytes.split_at(bytes.len().min(self.ring.len() - at));
        self.ring[at..at + before.len()].copy_from_slice(before);
        self.ring[..behind.len()].copy_from_slice(behind);
        self.end += bytes.len() as u64;
        self.start = self.start.max(self.end.saturating_sub(self.ring.len() as u64));
    }

    /// Which of `bytes`, which are said to be at `offset`, are not what is remembered of there: from the first to the last.
    #[cold]
    pub(super) fn differing(&self, offset: u64, bytes: &[u8]) -> Option<Range<u64>> {
        let overlap = offset.max(self.start)..self.end.min(offset + bytes.len() as u64);
        let differs = |&at: &u64| bytes[(at - offset) as usize] != self.ring[self.place(at)];
        let first = overlap.clone().find(differs)?;
        let last = overlap.rev().find(differs)?;
        Some(first..last + 1)
    }

    #[inline]
    fn place(&self, offset: u64) -> usize {
        offset as usize & (MAX_BYTES - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_compared_exactly() {
        let stream: Vec<u8> = (0..10_000u32).map(|at| (at % 251) as u8).collect();
        let mut history = History::default();
        for (at, piece) in stream.chunks(77).enumerate() {
            history.push(77 * at as u64, piece);
        }
        assert_eq!(history.ring.len(), MAX_BYTES);
        assert_eq!(history.differing(9000, &stream[9000..]), None);
        let mut other = stream.clone();
        (other[9500], other[9900]) = (255, 255);
        assert_eq!(history.differing(9000, &other[9000..]), Some(9500..9901));
        assert_eq!(history.differing(9501, &other[9501..9900]), None);
        other.fill(255);
        assert_eq!(history.differing(0, &other), Some(10_000 - MAX_BYTES as u64..10_000));
    }

    #[test]
    fn what_lies_before_a_gap_is_forgotten() {
        let mut history = History::default();
        history.push(0, b"hello");
        history.push(10, b"world");
        assert_eq!(history.differing(0, b"jello"), None);
        assert_eq!(history.differing(8, b"  would"), Some(12..13));
        history.clear();
        assert_eq!(history.differing(10, b"xxxxx"), None);
        history.push(7, &[1; 5000]);
        assert_eq!(history.differing(5000, &[2; 10]), Some(5000..5007));
    }
}
