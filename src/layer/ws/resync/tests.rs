//! Truth against the search: sessions cut anywhere, and bytes that are no frames.

use proptest::prelude::*;

use super::{Collected, Expect, Purpose, Scratch, infer};
use crate::base::{Limits, PacketRef, Timestamp};
use crate::layer::Chunk;
use crate::layer::ws::Shared;

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

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }

    fn words(&mut self, n: u64) -> String {
        const WORDS: [&str; 12] = [
            "hello",
            "我们走吧",
            "ok",
            "とても いい です",
            "schön, été",
            "the",
            "a",
            "{",
            "meeting",
            "😀",
            "12:30",
            "\\n",
        ];
        (0..n)
            .map(|_| WORDS[self.below(12) as usize])
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Chat,
    Text,
    Binary,
    Deflate,
    Mixed,
}

struct Session {
    bytes: Vec<u8>,
    headers: Vec<usize>,
}

fn frame(out: &mut Vec<u8>, first: u8, payload: &[u8], key: Option<[u8; 4]>) {
    out.push(first);
    let mask = if key.is_some() { 0x80 } else { 0 };
    match payload.len() {
        n @ 0..126 => out.push(mask | n as u8),
        n @ 126..0x1_0000 => {
            out.push(mask | 126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(mask | 127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend(key.iter().flatten());
    out.extend(
        payload
            .iter()
            .zip(key.unwrap_or_default().into_iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
}

fn session(random: &mut Random, kind: Kind, masked: bool, frames: usize) -> Session {
    let mut bytes = Vec::new();
    let mut headers = Vec::new();
    let mut sender = crate::layer::ws::inflate::tests::Sender::new(true, 15, 6);
    for _ in 0..frames {
        let kind = match kind {
            Kind::Mixed => [Kind::Chat, Kind::Text, Kind::Binary][random.below(3) as usize],
            kind => kind,
        };
        let most = if random.below(10) == 0 { 400 } else { 12 };
        let words = random.below(most);
        let key = masked.then(|| (random.next() as u32).to_be_bytes());
        headers.push(bytes.len());
        if random.below(12) == 0 {
            let n = [0, 4, 8][random.below(3) as usize];
            let payload = random.bytes(n);
            frame(&mut bytes, 0x89 + random.below(2) as u8, &payload, key);
            continue;
        }
        let chat = format!(
            "{{\"type\":\"say\",\"to\":{},\"content\":\"{}\"}}",
            random.below(99),
            random.words(words)
        );
        match kind {
            Kind::Chat => frame(&mut bytes, 0x81, chat.as_bytes(), key),
            Kind::Text => frame(&mut bytes, 0x81, random.words(words).as_bytes(), key),
            Kind::Deflate => frame(&mut bytes, 0xc1, &sender.message(chat.as_bytes()), key),
            Kind::Binary | Kind::Mixed => {
                let most = if random.below(10) == 0 { 5000 } else { 200 };
                let n = random.below(most);
                let payload = random.bytes(n as usize);
                frame(&mut bytes, 0x82, &payload, key);
            }
        }
    }
    Session { bytes, headers }
}

fn chunk(bytes: &[u8], from: usize, to: usize) -> Chunk<'_> {
    let time = Timestamp::from_nanos(0);
    let at = PacketRef {
        packet: to as u64,
        time,
    };
    Chunk::tcp(from as u64, &bytes[from..to], at, at)
}

/// Looks at `bytes` segment by segment.
fn search(expect: Expect, bytes: &[u8], segments: &[usize]) -> Option<usize> {
    let (mut collected, mut scratch) = (Collected::new(expect), Scratch::default());
    let mut from = 0;
    for &end in segments {
        if end > from {
            collected.push(chunk(bytes, from, end));
        }
        from = end;
        if let Some(start) = collected.search(false, &mut scratch) {
            return Some(start as usize);
        }
    }
    collected.search(true, &mut scratch).map(|start| start as usize)
}

/// Whether two directions, segment by segment in turn, are taken for WebSocket, and which of them masks.
fn inferred(sides: [&[u8]; 2], segments: [&[usize]; 2]) -> Option<[bool; 2]> {
    let expect = Expect {
        purpose: Purpose::Infer,
        masked: None,
        deflate: None,
    };
    let (mut both, mut shared) = (
        [Collected::new(expect), Collected::new(expect)],
        Shared::new(Limits::default(), false),
    );
    let mut from = [0; 2];
    for n in 0..segments[0].len().max(segments[1].len()) {
        for side in 0..2 {
            let Some(&end) = segments[side].get(n).filter(|&&end| end > from[side]) else {
                continue;
            };
            both[side].push(chunk(sides[side], from[side], end));
            from[side] = end;
            if let Some(masks) = infer(&mut both, false, &mut shared) {
                return Some(masks);
            }
        }
    }
    infer(&mut both, true, &mut shared)
}

fn cuts(random: &mut Random, session: &Session, from: usize, aligned: bool) -> Vec<usize> {
    let mut ends = Vec::new();
    if aligned {
        ends.extend(
            session
                .headers
                .iter()
                .filter(|&&header| header > from)
                .map(|header| header - from),
        );
    } else {
        let mut at = 0;
        while at + from < session.bytes.len() {
            at += 1 + random.below(1460) as usize;
            ends.push(at.min(session.bytes.len() - from));
        }
    }
    ends.push(session.bytes.len() - from);
    ends
}

#[derive(Default, Debug)]
struct Tally {
    tries: u32,
    first: u32,
    second: u32,
    late: u32,
    never: u32,
    wrong: u32,
}

fn tally(kind: Kind, masked: bool, aligned: bool, deflate: Option<bool>, tries: u64) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..tries {
        let mut random = Random(seed.wrapping_mul(0x1234_5678_9abc_def1) ^ kind as u64);
        let frames = 4 + random.below(20) as usize;
        let session = session(&mut random, kind, masked, frames);
        let from = 1 + random.below(session.bytes.len() as u64 * 2 / 3) as usize;
        let after: Vec<_> = session
            .headers
            .iter()
            .copied()
            .filter(|&header| header >= from)
            .collect();
        if after.len() < 2 {
            continue;
        }
        let segments = cuts(&mut random, &session, from, aligned);
        let expect = Expect {
            purpose: Purpose::Regain,
            masked: Some(masked),
            deflate,
        };
        tally.tries += 1;
        match search(expect, &session.bytes[from..], &segments) {
            None => tally.never += 1,
            Some(at) if at + from == after[0] => tally.first += 1,
            Some(at) if at + from == after[1] => tally.second += 1,
            Some(at) if after.contains(&(at + from)) => tally.late += 1,
            Some(at) => {
                println!("{kind:?}, seed {seed}: {at} behind {from}, frames at {after:?}");
                tally.wrong += 1;
            }
        }
    }
    tally
}

/// From the second header after the cut on, everything is found (the third in a few of a thousand tries), and nothing that is no frame.
#[test]
fn frames_are_found_again_wherever_the_cut_was() {
    const TRIES: u64 = 200;
    let kinds = [
        (Kind::Chat, Some(false)),
        (Kind::Text, Some(false)),
        (Kind::Deflate, Some(true)),
        (Kind::Deflate, None),
        (Kind::Mixed, Some(false)),
        (Kind::Binary, Some(false)),
        (Kind::Binary, None),
    ];
    for (kind, deflate) in kinds {
        for (masked, aligned) in [(false, false), (false, true), (true, false), (true, true)] {
            let tally = tally(kind, masked, aligned, deflate, TRIES);
            let what = format!("{kind:?} deflate {deflate:?} masked {masked} aligned {aligned}: {tally:?}");
            println!("{what}");
            assert!(
                tally.tries > 150 && tally.wrong == 0 && tally.late + tally.never <= 6,
                "{what}"
            );
        }
    }
}

/// Streams that are not WebSocket, by name.
fn others(random: &mut Random) -> Vec<(&'static str, Vec<u8>)> {
    fn repeat(random: &mut Random, total: usize, mut one: impl FnMut(&mut Random, &mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < total {
            one(random, &mut out);
        }
        out
    }
    fn json(random: &mut Random) -> Vec<u8> {
        let words = random.below(20);
        format!("{{\"id\":{},\"text\":\"{}\"}}", random.below(1000), random.words(words)).into_bytes()
    }
    const TOTAL: usize = 20_000;
    vec![
        ("random", random.bytes(TOTAL)),
        ("zeros", vec![0; TOTAL]),
        ("ff", vec![0xff; TOTAL]),
        ("81", vec![0x81; TOTAL]),
        ("82", vec![0x82; TOTAL]),
        (
            "ascii log",
            repeat(random, TOTAL, |r, out| {
                let line = format!(
                    "2026-11-21T04:{:02}:{:02} INFO request {} took {} ms\n",
                    r.below(60),
                    r.below(60),
                    r.below(9999),
                    r.below(500)
                );
                out.extend(line.as_bytes());
            }),
        ),
        (
            "text of many languages",
            repeat(random, TOTAL, |r, out| {
                let line = r.words(9);
                out.extend(line.as_bytes());
                out.push(b'\n');
            }),
        ),
        (
            "japanese",
            repeat(random, TOTAL, |r, out| {
                let c = char::from_u32(0x3041 + r.below(0x56) as u32).unwrap_or('あ');
                out.extend(c.to_string().as_bytes());
                if r.below(6) == 0 {
                    out.extend(b"web, ");
                }
            }),
        ),
        (
            "TLS",
            repeat(random, TOTAL, |r, out| {
                let n = if r.below(3) == 0 { 1400 } else { 20 + r.below(300) };
                out.extend([0x17, 3, 3, (n >> 8) as u8, n as u8]);
                out.extend(r.bytes(n as usize));
            }),
        ),
        (
            "SSH",
            repeat(random, TOTAL, |r, out| {
                let n = 16 + 8 * r.below(20);
                out.extend((n as u32).to_be_bytes());
                out.extend(r.bytes(n as usize + 16));
            }),
        ),
        (
            "HTTP with JSON",
            repeat(random, TOTAL, |r, out| {
                let body = json(r);
                out.extend(
                    format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    )
                    .as_bytes(),
                );
                out.extend(body);
            }),
        ),
        (
            "HTTP with images",
            repeat(random, TOTAL, |r, out| {
                let n = r.below(3000) as usize;
                out.extend(
                    format!("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {n}\r\n\r\n").as_bytes(),
                );
                out.extend(r.bytes(n));
            }),
        ),
        (
            "a page about WebSocket",
            repeat(random, TOTAL, |_, out| {
                out.extend(b"<pre>GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n0x81 0x05 0x48 0x65 0x6c 0x6c 0x6f {\"type\":\"say\"}</pre>\n");
            }),
        ),
        (
            "Redis",
            repeat(random, TOTAL, |r, out| {
                let value = json(r);
                out.extend(
                    format!(
                        "*3\r\n$3\r\nSET\r\n$6\r\nkey:{:02}\r\n${}\r\n",
                        r.below(100),
                        value.len()
                    )
                    .as_bytes(),
                );
                out.extend(value);
                out.extend(b"\r\n");
            }),
        ),
        (
            "MQTT subscribes",
            repeat(random, TOTAL, |r, out| {
                let topic = format!("home/room{}/temperature", r.below(100));
                out.extend([0x82, topic.len() as u8 + 5, 0, r.next() as u8, 0, topic.len() as u8]);
                out.extend(topic.as_bytes());
                out.push(0);
            }),
        ),
        (
            "MQTT publishes",
            repeat(random, TOTAL, |r, out| {
                let payload = &json(r)[..18];
                out.extend([0x30, 6 + payload.len() as u8, 0, 4, b'r', b'o', b'o', b'm']);
                out.extend(payload);
            }),
        ),
        (
            "16-bit sound",
            repeat(random, TOTAL, |r, out| {
                out.extend(((r.below(400) as i16) - 200).to_le_bytes())
            }),
        ),
        (
            "UTF-16",
            repeat(random, TOTAL, |r, out| {
                let c = [0x20 + r.below(90) as u16, 0x4e00 + r.below(2000) as u16][r.below(2) as usize];
                out.extend(c.to_le_bytes());
            }),
        ),
        (
            "MessagePack",
            repeat(random, TOTAL, |r, out| {
                let text = r.words(3);
                out.extend([
                    0x82,
                    0xa2,
                    b'i',
                    b'd',
                    0xcd,
                    r.next() as u8,
                    r.next() as u8,
                    0xa4,
                    b't',
                    b'e',
                    b'x',
                    b't',
                    0xd9,
                    text.len() as u8,
                ]);
                out.extend(text.as_bytes());
            }),
        ),
        (
            "protobuf",
            repeat(random, TOTAL, |r, out| {
                let text = json(r);
                out.extend([
                    0x0a,
                    4,
                    0x08,
                    r.next() as u8 | 0x80,
                    1,
                    0x10,
                    0x82,
                    0x01,
                    text.len() as u8,
                ]);
                out.extend(text);
            }),
        ),
        (
            "records with a short length before JSON",
            repeat(random, TOTAL, |r, out| {
                let text = json(r);
                out.extend((text.len() as u16).to_be_bytes());
                out.extend(text);
            }),
        ),
        (
            "HTTP/2",
            repeat(random, TOTAL, |r, out| {
                let n = r.below(200);
                out.extend([
                    0,
                    0,
                    n as u8,
                    [0, 1, 8][r.below(3) as usize],
                    [0, 1, 4][r.below(3) as usize],
                    0,
                    0,
                    0,
                    1,
                ]);
                out.extend(r.bytes(n as usize));
            }),
        ),
        (
            "MySQL",
            repeat(random, TOTAL, |r, out| {
                let text = r.words(4);
                out.extend([text.len() as u8, 0, 0, r.below(6) as u8]);
                out.extend(text.as_bytes());
            }),
        ),
        (
            "PostgreSQL",
            repeat(random, TOTAL, |r, out| {
                let text = json(r);
                out.extend([b'D', 0, 0, 0, (text.len() + 10) as u8, 0, 1, 0, 0, 0, text.len() as u8]);
                out.extend(text);
            }),
        ),
        (
            "16-bit pixels",
            repeat(random, TOTAL, |r, out| {
                out.extend([[0x81, 0x82, 0x00, 0x89][r.below(4) as usize], r.below(4) as u8])
            }),
        ),
    ]
}

#[test]
fn what_is_not_websocket_is_not_taken_for_it() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let protocols = others(&mut random);
        let answers = others(&mut random);
        for ((name, bytes), (_, answer)) in protocols.iter().zip(&answers) {
            let mut cut = |bytes: &[u8]| {
                let mut segments = Vec::new();
                let mut at = 0;
                while at < bytes.len() {
                    at = bytes.len().min(at + 1 + random.below(1460) as usize);
                    segments.push(at);
                }
                segments
            };
            let from = (seed % 2 * 1234) as usize;
            let bytes = &bytes[from..];
            let segments = [cut(bytes), cut(answer)];
            assert_eq!(inferred([bytes, &[]], [&segments[0], &[]]), None, "{name}, seed {seed}");
            let both = inferred([bytes, answer], [&segments[0], &segments[1]]);
            assert_eq!(both, None, "{name} both ways, seed {seed}");
        }
    }
}

#[test]
fn one_masked_text_that_fills_its_segment_is_enough() {
    let mut bytes = Vec::new();
    let login = b"{\"type\":\"login\",\"name\":\"mynick\"}";
    frame(&mut bytes, 0x81, login, Some([0x3c, 0x31, 0x37, 0x44]));
    assert_eq!(inferred([&bytes, &[]], [&[bytes.len()], &[]]), Some([true, false]));
}

/// What a search reads of the bytes is bounded by design; here, that hostile bytes neither take long nor are taken for frames in one
/// pass too many.
#[test]
fn frames_that_fill_their_segment_are_found_from_its_first_byte_on() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let (masked, together) = (seed % 2 == 0, 2 + random.below(4) as usize);
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..together + 4 {
            let key = masked.then(|| (random.next() as u32).to_be_bytes());
            let length = 2 + random.below(124) as usize;
            let payload = random.bytes(length);
            frame(&mut bytes, 0x82, &payload, key);
            ends.push(bytes.len());
        }
        let expect = Expect {
            purpose: Purpose::Regain,
            masked: Some(masked),
            deflate: Some(false),
        };
        assert_eq!(search(expect, &bytes, &ends[together - 1..]), Some(0), "seed {seed}");
    }
}

#[test]
fn hostile_bytes_are_searched_a_few_times_at_most() {
    let mut random = Random(5);
    let mut nested = Vec::new();
    let mut masked = Vec::new();
    for n in 0..40_000u32 {
        // Each of two interleaved chains leads from header to header; and frames whose lengths end all at one place.
        nested.extend([0x82, 2, 0x82, 2]);
        masked.extend([0x82, 0x80 | (n % 120) as u8, 1, 2, 3, 4]);
    }
    let words: Vec<u8> = (0..0x2_0000u32)
        .flat_map(|n| {
            [
                [0, 0],
                [0, 1],
                [0, 2],
                [0, 0x81],
                [0x81, 0],
                [0x82, 0],
                (n as u16).to_be_bytes(),
            ][random.below(7) as usize]
        })
        .collect();
    for pattern in [
        &[0x81u8, 0x7e][..],
        &[0x82, 0x7e, 0x40, 0x00],
        &[0xc1, 0x7e, 0x7f],
        &[0x81, 0xfe, 0x01, 0x00, 0, 0, 0, 0],
        b"\x81\x20",
        &[0x82, 0],
        &[0],
        &[0x8a, 0x80],
        &[0x02, 0x7f, 0, 0, 0, 0, 0, 0, 0x40],
        &nested,
        &masked,
        &words,
    ] {
        let bytes: Vec<_> = pattern.iter().copied().cycle().take(1 << 18).collect();
        for size in [1400, 40] {
            let (mut collected, mut scratch) = (
                Collected::new(Expect {
                    purpose: Purpose::Infer,
                    masked: None,
                    deflate: None,
                }),
                Scratch::default(),
            );
            let (mut searched, mut seen) = (0, 0);
            for end in (size..bytes.len()).step_by(size) {
                collected.push(chunk(&bytes, seen, end));
                seen = end;
                if collected.is_due(false) {
                    searched += collected.buffer.bytes().len();
                    collected.searching(false, &mut scratch).run();
                }
            }
            assert!(collected.cost() <= 256 << 10);
            assert!(searched <= 6 * seen, "{searched} of {seen}");
        }
    }
}

/// Records of Kafka: a length of 32 bits, a number that counts, a topic, zeros. Beside them bytes like two masked headers.
#[test]
fn a_pattern_of_two_frames_is_one_piece_of_evidence() {
    let records: Vec<u8> = (0..40_u32)
        .flat_map(|n| {
            [
                &[0, 0, 0, 30][..],
                &n.to_be_bytes(),
                b"\0\0\0\x01\0\x06events",
                &[0; 14],
            ]
            .concat()
        })
        .collect();
    let mut random = Random(7);
    let mut other = random.bytes(2000);
    for (at, length) in [(1881, 62), (1881 + 68, 63)] {
        other[at..at + 2].copy_from_slice(&[0x82, 0x80 | length]);
    }
    let ends: Vec<_> = (1..=40).map(|n| n * 34 - 2).collect();
    assert_eq!(inferred([&other, &records[2..]], [&[2000], &ends]), None);
}

/// The end of a message of protobuf that carries JSON: a tag that ends in 1, a length, the text.
#[test]
fn a_whole_object_is_no_fragment() {
    let text = br#"{"id":64751,"text":"temperature"}"#;
    let object = |first| [&[first, text.len() as u8][..], text].concat();
    let end = text.len() + 2;
    let evidence = |bytes: &[u8]| {
        let expect = Expect {
            purpose: Purpose::Infer,
            masked: None,
            deflate: None,
        };
        let mut collected = Collected::new(expect);
        collected.push(chunk(bytes, 0, end));
        assert!(collected.gather(true, &mut Scratch::default()));
        collected.evidence[0].bits
    };
    let (message, fragment) = (evidence(&object(0x81)), evidence(&object(0x01)));
    assert!(message >= 50 && fragment <= 40, "{message} {fragment}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_what_is_found_is_there(
        segments in prop::collection::vec(prop::collection::vec(prop_oneof![2 => any::<u8>(), 1 => Just(0x81u8), 1 => Just(0x82), 1 => Just(2), 1 => Just(0)], 1..60), 1..20),
        infer: bool, masked: Option<bool>, deflate: Option<bool>,
    ) {
        let purpose = if infer { Purpose::Infer } else { Purpose::Regain };
        let bytes = segments.concat();
        let ends: Vec<_> = segments.iter().scan(0, |at, segment| { *at += segment.len(); Some(*at) }).collect();
        if let Some(start) = search(Expect { purpose, masked, deflate }, &bytes, &ends) {
            prop_assert!(start < bytes.len());
            prop_assert!(masked.is_none_or(|masked| bytes.get(start + 1).is_none_or(|second| masked == (second & 0x80 != 0))));
        }
    }
}
