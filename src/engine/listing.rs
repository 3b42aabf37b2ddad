//! How many violations are told one by one. A frame of two bytes can break three rules, and telling that takes hundreds.

/// What is left, and what was not told for want of it.
#[derive(Debug)]
pub(super) struct Listing {
    /// Captured bytes for which none was told.
    bytes: u64,
    /// Violations that were not told.
    pub(super) unlisted: u64,
}

/// Captured bytes that allow a violation.
const A_VIOLATION: u64 = 16;
/// Those that are there at the beginning, and those that may gather.
const FIRST: u64 = 1_024 * A_VIOLATION;
const GATHERED: u64 = 65_536 * A_VIOLATION;

impl Default for Listing {
    fn default() -> Self {
        Self {
            bytes: FIRST,
            unlisted: 0,
        }
    }
}

impl Listing {
    /// A packet of so many captured bytes.
    #[inline]
    pub(super) fn captured(&mut self, bytes: usize) {
        self.bytes = (self.bytes + bytes as u64).min(GATHERED);
    }

    /// Whether one more is told; it is counted when it is not.
    pub(super) fn has_room(&mut self) -> bool {
        let has_room = self.bytes >= A_VIOLATION;
        self.unlisted += u64::from(!has_room);
        has_room
    }

    /// One is told.
    pub(super) fn spend(&mut self) {
        self.bytes = self.bytes.saturating_sub(A_VIOLATION);
    }
}
