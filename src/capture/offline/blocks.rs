//! A file in big blocks: a window of contiguous bytes that slides over it.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Small enough for the second-level cache, large enough that the system call does not count.
const BLOCK: usize = 256 << 10;

/// Enough for a header: many inputs may be open before the first one is read.
const FIRST: usize = 4 << 10;

/// The window. Bytes are read when they are asked for, never earlier: on a pipe the last packet is not held back.
pub(super) struct Blocks {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    begun: bool,
    read: Arc<AtomicU64>,
    size: Option<u64>,
    unpacks: bool,
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks")
            .field("available", &self.available())
            .field("read", &self.read)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Blocks {
    /// A window over `source`. `read` counts the bytes taken from the file itself, which is smaller when it is compressed.
    pub(super) fn new(source: Box<dyn Read + Send>, read: Arc<AtomicU64>, size: Option<u64>, unpacks: bool) -> Self {
        Self {
            source,
            buffer: vec![0; FIRST],
            start: 0,
            end: 0,
            ended: false,
            begun: false,
            read,
            size,
            unpacks,
        }
    }

    /// The file is compressed.
    pub(super) fn unpacks(&self) -> bool {
        self.unpacks
    }

    /// Bytes in the window.
    #[inline]
    pub(super) fn available(&self) -> usize {
        self.end - self.start
    }

    /// The bytes in the window.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The next `length` bytes without taking them; `None` when the file has fewer (see `available`).
    #[inline]
    pub(super) fn peek(&mut self, length: usize) -> io::Result<Option<&[u8]>> {
        if self.available() < length && !self.fill(length)? {
            return Ok(None);
        }
        Ok(Some(&self.buffer[self.start..self.start + length]))
    }

    /// Takes `length` bytes that are in the window.
    #[inline]
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        let start = self.start;
        self.start += length;
        &self.buffer[start..start + length]
    }

    /// Bytes taken from the file, and its size.
    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        (self.read.load(Ordering::Relaxed), self.size)
    }

    #[cold]
    fn fill(&mut self, length: usize) -> io::Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        // From the second time on it is packets that are read.
        let room = if self.begun { BLOCK } else { FIRST };
        self.begun = true;
        if self.buffer.len() < length.max(room) {
            self.buffer.resize(length.max(room), 0);
        }
        while self.end < length && !self.ended {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end >= length)
    }
}
