//! What recovery after loss is worth: segments are dropped from conversations whose truth is known, and what is read of the rest is counted.
//!
//! Messages and bytes *known* are those that were told and are right; *false* ones were told and are not what was sent. `make soak` runs
//! the long version, which prints the table.

#[path = "support/random.rs"]
#[allow(dead_code, unreachable_pub)]
mod random;

use std::collections::HashMap;

use flate2::{Compress, Compression, FlushCompress};
use random::Random;
use wschat_sniff::base::{Direction, Gap, GapCause, Limits, PacketRef, Timestamp, Violation};
use wschat_sniff::layer::Chunk;
use wschat_sniff::layer::ws::inflate::Inflater;
use wschat_sniff::layer::ws::{Decoder, Output, Shared};
use wschat_sniff::record::{FrameInfo, Message};

/// What is said.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Content {
    Json,
    GraphQl,
    Binary,
}

/// How it is compressed (RFC 7692 §7.1).
#[derive(Debug, Clone, Copy, PartialEq)]
enum Deflate {
    Off,
    NoTakeover,
    Takeover(u8),
}

/// How segments are lost.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Percent(usize),
    /// One of so many segments begins a burst of up to eight.
    Burst(usize),
}

const WORDS: [&str; 24] = [
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
    "\\\"quoted\\\"",
    "maybe",
    "never",
    "😀",
    "quick",
    "dogs",
];
const NAMES: [&str; 6] = ["anna", "Björn", "小明", "dave", "Eve", "ひろ"];

fn words(random: &mut Random) -> String {
    let count = 1 + random.below(12);
    (0..count).map(|_| *random.pick(&WORDS)).collect::<Vec<_>>().join(" ")
}

fn json(random: &mut Random, n: usize) -> Vec<u8> {
    let (content, name, uid) = (words(random), random.pick(&NAMES), 100 + random.below(20));
    let time = format!("2014-05-01 17:{:02}:{:02}", n / 7 % 60, random.below(60));
    match random.below(12) {
        0 => format!(r#"{{"type":"login","uid":{uid},"name":"{name}","time":"{time}"}}"#),
        1 => r#"{"type":"ping"}"#.into(),
        2 => {
            let users: Vec<_> = (0..random.below(60))
                .map(|u| format!(r#"{{"uid":{u},"name":"{}"}}"#, random.pick(&NAMES)))
                .collect();
            format!(r#"{{"type":"users","list":[{}]}}"#, users.join(","))
        }
        _ => format!(r#"{{"type":"say","from_uid":{uid},"to_uid":"all","content":"{content}","time":"{time}"}}"#),
    }
    .into()
}

fn graphql(random: &mut Random, n: usize) -> Vec<u8> {
    let id = random.below(4);
    match random.below(10) {
        0 => format!(
            "{{\"id\":\"{n}\",\"type\":\"subscribe\",\"payload\":{{\"query\":\"subscription OnComment($post: ID!) {{ commentAdded(post: $post) {{ id content author {{ name }} }} }}\",\"variables\":{{\"post\":\"{id}\"}}}}}}"
        ),
        1 => format!(r#"{{"id":"{n}","type":"complete"}}"#),
        _ => format!(
            r#"{{"id":"{id}","type":"next","payload":{{"data":{{"commentAdded":{{"id":"{:08x}","content":"{}","author":{{"name":"{}"}},"score":{}}}}}}}}}"#,
            random.any() as u32,
            words(random),
            random.pick(&NAMES),
            random.below(1000)
        ),
    }
    .into()
}

/// Records as telemetry sends them: some fields that hardly change, some that do.
fn binary(random: &mut Random, n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in 0..1 + random.below(20) {
        bytes.extend((n as u32 * 50 + record as u32).to_be_bytes());
        bytes.extend([0x0a, 0x10, random.below(6) as u8, 0, 0, 0]);
        bytes.extend((random.below(4000) as u16).to_le_bytes());
        bytes.extend((20.0 + random.below(100) as f32 / 10.0).to_le_bytes());
    }
    bytes
}

/// One direction of a conversation.
struct Said {
    /// Each message's bytes by where its first frame begins.
    messages: HashMap<u64, Vec<u8>>,
    /// Where frames begin that continue one: that message's start.
    continuations: HashMap<u64, u64>,
    segments: Vec<Vec<u8>>,
}

fn compress(sender: &mut Compress, text: &[u8], takeover: bool) -> Vec<u8> {
    let mut payload = Vec::with_capacity(text.len() + 200);
    sender.compress_vec(text, &mut payload, FlushCompress::Sync).unwrap();
    assert!(payload.ends_with(&[0, 0, 0xff, 0xff]) && payload.len() < payload.capacity());
    payload.truncate(payload.len() - 4);
    if !takeover {
        sender.reset();
    }
    payload
}

fn frame(stream: &mut Vec<u8>, first: u8, payload: &[u8], key: Option<[u8; 4]>) {
    stream.push(first);
    let mask = if key.is_some() { 0x80 } else { 0 };
    match payload.len() {
        length @ 0..126 => stream.push(mask | length as u8),
        length => {
            stream.push(mask | 126);
            stream.extend((length as u16).to_be_bytes());
        }
    }
    stream.extend(key.iter().flatten());
    let key = key.unwrap_or_default();
    stream.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]));
}

fn converse(random: &mut Random, content: Content, deflate: Deflate, masked: bool, count: usize) -> Said {
    let bits = if let Deflate::Takeover(bits) = deflate {
        bits
    } else {
        15
    };
    let mut sender = Compress::new_with_window_bits(Compression::new(6), false, bits);
    let (mut stream, mut ends) = (Vec::new(), Vec::new());
    let (mut messages, mut continuations) = (HashMap::new(), HashMap::new());
    for n in 0..count {
        let key = |random: &mut Random| masked.then(|| (random.any() as u32).to_be_bytes());
        let start = stream.len() as u64;
        if random.once_in(25) {
            frame(&mut stream, 0x89, b"", key(random));
            messages.insert(start, Vec::new());
            ends.push(stream.len());
            continue;
        }
        let text = match content {
            Content::Json => json(random, n),
            Content::GraphQl => graphql(random, n),
            Content::Binary => binary(random, n),
        };
        let opcode = if content == Content::Binary { 2 } else { 1 };
        let (rsv1, payload) = match deflate {
            Deflate::Off => (0, text.clone()),
            Deflate::NoTakeover => (0x40, compress(&mut sender, &text, false)),
            Deflate::Takeover(_) => (0x40, compress(&mut sender, &text, true)),
        };
        messages.insert(start, text);
        if random.once_in(20) && payload.len() > 1 {
            let (head, tail) = payload.split_at(payload.len() / 2);
            frame(&mut stream, rsv1 | opcode, head, key(random));
            if random.once_in(2) {
                ends.push(stream.len());
            }
            continuations.insert(stream.len() as u64, start);
            frame(&mut stream, 0x80, tail, key(random));
        } else {
            frame(&mut stream, 0x80 | rsv1 | opcode, &payload, key(random));
        }
        // Most messages are segments of their own, some share one.
        if !random.once_in(4) {
            ends.push(stream.len());
        }
    }
    ends.push(stream.len());
    let mut from = 0;
    let mut segments = Vec::new();
    for end in ends {
        segments.extend(stream[from..end].chunks(1400).map(<[u8]>::to_vec));
        from = end;
    }
    Said {
        messages,
        continuations,
        segments,
    }
}

/// What was told of it.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    messages: usize,
    known: usize,
    bytes: usize,
    known_bytes: usize,
    false_messages: usize,
    false_bytes: usize,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.messages += other.messages;
        self.known += other.known;
        self.bytes += other.bytes;
        self.known_bytes += other.known_bytes;
        self.false_messages += other.false_messages;
        self.false_bytes += other.false_bytes;
    }

    fn messages_percent(&self) -> f64 {
        100.0 * self.known as f64 / self.messages as f64
    }

    fn bytes_percent(&self) -> f64 {
        100.0 * self.known_bytes as f64 / self.bytes as f64
    }
}

struct Judge<'a> {
    said: &'a Said,
    tally: Tally,
}

impl Output for Judge<'_> {
    fn frame(&mut self, _: PacketRef, _: &FrameInfo) {}

    fn message(&mut self, _: PacketRef, message: &Message<'_>) {
        let start = message.range.start;
        let headless = message
            .payload
            .holes
            .first()
            .is_some_and(|hole| hole.offset == 0 && hole.length.is_none());
        let truth = self.said.messages.get(&start).or_else(|| {
            let start = self.said.continuations.get(&start).filter(|_| headless)?;
            self.said.messages.get(start)
        });
        let Some(truth) = truth else {
            self.tally.false_messages += 1;
            return;
        };
        let payload = message.payload;
        // Behind a lost beginning, offsets count from the end of what is there.
        let skip = if headless {
            truth.len().saturating_sub(payload.bytes.len())
        } else {
            0
        };
        let hidden = |at: usize| {
            payload.holes.iter().any(|hole| match hole.length {
                Some(length) => (hole.offset..hole.offset + length).contains(&(at as u64)),
                None => hole.offset > 0 && at as u64 >= hole.offset,
            })
        };
        for (at, byte) in payload.bytes.iter().enumerate() {
            match truth.get(skip + at) {
                _ if hidden(at) => {}
                Some(right) if right == byte => self.tally.known_bytes += 1,
                _ => self.tally.false_bytes += 1,
            }
        }
        if message.complete {
            let right = truth == payload.bytes;
            self.tally.known += usize::from(right);
            self.tally.false_messages += usize::from(!right);
        }
    }

    fn violation(&mut self, _: PacketRef, _: &Violation) {}
}

fn run(seed: u64, content: Content, deflate: Deflate, loss: Loss, count: usize) -> Tally {
    let mut random = Random::new(seed);
    let masked = random.once_in(2);
    let said = converse(&mut random, content, deflate, masked, count);
    let mut shared = Shared::new(Limits::default(), false);
    let inflater = match deflate {
        Deflate::Off => None,
        Deflate::NoTakeover => Some(Box::new(Inflater::new(false, 15))),
        Deflate::Takeover(bits) => Some(Box::new(Inflater::new(true, bits))),
    };
    let direction = if masked {
        Direction::ClientToServer
    } else {
        Direction::ServerToClient
    };
    let mut decoder = Decoder::new(direction, 0, inflater, false);
    let mut judge = Judge {
        said: &said,
        tally: Tally::default(),
    };
    judge.tally.messages = said.messages.len();
    judge.tally.bytes = said.messages.values().map(Vec::len).sum();
    let (mut offset, mut burst, mut missing) = (0, 0, 0);
    let at = |packet| PacketRef {
        packet,
        time: Timestamp::from_nanos(0),
    };
    for (packet, segment) in said.segments.iter().enumerate() {
        let at = at(packet as u64 + 1);
        let lost = match loss {
            Loss::Percent(percent) => random.below(100) < percent,
            Loss::Burst(every) => {
                if burst == 0 && random.once_in(every) {
                    burst = 2 + random.below(7);
                }
                burst > 0
            }
        };
        burst = usize::saturating_sub(burst, 1);
        // The first ones arrive: that the conversation is one is not what is measured here.
        if lost && packet >= 5 {
            missing += segment.len() as u64;
            continue;
        }
        if missing > 0 {
            let gap = Gap {
                offset,
                length: missing,
                cause: GapCause::Lost,
            };
            decoder.gap(gap, at, &mut shared, &mut judge);
            offset += std::mem::take(&mut missing);
        }
        decoder.push(Chunk::tcp(offset, segment, at, at), &mut shared, &mut judge);
        offset += segment.len() as u64;
    }
    decoder.end(at(said.segments.len() as u64), &mut shared, &mut judge);
    judge.tally
}

const CONTENTS: [Content; 3] = [Content::Json, Content::GraphQl, Content::Binary];
const DEFLATES: [Deflate; 4] = [
    Deflate::Off,
    Deflate::NoTakeover,
    Deflate::Takeover(10),
    Deflate::Takeover(15),
];
const LOSSES: [Loss; 3] = [Loss::Percent(1), Loss::Percent(5), Loss::Burst(100)];

fn measure(sessions: u64, count: usize) -> Tally {
    let mut all = Tally::default();
    for content in CONTENTS {
        for deflate in DEFLATES {
            for loss in LOSSES {
                let mut tally = Tally::default();
                for seed in 0..sessions {
                    tally.add(&run(seed, content, deflate, loss, count));
                }
                println!(
                    "{:<8} {:<13} {:<11} messages {:5.1} %, bytes {:5.1} %, false {} messages {} bytes",
                    format!("{content:?}"),
                    format!("{deflate:?}"),
                    format!("{loss:?}"),
                    tally.messages_percent(),
                    tally.bytes_percent(),
                    tally.false_messages,
                    tally.false_bytes,
                );
                all.add(&tally);
            }
        }
    }
    println!(
        "all: messages {:.2} %, bytes {:.2} %, {all:?}",
        all.messages_percent(),
        all.bytes_percent()
    );
    all
}

#[test]
fn most_is_read_after_a_loss_and_nothing_false() {
    let all = measure(2, 200);
    assert_eq!((all.false_messages, all.false_bytes), (0, 0));
    assert!(all.messages_percent() > 0.0 && all.bytes_percent() > 0.0, "{all:?}");
}

#[test]
#[ignore = "long: make soak"]
fn soak_recovery_table() {
    let all = measure(24, 600);
    assert_eq!((all.false_messages, all.false_bytes), (0, 0));
}
