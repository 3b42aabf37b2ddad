//! The Internet checksum (RFC 1071).

use std::net::IpAddr;

/// A running one's complement sum of 16-bit words, in the machine's byte order (RFC 1071 §2 (B)).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum(u64);

impl Sum {
    /// The sum over the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) before `length` bytes of a protocol.
    pub(crate) fn of_pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, length: u32) -> Self {
        let mut sum = Self::default();
        for address in [source, destination] {
            match address {
                IpAddr::V4(address) => sum.add(&address.octets()),
                IpAddr::V6(address) => sum.add(&address.octets()),
            }
        }
        // Over IPv4 the length has 16 bits, whatever the segment's.
        let length = if destination.is_ipv4() { length & 0xffff } else { length };
        sum.add(&length.to_be_bytes());
        sum.add(&[0, protocol]);
        sum
    }

    /// Adds bytes; a missing last byte counts as 0, so only the last piece may be of odd length.
    #[inline]
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<4>();
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        // 32-bit words do as well as 16-bit ones: the carries are folded back at the end.
        let sum: u64 = words.iter().map(|&word| u64::from(u32::from_ne_bytes(word))).sum();
        self.0 = fold(self.0) + fold(sum + u64::from(u32::from_ne_bytes(last)));
    }

    /// The complement of the sum: 0 when the bytes include a right checksum.
    pub(crate) fn finish(self) -> u16 {
        !u16::from_be(fold(self.0) as u16)
    }
}

/// What a checksum field that held `field` should have held, when the sum over everything came out as `computed`.
pub(crate) fn should_be(field: u16, computed: u16) -> u16 {
    fold(u64::from(field) + u64::from(computed)) as u16
}

/// Brings a sum down to 16 bits, carries added at the bottom.
fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let mut sum = Sum::default();
        sum.add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.finish(), !0xddf2);
    }

    #[test]
    fn pieces_and_odd_tails() {
        let bytes: Vec<u8> = (0..=250).collect();
        let mut whole = Sum::default();
        whole.add(&bytes);
        let mut pieces = Sum::default();
        pieces.add(&bytes[..6]);
        pieces.add(&bytes[6..]);
        assert_eq!(whole.finish(), pieces.finish());
        let mut padded = Sum::default();
        padded.add(&bytes);
        padded.add(&[0, 0]);
        assert_eq!(whole.finish(), padded.finish());
    }
}
