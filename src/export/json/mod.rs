//! The `json` view: one JSON object a line (NDJSON), for jq and scripts.
//!
//! Every event has its fields in one order. Whatever was captured, each line is JSON that every reader takes, holds no character
//! that a terminal obeys, and its strings mean exactly what was sent. No value is built on the way: this writes bytes.

mod events;
mod message;

use std::ops::ControlFlow;

use super::View;
use super::put::{endpoint, json_string as put_string, number, put};
use super::utc::Utc;
use crate::annotate::texts::Catalog;
use crate::base::Direction;
use crate::record::{Record, RecordKind, SegmentView, Sink};
use crate::wire::Packet;

/// The view.
pub struct Json {
    out: Vec<u8>,
    utc: Utc,
    frames: bool,
    catalog: &'static Catalog,
    /// The verdict on a session that has ended.
    verdict: Vec<u8>,
}

impl Json {
    /// Times have nine digits when `nano`, else six; frames are events of their own when `frames`. Verdicts are in the language of `catalog`.
    pub fn new(nano: bool, frames: bool, catalog: &'static Catalog) -> Self {
        Self {
            out: Vec::new(),
            utc: Utc::new(nano),
            frames,
            catalog,
            verdict: Vec::new(),
        }
    }

    /// What all events of a session begin with.
    #[inline]
    fn begin(&mut self, name: &str, record: &Record<'_>) {
        let out = &mut self.out;
        put(out, "{\"event\":\"");
        put(out, name);
        put(out, "\",\"time\":\"");
        self.utc.write(out, record.at.time);
        put(out, "\",\"ts\":");
        self.utc.write_seconds(out, record.at.time);
        put(out, ",\"packet\":");
        number(out, record.at.packet);
        put(out, ",\"connection\":");
        number(out, record.source.connection.0);
        put(out, ",\"session\":");
        match record.source.session {
            Some(session) => number(out, session.0),
            None => put(out, "null"),
        }
        put(out, ",\"stream\":");
        match record.source.stream {
            Some(stream) => number(out, stream.into()),
            None => put(out, "null"),
        }
        put(out, ",\"scheme\":");
        match record.source.session {
            Some(_) => {
                put(out, "\"");
                put(out, record.source.scheme.name());
                put(out, "\"");
            }
            None => put(out, "null"),
        }
        put(out, ",\"client\":\"");
        endpoint(out, &record.source.client);
        put(out, "\",\"server\":\"");
        endpoint(out, &record.source.server);
        put(out, "\"");
        if let Some(proxied) = &record.source.proxied {
            events::proxied(out, proxied);
        }
    }

    /// Ends the line.
    #[inline]
    fn end(&mut self) {
        put(&mut self.out, "}\n");
    }
}

impl View for Json {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}

impl Sink for Json {
    #[inline]
    fn packet(&mut self, _: &Packet<'_>, _: Option<SegmentView<'_>>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        match record.kind {
            RecordKind::Message(message) => {
                self.begin("message", record);
                message::write(&mut self.out, message);
            }
            RecordKind::Handshake(handshake) => {
                self.begin("handshake", record);
                events::handshake(&mut self.out, handshake, record.source.stream);
            }
            RecordKind::Frame(frame) if self.frames => {
                self.begin("frame", record);
                events::frame(&mut self.out, frame);
            }
            RecordKind::Violation { direction, violation } => {
                self.begin("violation", record);
                events::violation(&mut self.out, direction, violation);
            }
            RecordKind::Gap { direction, gap } => {
                self.begin("gap", record);
                events::gap(&mut self.out, direction, &gap);
            }
            RecordKind::SessionEnd(end) => {
                self.verdict.clear();
                self.catalog.verdict(end, &mut self.verdict);
                self.begin("session-end", record);
                events::session_end(
                    &mut self.out,
                    end,
                    std::str::from_utf8(&self.verdict).unwrap_or_default(),
                );
            }
            RecordKind::Tls(handshake) => {
                self.begin("tls", record);
                events::tls(&mut self.out, handshake);
            }
            RecordKind::TlsEnd(end) => {
                self.begin("tls-end", record);
                events::tls_end(&mut self.out, end);
            }
            RecordKind::Frame(_)
            | RecordKind::UpgradeRequest(_)
            | RecordKind::Progress(_)
            | RecordKind::TlsPacket { .. }
            | RecordKind::Unanswered(_)
            | RecordKind::Http2 { .. } => {
                return ControlFlow::Continue(());
            }
        }
        self.end();
        ControlFlow::Continue(())
    }

    #[inline]
    fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[inline]
fn put_bool(out: &mut Vec<u8>, value: bool) {
    put(out, if value { "true" } else { "false" });
}

#[inline]
fn put_direction(out: &mut Vec<u8>, direction: Direction) {
    put(out, ",\"direction\":\"");
    put(out, direction.name());
    put(out, "\"");
}

#[cfg(test)]
mod tests;
