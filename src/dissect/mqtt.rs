//! MQTT 3.1, 3.1.1 and 5 over WebSocket (OASIS, mqtt-v3.1.1 §6, mqtt-v5.0 §6): control packets in binary messages, which need not keep to the
//! borders of these.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use foldhash::fast::FixedState;

use super::{Claim, Dissector, Interpretations, MAX_DOCUMENTS, MessageView, Text, speaks};
use crate::base::{Direction, PerDirection};
use crate::record::{Action, Exchange, Field, Handshake, Interpretation, Key, SessionId};

pub(super) const NAME: &str = "MQTT";

/// Bytes that are kept of a packet that no message holds as a whole: of a larger one the payload is not told.
const MAX_PACKET: usize = 64 << 10;
/// Bytes of unfinished packets that all sessions together keep.
const MAX_WAITING: usize = 4 << 20;
/// Topic filters of one packet that are told.
const MAX_TOPICS: usize = 4;

/// Joins packets over messages and reads them.
#[derive(Default)]
pub(super) struct Mqtt {
    sessions: HashMap<SessionId, Session, FixedState>,
    /// Bytes that wait in all of them.
    waiting: usize,
    /// Where they wait, by the message that came last there.
    begun: BTreeMap<u64, (SessionId, Direction)>,
    /// Messages so far.
    messages: u64,
    /// The packet that the current message completed; it began in an earlier one.
    completed: Vec<u8>,
    /// Packet identifiers of the current message, spelled out, one behind the other.
    ids: String,
}

struct Session {
    /// The protocol level that a CONNECT named: 3, 4 or 5.
    level: u8,
    streams: PerDirection<Stream>,
}

/// One direction.
#[derive(Default)]
struct Stream {
    /// The beginning of a packet that is not whole yet, up to [`MAX_PACKET`] bytes.
    waiting: Vec<u8>,
    /// The message of which `waiting` has the last bytes.
    last: u64,
    /// How much of it is still to come and not kept.
    skip: usize,
    /// Bytes are missing: packets are read again where a message begins with one and ends with one.
    lost: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            level: 4,
            streams: PerDirection::default(),
        }
    }
}

impl Dissector for Mqtt {
    fn claims(&self, handshake: &Handshake) -> Claim {
        speaks(handshake, &["mqtt", "mqttv3.1", "mqttv3.1.1"])
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        if !message.claimed || !message.may_keep && !self.sessions.contains_key(&message.session) {
            return false;
        }
        let session = self.sessions.entry(message.session).or_default();
        let stream = &mut session.streams[message.direction];
        let before = stream.waiting.capacity();
        if !stream.waiting.is_empty() {
            self.begun.remove(&stream.last);
        }
        let at = stream.push(message.bytes, &mut self.completed);
        self.waiting = self.waiting + stream.waiting.capacity() - before;
        self.messages += 1;
        if !stream.waiting.is_empty() {
            stream.last = self.messages;
            self.begun.insert(stream.last, (message.session, message.direction));
        }
        while self.waiting > MAX_WAITING
            && let Some((_, (session, direction))) = self.begun.pop_first()
        {
            self.gap(session, direction);
        }
        let Some(at) = at else { return false };
        let session = self.sessions.entry(message.session).or_default();
        let packets = || {
            let completed = (!self.completed.is_empty()).then_some((&self.completed[..], (0, at)));
            let rest = Packets {
                bytes: message.bytes,
                at,
            };
            completed.into_iter().chain(rest).take(MAX_DOCUMENTS)
        };
        self.ids.clear();
        for (packet, _) in packets() {
            let (body, _) = body(packet);
            if packet[0] >> 4 == 1
                && let Some((_, [named, ..])) = string(body)
            {
                // Brokers that connect to brokers set the highest bit.
                session.level = named & 0x7f;
            }
            let _ = match id(packet[0], body) {
                Some(id) => write!(self.ids, "{id} "),
                None => write!(self.ids, "- "),
            };
        }
        let level = session.level;
        for ((packet, place), id) in packets().zip(self.ids.split_terminator(' ')) {
            out.push(Interpretation {
                document: Some(place),
                ..interpret(packet[0], body(packet), level, (id != "-").then_some(id))
            });
        }
        !out.is_empty()
    }

    fn gap(&mut self, session: SessionId, direction: Direction) {
        if let Some(session) = self.sessions.get_mut(&session) {
            let stream = std::mem::replace(&mut session.streams[direction], Stream::gap());
            self.waiting -= stream.waiting.capacity();
            self.begun.remove(&stream.last);
        }
    }

    fn end(&mut self, session: SessionId) {
        if let Some(session) = self.sessions.remove(&session) {
            for stream in session.streams.iter() {
                self.waiting -= stream.waiting.capacity();
                self.begun.remove(&stream.last);
            }
        }
    }

    fn cost(&self) -> usize {
        self.sessions.capacity() * size_of::<(SessionId, Session)>()
            + self.waiting
            + self.begun.len() * size_of::<(u64, (SessionId, Direction))>()
    }
}

impl Stream {
    /// After lost bytes.
    fn gap() -> Self {
        Self {
            lost: true,
            ..Self::default()
        }
    }

    /// The next bytes: the packet that they complete goes into `completed`, as far as it was kept, and what they begin is kept. Returns where
    /// the packets begin that lie in `bytes` as a whole; `None` when there are none and nothing was completed.
    fn push(&mut self, bytes: &[u8], completed: &mut Vec<u8>) -> Option<usize> {
        completed.clear();
        if self.lost {
            self.lost = !is_packets(bytes);
            return (!self.lost).then_some(0);
        }
        let mut at = 0;
        while !self.waiting.is_empty() && self.skip == 0 {
            let wanted = match size(&self.waiting) {
                Size::Malformed => return self.lose(),
                Size::Whole { total, .. } if total == self.waiting.len() => {
                    *completed = std::mem::take(&mut self.waiting);
                    break;
                }
                Size::Whole { total, .. } if self.waiting.len() == MAX_PACKET => {
                    self.skip = total - MAX_PACKET;
                    break;
                }
                Size::Whole { total, .. } => total.min(MAX_PACKET) - self.waiting.len(),
                Size::Partial => 1,
            };
            let more = &bytes[at..bytes.len().min(at + wanted)];
            if more.is_empty() {
                return None;
            }
            self.waiting.extend_from_slice(more);
            at += more.len();
        }
        let skipped = self.skip.min(bytes.len() - at);
        self.skip -= skipped;
        at += skipped;
        if skipped > 0 && self.skip == 0 {
            *completed = std::mem::take(&mut self.waiting);
        }
        let mut rest = Packets { bytes, at };
        for _ in rest.by_ref() {}
        let begun = &bytes[rest.at..];
        match size(begun) {
            Size::Malformed => {
                self.lose();
            }
            Size::Whole { total, .. } if begun.len() > MAX_PACKET => {
                self.waiting.extend_from_slice(&begun[..MAX_PACKET]);
                self.skip = total - begun.len();
            }
            Size::Whole { .. } | Size::Partial => self.waiting.extend_from_slice(begun),
        }
        (!completed.is_empty() || rest.at > at).then_some(at)
    }

    fn lose(&mut self) -> Option<usize> {
        *self = Self::gap();
        None
    }
}

/// The packets that lie whole in a message from `at` on, each with its place.
struct Packets<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Packets<'a> {
    type Item = (&'a [u8], (usize, usize));

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.bytes[self.at..];
        match size(rest) {
            Size::Whole { total, .. } if total <= rest.len() => {
                let place = (self.at, total);
                self.at += total;
                Some((&rest[..total], place))
            }
            _ => None,
        }
    }
}

/// What follows the fixed header of a packet, and how many bytes of it were not kept.
fn body(packet: &[u8]) -> (&[u8], usize) {
    match size(packet) {
        Size::Whole { header, total } => (packet.get(header..).unwrap_or_default(), total - packet.len()),
        Size::Partial | Size::Malformed => (&[], 0),
    }
}

enum Size {
    /// A fixed header, and the length of the whole packet.
    Whole {
        header: usize,
        total: usize,
    },
    Partial,
    Malformed,
}

/// The fixed header (§2.2): type and flags, and a length of up to four bytes.
fn size(bytes: &[u8]) -> Size {
    let Some(&first) = bytes.first() else {
        return Size::Partial;
    };
    let kind = first >> 4;
    let flags_fit = match kind {
        0 => false,
        3 => true,
        6 | 8 | 10 => first & 0xf == 2,
        _ => first & 0xf == 0,
    };
    if !flags_fit {
        return Size::Malformed;
    }
    let mut length = 0;
    for (place, &byte) in bytes[1..].iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let header = 2 + place;
            return Size::Whole {
                header,
                total: header + length,
            };
        }
    }
    if bytes.len() > 4 {
        Size::Malformed
    } else {
        Size::Partial
    }
}

/// Whether a message is whole packets and nothing else.
fn is_packets(bytes: &[u8]) -> bool {
    let mut packets = Packets { bytes, at: 0 };
    for _ in packets.by_ref() {}
    packets.at > 0 && packets.at == bytes.len()
}

/// The packet identifier (§2.2.1).
fn id(first: u8, body: &[u8]) -> Option<u16> {
    let at = match first >> 4 {
        3 if first & 6 != 0 => 2 + usize::from(u16::from_be_bytes(*body.first_chunk()?)),
        4..=11 => 0,
        _ => return None,
    };
    Some(u16::from_be_bytes(*body.get(at..)?.first_chunk()?))
}

fn interpret<'a>(first: u8, (body, cut): (&'a [u8], usize), level: u8, id: Option<&'a str>) -> Interpretation<'a> {
    let action = match first >> 4 {
        1 => Action::Open,
        2 => Action::Opened,
        3 => Action::Send,
        4 | 7 | 9 | 11 => Action::Confirm,
        5 => Action::Named("received"),
        6 => Action::Named("release"),
        8 => Action::Subscribe,
        10 => Action::Unsubscribe,
        12 => Action::Ping,
        13 => Action::Pong,
        14 => Action::Close,
        _ => Action::Named("auth"),
    };
    let mut read = Interpretation::new(NAME, action)
        .id(id.map(Text::Plain))
        .exchange(exchange(first, body, id))
        .field("packet_type", Some(Field::Text(Text::Plain(name(first >> 4)))));
    match first >> 4 {
        1 => {
            // Name and level of the protocol, flags, keep-alive, properties, and the client's identifier (§3.1).
            let behind = string(body).and_then(|(_, rest)| skip_properties(rest.get(4..)?, level));
            read = read.label(behind.and_then(string).map(|(client, _)| client));
        }
        2 => {
            let code = body.get(1).map(|code| Field::Number((*code).into()));
            read = read.field("code", code);
        }
        3 => {
            let topic = string(body);
            read = read
                .label(topic.map(|(topic, _)| topic))
                .field("qos", Some(Field::Number(u64::from(first >> 1 & 3))))
                .field("retain", Some(Field::Number(u64::from(first & 1))));
            if let Some(payload) = topic.and_then(|(_, rest)| payload(rest, first, level)) {
                let text = std::str::from_utf8(payload).ok().filter(|_| cut == 0);
                read = read
                    .field("payload", text.map(|text| Field::Text(Text::Plain(text))))
                    .field("payload_length", Some(Field::Number((payload.len() + cut) as u64)));
            }
        }
        8 | 10 => {
            let mut rest = body
                .get(2..)
                .and_then(|rest| skip_properties(rest, level))
                .unwrap_or_default();
            for nth in 0..MAX_TOPICS {
                let Some((topic, behind)) = string(rest) else { break };
                if nth == 0 {
                    read = read.label(Some(topic));
                } else {
                    read = read.field("topic", Some(Field::Text(topic)));
                }
                // A subscription has a byte of options behind each filter (§3.8.3).
                rest = behind.get(usize::from(first >> 4 == 8)..).unwrap_or_default();
            }
        }
        _ => {}
    }
    read
}

/// What is acknowledged: PUBLISH by PUBACK, or by PUBCOMP at the end of four packets (§4.3), or by a PUBREC that says no.
fn exchange(first: u8, body: &[u8], id: Option<&str>) -> Exchange {
    let key = id.map(|id| Key::new([Text::Plain(id)]));
    match (first >> 4, key) {
        // Sent again: the first one asks.
        (3, _) if first & 8 != 0 => Exchange::None,
        (3 | 8 | 10, Some(key)) => Exchange::Request(key),
        (4 | 7 | 9 | 11, Some(key)) => Exchange::Answer(key),
        (5, Some(key)) if body.get(2).is_some_and(|reason| *reason >= 0x80) => Exchange::Answer(key),
        (12, _) => Exchange::Request(Key::PING),
        (13, _) => Exchange::Latest(Key::PING),
        _ => Exchange::None,
    }
}

/// A string with its length before it (§1.5.3), and what follows it.
fn string(bytes: &[u8]) -> Option<(Text<'_>, &[u8])> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    let rest = bytes.get(2..)?;
    let text = std::str::from_utf8(rest.get(..length)?).ok()?;
    Some((Text::Plain(text), &rest[length..]))
}

/// What follows the topic and the identifier of a PUBLISH.
fn payload(rest: &[u8], first: u8, level: u8) -> Option<&[u8]> {
    let behind_id = rest.get(if first & 6 != 0 { 2 } else { 0 }..)?;
    skip_properties(behind_id, level)
}

/// Passes over the properties, which MQTT 5 has (§2.2.2).
fn skip_properties(bytes: &[u8], level: u8) -> Option<&[u8]> {
    if level < 5 {
        return Some(bytes);
    }
    let mut length = 0;
    for (place, &byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return bytes.get(1 + place + length..);
        }
    }
    None
}

const fn name(kind: u8) -> &'static str {
    match kind {
        1 => "CONNECT",
        2 => "CONNACK",
        3 => "PUBLISH",
        4 => "PUBACK",
        5 => "PUBREC",
        6 => "PUBREL",
        7 => "PUBCOMP",
        8 => "SUBSCRIBE",
        9 => "SUBACK",
        10 => "UNSUBSCRIBE",
        11 => "UNSUBACK",
        12 => "PINGREQ",
        13 => "PINGRESP",
        14 => "DISCONNECT",
        _ => "AUTH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISH: &[u8] = b"\x32\x0b\x00\x03a/b\x00\x07{}\n\n";

    #[test]
    fn a_publish_is_named_by_its_topic() {
        let read = interpret(PUBLISH[0], (&PUBLISH[2..], 0), 4, Some("7"));
        assert_eq!((read.action, read.label), (Action::Send, Some(Text::Plain("a/b"))));
        assert_eq!(read.fields.text("payload"), Some(Text::Plain("{}\n\n")));
        assert_eq!(read.fields.get("qos"), Some(Field::Number(1)));
        assert_eq!(id(PUBLISH[0], &PUBLISH[2..]), Some(7));
    }

    #[test]
    fn every_kind_of_packet_says_what_it_does() {
        for kind in 1..=15_u8 {
            let read = interpret(kind << 4, (&[0, 5], 0), 5, Some("5"));
            assert_ne!(read.action, Action::Other, "{}", name(kind));
        }
    }

    /// The packets that a message completes, and where the message says they lie.
    fn push(stream: &mut Stream, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut completed = Vec::new();
        let Some(at) = stream.push(bytes, &mut completed) else {
            return Vec::new();
        };
        let rest = Packets { bytes, at }.map(|(packet, _)| packet.to_vec());
        let first = (!completed.is_empty()).then(|| completed.clone());
        first.into_iter().chain(rest).collect()
    }

    #[test]
    fn packets_are_found_however_messages_cut_them() {
        let bytes = [PUBLISH, b"\xc0\x00", PUBLISH].concat();
        for size in 1..=bytes.len() {
            let mut stream = Stream::default();
            let found: Vec<_> = bytes.chunks(size).flat_map(|piece| push(&mut stream, piece)).collect();
            assert_eq!(found, [PUBLISH, b"\xc0\x00", PUBLISH], "in pieces of {size}");
        }
    }

    #[test]
    fn after_a_gap_a_message_of_whole_packets_begins_anew() {
        let mut stream = Stream::gap();
        assert!(push(&mut stream, &PUBLISH[3..]).is_empty());
        assert_eq!(push(&mut stream, PUBLISH), [PUBLISH]);
    }

    #[test]
    fn of_a_packet_that_is_too_large_the_beginning_is_read() {
        let large = [b"\x32\xff\xff\x7f\x00\x03a/b\x00\x07", &vec![b'x'; (1 << 21) - 8][..]].concat();
        for cut in [1, 2, 5, 100, MAX_PACKET, MAX_PACKET + 1, large.len() - 1] {
            let mut stream = Stream::default();
            assert!(push(&mut stream, &large[..cut]).is_empty());
            assert!(stream.waiting.len() <= MAX_PACKET);
            assert!(cut > 100_000 || push(&mut stream, &large[cut..100_000]).is_empty());
            let rest = [&large[cut.max(100_000)..], PUBLISH].concat();
            let [first, second] = &push(&mut stream, &rest)[..] else {
                panic!("cut at {cut}")
            };
            assert!(*first == large[..MAX_PACKET] && *second == PUBLISH, "cut at {cut}");
            assert!(stream.waiting.is_empty() && stream.skip == 0);
        }
        let read = interpret(large[0], body(&large[..MAX_PACKET]), 4, Some("7"));
        assert_eq!(read.label, Some(Text::Plain("a/b")));
        assert_eq!(read.fields.text("payload"), None);
        assert_eq!(read.fields.get("payload_length"), Some(Field::Number((1 << 21) - 8)));
    }

    fn view(session: u64, bytes: &[u8]) -> MessageView<'_> {
        MessageView {
            session: SessionId(session),
            bytes,
            text: None,
            claimed: true,
            ..MessageView::text("")
        }
    }

    #[test]
    fn each_packet_of_a_message_has_its_place() {
        let mut mqtt = Mqtt::default();
        assert!(!mqtt.read(&view(1, &PUBLISH[..4]), &mut Interpretations::new()));
        let bytes = [&PUBLISH[4..], b"\xc0\x00\xc0"].concat();
        let (view, mut out) = (view(1, &bytes), Interpretations::new());
        assert!(mqtt.read(&view, &mut out));
        let places: Vec<_> = out.iter().map(|read| (read.action, read.document)).collect();
        assert_eq!(places, [(Action::Send, Some((0, 9))), (Action::Ping, Some((9, 2)))]);
    }

    #[test]
    fn a_connect_names_its_client_in_every_version() {
        for (level, head) in [
            (3, &b"\x00\x06MQIsdp\x03\x02\x00\x3c"[..]),
            (4, b"\x00\x04MQTT\x84\x02\x00\x3c"),
            (5, b"\x00\x04MQTT\x05\x02\x00\x3c\x05\x11\x00\x00\x00\x0a"),
        ] {
            let body = [head, b"\x00\x06sensor"].concat();
            let packet = [&[0x10, body.len() as u8][..], &body].concat();
            let (mut mqtt, mut out) = (Mqtt::default(), Interpretations::new());
            let view = view(1, &packet);
            assert!(mqtt.read(&view, &mut out));
            assert_eq!(out[0].label, Some(Text::Plain("sensor")));
            drop(out);
            assert_eq!(mqtt.sessions[&SessionId(1)].level, level);
        }
    }

    #[test]
    fn what_has_waited_longest_gives_way() {
        let mut mqtt = Mqtt::default();
        let begun = [b"\x30\xf0\xff\x03", &vec![0; 60_000][..]].concat();
        for session in 0..100 {
            mqtt.read(&view(session, &begun), &mut Interpretations::new());
        }
        let lost = |session: u64| mqtt.sessions[&SessionId(session)].streams[Direction::ClientToServer].lost;
        assert!(lost(0) && !lost(99));
        assert!(mqtt.waiting <= MAX_WAITING && mqtt.waiting > MAX_WAITING / 2);
    }

    #[test]
    fn where_nothing_waits_nothing_is_begun() {
        let mut mqtt = Mqtt::default();
        for ends in [&b"\xff\xff\xff\xff"[..], &b"\x00"[..]] {
            mqtt.read(&view(1, b"\x30"), &mut Interpretations::new());
            assert_eq!(mqtt.begun.len(), 1);
            assert!(mqtt.cost() > mqtt.waiting + size_of::<(SessionId, Session)>());
            mqtt.read(&view(1, ends), &mut Interpretations::new());
            assert_eq!(mqtt.begun.len(), 0, "after {ends:?}");
            mqtt.read(&view(1, b"\xc0\x00"), &mut Interpretations::new());
        }
        mqtt.read(&view(1, b"\x30"), &mut Interpretations::new());
        mqtt.end(SessionId(1));
        assert_eq!((mqtt.begun.len(), mqtt.waiting), (0, 0));
    }

    #[test]
    fn packets_that_never_end_take_bounded_memory() {
        let mut mqtt = Mqtt::default();
        let begun = [b"\x30\xf0\xff\x03", &vec![0; 60_000][..]].concat();
        for session in 0..3000 {
            mqtt.read(&view(session, &begun), &mut Interpretations::new());
        }
        assert!(mqtt.waiting <= MAX_WAITING && mqtt.begun.len() < 100);
        for session in 0..3000 {
            mqtt.end(SessionId(session));
        }
        assert_eq!((mqtt.waiting, mqtt.sessions.len(), mqtt.begun.len()), (0, 0, 0));
        let pings = b"\xc0\x00".repeat(1 << 20);
        let (view, mut out) = (view(1, &pings), Interpretations::new());
        assert!(mqtt.read(&view, &mut out));
        assert_eq!(out.len(), MAX_DOCUMENTS);
    }
}
