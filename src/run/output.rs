//! Where the view goes: one big buffer before standard output or a file, written in one piece when it is full or when nothing more is
//! to come for now.

use std::fs::File;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::os::fd::AsFd;

use super::Error;
use crate::capture::Outputs;
use crate::cli;

/// When this much has gathered, it is written.
const FULL: usize = 128 << 10;

/// The buffer before the file.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// None: whatever is written is lost.
    file: Option<File>,
    name: String,
    /// Views append to it.
    pub(super) buffer: Vec<u8>,
    /// The first error; a closed pipe is one as well, but a quiet one.
    failed: Option<io::Error>,
}

impl Output {
    /// The file of `--output`, or standard output itself, without the standard library's line buffer.
    pub(super) fn open(wanted: Option<&cli::Output>, outputs: &Outputs) -> Result<Self, Error> {
        let (name, file) = match wanted {
            None => (
                "standard output".to_owned(),
                io::stdout()
                    .as_fd()
                    .try_clone_to_owned()
                    .map(File::from)
                    .and_then(|file| outputs.allow(&file).map(|()| file)),
            ),
            Some(wanted) => return Self::create("--output", wanted, outputs),
        };
        Self::new(name, file)
    }

    /// The file that `flag` names.
    pub(super) fn create(flag: &str, wanted: &cli::Output, outputs: &Outputs) -> Result<Self, Error> {
        let cli::Output { path, force } = wanted;
        let file = if *force {
            outputs.create(path)
        } else {
            outputs.create_new(path)
        };
        Self::new(format!("{flag} {}", path.display()), file)
    }

    fn new(name: String, file: io::Result<File>) -> Result<Self, Error> {
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::new(format!(
                "{name}: there is such a file already; name another, or overwrite it with --force"
            )),
            _ => Error::new(format!("{name}: {error}")),
        })?;
        Ok(Self {
            file: Some(file),
            name,
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
        let written = match &mut self.file {
            Some(file) => file.write_all(&self.buffer),
            None => Ok(()),
        };
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
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        let _ = self.flush();
        match self.failed.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::new(format!("{}: {error}", self.name)))
            }
            _ => Ok(()),
        }
    }
}
