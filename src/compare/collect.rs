//! Hears a capture and keeps what the comparison needs of it.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::ops::ControlFlow;

use foldhash::fast::FixedState;
use sha2::{Digest as _, Sha256};

use super::capture::{BLOCK, Capture, EXCERPT, End, Kept, Session};
use crate::base::{Direction, PacketRef, PerDirection, Side};
use crate::record::{
    Handshake, How, Http2Frame, Message, Opcode, Record, RecordKind, Request, SegmentView, SessionEnd, Sink, Source,
    TransportEnd,
};
use crate::wire::Packet;

/// Places of gaps that are remembered of one direction of a session.
const MAX_GAPS: usize = 1024;

/// Header lines of one handshake that are remembered.
const MAX_HEADERS: usize = 64;

/// Keeps what goes by, within a bound; then it says stop.
#[derive(Debug)]
pub struct Collector {
    capture: Capture,
    /// Where the session of that number is.
    sessions: HashMap<u64, usize>,
    /// The sessions of HTTP/2 by connection and stream.
    streams: HashMap<(u64, u32), usize>,
    connections: HashMap<u64, Connection>,
    /// Bytes that may be kept, and those that are.
    bound: usize,
    kept: usize,
}

/// What is known of a TCP connection.
#[derive(Debug, Default)]
struct Connection {
    sessions: Vec<usize>,
    /// By side: how far what it sent was acknowledged.
    acknowledged: [u64; 2],
    /// By side: what it sent and is not acknowledged yet.
    waiting: [VecDeque<Waiting>; 2],
    /// By side: something of it was captured.
    heard: [bool; 2],
    /// FIN or RST of each side: who, what and when.
    ended: Vec<(Side, How, PacketRef)>,
}

/// A message that was not acknowledged yet.
#[derive(Debug)]
struct Waiting {
    /// Where its last byte ends in the TCP stream.
    end: u64,
    session: usize,
    direction: Direction,
    place: u32,
}

/// Bytes of memory that a header takes until sessions are joined.
const HEADER: usize = 64;

impl Collector {
    /// One that keeps at most about so many bytes.
    pub fn new(bound: usize) -> Self {
        Self {
            capture: Capture::default(),
            sessions: HashMap::new(),
            streams: HashMap::new(),
            connections: HashMap::new(),
            bound,
            kept: 0,
        }
    }

    /// What was kept, after the end of the capture.
    pub fn finish(mut self) -> Capture {
        for connection in self.connections.into_values() {
            for side in Side::BOTH {
                if !connection.heard[side.other().index()] {
                    continue;
                }
                for waiting in &connection.waiting[side.index()] {
                    self.capture.sessions[waiting.session].unacknowledged[waiting.direction].push(waiting.place);
                }
            }
        }
        for session in &mut self.capture.sessions {
            for direction in Direction::BOTH {
                session.unacknowledged[direction].sort_unstable();
            }
        }
        self.capture.sessions.sort_by_key(|session| session.number);
        self.capture
    }

    /// Takes so many bytes of the bound.
    fn take(&mut self, bytes: usize) {
        self.kept = self.kept.saturating_add(bytes);
    }

    /// Where the session of `source` is.
    fn session(&mut self, source: &Source) -> Option<usize> {
        let number = source.session?.0;
        if let Some(&at) = self.sessions.get(&number) {
            return Some(at);
        }
        let at = self.capture.sessions.len();
        self.take(2 * size_of::<Session>() + 256);
        self.sessions.insert(number, at);
        if let Some(stream) = source.stream {
            self.streams.insert((source.connection.0, stream), at);
        }
        let connection = self.connections.entry(source.connection.0).or_default();
        connection.sessions.push(at);
        let mut session = Session {
            number,
            connection: source.connection.0,
            client: source.client,
            server: source.server,
            proxied: source.proxied.as_deref().cloned(),
            scheme: source.scheme,
            stream: source.stream,
            inferred: source.inferred,
            target: None,
            key: None,
            headers: Vec::new(),
            forwarded_for: None,
            request: None,
            response: None,
            refused: None,
            deflate: false,
            messages: PerDirection::default(),
            gaps: PerDirection::default(),
            unacknowledged: PerDirection::default(),
            end: None,
            active: None,
        };
        // One that is recognised late may be over already.
        for &(side, how, at) in &connection.ended {
            session.note_end(End {
                at,
                by: source.direction(side),
                how,
                code: None,
            });
        }
        self.capture.sessions.push(session);
        Some(at)
    }

    fn request(&mut self, session: usize, request: &Request, at: PacketRef) {
        let session = &mut self.capture.sessions[session];
        if session.request.is_some() || request.method.is_empty() {
            return;
        }
        session.request = Some(at);
        session.target = Some(request.target.as_str().into());
        session.key = request.header("sec-websocket-key").map(Into::into);
        let forwarded = ["x-forwarded-for", "x-real-ip", "forwarded"]
            .iter()
            .find_map(|name| request.header(name));
        session.forwarded_for = forwarded.map(|value| forwarded_address(value).into());
        session.headers = request
            .headers
            .iter()
            .filter(|(name, _)| !HOP_BY_HOP.iter().any(|of| name.eq_ignore_ascii_case(of)))
            .take(MAX_HEADERS)
            .map(|(name, value)| {
                let mut hasher = FixedState::default().build_hasher();
                name.to_ascii_lowercase().hash(&mut hasher);
                value.hash(&mut hasher);
                hasher.finish()
            })
            .collect();
        let bytes = request.target.len() + HEADER * session.headers.len() + 64;
        self.take(bytes);
    }

    fn handshake(&mut self, session: usize, handshake: &Handshake, at: PacketRef) {
        let requested = handshake.request.span.map_or(at, |span| span.last);
        self.request(session, &handshake.request, requested);
        let session = &mut self.capture.sessions[session];
        session.response = handshake.response.as_ref().map(|_| at);
        session.deflate = handshake.deflate.is_some();
    }

    fn message(&mut self, session: usize, source: &Source, message: &Message<'_>, at: PacketRef) {
        let bytes = message.payload.bytes;
        let mut hash = [0; 16];
        hash.copy_from_slice(&Sha256::digest(bytes)[..16]);
        let mut kept = Kept::new(message.opcode, at, message.payload.length(), hash);
        kept.complete = message.complete;
        kept.close = message.close.map(|close| close.code);
        let excerpt = match message.text {
            Some(text) => {
                let mut ends = (0..=EXCERPT.min(text.len())).rev();
                let end = ends.find(|&end| text.is_char_boundary(end));
                &bytes[..end.unwrap_or(0)]
            }
            None => &bytes[..bytes.len().min(EXCERPT)],
        };
        if message.complete && !excerpt.is_empty() {
            self.take(excerpt.len());
            let at = keep_excerpt(&mut self.capture.excerpts, excerpt);
            kept.set_excerpt(at, excerpt.len() as u8);
        }
        self.take(2 * size_of::<Kept>());
        let messages = &mut self.capture.sessions[session].messages[message.direction];
        let place = messages.len() as u32;
        messages.push(kept);
        let side = source.side(message.direction).index();
        let connection = self.connections.entry(source.connection.0).or_default();
        if message.span.tcp.end > connection.acknowledged[side] {
            connection.waiting[side].push_back(Waiting {
                end: message.span.tcp.end,
                session,
                direction: message.direction,
                place,
            });
        }
        if message.opcode == Opcode::Close {
            let by = message.direction;
            self.capture.sessions[session].note_end(End {
                at,
                by,
                how: How::Close,
                code: kept.close,
            });
        } else {
            self.capture.sessions[session].is_active(at);
        }
    }

    /// What a segment means for the connection's sessions: its acknowledgment, its FIN or RST.
    fn segment(&mut self, packet: PacketRef, view: &SegmentView<'_>) {
        let facts = view.facts;
        let number = view.connection.number;
        let newly = &facts.ack.newly;
        if newly.is_empty() && !facts.fin && !facts.reset && !self.connections.contains_key(&number) {
            return;
        }
        let connection = self.connections.entry(number).or_insert_with(|| {
            self.kept = self.kept.saturating_add(2 * size_of::<Connection>());
            Connection::default()
        });
        let (own, other) = (facts.side.index(), facts.side.other().index());
        connection.heard[own] = true;
        if newly.end > connection.acknowledged[other] {
            connection.acknowledged[other] = newly.end;
            while let Some(first) = connection.waiting[other].front()
                && first.end <= newly.end
            {
                connection.waiting[other].pop_front();
            }
        }
        if !facts.fin && !facts.reset {
            return;
        }
        let how = if facts.reset { How::Rst } else { How::Fin };
        if !connection.ended.iter().any(|(side, ..)| *side == facts.side) {
            connection.ended.push((facts.side, how, packet));
        }
        for &session in &connection.sessions {
            let session = &mut self.capture.sessions[session];
            let by = if view.connection.endpoints[own] == session.client {
                Direction::ClientToServer
            } else {
                Direction::ServerToClient
            };
            match &mut session.end {
                // An alert announced it.
                Some(end) if end.how == How::Alert && end.by == by => end.how = how,
                _ => session.note_end(End {
                    at: packet,
                    by,
                    how,
                    code: None,
                }),
            }
        }
    }

    /// The end of a stream of HTTP/2, which is that of its session.
    fn stream_end(&mut self, source: &Source, stream: u32, by: Direction, how: How, at: PacketRef) {
        if let Some(&session) = self.streams.get(&(source.connection.0, stream)) {
            self.capture.sessions[session].note_end(End {
                at,
                by,
                how,
                code: None,
            });
        }
    }

    fn session_end(&mut self, session: usize, end: &SessionEnd, at: PacketRef) {
        let session = &mut self.capture.sessions[session];
        session.refused = end.refused;
        let carrier_ended = matches!(
            end.transport,
            TransportEnd::GoAway { .. } | TransportEnd::RstStream { .. } | TransportEnd::EndStream { .. }
        );
        if let (None, Some(by), true) = (session.end, end.by, carrier_ended) {
            session.note_end(End {
                at,
                by,
                how: end.how,
                code: None,
            });
        }
    }
}

/// Headers that each hop writes for itself, or that are told apart otherwise.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "upgrade",
    "host",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
];

/// The first address of `X-Forwarded-For`, `X-Real-IP` or `Forwarded` (RFC 7239 §4).
fn forwarded_address(value: &str) -> &str {
    let first = value.split([',', ';']).next().unwrap_or_default().trim();
    let first = first
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("for="))
        .map_or(first, |_| &first[4..]);
    let bare = first.trim_matches(['"', '[', ']']);
    bare.split("]:").next().unwrap_or(bare)
}

/// Puts an excerpt into the last block, or a new one; gives its place.
fn keep_excerpt(blocks: &mut Vec<Vec<u8>>, excerpt: &[u8]) -> u32 {
    if blocks.last().is_none_or(|block| block.len() + excerpt.len() > BLOCK) {
        blocks.push(Vec::with_capacity(BLOCK));
    }
    let block = blocks.len() - 1;
    let at = block * BLOCK + blocks[block].len();
    blocks[block].extend_from_slice(excerpt);
    // 4 GiB of excerpts are more than any bound.
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Session {
    /// A sign of its end. The earliest packet counts, and in one packet the close frame before the FIN.
    fn note_end(&mut self, end: End) {
        let rank = |end: &End| (end.at.packet, end.how != How::Close);
        if self.end.is_none_or(|known| rank(&end) < rank(&known)) {
            self.end = Some(end);
        }
    }

    /// Bytes of it came.
    fn is_active(&mut self, at: PacketRef) {
        let before_the_end = self.end.is_none_or(|end| at.packet <= end.at.packet);
        if before_the_end && self.active.is_none_or(|known| known.packet < at.packet) {
            self.active = Some(at);
        }
    }
}

impl Sink for Collector {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.capture.packets += 1;
        self.capture.times = Some(match self.capture.times {
            Some((first, last)) => (first.min(packet.time), last.max(packet.time)),
            None => (packet.time, packet.time),
        });
        if let Some(view) = segment {
            let at = PacketRef {
                packet: packet.number,
                time: packet.time,
            };
            self.segment(at, &view);
        }
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        let at = record.at;
        match record.kind {
            RecordKind::Http2 {
                direction,
                stream,
                frame,
            } => match frame {
                Http2Frame::Data { end: true, .. } => {
                    self.stream_end(record.source, stream, direction, How::EndStream, at);
                }
                Http2Frame::Reset { .. } => self.stream_end(record.source, stream, direction, How::RstStream, at),
                _ => {}
            },
            RecordKind::TlsPacket { direction, packet } if packet.alert.is_some() => {
                let connection = self.connections.get(&record.source.connection.0);
                for &session in connection.iter().flat_map(|connection| &connection.sessions) {
                    self.capture.sessions[session].note_end(End {
                        at,
                        by: direction,
                        how: How::Alert,
                        code: None,
                    });
                }
            }
            kind => {
                let Some(session) = self.session(record.source) else {
                    return ControlFlow::Continue(());
                };
                match kind {
                    RecordKind::UpgradeRequest(request) => {
                        self.request(session, request, at);
                        self.capture.sessions[session].is_active(at);
                    }
                    RecordKind::Handshake(handshake) => {
                        self.handshake(session, handshake, at);
                        self.capture.sessions[session].is_active(at);
                    }
                    RecordKind::Message(message) => self.message(session, record.source, message, at),
                    RecordKind::Progress(progress) if progress.opcode != Opcode::Close => {
                        self.capture.sessions[session].is_active(at);
                    }
                    RecordKind::Gap { direction, .. } => {
                        let session = &mut self.capture.sessions[session];
                        let place = session.messages[direction].len() as u32;
                        let gaps = &mut session.gaps[direction];
                        if gaps.len() < MAX_GAPS && gaps.last() != Some(&place) {
                            gaps.push(place);
                        }
                    }
                    RecordKind::SessionEnd(end) => self.session_end(session, end, at),
                    _ => {}
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        if self.kept <= self.bound {
            return ControlFlow::Continue(());
        }
        self.capture.full_at = Some(packet.number);
        ControlFlow::Break(())
    }
}
