//! Times as RFC 3339 §5.6 writes them, in UTC.

use super::put::{fraction, number, pair};
use crate::base::Timestamp;

/// Writes times; the date and time of day are worked out only when the second changes.
#[derive(Debug, Clone)]
pub(super) struct Utc {
    second: i64,
    text: [u8; 20],
    /// Nine digits of the second's fraction, not six.
    nine: bool,
}

impl Utc {
    /// Writes nine digits of the second's fraction, or six.
    pub(super) fn new(nine: bool) -> Self {
        Self {
            second: 0,
            text: calendar(0),
            nine,
        }
    }

    /// Appends `2014-08-12T09:51:02.775205Z`.
    #[inline]
    pub(super) fn write(&mut self, out: &mut Vec<u8>, time: Timestamp) {
        let second = time.seconds();
        if second != self.second {
            self.second = second;
            self.text = calendar(second);
        }
        out.extend_from_slice(&self.text);
        fraction(out, time.subsec_nanos(), self.nine);
        out.push(b'Z');
    }
}

impl Utc {
    /// Appends the seconds since the epoch, `1407837062.775205`.
    #[inline]
    pub(super) fn write_seconds(&self, out: &mut Vec<u8>, time: Timestamp) {
        const SECOND: u64 = 1_000_000_000;
        let nanos = time.nanos();
        if nanos < 0 {
            out.push(b'-');
        }
        let nanos = nanos.unsigned_abs();
        number(out, nanos / SECOND);
        out.push(b'.');
        fraction(out, (nanos % SECOND) as u32, self.nine);
    }
}

/// `1970-01-01T00:00:00.` for a second since the epoch.
fn calendar(second: i64) -> [u8; 20] {
    let mut text = *b"0000-00-00T00:00:00.";
    // A `Timestamp` is between 1677 and 2262, which is inside of what this can tell.
    if let Ok(time) = jiff::Timestamp::from_second(second) {
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        let year = u32::from(time.year().unsigned_abs());
        let fields = [year / 100, year % 100].into_iter().chain(
            [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(|n| n.unsigned_abs().into()),
        );
        for (at, field) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(fields) {
            text[at..at + 2].copy_from_slice(&pair(field));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(nanos: i64, nine: bool) -> String {
        let mut out = Vec::new();
        let mut utc = Utc::new(nine);
        // Twice, with another time between: what is remembered must not show.
        utc.write(&mut out, Timestamp::from_nanos(nanos));
        utc.write(&mut out, Timestamp::from_nanos(0));
        out.clear();
        utc.write(&mut out, Timestamp::from_nanos(nanos));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_written_as_rfc_3339_writes_them() {
        assert_eq!(text(1_407_837_062_775_205_000, false), "2014-08-12T09:51:02.775205Z");
        assert_eq!(text(951_782_400_000_000_001, true), "2000-02-29T00:00:00.000000001Z");
        assert_eq!(text(0, false), "1970-01-01T00:00:00.000000Z");
        assert_eq!(text(-1, true), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn the_first_and_the_last_time_can_be_written() {
        assert_eq!(text(i64::MIN, true), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(text(i64::MAX, true), "2262-04-11T23:47:16.854775807Z");
    }
}
