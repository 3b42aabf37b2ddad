//! Connections made by hand, honest and hostile ones.

use super::frame::{self, PREFACE};
use super::*;
use crate::base::{Gap, GapCause, PacketRef, Side};
use crate::layer::Chunk;

const CLIENT: Side = Side::A;
const SERVER: Side = Side::B;

/// What was told, one line an event, and how many bytes the fields of the last request take.
#[derive(Default)]
struct Told(Vec<String>, usize);

impl Output for Told {
    fn event(&mut self, _: PacketRef, event: Event<'_>) {
        self.0.push(match event {
            Event::Request { stream, request, .. } => {
                let headers = request.headers.iter();
                self.1 = headers.map(|(name, value)| name.len() + value.len()).sum();
                format!("{stream} asks {}", request.target)
            }
            Event::Agreed { stream, response, .. } => format!("{stream} agreed {}", response.status),
            Event::Refused {
                stream,
                response,
                body,
                body_length,
                ..
            } => {
                let body = String::from_utf8_lossy(body);
                format!("{stream} refused {} {body} {body_length}", response.status)
            }
            Event::Unanswered { stream, .. } => format!("{stream} unanswered"),
            Event::Unknown { stream, .. } => format!("{stream} unknown"),
            Event::Data { stream, side, chunk } => {
                format!(
                    "{stream} {side:?} {} {}",
                    chunk.offset,
                    String::from_utf8_lossy(chunk.bytes)
                )
            }
            Event::Gap { stream, gap, exact, .. } => format!("{stream} gap {} {} {exact}", gap.offset, gap.length),
            Event::End { stream, side, end } => format!("{stream} {side:?} {end:?}"),
            Event::Frame { .. } => return,
            Event::Violation { violation, .. } => violation.rule.id().to_owned(),
        });
    }
}

struct Wire {
    connection: Connection,
    told: Told,
    offsets: [u64; 2],
}

fn at() -> PacketRef {
    PacketRef {
        packet: 1,
        time: Default::default(),
    }
}

impl Wire {
    /// Both prefaces have come; the server allows extended CONNECT, or not.
    fn new(allows: bool) -> Self {
        let mut wire = Self {
            connection: Connection::new(CLIENT, Bounds::default(), false),
            told: Told::default(),
            offsets: [0; 2],
        };
        wire.send(CLIENT, PREFACE);
        wire.send(CLIENT, &framed(frame::SETTINGS, 0, 0, b""));
        let setting: &[u8] = if allows {
            &[0, 8, 0, 0, 0, 1]
        } else {
            &[0, 3, 0, 0, 0, 100]
        };
        wire.send(SERVER, &framed(frame::SETTINGS, 0, 0, setting));
        wire
    }

    fn send(&mut self, side: Side, bytes: &[u8]) {
        let offset = self.offsets[side.index()];
        self.offsets[side.index()] += bytes.len() as u64;
        self.connection
            .data(side, Chunk::tcp(offset, bytes, at(), at()), &mut self.told);
    }

    fn lose(&mut self, side: Side, length: u64) {
        let offset = self.offsets[side.index()];
        self.offsets[side.index()] += length;
        let cause = GapCause::Lost;
        self.connection
            .gap(side, Gap { offset, length, cause }, at(), &mut self.told);
    }

    fn open(&mut self, stream: u32) {
        self.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, stream, &request()));
        self.send(SERVER, &framed(frame::HEADERS, frame::END_HEADERS, stream, &[0x88]));
    }

    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told.0)
    }
}

pub(super) fn framed(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn literal(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0);
    for text in [name, value] {
        block.push(text.len() as u8);
        block.extend(text.as_bytes());
    }
}

/// RFC 8441 §5.1.
pub(super) fn request() -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "server.example.com"),
        ("sec-websocket-version", "13"),
    ] {
        literal(&mut block, name, value);
    }
    block
}

#[test]
fn rfc8441_5_1_the_example_with_padding_priority_and_continuation() {
    let mut wire = Wire::new(true);
    let request = request();
    let (first, rest) = request.split_at(30);
    let first = [&[3, 0, 0, 0, 0, 16][..], first, &[0; 3]].concat();
    let flags = frame::PADDED | frame::HAS_PRIORITY;
    let mut bytes = framed(frame::HEADERS, flags, 1, &first);
    bytes.extend(framed(frame::CONTINUATION, frame::END_HEADERS, 1, rest));
    // Byte by byte.
    bytes.iter().for_each(|byte| wire.send(CLIENT, &[*byte]));
    wire.send(SERVER, &framed(frame::HEADERS, frame::END_HEADERS, 1, &[0x88]));
    wire.send(CLIENT, &framed(frame::DATA, frame::PADDED, 1, b"\x02ping\0\0"));
    wire.send(SERVER, &framed(frame::DATA, frame::END_STREAM, 1, b"pong"));
    wire.send(CLIENT, &framed(frame::DATA, frame::END_STREAM, 1, b""));
    assert_eq!(
        wire.told(),
        [
            "1 asks /chat",
            "1 agreed 200",
            "1 A 0 ping",
            "1 B 0 pong",
            "1 B EndStream",
            "1 A EndStream"
        ]
    );
    assert!(wire.connection.streams.numbers(0).is_empty());
}

#[test]
fn a_refusal_with_its_body_and_ordinary_requests_beside_it() {
    let mut wire = Wire::new(true);
    wire.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, 1, &request()));
    // GET / and its response.
    let get = frame::END_HEADERS | frame::END_STREAM;
    wire.send(CLIENT, &framed(frame::HEADERS, get, 3, &[0x82, 0x84, 0x87]));
    wire.send(SERVER, &framed(frame::HEADERS, frame::END_HEADERS, 3, &[0x88]));
    wire.send(SERVER, &framed(frame::DATA, frame::END_STREAM, 3, b"page"));
    // 404.
    wire.send(SERVER, &framed(frame::HEADERS, frame::END_HEADERS, 1, &[0x8d]));
    wire.send(SERVER, &framed(frame::DATA, 0, 1, b"no "));
    wire.send(SERVER, &framed(frame::DATA, frame::END_STREAM, 1, b"chat"));
    assert_eq!(wire.told(), ["1 asks /chat", "1 refused 404 no chat 7"]);
}

#[test]
fn rst_stream_and_goaway_end_streams_with_their_codes() {
    let mut wire = Wire::new(true);
    for stream in [1, 3, 5] {
        wire.open(stream);
    }
    wire.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, 7, &request()));
    wire.told();
    wire.send(SERVER, &framed(frame::RST_STREAM, 0, 1, &[0, 0, 0, 8]));
    wire.send(SERVER, &framed(frame::GOAWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 2, b'x']));
    wire.send(SERVER, &framed(frame::DATA, 0, 3, b"goes on"));
    assert_eq!(
        wire.told(),
        [
            "1 B Reset(Some(8))",
            "5 B GoAway(2)",
            "7 unanswered",
            "7 B GoAway(2)",
            "3 B 0 goes on"
        ]
    );
    assert_eq!(wire.connection.gone_away(), Some((SERVER, 2)));
}

#[test]
fn a_hole_in_a_payload_is_stepped_over_and_lost_frames_are_looked_behind() {
    let mut wire = Wire::new(true);
    wire.open(1);
    wire.open(3);
    wire.told();
    let data = framed(frame::DATA, 0, 1, b"0123456789");
    wire.send(CLIENT, &data[..12]);
    wire.lose(CLIENT, 4);
    wire.send(CLIENT, &data[16..]);
    assert_eq!(wire.told(), ["1 A 0 012", "1 gap 3 4 true", "1 A 7 789"]);
    // The rest of a frame, and a whole one.
    wire.send(CLIENT, &data[..14]);
    wire.lose(CLIENT, 5 + 19);
    wire.send(CLIENT, &framed(frame::DATA, 0, 3, b"back"));
    assert_eq!(
        wire.told(),
        [
            "1 A 10 01234",
            "1 gap 15 5 true",
            "1 gap 20 10 false",
            "3 gap 0 10 false",
            "3 A 10 back"
        ]
    );
    // Too little for a frame of another stream.
    wire.send(CLIENT, &data[..14]);
    wire.lose(CLIENT, 5 + 9);
    wire.send(CLIENT, &[b"rest", &framed(frame::DATA, 0, 1, b"back")[..]].concat());
    assert_eq!(wire.told(), ["1 A 30 01234", "1 gap 35 5 true", "1 A 40 back"]);
}

#[test]
fn rfc8441_3_an_extended_connect_that_the_server_does_not_allow_is_read_and_is_a_violation() {
    let mut wire = Wire::new(false);
    assert_eq!(wire.connection.allows_websocket(), Some(false));
    wire.open(1);
    assert_eq!(wire.told(), ["1 asks /chat", "http.handshake-request", "1 agreed 200"]);
    // It may allow it later.
    wire.send(SERVER, &framed(frame::SETTINGS, 0, 0, &[0, 8, 0, 0, 0, 1]));
    wire.open(3);
    assert_eq!(wire.told(), ["3 asks /chat", "3 agreed 200"]);
}

#[test]
fn what_ended_before_the_stream_was_known_is_told_once_it_is() {
    let end = frame::END_HEADERS | frame::END_STREAM;
    let response = |wire: &mut Wire, flags| wire.send(SERVER, &framed(frame::HEADERS, flags, 1, &[0x88]));
    // The client has ended it behind the request that is lost.
    let mut wire = Wire::new(true);
    wire.lose(CLIENT, 60);
    response(&mut wire, frame::END_HEADERS);
    wire.send(CLIENT, &framed(frame::PING, 0, 0, &[0; 8]));
    wire.send(CLIENT, &framed(frame::DATA, frame::END_STREAM, 1, b""));
    assert_eq!(wire.told(), [""; 0]);
    wire.send(SERVER, &framed(frame::DATA, 0, 1, b"late"));
    wire.send(SERVER, &framed(frame::DATA, frame::END_STREAM, 1, b"r"));
    let ends = ["1 unknown", "1 A EndStream", "1 B 0 late", "1 B 4 r", "1 B EndStream"];
    assert_eq!(wire.told(), ends);

    // The response has overtaken the request, and ended the stream with it.
    let mut wire = Wire::new(true);
    wire.lose(CLIENT, 60);
    response(&mut wire, end);
    wire.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, 1, &request()));
    wire.send(CLIENT, &framed(frame::DATA, frame::END_STREAM, 1, b"x"));
    let ends = [
        "1 asks /chat",
        "1 agreed 200",
        "1 B EndStream",
        "1 A 0 x",
        "1 A EndStream",
    ];
    assert_eq!(wire.told(), ends);
    assert!(wire.connection.streams.numbers(0).is_empty());

    // Once is enough: what was asked for has ended before it turns out that nobody knows the answer.
    let mut wire = Wire::new(true);
    wire.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, 1, &request()));
    wire.lose(SERVER, 60);
    wire.send(SERVER, &framed(frame::PING, 0, 0, &[0; 8]));
    wire.send(SERVER, &framed(frame::DATA, frame::END_STREAM, 1, b""));
    wire.send(CLIENT, &framed(frame::DATA, 0, 1, b"x"));
    let ends = [
        "1 asks /chat",
        "1 gap 0 51 false",
        "1 B EndStream",
        "1 unknown",
        "1 A 0 x",
    ];
    assert_eq!(wire.told(), ends);
}

#[test]
fn what_was_lost_before_the_stream_was_known_is_told_once_it_is() {
    let mut agreement = vec![0x88];
    literal(&mut agreement, "sec-websocket-extensions", "permessage-deflate");
    let response = framed(frame::HEADERS, frame::END_HEADERS, 1, &agreement);
    // The request is lost, and so may be what followed the response.
    let mut wire = Wire::new(true);
    wire.lose(CLIENT, 60);
    wire.send(SERVER, &response);
    wire.lose(SERVER, 40);
    wire.send(SERVER, &framed(frame::PING, 0, 0, &[0; 8]));
    assert_eq!(wire.told(), [""; 0]);
    wire.send(SERVER, &framed(frame::DATA, 0, 1, b"later"));
    assert_eq!(wire.told(), ["1 agreed 200", "1 gap 0 31 false", "1 B 31 later"]);

    // The response has overtaken the request.
    let mut wire = Wire::new(true);
    wire.lose(CLIENT, 60);
    wire.send(SERVER, &response);
    wire.lose(SERVER, 40);
    wire.send(SERVER, &framed(frame::PING, 0, 0, &[0; 8]));
    wire.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, 1, &request()));
    assert_eq!(wire.told(), ["1 asks /chat", "1 agreed 200", "1 gap 0 31 false"]);
}

#[test]
fn begun_late_data_of_unknown_streams_is_told_as_such() {
    let mut wire = Wire::new(true);
    wire.connection = Connection::late(Bounds::default(), false);
    wire.send(CLIENT, b"the rest of a frame");
    wire.send(CLIENT, &framed(frame::DATA, 0, 5, b"what is it"));
    // GET / is known for what it is.
    let get = frame::END_HEADERS | frame::END_STREAM;
    wire.send(CLIENT, &framed(frame::HEADERS, get, 7, &[0x82, 0x84, 0x87]));
    wire.send(SERVER, &framed(frame::DATA, frame::END_STREAM, 7, b"page"));
    wire.connection.is_ordinary(5);
    wire.send(CLIENT, &framed(frame::DATA, 0, 5, b"nothing"));
    assert_eq!(wire.told(), ["5 unknown", "5 A 0 what is it"]);
    assert_eq!(wire.connection.client(), Some(CLIENT));
}

/// Sends `bytes` so often, and says how much memory that took at most.
fn flood(wire: &mut Wire, side: Side, times: u32, mut bytes: impl FnMut(u32) -> Vec<u8>) -> u64 {
    let measured = allocation_counter::measure(|| (0..times).for_each(|n| wire.send(side, &bytes(n))));
    measured.bytes_max
}

#[test]
fn a_flood_of_continuation_takes_no_memory_and_is_told() {
    let mut wire = Wire::new(true);
    let mut block = Vec::new();
    literal(&mut block, "x", &"y".repeat(120));
    wire.send(CLIENT, &framed(frame::HEADERS, 0, 1, &block));
    let continuation = framed(frame::CONTINUATION, 0, 1, &block);
    let memory = flood(&mut wire, CLIENT, 20_000, |_| continuation.clone());
    assert!(memory < 200 << 10, "{memory}");
    assert_eq!(wire.told(), ["http2.field-block-too-long"; 2]);
    // A single field that never ends.
    let mut wire = Wire::new(true);
    wire.send(
        CLIENT,
        &framed(frame::HEADERS, 0, 1, &[0, 0x7f, 0xff, 0xff, 0xff, 0x3f]),
    );
    let memory = flood(&mut wire, CLIENT, 20_000, |_| {
        framed(frame::CONTINUATION, 0, 1, &[b'x'; 100])
    });
    assert!(memory < 300 << 10, "{memory}");
    assert_eq!(wire.told(), ["http2.field-block-too-long"; 2]);
}

#[test]
fn rapid_reset_and_floods_of_control_frames_take_no_memory() {
    let mut wire = Wire::new(true);
    let ask = request();
    let memory = flood(&mut wire, CLIENT, 20_000, |n| {
        let headers = framed(frame::HEADERS, frame::END_HEADERS, 2 * n + 1, &ask);
        [headers, framed(frame::RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8])].concat()
    });
    let told = wire.told();
    assert_eq!(told.len(), 3 * 20_000);
    // What is told is kept here.
    assert!(memory < 8 << 20, "{memory}");
    let memory = flood(&mut wire, CLIENT, 50_000, |n| {
        [
            framed(frame::WINDOW_UPDATE, 0, n, &[0x7f, 0xff, 0xff, 0xff]),
            framed(frame::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, (n % 2) as u8]),
            framed(frame::PING, 0, 0, &[0; 8]),
            framed(frame::DATA, 0, 2 * n + 1, b""),
            framed(frame::PRIORITY, 0, n, &[0; 5]),
        ]
        .concat()
    });
    assert!(memory < 10 << 10 && wire.told().is_empty(), "{memory}");
}

#[test]
fn an_hpack_bomb_is_cut_and_told() {
    let mut wire = Wire::new(true);
    let mut bomb = vec![0x40, 0x01, b'a', 0x7f, 0xa1, 0x1e];
    bomb.extend([b'x'; 4000]);
    bomb.extend([0xbe; 12_000]);
    let bomb = framed(frame::HEADERS, frame::END_HEADERS, 1, &bomb);
    let memory = flood(&mut wire, CLIENT, 10, |_| bomb.clone());
    assert!(memory < 400 << 10, "{memory}");
    assert!(wire.told().iter().all(|told| told == "http2.field-block-too-long"));
    // What is there of the request.
    assert!(wire.connection.cost() < 128 << 10);
}

#[test]
fn fields_that_are_sent_again_in_one_byte_are_kept_while_the_connection_has_bytes_for_them() {
    let mut wire = Wire::new(true);
    let mut block = request();
    // With incremental indexing: from now on it is entry 62.
    let indexed = block.len();
    literal(&mut block, "cookie", &"c".repeat(100));
    block[indexed] = 0x40;
    let mut heads = Vec::new();
    for stream in (1..600).step_by(2) {
        wire.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, stream, &block));
        heads.push(wire.told.1);
        wire.send(CLIENT, &framed(frame::RST_STREAM, 0, stream, &[0; 4]));
        block = request();
        block.extend([0x80 | 62; 30]);
    }
    let (first, last) = (heads[1], *heads.last().unwrap());
    let sent = 9 + block.len() + 13;
    // What is left over from a field that did not fit is saved up.
    let most = 512 + 4 * sent + 106;
    assert!(first > 3000 && (512..=most).contains(&last), "{first} {last}");
}

#[test]
fn more_streams_than_are_followed_are_told() {
    let mut wire = Wire::new(true);
    let ask = request();
    for n in 0..2000 {
        wire.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, 2 * n + 1, &ask));
    }
    let told = wire.told();
    let refused = told.iter().filter(|told| *told == "http2.too-many-streams").count();
    assert!(refused >= 1000, "{refused}");
    assert!(wire.connection.cost() < 2 << 20);
}

#[test]
fn of_streams_beyond_the_bound_nothing_is_told_but_that() {
    let mut wire = Wire::new(true);
    wire.connection = Connection::new(
        CLIENT,
        Bounds {
            streams: 2,
            ..Bounds::default()
        },
        false,
    );
    wire.send(CLIENT, PREFACE);
    for stream in [1, 3, 5] {
        wire.open(stream);
    }
    assert_eq!(
        wire.told(),
        [
            "1 asks /chat",
            "1 agreed 200",
            "3 asks /chat",
            "3 agreed 200",
            "http2.too-many-streams"
        ]
    );
}

#[test]
fn refusals_beyond_the_bound_are_told_without_their_bodies() {
    let mut wire = Wire::new(true);
    let kept = 20_000;
    wire.connection = Connection::new(
        CLIENT,
        Bounds {
            kept,
            ..Bounds::default()
        },
        false,
    );
    wire.send(CLIENT, PREFACE);
    let mut refused = 0;
    for stream in (1..100).step_by(2) {
        wire.send(CLIENT, &framed(frame::HEADERS, frame::END_HEADERS, stream, &request()));
        let not_found = [0x8d];
        wire.send(SERVER, &framed(frame::HEADERS, frame::END_HEADERS, stream, &not_found));
        refused += wire
            .told()
            .iter()
            .filter(|told| told.contains("refused 404  0"))
            .count();
        assert!(wire.connection.cost() < kept + 20_000);
    }
    assert!(refused > 40, "{refused}");
}

#[test]
fn rfc8441_3_settings_that_are_lost_may_have_allowed_websocket() {
    let settings = framed(frame::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]);
    let mut wire = Wire::new(true);
    wire.connection = Connection::new(CLIENT, Bounds::default(), false);
    wire.lose(SERVER, 15);
    let ping = framed(6, 0, 0, &[1; 8]);
    for bytes in [&ping, &ping, &settings] {
        wire.send(SERVER, bytes);
    }
    assert_eq!(wire.connection.allows_websocket(), None);
    wire.connection = Connection::new(CLIENT, Bounds::default(), false);
    wire.send(SERVER, &settings);
    assert_eq!(wire.connection.allows_websocket(), Some(false));
}

#[test]
fn rfc9113_4_2_a_frame_is_too_long_only_for_a_limit_that_is_known() {
    for lost in [false, true] {
        let mut wire = Wire::new(true);
        if lost {
            wire.lose(SERVER, 15);
        }
        wire.open(1);
        wire.told();
        wire.send(CLIENT, &framed(frame::DATA, 0, 1, &[b'x'; 20_000]));
        let told = wire.told();
        assert_eq!(told.iter().any(|told| told == "http2.frame-size"), !lost, "{told:?}");
    }
}

#[test]
fn rfc9113_6_8_the_goaway_of_who_may_be_the_client_ends_no_stream() {
    let mut wire = Wire::new(true);
    wire.connection = Connection::late(Bounds::default(), false);
    let mut bytes = framed(6, 0, 0, &[1; 8]);
    bytes.extend(framed(frame::DATA, 0, 1, b"frames"));
    wire.send(CLIENT, &bytes);
    assert_eq!(wire.connection.client(), None);
    wire.told();
    wire.send(CLIENT, &framed(frame::GOAWAY, 0, 0, &[0; 8]));
    assert!(wire.told().is_empty());
}
