//! One run of `wschat-sniff`: [`Options`] come in, the view goes to standard output, the exit code comes out.

mod allocator;
mod batch;
mod check;
mod compare;
mod dump;
mod extensions;
mod extract;
mod hold_queue;
mod keys;
mod listeners;
mod live;
mod names;
mod offline;
mod output;
mod pick;
mod pipeline;
mod progress;
mod redacted;
mod relay;
mod setup;
mod signals;
mod sinks;
mod stderr;
mod summary;

pub use stderr::line as report;

use std::io::{self, Write as _};

use crate::capture;
use crate::cli::{Input, Options, Task};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All was well: exit code 0.
    Done,
    /// `--check` found violations: exit code 3.
    Violations,
}

/// Why a run failed: one line, exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl From<capture::Error> for Error {
    fn from(error: capture::Error) -> Self {
        Self(error.to_string())
    }
}

impl Error {
    fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
}

/// Does what the options say.
pub fn run(options: &Options) -> Result<Outcome, Error> {
    allocator::return_large_buffers();
    let rights = setup::Rights::choose(options)?;
    match options.task {
        Task::Run => match &options.input {
            Input::Live(device) => live::run(options, rights, device.as_deref()),
            Input::Files(_) | Input::List(_) => match &options.compare {
                Some(other) => compare::run(options, rights, other),
                None => offline::run(options, rights),
            },
        },
        Task::ListInterfaces => print(&capture::devices::list()?),
        Task::ListLinkTypes => live::list_link_types(options),
        Task::ListTimeStampTypes => live::list_time_stamp_types(options),
        Task::DumpFilter(how) => print(&dump::filter(options, rights, how)?),
    }
}

/// Writes text that is the whole result to standard output. A closed pipe is no error.
///
/// # Errors
///
/// It cannot be written.
pub fn print(text: &str) -> Result<Outcome, Error> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::new(format!("standard output: {error}"))),
        _ => Ok(Outcome::Done),
    }
}
