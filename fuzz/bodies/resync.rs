//! A search for a frame header, segment by segment, in both directions of a connection. The first byte says what is known; then segments: a
//! byte of length (its top bit says which side), bytes. Beside not panicking: what is kept is bounded.

use wschat_sniff::base::{Limits, PacketRef, Timestamp};
use wschat_sniff::layer::Chunk;
use wschat_sniff::layer::ws::Shared;
use wschat_sniff::layer::ws::resync::{Collected, Expect, Purpose, infer};

/// One input.
pub fn run(data: &[u8]) {
    let Some((&flags, mut rest)) = data.split_first() else {
        return;
    };
    let maybe = |bits: u8| match bits & 3 {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    let purpose = if flags & 1 == 0 {
        Purpose::Confirm
    } else {
        Purpose::Infer
    };
    let expect = Expect {
        purpose,
        masked: maybe(flags >> 1),
        deflate: maybe(flags >> 3),
    };
    let mut sides = [Collected::new(expect), Collected::new(expect)];
    let mut shared = Shared::new(Limits::default(), false);
    let (mut offsets, mut packet) = ([0; 2], 0);
    while let [length, behind @ ..] = rest {
        let side = usize::from(length >> 7);
        let (segment, next) = behind.split_at(usize::from(length & 0x7f).min(behind.len()));
        rest = next;
        if segment.is_empty() {
            continue;
        }
        packet += 1;
        let at = PacketRef {
            packet,
            time: Timestamp::from_nanos(0),
        };
        sides[side].push(Chunk::tcp(offsets[side], segment, at, at));
        offsets[side] += segment.len() as u64;
        let masks = infer(&mut sides, rest.is_empty(), &mut shared);
        if let (Some(masks), Some(masked)) = (masks, expect.masked) {
            // A side whose bytes say nothing may be either.
            assert!(masks.contains(&masked));
        }
    }
    assert!(sides.iter().all(|side| side.cost() <= 512 << 10));
}
