//! The last few segments of a direction, to tell a duplicate (one packet, captured twice) from a retransmission (the
//! same bytes, sent twice), and a retransmission of the same bytes from one of others.
//!
//! They matter for a moment only, so they do not live with the connection: a pool lends them to the connections that have
//! spoken last, and one that has been silent while thousands of others spoke has forgotten its own.

use crate::base::Timestamp;
use crate::bounded::{Handle, Slab};
use crate::wire::Segment;

/// How many segments of a direction are remembered. Each costs 16 bytes.
const REMEMBERED: usize = 6;

/// Time is kept in units of 2^18 ns, about a quarter of a millisecond.
const TIME_SHIFT: u32 = 18;

/// A packet's way through bridges and pairs of interfaces takes less than this (100 ms).
const SAME_ID: u16 = 381;

/// Without an IP identification only what comes within about a millisecond counts as the same packet: a retransmission
/// takes at least a round trip.
const NO_ID: u16 = 4;

/// For how many connections. A duplicate comes within 100 ms: that many connections do not speak meanwhile.
const CONNECTIONS: usize = 1 << 14;

/// The last few segments of both directions, for those connections that have spoken last.
#[derive(Debug)]
pub(super) struct Recents(Slab<[Recent; 2]>);

/// A ring of fingerprints.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ring: [Fingerprint; REMEMBERED],
    next: u8,
}

/// What is remembered of a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    seq: u32,
    /// Everything in its headers that a retransmission would change, and what it would not.
    header: u32,
    /// Its payload.
    content: u32,
    /// Length of the payload on the wire, 65,535 and more being the same.
    length: u16,
    time: u16,
}

impl Fingerprint {
    #[inline]
    pub(super) fn of(segment: &Segment<'_>, time: Timestamp) -> Self {
        let numbers = u64::from(segment.ack) << 32 | u64::from(segment.window) << 16 | u64::from(segment.flags.0);
        let mut header = mix(numbers, u64::from(segment.ip_id.unwrap_or(0)) | 1 << 32);
        header = hash(segment.options(), header);
        // What lies behind the first 2 KiB does not count, so that large segments stay cheap.
        let payload = segment.payload.bytes;
        let content = hash(&payload[..payload.len().min(2048)], payload.len() as u64);
        Self {
            seq: segment.seq,
            header: header as u32,
            content: content as u32,
            length: segment.payload.wire_len.min(usize::from(u16::MAX)) as u16,
            time: (time.nanos() >> TIME_SHIFT) as u16,
        }
    }
}

impl Default for Recents {
    fn default() -> Self {
        Self(Slab::new(CONNECTIONS))
    }
}

impl Recents {
    /// What all of them take, in bytes.
    #[inline]
    pub(super) fn cost(&self) -> usize {
        self.0.len() * size_of::<[Recent; 2]>()
    }

    /// The connection that has `lease` is gone.
    pub(super) fn give_back(&mut self, lease: &mut Handle) {
        self.0.give_back(lease);
    }

    /// The last few segments of the connection that has `lease`, by side: none when it has been silent for long.
    #[inline]
    pub(super) fn of(&mut self, lease: &mut Handle) -> &mut [Recent; 2] {
        let (rings, anew) = self.0.of(lease, Default::default);
        if anew {
            *rings = Default::default();
        }
        rings
    }
}

impl Recent {
    /// Remembers a segment, and forgets the oldest.
    #[inline]
    pub(super) fn remember(&mut self, fingerprint: Fingerprint) {
        if let Some(place) = self.ring.get_mut(usize::from(self.next)) {
            *place = fingerprint;
        }
        self.next = (self.next + 1) % REMEMBERED as u8;
    }

    /// Whether this very packet has been seen just before.
    pub(super) fn is_duplicate(&self, fingerprint: Fingerprint, has_id: bool) -> bool {
        let limit = if has_id { SAME_ID } else { NO_ID };
        self.ring.iter().any(|&earlier| {
            let same = Fingerprint {
                time: earlier.time,
                ..fingerprint
            };
            earlier == same && fingerprint.time.wrapping_sub(earlier.time) <= limit
        })
    }

    /// Whether a remembered segment had the same place and length, and other bytes.
    pub(super) fn is_different(&self, fingerprint: Fingerprint) -> bool {
        let mut same_place = self
            .ring
            .iter()
            .filter(|earlier| (earlier.seq, earlier.length) == (fingerprint.seq, fingerprint.length));
        fingerprint.length > 0 && same_place.any(|earlier| earlier.content != fingerprint.content)
    }
}

/// The two halves of the product of two numbers that are hardly ever 0 mix all bits of both.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd1b5_4a32_d192_ed03);
    (product >> 64) as u64 ^ product as u64
}

/// A fast hash, for telling apart, not for maps: nothing is lost but a remark when somebody makes two segments collide.
#[inline]
fn hash(bytes: &[u8], seed: u64) -> u64 {
    // Four lanes, because one mixing waits for the one before.
    let (wide, rest) = bytes.as_chunks::<64>();
    let mut lanes = [seed, !seed, seed.rotate_left(16), seed.rotate_left(32)];
    for block in wide {
        let (quarters, _) = block.as_chunks::<16>();
        for (lane, quarter) in lanes.iter_mut().zip(quarters) {
            *lane = absorb(*lane, quarter);
        }
    }
    let [mut state, b, c, d] = lanes;
    if !wide.is_empty() {
        state = mix(state ^ b, c) ^ d;
    }
    let (blocks, tail) = rest.as_chunks::<16>();
    for block in blocks {
        state = absorb(state, block);
    }
    if tail.is_empty() {
        return state;
    }
    // The last bytes are read in words that overlap those before: a copy of a few bytes costs more.
    state = state.wrapping_add(tail.len() as u64);
    if let Some(last) = bytes.last_chunk::<16>() {
        absorb(state, last)
    } else if let (Some(first), Some(last)) = (tail.first_chunk::<8>(), tail.last_chunk::<8>()) {
        mix(state ^ u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else {
        let mut block = [0; 8];
        block[..tail.len()].copy_from_slice(tail);
        mix(state, u64::from_le_bytes(block))
    }
}

#[inline]
fn absorb(state: u64, block: &[u8; 16]) -> u64 {
    let whole = u128::from_le_bytes(*block);
    mix(state ^ whole as u64, (whole >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_forgets_and_who_speaks_does_not() {
        let mut recents = Recents::default();
        let fingerprint = Fingerprint {
            seq: 7,
            length: 1,
            ..Fingerprint::default()
        };
        let (mut silent, mut speaking) = (Handle::default(), Handle::default());
        for lease in [&mut silent, &mut speaking] {
            recents.of(lease)[0].remember(fingerprint);
        }
        let knows = |recents: &mut Recents, lease: &mut Handle| recents.of(lease)[0].is_duplicate(fingerprint, true);
        assert!(knows(&mut recents, &mut silent));
        for _ in 0..3 * CONNECTIONS {
            recents.of(&mut Handle::default());
            assert!(knows(&mut recents, &mut speaking));
        }
        assert!(!knows(&mut recents, &mut silent));
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let bytes = [7u8; 200];
        for length in 0..bytes.len() {
            let whole = hash(&bytes[..length], length as u64);
            assert_ne!(whole, hash(&bytes[..length + 1], length as u64 + 1));
            for at in 0..length {
                let mut other = bytes;
                other[at] = 8;
                assert_ne!(whole, hash(&other[..length], length as u64), "byte {at} of {length}");
            }
        }
    }
}
