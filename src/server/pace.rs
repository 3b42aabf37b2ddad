//! How fast one client may talk: a token bucket.

use std::time::{Duration, Instant};

/// Bytes that count as one message; a longer message counts once for each of them begun.
const UNIT: usize = 4096;

/// One client's allowance. It fills at a steady rate and holds no more than a burst.
#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    burst: f64,
    tokens: f64,
    since: Instant,
}

impl Pace {
    /// `rate` messages a second, `burst` at once; a rate of 0 lets everything through.
    pub(super) fn new(rate: f64, burst: u32, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self {
            rate,
            burst,
            tokens: burst,
            since: now,
        }
    }

    /// May a message of `bytes` bytes pass now? If so, it is paid for.
    ///
    /// A message that costs more than a burst passes when the bucket is full.
    pub(super) fn allows(&mut self, bytes: usize, now: Instant) -> bool {
        if self.rate <= 0.0 {
            return true;
        }
        let passed = now.checked_duration_since(self.since).unwrap_or(Duration::ZERO);
        self.tokens = (self.tokens + passed.as_secs_f64() * self.rate).min(self.burst);
        self.since = now;
        let cost = (bytes.div_ceil(UNIT).max(1) as f64).min(self.burst);
        let allowed = self.tokens >= cost;
        if allowed {
            self.tokens -= cost;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let start = Instant::now();
        let mut pace = Pace::new(10.0, 3, start);
        assert_eq!([0; 5].map(|_| pace.allows(20, start)), [true, true, true, false, false]);
        let later = start + Duration::from_millis(210);
        assert_eq!([0; 3].map(|_| pace.allows(20, later)), [true, true, false]);
        let much_later = later + Duration::from_secs(3600);
        assert_eq!([0; 4].map(|_| pace.allows(20, much_later)), [true, true, true, false]);
    }

    #[test]
    fn long_messages_cost_more_but_never_more_than_a_burst() {
        let start = Instant::now();
        let mut pace = Pace::new(1.0, 4, start);
        assert!(pace.allows(3 * UNIT, start));
        assert!(pace.allows(1, start));
        assert!(!pace.allows(1, start));
        assert!(pace.allows(1000 * UNIT, start + Duration::from_secs(4)));
    }

    #[test]
    fn rate_zero_is_no_limit() {
        let start = Instant::now();
        let mut pace = Pace::new(0.0, 1, start);
        assert!((0..1000).all(|_| pace.allows(1 << 20, start)));
    }
}
