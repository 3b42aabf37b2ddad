//! Time that no single wrong timestamp moves.

use crate::base::Timestamp;

/// How far the time of one packet moves the clock at most, in either direction. What lies further is believed when the next
/// far one agrees, and even then counts as that much time only: a clock that is set is not silence.
const MAX_STEP_NANOS: i64 = 60_000_000_000;

/// What time it is, by all packets together.
#[derive(Debug)]
pub(super) struct Clock {
    /// The latest time that is believed.
    latest: Timestamp,
    /// A time far from it, of one packet.
    doubtful: Option<Timestamp>,
    /// Nanoseconds that have passed, as far as packets have shown it. Never runs backwards.
    elapsed: i64,
    /// No packet was earlier than one before it.
    in_order: bool,
}

impl Clock {
    pub(super) const fn new() -> Self {
        Self {
            latest: Timestamp::from_nanos(i64::MIN),
            doubtful: None,
            elapsed: 0,
            in_order: true,
        }
    }

    /// Whether packets have come in the order of their times so far: then few have overtaken another, and not by much.
    #[inline]
    pub(super) fn in_order(&self) -> bool {
        self.in_order
    }

    /// Nanoseconds that have passed since some moment.
    #[inline]
    pub(super) fn elapsed(&self) -> i64 {
        self.elapsed
    }

    /// A packet came that says it is `time`. Answers what time is to be believed.
    #[inline]
    pub(super) fn see(&mut self, time: Timestamp) -> Timestamp {
        let step = time.since(self.latest);
        if !(0..=MAX_STEP_NANOS).contains(&step) {
            return self.see_step(time, step);
        }
        (self.latest, self.elapsed) = (time, self.elapsed + step);
        time
    }

    #[cold]
    fn see_step(&mut self, time: Timestamp, step: i64) -> Timestamp {
        let is_first = self.latest == Timestamp::from_nanos(i64::MIN);
        if !is_first && (-MAX_STEP_NANOS..0).contains(&step) {
            self.in_order = false;
            return time;
        }
        let agrees = |doubtful: Timestamp| {
            // Quiet captures step forward with every packet.
            let forward = step > 0 && doubtful > self.latest && time >= doubtful;
            forward || time.since(doubtful).saturating_abs() <= MAX_STEP_NANOS
        };
        if !is_first && !self.doubtful.take().is_some_and(agrees) {
            self.doubtful = Some(time);
            return self.latest;
        }
        if !is_first && step > 0 {
            self.elapsed += MAX_STEP_NANOS;
        }
        self.latest = time;
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    #[test]
    fn one_packet_from_the_future_moves_nothing() {
        let mut clock = Clock::new();
        clock.see(seconds(1_700_000_000));
        assert_eq!(clock.see(seconds(4_290_000_000)), seconds(1_700_000_000));
        assert_eq!(clock.see(seconds(1_700_000_001)), seconds(1_700_000_001));
        assert_eq!(clock.elapsed(), 1_000_000_000);
    }

    #[test]
    fn a_clock_that_is_set_takes_a_minute_at_most() {
        let mut clock = Clock::new();
        clock.see(seconds(0));
        for (set, elapsed) in [(1_700_000_000, 60), (1000, 60), (90_000, 120)] {
            clock.see(seconds(set));
            assert_eq!(clock.see(seconds(set)), seconds(set));
            assert_eq!(clock.elapsed(), elapsed * 1_000_000_000);
        }
    }

    #[test]
    fn a_quiet_capture_goes_on() {
        let mut clock = Clock::new();
        for minute in 0..100 {
            clock.see(seconds(600 * minute));
        }
        assert!(clock.elapsed() >= 40 * 60_000_000_000);
    }
}
