//! One run of `wschat-sniff`: [`Options`] come in, the view goes to standard output, the exit code comes out.

mod offline;
mod output;
mod pipeline;

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
    match (&options.task, &options.input) {
        (Task::Run, Input::Files(files)) => offline::run(options, files),
        _ => Err(Error::new("not built yet")),
    }
}
