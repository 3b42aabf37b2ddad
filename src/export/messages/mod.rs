//! The `messages` view: one line a message, for reading along.
//!
//! Time, session, who → whom, opcode, length, payload. In a pipe every line has all of its text and single blanks between its
//! fields. On a terminal the columns are aligned, names stand beside ports where they are known, and a line ends where the
//! terminal does.

mod names;
mod payload;

use std::ops::ControlFlow;

use super::View;
use super::palette::Palette;
use super::put::{endpoint, number};
use super::tcpdump::{self, Clock};
use crate::base::{Direction, Endpoint};
use crate::record::{Message, Record, RecordKind, SegmentView, Sink, Source};
use crate::wire::Packet;
use names::Names;

/// How lines look.
#[derive(Debug, Clone)]
pub struct Options {
    /// The form of the times; what else is in there is for tcpdump's lines.
    pub tcpdump: tcpdump::Options,
    /// In which colours.
    pub palette: &'static Palette,
    /// Columns of the terminal that lines go to; `None` when it is no terminal.
    pub width: Option<usize>,
    /// Long payloads are shown whole, also on a terminal.
    pub full: bool,
}

/// The view.
pub struct Messages {
    out: Vec<u8>,
    clock: Clock,
    palette: &'static Palette,
    /// What there is on a terminal only.
    terminal: Option<Terminal>,
}

struct Terminal {
    /// Where lines end; `usize::MAX` when they are shown whole.
    width: usize,
    /// How wide the columns before the opcode have become.
    column: usize,
    names: Names,
}

/// Columns before the opcode may become this wide, and not more for the sake of a few.
const MAX_COLUMN: usize = 100;

impl Messages {
    /// The view in this look.
    pub fn new(options: &Options) -> Self {
        Self {
            out: Vec::new(),
            clock: Clock::new(&options.tcpdump),
            palette: options.palette,
            terminal: options.width.map(|width| Terminal {
                width: if options.full { usize::MAX } else { width.max(20) },
                column: 0,
                names: Names::default(),
            }),
        }
    }

    fn line(&mut self, record: &Record<'_>, message: &Message<'_>) {
        let begin = self.out.len();
        let (session, palette) = (record.source, self.palette);
        let colour = match message.direction {
            Direction::ClientToServer => palette.client,
            Direction::ServerToClient => palette.server,
        };
        self.put(palette.faint);
        self.clock.print(record.at.time, &mut self.out);
        self.out.push(b'#');
        number(&mut self.out, session.number());
        self.put(palette.reset);
        self.out.push(b' ');
        self.put(colour);
        let (from, to) = (message.direction, message.direction.other());
        self.party(session, from);
        self.put(" → ");
        self.party(session, to);
        self.put(palette.reset);
        self.align(begin);
        self.out.push(b' ');
        self.put(message.opcode.name());
        self.out.push(b' ');
        if self.terminal.is_some() {
            // `binary` is the longest of the frequent ones, and six digits of length are enough for nearly all.
            let padding =
                "binary".len().saturating_sub(message.opcode.name().len()) + padding(message.payload.length());
            self.out.resize(self.out.len() + padding, b' ');
        }
        number(&mut self.out, message.payload.length());
        let width = self.terminal.as_ref().map_or(usize::MAX, |terminal| terminal.width);
        payload::write(&mut self.out, begin, message, width, palette);
        self.out.push(b'\n');
    }

    #[inline]
    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Who sends in `direction`, with the name if it is known.
    fn party(&mut self, session: &Source, direction: Direction) {
        let party: Endpoint = session.sender(direction);
        endpoint(&mut self.out, &party);
        if let (Some(terminal), Direction::ClientToServer) = (&self.terminal, direction) {
            terminal.names.write(&mut self.out, session.number());
        }
    }

    /// On a terminal: fills up to the column of the opcode.
    fn align(&mut self, begin: usize) {
        let Some(terminal) = &mut self.terminal else { return };
        let columns = payload::columns(&self.out[begin..]);
        terminal.column = terminal.column.max(columns.min(MAX_COLUMN));
        self.out
            .resize(self.out.len() + terminal.column.saturating_sub(columns), b' ');
    }
}

/// Blanks that make six columns of `n`.
fn padding(n: u64) -> usize {
    let digits = n.checked_ilog10().unwrap_or(0) as usize + 1;
    6usize.saturating_sub(digits)
}

impl View for Messages {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}

impl Sink for Messages {
    #[inline]
    fn packet(&mut self, _: &Packet<'_>, _: Option<SegmentView<'_>>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        match &record.kind {
            RecordKind::Message(message) => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.names.hear(record.source, message);
                }
                self.line(record, message);
            }
            RecordKind::SessionEnd(_) => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.names.forget(record.source.number());
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
