//! What the engine told, kept: to be told again, to the same kind of listener, on another thread.

use std::ops::{ControlFlow, Range};

use crate::base::{Captured, Direction, Gap, PacketRef, Text, Violation};
use crate::dissect::Interpretations;
use crate::record::{
    Action, Answers, Close, ConnectionId, Exchange, Field, FrameInfo, Handshake, Hole, Http2Frame, Interpretation,
    Message, Payload, Progress, Record, RecordKind, Request, SegmentView, SessionEnd, Sink, Source, TlsEnd,
    TlsHandshake, TlsPacket, UnansweredRequest,
};
use crate::tcp::{Connection, SegmentFacts};
use crate::wire::{Packet, Segment};

/// When a batch holds so many bytes of payload it is full: all batches together still lie in a second-level cache when they are told
/// again, beside what the two threads need. Smaller ones cost more in handing over than they spare.
const FULL_BYTES: usize = 16 << 10;

/// When a batch holds so many records it is full.
const FULL_RECORDS: usize = 96;

/// Bytes and text that a batch may keep room for when it is used again: one huge message must not cost memory for ever.
const KEPT: usize = 128 << 10;

/// The same of what few records have.
const KEPT_FEW: usize = 1 << 10;

/// Bytes of what an event that is not frequent points to; what that holds is counted besides.
const OTHER: usize = 512;

/// The calls of a [`Sink`], in order, with all that they borrow copied into buffers that are used again.
#[derive(Default)]
pub(super) struct Batch {
    order: Vec<Call>,
    packets: Vec<StoredPacket>,
    messages: Vec<StoredMessage>,
    others: Vec<(PacketRef, Source, Other)>,
    bytes: Vec<u8>,
    text: String,
    forgotten: Vec<ConnectionId>,
    /// Packets that brought fragments of segments.
    fragments: Vec<u64>,
    holes: Vec<Hole>,
    meanings: Vec<StoredMeaning>,
    fields: Vec<(&'static str, StoredField)>,
}

/// Which call is next: each kind has its own list.
#[derive(Clone, Copy)]
enum Call {
    Packet,
    Message,
    Other,
    PacketEnd,
    /// The same, of a packet that was told before.
    PacketEndAlone,
    Forgotten,
}

struct StoredPacket {
    packet: Packet<'static>,
    data: Range<usize>,
    segment: Option<StoredSegment>,
}

struct StoredSegment {
    segment: Segment<'static>,
    header: Range<usize>,
    payload: Range<usize>,
    fragments: Range<usize>,
    connection: Connection,
    facts: SegmentFacts,
    source: Option<Source>,
    may_carry: bool,
}

struct StoredMessage {
    at: PacketRef,
    source: Source,
    message: Message<'static>,
    payload: Stored,
    holes: Range<usize>,
    close: Option<(u16, Range<usize>)>,
    meaning: Range<usize>,
}

/// An [`Interpretation`] whose texts are kept.
struct StoredMeaning {
    document: Option<(usize, usize)>,
    protocol: &'static str,
    action: Action,
    exchange: Exchange,
    answers: Option<Answers>,
    label: Option<StoredText>,
    id: Option<StoredText>,
    fields: Range<usize>,
}

/// Where a captured text is, and how it is to be read.
enum StoredText {
    Json(Range<usize>),
    Plain(Range<usize>),
}

enum StoredField {
    Text(StoredText),
    Json(Range<usize>),
    Number(u64),
}

/// Where a payload is.
enum Stored {
    /// It is text.
    Text(Range<usize>),
    Bytes(Range<usize>),
}

/// The events that are not frequent.
enum Other {
    UpgradeRequest(Box<Request>),
    Handshake(Box<Handshake>),
    Frame(FrameInfo),
    Progress(Progress),
    Http2(Direction, u32, Box<Http2Frame>),
    Violation(Direction, Box<Violation>),
    Gap(Direction, Gap),
    Unanswered(Box<UnansweredRequest>),
    SessionEnd(Box<SessionEnd>),
    Tls(Box<TlsHandshake>),
    TlsPacket(Direction, Box<TlsPacket>),
    TlsEnd(Box<TlsEnd>),
}

impl Batch {
    /// How many bytes of payload it holds.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + self.text.len() + self.holes.len() * size_of::<Hole>()
    }

    /// Takes no more memory than what it holds.
    pub(super) fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
        self.text.shrink_to_fit();
        self.fragments.shrink_to_fit();
        self.forgotten.shrink_to_fit();
        self.holes.shrink_to_fit();
        self.order.shrink_to_fit();
        self.packets.shrink_to_fit();
        self.messages.shrink_to_fit();
        self.meanings.shrink_to_fit();
        self.fields.shrink_to_fit();
        self.others.shrink_to_fit();
    }

    /// About how many bytes of memory it takes.
    pub(super) fn cost(&self) -> usize {
        self.bytes.capacity()
            + self.text.capacity()
            + self.fragments.capacity() * size_of::<u64>()
            + self.forgotten.capacity() * size_of::<ConnectionId>()
            + self.holes.capacity() * size_of::<Hole>()
            + self.order.capacity() * size_of::<Call>()
            + self.packets.capacity() * size_of::<StoredPacket>()
            + self.messages.capacity() * size_of::<StoredMessage>()
            + self.meanings.capacity() * size_of::<StoredMeaning>()
            + self.fields.capacity() * size_of::<(&str, StoredField)>()
            + self.others.capacity() * size_of::<(PacketRef, Source, Other)>()
            + self.others.iter().map(|(_, _, other)| other.cost()).sum::<usize>()
    }

    /// Enough has gathered.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.bytes() >= FULL_BYTES || self.order.len() >= FULL_RECORDS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    #[inline]
    pub(super) fn packet(&mut self, packet: &Packet<'_>, view: Option<SegmentView<'_>>) {
        let data = self.keep(packet.data.bytes);
        let segment = view.map(|view| {
            let segment = view.segment;
            StoredSegment {
                segment: Segment {
                    source: segment.source,
                    destination: segment.destination,
                    seq: segment.seq,
                    ack: segment.ack,
                    flags: segment.flags,
                    window: segment.window,
                    header: &[],
                    payload: nothing(segment.payload),
                    ip_id: segment.ip_id,
                    ttl: segment.ttl,
                    is_short: segment.is_short,
                    fragments: &[],
                    fragments_differ: segment.fragments_differ,
                },
                header: self.keep(segment.header),
                payload: self.tail_or_keep(segment.payload.bytes, packet.data.bytes, &data),
                fragments: self.keep_fragments(segment.fragments),
                connection: *view.connection,
                facts: view.facts.clone(),
                source: view.source.cloned(),
                may_carry: view.may_carry,
            }
        });
        let packet = Packet {
            number: packet.number,
            time: packet.time,
            link: packet.link,
            data: nothing(packet.data),
        };
        self.packets.push(StoredPacket { packet, data, segment });
        self.order.push(Call::Packet);
    }

    #[inline]
    pub(super) fn packet_end(&mut self) {
        self.order.push(Call::PacketEnd);
    }

    /// The end of a packet whose beginning is not in the batch.
    pub(super) fn packet_end_alone(&mut self, packet: &Packet<'_>) {
        self.packet(packet, None);
        self.order.pop();
        self.order.push(Call::PacketEndAlone);
    }

    pub(super) fn forgotten(&mut self, connection: ConnectionId) {
        self.forgotten.push(connection);
        self.order.push(Call::Forgotten);
    }

    #[inline]
    pub(super) fn record(&mut self, record: &Record<'_>) {
        let other = match record.kind {
            RecordKind::Message(message) => return self.message(record, message),
            RecordKind::UpgradeRequest(request) => Other::UpgradeRequest(Box::new(request.clone())),
            RecordKind::Handshake(handshake) => Other::Handshake(Box::new(handshake.clone())),
            RecordKind::Frame(frame) => Other::Frame(*frame),
            RecordKind::Progress(progress) => Other::Progress(*progress),
            RecordKind::Http2 {
                direction,
                stream,
                frame,
            } => Other::Http2(direction, stream, Box::new(frame.clone())),
            RecordKind::Violation { direction, violation } => Other::Violation(direction, Box::new(violation.clone())),
            RecordKind::Gap { direction, gap } => Other::Gap(direction, gap),
            RecordKind::Unanswered(request) => Other::Unanswered(Box::new(*request)),
            RecordKind::SessionEnd(end) => Other::SessionEnd(Box::new(end.clone())),
            RecordKind::Tls(handshake) => Other::Tls(Box::new(handshake.clone())),
            RecordKind::TlsPacket { direction, packet } => Other::TlsPacket(direction, Box::new(packet.clone())),
            RecordKind::TlsEnd(end) => Other::TlsEnd(Box::new(end.clone())),
        };
        self.others.push((record.at, record.source.clone(), other));
        self.order.push(Call::Other);
    }

    #[inline]
    fn message(&mut self, record: &Record<'_>, message: &Message<'_>) {
        let payload = match message.text {
            Some(text) => Stored::Text(self.keep_text(text)),
            None => Stored::Bytes(self.keep(message.payload.bytes)),
        };
        let first_hole = self.holes.len();
        self.holes.extend_from_slice(message.payload.holes);
        let close = message.close.map(|close| (close.code, self.keep_text(close.reason)));
        let meaning = self.keep_meaning(message.meaning);
        self.messages.push(StoredMessage {
            at: record.at,
            source: record.source.clone(),
            payload,
            holes: first_hole..self.holes.len(),
            close,
            meaning,
            message: Message {
                direction: message.direction,
                opcode: message.opcode,
                payload: Payload::whole(&[]),
                text: None,
                wire_length: message.wire_length,
                frames: message.frames,
                masked: message.masked,
                masking_key: message.masking_key,
                compressed: message.compressed,
                extended: message.extended,
                span: message.span,
                range: message.range,
                complete: message.complete,
                inferred: message.inferred,
                told_late: message.told_late,
                meaning: &[],
                close: None,
            },
        });
        self.order.push(Call::Message);
    }

    fn keep_meaning(&mut self, reads: &[Interpretation<'_>]) -> Range<usize> {
        let start = self.meanings.len();
        for read in reads {
            let label = read.label.map(|text| self.keep_quoted(text));
            let id = read.id.map(|text| self.keep_quoted(text));
            let first_field = self.fields.len();
            for (name, field) in read.fields.iter() {
                let field = match field {
                    Field::Text(text) => StoredField::Text(self.keep_quoted(text)),
                    Field::Json(raw) => StoredField::Json(self.keep_text(raw)),
                    Field::Number(number) => StoredField::Number(number),
                };
                self.fields.push((name, field));
            }
            self.meanings.push(StoredMeaning {
                document: read.document,
                protocol: read.protocol,
                action: read.action,
                exchange: read.exchange,
                answers: read.answers,
                label,
                id,
                fields: first_field..self.fields.len(),
            });
        }
        start..self.meanings.len()
    }

    fn keep_quoted(&mut self, text: Text<'_>) -> StoredText {
        match text {
            Text::Json(raw) => StoredText::Json(self.keep_text(raw)),
            Text::Plain(raw) => StoredText::Plain(self.keep_text(raw)),
        }
    }

    fn quoted(&self, text: &StoredText) -> Text<'_> {
        match text {
            StoredText::Json(range) => Text::Json(&self.text[range.clone()]),
            StoredText::Plain(range) => Text::Plain(&self.text[range.clone()]),
        }
    }

    fn meaning<'s>(&'s self, stored: &StoredMeaning, out: &mut Interpretations<'s>) {
        out.push(Interpretation {
            document: stored.document,
            label: stored.label.as_ref().map(|text| self.quoted(text)),
            id: stored.id.as_ref().map(|text| self.quoted(text)),
            exchange: stored.exchange,
            answers: stored.answers,
            ..Interpretation::new(stored.protocol, stored.action)
        });
        let Some(read) = out.last_mut() else { return };
        for (name, field) in &self.fields[stored.fields.clone()] {
            let field = match field {
                StoredField::Text(text) => Field::Text(self.quoted(text)),
                StoredField::Json(range) => Field::Json(&self.text[range.clone()]),
                StoredField::Number(number) => Field::Number(*number),
            };
            read.fields.push(name, field);
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn keep_fragments(&mut self, packets: &[u64]) -> Range<usize> {
        let start = self.fragments.len();
        self.fragments.extend_from_slice(packets);
        start..self.fragments.len()
    }

    fn keep_text(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    /// A segment's payload is nearly always the end of its packet, perhaps before some padding, and that is kept already.
    fn tail_or_keep(&mut self, payload: &[u8], packet: &[u8], kept: &Range<usize>) -> Range<usize> {
        let (inner, outer) = (payload.as_ptr_range(), packet.as_ptr_range());
        if outer.start <= inner.start && inner.end <= outer.end {
            let start = kept.start + (inner.start as usize - outer.start as usize);
            start..start + payload.len()
        } else {
            self.keep(payload)
        }
    }

    /// Tells all of it, in order, until `sink` says stop.
    pub(super) fn tell<S: Sink>(&self, sink: &mut S) -> ControlFlow<()> {
        let mut packets = self.packets.iter();
        let mut messages = self.messages.iter();
        let mut others = self.others.iter();
        let mut forgotten = self.forgotten.iter();
        let mut current = None;
        for call in &self.order {
            match call {
                Call::Packet => {
                    if let Some(stored) = packets.next() {
                        let packet = Packet {
                            data: self.captured(stored.packet.data, &stored.data),
                            ..stored.packet
                        };
                        current = Some(packet);
                        self.tell_packet(&packet, stored, sink)?;
                    }
                }
                Call::Message => {
                    if let Some(stored) = messages.next() {
                        self.tell_message(stored, sink)?;
                    }
                }
                Call::Other => {
                    if let Some((at, source, other)) = others.next() {
                        let (at, kind) = (*at, other.kind());
                        sink.record(&Record { at, source, kind })?;
                    }
                }
                Call::PacketEndAlone => {
                    if let Some(stored) = packets.next() {
                        sink.packet_end(&Packet {
                            data: self.captured(stored.packet.data, &stored.data),
                            ..stored.packet
                        })?;
                    }
                }
                Call::Forgotten => {
                    if let Some(connection) = forgotten.next() {
                        sink.forgotten(*connection);
                    }
                }
                Call::PacketEnd => {
                    if let Some(packet) = &current {
                        sink.packet_end(packet)?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn tell_packet<S: Sink>(&self, packet: &Packet<'_>, stored: &StoredPacket, sink: &mut S) -> ControlFlow<()> {
        let Some(stored) = &stored.segment else {
            return sink.packet(packet, None);
        };
        let segment = Segment {
            header: &self.bytes[stored.header.clone()],
            payload: self.captured(stored.segment.payload, &stored.payload),
            fragments: &self.fragments[stored.fragments.clone()],
            ..stored.segment
        };
        let view = SegmentView {
            segment: &segment,
            connection: &stored.connection,
            facts: &stored.facts,
            source: stored.source.as_ref(),
            may_carry: stored.may_carry,
        };
        sink.packet(packet, Some(view))
    }

    #[inline]
    fn tell_message<S: Sink>(&self, stored: &StoredMessage, sink: &mut S) -> ControlFlow<()> {
        let (bytes, text) = match &stored.payload {
            Stored::Text(range) => (self.text[range.clone()].as_bytes(), Some(&self.text[range.clone()])),
            Stored::Bytes(range) => (&self.bytes[range.clone()], None),
        };
        let mut meaning = Interpretations::new();
        for stored in &self.meanings[stored.meaning.clone()] {
            self.meaning(stored, &mut meaning);
        }
        let message = Message {
            payload: Payload {
                bytes,
                holes: &self.holes[stored.holes.clone()],
            },
            meaning: &meaning,
            text,
            close: stored.close.as_ref().map(|(code, reason)| Close {
                code: *code,
                reason: &self.text[reason.clone()],
            }),
            ..stored.message
        };
        sink.record(&Record {
            at: stored.at,
            source: &stored.source,
            kind: RecordKind::Message(&message),
        })
    }

    fn captured(&self, length: Captured<'static>, range: &Range<usize>) -> Captured<'_> {
        // Not `Captured::new`: what the capture says is passed on unjudged.
        Captured {
            bytes: &self.bytes[range.clone()],
            wire_len: length.wire_len,
        }
    }

    /// To be filled anew.
    pub(super) fn clear(&mut self) {
        self.order.clear();
        self.packets.clear();
        self.messages.clear();
        self.others.clear();
        self.bytes.clear();
        self.text.clear();
        self.fragments.clear();
        self.forgotten.clear();
        self.holes.clear();
        self.meanings.clear();
        self.fields.clear();
        self.bytes.shrink_to(KEPT);
        self.text.shrink_to(KEPT);
        self.fragments.shrink_to(KEPT_FEW);
        self.holes.shrink_to(KEPT_FEW);
    }
}

impl Other {
    /// Bytes that it takes beside itself.
    fn cost(&self) -> usize {
        let headers = |headers: &[(String, String)]| -> usize {
            headers
                .iter()
                .map(|(name, value)| name.len() + value.len() + size_of::<(String, String)>())
                .sum()
        };
        let texts = match self {
            Other::UpgradeRequest(request) => request.target.len() + headers(&request.headers),
            Other::Handshake(handshake) => {
                let request: usize = handshake.request.target.len() + headers(&handshake.request.headers);
                let response = handshake.response.as_ref().map_or(0, |response| {
                    response.body.as_ref().map_or(0, Vec::len) + headers(&response.headers)
                });
                request + response
            }
            Other::Violation(_, violation) => violation.detail.len(),
            _ => 0,
        };
        OTHER + texts
    }

    fn kind(&self) -> RecordKind<'_> {
        match self {
            Other::UpgradeRequest(request) => RecordKind::UpgradeRequest(request),
            Other::Handshake(handshake) => RecordKind::Handshake(handshake),
            Other::Frame(frame) => RecordKind::Frame(frame),
            Other::Progress(progress) => RecordKind::Progress(progress),
            Other::Http2(direction, stream, frame) => RecordKind::Http2 {
                direction: *direction,
                stream: *stream,
                frame,
            },
            Other::Violation(direction, violation) => RecordKind::Violation {
                direction: *direction,
                violation,
            },
            Other::Gap(direction, gap) => RecordKind::Gap {
                direction: *direction,
                gap: *gap,
            },
            Other::Unanswered(request) => RecordKind::Unanswered(request),
            Other::SessionEnd(end) => RecordKind::SessionEnd(end),
            Other::Tls(handshake) => RecordKind::Tls(handshake),
            Other::TlsPacket(direction, packet) => RecordKind::TlsPacket {
                direction: *direction,
                packet,
            },
            Other::TlsEnd(end) => RecordKind::TlsEnd(end),
        }
    }
}

/// The length on the wire, without the bytes.
const fn nothing(data: Captured<'_>) -> Captured<'static> {
    Captured {
        bytes: &[],
        wire_len: data.wire_len,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::base::Limits;
    use crate::dissect::Dissectors;
    use crate::engine::Engine;

    /// Every call, as `Debug` shows it.
    #[derive(Default)]
    struct Calls(Vec<String>);

    impl Sink for Calls {
        fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
            self.0.push(format!("{packet:?} {segment:?}"));
            ControlFlow::Continue(())
        }

        fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
            self.0.push(format!("{record:?}"));
            ControlFlow::Continue(())
        }

        fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
            self.0.push(format!("end {packet:?}"));
            ControlFlow::Continue(())
        }

        fn forgotten(&mut self, connection: ConnectionId) {
            self.0.push(format!("forgotten {connection:?}"));
        }
    }

    /// Adds what messages mean, if it has dissectors.
    struct Told<'c>(Option<Dissectors>, &'c mut Calls);

    impl Sink for Told<'_> {
        fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
            self.1.packet(packet, segment)
        }

        fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
            match &mut self.0 {
                Some(dissectors) => dissectors.tell(record, self.1),
                None => self.1.record(record),
            }
        }

        fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
            self.1.packet_end(packet)
        }

        fn forgotten(&mut self, connection: ConnectionId) {
            self.1.forgotten(connection);
        }
    }

    /// Keeps every call and tells it again, in batches of one packet.
    struct Kept<'c>(Batch, Told<'c>);

    impl Sink for Kept<'_> {
        fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
            self.0.packet(packet, segment);
            ControlFlow::Continue(())
        }

        fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
            self.0.record(record);
            ControlFlow::Continue(())
        }

        fn forgotten(&mut self, connection: ConnectionId) {
            self.0.forgotten(connection);
        }

        fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
            self.0.packet_end();
            let told = self.0.tell(&mut self.1);
            self.0.clear();
            told
        }
    }

    fn engine() -> Engine {
        Engine::new(Limits::default())
            .with_frames(true)
            .with_max_answer(Some(1_000_000))
    }

    /// What is told of a capture that went through batches.
    fn kept(path: &Path, mut engine: Engine, dissectors: Option<Dissectors>) -> Vec<String> {
        let mut calls = Calls::default();
        let mut kept = Kept(Batch::default(), Told(dissectors, &mut calls));
        crate::replay(path, &mut engine, &mut kept).unwrap();
        let Kept(rest, mut told) = kept;
        assert!(rest.tell(&mut told).is_continue());
        calls.0
    }

    #[test]
    fn what_was_kept_is_told_as_it_came_and_means_the_same_on_either_side() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let fragments = fixtures.join("transcripts/ipv4-fragments.pcap");
        let folders = std::fs::read_dir(fixtures).unwrap();
        let mut answers = 0;
        for path in folders
            .map(|folder| folder.unwrap().path().join("capture.pcap"))
            .chain([fragments])
            .filter(|path| path.exists())
        {
            let mut direct = Calls::default();
            crate::replay(&path, &mut engine(), &mut direct).unwrap();
            assert_eq!(direct.0, kept(&path, engine(), None), "{}", path.display());
            let mut without = engine();
            let dissectors = without.take_dissectors();
            assert_eq!(direct.0, kept(&path, without, Some(dissectors)), "{}", path.display());
            answers += direct.0.iter().filter(|call| call.contains("Answers {")).count();
        }
        assert!(answers > 0);
    }
}
