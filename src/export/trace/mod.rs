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
use super::wrap;
use crate::annotate::texts::{Arg, Catalog, Language};
use crate::annotate::{Detail, Narrator, Note, Story, Told, Tone};
use crate::base::Direction;
use crate::record::{Record, RecordKind, SegmentView, Sink};
use crate::wire::Packet;
use payload::Payloads;

/// Notes of the capture's end that are put into one block.
const NOTES: usize = 16;
/// Lines of a block, its frame included, unless all is told.
const LINES: usize = 24;

/// What the user asked of the view.
#[derive(Debug, Clone)]
pub struct Options {
    /// In which language.
    pub catalog: &'static Catalog,
    /// How much is told.
    pub detail: Detail,
    /// In which colours.
    pub palette: &'static Palette,
    /// Columns of the terminal; `None` when it is none, and prose is not wrapped.
    pub width: Option<usize>,
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
    /// One sentence.
    line: Vec<u8>,
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
        let narrator = match options.detail {
            Detail::Verbose => Narrator::new().with_addresses(),
            _ => Narrator::new(),
        };
        Self {
            narrator,
            language: Language::of(options.catalog),
            printer: Printer::new(options.tcpdump.clone()),
            payloads: Payloads::new(&options),
            options,
            line: Vec::new(),
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
        let brief = self.options.detail == Detail::Brief;
        let title = match story.sender {
            Some(Direction::ClientToServer) => palette.client_title,
            Some(Direction::ServerToClient) => palette.server_title,
            None => palette.title,
        };
        let out = &mut self.out;
        out.extend_from_slice(palette.note.as_bytes());
        out.extend_from_slice(if brief { b"/* " } else { b"/*\n" });
        self.line.clear();
        self.language
            .words(story, &mut self.line, escape::comment)
            .title(&story.title);
        if brief {
            coloured(out, palette, title, &self.line);
            out.extend_from_slice(b" */");
        } else {
            let lines = paragraph(out, &self.options, title, &self.line);
            self.notes((LINES - 2).saturating_sub(lines));
            self.out.extend_from_slice(b" */");
        }
        self.out.extend_from_slice(palette.reset.as_bytes());
        self.out.push(b'\n');
    }

    /// The sentences of the current story, in at most so many lines unless all is told.
    fn notes(&mut self, limit: usize) {
        let story = self.narrator.story();
        let all = self.options.detail == Detail::Verbose;
        // What is told only when nothing else is, is told once.
        let alone = story.notes.iter().position(|note| note.told() == Told::Alone);
        let alone = alone.filter(|_| !story.notes.iter().any(|note| note.told() == Told::Always));
        let told = |&(index, note): &(usize, &Note)| all || note.told() == Told::Always || alone == Some(index);
        let mut lines = 0;
        // Where one line more has room, and how many sentences stand before it.
        let mut room = (self.out.len(), 0);
        let mut count = 0;
        for (_, note) in story.notes.iter().enumerate().filter(told) {
            count += 1;
            if lines > limit && !all {
                continue;
            }
            self.line.clear();
            self.language.words(story, &mut self.line, escape::comment).note(note);
            let colour = tone(self.options.palette, story, note);
            lines += paragraph(&mut self.out, &self.options, colour, &self.line);
            if lines < limit {
                room = (self.out.len(), count);
            }
        }
        let cut = lines > limit && !all;
        if cut {
            self.out.truncate(room.0);
        } else {
            room.1 = count;
        }
        let more = count - room.1 + story.untold;
        if cut || all && more > 0 {
            self.line.clear();
            let mut words = self.language.words(story, &mut self.line, escape::comment);
            words.more(Arg::Num(more));
            paragraph(&mut self.out, &self.options, "", &self.line);
        }
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

/// In which colour a sentence stands; empty for that of all.
fn tone(palette: &Palette, story: &Story, note: &Note) -> &'static str {
    match story.tone(note) {
        Tone::Plain => "",
        Tone::Violation => palette.wrong,
        Tone::Loss => palette.lost,
        Tone::Abnormal => palette.abnormal,
    }
}

/// Appends `text` as lines of a block, wrapped on a terminal. Gives how many.
fn paragraph(out: &mut Vec<u8>, options: &Options, colour: &'static str, text: &[u8]) -> usize {
    let mut line = |first: bool, text: &[u8]| {
        out.extend_from_slice(if first { b" * " } else { b" *   " });
        coloured(out, options.palette, colour, text);
        out.push(b'\n');
    };
    // Blocks are UTF-8, since what was captured has been escaped.
    match (options.width, std::str::from_utf8(text)) {
        (Some(width), Ok(text)) => {
            let mut count = 0;
            for part in wrap::lines(text, width.saturating_sub(3), width.saturating_sub(5)) {
                line(count == 0, part.as_bytes());
                count += 1;
            }
            count
        }
        _ => {
            line(true, text);
            1
        }
    }
}

/// Appends `text` in `colour`, if that is one, and goes back to the colour of blocks.
fn coloured(out: &mut Vec<u8>, palette: &Palette, colour: &'static str, text: &[u8]) {
    out.extend_from_slice(colour.as_bytes());
    out.extend_from_slice(text);
    if !colour.is_empty() {
        out.extend_from_slice(palette.reset.as_bytes());
        out.extend_from_slice(palette.note.as_bytes());
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
        self.printer.print_inside(packet, &mut self.out);
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
