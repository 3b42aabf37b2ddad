//! What a message says, below the packet that completes it: a line on what it is, then JSON laid out, text, or a hex dump.

use super::Options;
use crate::annotate::texts::{Arg, Language, Words};
use crate::annotate::{Doubt, Story};
use crate::export::contents::Contents;
use crate::export::json_text::Layout;
use crate::export::{escape, gzip, hexdump};
use crate::record::{Interpretation, Message, Opcode, Payload};

/// Blanks before every line.
const INDENT: usize = 4;
/// Bytes of a text that are shown without `--full`.
const TEXT: usize = 2000;
/// Bytes of a binary message that are shown without `--full`.
const BINARY: usize = 512;
/// Bytes of a message that `--full` shows; of JSON, about so many bytes of lines, which indentation can make 250 times as long
/// as the text.
const FULL: usize = 16 << 20;
/// Bytes of lines about the messages of one packet. Of further ones only their beginnings are shown.
const PACKET: usize = 32 << 20;
/// Bytes of lines that may be kept room for: one huge message must not cost memory for ever.
const KEPT: usize = 1 << 20;

/// The messages of the current packet, as lines.
pub(super) struct Payloads {
    lines: Vec<u8>,
    layout: Layout,
    /// JSON is laid out, and what is cut is told.
    laid_out: bool,
    binary: usize,
    /// `--full`: nothing shows more.
    full: bool,
    doubt: Option<Doubt>,
}

impl Payloads {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            lines: Vec::new(),
            layout: Layout {
                indent: INDENT,
                limit: if options.full { FULL } else { TEXT },
                palette: options.palette,
            },
            laid_out: true,
            binary: if options.full { FULL } else { BINARY },
            full: options.full,
            doubt: None,
        }
    }

    /// Texts are told as they were sent, up to `limit` bytes, and nothing is indented.
    pub(super) fn verbatim(mut self, limit: usize) -> Self {
        self.laid_out = false;
        self.layout.indent = 0;
        self.layout.limit = limit;
        self.binary = BINARY;
        self
    }

    /// Moves the lines to `out`.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.lines);
        self.lines.shrink_to(KEPT);
    }

    /// What was said is not told.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.lines.shrink_to(KEPT);
    }

    /// Takes what `message` says. Gives what is wrong with it when it begins like JSON.
    pub(super) fn message(&mut self, language: &Language, message: &Message<'_>) -> Option<Doubt> {
        self.doubt = None;
        self.lay_out(language, message);
        self.doubt.take()
    }

    fn lay_out(&mut self, language: &Language, message: &Message<'_>) {
        if message.opcode.is_control() && message.payload.bytes.is_empty() && message.complete {
            return;
        }
        let length = message.payload.length();
        let contents = message
            .text
            .filter(|_| message.complete)
            .map(|text| self.contents(text, message.meaning));
        let unwrapped = matches!(contents, Some(Contents::Strings(_)));
        self.line(language, |words| {
            let bytes = Arg::Bytes(length);
            match message.opcode {
                Opcode::Text => words.h_text(bytes),
                Opcode::Continuation | Opcode::Unknown => words.h_unknown(bytes),
                Opcode::Binary => words.h_binary(bytes),
                Opcode::Ping => words.h_ping(bytes),
                Opcode::Pong => words.h_pong(bytes),
                Opcode::Close => words.h_close(bytes),
                Opcode::Reserved(n) => words.h_reserved(Arg::Num(n.into()), bytes),
            }
            if message.compressed {
                words.h_compressed(Arg::Num(message.wire_length));
            }
            if message.extended {
                words.h_extended();
            }
            if unwrapped {
                words.h_unwrapped();
            }
            if message.frames > 1 {
                words.h_frames(Arg::Num(message.frames.into()));
            }
            if let Some(key) = message.masking_key.filter(|_| message.wire_length > 0) {
                words.h_unmasked(Arg::Key(key));
            }
            words.h_end();
        });
        if !message.complete {
            return self.parts(language, &message.payload);
        }
        match message.close {
            Some(close) => {
                self.lines.resize(self.lines.len() + self.layout.indent, b' ');
                self.lines
                    .extend_from_slice(itoa::Buffer::new().format(close.code).as_bytes());
                if !close.reason.is_empty() {
                    self.lines.push(b' ');
                    escape::line(&mut self.lines, close.reason.as_bytes());
                }
                self.lines.push(b'\n');
            }
            None => match contents {
                Some(contents) => {
                    let left = self.text(&contents);
                    self.more(language, left);
                }
                None => self.bytes(language, message.payload.bytes, 0, message.opcode),
            },
        }
        if message.opcode == Opcode::Binary
            && let Some((unpacked, length)) = gzip::unpack(message.payload.bytes, self.room())
        {
            self.line(language, |words| words.h_gzip(Arg::Bytes(length)));
            let packed = usize::try_from(length)
                .unwrap_or(usize::MAX)
                .saturating_sub(unpacked.len());
            let left = match std::str::from_utf8(&unpacked) {
                Ok(text) => self.text(&self.contents(text, &[])),
                Err(_) => {
                    self.part(language, &unpacked, 0);
                    0
                }
            };
            self.more(language, packed.saturating_add(left));
        }
    }

    /// One of our own lines.
    fn line(&mut self, language: &Language, write: impl FnOnce(&mut Words<'_>)) {
        let palette = self.layout.palette;
        self.lines.resize(self.lines.len() + self.layout.indent, b' ');
        self.lines.extend_from_slice(palette.faint.as_bytes());
        let mut words = language.words(Story::EMPTY, &mut self.lines, escape::line);
        write(&mut words);
        self.lines.extend_from_slice(palette.reset.as_bytes());
        self.lines.push(b'\n');
    }

    fn bytes(&mut self, language: &Language, bytes: &[u8], offset: u64, opcode: Opcode) {
        let shown = match simdutf8::basic::from_utf8(bytes) {
            Ok(text) if opcode != Opcode::Binary => text.len() - self.text(&self.contents(text, &[])),
            Err(_) if opcode == Opcode::Text => self.as_lines(bytes),
            _ => self.as_dump(bytes, offset),
        };
        self.more(language, bytes.len() - shown);
    }

    /// Bytes of a text for which there is room.
    fn room(&self) -> usize {
        self.layout.limit.min(PACKET.saturating_sub(self.lines.len()))
    }

    /// Lines of text. Gives how many bytes are shown.
    fn as_lines(&mut self, bytes: &[u8]) -> usize {
        let room = self.room();
        escape::lines(&mut self.lines, bytes, self.layout.indent, room)
    }

    /// A hex dump. Gives how many bytes are shown.
    fn as_dump(&mut self, bytes: &[u8], offset: u64) -> usize {
        // It is nearly five times as long as what it shows.
        let room = PACKET.saturating_sub(self.lines.len()) / 5;
        let shown = &bytes[..bytes.len().min(self.binary).min(room)];
        hexdump::hexdump(&mut self.lines, shown, offset, self.layout.indent);
        shown.len()
    }

    /// So many bytes are not shown.
    fn more(&mut self, language: &Language, bytes: usize) {
        if bytes > 0 && !self.laid_out {
            self.lines.extend_from_slice("…\n".as_bytes());
        } else if bytes > 0 {
            let (full, bytes) = (self.full, Arg::Bytes(bytes as u64));
            self.line(language, |words| match full {
                true => words.w_cut(bytes),
                false => words.h_more(bytes),
            });
        }
    }

    /// What a text holds, as far as it is laid out.
    fn contents<'a>(&self, text: &'a str, meaning: &[Interpretation<'_>]) -> Contents<'a> {
        match self.laid_out {
            true => Contents::of(text, meaning),
            false => Contents::Verbatim(text),
        }
    }

    /// JSON, or any other text. Gives how many bytes of it are not shown.
    fn text(&mut self, contents: &Contents<'_>) -> usize {
        let limit = self.room();
        let told = contents.lay_out(&mut self.lines, &Layout { limit, ..self.layout });
        self.doubt = told.doubt;
        told.left
    }

    /// The known parts of a message and its holes.
    fn parts(&mut self, language: &Language, payload: &Payload<'_>) {
        let mut at = 0_usize;
        for hole in payload.holes {
            let start = usize::try_from(hole.offset).map_or(payload.bytes.len(), |n| n.min(payload.bytes.len()));
            if at < start {
                self.part(language, &payload.bytes[at..start], at as u64);
            }
            at = at.max(start);
            match hole.length {
                Some(length) => {
                    self.line(language, |words| words.h_hole(Arg::Bytes(length)));
                    let behind = hole.offset.saturating_add(length);
                    at = usize::try_from(behind).map_or(payload.bytes.len(), |n| n.min(payload.bytes.len()));
                }
                None => self.line(language, |words| words.h_hole_unknown()),
            }
        }
        if at < payload.bytes.len() {
            self.part(language, &payload.bytes[at..], at as u64);
        }
    }

    /// A part is text when it looks like it, whatever its message is: its borders may cut characters.
    fn part(&mut self, language: &Language, bytes: &[u8], offset: u64) {
        let opcode = match bytes.utf8_chunks().map(|chunk| chunk.invalid().len()).sum::<usize>() {
            0..=6 => Opcode::Text,
            _ => Opcode::Binary,
        };
        let shown = match opcode {
            Opcode::Binary => self.as_dump(bytes, offset),
            _ => self.as_lines(bytes),
        };
        self.more(language, bytes.len() - shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::Detail;
    use crate::annotate::texts;
    use crate::export::palette::Palette;
    use crate::export::samples::message;
    use crate::export::tcpdump;

    #[test]
    fn the_messages_of_one_packet_are_bounded_together() {
        let catalog = texts::by_tag("en").unwrap();
        let mut payloads = Payloads::new(&Options {
            catalog,
            detail: Detail::Normal,
            palette: &Palette::PLAIN,
            width: None,
            full: true,
            tcpdump: tcpdump::Options::default(),
        });
        let bytes = vec![0; 4 << 20];
        for _ in 0..4 {
            payloads.message(Language::of(catalog), &message(Opcode::Binary, &bytes));
        }
        let mut out = Vec::new();
        payloads.take(&mut out);
        assert!(out.len() < PACKET + (1 << 10), "{}", out.len());
        assert!(payloads.lines.capacity() <= KEPT);
        let last = String::from_utf8(out.split_off(out.len() - 100)).unwrap();
        assert!(last.ends_with(" bytes more not shown\n"), "{last}");
    }
}
