//! Whole sessions, from packets to events: every segmentation, order, repetition and loss.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::Engine;
use crate::base::PacketRef;
use crate::base::{Captured, Direction, GapCause, Limits, Side, Timestamp};
use crate::layer::http1::accept_for;
use crate::layer::ws::{Header, unmask};
use crate::record::{Accept, How, Opcode, Record, RecordKind, SegmentView, SessionEnd, Sink, Verdict};
use crate::wire::{LinkType, Packet};

pub(super) const SYN: u8 = 0x02;
pub(super) const ACK: u8 = 0x10;
pub(super) const FIN: u8 = 0x01;
const RST: u8 = 0x04;
pub(super) const CLIENT: Side = Side::A;
pub(super) const SERVER: Side = Side::B;

/// A conversation, written down as the packets that carry it (raw IPv4).
#[derive(Clone)]
pub(super) struct Talk {
    pub(super) packets: Vec<Vec<u8>>,
    /// Of each packet: who sent it, and where its data lies in that side's stream.
    places: Vec<(Side, std::ops::Range<u64>)>,
    sent: [u64; 2],
    port: u16,
}

impl Talk {
    pub(super) fn new() -> Self {
        let mut talk = Self {
            packets: Vec::new(),
            places: Vec::new(),
            sent: [0; 2],
            port: 40_000,
        };
        talk.packet(CLIENT, SYN, &[]);
        talk.packet(SERVER, SYN | ACK, &[]);
        talk.packet(CLIENT, ACK, &[]);
        talk
    }

    /// With a good upgrade; `agreed` is the value of `Sec-WebSocket-Extensions`, if any.
    pub(super) fn upgraded() -> Self {
        let mut talk = Self::new();
        talk.data(CLIENT, request("").as_bytes(), 1460);
        talk.data(SERVER, response("").as_bytes(), 1460);
        talk
    }

    pub(super) fn packet(&mut self, side: Side, flags: u8, data: &[u8]) {
        let isn = [1_000_000u32, 0xffff_ff00];
        let syn = u32::from(flags & SYN == 0);
        let seq = isn[side.index()]
            .wrapping_add(self.sent[side.index()] as u32)
            .wrapping_add(syn);
        let other = side.other().index();
        let ack = isn[other].wrapping_add(self.sent[other] as u32).wrapping_add(1);
        self.packets.push(raw_packet(
            self.port,
            side,
            flags,
            seq,
            ack,
            data,
            self.packets.len() as u16,
        ));
        let start = self.sent[side.index()];
        self.sent[side.index()] += data.len() as u64;
        self.places.push((side, start..self.sent[side.index()]));
    }

    /// Data in segments of `size` bytes, each acknowledged.
    pub(super) fn data(&mut self, side: Side, data: &[u8], size: usize) {
        for piece in data.chunks(size) {
            self.packet(side, ACK, piece);
            self.packet(side.other(), ACK, &[]);
        }
    }

    /// The last packet says that its sender takes no more.
    fn close_window(&mut self) {
        if let Some(packet) = self.packets.last_mut() {
            packet[34..36].fill(0);
        }
    }

    pub(super) fn goodbye(&mut self) {
        self.packet(CLIENT, FIN | ACK, &[]);
        self.sent[0] += 1;
        self.packet(SERVER, FIN | ACK, &[]);
        self.sent[1] += 1;
        self.packet(CLIENT, ACK, &[]);
    }

    /// Slowly enough for what is lost to show as lost.
    pub(super) fn heard(&self) -> Heard {
        hear(self.packets.iter(), 250_000)
    }

    /// Quickly, as packets come that have only lost their order.
    pub(super) fn heard_at_speed(&self) -> Heard {
        hear(self.packets.iter(), 100)
    }
}

fn raw_packet(port: u16, side: Side, flags: u8, seq: u32, ack: u32, data: &[u8], id: u16) -> Vec<u8> {
    let (source, destination) = match side {
        Side::A => ((1, port), (2, 7272)),
        Side::B => ((2, 7272), (1, port)),
    };
    let length = (40 + data.len()) as u16;
    let mut p = vec![0x45, 0];
    p.extend(length.to_be_bytes());
    p.extend(id.to_be_bytes());
    p.extend([0x40, 0, 64, 6, 0, 0]);
    p.extend([192, 0, 2, source.0, 192, 0, 2, destination.0]);
    p.extend(source.1.to_be_bytes());
    p.extend(destination.1.to_be_bytes());
    p.extend(seq.to_be_bytes());
    p.extend(ack.to_be_bytes());
    p.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    p.extend(data);
    p
}

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub(super) fn request(more: &str) -> String {
    format!(
        "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
}

pub(super) fn response(more: &str) -> String {
    let accept = accept_for(KEY);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
}

/// What the engine said of a capture.
#[derive(Debug, Default)]
pub(super) struct Heard {
    packets: u64,
    lines: Vec<String>,
    pub(super) messages: Vec<Said>,
    /// Endings and what was told as ending.
    ends: Vec<SessionEnd>,
    accepts: Vec<Accept>,
    pub(super) rules: Vec<&'static str>,
    /// Violations that were not told.
    unlisted: u64,
    /// Of each violation, whether it says what a proxy said.
    proxied: Vec<bool>,
    /// The packets of requests that were never answered.
    unanswered: Vec<u64>,
    gaps: Vec<(GapCause, u64)>,
    clients: Vec<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    direction: Direction,
    opcode: Opcode,
    bytes: Vec<u8>,
    complete: bool,
    inferred: bool,
    start: u64,
    /// The packet with its first byte.
    first: PacketRef,
    /// The packet that completed it.
    at: u64,
}

impl Sink for Heard {
    fn packet(&mut self, _: &Packet<'_>, _: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.packets += 1;
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        assert!(record.at.packet <= self.packets);
        match record.kind {
            RecordKind::Message(m) => {
                assert!(m.span.first.packet <= m.span.last.packet && m.span.last.packet <= self.packets);
                assert_eq!(m.inferred, record.source.inferred);
                self.messages.push(Said {
                    direction: m.direction,
                    opcode: m.opcode,
                    bytes: m.payload.bytes.to_vec(),
                    complete: m.complete,
                    inferred: m.inferred,
                    start: m.range.start,
                    first: m.span.first,
                    at: record.at.packet,
                });
            }
            RecordKind::Violation { violation, .. } => {
                self.rules.push(violation.rule.id());
                self.proxied.push(record.source.proxied.is_some());
            }
            RecordKind::Unanswered(request) => self.unanswered.push(request.at.packet),
            RecordKind::Handshake(handshake) => {
                self.accepts.push(handshake.accept);
                let status = handshake.response.as_ref().map(|r| r.status);
                self.lines
                    .push(format!("handshake {} {status:?}", handshake.request.target));
            }
            RecordKind::SessionEnd(end) => {
                self.ends.push(end.clone());
                self.clients.push(record.source.client.port);
            }
            RecordKind::Gap { gap, .. } => self.gaps.push((gap.cause, gap.length)),
            RecordKind::UpgradeRequest(_)
            | RecordKind::Frame(_)
            | RecordKind::Progress(_)
            | RecordKind::Http2 { .. }
            | RecordKind::Tls(_)
            | RecordKind::TlsPacket { .. }
            | RecordKind::TlsEnd(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Heard {
    pub(super) fn texts(&self) -> Vec<String> {
        self.messages
            .iter()
            .filter(|m| m.complete)
            .map(|m| String::from_utf8_lossy(&m.bytes).into_owned())
            .collect()
    }

    /// Complete messages of a direction, in order.
    pub(super) fn whole(&self, direction: Direction) -> Vec<(Opcode, Vec<u8>)> {
        self.whole_at(direction).map(|(_, message)| message).collect()
    }

    /// The same, with where in its stream each begins.
    fn whole_at(&self, direction: Direction) -> impl Iterator<Item = (u64, (Opcode, Vec<u8>))> {
        let own = move |m: &&Said| m.direction == direction && m.complete;
        let message = |m: &Said| (m.start, (m.opcode, m.bytes.clone()));
        self.messages.iter().filter(own).map(message)
    }
}

pub(super) fn hear<'p>(packets: impl Iterator<Item = &'p Vec<u8>>, micros: i64) -> Heard {
    hear_cut(packets, micros, usize::MAX)
}

/// The same of packets that were cut to `snaplen` bytes.
pub(super) fn hear_cut<'p>(packets: impl Iterator<Item = &'p Vec<u8>>, micros: i64, snaplen: usize) -> Heard {
    hear_by(Engine::new(Limits::default()), packets, micros, snaplen)
}

fn hear_by<'p>(mut engine: Engine, packets: impl Iterator<Item = &'p Vec<u8>>, micros: i64, snaplen: usize) -> Heard {
    let mut heard = Heard::default();
    for (i, bytes) in packets.enumerate() {
        let packet = Packet {
            number: i as u64 + 1,
            time: Timestamp::from_nanos(i as i64 * micros * 1_000),
            link: LinkType::RAW,
            data: Captured::new(&bytes[..bytes.len().min(snaplen)], bytes.len()),
        };
        assert!(engine.packet(&packet, &mut heard).is_continue());
    }
    assert!(engine.finish(&mut heard).is_continue());
    heard.unlisted = engine.given_up().unlisted_violations;
    assert_eq!(engine.stores.ws.held(), 0, "what was held back is given back");
    assert_eq!(engine.stores.heads.cost(), 0, "so are heads");
    heard
}

/// A frame as a sender writes it.
pub(super) fn frame(side: Side, first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x9c, payload.len() as u8, 0x51, 0xe7];
    let mask = if side == CLIENT { 0x80 } else { 0 };
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
    let mut payload = payload.to_vec();
    if side == CLIENT {
        out.extend(key);
        unmask(&mut payload, key, 0);
    }
    out.extend(payload);
    out
}

pub(super) fn text(side: Side, text: &str) -> Vec<u8> {
    frame(side, 0x81, text.as_bytes())
}

#[test]
fn a_close_frame_that_the_capture_may_have_missed_is_not_called_absent() {
    let mut talk = Talk::upgraded();
    talk.data(CLIENT, &text(CLIENT, "hello"), 1460);
    talk.data(SERVER, &text(SERVER, "welcome"), 1460);
    let lost = talk.packets.len();
    talk.data(SERVER, &frame(SERVER, 0x88, b"\x03\xe8"), 1460);
    talk.goodbye();
    let end = &talk.heard().ends[0];
    assert_eq!(
        (end.how, end.closing_handshake, end.verdict),
        (How::Fin, Some(false), Verdict::CloseUnanswered)
    );
    talk.packets.remove(lost);
    let end = &talk.heard().ends[0];
    assert_eq!(
        (end.how, end.closing_handshake, end.verdict),
        (How::Fin, None, Verdict::NotSeen)
    );
    // What was read only where the stream ended was read: there is no close frame in it.
    let mut talk = Talk::upgraded();
    talk.packets.clear();
    for words in ["one", "two", "three"] {
        let words = format!("{{\"type\":\"say\",\"content\":\"{words}\"}}");
        talk.data(SERVER, &text(SERVER, &words), 1460);
    }
    talk.data(CLIENT, &frame(CLIENT, 0x89, b""), 1460);
    talk.data(SERVER, &frame(SERVER, 0x88, b"\x03\xe8"), 1460);
    talk.goodbye();
    let heard = talk.heard();
    assert_eq!(heard.whole(Direction::ClientToServer).len(), 1);
    assert_eq!(
        (heard.ends[0].closing_handshake, heard.ends[0].verdict),
        (Some(false), Verdict::CloseUnanswered)
    );
}

#[test]
fn what_waited_behind_a_gap_came_before_what_it_brought_about() {
    let mut talk = Talk::upgraded();
    let lost = talk.packets.len();
    talk.data(CLIENT, &text(CLIENT, "lost"), 1460);
    talk.data(CLIENT, &frame(CLIENT, 0x89, b"ping"), 1460);
    talk.data(SERVER, &frame(SERVER, 0x8a, b"ping"), 1460);
    talk.data(CLIENT, &frame(CLIENT, 0x88, b"\x03\xe9"), 1460);
    talk.data(SERVER, &frame(SERVER, 0x88, b"\x03\xe8"), 1460);
    talk.packets.remove(lost);
    talk.goodbye();
    let end = &talk.heard().ends[0];
    assert_eq!(
        (end.by, end.close_codes.client_to_server),
        (Some(Direction::ClientToServer), Some(Some(1001)))
    );
    assert!(end.unanswered_pings.iter().all(|pings| pings.count == 0));
}

#[test]
fn what_only_the_client_sends_is_told_while_it_goes_on() {
    let mut talk = Talk::upgraded();
    for _ in 0..1500 {
        talk.data(CLIENT, &frame(CLIENT, 0x82, &[7; 1000]), 1460);
    }
    let bytes = |packet: &Vec<u8>| packet.len();
    let sent: usize = talk.packets.iter().map(bytes).sum();
    assert!(sent > crate::base::Limits::default().waiting_bytes);
    for also_seen in [false, true] {
        let mut half = Talk::new();
        half.packets = talk.packets.clone();
        let mut synacks = 0;
        half.packets.retain(|packet| {
            let from_client = packet[12..16] == talk.packets[0][12..16];
            synacks += usize::from(!from_client);
            from_client || also_seen && synacks == 1
        });
        let heard = half.heard();
        assert_eq!(heard.messages.len(), 1500);
        assert!(heard.gaps.iter().all(|gap| gap.0 == GapCause::Lost), "{:?}", heard.gaps);
    }
}

#[test]
fn a_message_is_complete_when_its_last_missing_byte_has_come() {
    let mut talk = Talk::upgraded();
    let place = talk.packets.len();
    for content in ["lost", "the second", "third"] {
        talk.data(CLIENT, &text(CLIENT, content), 1460);
    }
    talk.data(SERVER, &text(SERVER, "heard"), 1460);
    let packets = |heard: &Heard| -> Vec<(String, u64)> {
        let said = heard
            .messages
            .iter()
            .filter(|m| m.direction == Direction::ClientToServer);
        said.map(|m| (String::from_utf8_lossy(&m.bytes).into_owned(), m.at))
            .collect()
    };
    let place64 = place as u64;
    // It never comes: the others were there.
    let mut lost = Talk::new();
    lost.packets = talk.packets.clone();
    lost.packets.remove(place);
    let expected = [
        ("the second".to_owned(), place64 + 2),
        ("third".to_owned(), place64 + 4),
    ];
    assert_eq!(packets(&lost.heard()), expected);
    // It comes late: nobody could read the others before.
    let packet = talk.packets.remove(place);
    talk.packets.insert(place + 4, packet);
    let late = place64 + 5;
    assert_eq!(
        packets(&talk.heard_at_speed()),
        [
            ("lost".to_owned(), late),
            ("the second".to_owned(), late),
            ("third".to_owned(), late)
        ]
    );
}

#[test]
fn how_long_a_window_was_closed_is_told_where_that_was_seen_and_the_end_was_bad() {
    let closed = |talk: &Talk| talk.heard().ends.remove(0).window_closed;
    let mut talk = Talk::upgraded();
    talk.packet(CLIENT, ACK, &[]);
    talk.close_window();
    talk.packet(SERVER, ACK, &[]);
    let mut good = talk.clone();
    talk.packet(SERVER, RST | ACK, &[]);
    assert_eq!(closed(&talk), Some((Direction::ClientToServer, 500_000_000)));
    good.packet(CLIENT, ACK, &frame(CLIENT, 0x88, b"\x03\xe8"));
    good.close_window();
    good.data(SERVER, &frame(SERVER, 0x88, b"\x03\xe8"), 1460);
    good.goodbye();
    assert_eq!(closed(&good), None);
    // It was never seen open: nobody knows for how long it had been closed.
    for packet in &mut talk.packets {
        if packet[15] == 1 {
            packet[34..36].fill(0);
        }
    }
    assert_eq!(closed(&talk), None);
}

#[test]
fn silence_lasts_from_the_last_byte_to_the_first_fin_itself() {
    let mut talk = Talk::upgraded();
    talk.data(CLIENT, &text(CLIENT, "hello"), 1460);
    let long = text(SERVER, &"x".repeat(4000));
    talk.data(SERVER, &long[..3000], 1000);
    talk.packet(SERVER, FIN | ACK, &[]);
    talk.sent[1] += 1;
    for _ in 0..8 {
        talk.packet(CLIENT, ACK, &[]);
    }
    talk.packet(CLIENT, FIN | ACK, &[]);
    talk.sent[0] += 1;
    talk.packet(SERVER, ACK, &[]);
    let end = &talk.heard().ends[0];
    assert_eq!((end.how, end.silence), (How::Fin, Some(500_000_000)));
}

#[test]
fn a_request_that_is_read_after_its_answer_is_not_called_unanswered() {
    let mut talk = Talk::upgraded();
    let lost = talk.packets.len();
    let call = |id: u32| text(CLIENT, &format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#));
    let result = |id: u32| text(SERVER, &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":1}}"#));
    talk.packet(CLIENT, ACK, &call(1));
    talk.packet(CLIENT, ACK, &[call(2), frame(CLIENT, 0x89, b"p")].concat());
    talk.packet(SERVER, ACK, &[result(2), frame(SERVER, 0x8a, b"p")].concat());
    talk.packets.remove(lost);
    talk.goodbye();
    let heard = talk.heard_at_speed();
    let first = heard.messages[0].direction;
    assert_eq!((first, heard.messages.len()), (Direction::ServerToClient, 4));
    assert_eq!(heard.unanswered, [0; 0]);
    // One that is read in time and has no answer is still found.
    let mut talk = Talk::upgraded();
    talk.data(CLIENT, &call(1), 1460);
    talk.goodbye();
    assert_eq!(talk.heard().unanswered.len(), 1);
}

#[test]
fn a_gap_before_a_session_is_recognised_is_told() {
    let mut talk = Talk::upgraded();
    let begins = talk.packets.len();
    talk.data(SERVER, &frame(SERVER, 0x89, b""), 1460);
    talk.data(CLIENT, &frame(CLIENT, 0x89, b"ab"), 1460);
    let lost = talk.packets.len();
    talk.data(SERVER, &frame(SERVER, 0x8a, b"ab"), 1460);
    for n in 0..10 {
        talk.data(SERVER, &text(SERVER, &format!("{{\"n\":{n}}}")), 1460);
        talk.data(CLIENT, &text(CLIENT, &format!("{{\"n\":{n}}}")), 1460);
    }
    talk.packets.remove(lost);
    talk.packets.drain(..begins);
    let heard = talk.heard();
    assert_eq!(
        (heard.texts().len(), heard.gaps.as_slice()),
        (21, &[(GapCause::Lost, 4)][..])
    );
}

#[test]
fn what_the_capture_ends_before_is_not_called_absent() {
    let mut talk = Talk::upgraded();
    talk.data(CLIENT, &frame(CLIENT, 0x88, b"\x03\xe8"), 1460);
    let summary = |talk: &Talk| {
        let end = talk.heard().ends.remove(0);
        (end.how, end.closing_handshake, end.verdict)
    };
    assert_eq!(summary(&talk), (How::CaptureEnd, None, Verdict::StillOpen));
    // Who has ended cannot answer any more.
    talk.packet(SERVER, FIN | ACK, &[]);
    talk.sent[1] += 1;
    talk.packet(CLIENT, ACK, &[]);
    assert_eq!(summary(&talk), (How::Fin, Some(false), Verdict::CloseUnanswered));
}

#[test]
fn a_request_is_late_where_the_capture_ends_only_if_so_much_time_went_by() {
    let mut talk = Talk::upgraded();
    talk.data(CLIENT, &frame(CLIENT, 0x89, b"p"), 1460);
    let cut = talk.clone();
    talk.goodbye();
    let rules = |talk: &Talk, limit| {
        let engine = Engine::new(Limits::default()).with_max_answer(Some(limit));
        let heard = hear_by(engine, talk.packets.iter(), 250_000, usize::MAX);
        (heard.unanswered.len(), heard.rules)
    };
    assert_eq!(rules(&talk, i64::MAX), (1, vec!["app.no-answer"]));
    assert_eq!(rules(&cut, i64::MAX), (1, vec![]));
    assert_eq!(rules(&cut, -1), (1, vec!["app.no-answer"]));
}

#[test]
fn what_tcp_did_wrong_in_a_session_behind_a_proxy_says_for_whom_that_speaks() {
    let mut talk = Talk::new();
    talk.data(CLIENT, b"PROXY TCP4 198.51.100.1 198.51.100.2 50000 443\r\n", 1460);
    talk.data(CLIENT, request("").as_bytes(), 1460);
    talk.data(SERVER, response("").as_bytes(), 1460);
    talk.packet(CLIENT, ACK, &text(CLIENT, "ho"));
    let mut other = talk.packets.last().unwrap().clone();
    *other.last_mut().unwrap() ^= 1;
    other[5] ^= 0x80;
    talk.packets.push(other);
    talk.goodbye();
    let heard = talk.heard_at_speed();
    assert_eq!((heard.rules, heard.proxied), (vec!["tcp.different-bytes"], vec![true]));
}

#[test]
fn the_first_ping_without_its_pong_is_named() {
    let mut talk = Talk::upgraded();
    talk.data(SERVER, &frame(SERVER, 0x89, b"answered"), 1460);
    talk.data(CLIENT, &frame(CLIENT, 0x8a, b"answered"), 1460);
    let first = talk.packets.len() as u64 + 1;
    for n in 0..70u8 {
        talk.data(SERVER, &frame(SERVER, 0x89, &[n]), 1460);
    }
    let pings = talk.heard().ends[0].unanswered_pings;
    assert_eq!(pings.client_to_server, crate::record::Unanswered::default());
    let pings = pings.server_to_client;
    assert_eq!((pings.count, pings.first_packet), (70, first));
}

#[test]
fn a_session_from_syn_to_fin() {
    let mut talk = Talk::upgraded();
    talk.data(CLIENT, &text(CLIENT, "hello"), 1460);
    talk.data(SERVER, &text(SERVER, "welcome"), 1460);
    talk.data(CLIENT, &frame(CLIENT, 0x89, b"p"), 1460);
    talk.data(CLIENT, &frame(CLIENT, 0x88, b"\x03\xe8"), 1460);
    talk.data(SERVER, &frame(SERVER, 0x88, b"\x03\xe8"), 1460);
    talk.goodbye();
    let heard = talk.heard();
    assert_eq!(
        (heard.texts()[..2].to_vec(), heard.rules.len()),
        (vec!["hello".to_owned(), "welcome".to_owned()], 0)
    );
    assert_eq!(
        (heard.lines.as_slice(), heard.accepts.as_slice()),
        (&["handshake /chat Some(101)".to_owned()][..], &[Accept::Valid][..])
    );
    let end = &heard.ends[0];
    assert_eq!(
        (end.how, end.close_codes.client_to_server, end.by, end.verdict),
        (
            How::Close,
            Some(Some(1000)),
            Some(Direction::ClientToServer),
            Verdict::Closed
        )
    );
    assert_eq!(
        (
            end.message_count(),
            end.byte_count(),
            end.unanswered_pings.client_to_server.count
        ),
        (5, 17, 1)
    );
    assert!(end.closing_handshake == Some(true) && end.fin.iter().all(|fin| *fin) && end.refused.is_none());
    assert_eq!(heard.packets, talk.packets.len() as u64);
}

#[test]
fn who_acknowledges_nothing_any_more_has_vanished() {
    let mut talk = Talk::upgraded();
    talk.packet(SERVER, ACK, &text(SERVER, "anybody?"));
    let last = talk.packets.len() - 1;
    let again = |talk: &mut Talk, times: u16| {
        for n in 0..times {
            let mut packet = talk.packets[last].clone();
            packet[4..6].copy_from_slice(&(1000 + n).to_be_bytes());
            talk.packets.push(packet);
        }
    };
    let mut answered = talk.clone();
    again(&mut answered, 2);
    answered.packet(CLIENT, ACK, &[]);
    again(&mut talk, 3);
    for talk in [&mut talk, &mut answered] {
        talk.packet(SERVER, RST | ACK, &[]);
    }
    let end = talk.heard().ends.remove(0);
    assert_eq!((end.how, end.verdict), (How::Rst, Verdict::PeerVanished));
    let unacknowledged = end.unacknowledged.unwrap();
    assert_eq!(
        (unacknowledged.direction, unacknowledged.times),
        (Direction::ServerToClient, 4)
    );
    let end = answered.heard().ends.remove(0);
    assert_eq!((end.verdict, end.unacknowledged), (Verdict::Reset, None));
}

#[test]
fn how_sessions_end() {
    let mut fin = Talk::upgraded();
    fin.goodbye();
    let mut reset = Talk::upgraded();
    reset.packet(SERVER, RST | ACK, &[]);
    let cut = Talk::upgraded();
    let mut unanswered = Talk::new();
    unanswered.data(CLIENT, request("").as_bytes(), 1460);
    let mut refused = unanswered.clone();
    refused.data(SERVER, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 1460);
    let summary = |talk: &Talk| {
        let end = talk.heard().ends.remove(0);
        (end.how, end.by, end.refused, end.verdict)
    };
    assert_eq!(
        summary(&fin),
        (
            How::Fin,
            Some(Direction::ClientToServer),
            None,
            Verdict::EndedWithoutClose
        )
    );
    assert_eq!(
        summary(&reset),
        (How::Rst, Some(Direction::ServerToClient), None, Verdict::Reset)
    );
    assert_eq!(summary(&cut), (How::CaptureEnd, None, None, Verdict::StillOpen));
    assert_eq!(
        summary(&unanswered),
        (How::CaptureEnd, None, Some(0), Verdict::Unanswered)
    );
    assert_eq!(summary(&refused), (How::Refused, None, Some(403), Verdict::Refused));
    assert_eq!(refused.heard().lines, ["handshake /chat Some(403)"]);
}

#[test]
fn frames_in_the_segments_of_the_heads() {
    let mut talk = Talk::new();
    let mut ask = request("").into_bytes();
    ask.extend(text(CLIENT, "early"));
    let mut answer = response("").into_bytes();
    answer.extend(text(SERVER, "at once"));
    talk.data(CLIENT, &ask, 1460);
    talk.data(CLIENT, &text(CLIENT, "impatient"), 1460);
    talk.data(SERVER, &answer, 1460);
    assert_eq!(talk.heard().texts(), ["early", "impatient", "at once"]);
}

#[test]
fn heads_that_are_too_long_are_told_and_what_follows_them_is_read() {
    // In bytes, and in lines.
    for (line, count) in [("a".repeat(900), 100), ("b".into(), 1000)] {
        let more = format!("X: {line}\r\n").repeat(count);
        let mut talk = Talk::new();
        let mut ask = request(&more).into_bytes();
        ask.extend(text(CLIENT, "early"));
        let mut answer = response(&more).into_bytes();
        answer.extend(text(SERVER, "at once"));
        talk.data(CLIENT, &ask, 1460);
        talk.data(SERVER, &answer, 1460);
        talk.data(CLIENT, &text(CLIENT, "later"), 1460);
        let heard = talk.heard();
        assert_eq!(heard.texts(), ["early", "at once", "later"]);
        assert_eq!(heard.rules, ["http.head-too-long"; 2]);
        assert_eq!(heard.lines, ["handshake /chat Some(101)"]);
    }
    let mut endless = Talk::new();
    endless.data(CLIENT, request(&"X: y\r\n".repeat(50_000)).trim_end().as_bytes(), 1460);
    let heard = endless.heard();
    assert_eq!(
        (heard.rules, heard.lines),
        (vec!["http.head-too-long"], vec!["handshake /chat None".into()])
    );
}

#[test]
fn what_cannot_be_held_until_the_answer_is_a_gap() {
    let mut talk = Talk::new();
    talk.data(CLIENT, request("").as_bytes(), 1460);
    // Not what a client sends: it is not clear that these are frames.
    let much = frame(SERVER, 0x82, &vec![7; 3 << 20]);
    talk.data(CLIENT, &much, 1460);
    talk.data(CLIENT, &text(CLIENT, "one"), 1460);
    talk.data(CLIENT, &text(CLIENT, "two"), 1460);
    talk.data(SERVER, response("").as_bytes(), 1460);
    talk.data(CLIENT, &text(CLIENT, "three"), 1460);
    let heard = talk.heard();
    let lost: u64 = heard.gaps.iter().map(|gap| gap.1).sum();
    assert!(
        heard.gaps.iter().all(|gap| gap.0 == GapCause::Evicted) && lost > 2 << 20,
        "{:?}",
        heard.gaps
    );
    let texts = heard.texts();
    assert!(texts.ends_with(&["two".into(), "three".into()]), "{texts:?}");
}

#[test]
fn a_server_that_is_never_heard_has_agreed_when_frames_follow() {
    let mut talk = Talk::new();
    talk.data(CLIENT, request("").as_bytes(), 1460);
    talk.data(CLIENT, &text(CLIENT, "one"), 1460);
    talk.data(CLIENT, &text(CLIENT, "two"), 1460);
    let only_client = talk
        .packets
        .iter()
        .zip(&talk.places)
        .filter(|(_, place)| place.0 == CLIENT)
        .map(|(p, _)| p);
    let heard = hear(only_client, 250_000);
    assert_eq!(
        (heard.texts(), heard.lines),
        (vec!["one".into(), "two".into()], vec!["handshake /chat None".into()])
    );
}

#[test]
fn a_late_segment_that_only_looks_like_a_request_ends() {
    let mut talk = Talk::new();
    talk.data(CLIENT, b"GET / \x01 HTTP/1.1\r\n\r\n", 1460);
    talk.data(CLIENT, b"GET / \x01 HTTP/1.1\r\n\r\n", 1460);
    talk.packets.drain(..4);
    assert!(talk.heard().messages.is_empty());
}

#[test]
fn other_protocols_give_no_events() {
    let mut talk = Talk::new();
    talk.data(CLIENT, b"\x16\x03\x01\x00\x05hello", 1460);
    talk.data(SERVER, b"SSH-2.0-x\r\n", 1460);
    talk.data(SERVER, &text(SERVER, "not announced"), 1460);
    talk.data(CLIENT, &text(CLIENT, "not announced either"), 1460);
    let mut plain = Talk::new();
    plain.data(CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1460);
    plain.data(SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1460);
    for talk in [talk, plain] {
        let heard = talk.heard();
        assert_eq!((heard.ends.len(), heard.messages.len(), heard.lines.len()), (0, 0, 0));
    }
}

#[test]
fn a_reordered_message_is_complete_when_its_last_byte_has_come() {
    let mut talk = Talk::upgraded();
    let before = talk.packets.len();
    talk.data(SERVER, &text(SERVER, &"x".repeat(300)), 100);
    talk.packets.swap(before, before + 2);
    let heard = talk.heard();
    assert_eq!((heard.texts(), heard.rules.len()), (vec!["x".repeat(300)], 0));
    // It began to arrive with the packet that was captured first, although its first byte came later.
    let first = heard.messages[0].first;
    assert_eq!(first.packet, before as u64 + 1);
    // A message whose bytes had to wait has the time at which they were sent, not that at which they could be read.
    let mut talk = Talk::upgraded();
    talk.data(SERVER, &text(SERVER, "one"), 1460);
    let before = talk.packets.len();
    for words in ["two", "three", "four"] {
        talk.packet(SERVER, ACK, &text(SERVER, words));
    }
    talk.packets[before..].rotate_left(1);
    let heard = talk.heard_at_speed();
    let first: Vec<_> = heard.messages.iter().map(|m| m.first).collect();
    assert_eq!(heard.texts(), ["one", "two", "three", "four"]);
    for (first, packet) in first[1..].iter().zip([3, 1, 2]) {
        let packet = before as u64 + packet;
        let time = Timestamp::from_nanos((packet as i64 - 1) * 100_000);
        assert_eq!(*first, PacketRef { packet, time });
    }
}

/// What one side says.
fn speech() -> impl Strategy<Value = (u8, Vec<u8>)> {
    prop_oneof![
        6 => "[a-zé猪]{1,60}".prop_map(|s| (0x81, format!("{{\"type\":\"say\",\"content\":\"{s}\"}}").into_bytes())),
        2 => prop::collection::vec(any::<u8>(), 20..400).prop_map(|bytes| (0x82, bytes)),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| (0x89, bytes)),
        1 => "[a-z ]{500,3000}".prop_map(|s| (0x81, s.into_bytes())),
    ]
}

/// A session, and of each direction what was said where.
type Spoken = Vec<Saying>;
type Saying = (Side, u64, (Opcode, Vec<u8>));

fn session(lines: &[(bool, (u8, Vec<u8>))], size: usize) -> (Talk, Spoken) {
    let mut talk = Talk::upgraded();
    let mut spoken = Vec::new();
    let mut streams: Vec<(Side, Vec<u8>)> = Vec::new();
    let mut offsets = talk.sent;
    for (client, (first, payload)) in lines {
        let side = if *client { CLIENT } else { SERVER };
        let bytes = frame(side, *first, payload);
        spoken.push((
            side,
            offsets[side.index()],
            (Opcode::from_bits(*first), payload.clone()),
        ));
        offsets[side.index()] += bytes.len() as u64;
        match streams.last_mut() {
            Some((last, stream)) if *last == side => stream.extend(bytes),
            _ => streams.push((side, bytes)),
        }
    }
    for (side, stream) in &streams {
        talk.data(*side, stream, size);
    }
    talk.goodbye();
    (talk, spoken)
}

fn direction(side: Side) -> Direction {
    if side == CLIENT {
        Direction::ClientToServer
    } else {
        Direction::ServerToClient
    }
}

/// Whether random bytes that were said happen to be this frame, too, and lead on: nobody can know better.
fn is_in_binary(said: &[&Saying], (opcode, bytes): &(Opcode, Vec<u8>)) -> bool {
    let mut stream = Vec::new();
    let mut inside = Vec::new();
    for (side, _, (opcode, payload)) in said {
        let begin = stream.len() + 2;
        stream.extend(frame(*side, 0x80 | opcode.bits(), payload));
        if *opcode == Opcode::Binary {
            inside.extend(begin..stream.len());
        }
    }
    inside.into_iter().any(|at| {
        let Some(header) = Header::parse(&stream[at..]) else {
            return false;
        };
        let payload = stream.get(at + usize::from(header.size)..).unwrap_or_default();
        header.opcode == *opcode
            && header.length == bytes.len() as u64
            && payload.get(..bytes.len()).is_some_and(|sent| {
                let mut plain = sent.to_vec();
                unmask(&mut plain, header.masking_key.unwrap_or_default(), 0);
                plain == *bytes
            })
    })
}

/// `whole` holds nothing that was not said, and all of what `needed` accepts.
fn check(heard: &Heard, spoken: &Spoken, side: Side, needed: impl Fn(u64, u64) -> bool) -> Result<(), TestCaseError> {
    let said: Vec<_> = spoken.iter().filter(|s| s.0 == side).collect();
    let mut next = 0;
    let mut found = vec![false; said.len()];
    for (start, message) in heard.whole_at(direction(side)) {
        // Of several equal ones it is the one that stood there.
        let mut equal = (next..said.len()).filter(|&i| said[i].2 == message);
        let first = equal.clone().next();
        let place = equal.find(|&i| said[i].1 == start).or(first);
        if place.is_none() && is_in_binary(&said, &message) {
            continue;
        }
        prop_assert!(
            place.is_some(),
            "nobody said {:?} {:?}",
            message.0,
            String::from_utf8_lossy(&message.1)
        );
        let place = place.unwrap_or_default();
        found[place] = true;
        next = place + 1;
    }
    for (i, (_, start, (opcode, payload))) in said.iter().enumerate() {
        let end = start + frame(side, 0, payload).len() as u64;
        prop_assert!(
            !needed(*start, end) || found[i],
            "{opcode:?} {:?} at {start} is missing",
            String::from_utf8_lossy(payload)
        );
    }
    Ok(())
}

#[test]
fn of_a_flood_of_violations_so_many_are_told_as_the_captured_bytes_allow() {
    let mut talk = Talk::upgraded();
    // Pings of two bytes that break three rules each.
    let pings = [0xb9, 0].repeat(50_000);
    talk.data(CLIENT, &pings, 1460);
    let heard = talk.heard();
    assert_eq!(heard.whole(Direction::ClientToServer).len(), 50_000);
    assert_eq!(heard.rules.len() as u64 + heard.unlisted, 150_000);
    let captured: usize = talk.packets.iter().map(Vec::len).sum();
    let allowed = 1_024 + captured / 16;
    assert!(
        (allowed - 300..=allowed).contains(&heard.rules.len()),
        "{}",
        heard.rules.len()
    );
    // Who breaks a rule with each frame of usual length has them all told.
    let mut talk = Talk::upgraded();
    for _ in 0..3_000 {
        talk.packet(CLIENT, ACK, &frame(SERVER, 0x81, b"unmasked"));
    }
    let heard = talk.heard();
    assert_eq!((heard.rules.len(), heard.unlisted), (3_000, 0));
}

proptest! {
    #[test]
    fn any_order_and_repetition_gives_the_same_messages(
        lines in prop::collection::vec((any::<bool>(), speech()), 1..12),
        size in 1usize..1400,
        moves in prop::collection::vec((any::<prop::sample::Index>(), 1usize..4, any::<bool>()), 0..12),
    ) {
        let (mut talk, spoken) = session(&lines, size);
        for (from, by, copy) in &moves {
            // The goodbye stays where it is: what comes after the end is late, and nobody waits for it.
            let from = 5 + from.index(talk.packets.len() - 8);
            let to = (from + by).min(talk.packets.len() - 4);
            let packet = if *copy { talk.packets[from].clone() } else { talk.packets.remove(from) };
            talk.packets.insert(to, packet);
        }
        let heard = talk.heard_at_speed();
        for side in [CLIENT, SERVER] {
            check(&heard, &spoken, side, |_, _| true)?;
        }
        prop_assert_eq!(heard.messages.len(), spoken.len());
    }

    #[test]
    fn a_lost_segment_costs_no_message_that_the_rest_holds_whole(
        lines in prop::collection::vec((any::<bool>(), speech()), 4..24),
        size in 40usize..1400,
        lost in any::<prop::sample::Index>(),
    ) {
        let (mut talk, spoken) = session(&lines, size);
        let lost = lost.index(talk.packets.len());
        talk.packets.remove(lost);
        let (loser, hole) = talk.places.remove(lost);
        let heard = talk.heard();
        for side in [CLIENT, SERVER] {
            // The first frame that begins behind the lost bytes may go unrecognised, and where its beginning looks like the inside of a
            // text, the one behind it as well.
            let mut behind: Vec<_> = spoken.iter().filter(|s| s.0 == side && s.1 >= hole.end).map(|s| s.1).collect();
            behind.sort_unstable();
            let second = behind.get(1).copied().unwrap_or(u64::MAX);
            check(&heard, &spoken, side, |start, end| {
                side != loser || hole.is_empty() || end <= hole.start || start > second
            })?;
        }
    }

    #[test]
    fn a_capture_that_begins_late_holds_what_is_left(
        lines in prop::collection::vec((any::<bool>(), speech()), 16..40),
        size in 40usize..1400,
        late in any::<prop::sample::Index>(),
    ) {
        let (mut talk, spoken) = session(&lines, size);
        let late = late.index(talk.packets.len());
        talk.packets.drain(..late);
        let heard = talk.heard();
        for side in [CLIENT, SERVER] {
            check(&heard, &spoken, side, |_, _| false)?;
        }
    }
}

#[test]
fn a_late_capture_is_recognised_and_knows_its_client() {
    let lines: Vec<_> = (0..20)
        .map(|i| {
            (
                i % 2 == 0,
                (0x81, format!("{{\"type\":\"say\",\"number\":{i}}}").into_bytes()),
            )
        })
        .collect();
    let (mut talk, spoken) = session(&lines, 1460);
    talk.packets.drain(..7);
    // The server's packet is the first one.
    talk.packets.swap(0, 2);
    let heard = talk.heard();
    assert_eq!(heard.messages.len(), spoken.len());
    assert!(heard.messages.iter().all(|m| m.inferred && m.complete));
    assert_eq!(heard.clients, [40_000]);
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn http2_frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream], payload].concat()
}

#[test]
fn a_websocket_in_an_http2_stream_behind_an_upgrade_to_h2c() {
    let mut talk = Talk::new();
    let get = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    talk.data(CLIENT, get, 1460);
    let mut server = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".to_vec();
    server.extend(http2_frame(4, 0, 0, &[0, 8, 0, 0, 0, 1]));
    talk.data(SERVER, &server, 1460);
    let mut block = Vec::new();
    for (name, value) in [(":method", "CONNECT"), (":protocol", "websocket"), (":path", "/chat")] {
        block.push(0);
        for text in [name, value] {
            block.push(text.len() as u8);
            block.extend(text.as_bytes());
        }
    }
    let mut client = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    client.extend(http2_frame(4, 0, 0, &[]));
    client.extend(http2_frame(1, 4, 3, &block));
    talk.data(CLIENT, &client, 1460);
    talk.data(SERVER, &http2_frame(1, 4, 3, &[0x88]), 1460);
    // A frame over two DATA frames, and two in one.
    let hi = text(CLIENT, "hi");
    talk.data(CLIENT, &http2_frame(0, 0, 3, &hi[..5]), 1460);
    talk.data(CLIENT, &http2_frame(0, 0, 3, &hi[5..]), 1460);
    let both = [text(SERVER, "ho"), text(SERVER, "hum")].concat();
    talk.data(SERVER, &http2_frame(0, 1, 3, &both), 1460);
    let heard = talk.heard();
    assert_eq!(heard.texts(), ["hi", "ho", "hum"]);
}
