//! `--redact`: a capture that can be shown and still decodes.
//!
//! No captured byte of data gets into it. Packets of plain sessions are made anew with their sequence numbers, and what stands in them is
//! made from records: heads of known headers, frame headers, texts without what is secret, masked again with the same key. Sessions that are
//! compressed, encrypted or carried by HTTP/2 are written as plain HTTP/1.1 sessions of their complete messages. What no record tells is
//! left out, like bytes that were lost.
//!
//! What is in a packet may be known only when the message is whole: packets are held until then, in order and within a bound.

mod addresses;
mod heads;
mod packets;
mod rewritten;
mod stream;
mod words;

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use foldhash::fast::FixedState;
use regex::Regex;

use super::json_text;
use super::pcapng::Pcapng;
use super::put::counted;
use crate::base::{Captured, Direction, Endpoint, Side, Timestamp};
use crate::record::{Handshake, Message, Opcode, Record, RecordKind, Scheme, SegmentView, SessionEnd, Sink, Source};
use crate::tcp::DataFact;
use crate::wire::{Checksum, LinkType, Packet};
use addresses::Addresses;
use heads::Scrubber;
use packets::{Head, MAX_DATA};
use rewritten::Rewritten;
use stream::Stream;
use words::{FILL, Words};

/// Names of values that are always secret.
pub(crate) use super::credentials::NAMES;

/// Bytes that are held until it is known what may be shown of them, at most.
const HELD: usize = 64 << 20;

/// Connections that are over and of which packets may come.
const OVER: usize = 16 << 10;

/// So far back a packet that is made may get in the queue.
const BACK: usize = 4096;

/// What is to be left out besides.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names of values that are secret, in JSON and in other texts.
    pub names: Vec<String>,
    /// What is secret wherever it stands.
    pub values: Vec<Regex>,
    /// Addresses are replaced, by this key.
    pub addresses: Option<[u8; 32]>,
    /// Bytes of memory for all that the run keeps: a quarter of them may be held.
    pub memory: usize,
}

/// Writes the redacted capture into a buffer.
pub struct Redaction {
    file: Pcapng,
    out: Vec<u8>,
    words: Words,
    addresses: Option<Addresses>,
    queue: VecDeque<Queued>,
    held: usize,
    limit: usize,
    connections: HashMap<u64, Connection, FixedState>,
    rewritten: HashMap<u64, Rewritten, FixedState>,
    /// Whose packets go, or whose session is over, the oldest first.
    over: VecDeque<u64>,
    /// The connection of the current packet.
    current: Option<u64>,
    report: Report,
}

/// What was done.
#[derive(Debug, Default)]
struct Report {
    kept: u64,
    rewritten: u64,
    made_up: u64,
    /// Messages that are blank: they are no text, or binary and no JSON; nobody knows what they mean; not all of them is there.
    no_text: u64,
    opaque: u64,
    incomplete: u64,
    bodies: u64,
    /// Packets that are left out: of connections that are, without TCP, of data that no record tells.
    replaced: u64,
    foreign: u64,
    unknown: u64,
    bound_reached: bool,
}

struct Queued {
    time: Timestamp,
    what: What,
}

enum What {
    /// One of a connection, whose data is to be found in what is known of the stream.
    Captured {
        connection: u64,
        side: Side,
        head: Head,
        /// Where its data begins in the stream.
        offset: i64,
        length: usize,
    },
    /// A whole packet.
    Made(Vec<u8>),
}

impl What {
    fn cost(&self) -> usize {
        size_of::<Queued>()
            + match self {
                // Its connection may be one of its own.
                What::Captured { head, .. } => size_of::<Connection>() / 2 + head.options.len(),
                What::Made(bytes) => bytes.len(),
            }
    }
}

/// What becomes of the packets of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Fate {
    /// It is not known yet whether it is a WebSocket.
    #[default]
    Open,
    /// They stay.
    Kept,
    /// They go; perhaps packets are made in their place.
    LeftOut,
}

#[derive(Default)]
struct Connection {
    fate: Fate,
    /// Its session's payloads mean what an extension makes of them.
    opaque: bool,
    ended: bool,
    /// Its own ports are those of a session in the redacted capture.
    ports_used: bool,
    /// How many checksums of each side were right and wrong: where most are wrong, they were not computed yet when they were captured.
    sums: [[u64; 2]; 2],
    /// The time of its first packet.
    began: Timestamp,
    /// Who has ended it.
    closed: [bool; 2],
    /// The sequence number with which each stream begins.
    begins: [Option<u32>; 2],
    /// Packets in the queue.
    queued: u64,
    /// By side.
    streams: [Stream; 2],
}

impl Redaction {
    /// Nothing is written yet.
    pub fn new(options: &Options) -> Self {
        let mut out = Vec::new();
        let mut file = Pcapng::begin(&mut out, true);
        // Also when no packet comes: a file without an interface is none to libpcap.
        file.interface(&mut out, LinkType::RAW, false);
        Self {
            file,
            out,
            words: Words::new(&options.names, &options.values),
            addresses: options.addresses.map(Addresses::new),
            queue: VecDeque::new(),
            held: 0,
            limit: HELD.min(options.memory / 4),
            connections: HashMap::default(),
            rewritten: HashMap::default(),
            over: VecDeque::new(),
            current: None,
            report: Report::default(),
        }
    }

    /// What was written and not taken yet.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// The end of the capture: all that is held is written.
    pub fn finish(&mut self) {
        self.release(true);
    }

    /// What whoever shows the capture should know, a line each.
    pub fn report(&self) -> Vec<String> {
        let report = &self.report;
        let mut lines = vec![format!(
            "{} as captured but for what was redacted; {} as plain HTTP/1.1 of the complete messages (compressed, encrypted, over HTTP/2, \
             behind a proxy, or with a handshake that is not whole)",
            counted(report.kept, "session"),
            counted(report.rewritten, "session"),
        )];
        let reasons = [
            (
                report.made_up,
                "session",
                "with a handshake that was made up: it was not captured",
            ),
            (
                report.no_text,
                "message",
                "replaced by zeros: no text, or binary and no JSON",
            ),
            (
                report.opaque,
                "message",
                "replaced by zeros: an extension that is not known may have changed the data",
            ),
            (report.incomplete, "message", "blank or left out: incomplete"),
            (report.bodies, "body of a refusal", "replaced"),
            (
                report.replaced,
                "packet",
                "left out: what they hold was written anew, or is no WebSocket session",
            ),
            (report.foreign, "packet", "left out: no TCP"),
            (report.unknown, "packet", "left out: nothing is known of the data"),
        ];
        for (count, what, why) in reasons.into_iter().filter(|(count, ..)| *count > 0) {
            let what = match what {
                "body of a refusal" if count > 1 => format!("{count} bodies of refusals"),
                what => counted(count, what),
            };
            lines.push(format!("{what} {why}"));
        }
        if report.bound_reached {
            lines.push(format!(
                "more than {} KiB would have had to be held (a quarter of --max-memory, at most {} KiB): what was not known by then was left out",
                self.limit >> 10,
                HELD >> 10
            ));
        }
        lines
    }

    fn map(&mut self, end: Endpoint) -> Endpoint {
        match &mut self.addresses {
            Some(addresses) => Endpoint::new(addresses.map(end.addr), end.port),
            None => end,
        }
    }

    /// Puts a packet that is made where its time belongs.
    fn make(&mut self, time: Timestamp, bytes: Vec<u8>) {
        let what = What::Made(bytes);
        self.held += what.cost();
        let behind = self
            .queue
            .iter()
            .rev()
            .take(BACK)
            .take_while(|queued| queued.time > time)
            .count();
        self.queue.insert(self.queue.len() - behind, Queued { time, what });
    }

    /// Packets of which all is known are written; all of them `at_end`.
    fn release(&mut self, at_end: bool) {
        while let Some(front) = self.queue.front() {
            let decided = match &front.what {
                What::Made(_) => true,
                What::Captured {
                    connection,
                    side,
                    offset,
                    length,
                    ..
                } => self
                    .connections
                    .get(connection)
                    .is_none_or(|connection| match connection.fate {
                        Fate::Open => false,
                        Fate::LeftOut => true,
                        Fate::Kept => {
                            *length == 0
                                || connection.ended
                                || connection.streams[side.index()].is_decided(offset + *length as i64)
                        }
                    }),
            };
            if !decided && !at_end && self.held <= self.limit {
                break;
            }
            self.report.bound_reached |= !decided && !at_end;
            let Some(Queued { time, what }) = self.queue.pop_front() else {
                break;
            };
            self.held -= what.cost();
            match what {
                What::Made(bytes) => self.write(time, &bytes),
                What::Captured {
                    connection,
                    side,
                    head,
                    offset,
                    length,
                } => self.write_captured(time, connection, side, head, offset, length),
            }
        }
    }

    fn write(&mut self, time: Timestamp, packet: &[u8]) {
        self.file
            .packet(&mut self.out, LinkType::RAW, time, Captured::whole(packet), None);
    }

    fn write_captured(&mut self, time: Timestamp, number: u64, side: Side, mut head: Head, offset: i64, length: usize) {
        let Some(connection) = self.connections.get_mut(&number) else {
            self.report.replaced += 1;
            return;
        };
        connection.queued -= 1;
        let kept = connection.fate == Fate::Kept;
        let stream = &mut connection.streams[side.index()];
        let runs = if kept { stream.runs(offset, length) } else { Vec::new() };
        let before = stream.cost();
        stream.served(offset);
        self.held -= before - stream.cost();
        if connection.queued == 0 && connection.fate == Fate::Open {
            self.forget(number);
        }
        let control = head.flags.syn() || head.flags.fin() || head.flags.rst();
        if !kept {
            self.report.replaced += 1;
            return;
        }
        if length > 0 && runs.is_empty() && !control {
            self.report.unknown += 1;
            return;
        }
        (head.source, head.destination) = (self.map(head.source), self.map(head.destination));
        let data_seq = head.seq.wrapping_add(u32::from(head.flags.syn()));
        if let [(0, data)] = runs.as_slice()
            && data.len() == length
            && length <= MAX_DATA
        {
            return self.write(time, &head.packet(data));
        }
        // Parts of it: each a packet of its own. What opens or ends the stream stays in its place.
        let flags = head.flags;
        if flags.syn() {
            self.write(time, &head.packet(b""));
        }
        for (at, data) in &runs {
            for (part, data) in data.chunks(MAX_DATA).enumerate() {
                let mut head = head.clone();
                head.seq = data_seq.wrapping_add((at + part * MAX_DATA) as u32);
                head.flags.0 &= !0x07;
                self.write(time, &head.packet(data));
            }
        }
        if !flags.syn() && (control || length == 0) {
            head.seq = data_seq.wrapping_add(length as u32);
            self.write(time, &head.packet(b""));
        }
    }

    /// Nothing more of a connection is to be known.
    fn forget(&mut self, number: u64) {
        if let Some(connection) = self.connections.remove(&number) {
            self.held -= connection.streams.iter().map(Stream::cost).sum::<usize>();
        }
    }

    /// The packets of a connection go.
    fn leave_out(&mut self, number: u64) {
        if let Some(connection) = self.connections.get_mut(&number)
            && connection.fate == Fate::Open
        {
            connection.fate = Fate::LeftOut;
            self.is_over(number);
        }
    }

    /// Little of a connection is still to come: when there are many such, it is forgotten.
    fn is_over(&mut self, number: u64) {
        self.over.push_back(number);
        if self.over.len() > OVER
            && let Some(old) = self.over.pop_front()
        {
            match self.connections.get(&old) {
                Some(connection) if connection.queued > 0 => self.over.push_back(old),
                _ => self.forget(old),
            }
        }
    }

    /// What is shown of a stream changes.
    fn with_stream(&mut self, number: u64, side: Side, change: impl FnOnce(&mut Stream)) {
        if let Some(connection) = self.connections.get_mut(&number) {
            let stream = &mut connection.streams[side.index()];
            let before = stream.cost();
            change(stream);
            self.held = (self.held + stream.cost()).saturating_sub(before);
        }
    }

    /// The packets of a connection stay.
    fn keep(&mut self, number: u64) -> bool {
        match self.connections.get_mut(&number) {
            Some(connection) if connection.fate == Fate::Open => {
                connection.fate = Fate::Kept;
                connection.ports_used = true;
                self.report.kept += 1;
                true
            }
            _ => false,
        }
    }

    fn handshake(&mut self, at: Timestamp, source: &Source, handshake: &Handshake) {
        let request = &handshake.request;
        let response = handshake.response.as_ref();
        let whole = !request.method.is_empty() && !request.cut && request.range.start == 0;
        let answered = response.is_none_or(|response| !response.cut && response.range.start == 0);
        let plain = source.scheme == Scheme::Ws
            && source.stream.is_none()
            && source.proxied.is_none()
            && handshake.deflate.is_none()
            && !handshake.deflate_unknown;
        if !(plain && whole && answered && self.keep(source.connection.0)) {
            self.leave_out(source.connection.0);
            let began = request.span.map_or(at, |span| span.last.time);
            return self.rewrite(source, Some(handshake), began, at);
        }
        let scrubber = Scrubber {
            words: &self.words,
            hosts: self.addresses.is_some(),
        };
        let head = scrubber.request(request);
        let mut heads = vec![(Direction::ClientToServer, request.range.clone(), head)];
        if let Some(response) = response {
            let head = scrubber.answer(&heads[0].2, response, handshake.accept);
            heads.push((Direction::ServerToClient, response.range.clone(), head));
        }
        if let Some(connection) = self.connections.get_mut(&source.connection.0) {
            connection.opaque = !handshake.extensions.is_empty();
        }
        for (direction, range, head) in heads.into_iter().filter(|(_, range, _)| !range.is_empty()) {
            let bytes = head.write_within((range.end - range.start) as usize);
            self.with_stream(source.connection.0, source.side(direction), |stream| {
                if let Some(bytes) = bytes {
                    stream.add(range.start, bytes);
                }
                stream.decide(range.end);
            });
        }
        // Who reads it waits for as many bytes as the head promises.
        if let Some(response) = response.filter(|response| response.body_length > 0)
            && response.header("transfer-encoding").is_none()
        {
            self.report.bodies += 1;
            let body = response.range.end..response.range.end + response.body_length;
            self.with_stream(source.connection.0, source.side(Direction::ServerToClient), |stream| {
                stream.blank(body.start, response.body_length);
                stream.decide(body.end);
            });
        }
    }

    /// A session is written anew.
    fn rewrite(&mut self, source: &Source, handshake: Option<&Handshake>, began: Timestamp, at: Timestamp) {
        let own = source.stream.is_none()
            && self
                .connections
                .get_mut(&source.connection.0)
                .is_none_or(|connection| !std::mem::replace(&mut connection.ports_used, true));
        let (mut client, mut server) = (self.map(source.client), self.map(source.server));
        if !own {
            // One of several sessions: it gets a port that few clients use.
            client.port = 10_000 + (source.number() % 20_000) as u16;
        }
        if matches!(server.port, 443 | 1080) {
            // Who reads it would take it for TLS or SOCKS.
            server.port = 80;
        }
        self.report.rewritten += 1;
        let mut session = Rewritten::new(client, server);
        session.opaque = handshake.is_some_and(|handshake| {
            handshake
                .extensions
                .iter()
                .any(|extension| extension.name != "permessage-deflate")
        });
        let scrubber = Scrubber {
            words: &self.words,
            hosts: self.addresses.is_some(),
        };
        let (request, response, made_up) = rewritten::heads(&scrubber, source, handshake);
        self.report.made_up += u64::from(made_up);
        let mut packets = session.open();
        packets.extend(session.send(Direction::ClientToServer, &request));
        let (began, at) = (session.time(began), session.time(at));
        packets.into_iter().for_each(|packet| self.make(began, packet));
        if let Some(response) = response {
            let packets = session.send(Direction::ServerToClient, &response);
            packets.into_iter().for_each(|packet| self.make(at, packet));
        }
        self.rewritten.insert(source.number(), session);
    }

    fn message(&mut self, record: &Record<'_>, message: &Message<'_>) {
        let source = record.source;
        let number = source.connection.0;
        let known = self.rewritten.contains_key(&source.number());
        if !known {
            let plain = source.scheme == Scheme::Ws && source.stream.is_none() && source.proxied.is_none();
            let kept = plain
                && !message.compressed
                && (self.keep(number) || self.connections.get(&number).is_some_and(|c| c.fate == Fate::Kept));
            if !kept {
                // Also the rest of one that was begun late and turns out to be compressed.
                self.leave_out(number);
                let began = self.connections.get(&number);
                let began = began.map_or(record.at.time, |connection| connection.began);
                self.rewrite(source, None, began, began);
            }
        }
        let complete = message.complete && message.payload.holes.is_empty();
        let opaque = match self.rewritten.get(&source.number()) {
            Some(session) => session.opaque,
            None => self
                .connections
                .get(&number)
                .is_some_and(|connection| connection.opaque),
        };
        // An extension that is not known may have changed the data, but a close frame still says its code.
        let readable = complete && (!opaque || message.opcode == Opcode::Close);
        let payload = self.payload(message).filter(|_| readable);
        if !complete {
            self.report.incomplete += 1;
        } else if payload.is_none() && !message.opcode.is_control() {
            match opaque {
                true => self.report.opaque += 1,
                false => self.report.no_text += 1,
            }
        }
        let side = source.side(message.direction);
        let Some(session) = self.rewritten.get_mut(&source.number()) else {
            return self.with_stream(number, side, |stream| stream.message(message, payload.as_deref()));
        };
        if complete {
            let payload = payload.unwrap_or_else(|| vec![0; message.payload.bytes.len()]);
            let time = session.time(record.at.time);
            for packet in session.message(message, payload) {
                self.make(time, packet);
            }
        }
        if source.stream.is_none() {
            self.with_stream(number, side, |stream| stream.pass(message));
        }
    }

    /// What may be shown of a message; `None`: nothing.
    fn payload(&self, message: &Message<'_>) -> Option<Vec<u8>> {
        let bytes = message.payload.bytes;
        match message.opcode {
            Opcode::Text => message.text.map(|text| self.words.scrub(text)),
            Opcode::Binary => {
                let text = simdutf8::basic::from_utf8(bytes).ok()?;
                let json = json_text::begins_like_container(text) && json_text::scan(text, |_, _| ()).is_ok();
                json.then(|| self.words.scrub(text))
            }
            // The code says what happened; the reason is anything.
            Opcode::Close if message.close.is_some() => {
                let mut out = vec![FILL; bytes.len()];
                out.get_mut(..2)?.copy_from_slice(bytes.get(..2)?);
                Some(out)
            }
            _ => None,
        }
    }

    fn session_end(&mut self, at: Timestamp, source: &Source, end: &SessionEnd) {
        let number = source.connection.0;
        if let Some(mut session) = self.rewritten.remove(&source.number()) {
            let time = session.time(at);
            for packet in session.end(end) {
                self.make(time, packet);
            }
        }
        if source.stream.is_none() {
            self.leave_out(number);
            if let Some(connection) = self.connections.get_mut(&number) {
                connection.ended = true;
                self.is_over(number);
            }
        }
    }
}

impl Sink for Redaction {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        let Some(view) = segment else {
            self.report.foreign += 1;
            return ControlFlow::Continue(());
        };
        let side = view.facts.side;
        let (wire, captured) = (view.segment.payload.wire_len, view.segment.payload.bytes.len());
        let number = view.connection.number;
        let connection = self.connections.entry(number).or_insert_with(|| Connection {
            began: packet.time,
            ..Connection::default()
        });
        connection.queued += 1;
        if connection.fate == Fate::Open && view.source.is_some_and(|source| source.scheme == Scheme::Wss) {
            connection.fate = Fate::LeftOut;
        }
        let flags = view.segment.flags;
        connection.closed[side.index()] |= flags.fin();
        connection.closed[side.other().index()] |= flags.rst();
        connection.closed[side.index()] |= flags.rst();
        let mut offset = view.facts.range.end as i64 - wire as i64;
        let doubtful = matches!(view.facts.data, DataFact::OutOfWindow | DataFact::Doubtful);
        if view.facts.range.is_empty() || doubtful && connection.streams[side.index()].is_far(offset) {
            // Data that belongs nowhere is before everything.
            offset = -(captured as i64);
        } else if !doubtful {
            let begin = view
                .segment
                .seq
                .wrapping_add(u32::from(flags.syn()))
                .wrapping_sub(offset as u32);
            if let Some(before) = connection.begins[side.index()].replace(begin)
                && before != begin
            {
                // Something earlier has come: what waits lies further behind.
                let further = i64::from(before.wrapping_sub(begin) as i32);
                for queued in &mut self.queue {
                    if let What::Captured {
                        connection,
                        side: of,
                        offset,
                        ..
                    } = &mut queued.what
                        && (*connection, *of) == (number, side)
                    {
                        *offset += further;
                    }
                }
                connection.streams[side.index()].move_by(further);
            }
        }
        let mut head = Head::of(view.segment);
        if let sum @ (Checksum::Right | Checksum::Wrong) = view.segment.checksum() {
            let wrong = sum == Checksum::Wrong;
            let sums = &mut connection.sums[side.index()];
            sums[usize::from(wrong)] += 1;
            // One that is not like its neighbours is damaged or forged, and stays so.
            head.damaged = wrong != (sums[1] > sums[0]);
        }
        let what = What::Captured {
            connection: number,
            side,
            head,
            offset,
            length: captured,
        };
        self.held += what.cost();
        self.with_stream(number, side, |stream| stream.wait(offset));
        self.queue.push_back(Queued {
            time: packet.time,
            what,
        });
        self.current = Some(number);
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        let source = record.source;
        match record.kind {
            RecordKind::Handshake(handshake) => self.handshake(record.at.time, source, handshake),
            RecordKind::Tls(_) => self.leave_out(source.connection.0),
            RecordKind::Frame(frame) if source.stream.is_none() => {
                let known = self.connections.get(&source.connection.0);
                if known.is_some_and(|connection| connection.fate != Fate::LeftOut) {
                    self.with_stream(source.connection.0, source.side(frame.direction), |stream| {
                        stream.frame(frame)
                    });
                }
            }
            RecordKind::Message(message) => self.message(record, message),
            RecordKind::SessionEnd(end) => self.session_end(record.at.time, source, end),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
        if let Some(number) = self.current.take()
            && self
                .connections
                .get(&number)
                .is_some_and(|connection| connection.closed == [true; 2])
        {
            // It is over and was nobody's session.
            self.leave_out(number);
        }
        self.release(false);
        ControlFlow::Continue(())
    }
}
