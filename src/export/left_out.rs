//! Sessions for which there is no room: what comes of one later is left out as well, so that none is told in part.

use std::collections::BTreeMap;

/// Which they are, until they end, and how many of them somebody wanted. There are no more at once than the engine follows, for which
/// each takes many times the memory.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Whether each is counted.
    numbers: BTreeMap<u64, bool>,
    pub(super) count: u64,
}

impl LeftOut {
    /// There is no room for a session; it counts when something of it is wanted.
    pub(super) fn add(&mut self, number: u64, wanted: bool) {
        self.numbers.entry(number).or_default();
        self.has(number, wanted);
    }

    /// Whether a session is left out; it counts when something of it is wanted.
    pub(super) fn has(&mut self, number: u64, wanted: bool) -> bool {
        let Some(counted) = self.numbers.get_mut(&number) else {
            return false;
        };
        self.count += u64::from(wanted && !*counted);
        *counted |= wanted;
        true
    }

    /// Nothing more comes of a session.
    pub(super) fn forget(&mut self, number: u64) {
        self.numbers.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counts_once_however_many_there_are_and_none_stays_behind_its_end() {
        let mut left_out = LeftOut::default();
        for number in 1..=200_000 {
            left_out.add(number, number % 2 == 0);
            left_out.has(number, true);
            assert!(left_out.has(number, true));
        }
        left_out.add(0, false);
        assert_eq!(left_out.count, 200_000);
        for number in 0..=200_000 {
            left_out.forget(number);
        }
        assert!(left_out.numbers.is_empty() && !left_out.has(1, true));
    }
}
