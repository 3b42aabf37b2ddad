//! Numbers and addresses pushed as text, without `format!`.

use crate::base::HEX_DIGITS as HEX;

/// Two decimal digits of each number below 100.
pub(super) const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Two hexadecimal digits of each byte.
pub(super) const HEX_PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut n = 0;
    while n < 256 {
        pairs[n] = [HEX[n >> 4], HEX[n & 15]];
        n += 1;
    }
    pairs
};

/// An octet in decimal and a dot, with how many characters that are.
const OCTETS: [([u8; 4], u8); 256] = {
    let mut octets = [([0; 4], 0); 256];
    let mut n = 0;
    while n < 256 {
        let (h, t, o) = (
            b'0' + (n / 100) as u8,
            b'0' + (n / 10 % 10) as u8,
            b'0' + (n % 10) as u8,
        );
        octets[n] = match n {
            0..10 => ([o, b'.', 0, 0], 2),
            10..100 => ([t, o, b'.', 0], 3),
            _ => ([h, t, o, b'.'], 4),
        };
        n += 1;
    }
    octets
};

/// A number in decimal.
pub(super) fn push_dec(out: &mut Vec<u8>, n: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// A number in decimal, with zeros before it up to `width` (at most 10) digits.
pub(super) fn push_dec_padded(out: &mut Vec<u8>, n: u32, width: usize) {
    let mut digits = [b'0'; 10];
    let mut rest = n;
    let mut at = 10;
    while rest > 0 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    let first = digits.iter().position(|&d| d != b'0').unwrap_or(10);
    out.extend_from_slice(&digits[first.min(10 - width.min(10))..]);
}

/// A number in hexadecimal, lower case, with zeros before it up to `width` digits.
pub(super) fn push_hex_padded(out: &mut Vec<u8>, n: u64, width: u32) {
    let digits = (64 - n.leading_zeros()).div_ceil(4).max(width);
    for digit in (0..digits).rev() {
        out.push(HEX[(n >> (digit * 4)) as usize & 15]);
    }
}

/// `10.0.0.1`, and how long that is.
#[inline]
pub(super) fn v4(address: [u8; 4]) -> ([u8; 16], usize) {
    let mut text = [0; 16];
    let mut at = 0;
    for octet in address {
        let (digits, length) = &OCTETS[usize::from(octet)];
        text[at..at + 4].copy_from_slice(digits);
        at += usize::from(*length);
    }
    // Each octet brings its dot.
    (text, at - 1)
}

/// `2001:db8::1`: RFC 5952, with the last 32 bits in IPv4's form when the address is an IPv4-mapped or -compatible one, as
/// `inet_ntop` does it (`::1.2.3.4`, `::ffff:1.2.3.4`).
pub(super) fn push_v6(out: &mut Vec<u8>, address: [u8; 16]) {
    let mut words = [0u16; 8];
    for (word, bytes) in words.iter_mut().zip(address.chunks_exact(2)) {
        *word = u16::from_be_bytes([bytes[0], bytes[1]]);
    }
    let (start, length) = longest_zeros(&words);
    let ends_in_v4 = start == 0 && (length == 6 || length == 5 && words[5] == 0xffff);
    let mut word = 0;
    while word < 8 {
        if length > 0 && word == start {
            // Of "::" the second colon comes from the next word, or from the end.
            out.push(b':');
            word += length;
            if word == 8 {
                out.push(b':');
            }
            continue;
        }
        if word > 0 {
            out.push(b':');
        }
        if word == 6 && ends_in_v4 {
            let (text, length) = v4([address[12], address[13], address[14], address[15]]);
            return out.extend_from_slice(&text[..length]);
        }
        push_hex_padded(out, words[word].into(), 1);
        word += 1;
    }
}

/// The first of the longest runs of two or more zero words, as start and length; length 0 when there is none.
fn longest_zeros(words: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut at) = ((0, 0), 0);
    while at < 8 {
        let run = words[at..].iter().take_while(|&&w| w == 0).count();
        if run >= 2 && run > best.1 {
            best = (at, run);
        }
        at += run.max(1);
    }
    best
}

/// `00:11:22:33:44:55`.
pub(super) fn push_mac(out: &mut Vec<u8>, address: &[u8]) {
    for (n, &byte) in address.iter().enumerate() {
        if n > 0 {
            out.push(b':');
        }
        out.extend_from_slice(&HEX_PAIRS[usize::from(byte)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn padded_numbers_are_those_of_format() {
        for n in [0, 1, 9, 10, 99, 100, 12_345, 999_999, 1_000_000, u32::MAX] {
            assert_eq!(text(|o| push_dec_padded(o, n, 6)), format!("{n:06}"));
            assert_eq!(text(|o| push_dec_padded(o, n, 2)), format!("{n:02}"));
            assert_eq!(text(|o| push_hex_padded(o, u64::from(n), 4)), format!("{n:04x}"));
            assert_eq!(text(|o| push_hex_padded(o, u64::from(n), 1)), format!("{n:x}"));
        }
    }

    #[test]
    fn every_octet() {
        for n in 0..=255 {
            let (text, length) = v4([n, 0, 255, n]);
            assert_eq!(text[..length], *format!("{n}.0.255.{n}").as_bytes());
        }
    }

    #[test]
    fn addresses_of_rfc_5952_and_inet_ntop() {
        for address in [
            "::",
            "::1",
            "1::",
            "2001:db8::1",
            "2001:db8:0:1:1:1:1:1",
            "2001:0:0:1::1",
            "2001:db8::1:0:0:1",
            "::ffff:1.2.3.4",
            "::1.2.3.4",
            "1:2:3:4:5:6:7:8",
            "fe80::",
            "0:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:0",
            "0:1::",
            "::ffff:0:1.2.3.4",
        ] {
            let parsed: std::net::Ipv6Addr = address.parse().unwrap();
            let expected = match address {
                "::ffff:0:1.2.3.4" => "::ffff:0:102:304",
                other => other,
            };
            assert_eq!(text(|o| push_v6(o, parsed.octets())), expected);
        }
    }
}
