//! The `trace` view: the documents' form. For each TCP packet a comment block in plain words, then its `tcpdump` lines unchanged
//! and together, then, when it completes a WebSocket message, what the message says.
//!
//! What is told comes from [`crate::annotate`], the words from [`crate::annotate::texts`]; here they are only put together. Whatever was
//! captured goes through [`super::escape`] on its way out, so that nothing in it can end the block, begin another line or command
//! the terminal.

mod payload;

use std::ops::ControlFlow;

use super::View;
use super::escape;
use super::palette::Palette;
use super::tcpdump::{self, Printer};
use crate::annotate::texts::{Catalog, Language};
use crate::annotate::{Detail, Narrator};
use crate::record::{Record, RecordKind, SegmentView, Sink};
use crate::wire::Packet;
use payload::Payloads;

/// Notes of the capture's end that are put into one block.
const NOTES: usize = 64;

/// What the user asked of the view.
#[derive(Debug, Clone)]
pub struct Options {
    /// In which language.
    pub catalog: &'static Catalog,
    /// How much is told.
    pub detail: Detail,
    /// In which colours.
    pub palette: &'static Palette,
    /// Long messages are shown to their end.
    pub full: bool,
    /// How packets are printed.
    pub tcpdump: tcpdump::Options,
}

/// The `trace` view.
pub struct Trace {
    narrator: Narrator,
    language: &'static Language,
    printer: Printer,
    options: Options,
    payloads: Payloads,
    out: Vec<u8>,
    in_packet: bool,
    /// Something stands above: a blank line goes between.
    begun: bool,
    /// The same, before the current packet.
    begun_before: bool,
}

impl Trace {
    /// A view that has seen nothing.
    pub fn new(options: Options) -> Self {
        Self {
            narrator: Narrator::new(),
            language: Language::of(options.catalog),
            printer: Printer::new(options.tcpdump.clone()),
            payloads: Payloads::new(&options),
            options,
            out: Vec::new(),
            in_packet: false,
            begun: false,
            begun_before: false,
        }
    }

    fn between(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(b'\n');
        }
    }

    /// The comment block of the current story.
    fn block(&mut self) {
        let story = self.narrator.story();
        let palette = self.options.palette;
        self.out.extend_from_slice(palette.note.as_bytes());
        self.out.extend_from_slice(b"/*\n");
        self.out.extend_from_slice(b" * ");
        self.out.extend_from_slice(palette.title.as_bytes());
        self.language
            .words(story, &mut self.out, escape::comment)
            .title(&story.title);
        if !palette.title.is_empty() {
            self.out.extend_from_slice(palette.reset.as_bytes());
            self.out.extend_from_slice(palette.note.as_bytes());
        }
        self.out.push(b'\n');
        for note in story.notes.iter().filter(|note| note.detail() <= self.options.detail) {
            self.out.extend_from_slice(b" * ");
            self.language.words(story, &mut self.out, escape::comment).note(note);
            self.out.push(b'\n');
        }
        self.out.extend_from_slice(b" */");
        self.out.extend_from_slice(palette.reset.as_bytes());
        self.out.push(b'\n');
    }

    /// What the end of the capture (not a packet) brought.
    fn aside(&mut self) {
        self.narrator.packet_end();
        if self.narrator.story().is_empty() {
            return;
        }
        self.between();
        self.block();
        self.payloads.take(&mut self.out);
        self.narrator.clear();
    }
}

impl Sink for Trace {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.in_packet = true;
        self.begun_before = self.begun;
        self.narrator.packet(packet, segment);
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if !self.in_packet && self.narrator.waiting() >= NOTES {
            self.aside();
        }
        self.narrator.record(record);
        if let RecordKind::Message(message) = record.kind {
            let doubt = self.payloads.message(self.language, message);
            if let Some(doubt) = doubt {
                self.narrator.doubt(doubt);
            }
        }
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.narrator.packet_end();
        self.between();
        if !self.narrator.story().is_empty() {
            self.block();
        }
        self.printer.print(packet, &mut self.out);
        self.payloads.take(&mut self.out);
        self.narrator.clear();
        self.in_packet = false;
        ControlFlow::Continue(())
    }
}

impl View for Trace {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn take_back(&mut self, begin: usize) {
        self.out.truncate(begin);
        self.begun = self.begun_before;
    }

    fn finish(&mut self) {
        self.aside();
    }
}

#[cfg(test)]
mod tests;
