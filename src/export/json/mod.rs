//! The `json` view: one JSON object a line (NDJSON), for jq and scripts.
//!
//! Every event has its fields in one order. Whatever was captured, each line is JSON that every reader takes, holds no character
//! that a terminal obeys, and its strings mean exactly what was sent. No value is built on the way: this writes bytes.

mod events;
mod message;
mod shape;

use std::ops::ControlFlow;

use super::View;
use super::put::{endpoint, json_string as put_string, put};
use super::utc::Utc;
use crate::annotate::texts::Catalog;
use crate::base::Direction;
use crate::record::{Record, RecordKind, Sink};

use shape::Identities;
pub(super) use shape::{Field, Line};
pub use shape::{Fields, Tags};

/// The view.
pub struct Json {
    out: Vec<u8>,
    utc: Utc,
    frames: bool,
    catalog: &'static Catalog,
    fields: Fields,
    identities: Option<Identities>,
}

impl Json {
    /// Times have nine digits when `nano`, else six; frames are events of their own when `frames`. Verdicts are in the language of `catalog`.
    pub fn new(nano: bool, frames: bool, catalog: &'static Catalog) -> Self {
        Self {
            out: Vec::new(),
            utc: Utc::new(nano),
            frames,
            catalog,
            fields: Fields::default(),
            identities: None,
        }
    }

    /// Only these fields.
    #[must_use]
    pub fn with_fields(mut self, fields: Fields) -> Self {
        self.fields = fields;
        self
    }

    /// With these tags, and what identifies sessions and connections over many machines, if there are any.
    #[must_use]
    pub fn with_tags(mut self, tags: &Tags) -> Self {
        self.identities = Identities::new(tags);
        self
    }

    /// What all events begin with.
    #[inline]
    fn begin(&mut self, name: &str, record: &Record<'_>) -> Line<'_> {
        let source = record.source;
        let mut line = Line::begin(&mut self.out, self.fields, name);
        if line.key(Field::Time) {
            put(line.out, "\"");
            self.utc.write(line.out, record.at.time);
            put(line.out, "\"");
        }
        if line.key(Field::Ts) {
            self.utc.write_seconds(line.out, record.at.time);
        }
        line.number(Field::Packet, record.at.packet);
        line.number(Field::Connection, source.connection.0);
        line.number(Field::Session, source.session.map(|session| session.0));
        line.number(Field::Stream, source.stream.map(u64::from));
        match source.session {
            Some(_) => line.word(Field::Scheme, source.scheme.name()),
            None => line.string(Field::Scheme, None),
        }
        for (field, end) in [(Field::Client, &source.client), (Field::Server, &source.server)] {
            if line.key(field) {
                put(line.out, "\"");
                endpoint(line.out, end);
                put(line.out, "\"");
            }
        }
        if let Some(proxied) = &source.proxied {
            events::proxied(&mut line, proxied);
        }
        if let Some(identities) = &mut self.identities {
            identities.write(&mut line, source);
        }
        line
    }
}

impl View for Json {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}

impl Sink for Json {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        match record.kind {
            RecordKind::Message(message) => message::write(&mut self.begin("message", record), message),
            RecordKind::Handshake(handshake) => {
                events::handshake(&mut self.begin("handshake", record), handshake, record.source.stream);
            }
            RecordKind::Frame(frame) if self.frames => events::frame(&mut self.begin("frame", record), frame),
            RecordKind::Violation { direction, violation } => {
                events::violation(&mut self.begin("violation", record), direction, violation);
            }
            RecordKind::Gap { direction, gap } => events::gap(&mut self.begin("gap", record), direction, &gap),
            RecordKind::SessionEnd(end) => {
                let catalog = self.catalog;
                events::session_end(&mut self.begin("session-end", record), end, catalog);
            }
            RecordKind::Tls(handshake) => events::tls(&mut self.begin("tls", record), handshake),
            RecordKind::TlsEnd(end) => events::tls_end(&mut self.begin("tls-end", record), end),
            RecordKind::Frame(_)
            | RecordKind::UpgradeRequest(_)
            | RecordKind::Progress(_)
            | RecordKind::TlsPacket { .. }
            | RecordKind::Unanswered(_)
            | RecordKind::Http2 { .. } => {
                return ControlFlow::Continue(());
            }
        }
        put(&mut self.out, "}\n");
        ControlFlow::Continue(())
    }
}

#[inline]
fn put_bool(out: &mut Vec<u8>, value: bool) {
    put(out, if value { "true" } else { "false" });
}

#[inline]
fn direction(line: &mut Line<'_>, direction: Direction) {
    line.word(Field::Direction, direction.name());
}

#[cfg(test)]
mod tests;
