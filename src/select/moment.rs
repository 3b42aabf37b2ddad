//! Points in time, as `--since` and `--until` take them.

use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::base::Timestamp;

/// A point in time, perhaps told from where the capture begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// RFC 3339.
    At(Timestamp),
    /// A time of the day of the first packet.
    OfFirstDay(Time),
    /// So many nanoseconds after the first packet.
    After(i64),
}

impl Moment {
    /// Reads `2026-11-26T17:51:02Z`, `17:51`, `17:51:02.5` or `+90s`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(after) = text.strip_prefix('+') {
            return Some(Self::After(duration(after)?));
        }
        if let Some(time) = ["%H:%M", "%H:%M:%S%.f"]
            .iter()
            .find_map(|form| Time::strptime(form, text).ok())
        {
            return Some(Self::OfFirstDay(time));
        }
        let at: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(at.as_nanosecond())
            .ok()
            .map(|nanos| Self::At(Timestamp::from_nanos(nanos)))
    }

    /// When that is in a capture whose first packet has the time `first`, with days as in `zone`.
    pub fn resolve(self, first: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::After(nanos) => Timestamp::from_nanos(first.nanos().saturating_add(nanos)),
            Self::OfFirstDay(time) => {
                let day = jiff::Timestamp::from_nanosecond(first.nanos().into()).map(|first| {
                    first
                        .to_zoned(zone.clone())
                        .date()
                        .to_datetime(time)
                        .to_zoned(zone.clone())
                });
                match day {
                    Ok(Ok(at)) => {
                        Timestamp::from_nanos(i64::try_from(at.timestamp().as_nanosecond()).unwrap_or(i64::MAX))
                    }
                    _ => first,
                }
            }
        }
    }
}

/// Reads a duration such as `2s`, `1.5s`, `300ms` or `2m`; in nanoseconds. A number alone is seconds.
pub fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let nanos = match text.parse::<SignedDuration>() {
        // ISO 8601 would be taken as well, and is not meant.
        Ok(duration) if text.starts_with(|ch: char| ch.is_ascii_digit() || ch == '.') => duration.as_nanos(),
        _ => {
            let seconds: f64 = text
                .parse()
                .ok()
                .filter(|_| text.bytes().all(|b| b.is_ascii_digit() || b == b'.'))?;
            (seconds * 1e9).round() as i128
        }
    };
    i64::try_from(nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2014-08-12, 09:51:02.775205 UTC.
    const FIRST: Timestamp = Timestamp::from_nanos(1_407_837_062_775_205_000);

    fn seconds_after(text: &str, zone: &TimeZone) -> f64 {
        Moment::parse(text).unwrap().resolve(FIRST, zone).since(FIRST) as f64 / 1e9
    }

    #[test]
    fn times_are_read_in_three_ways() {
        let shanghai = TimeZone::fixed(jiff::tz::offset(8));
        for (text, wanted) in [
            ("2014-08-12T09:51:03.775205Z", 1.0),
            ("2014-08-12T17:51:03.775205+08:00", 1.0),
            ("+90s", 90.0),
            ("+1.5s", 1.5),
            ("+2m", 120.0),
            ("+3", 3.0),
            ("17:52", 57.224_795),
            ("17:51:03", 0.224_795),
            ("17:51:03.775205", 1.0),
            ("00:00", -64_262.775_205),
        ] {
            assert_eq!(seconds_after(text, &shanghai), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "25:00",
            "17",
            "+",
            "+x",
            "-5s",
            "2014-08-12",
            "2014-08-12T09:51:03",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        for text in ["", "-1s", "PT1S", "1 parsec", "nan", "inf"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(
            ["2s", "300ms", "0.25s", "7", "1m 2s"].map(duration),
            [2e9, 3e8, 2.5e8, 7e9, 62e9].map(|n| Some(n as i64))
        );
    }
}
