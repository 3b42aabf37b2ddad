//! What no record tells of.

/// What was given up without a record of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GivenUp {
    /// IP datagrams of which only some fragments have come, or were given up before the others came.
    pub incomplete_datagrams: u64,
    /// Directions that lost what their compressed messages refer back to, because of [`memory_bytes`](crate::base::Limits::memory_bytes).
    pub evicted_histories: u64,
    /// Compressed messages not inflated to their end: together they would have become too much for the bytes that they are.
    pub limited_inflations: u64,
    /// Violations that were not told one by one: there were too many for the bytes that were captured.
    pub unlisted_violations: u64,
    /// Requests forgotten before their answers came, because too many others came after them.
    pub forgotten_requests: u64,
}
