//! Least, middle and most of what was measured.

/// Nanoseconds, by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// How many were measured.
    pub count: usize,
    /// The least.
    pub min: i64,
    /// Half of them are not more.
    pub p50: i64,
    /// 90 % of them are not more.
    pub p90: i64,
    /// 99 % of them are not more.
    pub p99: i64,
    /// The most.
    pub max: i64,
}

impl Spread {
    /// Of these, when there are any.
    pub fn of(mut all: Vec<i64>) -> Option<Self> {
        all.sort_unstable();
        let (min, max) = (*all.first()?, *all.last()?);
        let rank = |percent: usize| all[(all.len() * percent).div_ceil(100).saturating_sub(1)];
        Some(Self {
            count: all.len(),
            min,
            p50: rank(50),
            p90: rank(90),
            p99: rank(99),
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest_ones() {
        let spread = Spread::of((1..=200).rev().collect()).unwrap();
        assert_eq!(
            (spread.min, spread.p50, spread.p90, spread.p99, spread.max),
            (1, 100, 180, 198, 200)
        );
        let one = Spread::of(vec![7]).unwrap();
        assert_eq!((one.count, one.min, one.p50, one.p99, one.max), (1, 7, 7, 7, 7));
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
