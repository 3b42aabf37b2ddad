//! Sessions for which there is no room: what comes of one later is left out as well, so that none is told in part.

use std::collections::BTreeMap;

/// Numbers that are remembered. Those that begin when there are more are left out all.
const MAX: usize = 1 << 16;

/// Which they are, until they end, and how many of them somebody wanted.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Whether each is counted.
    numbers: BTreeMap<u64, bool>,
    /// From this number on, all.
    all_from: Option<u64>,
    pub(super) count: u64,
}

impl LeftOut {
    /// There is no room for a session.
    pub(super) fn add(&mut self, number: u64) {
        if self.numbers.len() < MAX {
            self.numbers.entry(number).or_default();
        } else {
            self.all_from = Some(self.all_from.map_or(number, |from| from.min(number)));
        }
    }

    /// Whether a session is left out; it counts when something of it is wanted.
    pub(super) fn has(&mut self, number: u64, wanted: bool) -> bool {
        if let Some(counted) = self.numbers.get_mut(&number) {
            self.count += u64::from(wanted && !std::mem::replace(counted, *counted || wanted));
            return true;
        }
        self.all_from.is_some_and(|from| number >= from)
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
    fn each_counts_once_and_their_numbers_are_bounded() {
        let mut left_out = LeftOut::default();
        for number in 1..200_000 {
            left_out.add(number);
            left_out.has(number, number % 2 == 0);
            left_out.has(number, true);
            assert!(left_out.has(number, true));
        }
        assert!(left_out.numbers.len() <= MAX && left_out.count == MAX as u64);
        left_out.forget(1);
        assert!(!left_out.has(1, true) && left_out.has(2, true) && left_out.has(300_000, true));
    }
}
