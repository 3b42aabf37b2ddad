//! `--redact`, and its file.

use super::Error;
use super::output::Output;
use crate::export::redact::Redaction;

/// When this much has gathered, it is taken.
const FULL: usize = 128 << 10;

pub(super) struct Redacted {
    pub(super) redaction: Redaction,
    pub(super) output: Output,
}

impl Redacted {
    /// Enough has gathered to be written.
    pub(super) fn full(&mut self) -> bool {
        self.redaction.output().len() >= FULL
    }

    /// Writes what has gathered.
    pub(super) fn write(&mut self) {
        self.output.buffer.append(self.redaction.output());
        // What fails is told at the end.
        let _ = self.output.flush_if_full();
    }

    /// Nothing will come any more.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.redaction.finish();
        self.write();
        self.output.finish()
    }
}
