//! Damaged packets, the same ones for the same seed.

use super::random::Random;
use super::savefile::{Record, Savefile};

/// A savefile of `n` damaged copies of a file's packets, each at a second of its own, from 1 on.
pub fn damaged(file: &Savefile, n: u32, seed: u64) -> Savefile {
    let mut random = Random::new(seed);
    let mut out = Savefile::new(file.link);
    while out.records.len() < n as usize {
        let original = random.pick(&file.records);
        if original.bytes.is_empty() {
            continue;
        }
        let mut record = original.clone();
        record.seconds = out.records.len() as u32 + 1;
        record.fraction = 0;
        for _ in 0..random.below(4) {
            change(&mut record, &mut random);
        }
        out.records.push(record);
    }
    out
}

fn change(record: &mut Record, random: &mut Random) {
    let bytes = &mut record.bytes;
    if bytes.is_empty() {
        return;
    }
    // Headers are where the decisions are.
    let reach = if random.once_in(5) {
        bytes.len()
    } else {
        bytes.len().min(110)
    };
    let at = random.below(reach);
    match random.below(10) {
        0..=1 => bytes[at] = random.byte(),
        2..=3 => bytes[at] ^= 1 << random.below(8),
        4 => bytes[at] = *random.pick(&[0, 1, 2, 3, 4, 5, 6, 8, 0x7f, 0x80, 0xff]),
        5 => bytes[at] = bytes[at].wrapping_add(*random.pick(&[1, 255, 4, 252])),
        // Cut short by the snapshot length.
        6..=7 => bytes.truncate(at + 1),
        // Cut short on the wire, or padded.
        8 => {
            bytes.truncate(at + 1);
            record.wire_len = bytes.len() as u32;
        }
        _ => {
            bytes.extend((0..random.below(20)).map(|_| 0));
            record.wire_len = record.wire_len.max(bytes.len() as u32);
        }
    }
}

/// What each packet got of an output of `-#`.
pub fn by_packet(output: &[u8], n: u32) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = output;
    for number in 1..=n {
        let next = format!("\n{:5}  ", number + 1).into_bytes();
        let end = memchr::memmem::find(rest, &next).map_or(rest.len(), |at| at + 1);
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts
}
