//! Records on their way to a sink: messages get what they mean, sessions what was not answered in them, and both are judged by how
//! long answers took.

use std::ops::ControlFlow;

use smallvec::SmallVec;

use super::{Dissectors, Interpretations, WEBSOCKET};
use crate::base::{Direction, Rule, Violation};
use crate::record::{
    Answers, Message, Record, RecordKind, SessionEnd, SessionId, Sink, Source, TransportEnd, UnansweredRequest,
};

impl Dissectors {
    /// Tells `sink` a record that an engine without dissectors has told, and what that brings about.
    #[inline]
    pub(crate) fn tell<S: Sink + ?Sized>(&mut self, record: &Record<'_>, sink: &mut S) -> ControlFlow<()> {
        let Some(session) = record.source.session else {
            return sink.record(record);
        };
        match record.kind {
            RecordKind::Message(message) => return self.message(session, record, message, sink),
            RecordKind::SessionEnd(end) => return self.session_end(session, record, end, sink),
            RecordKind::Handshake(handshake) => self.handshake(session, handshake),
            RecordKind::Gap { direction, .. } => self.gap(session, direction),
            _ => {}
        }
        sink.record(record)
    }

    #[inline]
    fn message<S: Sink + ?Sized>(
        &mut self,
        session: SessionId,
        record: &Record<'_>,
        message: &Message<'_>,
        sink: &mut S,
    ) -> ControlFlow<()> {
        let limit = self.max_answer;
        let mut meaning = Interpretations::new();
        self.read(session, record.at, message, &mut meaning);
        let message = Message {
            meaning: &meaning,
            ..*message
        };
        let kind = RecordKind::Message(&message);
        sink.record(&Record { kind, ..*record })?;
        let late: SmallVec<[Answers; 1]> = meaning
            .iter()
            .filter_map(|read| read.answers)
            .filter(|answers| limit.is_some_and(|limit| !answers.again && answers.after > limit))
            .collect();
        for answers in &late {
            late_answer(record, message.direction, answers, sink)?;
        }
        ControlFlow::Continue(())
    }

    fn session_end<S: Sink + ?Sized>(
        &mut self,
        session: SessionId,
        record: &Record<'_>,
        end: &SessionEnd,
        sink: &mut S,
    ) -> ControlFlow<()> {
        let Record { at, source, .. } = *record;
        let mut end = end.clone();
        let mut left = self.end(session, end.end_lost);
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
            let kind = RecordKind::Unanswered(request);
            sink.record(&Record {
                at: request.at,
                source,
                kind,
            })?;
            let waited = end
                .may_go_on(request.direction.other())
                .then(|| at.time.since(request.at.time));
            if let Some(late) = self.max_answer
                && waited.is_none_or(|waited| waited > late)
            {
                no_answer(source, request, waited, sink)?;
            }
        }
        let kind = RecordKind::SessionEnd(&end);
        sink.record(&Record { at, source, kind })
    }
}

fn late_answer<S: Sink + ?Sized>(
    record: &Record<'_>,
    direction: Direction,
    answers: &Answers,
    sink: &mut S,
) -> ControlFlow<()> {
    let label = answers.label.as_str().escape_default().to_string();
    let millis = answers.after as f64 / 1e6;
    let detail = format!("packet {} ({label}) was answered after {millis:.3} ms", answers.packet);
    let about = format!("{label} {millis:.3} ms");
    let violation = Violation::new(Rule::LateAnswer, detail).about(about.trim_start().to_owned());
    let violation = &violation;
    let kind = RecordKind::Violation { direction, violation };
    sink.record(&Record { kind, ..*record })
}

/// `waited`: so many nanoseconds went by, and an answer may have come later.
fn no_answer<S: Sink + ?Sized>(
    source: &Source,
    request: &UnansweredRequest,
    waited: Option<i64>,
    sink: &mut S,
) -> ControlFlow<()> {
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
    sink.record(&Record {
        at: request.at,
        source,
        kind: RecordKind::Violation { direction, violation },
    })
}
