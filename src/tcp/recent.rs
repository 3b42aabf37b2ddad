//! The last few segments and bytes of a direction, to tell a duplicate (one packet, captured twice) from a retransmission
//! (the same bytes, sent twice), and a retransmission of the same bytes from one of others.
//!
//! They matter for a moment only, so they are not part of the connection: a pool keeps them for those that sent last.
//! What it kept for one that was silent while a thousand others sent is gone.

use crate::base::Timestamp;
use crate::bounded::{Handle, Slab};
use crate::tcp::history::{History, MAX_BYTES as HISTORY_BYTES};
use crate::wire::Segment;

/// How many segments of a direction are remembered. Each costs 12 bytes.
const REMEMBERED: usize = 6;

/// Time is kept in units of 2^18 ns, about a quarter of a millisecond.
const TIME_SHIFT: u32 = 18;

/// A packet's way through bridges and pairs of interfaces takes less than this (100 ms).
const SAME_ID: u16 = 381;

/// Without an IP identification only what comes within about a millisecond counts as the same packet: a retransmission
/// takes at least a round trip.
const NO_ID: u16 = 4;

/// For how many connections. A duplicate comes within 100 ms: that many connections do not send meanwhile.
const CONNECTIONS: usize = 1 << 10;

/// What one of them takes.
const CONNECTION_BYTES: usize = size_of::<[Recent; 2]>() + 2 * HISTORY_BYTES;

/// The last few segments of both directions, for those connections that sent last.
#[derive(Debug)]
pub(super) struct Recents(Slab<[Recent; 2]>);

/// A ring of fingerprints, and the last bytes.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ring: [Fingerprint; REMEMBERED],
    next: u8,
    /// The other side has sent something since.
    answered: bool,
    pub(super) history: History,
}

/// What is remembered of a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    seq: u32,
    /// Everything in its headers that a retransmission would change, and what it would not.
    header: u32,
    /// Length of the payload on the wire, 65,535 and more being the same.
    length: u16,
    time: u16,
}

impl Fingerprint {
    #[inline]
    pub(super) fn of(segment: &Segment<'_>, time: Timestamp) -> Self {
        let numbers = u64::from(segment.ack) << 32 | u64::from(segment.window) << 16 | u64::from(segment.flags.0);
        let mut header = mix(numbers, u64::from(segment.ip_id.unwrap_or(0)) | 1 << 32);
        // With the checksum, which says much of the payload when the sender's card has not left it out.
        header = hash(segment.header.get(16..).unwrap_or_default(), header);
        Self {
            seq: segment.seq,
            header: header as u32,
            length: segment.payload.wire_len.min(usize::from(u16::MAX)) as u16,
            time: (time.nanos() >> TIME_SHIFT) as u16,
        }
    }
}

impl Recents {
    /// Nothing has been seen yet; `most` bytes at most.
    pub(super) fn new(most: usize) -> Self {
        Self(Slab::new(CONNECTIONS.min(most / CONNECTION_BYTES)))
    }

    /// What all of them take, in bytes.
    #[inline]
    pub(super) fn cost(&self) -> usize {
        // The histories at their largest, so that nothing has to be counted while they grow.
        self.0.len() * CONNECTION_BYTES
    }

    /// The connection that has `handle` is gone.
    pub(super) fn release(&mut self, handle: &mut Handle) {
        self.0.release(handle);
    }

    /// The last few segments of the connection that has `handle`, by side: none when it has been silent for long.
    #[inline]
    pub(super) fn of(&mut self, handle: &mut Handle) -> &mut [Recent; 2] {
        let (rings, anew) = self.0.of(handle, Default::default);
        if anew {
            for recent in &mut *rings {
                (recent.ring, recent.next, recent.answered) = Default::default();
                recent.history.clear();
            }
        }
        rings
    }
}

impl Recent {
    /// Remembers a segment, and forgets the oldest.
    #[inline]
    pub(super) fn remember(&mut self, fingerprint: Fingerprint) {
        self.answered = false;
        if let Some(place) = self.ring.get_mut(usize::from(self.next)) {
            *place = fingerprint;
        }
        self.next = (self.next + 1) % REMEMBERED as u8;
    }

    /// The other side has sent a segment.
    #[inline]
    pub(super) fn set_answered(&mut self) {
        self.answered = true;
    }

    /// Whether this very packet has been seen just before.
    pub(super) fn is_duplicate(&self, fingerprint: Fingerprint, has_id: bool) -> bool {
        if !has_id && fingerprint.length == 0 && self.answered {
            // The same answer to something else: each segment behind a reset gets one.
            return false;
        }
        let limit = if has_id { SAME_ID } else { NO_ID };
        self.ring.iter().any(|&earlier| {
            let same = Fingerprint {
                time: earlier.time,
                ..fingerprint
            };
            earlier == same && fingerprint.time.wrapping_sub(earlier.time) <= limit
        })
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
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = seed ^ bytes.len() as u64;
    for &word in words {
        state = mix(state, u64::from_le_bytes(word));
    }
    // TCP headers are multiples of four bytes, cut packets apart.
    for &byte in rest {
        state = mix(state, u64::from(byte));
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_forgets_and_who_speaks_does_not() {
        let mut recents = Recents::new(1 << 30);
        let fingerprint = Fingerprint {
            seq: 7,
            length: 1,
            ..Fingerprint::default()
        };
        let (mut silent, mut speaking) = (Handle::default(), Handle::default());
        for handle in [&mut silent, &mut speaking] {
            recents.of(handle)[0].remember(fingerprint);
        }
        let knows = |recents: &mut Recents, handle: &mut Handle| recents.of(handle)[0].is_duplicate(fingerprint, true);
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
