//! The `html` view: one page that stands alone. It asks for nothing and can be read without its script.
//!
//! All of it is written at the end, for its beginning tells how sessions ended. What is kept until then is bounded, and what is left out
//! is counted on the page.

mod ladder;
mod markup;
mod message;
mod page;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::View;
use super::left_out::LeftOut;
use super::messages::Names;
use super::put::counted;
use super::stripped::Stripped;
use super::url::url;
use super::utc::Utc;
use crate::annotate::texts::{Catalog, Language};
use crate::base::{Direction, PerDirection, Timestamp, Violation};
use crate::record::{Extension, Handshake, How, Message, Opcode, Record, RecordKind, SessionEnd, Sink, Source};
use ladder::Ladder;

/// Messages that a page holds: more of them no browser likes to open.
const MAX_MESSAGES: u64 = 20_000;
/// Sessions that it holds.
const MAX_SESSIONS: usize = 1_000;
/// Violations of a session that it tells of.
const MAX_VIOLATIONS: usize = 100;

/// The view.
pub struct Html {
    out: Vec<u8>,
    language: &'static Language,
    with_secrets: bool,
    full: bool,
    /// Bytes that may be kept.
    bound: usize,
    utc: Utc,
    names: Names,
    /// By number.
    sessions: BTreeMap<u64, Session>,
    ladder: Ladder,
    /// The messages, as they will stand on the page.
    messages: Vec<u8>,
    told: u64,
    /// Bytes of handshakes and violations.
    held: usize,
    /// Sessions of which something was selected.
    wanted: usize,
    stripped: u64,
    messages_left_out: u64,
    left_out: LeftOut,
}

/// What is told of a session.
struct Session {
    source: Source,
    /// Something of it was selected.
    wanted: bool,
    handshake: Option<Handshake>,
    stripped: Stripped,
    name: Vec<u8>,
    begun: Timestamp,
    counts: PerDirection<u64>,
    violations: Vec<Broken>,
    end: Option<(Timestamp, SessionEnd)>,
    /// Bytes of memory that it takes.
    size: usize,
}

/// A violation: when, by whom, and what.
struct Broken {
    time: Timestamp,
    packet: u64,
    direction: Direction,
    rule: crate::base::Rule,
    what: String,
}

impl Html {
    /// A page in the language of `catalog` that keeps at most `bound` bytes; long messages are shown whole when `full`, and credentials
    /// stay in it when `with_secrets`.
    pub fn new(catalog: &'static Catalog, bound: usize, full: bool, with_secrets: bool) -> Self {
        Self {
            out: Vec::new(),
            language: Language::of(catalog),
            with_secrets,
            full,
            bound,
            utc: Utc::new(false),
            names: Names::default(),
            sessions: BTreeMap::new(),
            ladder: Ladder::default(),
            messages: Vec::new(),
            told: 0,
            held: 0,
            wanted: 0,
            stripped: 0,
            messages_left_out: 0,
            left_out: LeftOut::default(),
        }
    }

    /// The session of a record, unless there is no room for it.
    fn session(&mut self, record: &Record<'_>, wanted: bool) -> Option<&mut Session> {
        let number = record.source.number();
        if self.left_out.has(number, wanted) {
            return None;
        }
        if !self.sessions.contains_key(&number) {
            if !self.has_room(size_of::<Session>()) {
                return self.leave_out(number, wanted);
            }
            self.held += size_of::<Session>();
            self.sessions.insert(number, Session::new(record));
        }
        if wanted && self.sessions.get(&number).is_some_and(|session| !session.wanted) {
            if self.wanted >= MAX_SESSIONS {
                return self.leave_out(number, wanted);
            }
            self.wanted += 1;
        }
        let session = self.sessions.get_mut(&number)?;
        session.wanted |= wanted;
        Some(session)
    }

    fn has_room(&self, size: usize) -> bool {
        self.held + size <= self.bound / 4
    }

    fn leave_out(&mut self, number: u64, wanted: bool) -> Option<&mut Session> {
        self.remove(number);
        self.left_out.add(number, wanted);
        None
    }

    fn remove(&mut self, number: u64) {
        if let Some(session) = self.sessions.remove(&number) {
            self.held -= session.size;
            self.wanted -= usize::from(session.wanted);
        }
    }

    fn handshake(&mut self, record: &Record<'_>, handshake: &Handshake, wanted: bool) {
        if self.left_out.has(record.source.number(), wanted) {
            return;
        }
        let mut handshake = handshake.clone();
        let mut stripped = Stripped::default();
        if !self.with_secrets {
            stripped = Stripped::of(&mut handshake);
        }
        let size = size_of_handshake(&handshake) + stripped.size();
        let room = self.has_room(size);
        let Some(session) = self.session(record, wanted) else {
            return;
        };
        if !room {
            self.leave_out(record.source.number(), wanted);
            return;
        }
        // What was wrong with it may have been told before.
        if let Some(asked) = handshake.request.span {
            session.begun = asked.first.time;
        }
        let mut what = url(record.source, &handshake.request);
        if let Some(response) = &handshake.response {
            what.push_str(&format!(" {}", response.status));
        }
        let time = session.begun;
        session.size += size;
        session.handshake = Some(handshake);
        session.stripped = stripped;
        self.held += size;
        if wanted {
            self.ladder.opened(time, record.source, &what);
        }
    }

    fn message(&mut self, record: &Record<'_>, message: &Message<'_>) {
        self.names.hear(record.source, message);
        let Some(session) = self.session(record, true) else {
            self.messages_left_out += 1;
            return;
        };
        session.counts[message.direction] += 1;
        if self.told >= MAX_MESSAGES {
            self.messages_left_out += 1;
            return;
        }
        let before = self.messages.len();
        self.told += 1;
        message::write(
            &mut self.messages,
            self.told,
            record,
            message,
            self.language,
            &mut self.utc,
            self.full,
        );
        if self.messages.len() > self.bound / 2 {
            self.messages.truncate(before);
            self.told -= 1;
            self.messages_left_out += 1;
            return;
        }
        self.ladder.message(record, message);
    }

    fn violation(&mut self, record: &Record<'_>, direction: Direction, violation: &Violation) {
        let catalog = self.language.catalog();
        let mut what = Vec::new();
        catalog.violation(violation, &mut what);
        let what = String::from_utf8_lossy(&what).into_owned();
        let size = what.len() + size_of::<Broken>();
        let room = self.has_room(size);
        if let Some(session) = self.session(record, true)
            && session.violations.len() < MAX_VIOLATIONS
            && room
        {
            session.size += size;
            session.violations.push(Broken {
                time: record.at.time,
                packet: record.at.packet,
                direction,
                rule: violation.rule,
                what,
            });
            self.held += size;
        }
    }

    fn end(&mut self, record: &Record<'_>, end: &SessionEnd, wanted: bool) {
        let number = record.source.number();
        let catalog = self.language.catalog();
        let mut name = Vec::new();
        self.names.write(&mut name, record.source, 12);
        if !self.sessions.contains_key(&number) {
            // Nothing else of it was selected.
        } else if let Some(session) = self.session(record, wanted).filter(|session| session.wanted) {
            session.end = Some((record.at.time, end.clone()));
            session.name = name;
            let mut verdict = Vec::new();
            catalog.verdict(end, &mut verdict);
            if end.how != How::CaptureEnd {
                self.ladder.ended(record, &String::from_utf8_lossy(&verdict));
            }
        } else {
            self.remove(number);
        }
        self.left_out.forget(number);
        self.names.forget(number);
    }
}

impl Session {
    fn new(record: &Record<'_>) -> Self {
        Self {
            source: record.source.clone(),
            wanted: false,
            handshake: None,
            stripped: Stripped::default(),
            name: Vec::new(),
            begun: record.at.time,
            counts: PerDirection::default(),
            violations: Vec::new(),
            end: None,
            size: size_of::<Self>(),
        }
    }
}

/// Bytes of memory that a handshake takes.
fn size_of_handshake(handshake: &Handshake) -> usize {
    let (request, response) = (&handshake.request, handshake.response.as_ref());
    let headers = request
        .headers
        .iter()
        .chain(response.iter().flat_map(|response| &response.headers));
    let body = response.and_then(|response| response.body.as_ref());
    let extensions = handshake.extensions.iter().map(|extension| {
        let parameters = extension.parameters.iter().map(|(name, value)| {
            name.len() + value.as_ref().map_or(0, String::len) + size_of::<(String, Option<String>)>()
        });
        size_of::<Extension>() + extension.name.len() + parameters.sum::<usize>()
    });
    request.target.len()
        + extensions.sum::<usize>()
        + handshake.subprotocol.as_ref().map_or(0, String::len)
        + response.map_or(0, |response| response.reason.len())
        + body.map_or(0, Vec::len)
        + headers
            .map(|(name, value)| name.len() + value.len() + size_of::<(String, String)>())
            .sum::<usize>()
}

impl View for Html {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn unselected(&mut self, record: &Record<'_>) {
        match record.kind {
            RecordKind::Handshake(handshake) => self.handshake(record, handshake, false),
            RecordKind::Message(message) => self.names.hear(record.source, message),
            RecordKind::SessionEnd(end) => self.end(record, end, false),
            _ => {}
        }
    }

    fn finish(&mut self) {
        self.sessions.retain(|_, session| session.wanted);
        self.stripped = self.sessions.values().map(|session| session.stripped.count).sum();
        let mut out = std::mem::take(&mut self.out);
        page::write(&mut out, self);
        self.out = out;
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.with_secrets {
            notes.push(format!(
                "html: {} left out of the handshakes (--with-secrets keeps them); messages are as they were sent",
                counted(self.stripped, "credential")
            ));
        }
        if self.messages_left_out + self.left_out.count > 0 {
            notes.push(format!(
                "html: {} and {} left out: a page holds {MAX_MESSAGES} messages, {MAX_SESSIONS} sessions and {} bytes",
                counted(self.messages_left_out, "message"),
                counted(self.left_out.count, "session"),
                self.bound
            ));
        }
        notes
    }
}

impl Sink for Html {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if record.source.session.is_some() {
            match record.kind {
                RecordKind::Handshake(handshake) => self.handshake(record, handshake, true),
                RecordKind::Message(message) => self.message(record, message),
                RecordKind::Violation { direction, violation } => self.violation(record, direction, violation),
                RecordKind::SessionEnd(end) => self.end(record, end, true),
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

/// Control frames can be hidden, and are drawn faintly.
const fn is_control(opcode: Opcode) -> bool {
    opcode.is_control()
}

#[cfg(test)]
mod tests;
