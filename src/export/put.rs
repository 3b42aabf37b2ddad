//! Numbers and endpoints as bytes, without the detour over `fmt`: they stand in every line.

use std::io::Write;
use std::net::IpAddr;

use super::escape::{self, hex};
use crate::base::Endpoint;
pub(super) use crate::base::counted;

/// Appends `text` as it is.
#[inline]
pub(super) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends `text` as a string of JSON.
pub(super) fn json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape::json(out, text);
    out.push(b'"');
}

/// Appends `n` in decimal.
#[inline]
pub(super) fn number(out: &mut Vec<u8>, n: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// Appends the fraction of a second that `nanos` (below 1,000,000,000) is: nine digits, or six with the rest cut off.
#[inline]
pub(super) fn fraction(out: &mut Vec<u8>, nanos: u32, nine: bool) {
    let micros = nanos / 1000 % 1_000_000;
    let mut digits = [0; 9];
    digits[..2].copy_from_slice(&pair(micros / 10_000));
    digits[2..4].copy_from_slice(&pair(micros / 100 % 100));
    digits[4..6].copy_from_slice(&pair(micros % 100));
    if nine {
        let rest = nanos % 1000;
        digits[6] = b'0' + (rest / 100) as u8;
        digits[7..].copy_from_slice(&pair(rest % 100));
        out.extend_from_slice(&digits);
    } else {
        out.extend_from_slice(&digits[..6]);
    }
}

/// Appends `127.0.0.1:60653` or `[::1]:7272`.
#[inline]
pub(super) fn endpoint(out: &mut Vec<u8>, endpoint: &Endpoint) {
    match endpoint.addr {
        IpAddr::V4(addr) => {
            // At most 3 + 1 bytes for each of four octets, and 5 for the port.
            let mut text = [0; 24];
            let mut len = 0;
            for (i, octet) in addr.octets().into_iter().enumerate() {
                len += decimal(&mut text[len..], u16::from(octet));
                text[len] = if i < 3 { b'.' } else { b':' };
                len += 1;
            }
            len += decimal(&mut text[len..], endpoint.port);
            out.extend_from_slice(&text[..len]);
        }
        IpAddr::V6(_) => {
            // Writing into a Vec cannot fail.
            let _ = write!(out, "{endpoint}");
        }
    }
}

/// Appends the bytes as pairs of hex digits.
pub(super) fn hex_pairs(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        out.extend_from_slice(&[hex(byte >> 4), hex(byte)]);
    }
}

/// Writes `n` in decimal to the front of `text`, which has room for five digits, and gives how many there are.
#[inline]
fn decimal(text: &mut [u8], n: u16) -> usize {
    let [b, c] = pair(u32::from(n) % 100);
    if n < 10 {
        text[0] = c;
        1
    } else if n < 100 {
        text[..2].copy_from_slice(&[b, c]);
        2
    } else if n < 1000 {
        text[..3].copy_from_slice(&[b'0' + (n / 100) as u8, b, c]);
        3
    } else {
        let [y, z] = pair(u32::from(n) / 100 % 100);
        if n < 10_000 {
            text[..4].copy_from_slice(&[y, z, b, c]);
            4
        } else {
            text[..5].copy_from_slice(&[b'0' + (n / 10_000) as u8, y, z, b, c]);
            5
        }
    }
}

/// The two decimal digits of `n`, which is below 100.
#[inline]
pub(super) fn pair(n: u32) -> [u8; 2] {
    PAIRS[n as usize % 100]
}

static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_port_and_octet_is_written_as_std_writes_it() {
        for port in 0..=u16::MAX {
            let [a, b] = port.to_be_bytes();
            let e = Endpoint::new(Ipv4Addr::new(a, b, b, a).into(), port);
            assert_eq!(text(|out| endpoint(out, &e)), e.to_string());
        }
    }

    #[test]
    fn ipv6_is_in_brackets() {
        let e = Endpoint::new(Ipv6Addr::LOCALHOST.into(), 7272);
        assert_eq!(text(|out| endpoint(out, &e)), "[::1]:7272");
    }

    #[test]
    fn fractions_have_leading_zeros() {
        for nanos in [0, 1, 999, 1000, 12_034_056, 775_205_000, 999_999_999] {
            assert_eq!(text(|out| fraction(out, nanos, true)), format!("{nanos:09}"));
            assert_eq!(text(|out| fraction(out, nanos, false)), format!("{:06}", nanos / 1000));
        }
    }
}
