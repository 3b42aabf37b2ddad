//! Time as captures give it.

/// Nanoseconds since the Unix epoch (1970-01-01T00:00:00Z), before it when negative.
///
/// It always comes with a packet; nothing in the core reads a clock. Good from 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From a savefile's two fields: seconds, and nanoseconds in the second. Saturates.
    pub const fn from_parts(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// Nanoseconds in the second, 0 to 999,999,999.
    pub const fn subsec_nanos(self) -> u32 {
        self.0.rem_euclid(1_000_000_000) as u32
    }

    /// Nanoseconds from `earlier` to this time; negative when it is later. Saturates.
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_the_epoch_keep_a_positive_fraction() {
        let t = Timestamp::from_parts(-1, 250_000_000);
        assert_eq!((t.seconds(), t.subsec_nanos()), (-1, 250_000_000));
    }
}
