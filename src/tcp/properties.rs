//! What must hold for any traffic.

use proptest::prelude::*;

use crate::base::{GapCause, Limits, Side};
use crate::tcp::TcpEnd;
use crate::tcp::testing::{ACK, FIN, Line, RST, SYN, Wire, handshake, line};

/// The bytes of a side's stream.
fn content(side: Side, length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at * 7 + at / 251 + 100 * side.index()) as u8 | 1)
        .collect()
}

/// Cuts a stream into segments; none of them is empty.
fn cut(bytes: &[u8], sizes: &[usize]) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut at = 0;
    for &size in sizes.iter().cycle() {
        if at == bytes.len() {
            break;
        }
        let end = (at + size.max(1)).min(bytes.len());
        parts.push((at, end));
        at = end;
    }
    parts
}

/// A conversation of two streams, the segments of both taking turns, each acknowledging what the other side has sent.
fn conversation(lengths: [usize; 2], sizes: &[usize]) -> Vec<Line> {
    let sides = [Side::A, Side::B];
    let bytes = sides.map(|side| content(side, lengths[side.index()]));
    let parts = [cut(&bytes[0], sizes), cut(&bytes[1], sizes)];
    let mut lines = Vec::new();
    let mut sent = [0, 0];
    for turn in 0..parts[0].len().max(parts[1].len()) {
        for (own, side) in sides.into_iter().enumerate() {
            if let Some(&(start, end)) = parts[own].get(turn) {
                lines.push(line(
                    side,
                    ACK,
                    start as i64,
                    sent[1 - own] as i64,
                    &bytes[own][start..end],
                ));
                sent[own] = end;
            }
        }
    }
    lines
}

fn closing(lengths: [usize; 2]) -> [Line; 3] {
    let [a, b] = lengths.map(|length| length as i64);
    [
        line(Side::A, ACK | FIN, a, b, b""),
        line(Side::B, ACK | FIN, b, a + 1, b""),
        line(Side::A, ACK, a + 1, b + 1, b""),
    ]
}

/// Moves each line by up to `reach` places.
fn reorder(lines: &mut [Line], reach: &[u8]) {
    let mut keyed: Vec<(usize, Line)> = lines
        .iter()
        .cloned()
        .enumerate()
        .map(|(at, line)| (at + usize::from(reach[at % reach.len()]), line))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    for (place, (_, line)) in lines.iter_mut().zip(keyed) {
        *place = line;
    }
}

proptest! {
    #[test]
    fn any_segmentation_order_repetition_and_overlap_of_the_same_bytes_gives_the_same_streams(
        lengths in [0usize..3000, 0usize..3000],
        sizes in prop::collection::vec(1usize..400, 1..10),
        again in prop::collection::vec((any::<bool>(), 0usize..3000, 1usize..700, 0usize..100), 0..20),
        reach in prop::collection::vec(0u8..8, 1..30),
    ) {
        let mut lines = conversation(lengths, &sizes);
        // Acknowledging only what has been seen is what a capture without loss shows; here the order of the packets is
        // no promise, so nothing acknowledges anything but at the end.
        for line in &mut lines {
            line.ack = 0;
        }
        for (first, at, length, place) in again {
            let side = if first { Side::A } else { Side::B };
            let bytes = content(side, lengths[side.index()]);
            if let Some(part) = bytes.get(at..(at + length).min(bytes.len())).filter(|part| !part.is_empty()) {
                let place = place.min(lines.len());
                lines.insert(place, line(side, ACK, at as i64, 0, part));
            }
        }
        reorder(&mut lines, &reach);
        let mut wire = Wire::new(&Limits::default());
        wire.send_all(&handshake());
        wire.send_all(&lines);
        wire.send_all(&closing(lengths));
        for side in [Side::A, Side::B] {
            let stream = wire.stream(1, side);
            prop_assert_eq!(&stream.bytes, &content(side, lengths[side.index()]));
            prop_assert!(stream.gaps.is_empty() && stream.fin);
        }
        prop_assert_eq!(&wire.upper.ends, &[(1, TcpEnd::Fin { by: Side::A })]);
        prop_assert_eq!(wire.table.held(), 0);
        wire.finish();
    }

    #[test]
    fn a_dropped_segment_is_one_gap_and_all_else_arrives(
        lengths in [1usize..2000, 1usize..2000],
        sizes in prop::collection::vec(2usize..400, 1..10),
        which in any::<prop::sample::Index>(),
        closes in any::<bool>(),
    ) {
        let mut lines = conversation(lengths, &sizes);
        let dropped = lines.remove(which.index(lines.len()));
        let mut wire = Wire::new(&Limits::default());
        wire.send_all(&handshake());
        wire.send_all(&lines);
        let [a, b] = lengths.map(|length| length as i64);
        // What has not been acknowledged by anybody may as well never have been sent.
        wire.send(&line(Side::A, ACK, a, b, b""));
        wire.send(&line(Side::B, ACK, b, a, b""));
        if closes {
            wire.send_all(&closing(lengths));
        }
        wire.finish();
        for side in [Side::A, Side::B] {
            let stream = wire.stream(1, side);
            let mut expected = content(side, lengths[side.index()]);
            let mut gaps = Vec::new();
            // One number that is acknowledged at the end without having been seen is taken for a FIN.
            let hidden = !closes && dropped.payload.len() == 1 && dropped.at + 1 == lengths[side.index()] as i64;
            if side == dropped.side && !hidden {
                let at = dropped.at as usize;
                expected[at..at + dropped.payload.len()].fill(0);
                gaps.push((dropped.at as u64, dropped.payload.len() as u64, GapCause::Lost));
            } else if side == dropped.side {
                expected.pop();
            }
            prop_assert_eq!(&stream.bytes, &expected);
            let found: Vec<_> = stream.gaps.iter().map(|gap| (gap.offset, gap.length, gap.cause)).collect();
            prop_assert_eq!(found, gaps);
            prop_assert_eq!(stream.fin, closes);
        }
    }

    #[test]
    fn a_capture_that_begins_late_has_the_rest(
        lengths in [500usize..2000, 500usize..2000],
        sizes in prop::collection::vec(20usize..200, 1..10),
        from in 0usize..10,
    ) {
        let lines = conversation(lengths, &sizes);
        let mut wire = Wire::new(&Limits::default());
        let seen = &lines[from.min(lines.len() - 1)..];
        wire.send_all(seen);
        wire.finish();
        for side in [Side::A, Side::B] {
            let Some(first) = seen.iter().find(|line| line.side == side) else { continue };
            // Sides are named after who is seen first.
            let stream = wire.stream(1, if side == seen[0].side { Side::A } else { Side::B });
            prop_assert_eq!(&stream.bytes, &content(side, lengths[side.index()])[first.at as usize..]);
            prop_assert!(stream.gaps.is_empty());
        }
    }

    #[test]
    fn garbage_neither_panics_nor_exceeds_the_bounds(
        lines in prop::collection::vec(
            (0u16..4, any::<bool>(), any::<u16>(), prop_oneof![-5i64..2000, -70_000i64..70_000, any::<u32>().prop_map(i64::from)],
                prop_oneof![-5i64..2000, any::<u32>().prop_map(i64::from)], 0usize..300, 0u32..3, any::<u16>()),
            0..300,
        ),
        pauses in prop::collection::vec(0i64..200_000, 1..5),
    ) {
        let limits = Limits { flows: 3, waiting_bytes: 3000, memory_bytes: 12_000, idle_seconds: 500, ..Limits::default() };
        let mut wire = Wire::new(&limits);
        let bytes = [7u8; 300];
        for (index, (port, a, flags, at, ack, length, era, window)) in lines.into_iter().enumerate() {
            let side = if a { Side::A } else { Side::B };
            // Plain segments are made likelier than others.
            let flags = match flags % 8 {
                0 => SYN,
                1 => SYN | ACK,
                2 => FIN | ACK,
                3 => flags & 0x1ff,
                4 if flags > 50_000 => RST,
                _ => ACK,
            };
            let sent = Line { port, era: era * 1_000_000_007, window, ..line(side, flags, at, ack, &bytes[..length]) };
            wire.millis += pauses[index % pauses.len()] * i64::from(index % 7 == 0);
            wire.send_cut(&sent, length.min(at.unsigned_abs() as usize));
            prop_assert!(wire.table.len() <= limits.flows);
            prop_assert!(wire.table.memory() <= limits.memory_bytes);
        }
        wire.finish();
    }
}
