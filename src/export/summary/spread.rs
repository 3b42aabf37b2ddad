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

    /// Shortest, mean and longest in nanoseconds, when there was one.
    pub(super) fn nanos(&self) -> Option<[i64; 3]> {
        let mean = self.sum.checked_div(i128::from(self.count))?;
        // A mean is between the other two.
        Some([self.min, mean as i64, self.max])
    }
}
