//! MQTT 3.1.1 and 5 over WebSocket (OASIS, mqtt-v3.1.1 §6, mqtt-v5.0 §6): control packets in binary messages, which need not keep to the
//! borders of these.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use foldhash::fast::FixedState;

use super::{Claim, Dissector, Interpretations, MessageView, Text, speaks};
use crate::base::Direction;
use crate::record::{Action, Exchange, Field, Handshake, Interpretation, Key, SessionId};

pub(super) const NAME: &str = "MQTT";

/// Directions of which the bytes are joined at once.
const MAX_STREAMS: usize = 4096;
/// Bytes of a packet that are kept; a larger one is passed over.
const MAX_PACKET: usize = 256 << 10;
/// Topic filters of one packet that are told.
const MAX_TOPICS: usize = 4;

/// Joins packets over messages and reads them.
#[derive(Default)]
pub(super) struct Mqtt {
    streams: HashMap<(SessionId, Direction), Stream, FixedState>,
    /// The protocol level that a CONNECT named: 4 or 5.
    levels: HashMap<SessionId, u8, FixedState>,
}

/// One direction's bytes.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    /// How many of them were read with the message before.
    read: usize,
    /// What is left of a packet that is too large.
    skip: usize,
    /// Bytes are missing: packets are read again where a message begins with one and ends with one.
    lost: bool,
    /// The whole packets of the current message, each with its fixed header's length.
    packets: Vec<(Range<usize>, usize)>,
    /// Packet identifiers, spelled out, one behind the other.
    ids: String,
}

impl Dissector for Mqtt {
    fn claims(&self, handshake: &Handshake) -> Claim {
        speaks(handshake, &["mqtt", "mqttv3.1", "mqttv3.1.1"])
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let key = (message.session, message.direction);
        if !message.claimed || self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&key) {
            return false;
        }
        let stream = self.streams.entry(key).or_default();
        stream.push(message.bytes);
        let level = self.levels.entry(message.session).or_insert(4);
        stream.spell_ids(level);
        let (stream, level) = (&*stream, *level);
        let mut ids = stream.ids.split_terminator(' ');
        for (range, header) in &stream.packets {
            let packet = &stream.bytes[range.clone()];
            let id = ids.next().filter(|id| *id != "-");
            out.push(interpret(packet[0], &packet[*header..], level, id));
        }
        !out.is_empty()
    }

    fn gap(&mut self, session: SessionId, direction: Direction) {
        if let Some(stream) = self.streams.get_mut(&(session, direction)) {
            *stream = Stream {
                lost: true,
                ..Stream::default()
            };
        }
    }

    fn end(&mut self, session: SessionId) {
        for direction in Direction::BOTH {
            self.streams.remove(&(session, direction));
        }
        self.levels.remove(&session);
    }
}

impl Stream {
    /// The next bytes, and which packets they complete.
    fn push(&mut self, bytes: &[u8]) {
        self.packets.clear();
        self.bytes.drain(..self.read);
        self.read = 0;
        if self.lost {
            self.lost = !ends_with_a_packet(bytes);
            if self.lost {
                return;
            }
        }
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.bytes.extend_from_slice(&bytes[skipped..]);
        loop {
            let rest = &self.bytes[self.read..];
            match size(rest) {
                Size::Whole { header, total } if total <= rest.len() => {
                    self.packets.push((self.read..self.read + total, header));
                    self.read += total;
                }
                Size::Whole { total, .. } if total > MAX_PACKET => {
                    self.skip = total - rest.len();
                    self.read = self.bytes.len();
                    return;
                }
                Size::Whole { .. } | Size::Partial => return,
                Size::Malformed => {
                    self.lost = true;
                    self.read = self.bytes.len();
                    return;
                }
            }
        }
    }

    /// Spells the identifiers of the packets out, `-` for none; notes the level that a CONNECT names.
    fn spell_ids(&mut self, level: &mut u8) {
        self.ids.clear();
        for (range, header) in &self.packets {
            let packet = &self.bytes[range.clone()];
            let body = &packet[*header..];
            if packet[0] >> 4 == 1
                && let Some(named) = body.get(6)
            {
                *level = *named;
            }
            let _ = match id(packet[0], body) {
                Some(id) => write!(self.ids, "{id} "),
                None => write!(self.ids, "- "),
            };
        }
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
fn ends_with_a_packet(mut bytes: &[u8]) -> bool {
    let mut any = false;
    while !bytes.is_empty() {
        match size(bytes) {
            Size::Whole { total, .. } if total <= bytes.len() => bytes = &bytes[total..],
            _ => return false,
        }
        any = true;
    }
    any
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

fn interpret<'a>(first: u8, body: &'a [u8], level: u8, id: Option<&'a str>) -> Interpretation<'a> {
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
        _ => Action::Other,
    };
    let mut read = Interpretation::new(NAME, action)
        .id(id.map(Text::Plain))
        .exchange(exchange(first, body, id))
        .field("packet_type", Some(Field::Text(Text::Plain(name(first >> 4)))));
    match first >> 4 {
        1 => {
            // Name and level of the protocol, flags, keep-alive, properties, and the client's identifier (§3.1).
            let client = skip_properties(body.get(10..).unwrap_or_default(), level).and_then(string);
            read = read.label(client.map(|(client, _)| client));
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
                let text = std::str::from_utf8(payload).ok();
                read = read
                    .field("payload", text.map(|text| Field::Text(Text::Plain(text))))
                    .field("payload_length", Some(Field::Number(payload.len() as u64)));
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
        let read = interpret(PUBLISH[0], &PUBLISH[2..], 4, Some("7"));
        assert_eq!((read.action, read.label), (Action::Send, Some(Text::Plain("a/b"))));
        assert_eq!(read.fields.text("payload"), Some(Text::Plain("{}\n\n")));
        assert_eq!(read.fields.get("qos"), Some(Field::Number(1)));
        assert_eq!(id(PUBLISH[0], &PUBLISH[2..]), Some(7));
    }

    #[test]
    fn packets_are_found_however_messages_cut_them() {
        let bytes = [PUBLISH, b"\xc0\x00", PUBLISH].concat();
        for size in 1..=bytes.len() {
            let mut stream = Stream::default();
            let mut found = Vec::new();
            for piece in bytes.chunks(size) {
                stream.push(piece);
                found.extend(
                    stream
                        .packets
                        .iter()
                        .map(|(range, _)| stream.bytes[range.clone()].to_vec()),
                );
            }
            assert_eq!(found, [PUBLISH, b"\xc0\x00", PUBLISH], "in pieces of {size}");
        }
    }

    #[test]
    fn after_a_gap_a_message_of_whole_packets_begins_anew() {
        let mut stream = Stream {
            lost: true,
            ..Stream::default()
        };
        stream.push(&PUBLISH[3..]);
        assert!(stream.packets.is_empty());
        stream.push(PUBLISH);
        assert_eq!(stream.packets.len(), 1);
    }

    #[test]
    fn a_packet_that_is_too_large_is_passed_over() {
        let mut stream = Stream::default();
        stream.push(b"\x30\xff\xff\x7f");
        stream.push(&vec![0; (1 << 21) - 1]);
        assert!(stream.bytes.len() - stream.read < 8 && stream.packets.is_empty());
        stream.push(PUBLISH);
        assert_eq!(stream.packets.len(), 1);
    }
}
