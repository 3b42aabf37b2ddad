//! A file in big blocks: a window of contiguous bytes that slides over it.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ahead::Ahead;

/// Small enough to leave room in the second-level cache, large enough that the system call does not count.
const BLOCK: usize = 64 << 10;

/// A file of more bytes than this may be read ahead.
const AHEAD: u64 = 4 << 20;

/// Enough for a header: many inputs may be open before the first one is read.
const FIRST: usize = 4 << 10;

/// The window. Bytes are read when they are asked for, of a large file a few blocks earlier; on a pipe the last packet is
/// not held back.
pub(super) struct Blocks {
    source: Source,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    begun: bool,
    /// A thread is to read ahead.
    ahead: bool,
    read: Arc<AtomicU64>,
    size: Option<u64>,
    unpacks: bool,
}

/// Where bytes come from.
enum Source {
    Direct(Box<dyn Read + Send>),
    /// A thread reads them.
    Ahead(Ahead),
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
            source: Source::Direct(source),
            buffer: vec![0; FIRST],
            start: 0,
            end: 0,
            ended: false,
            begun: false,
            ahead: false,
            read,
            size,
            unpacks,
        }
    }

    /// The headers are read, packets come next: in large blocks, of a large file ahead of time if `ahead` or if that is work.
    pub(super) fn begin(&mut self, ahead: bool) {
        self.begun = true;
        self.ahead = (ahead || self.unpacks) && self.size.is_some_and(|size| size > AHEAD);
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
        if self.start > 0 && matches!(self.source, Source::Direct(_)) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = if self.begun { BLOCK } else { FIRST };
        if self.ahead {
            self.read_ahead();
        }
        let Source::Direct(source) = &mut self.source else {
            return self.fill_from_ahead(length);
        };
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        while self.end < length && !self.ended {
            if self.end == self.buffer.len() {
                // A packet may claim more bytes than there are: room is made as they come.
                self.buffer.resize(length.min(2 * self.end), 0);
            }
            match source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end >= length)
    }

    /// From now on a thread reads, unless there is but one processor.
    fn read_ahead(&mut self) {
        if let Source::Direct(source) = &mut self.source
            && std::thread::available_parallelism().is_ok_and(|n| n.get() > 1)
        {
            let source = std::mem::replace(source, Box::new(io::empty()));
            self.source = Source::Ahead(Ahead::start(source, BLOCK));
        }
    }

    fn fill_from_ahead(&mut self, length: usize) -> io::Result<bool> {
        if let Source::Ahead(ahead) = &self.source {
            while self.available() < length && !self.ended {
                self.ended = ahead.next(&mut self.buffer, &mut self.start, &mut self.end)? == 0;
            }
        }
        Ok(self.available() >= length)
    }
}
