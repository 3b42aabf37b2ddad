//! How much may be inflated, so that a few bytes cannot ask for any amount of work.

use crate::base::Timestamp;

/// Inflated bytes that a message may have for each compressed one, in any case.
const OWN: u64 = 16;

/// What all messages share: inflated bytes for each captured byte and for each second that passes, saved up to the most that one message may
/// become. What is sent over and over compresses hundreds of times: a second's worth of that is what an application sends.
const A_BYTE: u64 = 12;
const A_SECOND: u64 = 1 << 20;

/// A control character counts as so many bytes: that long it is where it is printed, escaped.
const A_CONTROL: u64 = 6;

/// Inflated bytes that all directions together may still have.
///
/// DEFLATE gives up to 1032 bytes for one (RFC 1951 §3.2.5), each of which is judged, escaped and printed.
#[derive(Debug)]
pub(in crate::layer::ws) struct Allowance {
    /// The most that one message may become, and that can be saved up, or owed.
    most: i64,
    /// Negative when control characters took more than there was.
    left: i64,
    /// Captured bytes that are not counted in `left` yet.
    captured: u64,
    /// Until when `left` is counted.
    until: Option<Timestamp>,
    /// How many messages were left off because of it.
    exceeded: u64,
}

impl Allowance {
    pub(in crate::layer::ws) fn new(most: usize) -> Self {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Self {
            most,
            left: most,
            captured: 0,
            until: None,
            exceeded: 0,
        }
    }

    /// So many bytes were captured.
    pub(in crate::layer::ws) fn captured(&mut self, bytes: usize) {
        self.captured += bytes as u64;
    }

    /// How long a message of so many compressed bytes may become.
    pub(in crate::layer::ws) fn of(&mut self, compressed: usize, now: Timestamp) -> usize {
        let nanos = self.until.map_or(0, |until| now.since(until)).max(0) as u64;
        self.until = self.until.max(Some(now));
        let earned = std::mem::take(&mut self.captured)
            .saturating_mul(A_BYTE)
            .saturating_add((nanos / 1000).saturating_mul(A_SECOND) / 1_000_000);
        self.left = self.left.saturating_add_unsigned(earned).min(self.most);
        own(compressed)
            .saturating_add_signed(self.left.max(0))
            .min(self.most as u64) as usize
    }

    /// A message of so many compressed bytes became `inflated`; `limited`: it would have become more than [`of`](Self::of) gave it.
    pub(in crate::layer::ws) fn spend(&mut self, compressed: usize, inflated: &[u8], limited: bool) {
        let more = (inflated.len() as u64).saturating_sub(own(compressed));
        if more > 0 {
            let controls = inflated.iter().filter(|&&byte| byte < b' ').count() as u64;
            let spent = more + (A_CONTROL - 1) * controls;
            self.left = self.left.saturating_sub_unsigned(spent).max(-self.most);
        }
        self.exceeded += u64::from(limited && (inflated.len() as u64) < self.most as u64);
    }

    /// How many messages were left off because of it.
    pub(in crate::layer::ws) fn exceeded(&self) -> u64 {
        self.exceeded
    }
}

/// What a message may have in any case: the shortest ones have a frame header around them.
fn own(compressed: usize) -> u64 {
    OWN.saturating_mul(compressed as u64 + 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 16 << 20;

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    #[test]
    fn a_long_message_of_few_bytes_is_free_and_then_all_have_their_own_share() {
        let mut allowance = Allowance::new(LIMIT);
        assert_eq!(allowance.of(1000, seconds(0)), LIMIT);
        allowance.spend(1000, &vec![b'x'; LIMIT], false);
        let own = 16 * 1008;
        assert_eq!(allowance.of(1000, seconds(0)), own + own);
        allowance.spend(1000, &vec![b'x'; 2 * own], true);
        assert_eq!(allowance.of(1000, seconds(0)), own);
        assert_eq!(allowance.exceeded(), 1);
    }

    #[test]
    fn captured_bytes_and_seconds_earn_more_up_to_what_can_be_saved() {
        let mut allowance = Allowance::new(LIMIT);
        allowance.spend(0, &vec![b'x'; LIMIT + 128], false);
        assert_eq!(allowance.of(0, seconds(0)), 128);
        allowance.captured(1000);
        assert_eq!(allowance.of(0, seconds(0)), 128 + 12_000);
        assert_eq!(allowance.of(0, seconds(1)), 128 + 12_000 + (1 << 20));
        // A clock that goes back earns nothing, and nothing twice.
        assert_eq!(allowance.of(0, seconds(-5)), 128 + 12_000 + (1 << 20));
        assert_eq!(allowance.of(0, seconds(1)), 128 + 12_000 + (1 << 20));
        assert_eq!(allowance.of(0, Timestamp::from_nanos(i64::MAX)), LIMIT);
        assert_eq!(allowance.left, LIMIT as i64);
    }

    #[test]
    fn control_characters_count_as_what_they_are_printed_as() {
        let mut allowance = Allowance::new(LIMIT);
        allowance.spend(0, &[0; 1128], false);
        assert_eq!(allowance.left, LIMIT as i64 - 1000 - 5 * 1128);
        // Not within what a message may have in any case.
        allowance.spend(0, &[0; 128], false);
        assert_eq!(allowance.left, LIMIT as i64 - 1000 - 5 * 1128);
        // What they took beyond what there was is owed.
        allowance.spend(0, &vec![0; LIMIT], false);
        assert!(allowance.left < 0);
        assert_eq!(allowance.of(0, seconds(0)), 128);
    }
}
