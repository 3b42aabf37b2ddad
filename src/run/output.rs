//! Standard output: one big buffer, written in one piece when it is full or when nothing more is to come for now.

use std::fs::File;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::os::fd::AsFd;

/// When this much has gathered, it is written.
const FULL: usize = 128 << 10;

/// The buffer before standard output.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    /// Views append to it.
    pub(super) buffer: Vec<u8>,
    /// The first error; a closed pipe is one as well, but a quiet one.
    failed: Option<io::Error>,
}

impl Output {
    /// Standard output itself, without the standard library's line buffer.
    pub(super) fn stdout() -> io::Result<Self> {
        Ok(Self {
            file: File::from(io::stdout().as_fd().try_clone_to_owned()?),
            buffer: Vec::with_capacity(FULL + (64 << 10)),
            failed: None,
        })
    }

    /// Writes when enough has gathered. Says stop when nobody takes it.
    #[inline]
    pub(super) fn flush_if_full(&mut self) -> ControlFlow<()> {
        if self.buffer.len() >= FULL {
            self.flush()
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Writes what has gathered.
    pub(super) fn flush(&mut self) -> ControlFlow<()> {
        if self.failed.is_some() {
            self.buffer.clear();
            return ControlFlow::Break(());
        }
        if self.buffer.is_empty() {
            return ControlFlow::Continue(());
        }
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        // One huge message must not keep its memory for the rest of the run.
        if self.buffer.capacity() > 16 * FULL {
            self.buffer.shrink_to(2 * FULL);
        }
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Writes the rest; an error unless it is a closed pipe.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let _ = self.flush();
        match self.failed.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}
