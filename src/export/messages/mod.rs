//! The `messages` view: one line a message, for reading along.
//!
//! Time, session, client, an arrow that says who sends, server, opcode, length, payload. The client always stands left. A session's
//! first line says how it opened, its last how it ended; pongs and answers say what they answer. In a pipe every line has all of
//! its text and single blanks between its fields. On a terminal the columns stay where they are, names stand for ports, the server
//! is named when a session opens, and a line ends where the terminal does, around what was searched for.

mod json;
mod names;
mod payload;
mod sessions;

use std::ops::ControlFlow;

use regex::bytes::Regex;

use super::View;
use super::columns::columns;
use super::palette::Palette;
use super::put::{endpoint, number};
use super::tcpdump::{self, Clock};
use crate::annotate::Story;
use crate::annotate::texts::{Arg, Catalog, Language};
use crate::base::{Direction, PacketRef};
use crate::record::{Answers, Handshake, Message, Record, RecordKind, SessionEnd, Sink, Source};
pub(super) use names::Names;
use payload::Look;
use sessions::Sessions;

/// How lines look.
#[derive(Debug, Clone)]
pub struct Options {
    /// In which language.
    pub catalog: &'static Catalog,
    /// The form of the times; what else is in there is for tcpdump's lines.
    pub tcpdump: tcpdump::Options,
    /// In which colours.
    pub palette: &'static Palette,
    /// Columns of the terminal that lines go to; `None` when it is no terminal.
    pub width: Option<usize>,
    /// Long payloads are shown whole, also on a terminal.
    pub full: bool,
    /// What is searched for: it is kept in sight and highlighted.
    pub grep: Option<Regex>,
}

/// The view.
pub struct Messages {
    out: Vec<u8>,
    clock: Clock,
    /// Lines begin with the packet's number.
    numbered: bool,
    language: &'static Language,
    /// Words of this view need no story.
    story: Story,
    look: Look,
    sessions: Sessions,
    /// What there is on a terminal only.
    terminal: Option<Terminal>,
}

struct Terminal {
    /// Columns of the client.
    client: usize,
    /// Columns of the session's number.
    session: usize,
    names: Names,
}

/// Columns of the client on a terminal of 80, so that 40 are left for the payload.
const CLIENT: usize = 6;
/// An IPv4 address and its port, in quotation marks if that were a name.
const MAX_CLIENT: usize = 22;

/// What a line is about.
#[derive(Clone, Copy)]
struct Line<'a> {
    at: PacketRef,
    source: &'a Source,
    /// Who sends, if it is one of the two.
    direction: Option<Direction>,
    what: &'static str,
    length: Option<u64>,
}

impl Messages {
    /// The view in this look.
    pub fn new(options: &Options) -> Self {
        let columns = options.width.map(|width| width.max(20));
        Self {
            out: Vec::new(),
            clock: Clock::new(&options.tcpdump),
            numbered: options.tcpdump.number,
            language: Language::of(options.catalog),
            story: Story::default(),
            look: Look {
                width: columns.filter(|_| !options.full).unwrap_or(usize::MAX),
                palette: options.palette,
                json: columns.is_some(),
                grep: options.grep.clone(),
            },
            sessions: Sessions::default(),
            terminal: columns.map(|columns| Terminal {
                client: MAX_CLIENT.min(CLIENT + columns.saturating_sub(80) / 2),
                session: 2,
                names: Names::default(),
            }),
        }
    }

    /// Writes a line up to its payload; gives where it begins.
    fn begin(&mut self, line: &Line<'_>) -> usize {
        let begin = self.out.len();
        let palette = self.look.palette;
        let colour = match line.direction {
            Some(Direction::ClientToServer) => palette.client,
            Some(Direction::ServerToClient) => palette.server,
            None => palette.faint,
        };
        self.put(palette.faint);
        if self.numbered {
            let at = self.out.len();
            number(&mut self.out, line.at.packet);
            let digits = self.out.len() - at;
            self.out
                .splice(at..at, std::iter::repeat_n(b' ', 5_usize.saturating_sub(digits)));
            self.put("  ");
        }
        self.clock.print(line.at.time, &mut self.out);
        let at = self.out.len();
        self.out.push(b'#');
        number(&mut self.out, line.source.number());
        if let Some(terminal) = &mut self.terminal {
            terminal.session = terminal.session.max(self.out.len() - at);
            self.out.resize(at + terminal.session, b' ');
        }
        self.put(palette.reset);
        self.out.push(b' ');
        self.put(colour);
        self.client(line.source);
        self.put(match line.direction {
            Some(Direction::ClientToServer) => " → ",
            Some(Direction::ServerToClient) => " ← ",
            None => " – ",
        });
        if self.terminal.is_none() {
            endpoint(&mut self.out, &line.source.server);
            self.out.push(b' ');
        }
        self.put(line.what);
        self.put(palette.reset);
        if self.terminal.is_some() {
            // `binary` is the longest of the frequent ones, and four digits of length are enough for nearly all.
            let digits = line.length.map_or(0, |n| n.checked_ilog10().unwrap_or(0) as usize + 1);
            let padding = "binary".len().saturating_sub(line.what.len()) + 4_usize.saturating_sub(digits);
            self.out.resize(self.out.len() + 1 + padding, b' ');
        } else if line.length.is_some() {
            self.out.push(b' ');
        }
        if let Some(length) = line.length {
            number(&mut self.out, length);
        }
        begin
    }

    /// The client; on a terminal its name, or as much of its address as there is room for, filled up to its column.
    fn client(&mut self, source: &Source) {
        let Some(terminal) = &self.terminal else {
            return endpoint(&mut self.out, &source.client);
        };
        let begin = self.out.len();
        terminal.names.write(&mut self.out, source, terminal.client);
        let columns = columns(&self.out[begin..]);
        self.out
            .resize(self.out.len() + terminal.client.saturating_sub(columns), b' ');
    }

    fn message(&mut self, record: &Record<'_>, message: &Message<'_>) {
        let (at, source) = (record.at, record.source);
        let answers = message.meaning.iter().find_map(|read| read.answers.as_ref());
        let begin = self.begin(&Line {
            at,
            source,
            direction: Some(message.direction),
            what: message.opcode.name(),
            length: Some(message.payload.length()),
        });
        if let Some(answers) = answers {
            self.answers(answers);
        }
        payload::write(&mut self.out, begin, message, &self.look, self.language, &self.story);
        self.out.push(b'\n');
    }

    /// Says what this answers, and how long ago that was.
    fn answers(&mut self, answers: &Answers) {
        let palette = self.look.palette;
        self.out.push(b' ');
        self.out.extend_from_slice(palette.faint.as_bytes());
        let mut words = self.language.words(&self.story, &mut self.out, super::escape::line);
        words.m_answers(Arg::Num(answers.packet), Arg::Time(answers.after));
        self.out.extend_from_slice(palette.reset.as_bytes());
    }

    fn opened(&mut self, record: &Record<'_>, handshake: &Handshake) {
        let (at, source) = (record.at, record.source);
        let begin = self.begin(&Line {
            at,
            source,
            direction: Some(Direction::ClientToServer),
            what: "open",
            length: None,
        });
        let payload = self.out.len();
        sessions::opening(&mut self.out, source, handshake, self.terminal.is_some());
        payload::end(&mut self.out, begin, payload, &self.look);
        self.out.push(b'\n');
    }

    /// A session of which the handshake was not captured.
    fn found(&mut self, record: &Record<'_>) {
        let (at, source) = (record.at, record.source);
        let begin = self.begin(&Line {
            at,
            source,
            direction: None,
            what: "open",
            length: None,
        });
        let payload = self.out.len();
        self.out.push(b' ');
        let mut words = self.language.words(&self.story, &mut self.out, super::escape::line);
        words.m_inferred();
        sessions::ends(&mut self.out, source, self.terminal.is_some());
        payload::end(&mut self.out, begin, payload, &self.look);
        self.out.push(b'\n');
    }

    fn ended(&mut self, record: &Record<'_>, end: &SessionEnd) {
        let (at, source) = (record.at, record.source);
        let begin = self.begin(&Line {
            at,
            source,
            direction: end.by,
            what: "end",
            length: None,
        });
        let payload = self.out.len();
        self.out.push(b' ');
        let palette = self.look.palette;
        if end.verdict.is_abnormal() {
            self.put(palette.abnormal);
        }
        self.language.verdict(end, &mut self.out);
        self.put(palette.reset);
        payload::end(&mut self.out, begin, payload, &self.look);
        self.out.push(b'\n');
    }

    #[inline]
    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

impl View for Messages {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn unselected(&mut self, record: &Record<'_>) {
        match &record.kind {
            RecordKind::Handshake(handshake) => {
                let begin = self.out.len();
                self.opened(record, handshake);
                self.sessions.wait(record.source.number(), self.out.split_off(begin));
            }
            RecordKind::Message(message) => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.names.hear(record.source, message);
                }
            }
            RecordKind::SessionEnd(end) => {
                if self.sessions.end(record.source.number()) {
                    self.ended(record, end);
                }
                self.forget(record.source);
            }
            _ => {}
        }
    }
}

impl Messages {
    fn forget(&mut self, source: &Source) {
        if let Some(terminal) = &mut self.terminal {
            terminal.names.forget(source.number());
        }
    }
}

impl Sink for Messages {
    #[inline]
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        match &record.kind {
            RecordKind::Handshake(handshake) => {
                self.sessions.open(record.source.number());
                self.opened(record, handshake);
            }
            RecordKind::Message(message) => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.names.hear(record.source, message);
                }
                match self.sessions.first(record.source) {
                    sessions::First::No => {}
                    sessions::First::Waiting(line) => self.out.extend_from_slice(&line),
                    sessions::First::Inferred => self.found(record),
                }
                self.message(record, message);
            }
            RecordKind::SessionEnd(end) => {
                self.sessions.end(record.source.number());
                self.ended(record, end);
                self.forget(record.source);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
