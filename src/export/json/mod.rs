//! The `json` view: one JSON object a line (NDJSON), for jq and scripts.
//!
//! Every event has its fields in one order. Whatever was captured, each line is JSON that every reader takes, holds no character
//! that a terminal obeys, and its strings mean exactly what was sent. No value is built on the way: this writes bytes.

mod events;
mod message;

use std::ops::ControlFlow;

use super::View;
use super::put::{endpoint, number};
use super::utc::Utc;
use crate::annotate::texts::Catalog;
use crate::base::Direction;
use crate::record::{Event, EventKind, SegmentView, Sink};
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
    fn begin(&mut self, name: &str, event: &Event<'_>) {
        let out = &mut self.out;
        put(out, "{\"event\":\"");
        put(out, name);
        put(out, "\",\"time\":\"");
        self.utc.write(out, event.at.time);
        put(out, "\",\"packet\":");
        number(out, event.at.packet);
        put(out, ",\"session\":");
        number(out, event.session.number);
        put(out, ",\"client\":\"");
        endpoint(out, &event.session.client);
        put(out, "\",\"server\":\"");
        endpoint(out, &event.session.server);
        put(out, "\"");
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

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        match event.kind {
            EventKind::Message(message) => {
                self.begin("message", event);
                message::write(&mut self.out, message);
            }
            EventKind::Handshake(handshake) => {
                self.begin("handshake", event);
                events::handshake(&mut self.out, handshake);
            }
            EventKind::Frame(frame) if self.frames => {
                self.begin("frame", event);
                events::frame(&mut self.out, frame);
            }
            EventKind::Violation { direction, violation } => {
                self.begin("violation", event);
                events::violation(&mut self.out, direction, violation);
            }
            EventKind::Gap { direction, gap } => {
                self.begin("gap", event);
                events::gap(&mut self.out, direction, &gap);
            }
            EventKind::SessionEnd(end) => {
                self.verdict.clear();
                self.catalog.verdict(end, &mut self.verdict);
                self.begin("session-end", event);
                events::session_end(
                    &mut self.out,
                    end,
                    std::str::from_utf8(&self.verdict).unwrap_or_default(),
                );
            }
            EventKind::Frame(_) | EventKind::UpgradeRequest(_) | EventKind::Progress(_) => {
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
fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
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

/// Appends `text` as a string.
fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    super::escape::json(out, text);
    out.push(b'"');
}

#[cfg(test)]
mod tests;
