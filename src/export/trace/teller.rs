//! What there is to tell of a packet, as lines: the sentences of its story, then what its messages say.

use super::Options;
use super::payload::Payloads;
use crate::annotate::texts::{Arg, Language};
use crate::annotate::{Detail, Narrator, Note, Story, Told, Tone};
use crate::base::Direction;
use crate::export::escape;
use crate::export::palette::Palette;
use crate::export::wrap;
use crate::record::{Record, RecordKind, SegmentView};
use crate::wire::Packet;

/// Lines of a block, its frame included, unless all is told.
const LINES: usize = 24;

/// What stands around sentences.
#[derive(Debug)]
pub(in crate::export) struct Frame {
    begin: &'static str,
    line: &'static str,
    /// Before what a wrapped sentence goes on with.
    more: &'static str,
    end: &'static str,
}

/// A comment of C.
pub(super) const BLOCK: Frame = Frame {
    begin: "/*",
    line: " * ",
    more: " *   ",
    end: " */",
};

/// Nothing.
pub(in crate::export) const BARE: Frame = Frame {
    begin: "",
    line: "",
    more: "  ",
    end: "",
};

/// Hears what a view hears.
pub(in crate::export) struct Teller {
    narrator: Narrator,
    language: &'static Language,
    options: Options,
    payloads: Payloads,
    /// One sentence.
    line: Vec<u8>,
}

impl Teller {
    /// One that has heard nothing.
    pub(in crate::export) fn new(options: Options) -> Self {
        let narrator = match options.detail {
            Detail::Verbose => Narrator::new().with_addresses(),
            _ => Narrator::new(),
        };
        Self {
            narrator,
            language: Language::of(options.catalog),
            payloads: Payloads::new(&options),
            options,
            line: Vec::new(),
        }
    }

    /// Messages are told as they were sent, not laid out.
    #[must_use]
    pub(in crate::export) fn verbatim(mut self, limit: usize) -> Self {
        self.payloads = self.payloads.verbatim(limit);
        self
    }

    /// A packet has come.
    pub(in crate::export) fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) {
        self.narrator.packet(packet, segment);
    }

    /// The current packet brought this about.
    pub(in crate::export) fn record(&mut self, record: &Record<'_>) {
        self.narrator.record(record);
        if let RecordKind::Message(message) = record.kind
            && let Some(doubt) = self.payloads.message(self.language, message)
        {
            self.narrator.doubt(doubt);
        }
    }

    /// The current packet brought this about; it is not told itself, but later things refer to it.
    pub(in crate::export) fn hear(&mut self, record: &Record<'_>) {
        self.narrator.record(record);
    }

    /// The current packet has brought all it brings, and is not told.
    pub(in crate::export) fn hide(&mut self) {
        self.narrator.packet_end();
        self.narrator.clear();
        self.payloads.clear();
    }

    /// The current packet has brought all it brings.
    pub(in crate::export) fn packet_end(&mut self) {
        self.narrator.packet_end();
    }

    /// How many notes wait to be told.
    pub(super) fn waiting(&self) -> usize {
        self.narrator.waiting()
    }

    /// There is nothing to say.
    pub(in crate::export) fn is_silent(&self) -> bool {
        self.narrator.story().is_empty()
    }

    /// Moves what the messages say to `out`.
    pub(in crate::export) fn take_payloads(&mut self, out: &mut Vec<u8>) {
        self.payloads.take(out);
    }

    /// All is told.
    pub(in crate::export) fn clear(&mut self) {
        self.narrator.clear();
    }

    /// The sentences of the current story.
    pub(in crate::export) fn block(&mut self, out: &mut Vec<u8>, frame: &'static Frame) {
        let story = self.narrator.story();
        let palette = self.options.palette;
        let brief = self.options.detail == Detail::Brief;
        let title = match story.sender {
            Some(Direction::ClientToServer) => palette.client_title,
            Some(Direction::ServerToClient) => palette.server_title,
            None => palette.title,
        };
        out.extend_from_slice(palette.note.as_bytes());
        out.extend_from_slice(frame.begin.as_bytes());
        if !frame.begin.is_empty() {
            out.push(if brief { b' ' } else { b'\n' });
        }
        self.line.clear();
        self.language
            .words(story, &mut self.line, escape::comment)
            .title(&story.title);
        if brief {
            coloured(out, palette, title, &self.line);
        } else {
            let lines = paragraph(out, &self.options, frame, title, &self.line);
            self.notes(out, frame, (LINES - 2).saturating_sub(lines));
        }
        out.extend_from_slice(frame.end.as_bytes());
        out.extend_from_slice(palette.reset.as_bytes());
        if brief || !frame.end.is_empty() {
            out.push(b'\n');
        }
    }

    /// The sentences of the current story, in at most so many lines unless all is told.
    fn notes(&mut self, out: &mut Vec<u8>, frame: &'static Frame, limit: usize) {
        let story = self.narrator.story();
        let all = self.options.detail == Detail::Verbose;
        // What is told only when nothing else is, is told once.
        let alone = story.notes.iter().position(|note| note.told() == Told::Alone);
        let always = |note: &Note| note.told() == Told::Always && !is_introduction(note);
        let alone = alone.filter(|_| !story.notes.iter().any(always));
        let told = |&(index, note): &(usize, &Note)| all || note.told() == Told::Always || alone == Some(index);
        let mut lines = 0;
        // Where one line more has room, and how many sentences stand before it.
        let mut room = (out.len(), 0);
        let mut count = 0;
        let mut told = story.notes.iter().enumerate().filter(told).peekable();
        while let Some((_, note)) = told.next() {
            if is_introduction(note) && told.peek().is_none_or(|(_, next)| is_introduction(next)) {
                continue;
            }
            count += 1;
            if lines > limit && !all {
                continue;
            }
            self.line.clear();
            self.language.words(story, &mut self.line, escape::comment).note(note);
            let colour = tone(self.options.palette, story, note);
            lines += paragraph(out, &self.options, frame, colour, &self.line);
            if lines < limit {
                room = (out.len(), count);
            }
        }
        let cut = lines > limit && !all;
        if cut {
            out.truncate(room.0);
        } else {
            room.1 = count;
        }
        let more = count - room.1 + story.untold;
        if cut || all && more > 0 {
            self.line.clear();
            let mut words = self.language.words(story, &mut self.line, escape::comment);
            match all {
                true => words.more_untold(Arg::Num(more)),
                false => words.more(Arg::Num(more)),
            }
            paragraph(out, &self.options, frame, "", &self.line);
        }
    }
}

/// Whether a sentence only says of which packet the next ones are.
fn is_introduction(note: &Note) -> bool {
    matches!(note, Note::Earlier { .. })
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
fn paragraph(out: &mut Vec<u8>, options: &Options, frame: &'static Frame, colour: &'static str, text: &[u8]) -> usize {
    let mut line = |first: bool, text: &[u8]| {
        out.extend_from_slice(if first { frame.line } else { frame.more }.as_bytes());
        coloured(out, options.palette, colour, text);
        out.push(b'\n');
    };
    // Blocks are UTF-8, since what was captured has been escaped.
    let on_terminal = options
        .width
        .and_then(|width| Some((width, std::str::from_utf8(text).ok()?)));
    match on_terminal {
        Some((width, text)) => {
            let mut count = 0;
            for part in wrap::lines(text, width.saturating_sub(3), width.saturating_sub(5)) {
                line(count == 0, part.as_bytes());
                count += 1;
            }
            count
        }
        None => {
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
