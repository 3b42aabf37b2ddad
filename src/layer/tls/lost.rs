//! What lies between the last record that was read and the next one.

use crate::base::GapCause;

/// Records that were not read: how many at least and at most, and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lost {
    pub(super) least: u64,
    pub(super) most: u64,
    /// Headers included.
    pub(super) bytes: u64,
    /// Nobody knows what was sent before.
    pub(super) late: bool,
    pub(super) cause: Option<GapCause>,
}

/// More records than this are not looked for in a number; the trials end long before.
const MANY: u64 = 1 << 40;

impl Lost {
    /// One record, of `bytes` bytes.
    pub(super) fn record(bytes: usize, cause: Option<GapCause>) -> Self {
        Self {
            least: 1,
            most: 1,
            bytes: bytes as u64,
            late: false,
            cause,
        }
    }

    /// `bytes` bytes full of records of at least `shortest` bytes each.
    pub(super) fn hole(bytes: u64, shortest: u64, late: bool, cause: GapCause) -> Self {
        Self {
            least: u64::from(bytes > 0),
            most: if late { MANY } else { bytes / shortest + 1 },
            bytes,
            late,
            cause: Some(cause),
        }
    }

    pub(super) fn add(&mut self, other: &Lost) {
        self.least += other.least;
        self.most = self.most.saturating_add(other.most).min(MANY);
        self.bytes += other.bytes;
        self.late |= other.late;
        self.cause = other.cause.or(self.cause);
    }

    /// The counterpart of [`Self::add`] for what was added exactly once.
    pub(super) fn subtract(&mut self, other: &Lost) {
        self.least = self.least.saturating_sub(other.least);
        self.most = self.most.saturating_sub(other.most);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.most == 0 && self.bytes == 0
    }
}
