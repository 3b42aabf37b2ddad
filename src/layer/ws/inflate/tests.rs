//! Messages with their history known: the examples of RFC 7692, every parameter combination, bombs, garbage.

use flate2::{Compress, Compression, FlushCompress, Status};

use super::decompressors::SLOTS;
use super::*;

/// One direction of a real sender.
pub(in crate::layer::ws) struct Sender {
    compress: Compress,
    takeover: bool,
}

impl Sender {
    pub(in crate::layer::ws) fn new(takeover: bool, window_bits: u8, level: u32) -> Self {
        Self {
            compress: Compress::new_with_window_bits(Compression::new(level), false, window_bits.max(9)),
            takeover,
        }
    }

    /// RFC 7692 §7.2.1.
    pub(in crate::layer::ws) fn message(&mut self, text: &[u8]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(text.len() + 100);
        let before = self.compress.total_in();
        loop {
            let taken = (self.compress.total_in() - before) as usize;
            payload.reserve(text.len() + 100);
            let status = self
                .compress
                .compress_vec(&text[taken..], &mut payload, FlushCompress::Sync)
                .unwrap();
            assert_ne!(status, Status::StreamEnd);
            if payload.len() < payload.capacity() {
                break;
            }
        }
        if payload.is_empty() {
            return vec![0]; // §7.2.3.6: nothing to flush after a flush
        }
        assert!(payload.ends_with(&TAIL));
        payload.truncate(payload.len() - 4);
        if !self.takeover {
            self.compress.reset();
        }
        payload
    }
}

pub(super) fn inflate(
    inflater: &mut Inflater,
    pool: &mut InflatePool,
    payload: &[u8],
) -> (Inflated, Vec<u8>, Vec<Hole>) {
    let (mut out, mut holes) = (vec![7; 3], Vec::new());
    let message = Compressed {
        payload,
        holes: &[],
        text: true,
        range: StreamRange::default(),
    };
    let inflated = inflater.message(pool, message, 1 << 20, &mut out, &mut holes);
    (inflated, out, holes)
}

fn whole(payloads: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(true, 15));
    payloads
        .iter()
        .map(|payload| {
            let (inflated, out, holes) = inflate(&mut inflater, &mut pool, payload);
            assert_eq!((inflated, holes.len()), (Inflated::Whole, 0), "{payload:02x?}");
            out
        })
        .collect()
}

#[test]
fn the_examples_of_rfc_7692_section_7_2_3() {
    // §7.2.3.1 one compressed block; §7.2.3.2 sharing the window
    let hello: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let again: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];
    // §7.2.3.3 no compression; §7.2.3.4 BFINAL; §7.2.3.5 two blocks
    let stored: &[u8] = &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    let finished: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let two: &[u8] = &[
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    for out in whole(&[hello, again, stored, finished, again, two, again]) {
        assert_eq!(out, b"Hello");
    }
}

#[test]
fn an_empty_message_and_one_that_kept_its_tail() {
    let kept = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff];
    // §7.2.3.6: an empty message is 00; nothing at all is read as empty too
    assert_eq!(
        whole(&[&kept, &[0x00], &[], &[0xf2, 0x00, 0x11, 0x00, 0x00]]),
        [&b"Hello"[..], b"", b"", b"Hello"]
    );
}

#[test]
fn bfinal_without_a_byte_for_the_tail() {
    let finished: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let again: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(whole(&[finished, again]), [b"Hello", b"Hello"]);
}

#[test]
fn every_parameter_combination() {
    let text: Vec<_> = (0..60u32)
        .map(|n| {
            format!(
                "{{\"type\":\"say\",\"n\":{n},\"t\":\"{:x}\"}}",
                n.wrapping_mul(2654435761)
            )
            .repeat(1 + n as usize % 40)
        })
        .collect();
    for window_bits in 8..=15 {
        for takeover in [false, true] {
            for level in [0, 1, 6, 9] {
                let mut sender = Sender::new(takeover, window_bits, level);
                let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(takeover, window_bits));
                let mut late = Inflater::late(takeover, window_bits);
                for (n, text) in text.iter().enumerate() {
                    let payload = sender.message(text.as_bytes());
                    let (inflated, out, _) = inflate(&mut inflater, &mut pool, &payload);
                    assert_eq!(
                        (inflated, &out[..]),
                        (Inflated::Whole, text.as_bytes()),
                        "{window_bits} {takeover} {level} {n}"
                    );
                    let (inflated, out, _) = inflate(&mut late, &mut pool, &payload);
                    assert_eq!(
                        (inflated, &out[..]),
                        (Inflated::Whole, text.as_bytes()),
                        "{window_bits} {takeover} {level} {n}"
                    );
                }
            }
        }
    }
}

/// A sender that has said so much that its direction has a decompressor of its own.
fn talkative() -> (Sender, InflatePool, Inflater) {
    let (mut sender, mut pool, mut inflater) = (
        Sender::new(true, 15, 6),
        InflatePool::default(),
        Inflater::new(true, 15),
    );
    for n in 0..600 {
        let text = format!("message {n}, of which there are {} alike", 600 - n);
        let (inflated, out, _) = inflate(&mut inflater, &mut pool, &sender.message(text.as_bytes()));
        assert_eq!((inflated, out), (Inflated::Whole, text.into_bytes()));
    }
    (sender, pool, inflater)
}

#[test]
fn bfinal_after_a_long_history_leaves_it_right() {
    let (mut sender, mut pool, mut inflater) = talkative();
    let (inflated, out, _) = inflate(&mut inflater, &mut pool, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    assert_eq!((inflated, &out[..]), (Inflated::Whole, &b"Hello"[..]));
    // Its own window lacks the Hello: what it refers to lies five bytes further back than it thinks, all the same in a repetition.
    let again = [b'a'; 20_000];
    let (inflated, out, _) = inflate(&mut inflater, &mut pool, &sender.message(&again));
    assert_eq!((inflated, &out[..]), (Inflated::Whole, &again[..]));
    let (inflated, out, _) = inflate(&mut inflater, &mut pool, &sender.message(&again[..9000]));
    assert_eq!((inflated, &out[..]), (Inflated::Whole, &again[..9000]));
}

#[test]
fn bfinal_in_a_later_block_after_a_long_history_is_no_garbage() {
    // A stored block "ab", then "Hello" with BFINAL; and the same with something behind that.
    let block = [
        &[0x00, 0x02, 0x00, 0xfd, 0xff][..],
        b"ab",
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
    ]
    .concat();
    let (_, mut pool, mut inflater) = talkative();
    let (inflated, out, _) = inflate(&mut inflater, &mut pool, &block);
    assert_eq!((inflated, &out[..]), (Inflated::Whole, &b"abHello"[..]));

    let (_, mut pool, mut inflater) = talkative();
    let more = [&block[..], &[0x00, 0x03, 0x00, 0xfc, 0xff], b"xyz\0"].concat();
    let (inflated, out, holes) = inflate(&mut inflater, &mut pool, &more);
    assert_eq!(
        (inflated, &out[..], holes),
        (Inflated::Whole, &b"abHelloxyz"[..], vec![])
    );
}

#[test]
fn a_loss_after_a_long_history_does_not_touch_what_was_known() {
    let (mut sender, mut pool, mut inflater) = talkative();
    inflater.lost();
    let (inflated, out, holes) = inflate(&mut inflater, &mut pool, &sender.message(b"{\"new\":\"words\"}"));
    assert_eq!(
        (inflated, &out[..]),
        (Inflated::Whole, &b"{\"new\":\"words\"}"[..]),
        "{holes:?}"
    );
}

#[test]
fn more_directions_than_decompressors() {
    let mut pool = InflatePool::default();
    let mut directions: Vec<_> = (0..2 * SLOTS)
        .map(|_| (Sender::new(true, 15, 6), Inflater::new(true, 15)))
        .collect();
    for round in 0..5 {
        for (n, (sender, inflater)) in directions.iter_mut().enumerate() {
            let text = format!(
                "direction {n} says in round {round} what direction {n} said in round {}",
                round / 2
            );
            let (inflated, out, _) = inflate(inflater, &mut pool, &sender.message(text.as_bytes()));
            assert_eq!((inflated, out), (Inflated::Whole, text.into_bytes()));
        }
    }
}

#[test]
fn a_bomb_stops_at_the_limit_and_leaves_the_history_right() {
    let mut sender = Sender::new(true, 15, 9);
    let bomb = sender.message(&vec![b'x'; 3 << 20]);
    let next = sender.message(b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxx and now");
    let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(true, 15));
    let (inflated, out, holes) = inflate(&mut inflater, &mut pool, &bomb);
    assert_eq!((inflated, out.len()), (Inflated::TooLong, 1 << 20));
    assert!(out.capacity() <= (1 << 20) + 1);
    assert_eq!(
        holes,
        [Hole {
            offset: 1 << 20,
            length: None
        }]
    );
    assert_eq!(
        inflate(&mut inflater, &mut pool, &next).1,
        b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxx and now"
    );

    // far beyond the limit: the history is given up
    let bomb = sender.message(&vec![b'y'; 30 << 20]);
    let next = sender.message(b"yyyyyyyyyyyyyyyyyyyyyyyyyyyyy and now");
    assert_eq!(inflate(&mut inflater, &mut pool, &bomb).0, Inflated::TooLong);
    let (inflated, out, holes) = inflate(&mut inflater, &mut pool, &next);
    assert_eq!((inflated, &out[29..]), (Inflated::Partial, &b" and now"[..]));
    assert_eq!(
        holes,
        [Hole {
            offset: 0,
            length: Some(29)
        }]
    );
}

#[test]
fn garbage_is_a_value() {
    let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(true, 15));
    let (inflated, out, holes) = inflate(&mut inflater, &mut pool, &[0xff; 20]);
    assert_eq!((inflated, out.len()), (Inflated::Invalid, 0));
    assert_eq!(
        holes,
        [Hole {
            offset: 0,
            length: None
        }]
    );
    // a match before the beginning
    let (inflated, ..) = inflate(
        &mut Inflater::new(false, 15),
        &mut pool,
        &[0xf2, 0x00, 0x11, 0x00, 0x00],
    );
    assert_eq!(inflated, Inflated::Invalid);
}

#[test]
fn a_message_that_breaks_off_is_known_up_to_there() {
    let mut sender = Sender::new(true, 15, 6);
    let text = [b"first, ".repeat(3), b"then this, and first, ".repeat(3)];
    let payloads = text.each_ref().map(|text| sender.message(text));
    for cut in 0..payloads[1].len() {
        let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(true, 15));
        inflate(&mut inflater, &mut pool, &payloads[0]);
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        let hole = [Hole {
            offset: cut as u64,
            length: None,
        }];
        let message = Compressed {
            payload: &payloads[1],
            holes: &hole,
            text: true,
            range: StreamRange::default(),
        };
        assert_eq!(
            inflater.message(&mut pool, message, 1 << 20, &mut out, &mut holes),
            Inflated::Partial
        );
        assert!(text[1].starts_with(&out));
        assert_eq!(
            holes,
            [Hole {
                offset: out.len() as u64,
                length: None
            }]
        );
        let later = sender_from_scratch_says(b"later");
        assert_eq!(inflate(&mut inflater, &mut pool, &later).1, b"later");
    }
}

fn sender_from_scratch_says(text: &[u8]) -> Vec<u8> {
    Sender::new(false, 15, 6).message(text)
}

#[test]
fn a_message_riddled_with_holes_is_told_up_to_a_bound() {
    let (mut sender, mut pool, mut inflater) = (
        Sender::new(true, 15, 9),
        InflatePool::default(),
        Inflater::late(true, 15),
    );
    sender.message(b"0123456789");
    let payload = sender.message(&b"345X".repeat(100_000));
    let (inflated, out, holes) = inflate(&mut inflater, &mut pool, &payload);
    let known = out.iter().filter(|&&byte| byte == b'X').count();
    assert_eq!(inflated, Inflated::Partial);
    let limit = 1 << 20;
    assert_eq!(holes.len(), limit / 64 + 1, "and the rest in one");
    assert!(known >= limit / 64 - 1, "{known}");
    let end = holes.last().and_then(|hole| Some(hole.offset + hole.length?));
    assert_eq!(end, Some(400_000));
}

#[test]
fn rfc7692_7_2_1_a_message_that_ends_inside_of_a_block() {
    let text = b"what is said here is long enough to be cut anywhere, and to be cut again";
    let mut checked = 0;
    // Without its very last byte it still ends behind a block, but for the bits of the empty one.
    for cut in 2..20 {
        let mut pool = InflatePool::default();
        let mut payload = Sender::new(true, 15, 6).message(text);
        payload.truncate(payload.len() - cut);
        for mut inflater in [
            Inflater::new(true, 15),
            Inflater::new(false, 15),
            Inflater::late(true, 15),
        ] {
            let (inflated, out, holes) = inflate(&mut inflater, &mut pool, &payload);
            assert_eq!(inflated, Inflated::InsideBlock, "{cut}");
            assert!(text.starts_with(&out) && out.len() < text.len(), "{cut}: {out:?}");
            assert_eq!(holes.last().map(|hole| hole.length), Some(None));
            checked += 1;
        }
    }
    assert_eq!(checked, 54);
}
