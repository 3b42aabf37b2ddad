//! A session written anew: a TCP connection in which the handshake and the complete messages stand as plain HTTP/1.1 and uncompressed frames.

use super::heads::{Head, KEY, Scrubber};
use super::packets;
use super::stream::header;
use crate::base::{Direction, Endpoint, Timestamp};
use crate::layer::http1::accept_for;
use crate::layer::ws::unmask;
use crate::record::{FrameInfo, Handshake, Message, SessionEnd, Source};
use crate::wire::TcpFlags;

const FIN: u16 = 0x01;
const SYN: u16 = 0x02;
const RST: u16 = 0x04;
const PSH: u16 = 0x08;
const ACK: u16 = 0x10;

/// Data of one segment.
const SEGMENT: usize = 16 << 10;

/// The connection.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// The client first.
    ends: [Endpoint; 2],
    /// The next sequence number of each.
    next: [u32; 2],
    /// The time of its last packet: what is known late of one side may be older than what is known of the other.
    last: Timestamp,
    /// What payloads mean is an extension's affair.
    pub(super) opaque: bool,
}

impl Rewritten {
    pub(super) fn new(client: Endpoint, server: Endpoint) -> Self {
        Self {
            ends: [client, server],
            next: [0, 0],
            last: Timestamp::from_nanos(i64::MIN),
            opaque: false,
        }
    }

    /// When a packet is sent of something that is known to be of that time.
    pub(super) fn time(&mut self, time: Timestamp) -> Timestamp {
        self.last = self.last.max(time);
        self.last
    }

    /// The handshake of TCP.
    pub(super) fn open(&mut self) -> Vec<Vec<u8>> {
        let up = Direction::ClientToServer;
        vec![
            self.segment(up, SYN, b""),
            self.segment(up.other(), SYN | ACK, b""),
            self.segment(up, ACK, b""),
        ]
    }

    /// Bytes, and what acknowledges them.
    pub(super) fn send(&mut self, direction: Direction, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        for data in bytes.chunks(SEGMENT) {
            packets.push(self.segment(direction, PSH | ACK, data));
            packets.push(self.segment(direction.other(), ACK, b""));
        }
        packets
    }

    /// A complete message with this payload, in one frame.
    pub(super) fn message(&mut self, message: &Message<'_>, mut payload: Vec<u8>) -> Vec<Vec<u8>> {
        let key = message.masked.then(|| message.masking_key.unwrap_or_default());
        let mut frame = FrameInfo {
            direction: message.direction,
            opcode: message.opcode,
            fin: true,
            rsv: [false; 3],
            masking_key: key,
            header: 0,
            length: payload.len() as u64,
            span: message.span,
            offset: 0,
        };
        frame.header = frame.least_header();
        let mut bytes = header(&frame);
        if let Some(key) = key {
            unmask(&mut payload, key, 0);
        }
        bytes.append(&mut payload);
        self.send(message.direction, &bytes)
    }

    /// How it ended.
    pub(super) fn end(&mut self, end: &SessionEnd) -> Vec<Vec<u8>> {
        if let Some(by) = end.reset {
            return vec![self.segment(by, RST | ACK, b"")];
        }
        let mut packets = Vec::new();
        // Who sent the close frame, or ended it, first.
        let first = end.by.unwrap_or(Direction::ClientToServer);
        for by in [first, first.other()] {
            if end.fin[by] {
                packets.push(self.segment(by, FIN | ACK, b""));
                packets.push(self.segment(by.other(), ACK, b""));
            }
        }
        packets
    }

    fn segment(&mut self, direction: Direction, flags: u16, data: &[u8]) -> Vec<u8> {
        let (own, other) = (direction.index(), direction.other().index());
        let head = packets::Head {
            source: self.ends[own],
            destination: self.ends[other],
            seq: self.next[own],
            ack: if flags & ACK == 0 { 0 } else { self.next[other] },
            flags: TcpFlags(flags),
            window: u16::MAX,
            urgent: 0,
            options: Vec::new(),
            id: 0,
            ttl: 64,
            damaged: false,
        };
        self.next[own] = self.next[own]
            .wrapping_add(data.len() as u32)
            .wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        head.packet(data)
    }
}

/// The heads of the handshake as plain HTTP/1.1, and whether the request is made up.
pub(super) fn heads(
    scrubber: &Scrubber<'_>,
    source: &Source,
    handshake: Option<&Handshake>,
) -> (Vec<u8>, Option<Vec<u8>>, bool) {
    let http2 = source.stream.is_some();
    let request = handshake
        .map(|handshake| &handshake.request)
        .filter(|request| !request.method.is_empty());
    let response = handshake.and_then(|handshake| handshake.response.as_ref());
    let made_up = request.is_none();
    let whole = !http2 && request.is_some_and(|request| !request.cut) && response.is_none_or(|response| !response.cut);

    let mut head = match request {
        Some(request) => scrubber.request(request),
        None => Head {
            first: "GET / HTTP/1.1".to_owned(),
            headers: Vec::new(),
        },
    };
    let authority = request.and_then(|request| request.header(":authority"));
    let authority = authority.map(|authority| scrubber.value("host", authority));
    if http2 && let Some(request) = request {
        head.first = format!("GET {} HTTP/1.1", scrubber.target(&request.target));
    }
    head.drop(&["sec-websocket-extensions"]);
    let mut answer = match (response, handshake) {
        (Some(response), Some(handshake)) => Some(scrubber.answer(&head, response, handshake.accept)),
        // Nobody has seen the beginning.
        (None, None) => Some(Head {
            first: "HTTP/1.1 101 Switching Protocols".to_owned(),
            headers: Vec::new(),
        }),
        (_, _) => None,
    };
    let status = response.map_or(101, |response| response.status);
    let agreed = status == 101 || http2 && status == 200;
    if let Some(answer) = &mut answer {
        answer.drop(&["sec-websocket-extensions"]);
        if agreed && http2 {
            answer.first = "HTTP/1.1 101 Switching Protocols".to_owned();
        } else if !agreed {
            answer.drop(&["content-length", "transfer-encoding"]);
            answer.add("Content-Length", "0");
        }
    }
    if !whole {
        if !head.has("host") {
            let host = match authority {
                Some(authority) => authority,
                None if scrubber.hosts => "host".to_owned(),
                None => source.server.to_string(),
            };
            head.add("Host", &host);
        }
        let needed = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", KEY),
        ];
        needed
            .into_iter()
            .filter(|(name, _)| !head.has(name))
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|(name, value)| head.add(name, value));
        if let Some(answer) = answer.as_mut().filter(|_| agreed) {
            answer.drop(&["upgrade", "connection", "sec-websocket-accept"]);
            answer.add("Upgrade", "websocket");
            answer.add("Connection", "Upgrade");
            let key = head.value("sec-websocket-key").unwrap_or(KEY);
            answer.add("Sec-WebSocket-Accept", &accept_for(key));
            let chosen = answer.value("sec-websocket-protocol");
            if let Some(value) = chosen.filter(|_| !head.has("sec-websocket-protocol")) {
                head.add("Sec-WebSocket-Protocol", value);
            }
        }
    }
    (head.write(), answer.map(|answer| answer.write()), made_up)
}
