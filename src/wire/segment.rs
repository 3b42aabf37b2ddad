//! The TCP header (RFC 9293 §3.1), read as far as it was captured.

use etherparse::TcpHeader;

use crate::base::{Captured, Endpoint};
use crate::wire::ip::Datagram;
use crate::wire::{Segment, TcpFlags};

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
        options: bytes.get(20..header_len.min(bytes.len())).unwrap_or_default(),
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
