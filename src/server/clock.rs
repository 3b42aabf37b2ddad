//! The time of day, as messages and log lines have it.

use jiff::Zoned;

/// Now, local time, as messages have it: `2014-08-12 17:50:30`.
pub(super) fn local_time() -> String {
    Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Now, as log lines have it (RFC 3339 with microseconds): `2014-08-12T17:50:30.601234+08:00`.
pub(super) fn log_time() -> String {
    Zoned::now().strftime("%Y-%m-%dT%H:%M:%S.%6f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_form() {
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0").replace('-', "+");
        assert_eq!(shape(&local_time()), "0000+00+00 00:00:00");
        assert_eq!(shape(&log_time()), "0000+00+00T00:00:00.000000+00:00");
    }
}
