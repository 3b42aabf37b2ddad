//! A token bucket: how fast a client may send, and an address log in.

use std::time::{Duration, Instant};

/// Bytes that count as one message; a longer message counts once for each of them begun.
const BYTES_PER_TOKEN: usize = 4096;

/// Fills at a steady rate and holds no more than a burst.
#[derive(Debug)]
pub(super) struct RateLimit {
    rate: f64,
    burst: f64,
    tokens: f64,
    updated: Instant,
}

impl RateLimit {
    /// `rate` messages a second, `burst` at once; a rate of 0 is no limit.
    pub(super) fn new(rate: f64, burst: u32, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self {
            rate,
            burst,
            tokens: burst,
            updated: now,
        }
    }

    /// May a message of `bytes` bytes pass now? If so, its tokens are taken.
    ///
    /// A message that costs more than a burst passes when the bucket is full.
    pub(super) fn allow(&mut self, bytes: usize, now: Instant) -> bool {
        if self.rate <= 0.0 {
            return true;
        }
        self.refill(now);
        let cost = (bytes.div_ceil(BYTES_PER_TOKEN).max(1) as f64).min(self.burst);
        let allowed = self.tokens >= cost;
        if allowed {
            self.tokens -= cost;
        }
        allowed
    }

    /// Is it as if it had never been used?
    pub(super) fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens >= self.burst
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.checked_duration_since(self.updated).unwrap_or(Duration::ZERO);
        self.tokens = (self.tokens + elapsed.as_secs_f64() * self.rate).min(self.burst);
        self.updated = self.updated.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let start = Instant::now();
        let mut limit = RateLimit::new(10.0, 3, start);
        assert_eq!([0; 5].map(|_| limit.allow(20, start)), [true, true, true, false, false]);
        let later = start + Duration::from_millis(210);
        assert_eq!([0; 3].map(|_| limit.allow(20, later)), [true, true, false]);
        let much_later = later + Duration::from_secs(3600);
        assert!(limit.is_full(much_later));
        assert_eq!([0; 4].map(|_| limit.allow(20, much_later)), [true, true, true, false]);
    }

    #[test]
    fn long_messages_cost_more_but_never_more_than_a_burst() {
        let start = Instant::now();
        let mut limit = RateLimit::new(1.0, 4, start);
        assert!(limit.allow(3 * BYTES_PER_TOKEN, start));
        assert!(limit.allow(1, start));
        assert!(!limit.allow(1, start));
        assert!(limit.allow(1000 * BYTES_PER_TOKEN, start + Duration::from_secs(4)));
    }

    #[test]
    fn rate_zero_is_no_limit() {
        let start = Instant::now();
        let mut limit = RateLimit::new(0.0, 1, start);
        assert!((0..1000).all(|_| limit.allow(1 << 20, start)));
    }
}
