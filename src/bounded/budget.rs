//! The one bound on all memory that is kept for connections, and who has to give some back when it is reached.
//!
//! In: what each entry of a table costs, whenever that changes. Out: the next [`Victim`], until the total fits again. What has
//! proven nothing goes first (the largest size class first, in it the one silent longest), then the rest shed what they hold
//! (again the largest first), and only when nothing is left to shed, entries that have proven something are ended.

use std::ops::Range;

use crate::bounded::LruList;

/// Size classes: nothing, less than 512 bytes, less than 1 KiB, and so on by powers of two.
const CLASSES: usize = 32;

/// Bytes of the first class that is not empty, as a power of two.
const SMALLEST: u32 = 9;

/// A bound on bytes of memory, over all entries of a table and what is kept beside them.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    /// What all entries cost.
    entries: usize,
    /// What is kept beside them: tables, pools.
    others: usize,
    /// Entries by size class, those that have proven something behind those that have not.
    lists: LruList<{ 2 * CLASSES }>,
}

/// What the budget knows of one entry; it lives with the entry.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Account {
    /// What it costs, in bytes.
    cost: u32,
    /// What it cost after it had shed what it could: shedding again frees only what is above.
    floor: u32,
    is_proven: bool,
}

/// Who has to give memory back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// The entry has proven nothing: it goes.
    Evict(u32),
    /// The entry drops what it holds.
    Shed(u32),
    /// Nobody has anything to shed: the entry that was silent longest goes.
    LongestSilent,
}

impl Budget {
    /// At most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            entries: 0,
            others: 0,
            lists: LruList::new(),
        }
    }

    /// What is kept beside the entries costs that much.
    #[inline]
    pub(crate) fn set_others(&mut self, bytes: usize) {
        self.others = bytes;
    }

    /// What is kept, in bytes.
    #[inline]
    pub(crate) fn total(&self) -> usize {
        self.entries + self.others
    }

    /// The part of it that belongs to entries.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Whether that is too much.
    #[inline]
    pub(crate) fn is_exceeded(&self) -> bool {
        self.total() > self.limit
    }

    /// Entry `slot` has been used and costs `cost` now. With `refresh` it counts as the one used last.
    #[inline]
    pub(crate) fn update(&mut self, slot: u32, account: &mut Account, cost: usize, is_proven: bool, refresh: bool) {
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        if cost == account.cost && is_proven == account.is_proven && !refresh {
            return;
        }
        let before = account.list();
        self.entries = self.entries - account.cost as usize + cost as usize;
        *account = Account {
            cost,
            floor: account.floor.min(cost),
            is_proven,
        };
        if refresh || account.list() != before {
            self.lists.push(slot, account.list());
        }
    }

    /// Entry `slot` has shed what it could and costs `cost` now.
    pub(crate) fn has_shed(&mut self, slot: u32, account: &mut Account, cost: usize) {
        self.update(slot, account, cost, account.is_proven, false);
        account.floor = account.cost;
        self.lists.push(slot, account.list());
    }

    /// Entry `slot` is gone.
    pub(crate) fn remove(&mut self, slot: u32, account: Account) {
        self.entries -= account.cost as usize;
        self.lists.remove(slot);
    }

    /// The next one that has to give memory back.
    pub(crate) fn victim(&self) -> Victim {
        let largest = |classes: Range<usize>| classes.rev().find_map(|list| self.lists.oldest(list));
        let unproven = largest(1..CLASSES).map(Victim::Evict);
        let victim = unproven.or_else(|| largest(CLASSES + 1..2 * CLASSES).map(Victim::Shed));
        victim.unwrap_or(Victim::LongestSilent)
    }

    /// An entry that has proven nothing and was silent long, the smallest first: who has to go when there are too many entries.
    pub(crate) fn least(&self, current: u32) -> Option<u32> {
        (0..CLASSES).find_map(|list| self.lists.oldest(list).filter(|&slot| slot != current))
    }
}

impl Account {
    /// Where it stands in [`Budget::lists`].
    #[inline]
    fn list(&self) -> usize {
        // All that an entry holds goes with it; one that stays gives back what it has gathered since it last shed.
        let gives = if self.is_proven {
            self.cost - self.floor
        } else {
            self.cost
        };
        let class = match gives {
            0 => 0,
            _ => (u32::BITS - (gives >> SMALLEST).leading_zeros()) as usize + 1,
        };
        class + CLASSES * usize::from(self.is_proven)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget_of(entries: &[(usize, bool)]) -> (Budget, Vec<Account>) {
        let mut budget = Budget::new(100_000);
        let mut accounts = vec![Account::default(); entries.len()];
        for (slot, (&(cost, is_proven), account)) in entries.iter().zip(&mut accounts).enumerate() {
            budget.update(slot as u32, account, cost, is_proven, true);
        }
        (budget, accounts)
    }

    #[test]
    fn what_has_proven_nothing_goes_first_then_the_largest_shed_and_last_the_silent_end() {
        let entries = [
            (40_000, true),
            (700, false),
            (9000, false),
            (8500, false),
            (50_000, true),
        ];
        let (mut budget, mut accounts) = budget_of(&entries);
        assert_eq!(budget.total(), 108_200);
        assert!(budget.is_exceeded());
        for slot in [2, 3, 1] {
            assert_eq!(budget.victim(), Victim::Evict(slot));
            budget.remove(slot, accounts[slot as usize]);
        }
        for slot in [0, 4] {
            assert_eq!(budget.victim(), Victim::Shed(slot));
            budget.has_shed(slot, &mut accounts[slot as usize], 1000);
        }
        assert_eq!(
            budget.victim(),
            Victim::LongestSilent,
            "what they still hold is not for shedding"
        );
        budget.update(4, &mut accounts[4], 1600, true, false);
        assert_eq!(budget.victim(), Victim::Shed(4), "what has been gathered since is");
        assert_eq!(budget.total(), 2600);
    }

    #[test]
    fn what_costs_nothing_need_not_go() {
        let (budget, _) = budget_of(&[(0, false), (0, true), (300, false)]);
        assert_eq!(budget.victim(), Victim::Evict(2));
        assert_eq!(budget.least(9), Some(0));
    }
}
