//! The sink's end of the engine.

use std::ops::ControlFlow;

use smallvec::SmallVec;

use crate::base::{Direction, PacketRef, Rule, Violation};
use crate::dissect::{Dissectors, Interpretations, WEBSOCKET};
use crate::layer::Emit;
use crate::record::{
    Answers, ConnectionId, Message, Record, RecordKind, SegmentView, SessionEnd, Sink, Source, TransportEnd,
    UnansweredRequest,
};
use crate::wire::Packet;

/// Hands everything to the sink, until it says stop; messages with what they mean.
pub(crate) struct Emitter<'s> {
    sink: &'s mut dyn Sink,
    dissectors: &'s mut Dissectors,
    stopped: bool,
}

impl<'s> Emitter<'s> {
    pub(crate) fn new(sink: &'s mut dyn Sink, dissectors: &'s mut Dissectors) -> Self {
        Self {
            sink,
            dissectors,
            stopped: false,
        }
    }

    /// The packet that is being read now; 0: nothing is told late.
    pub(crate) fn set_now(&mut self, packet: u64) {
        self.dissectors.set_now(packet);
    }

    pub(crate) fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) {
        if !self.stopped {
            self.stopped = self.sink.packet(packet, segment).is_break();
        }
    }

    pub(crate) fn packet_end(&mut self, packet: &Packet<'_>) {
        if !self.stopped {
            self.stopped = self.sink.packet_end(packet).is_break();
        }
    }

    pub(crate) fn result(&self) -> ControlFlow<()> {
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Emitter<'_> {
    fn tell(&mut self, at: PacketRef, source: &Source, kind: RecordKind<'_>) {
        if !self.stopped {
            self.stopped = self.sink.record(&Record { at, source, kind }).is_break();
        }
    }

    fn late(&mut self, record: &Record<'_>, direction: Direction, answers: &Answers) {
        let label = answers.label.as_str().escape_default().to_string();
        let millis = answers.after as f64 / 1e6;
        let detail = format!("packet {} ({label}) was answered after {millis:.3} ms", answers.packet);
        let about = format!("{label} {millis:.3} ms");
        let violation = Violation::new(Rule::LateAnswer, detail).about(about.trim_start().to_owned());
        let violation = &violation;
        self.tell(record.at, record.source, RecordKind::Violation { direction, violation });
    }

    /// `waited`: so many nanoseconds went by, and an answer may have come later.
    fn unanswered(&mut self, source: &Source, request: &UnansweredRequest, waited: Option<i64>) {
        let label = request.label.as_str().escape_default().to_string();
        let request_packet = request.at.packet;
        let detail = match waited {
            None => format!("packet {request_packet} ({label}) was never answered"),
            Some(nanos) => {
                let millis = nanos as f64 / 1e6;
                format!(
                    "packet {request_packet} ({label}) was not answered in the {millis:.3} ms that were captured after it"
                )
            }
        };
        let about = format!("{} {label}", request.protocol);
        let violation = Violation::new(Rule::NoAnswer, detail).about(about.trim_end().to_owned());
        let (direction, violation) = (request.direction.other(), &violation);
        self.tell(request.at, source, RecordKind::Violation { direction, violation });
    }
}

impl Emit for Emitter<'_> {
    #[inline]
    fn emit(&mut self, record: &Record<'_>) {
        if self.stopped {
            return;
        }
        let Some(session) = record.source.session else {
            self.stopped = self.sink.record(record).is_break();
            return;
        };
        match record.kind {
            RecordKind::Message(message) => {
                let limit = self.dissectors.max_answer;
                let mut meaning = Interpretations::new();
                self.dissectors.read(session, record.at, message, &mut meaning);
                let message = Message {
                    meaning: &meaning,
                    ..*message
                };
                let kind = RecordKind::Message(&message);
                self.stopped = self.sink.record(&Record { kind, ..*record }).is_break();
                let answers = meaning.iter().filter_map(|read| read.answers);
                let late: SmallVec<[Answers; 1]> = answers
                    .filter(|answers| limit.is_some_and(|limit| !answers.again && answers.after > limit))
                    .collect();
                let direction = message.direction;
                drop(meaning);
                for answers in &late {
                    self.late(record, direction, answers);
                }
                return;
            }
            RecordKind::Handshake(handshake) => self.dissectors.handshake(session, handshake),
            RecordKind::Gap { direction, .. } => self.dissectors.gap(session, direction),
            _ => {}
        }
        self.stopped = self.sink.record(record).is_break();
    }

    fn forget(&mut self, connection: ConnectionId) {
        self.sink.forgotten(connection);
    }

    fn end(&mut self, at: PacketRef, source: &Source, mut end: SessionEnd) {
        let Some(session) = source.session else { return };
        let mut left = self.dissectors.end(session, end.end_lost);
        if end.transport == TransportEnd::Evicted {
            // What would have come was not looked at.
            left.requests.clear();
        }
        for ping in left.requests.iter().filter(|request| request.protocol == WEBSOCKET) {
            let pings = &mut end.unanswered_pings[ping.direction];
            pings.count += 1;
            if pings.count == 1 {
                pings.first_packet = ping.at.packet;
                pings.more = left.forgotten_pings[ping.direction];
            }
        }
        for request in &left.requests {
            self.tell(request.at, source, RecordKind::Unanswered(request));
            let waited = end
                .may_go_on(request.direction.other())
                .then(|| at.time.since(request.at.time));
            if let Some(late) = self.dissectors.max_answer
                && waited.is_none_or(|waited| waited > late)
            {
                self.unanswered(source, request, waited);
            }
        }
        self.tell(at, source, RecordKind::SessionEnd(&end));
    }
}
