//! The TCP header (RFC 9293 §3.1), read as far as it was captured.

use std::net::IpAddr;

use etherparse::TcpHeader;

use crate::base::{Captured, Endpoint};
use crate::wire::ip::Datagram;
use crate::wire::{Checksum, Segment, TcpFlags};

/// The segment that `datagram` (whole, of protocol TCP) carries.
#[inline]
pub(super) fn segment<'p>(datagram: &Datagram<'p>, interface: Option<u32>) -> Option<Segment<'p>> {
    let Captured { bytes, wire_len } = datagram.payload;
    // Ports, numbers, data offset, flags and window: without these 16 bytes there is nothing to tell.
    let fixed: &[u8; 16] = bytes.first_chunk()?;
    let header_len = usize::from(fixed[12] >> 4) * 4;
    if header_len < TcpHeader::MIN_LEN || header_len > wire_len {
        return None;
    }
    let word = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let half = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
    Some(Segment {
        source: Endpoint::new(datagram.source, half(0)),
        destination: Endpoint::new(datagram.destination, half(2)),
        seq: word(4),
        ack: word(8),
        flags: TcpFlags(half(12) & 0x01ff),
        window: half(14),
        header: bytes.get(..header_len).unwrap_or(bytes),
        payload: Captured {
            bytes: bytes.get(header_len..).unwrap_or_default(),
            wire_len: wire_len - header_len,
        },
        ip_id: datagram.id,
        ttl: datagram.ttl,
        interface,
        first_fragment: None,
    })
}

impl<'p> Segment<'p> {
    /// The options, raw and perhaps malformed, as far as they were captured.
    #[inline]
    pub fn options(&self) -> &'p [u8] {
        self.header.get(TcpHeader::MIN_LEN..).unwrap_or_default()
    }

    /// Where the byte behind urgent data is, counted from `seq` (RFC 9293 §3.8.5), when there is some.
    pub fn urgent(&self) -> Option<u16> {
        let pointer = self.header.get(18..20)?.try_into().ok()?;
        self.flags.urg().then_some(u16::from_be_bytes(pointer))
    }

    /// What its checksum is (RFC 9293 §3.1, over the pseudo header, the header and the data).
    pub fn checksum(&self) -> Checksum {
        let length = self.header.len() + self.payload.wire_len;
        let cut = self.header.len() < 20 || self.payload.bytes.len() < self.payload.wire_len;
        let Some(&[high, low]) = self.header.get(16..18) else {
            return Checksum::Unknown;
        };
        if cut {
            return Checksum::Unknown;
        }
        // Sums of 16-bit words in the machine's order: RFC 1071 §2 (B).
        let address = |addr| match addr {
            IpAddr::V4(addr) => sum(&addr.octets()),
            IpAddr::V6(addr) => sum(&addr.octets()),
        };
        let protocol_and_length = u64::from(u16::to_be(6)) + u64::from(u16::to_be(length as u16));
        let pseudo = address(self.source.addr) + address(self.destination.addr) + protocol_and_length;
        match fold(pseudo + sum(self.header) + sum(self.payload.bytes)) {
            0xffff => Checksum::Right,
            // What is left of it when a network card is to do the rest, or a kernel has joined segments.
            _ if fold(pseudo) == u16::from_ne_bytes([high, low]) => Checksum::Partial,
            _ => Checksum::Wrong,
        }
    }
}

/// The sum of the 16-bit words of `bytes`, which begin at an even place.
#[inline]
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut total: u64 = words.iter().map(|&word| u64::from(u32::from_ne_bytes(word))).sum();
    let (pairs, last) = rest.as_chunks::<2>();
    for &pair in pairs {
        total += u64::from(u16::from_ne_bytes(pair));
    }
    if let &[byte] = last {
        total += u64::from(u16::from_ne_bytes([byte, 0]));
    }
    total
}

/// One's complement: what does not fit into 16 bits is added again.
#[inline]
fn fold(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total >> 16) + (total & 0xffff);
    }
    total as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A segment of `payload` with that checksum.
    fn with_checksum(checksum: Option<u16>, payload: &[u8]) -> Checksum {
        let addr = IpAddr::V4([10, 0, 0, 1].into());
        let mut header = vec![
            0x9c, 0x40, 0x1c, 0x68, 0, 0, 3, 0xe8, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
        ];
        let to = IpAddr::V4([10, 0, 0, 2].into());
        // What another implementation makes of it.
        let parsed = TcpHeader::from_slice(&header).unwrap().0;
        let right = parsed
            .calc_checksum_ipv4_raw([10, 0, 0, 1], [10, 0, 0, 2], payload)
            .unwrap();
        header[16..18].copy_from_slice(&checksum.unwrap_or(right).to_be_bytes());
        let datagram = [&header, payload].concat();
        let segment = segment(
            &Datagram {
                source: addr,
                destination: to,
                protocol: 6,
                id: None,
                ttl: 64,
                fragment: None,
                payload: Captured::whole(&datagram),
            },
            None,
        );
        segment.unwrap().checksum()
    }

    #[test]
    fn rfc1071_checksums_are_verified_for_every_length() {
        let payload: Vec<u8> = (0..200u8).map(|at| at.wrapping_mul(77)).collect();
        for length in 0..payload.len() {
            assert_eq!(with_checksum(None, &payload[..length]), Checksum::Right);
            assert_eq!(with_checksum(Some(0xdead), &payload[..length]), Checksum::Wrong);
        }
    }

    #[test]
    fn a_checksum_that_is_left_to_the_network_card_is_partial() {
        let pseudo = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 6 + 25;
        assert_eq!(with_checksum(Some(pseudo), b"hello"), Checksum::Partial);
    }
}
