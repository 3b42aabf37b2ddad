//! Numbers of JSON (RFC 8259 §6), compared as the decimals that they are: as 64-bit floats, long identifiers would be one.

use std::cmp::Ordering;

/// A number, still in its digits.
struct Decimal<'a> {
    negative: bool,
    /// From the first digit that is not zero on; may hold a point.
    digits: &'a str,
    /// The power of ten of the first of these.
    magnitude: i64,
}

/// Compares two numbers. `None` when one is no number.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (read(a)?, read(b)?);
    let sign = |number: &Decimal<'_>| match (number.digits.is_empty(), number.negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let (left, right) = (sign(&a), sign(&b));
    Some(if left != right || left == 0 {
        left.cmp(&right)
    } else if left > 0 {
        absolute(&a, &b)
    } else {
        absolute(&b, &a)
    })
}

fn absolute(a: &Decimal<'_>, b: &Decimal<'_>) -> Ordering {
    a.magnitude.cmp(&b.magnitude).then_with(|| {
        let longer = a.digits.len().max(b.digits.len());
        a.padded().take(longer).cmp(b.padded().take(longer))
    })
}

impl<'a> Decimal<'a> {
    /// Its digits, and zeros without end.
    fn padded(&self) -> impl Iterator<Item = u8> + use<'a> {
        let digits = self.digits.bytes().filter(u8::is_ascii_digit);
        digits.chain(std::iter::repeat(b'0'))
    }
}

fn read(text: &str) -> Option<Decimal<'_>> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, power(exponent)?),
        None => (text, 0),
    };
    let whole = mantissa.split('.').next().unwrap_or_default().len();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    if !mantissa.starts_with(|ch: char| ch.is_ascii_digit())
        || !mantissa.ends_with(|ch: char| ch.is_ascii_digit())
        || digits + usize::from(whole < mantissa.len()) != mantissa.len()
    {
        return None;
    }
    let first = mantissa
        .find(|ch: char| matches!(ch, '1'..='9'))
        .unwrap_or(mantissa.len());
    let place = if first < whole {
        whole as i64 - 1 - first as i64
    } else {
        whole as i64 - first as i64
    };
    Some(Decimal {
        negative,
        digits: &mantissa[first..],
        magnitude: exponent.saturating_add(place),
    })
}

/// An exponent; one beyond all measure counts as the largest.
fn power(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(i64::MAX / 2);
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_compared_as_decimals() {
        for (a, b, wanted) in [
            ("1", "1.0", Ordering::Equal),
            ("100", "1e2", Ordering::Equal),
            ("0.001", "1E-3", Ordering::Equal),
            ("-0", "0.0e5", Ordering::Equal),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("0.1", "0.10000000000000000001", Ordering::Less),
            ("-2", "-1", Ordering::Less),
            ("-1", "1", Ordering::Less),
            ("2", "10", Ordering::Less),
            ("1e99999999999999999999", "5", Ordering::Greater),
            ("1e-99999999999999999999", "0", Ordering::Greater),
            ("0.05", "0.5", Ordering::Less),
        ] {
            assert_eq!(compare(a, b), Some(wanted), "{a} {b}");
            assert_eq!(compare(b, a), Some(wanted.reverse()), "{b} {a}");
        }
        for text in ["", "-", ".5", "5.", "1.2.3", "1e", "x", "1e+-2", "--1"] {
            assert_eq!(compare(text, "1"), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn integers_are_compared_as_integers(a: i64, b: i64, zeros in 0usize..4) {
            let other = format!("{b}.{}", "0".repeat(zeros + 1));
            prop_assert_eq!(compare(&a.to_string(), &other), Some(a.cmp(&b)));
        }
    }
}
