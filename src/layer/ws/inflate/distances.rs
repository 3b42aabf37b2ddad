//! A set of distances, each 0 to the size of a window.

/// Which distances are possible. The greatest stands for all beyond it, too: no match reaches so far.
#[derive(Debug, Clone)]
pub(super) struct Distances {
    bits: Box<[u64]>,
    count: usize,
    most: u32,
}

impl Distances {
    /// Only 0, of 0 to `most`.
    pub(super) fn zero(most: u32) -> Self {
        let mut distances = Self::none(most);
        distances.insert(0);
        distances
    }

    fn none(most: u32) -> Self {
        Self {
            bits: vec![0; most as usize / 64 + 1].into(),
            count: 0,
            most,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// How much memory it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        size_of_val(&*self.bits)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// In ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.bits.iter().enumerate().flat_map(|(at, &word)| {
            let mut word = word;
            std::iter::from_fn(move || {
                if word == 0 {
                    return None;
                }
                let bit = word.trailing_zeros();
                word &= word - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }

    pub(super) fn least(&self) -> Option<u32> {
        self.iter().next()
    }

    /// The greatest one, unless that has no limit.
    pub(super) fn greatest(&self) -> Option<u32> {
        let at = self.bits.iter().rposition(|&word| word != 0)?;
        let greatest = at as u32 * 64 + 63 - self.bits[at].leading_zeros();
        (greatest < self.most).then_some(greatest)
    }

    /// The distance, once there is no doubt and it can be reached.
    pub(super) fn single(&self) -> Option<u32> {
        if self.count == 1 { self.greatest() } else { None }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        for (at, word) in self.bits.iter_mut().enumerate() {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                if !keep(at as u32 * 64 + bit) {
                    *word &= !(1 << bit);
                    self.count -= 1;
                }
            }
        }
    }

    /// Adds `least` to each, and anything up to `more`.
    pub(super) fn widen(&mut self, least: u64, more: u64) {
        let mut wide = Self::none(self.most);
        let mut next = 0u64;
        for distance in self.iter() {
            let from = u64::from(distance).saturating_add(least);
            let to = from.saturating_add(more).min(u64::from(self.most));
            for sum in from.min(to).max(next)..=to {
                wide.insert(sum as u32);
            }
            next = to + 1;
        }
        *self = wide;
    }

    fn insert(&mut self, distance: u32) {
        let word = &mut self.bits[distance as usize / 64];
        let bit = 1 << (distance % 64);
        self.count += usize::from(*word & bit == 0);
        *word |= bit;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_a_plain_set(
            most in 1u32..400,
            widenings in prop::collection::vec((0u64..90, 0u64..40), 1..5),
            keep in any::<u64>(),
        ) {
            let mut distances = Distances::zero(most);
            let mut plain = BTreeSet::from([0u64]);
            for (least, more) in widenings {
                distances.widen(least, more);
                plain = plain.iter().flat_map(|d| d + least..=d + least + more).map(|d| d.min(most.into())).collect();
                let kept = |d: u64| keep >> (d % 64) & 1 == 1;
                if plain.iter().any(|&d| kept(d)) {
                    distances.retain(|d| kept(d.into()));
                    plain.retain(|&d| kept(d));
                }
                prop_assert!(distances.iter().map(u64::from).eq(plain.iter().copied()));
                prop_assert_eq!(distances.len(), plain.len());
                prop_assert_eq!(distances.least().map(u64::from), plain.first().copied());
                prop_assert_eq!(distances.greatest().map(u64::from), plain.last().copied().filter(|&d| d < most.into()));
            }
        }
    }
}
