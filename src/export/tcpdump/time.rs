//! The time at the beginning of a line, in tcpdump's six forms.

use jiff::tz::TimeZone;

use super::number::{push_dec, push_dec_padded};
use super::options::{Options, Precision, TimeFormat};
use crate::base::Timestamp;

const DAY: i64 = 86_400;

/// Prints times; remembers the reference of `-ttt` and `-ttttt`, and how far local time is off UTC.
#[derive(Debug)]
pub(in crate::export) struct Clock {
    format: TimeFormat,
    precision: Precision,
    zone: Zone,
    /// What `-ttt` and `-ttttt` count from; 0 until there was one.
    reference: Recorded,
    /// The second that was shown last, and its time of day: the next packet is likely to be of the same second.
    shown: (i64, [u8; 8]),
}

impl Clock {
    pub(in crate::export) fn new(options: &Options) -> Self {
        Self {
            format: options.time,
            precision: options.precision,
            zone: Zone::new(options.timezone.clone()),
            reference: Recorded::default(),
            shown: (i64::MIN, [0; 8]),
        }
    }

    /// Appends the time and a blank, or nothing.
    pub(in crate::export) fn print(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        let time = self.recorded(time);
        match self.format {
            TimeFormat::None => return,
            TimeFormat::TimeOfDay => self.local(time, false, out),
            TimeFormat::DateTime => self.local(time, true, out),
            TimeFormat::Unix if beyond(time.seconds) => out.extend_from_slice(BEYOND),
            TimeFormat::Unix => {
                push_dec(out, time.seconds as u32);
                self.fraction(time, out);
            }
            TimeFormat::SincePrevious | TimeFormat::SinceFirst => {
                if self.reference == Recorded::default() {
                    self.reference = time;
                }
                let negative = time < self.reference;
                let delta = if negative {
                    self.minus(self.reference, time)
                } else {
                    self.minus(time, self.reference)
                };
                out.push(if negative { b'-' } else { b' ' });
                if beyond(delta.seconds) {
                    out.extend_from_slice(BEYOND);
                } else {
                    time_of_day(delta.seconds.rem_euclid(DAY) as u32, out);
                    self.fraction(delta, out);
                }
                if self.format == TimeFormat::SincePrevious {
                    self.reference = time;
                }
            }
        }
        out.push(b' ');
    }

    /// A packet's time in the two numbers that tcpdump has of it, in the precision that is printed.
    fn recorded(&self, time: Timestamp) -> Recorded {
        // libpcap reads a savefile's fields as signed numbers of 32 bits; so many nanoseconds come from microseconds.
        let signed = |n: i64, unit: i64| {
            let wraps = (unit << 31..unit << 32).contains(&n);
            n - if wraps { unit << 32 } else { 0 }
        };
        let (seconds, nanos) = time.parts();
        let nanos = signed(nanos, 1000);
        Recorded {
            seconds: signed(seconds, 1),
            fraction: match self.precision {
                Precision::Micro => nanos / 1000,
                Precision::Nano => nanos,
            },
        }
    }

    /// A difference, with one second borrowed when the fraction needs it.
    fn minus(&self, later: Recorded, earlier: Recorded) -> Recorded {
        let mut seconds = later.seconds.wrapping_sub(earlier.seconds);
        let mut fraction = later.fraction.wrapping_sub(earlier.fraction);
        if fraction < 0 {
            seconds = seconds.wrapping_sub(1);
            fraction += match self.precision {
                Precision::Micro => 1_000_000,
                Precision::Nano => 1_000_000_000,
            };
        }
        Recorded { seconds, fraction }
    }

    fn local(&mut self, time: Recorded, date: bool, out: &mut Vec<u8>) {
        let seconds = time.seconds;
        if beyond(seconds) {
            out.extend_from_slice(BEYOND);
            return;
        }
        if !date && seconds == self.shown.0 {
            out.extend_from_slice(&self.shown.1);
            self.fraction(time, out);
            return;
        }
        let local = seconds + self.zone.offset(seconds);
        let start = out.len();
        if date {
            push_date(local.div_euclid(DAY), out);
            out.push(b' ');
        }
        time_of_day(local.rem_euclid(DAY) as u32, out);
        if let Some(text) = out[start..].first_chunk::<8>().filter(|_| !date) {
            self.shown = (seconds, *text);
        }
        self.fraction(time, out);
    }

    fn fraction(&self, time: Recorded, out: &mut Vec<u8>) {
        // More digits than these come from damaged files.
        let digits = match self.precision {
            Precision::Micro => 6,
            Precision::Nano => 9,
        };
        out.push(b'.');
        push_dec_padded(out, time.fraction as u32, digits);
    }
}

/// Seconds since the epoch and a fraction, in the order of their comparison. In a damaged file the fraction may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Recorded {
    seconds: i64,
    fraction: i64,
}

const BEYOND: &[u8] = b"[Error converting time]";

/// Times of which bit 31 is set: from 2038 for 68 years, and the 68 years before 1970.
fn beyond(seconds: i64) -> bool {
    seconds & 0x8000_0000 != 0
}

fn time_of_day(second: u32, out: &mut Vec<u8>) {
    push_dec_padded(out, second / 3600, 2);
    out.push(b':');
    push_dec_padded(out, second / 60 % 60, 2);
    out.push(b':');
    push_dec_padded(out, second % 60, 2);
}

/// `YYYY-MM-DD` of a day counted from 1970-01-01, in the Gregorian calendar.
fn push_date(day: i64, out: &mut Vec<u8>) {
    // Years are counted from March, so that the leap day is the last one of its year; an era is 400 of them.
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let day = day.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 {
        (month + 3, year + era * 400)
    } else {
        (month - 9, year + era * 400 + 1)
    };
    push_dec(out, year as u32);
    out.push(b'-');
    push_dec_padded(out, month as u32, 2);
    out.push(b'-');
    push_dec_padded(out, day as u32, 2);
}

/// A time zone that is asked once for a stretch of time in which its offset does not change.
#[derive(Debug)]
struct Zone {
    zone: TimeZone,
    /// Seconds since the epoch, first and past the last one, for which `offset` holds.
    from: i64,
    until: i64,
    offset: i64,
}

impl Zone {
    fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            from: 0,
            until: 0,
            offset: 0,
        }
    }

    /// Seconds that local time is ahead of UTC at that time.
    fn offset(&mut self, seconds: i64) -> i64 {
        if !(self.from..self.until).contains(&seconds) {
            let Ok(time) = jiff::Timestamp::from_second(seconds) else {
                return 0;
            };
            self.offset = i64::from(self.zone.to_offset(time).seconds());
            // Since 1973 every zone has changed its offset on a quarter of an hour, and a look-up a quarter costs nothing.
            self.from = seconds.div_euclid(900) * 900;
            self.until = self.from + 900;
        }
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(day: i64) -> String {
        let mut out = Vec::new();
        push_date(day, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let mut day = jiff::civil::date(1899, 12, 31);
        for n in -25_568..60_000 {
            assert_eq!(date(n), day.to_string(), "day {n}");
            day = day.tomorrow().unwrap();
        }
    }
}
