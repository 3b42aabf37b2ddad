//! How long something takes: the shortest, mean and longest time.

/// Times in nanoseconds, as far as a line of the summary tells of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread {
    /// How many.
    pub(super) count: u64,
    min: i64,
    max: i64,
    sum: i128,
}

impl Spread {
    /// One more. Negative ones (a clock was set back) count as 0.
    pub(super) fn add(&mut self, nanos: i64) {
        let nanos = nanos.max(0);
        self.min = if self.count == 0 { nanos } else { self.min.min(nanos) };
        self.max = self.max.max(nanos);
        self.sum += i128::from(nanos);
        self.count += 1;
    }

    /// Shortest, mean and longest in milliseconds, when there was one.
    pub(super) fn millis(&self) -> Option<[f64; 3]> {
        let count = i128::from(self.count);
        let mean = self.sum.checked_div(count)?;
        Some([self.min as f64 / 1e6, mean as f64 / 1e6, self.max as f64 / 1e6])
    }
}
