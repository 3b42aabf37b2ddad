use proptest::prelude::*;

use super::*;
use crate::base::Violation;
use crate::base::{GapCause, Limits, Timestamp};
use crate::layer::StreamRange;
use crate::layer::ws::Hole;
use crate::layer::ws::mask::unmask;
use crate::layer::ws::{FrameInfo, Message};

/// What a decoder said, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    opcode: Opcode,
    bytes: Vec<u8>,
    holes: Vec<Hole>,
    text: Option<String>,
    frames: u32,
    wire_length: u64,
    complete: bool,
    key: Option<[u8; 4]>,
    close: Option<u16>,
    packets: (u64, u64),
    range: StreamRange,
}

#[derive(Debug, Default)]
struct Listener {
    messages: Vec<Said>,
    frames: Vec<FrameInfo>,
    rules: Vec<&'static str>,
}

impl Output for Listener {
    fn frame(&mut self, _: PacketRef, frame: &FrameInfo) {
        self.frames.push(*frame);
    }

    fn message(&mut self, _: PacketRef, m: &Message<'_>) {
        assert!(m.span.first.packet <= m.span.last.packet && m.range.start < m.range.end);
        self.messages.push(Said {
            opcode: m.opcode,
            bytes: m.payload.bytes.to_vec(),
            holes: m.payload.holes.to_vec(),
            text: m.text.map(str::to_owned),
            frames: m.frames,
            wire_length: m.wire_length,
            complete: m.complete,
            key: m.masking_key,
            close: m.close.map(|c| c.code),
            packets: m.span.packets(),
            range: m.range,
        });
    }

    fn violation(&mut self, _: PacketRef, violation: &Violation) {
        self.rules.push(violation.rule.id());
    }
}

/// A decoder, what it says, and where the stream stands.
struct Bench {
    decoder: Decoder,
    shared: Shared,
    said: Listener,
    offset: u64,
    packet: u64,
}

impl Bench {
    fn new(direction: Direction, inflater: Option<Inflater>) -> Self {
        let limits = Limits {
            message_bytes: 1 << 20,
            inflated_bytes: 1 << 20,
            ..Limits::default()
        };
        Self {
            decoder: Decoder::new(direction, 0, inflater.map(Box::new), false),
            shared: Shared::new(limits, true),
            said: Listener::default(),
            offset: 0,
            packet: 0,
        }
    }

    fn at(&self) -> PacketRef {
        PacketRef {
            packet: self.packet,
            time: Timestamp::from_nanos(self.packet as i64),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> &mut Self {
        self.packet += 1;
        let chunk = Chunk::tcp(self.offset, bytes, self.at(), self.at());
        self.offset += bytes.len() as u64;
        self.decoder.push(chunk, &mut self.shared, &mut self.said);
        self
    }

    fn skip(&mut self, length: u64) -> &mut Self {
        self.packet += 1;
        let gap = Gap {
            offset: self.offset,
            length,
            cause: GapCause::Lost,
        };
        self.offset += length;
        self.decoder.gap(gap, self.at(), &mut self.shared, &mut self.said);
        self
    }

    fn end(&mut self) -> &mut Self {
        self.decoder.end(self.at(), &mut self.shared, &mut self.said);
        self
    }

    fn texts(&self) -> Vec<&str> {
        self.said.messages.iter().filter_map(|m| m.text.as_deref()).collect()
    }
}

fn server() -> Bench {
    Bench::new(Direction::ServerToClient, None)
}

fn client() -> Bench {
    Bench::new(Direction::ClientToServer, None)
}

/// A frame as a sender writes it: first byte, payload, key.
fn frame(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mask = if key.is_some() { 0x80 } else { 0 };
    let mut out = vec![first];
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
    out.extend(key.into_iter().flatten());
    let start = out.len();
    out.extend(payload);
    if let Some(key) = key {
        unmask(&mut out[start..], key, 0);
    }
    out
}

#[test]
fn the_examples_of_rfc_6455_5_7() {
    let mut s = server();
    s.push(&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    s.push(&[0x01, 0x03, 0x48, 0x65, 0x6c]).push(&[0x80, 0x02, 0x6c, 0x6f]);
    assert_eq!(s.texts(), ["Hello", "Hello"]);
    assert_eq!((s.said.messages[1].frames, s.said.messages[1].packets), (2, (2, 3)));
    s.push(&[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    assert_eq!(
        (s.said.messages[2].opcode, s.said.messages[2].bytes.as_slice()),
        (Opcode::Ping, &b"Hello"[..])
    );
    let mut medium = vec![0x82, 0x7e, 0x01, 0x00];
    medium.extend([7; 256]);
    let mut long = vec![0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];
    long.extend([8; 65536]);
    s.push(&medium).push(&long);
    assert_eq!(
        (s.said.messages[3].bytes.len(), s.said.messages[4].bytes.len()),
        (256, 65536)
    );
    assert!(s.said.rules.is_empty());

    let mut c = client();
    c.push(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    c.push(&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    assert_eq!(
        (c.texts(), c.said.messages[0].key),
        (vec!["Hello"], Some([0x37, 0xfa, 0x21, 0x3d]))
    );
    assert_eq!(
        (c.said.messages[1].opcode, c.said.messages[1].bytes.as_slice()),
        (Opcode::Pong, &b"Hello"[..])
    );
    assert!(c.said.rules.is_empty());
}

#[test]
fn the_examples_of_rfc_7692_7_2_3() {
    let examples: [&[&[u8]]; 6] = [
        // §7.2.3.1: one block; in two frames.
        &[&[0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]],
        &[&[0x41, 0x03, 0xf2, 0x48, 0xcd], &[0x80, 0x04, 0xc9, 0xc9, 0x07, 0x00]],
        // §7.2.3.3: a block without compression.
        &[&[
            0xc1, 0x0b, 0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
        ]],
        // §7.2.3.4: a block with BFINAL set.
        &[&[0xc1, 0x08, 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]],
        // §7.2.3.5: two blocks.
        &[&[
            0xc1, 0x0d, 0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
        ]],
        // A message that is not compressed, in between.
        &[&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]],
    ];
    for example in examples {
        let mut s = Bench::new(Direction::ServerToClient, Some(Inflater::new(true, 15)));
        for piece in example {
            s.push(piece);
        }
        assert_eq!(s.texts(), ["Hello"]);
        assert!(s.said.rules.is_empty());
    }
    // §7.2.3.2: the second message refers to the first.
    let mut s = Bench::new(Direction::ServerToClient, Some(Inflater::new(true, 15)));
    s.push(examples[0][0]).push(&[0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00]);
    assert_eq!(s.texts(), ["Hello", "Hello"]);
}

#[test]
fn control_frames_between_fragments() {
    let mut s = server();
    s.push(b"\x01\x03Hel\x89\x01p\x8a\x00\x80\x02lo");
    let kinds: Vec<_> = s.said.messages.iter().map(|m| (m.opcode, m.frames)).collect();
    assert_eq!(kinds, [(Opcode::Ping, 1), (Opcode::Pong, 1), (Opcode::Text, 2)]);
    assert_eq!(s.texts(), ["Hello"]);
    assert_eq!(s.said.frames.len(), 4);
    assert_eq!(s.said.messages[2].range, StreamRange { start: 0, end: 14 });
}

#[test]
fn every_violation_has_its_rule_and_the_message_is_shown() {
    let key = Some([1, 2, 3, 4]);
    /// Frames, the rules that they break, the text that is shown all the same.
    type Case<'a> = (&'a [&'a [u8]], &'a [&'a str], &'a str);
    let cases: [Case<'_>; 19] = [
        (&[b"\x81\x01x"], &["ws.unmasked-client-frame"], "x"),
        (&[&frame(0xa1, b"x", key)], &["ws.reserved-bit"], "x"),
        (&[&frame(0xc1, b"x", key)], &["ws.reserved-bit"], "x"),
        (&[&frame(0x91, b"x", key)], &["ws.reserved-bit"], "x"),
        (&[&frame(0x83, b"x", key)], &["ws.reserved-opcode"], "x"),
        (&[&frame(0x8b, b"x", key)], &["ws.reserved-opcode"], "x"),
        (&[b"\x81\xfe\x00\x01\0\0\0\0x"], &["ws.non-minimal-length"], "x"),
        (
            &[b"\x81\xff\0\0\0\0\0\0\0\x01\0\0\0\0x"],
            &["ws.non-minimal-length"],
            "x",
        ),
        (&[b"\x81\xff\x80\0\0\0\0\0\0\x01\0\0\0\0x"], &["ws.length-top-bit"], "x"),
        (&[&frame(0x80, b"x", key)], &["ws.continuation-without-start"], "x"),
        (
            &[&frame(0x01, b"x", key), &frame(0x81, b"y", key)],
            &["ws.new-message-inside-one"],
            "xy",
        ),
        (
            &[&frame(0x89, &[b'x'; 126], key)],
            &["ws.control-too-long"],
            &"x".repeat(126),
        ),
        (&[&frame(0x09, b"x", key)], &["ws.control-fragmented"], "x"),
        (&[&frame(0x88, b"x", key)], &["ws.close-one-byte"], "x"),
        (&[&frame(0x88, b"\x03\xed", key)], &["ws.close-code"], "\u{3}\u{ed}"),
        (
            &[&frame(0x88, b"\x03\xe8", key), &frame(0x81, b"x", key)],
            &["ws.data-after-close"],
            "\u{3}\u{e8}x",
        ),
        (
            &[&frame(0x88, b"", key), &frame(0x8a, b"x", key), &frame(0x88, b"", key)],
            &[],
            "x",
        ),
        (
            &[
                &frame(0x03, b"x", key),
                &frame(0x89, b"p", key),
                &frame(0x80, b"y", key),
            ],
            &["ws.reserved-opcode"],
            "pxy",
        ),
        (&[&frame(0x81, b"\xff", key)], &["ws.invalid-utf8"], "\u{ff}"),
    ];
    for (frames, rules, shown) in cases {
        for size in [1, 2, 1000] {
            let mut c = client();
            for piece in frames.concat().chunks(size) {
                c.push(piece);
            }
            assert_eq!(c.said.rules, rules, "{frames:?}");
            let bytes: Vec<u8> = c.said.messages.iter().flat_map(|m| m.bytes.clone()).collect();
            assert_eq!(bytes.iter().map(|&b| char::from(b)).collect::<String>(), shown);
        }
    }
    let mut s = server();
    s.push(&frame(0x81, b"x", key));
    assert_eq!(
        (s.said.rules.as_slice(), s.texts()),
        (&["ws.masked-server-frame"][..], vec!["x"])
    );
    let mut s = Bench::new(Direction::ServerToClient, Some(Inflater::new(true, 15)));
    s.push(b"\xc9\x01x\x01\x01x\xc0\x01x");
    assert_eq!(s.said.rules, ["ws.compressed-bit-misplaced"; 2]);
    let mut s = Bench::new(Direction::ServerToClient, Some(Inflater::new(true, 15)));
    s.push(b"\xc1\x02\xff\xff");
    assert_eq!(s.said.rules, ["ws.inflate-failed"]);
    // Compressed bytes are not what was said.
    let shown = &s.said.messages[0];
    assert_eq!((&shown.bytes[..], shown.complete), (&b""[..], false));
}

/// "Hello", and again as a match into the history (RFC 7692 §7.2.3.2): the first was lost with the head before it.
#[test]
fn rfc7692_7_1_1_without_the_beginning_of_the_frames_the_history_is_not_known() {
    let late = |decoder: Decoder| Bench {
        decoder,
        ..Bench::new(Direction::ServerToClient, None)
    };
    let inflater = || Some(Box::new(Inflater::new(true, 15)));
    let (direction, again) = (Direction::ServerToClient, b"\xc1\x05\xf2\x00\x11\x00\x00");
    for decoder in [
        Decoder::unsynced(direction, inflater(), false),
        Decoder::new(direction, 0, inflater(), false).unsync(),
    ] {
        let mut s = late(decoder);
        s.push(again).end();
        assert!(s.said.rules.is_empty(), "{:?}", s.said.rules);
        let shown = &s.said.messages[0];
        let (offset, length) = (1, Some(4));
        assert_eq!(
            (&shown.holes[..], shown.complete),
            (&[Hole { offset, length }][..], false)
        );
        assert_eq!(shown.bytes[0], b'H');
    }
}

#[test]
fn rfc7692_7_2_1_a_message_ends_behind_a_block() {
    let mut s = Bench::new(Direction::ServerToClient, Some(Inflater::new(true, 15)));
    // "Hello" without the end of its block.
    s.push(b"\xc1\x04\xf2\x48\xcd\xc9");
    assert_eq!(s.said.rules, ["ws.deflate-inside-block"]);
    assert!(b"Hello".starts_with(&s.said.messages[0].bytes) && !s.said.messages[0].complete);
}

#[test]
fn the_tail_of_a_fragmented_text_of_a_late_capture_is_known() {
    let mut s = server();
    s.decoder = Decoder::unsynced(
        Direction::ServerToClient,
        Some(Box::new(Inflater::late(true, 15))),
        true,
    );
    s.push(&frame(0x00, b"tail of a long text, part 2 ", None));
    s.push(&frame(0x80, b"and part 3.", None));
    for n in 0..3 {
        s.push(&frame(0x81, format!("{{\"type\":\"ok\",\"n\":{n}}}").as_bytes(), None));
    }
    assert_eq!(s.said.messages.len(), 4);
    let tail = &s.said.messages[0];
    assert_eq!(tail.bytes, b"tail of a long text, part 2 and part 3.");
    assert_eq!(
        (tail.holes[0].offset, tail.holes[0].length, tail.complete),
        (0, None, false)
    );
    assert_eq!(tail.packets, (1, 2));
}

#[test]
fn what_was_kept_is_dropped_when_memory_is_short_and_the_session_goes_on() {
    let mut s = Bench::new(Direction::ServerToClient, Some(Inflater::new(true, 15)));
    assert_eq!(s.decoder.cost(), 0);
    s.push(&frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00", None));
    s.push(&frame(0x01, &[b'a'; 5000], None));
    assert!(s.decoder.cost() > 5000);
    assert_eq!(s.decoder.shed(&mut s.shared), None);
    assert_eq!(s.shared.evicted_histories(), 1);
    assert!(s.decoder.cost() < 1000, "{}", s.decoder.cost());
    s.push(&frame(0x80, b"bcd", None)).push(&frame(0x81, b"next", None));
    let broken = &s.said.messages[1];
    assert_eq!(
        (broken.complete, broken.bytes.len(), broken.wire_length),
        (false, 0, 5003)
    );
    assert_eq!(s.texts(), ["Hello", "next"]);
    // What the next compressed message refers to is unknown.
    s.push(&frame(0xc1, b"\xf2\x00\x11\x00\x00", None));
    assert!(!s.said.messages[3].complete);
    let mut s = server();
    s.decoder = Decoder::unsynced(Direction::ServerToClient, None, true);
    s.push(&[0x55; 3000]);
    let gap = s.decoder.shed(&mut s.shared).unwrap();
    assert_eq!((gap.offset, gap.length, gap.cause), (0, 3000, GapCause::Evicted));
    assert_eq!(s.decoder.cost(), 0);
}

#[test]
fn what_an_unknown_extension_does_is_no_violation() {
    let mut s = server();
    s.decoder = Decoder::new(Direction::ServerToClient, 0, None, false).extended(true);
    s.push(b"\xf1\x01\xff\xb9\x00\x83\x00");
    assert_eq!(
        (s.said.rules.as_slice(), s.said.messages.len()),
        (&["ws.reserved-opcode"][..], 3)
    );
}

#[test]
fn utf8_over_fragment_borders() {
    let mut s = server();
    s.push(b"\x01\x01\xe7\x00\x01\x8c\x80\x01\xaa");
    assert_eq!((s.texts(), s.said.rules.len()), (vec!["猪"], 0));
}

#[test]
fn a_gap_inside_a_payload_is_a_hole_and_the_next_frame_is_in_step() {
    let hello = frame(0x81, b"0123456789", Some([9, 8, 7, 6]));
    let next = frame(0x81, b"next", Some([1, 1, 1, 1]));
    for (from, to) in [(6, 9), (8, 12), (9, 16), (15, 16), (6, 16)] {
        let mut c = client();
        c.push(&hello[..from])
            .skip((to - from) as u64)
            .push(&hello[to..])
            .push(&next);
        let first = &c.said.messages[0];
        assert!(!first.complete && first.wire_length == 10);
        let hole = Hole {
            offset: from as u64 - 6,
            length: Some((to - from) as u64),
        };
        assert_eq!(first.holes, [hole]);
        let known: Vec<u8> = (0..first.bytes.len())
            .filter(|i| *i < from - 6 || *i >= to - 6)
            .map(|i| first.bytes[i])
            .collect();
        assert_eq!(known, [&b"0123456789"[..from - 6], &b"0123456789"[to - 6..]].concat());
        assert_eq!(c.texts(), ["next"]);
        assert!(c.said.rules.is_empty());
    }
}

#[test]
fn what_breaks_off_is_told_as_far_as_it_came() {
    let mut s = server();
    s.push(b"\x81\x0aHello").end();
    let holes = [Hole {
        offset: 5,
        length: Some(5),
    }];
    assert_eq!(
        (s.said.messages[0].holes.as_slice(), s.said.messages[0].wire_length),
        (&holes[..], 10)
    );
    let mut s = server();
    s.push(b"\x01\x05Hello").end();
    let holes = [Hole {
        offset: 5,
        length: None,
    }];
    assert_eq!(
        (s.said.messages[0].holes.as_slice(), s.said.messages[0].complete),
        (&holes[..], false)
    );
}

#[test]
fn a_message_beyond_the_bound_is_kept_to_the_bound() {
    let mut s = server();
    let huge = vec![b'x'; (1 << 20) + 5];
    for piece in frame(0x81, &huge, None).chunks(1460) {
        s.push(piece);
    }
    s.push(&frame(0x81, b"next", None));
    let hole = Hole {
        offset: 1 << 20,
        length: Some(5),
    };
    assert_eq!(
        (s.said.messages[0].holes.as_slice(), s.said.messages[0].bytes.len()),
        (&[hole][..], 1 << 20)
    );
    assert_eq!(s.texts(), ["next"]);
}

#[test]
fn a_bomb_is_cut_at_the_bound() {
    use flate2::{Compress, Compression, FlushCompress};
    let mut compress = Compress::new(Compression::best(), false);
    let mut payload = Vec::with_capacity(1 << 20);
    compress
        .compress_vec(&vec![0; 64 << 20], &mut payload, FlushCompress::Sync)
        .unwrap();
    let mut s = Bench::new(Direction::ServerToClient, Some(Inflater::new(true, 15)));
    s.push(&frame(0xc2, &payload, None));
    let message = &s.said.messages[0];
    assert!(!message.complete && message.bytes.len() <= 1 << 20);
}

#[test]
fn an_idle_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 64, "{}", size_of::<Decoder>());
}

/// A message's frames: whole, or in fragments with control frames between.
fn message() -> impl Strategy<Value = (Vec<u8>, Vec<Vec<u8>>)> {
    let payload = prop_oneof![
        ".{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..300),
    ];
    (
        payload,
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        any::<bool>(),
        prop::option::of(any::<[u8; 4]>()),
    )
        .prop_map(|(payload, cuts, ping, key)| {
            let mut cuts: Vec<usize> = cuts.iter().map(|c| c.index(payload.len() + 1)).collect();
            cuts.extend([0, payload.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &payload[w[0]..w[1]]).collect();
            let mut frames = Vec::new();
            for (i, piece) in pieces.iter().enumerate() {
                let opcode = if i == 0 { 2 } else { 0 };
                let fin = if i + 1 == pieces.len() { 0x80 } else { 0 };
                frames.push(frame(fin | opcode, piece, key));
                if ping {
                    frames.push(frame(0x89, b"between", key));
                }
            }
            (payload, frames)
        })
}

proptest! {
    #[test]
    fn any_segmentation_gives_the_same_messages(
        messages in prop::collection::vec(message(), 1..6),
        sizes in prop::collection::vec(1usize..200, 1..20),
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(|(_, frames)| frames.concat()).collect();
        let mut whole = client();
        whole.push(&stream);
        let data: Vec<Vec<u8>> =
            whole.said.messages.iter().filter(|m| m.opcode == Opcode::Binary).map(|m| m.bytes.clone()).collect();
        prop_assert_eq!(data, messages.iter().map(|(p, _)| p.clone()).collect::<Vec<_>>());
        let mut pieces = client();
        let mut rest = &stream[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        let strip = |said: &[Said]| said.iter().cloned().map(|m| Said { packets: (0, 0), ..m }).collect::<Vec<_>>();
        prop_assert_eq!(strip(&whole.said.messages), strip(&pieces.said.messages));
        prop_assert_eq!(whole.said.rules, pieces.said.rules);
    }

    #[test]
    fn arbitrary_bytes_and_gaps_never_panic_or_exceed_bounds(
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..60), prop::option::of(1u64..1 << 40)), 0..30),
        deflate: bool,
    ) {
        let mut s = Bench::new(Direction::ClientToServer, deflate.then(|| Inflater::new(true, 15)));
        for (bytes, gap) in &pieces {
            s.push(bytes);
            if let Some(gap) = gap {
                s.skip(*gap);
            }
        }
        s.end();
        for message in &s.said.messages {
            prop_assert!(message.bytes.len() <= 1 << 20);
            let mut at = 0;
            for (i, hole) in message.holes.iter().enumerate() {
                prop_assert!(hole.offset >= at);
                let last = i + 1 == message.holes.len();
                match hole.length {
                    Some(length) if !last => prop_assert!(hole.offset + length <= message.bytes.len() as u64),
                    Some(length) => prop_assert!(hole.offset <= message.bytes.len() as u64 || length > 0),
                    None => prop_assert!(hole.offset == 0 || last),
                }
                at = hole.offset + hole.length.unwrap_or(0);
            }
        }
    }
}

#[test]
fn a_gap_of_unknown_length_ends_the_frame_however_long_that_is() {
    for length in [5_u64, Gap::UNKNOWN, 2 * Gap::UNKNOWN] {
        let mut bench = Bench::new(Direction::ServerToClient, None);
        let header = [&[0x82, 127][..], &(length + 2).to_be_bytes(), b"ab"].concat();
        bench.push(&header).skip(Gap::UNKNOWN);
        assert!(bench.decoder.is_unsynced());
        let [message] = &bench.said.messages[..] else { panic!() };
        assert!(!message.complete && message.bytes == b"ab");
        assert_eq!(
            (message.wire_length, message.holes[0].length),
            (length + 2, Some(length))
        );
    }
}
