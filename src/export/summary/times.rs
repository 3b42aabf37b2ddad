//! How long something takes: percentiles out of a histogram of bounded size.

use std::collections::BTreeMap;

/// Bits of a time that tell its bucket: a bucket is at most a 128th as wide as the times in it are long, and what is told of it, its
/// middle, is off by a 256th at most.
const BITS: u32 = 7;

/// Times in nanoseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    /// How many.
    pub(super) count: u64,
    max: i64,
    /// How many in each bucket.
    buckets: BTreeMap<u16, u64>,
}

impl Times {
    /// One more. Negative ones (a clock was set back) count as 0.
    pub(super) fn add(&mut self, nanos: i64) {
        let nanos = nanos.max(0);
        self.count += 1;
        self.max = self.max.max(nanos);
        *self.buckets.entry(bucket(nanos.unsigned_abs())).or_default() += 1;
    }

    /// The 50th, 90th and 99th percentile by nearest rank, and the longest; when there is one.
    pub(super) fn nanos(&self) -> Option<[i64; 4]> {
        let [p50, p90, p99] = [50, 90, 99].map(|percent| self.percentile(percent));
        Some([p50?, p90?, p99?, self.max])
    }

    fn percentile(&self, percent: u128) -> Option<i64> {
        let rank = (u128::from(self.count) * percent).div_ceil(100);
        let mut seen = 0;
        for (bucket, count) in &self.buckets {
            seen += u128::from(*count);
            if seen >= rank {
                return Some((middle(*bucket) as i64).min(self.max));
            }
        }
        None
    }
}

/// The first bits of a number and how many follow them.
fn bucket(nanos: u64) -> u16 {
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(BITS + 1);
    ((u64::from(shift) << BITS) + (nanos >> shift)) as u16
}

/// The number in the middle of a bucket.
fn middle(bucket: u16) -> u64 {
    let shift = (u32::from(bucket) >> BITS).saturating_sub(1);
    let first = u64::from(bucket) - (u64::from(shift) << BITS);
    (first << shift) + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_tells_a_time_within_a_256th(nanos in prop_oneof![0..1000_u64, 0..=i64::MAX as u64]) {
            let told = middle(bucket(nanos));
            prop_assert!(told.abs_diff(nanos) <= nanos / 256 + 1, "{nanos} is told as {told}");
        }

        #[test]
        fn longer_times_have_later_buckets(a in 0..=i64::MAX as u64, b in 0..=i64::MAX as u64) {
            prop_assert_eq!(bucket(a).cmp(&bucket(b)) as i8 * (a.cmp(&b) as i8) >= 0, true);
        }

        #[test]
        fn percentiles_are_those_of_the_nearest_rank(mut all in prop::collection::vec(0..10_000_000_000_i64, 1..300)) {
            let mut times = Times::default();
            all.iter().for_each(|nanos| times.add(*nanos));
            all.sort_unstable();
            let rank = |percent: usize| all[(all.len() * percent).div_ceil(100) - 1];
            let told = times.nanos().unwrap();
            for (told, exact) in told.into_iter().zip([rank(50), rank(90), rank(99), rank(100)]) {
                prop_assert!(told.abs_diff(exact) <= exact as u64 / 256 + 1, "{told} {exact}");
            }
        }
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(Times::default().nanos(), None);
    }
}
