//! Sets of numbers that count up, a bit each.

use std::collections::VecDeque;

/// A set of numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits {
    words: VecDeque<u64>,
    /// Words before these, which are forgotten.
    forgotten: u64,
}

impl Bits {
    pub(super) fn insert(&mut self, number: u64) {
        let Some(word) = self.word(number) else { return };
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (number % 64);
    }

    #[inline]
    pub(super) fn contains(&self, number: u64) -> bool {
        let word = self.word(number).and_then(|word| self.words.get(word));
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Nobody asks for numbers below `number` any more.
    #[inline]
    pub(super) fn forget_before(&mut self, number: u64) {
        while self.forgotten < number / 64 {
            self.words.pop_front();
            self.forgotten += 1;
        }
    }

    #[inline]
    fn word(&self, number: u64) -> Option<usize> {
        usize::try_from((number / 64).checked_sub(self.forgotten)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_sets_that_forget(numbers in prop::collection::vec(0u64..2000, 0..100), before in 0u64..2000) {
            let mut bits = Bits::default();
            let set: BTreeSet<u64> = numbers.iter().copied().collect();
            numbers.iter().for_each(|&number| bits.insert(number));
            bits.forget_before(before);
            bits.insert(before + 1);
            for number in before..2100 {
                prop_assert_eq!(bits.contains(number), set.contains(&number) || number == before + 1);
            }
            prop_assert!(bits.words.len() <= 33);
        }
    }
}
