//! Addresses that stand for others: two that share the first bits share as many afterwards (as Crypto-PAn does it), and no one can tell
//! which they were.

use std::net::IpAddr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Maps addresses with the key of one run.
pub(super) struct Addresses {
    key: [u8; 32],
    /// The last ones: few speak at a time.
    known: Vec<(IpAddr, IpAddr)>,
}

/// Addresses that are remembered.
const KNOWN: usize = 4096;

impl Addresses {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, known: Vec::new() }
    }

    /// What stands for `addr`.
    pub(super) fn map(&mut self, addr: IpAddr) -> IpAddr {
        if let Some((_, new)) = self.known.iter().rev().find(|(old, _)| *old == addr) {
            return *new;
        }
        let new = match addr {
            IpAddr::V4(old) => IpAddr::from(self.bits(4, old.octets())),
            IpAddr::V6(old) => IpAddr::from(self.bits(6, old.octets())),
        };
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.push((addr, new));
        new
    }

    /// Each bit is turned or not, as the bits before it and the key have it.
    fn bits<const N: usize>(&self, version: u8, old: [u8; N]) -> [u8; N] {
        let mut new = old;
        let mut before = [0; N];
        for at in 0..N * 8 {
            let bit = 0x80 >> (at % 8);
            let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(&self.key) else {
                return [0; N];
            };
            hash.update(&[version, at as u8]);
            hash.update(&before);
            if hash.finalize().into_bytes()[0] & 1 == 1 {
                new[at / 8] ^= bit;
            }
            before[at / 8] |= old[at / 8] & bit;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(a: IpAddr, b: IpAddr) -> u32 {
        match (a, b) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => 0,
        }
    }

    #[test]
    fn prefixes_stay_as_long_as_they_were() {
        let mut addresses = Addresses::new([7; 32]);
        let all: Vec<IpAddr> = [
            "10.1.2.3",
            "10.1.2.4",
            "10.1.200.1",
            "192.168.0.1",
            "2001:db8::1",
            "2001:db8::8000",
            "fe80::1",
        ]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
        for a in &all {
            for b in &all {
                assert_eq!(shared(addresses.map(*a), addresses.map(*b)), shared(*a, *b), "{a} {b}");
            }
            assert_ne!(addresses.map(*a), *a);
            assert_ne!(addresses.map(*a), Addresses::new([8; 32]).map(*a));
        }
    }
}
