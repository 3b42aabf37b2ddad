//! The `trace` view: the documents' form. For each TCP packet a comment block in plain words, then its `tcpdump` lines unchanged
//! and together, then, when it completes a WebSocket message, what the message says.
//!
//! What is told comes from [`crate::annotate`], the words from [`crate::annotate::texts`]; here they are only put together. Whatever was
//! captured goes through [`super::escape`] on its way out, so that nothing in it can end the block, begin another line or command
//! the terminal.

mod payload;
mod teller;

use std::ops::ControlFlow;

use super::View;
use super::palette::Palette;
use super::tcpdump::{self, Printer};
use crate::annotate::Detail;
use crate::annotate::texts::Catalog;
use crate::record::{Record, SegmentView, Sink};
use crate::wire::Packet;

pub(super) use teller::{BARE, Teller};

/// Notes of the capture's end that are put into one block.
const NOTES: usize = 16;

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
    teller: Teller,
    printer: Printer,
    out: Vec<u8>,
    in_packet: bool,
    /// Something stands above: a blank line goes between.
    begun: bool,
}

impl Trace {
    /// A view that has seen nothing.
    pub fn new(options: Options) -> Self {
        Self {
            printer: Printer::new(options.tcpdump.clone()),
            teller: Teller::new(options),
            out: Vec::new(),
            in_packet: false,
            begun: false,
        }
    }

    fn between(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(b'\n');
        }
    }

    /// What the end of the capture (not a packet) brought.
    fn aside(&mut self) {
        self.teller.packet_end();
        if self.teller.is_silent() {
            return;
        }
        self.between();
        self.teller.block(&mut self.out, &teller::BLOCK);
        self.teller.take_payloads(&mut self.out);
        self.teller.clear();
    }
}

impl Sink for Trace {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.in_packet = true;
        self.teller.packet(packet, segment);
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if !self.in_packet && self.teller.waiting() >= NOTES {
            self.aside();
        }
        self.teller.record(record);
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.teller.packet_end();
        self.between();
        if !self.teller.is_silent() {
            self.teller.block(&mut self.out, &teller::BLOCK);
        }
        self.printer.print(packet, &mut self.out);
        self.printer.print_inside(packet, &mut self.out);
        self.teller.take_payloads(&mut self.out);
        self.teller.clear();
        self.in_packet = false;
        ControlFlow::Continue(())
    }
}

impl View for Trace {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn unselected(&mut self, record: &Record<'_>) {
        self.teller.hear(record);
    }

    fn hide(&mut self, packet: &Packet<'_>, goes_on: bool) {
        self.teller.hide();
        if goes_on {
            self.printer.pass(packet);
        }
        self.in_packet = false;
    }

    fn finish(&mut self) {
        self.aside();
    }
}

#[cfg(test)]
mod tests;
