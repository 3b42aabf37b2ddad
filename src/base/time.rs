//! Time as captures give it.

const SECOND: i64 = 1_000_000_000;

/// Nanoseconds since the Unix epoch (1970-01-01T00:00:00Z), before it when negative.
///
/// It always comes with a packet; nothing in the core reads a clock. Good from 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    nanos: i64,
    /// How many of the seconds came from the fraction's field: 0, but for a damaged file whose fraction is a second or more.
    carried: i16,
}

impl Timestamp {
    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos, carried: 0 }
    }

    /// From a savefile's two fields: seconds, and nanoseconds in the second. Saturates.
    pub const fn from_parts(seconds: i64, nanos: i64) -> Self {
        let carried = nanos.div_euclid(SECOND);
        Self {
            nanos: seconds.saturating_mul(SECOND).saturating_add(nanos),
            carried: if carried == carried as i16 as i64 {
                carried as i16
            } else {
                0
            },
        }
    }

    /// The two fields as the savefile had them: seconds, and nanoseconds, which in a damaged file may be a second or more.
    pub const fn parts(self) -> (i64, i64) {
        let carried = self.carried as i64;
        (
            self.seconds().saturating_sub(carried),
            self.subsec_nanos() as i64 + carried * SECOND,
        )
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.nanos.div_euclid(SECOND)
    }

    /// Nanoseconds in the second, 0 to 999,999,999.
    pub const fn subsec_nanos(self) -> u32 {
        self.nanos.rem_euclid(SECOND) as u32
    }

    /// Nanoseconds from `earlier` to this time; negative when it is later. Saturates.
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.nanos.saturating_sub(earlier.nanos)
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

    #[test]
    fn a_damaged_fraction_is_kept_as_it_was() {
        let t = Timestamp::from_parts(7, 4_294_967_295_000);
        assert_eq!((t.seconds(), t.subsec_nanos()), (4301, 967_295_000));
        assert_eq!(t.parts(), (7, 4_294_967_295_000));
        assert_eq!(Timestamp::from_parts(-7, -1).parts(), (-7, -1));
        assert_eq!(Timestamp::from_parts(-7, 1).parts(), (-7, 1));
    }
}
