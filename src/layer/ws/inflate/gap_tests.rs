//! Late starts and gaps, on chats: all that is reported as known is right, and after a gap the conversation becomes readable again.

use proptest::prelude::*;

use super::tests::Sender;
use super::*;

/// A small generator (splitmix64), so that every case is told by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const NAMES: [&str; 8] = ["anna", "Björn", "小明", "dave", "Eve", "ひろ", "grace", "Henrique"];
const WORDS: [&str; 30] = [
    "hello",
    "there",
    "what",
    "about",
    "lunch",
    "at",
    "noon",
    "我们",
    "走吧",
    "ok",
    "fine",
    "see",
    "you",
    "later",
    "meeting",
    "moved",
    "schön",
    "today",
    "tomorrow",
    "maybe",
    "never",
    "the",
    "quick",
    "\\\"quoted\\\"",
    "brown",
    "fox",
    "😀",
    "jumps",
    "over",
    "dogs",
];

/// The next message of a chat.
fn chat(random: &mut Random, n: usize) -> String {
    let words: Vec<_> = (0..1 + random.below(12)).map(|_| random.pick(&WORDS)).collect();
    let (content, name, uid) = (words.join(" "), random.pick(&NAMES), 100 + random.below(20));
    let (minute, second) = (n / 7 % 60, random.below(60));
    match random.below(10) {
        0 => format!(
            "{{\"type\":\"login\",\"uid\":{uid},\"name\":\"{name}\",\"time\":\"2014-05-01 17:{minute:02}:{second:02}\"}}"
        ),
        1 => format!("{{\"type\":\"logout\",\"uid\":{uid},\"time\":\"2014-05-01 17:{minute:02}:{second:02}\"}}"),
        2 => "{\"type\":\"ping\"}".into(),
        _ => format!(
            "{{\"type\":\"say\",\"from_uid\":{uid},\"to_uid\":\"all\",\"content\":\"{content}\",\"time\":\"2014-05-01 17:{minute:02}:{second:02}\"}}"
        ),
    }
}

struct Stream {
    texts: Vec<String>,
    payloads: Vec<Vec<u8>>,
    starts: Vec<u64>,
}

fn stream(random: &mut Random, messages: usize, window_bits: u8) -> Stream {
    let mut sender = Sender::new(true, window_bits, 6);
    let texts: Vec<_> = (0..messages).map(|n| chat(random, n)).collect();
    let payloads: Vec<_> = texts.iter().map(|text| sender.message(text.as_bytes())).collect();
    let starts = payloads
        .iter()
        .scan(0, |at, payload| {
            let start = *at;
            *at += payload.len() as u64 + 2;
            Some(start)
        })
        .collect();
    Stream {
        texts,
        payloads,
        starts,
    }
}

impl Stream {
    /// Message `n`, or what comes before and after `holes`.
    fn message<'a>(&'a self, n: usize, holes: &'a [Hole]) -> Compressed<'a> {
        let payload = &self.payloads[n];
        Compressed {
            payload,
            holes,
            text: true,
            range: StreamRange {
                start: self.starts[n],
                end: self.starts[n] + payload.len() as u64 + 2,
            },
        }
    }
}

/// How much of a message is known; panics when anything of it is wrong.
fn known(text: &str, inflated: Inflated, out: &[u8], holes: &[Hole], what: &str) -> usize {
    assert_eq!(out.len(), text.len(), "{what}");
    let mut bytes = out.to_vec();
    let mut missing = 0;
    for hole in holes {
        let (from, length) = (hole.offset as usize, hole.length.unwrap() as usize);
        bytes[from..from + length].copy_from_slice(&text.as_bytes()[from..from + length]);
        missing += length;
    }
    assert_eq!(String::from_utf8_lossy(&bytes), text, "{what}: {holes:?}");
    assert_eq!(inflated == Inflated::Whole, holes.is_empty());
    text.len() - missing
}

#[test]
fn a_late_start_reports_only_what_is_right() {
    for seed in 0..30 {
        let mut random = Random(seed);
        let stream = stream(&mut random, 60, 9 + (seed % 7) as u8);
        let (mut pool, mut inflater) = (InflatePool::default(), Inflater::late(true, 15));
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        let from = random.below(50) as usize;
        for n in from..60 {
            let inflated = inflater.message(&mut pool, stream.message(n, &[]), 1 << 20, &mut out, &mut holes);
            known(
                &stream.texts[n],
                inflated,
                &out,
                &holes,
                &format!("seed {seed} from {from} message {n}"),
            );
        }
    }
}

#[test]
fn once_the_window_is_known_again_no_decompressor_from_before_the_gap_goes_on() {
    let mut random = Random(7);
    let mut sender = Sender::new(true, 9, 6);
    let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(true, 9));
    let (mut out, mut holes) = (Vec::new(), Vec::new());
    for n in 0..30 {
        let mut text = chat(&mut random, n);
        if n == 12 {
            // Many new letters, so that nothing of before is in the window, and something to refer to.
            let letters: String = (0..2000).map(|_| char::from(b' ' + random.below(90) as u8)).collect();
            text = letters + &chat(&mut random, n);
        }
        let payload = sender.message(text.as_bytes());
        if n == 10 {
            inflater.lost();
            continue;
        }
        let message = Compressed {
            payload: &payload,
            holes: &[],
            text: true,
            range: StreamRange::default(),
        };
        let inflated = inflater.message(&mut pool, message, 1 << 20, &mut out, &mut holes);
        known(&text, inflated, &out, &holes, &format!("message {n}"));
        assert_eq!(
            inflater.context().partial().is_none(),
            !(10..12).contains(&n),
            "message {n}"
        );
    }
}

/// A message of any kind: JSON, other text, bytes that do not compress, a pattern that compresses very well.
fn anything(random: &mut Random, n: usize) -> (bool, Vec<u8>) {
    const PIECES: [&str; 8] = [
        "hello ",
        "猪猪",
        "你好，",
        "😀",
        "é",
        "\n",
        "\"}",
        "{\"type\":\"say\",\"content\":\"",
    ];
    match random.below(6) {
        0 => (false, (0..random.below(300)).map(|_| random.next() as u8).collect()),
        1 => (false, b"\x00\x01\x02\x03abc".repeat(random.below(700) as usize)),
        2 => (
            true,
            (0..random.below(30))
                .map(|_| random.pick(&PIECES))
                .collect::<String>()
                .into(),
        ),
        _ => (true, chat(random, n).into()),
    }
}

#[test]
fn whatever_is_cut_or_lost_nothing_false_is_told() {
    let (mut whole, mut there) = (0, 0);
    for seed in 0..16 {
        let mut random = Random(seed);
        let bits = [9, 12, 15][seed as usize % 3];
        let only_json = seed % 4 == 0;
        let mut sender = Sender::new(true, bits, [6, 1, 9, 3][seed as usize / 4]);
        let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(true, bits));
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        let mut at = 0;
        for n in 0..60 {
            let (text, bytes) = if only_json {
                (true, chat(&mut random, n).into())
            } else {
                anything(&mut random, n)
            };
            let payload = sender.message(&bytes);
            let range = StreamRange {
                start: at,
                end: at + payload.len() as u64 + 2,
            };
            at = range.end;
            let fate = if n < 5 { 9 } else { random.below(12) };
            if fate == 0 {
                inflater.lost();
                continue;
            }
            let offset = random.below(payload.len() as u64);
            let length = 1 + random.below(payload.len() as u64 - offset);
            let hole = [Hole {
                offset,
                length: Some(length),
            }];
            // What is behind the payload is not there when the hole reaches to its end.
            let (payload, holes_in) = match fate {
                3.. => (&payload[..], &[][..]),
                _ if offset + length == payload.len() as u64 => (&payload[..offset as usize], &hole[..]),
                _ => (&payload[..], &hole[..]),
            };
            let message = Compressed {
                payload,
                holes: holes_in,
                text,
                range,
            };
            let inflated = inflater.message(&mut pool, message, 1 << 20, &mut out, &mut holes);
            for (i, byte) in out.iter().enumerate() {
                let in_hole = |hole: &Hole| (i as u64).wrapping_sub(hole.offset) < hole.length.unwrap_or(u64::MAX);
                assert!(
                    *byte == bytes[i] || holes.iter().any(in_hole),
                    "seed {seed} message {n} byte {i}"
                );
            }
            assert!(out.len() <= bytes.len());
            if inflated == Inflated::Whole {
                assert_eq!(out.len(), bytes.len(), "seed {seed} message {n}");
                whole += 1;
            }
            there += usize::from(fate >= 3);
        }
    }
    assert!(whole * 100 > there * 35, "{whole} of {there}");
}

#[derive(Default, Debug)]
struct Tally {
    tries: usize,
    decided: usize,
    /// Of the messages after the gap: bytes known, bytes in all, whole messages, messages.
    known: usize,
    bytes: usize,
    whole: usize,
    messages: usize,
}

fn gaps(lost: usize, cut: bool, tries: u64) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..tries {
        let mut random = Random(seed ^ (lost as u64) << 32);
        let before = 20 + random.below(60) as usize;
        let stream = stream(&mut random, before + lost + 60, 15);
        let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(true, 15));
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        for n in 0..before {
            let inflated = inflater.message(&mut pool, stream.message(n, &[]), 1 << 20, &mut out, &mut holes);
            assert_eq!((inflated, &out[..]), (Inflated::Whole, stream.texts[n].as_bytes()));
        }
        if cut {
            let offset = random.below(stream.payloads[before].len() as u64);
            let hole = [Hole { offset, length: None }];
            let inflated = inflater.message(&mut pool, stream.message(before, &hole), 1 << 20, &mut out, &mut holes);
            assert_eq!(inflated, Inflated::Partial);
            assert!(stream.texts[before].as_bytes().starts_with(&out));
        } else {
            inflater.lost();
        }
        tally.tries += 1;
        for n in before + lost..stream.texts.len() {
            let inflated = inflater.message(&mut pool, stream.message(n, &[]), 1 << 20, &mut out, &mut holes);
            let what = format!("seed {seed} lost {lost} cut {cut} message {n}");
            let known = known(&stream.texts[n], inflated, &out, &holes, &what);
            tally.known += known;
            tally.bytes += out.len();
            tally.messages += 1;
            tally.whole += usize::from(inflated == Inflated::Whole);
        }
        if let Some(partial) = inflater.context().partial() {
            tally.decided += usize::from(partial.is_settled());
        } else {
            tally.decided += 1;
        }
    }
    tally
}

#[test]
fn after_a_gap_the_conversation_goes_on_readable() {
    // What was in the lost messages alone stays unknown, and is copied on by later messages.
    for (lost, cut, percent) in [(1, false, 90), (1, true, 93), (2, true, 80), (5, false, 45)] {
        let tally = gaps(lost, cut, 10);
        println!("lost {lost} cut {cut}: {tally:?}");
        assert!(
            tally.known * 100 > tally.bytes * percent,
            "lost {lost} cut {cut}: {tally:?}"
        );
    }
}

/// The messages between two gaps are few: what comes then refers to what is before both.
#[test]
fn what_was_before_two_gaps_is_found_again() {
    let mut tally = Tally::default();
    for seed in 0..10 {
        let mut random = Random(seed);
        let stream = stream(&mut random, 120, 15);
        let (mut pool, mut inflater) = (InflatePool::default(), Inflater::new(true, 15));
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        for n in 0..120 {
            if n == 60 || n == 62 {
                inflater.lost();
                continue;
            }
            let inflated = inflater.message(&mut pool, stream.message(n, &[]), 1 << 20, &mut out, &mut holes);
            let known = known(
                &stream.texts[n],
                inflated,
                &out,
                &holes,
                &format!("seed {seed} message {n}"),
            );
            if n > 62 {
                tally.known += known;
                tally.bytes += out.len();
            }
        }
    }
    assert!(tally.known * 100 > tally.bytes * 75, "{tally:?}");
}

proptest! {
    /// Whatever comes, in whatever order: no panic, no more than the limit, and holes as the decoder expects them.
    #[test]
    fn arbitrary_bytes_never_panic_and_stay_in_their_bounds(
        steps in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..80), 0u8..8), 0..30),
        late: bool, takeover: bool, window_bits in 0u8..20, limit in 0usize..2000,
    ) {
        let mut pool = InflatePool::default();
        let mut inflater = if late { Inflater::late(takeover, window_bits) } else { Inflater::new(takeover, window_bits) };
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        let mut sender = Sender::new(takeover, 15, 6);
        let mut at = 0;
        for (mut payload, step) in steps {
            match step {
                0 => inflater.lost(),
                1..4 => payload = sender.message(&payload),
                _ => {}
            }
            let range = StreamRange { start: at, end: at + payload.len() as u64 };
            at = range.end;
            let hole = [Hole { offset: payload.len() as u64 / 2, length: (step < 6).then_some(7) }];
            let holes_in = if step == 1 || step == 6 { &hole[..] } else { &[] };
            let message = Compressed { payload: &payload, holes: holes_in, text: step % 2 == 0, range };
            let inflated = inflater.message(&mut pool, message, limit, &mut out, &mut holes);
            prop_assert!(out.len() <= limit);
            prop_assert_eq!(inflated == Inflated::Whole, holes.is_empty());
            let mut end = 0;
            for (n, hole) in holes.iter().enumerate() {
                prop_assert!(hole.offset >= end);
                match hole.length {
                    Some(length) => {
                        prop_assert!(length > 0 && hole.offset + length <= out.len() as u64);
                        end = hole.offset + length;
                    }
                    None => prop_assert!(n + 1 == holes.len() && hole.offset == out.len() as u64),
                }
            }
        }
    }
}
