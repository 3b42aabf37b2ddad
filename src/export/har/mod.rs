//! The `har` view: HAR 1.2, an entry a session, with its messages in `_webSocketMessages`, as Chrome's DevTools write and read it.
//!
//! An entry is written in one piece when its session ends. When what is kept until then reaches its bound, the entry that holds most is
//! written as far as it is and goes on in the file; the others wait behind it, and what does not fit is left out and counted.

mod entry;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::View;
use super::left_out::LeftOut;
use super::put::{counted, put};
use super::utc::Utc;
use crate::record::{Handshake, Message, Record, RecordKind, SessionEnd, Sink};
use entry::Entry;

/// The view.
pub struct Har {
    out: Vec<u8>,
    /// One message, written before it is known where it goes.
    scratch: Vec<u8>,
    utc: Utc,
    /// Credentials stay.
    with_secrets: bool,
    /// Bytes that entries may hold.
    bound: usize,
    held: usize,
    /// By the number of the session.
    entries: BTreeMap<u64, Entry>,
    /// The session whose entry is in the output already and not at its end.
    open: Option<u64>,
    /// Sessions that have ended behind the open one.
    waiting: Vec<u64>,
    /// An entry is in the output.
    any: bool,
    begun: bool,
    /// Credentials that were left out.
    stripped: u64,
    /// Messages for which there was no room.
    messages_left_out: u64,
    /// Sessions for which there was no room.
    left_out: LeftOut,
}

impl Har {
    /// Entries hold at most `bound` bytes; credentials stay in them when `with_secrets`.
    pub fn new(bound: usize, with_secrets: bool) -> Self {
        Self {
            out: Vec::new(),
            scratch: Vec::new(),
            utc: Utc::new(false),
            with_secrets,
            bound,
            held: 0,
            entries: BTreeMap::new(),
            open: None,
            waiting: Vec::new(),
            any: false,
            begun: false,
            stripped: 0,
            messages_left_out: 0,
            left_out: LeftOut::default(),
        }
    }

    /// The entry of a session, unless there is no room for it; one whose handshake was not captured begins with its first event.
    fn entry(&mut self, record: &Record<'_>, handshake: Option<&Handshake>, wanted: bool) -> Option<&mut Entry> {
        let number = record.source.number();
        if self.left_out.has(number, wanted) {
            return None;
        }
        if !self.entries.contains_key(&number) {
            let entry = Entry::new(record, handshake, self.with_secrets, &mut self.utc);
            if !self.fits(entry.size()) {
                self.left_out.add(number, wanted);
                return None;
            }
            self.held += entry.size();
            self.entries.insert(number, entry);
        }
        let entry = self.entries.get_mut(&number)?;
        entry.wanted |= wanted;
        Some(entry)
    }

    fn message(&mut self, record: &Record<'_>, message: &Message<'_>) {
        if !entry::is_told(message.opcode) {
            return;
        }
        let number = record.source.number();
        let Some(entry) = self.entry(record, None, true) else {
            self.messages_left_out += 1;
            return;
        };
        if !message.complete || !message.payload.holes.is_empty() {
            entry.incomplete += 1;
            return;
        }
        let between = if entry.messages > 0 { ",\n" } else { "\n" };
        self.scratch.clear();
        put(&mut self.scratch, between);
        let written = entry::message(&mut self.scratch, &self.utc, record.at.time, message);
        // Making room may be to write this very entry as it goes.
        let fits = self.open == Some(number) || self.fits(self.scratch.len());
        let open = self.open == Some(number);
        let Some(entry) = self.entries.get_mut(&number) else {
            return;
        };
        if !fits && !open {
            entry.left_out += 1;
            self.messages_left_out += 1;
            return;
        }
        if open {
            self.out.extend_from_slice(&self.scratch);
        } else {
            self.held += self.scratch.len();
            entry.held.extend_from_slice(&self.scratch);
        }
        entry.count(written);
        if self.scratch.capacity() > 1 << 20 {
            self.scratch = Vec::new();
        }
    }

    /// Whether there is room for so many bytes more; makes room, if an entry can be written as it goes.
    fn fits(&mut self, length: usize) -> bool {
        if self.held + length <= self.bound {
            return true;
        }
        if self.open.is_none() {
            let wanted = self.entries.iter().filter(|(_, entry)| entry.wanted);
            let most = wanted.max_by_key(|(_, entry)| entry.size());
            if let Some((&number, _)) = most {
                self.begin(number);
                self.open = Some(number);
            }
        }
        self.held + length <= self.bound
    }

    /// Puts what an entry holds into the output.
    fn begin(&mut self, number: u64) {
        if let Some(entry) = self.entries.get_mut(&number) {
            if !self.begun {
                self.begun = true;
                put(&mut self.out, HEAD);
            }
            put(&mut self.out, if self.any { ",\n" } else { "\n" });
            self.any = true;
            self.held -= entry.held.len();
            self.out.append(&mut entry.held);
            entry.held = Vec::new();
        }
    }

    fn end(&mut self, record: &Record<'_>, end: &SessionEnd, wanted: bool) {
        let number = record.source.number();
        if (wanted || self.entries.contains_key(&number))
            && let Some(entry) = self.entry(record, None, wanted)
        {
            entry.end(record.at.time, end);
            // What nobody wants waits for nothing.
            if entry.wanted {
                self.waiting.push(number);
            } else {
                self.remove(number);
            }
            if self.open.is_none_or(|open| open == number) {
                self.write_waiting();
            }
        }
        self.left_out.forget(number);
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.entries.remove(&number)?;
        self.held -= entry.size();
        Some(entry)
    }

    /// Writes the entries of the sessions that have ended: first that of the open one, which is half in the output.
    fn write_waiting(&mut self) {
        let mut numbers = std::mem::take(&mut self.waiting);
        numbers.sort_by_key(|number| Some(*number) != self.open);
        for number in numbers {
            let open = self.open == Some(number);
            let told = self.entries.get(&number).is_some_and(|entry| entry.wanted);
            if told && !open {
                self.begin(number);
            }
            if let Some(entry) = self.remove(number).filter(|_| told) {
                self.stripped += entry.stripped;
                entry.finish(&mut self.out);
            }
            if open {
                self.open = None;
            }
        }
    }
}

const HEAD: &str = concat!(
    "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"wschat-sniff\",\"version\":\"",
    env!("CARGO_PKG_VERSION"),
    "\"},\"pages\":[],\"entries\":["
);

impl View for Har {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn unselected(&mut self, record: &Record<'_>) {
        match record.kind {
            RecordKind::Handshake(handshake) => {
                self.entry(record, Some(handshake), false);
            }
            RecordKind::SessionEnd(end) => self.end(record, end, false),
            _ => {}
        }
    }

    fn finish(&mut self) {
        // The engine has ended all sessions; only who stops early leaves some.
        self.waiting = self.entries.keys().copied().collect();
        self.write_waiting();
        if !self.begun {
            put(&mut self.out, HEAD);
        }
        put(&mut self.out, "\n]");
        let mut comment = String::new();
        for note in self.notes() {
            comment.push_str(if comment.is_empty() { "" } else { ". " });
            comment.push_str(note.trim_start_matches("har: "));
        }
        if !comment.is_empty() {
            put(&mut self.out, ",\"comment\":");
            super::put::json_string(&mut self.out, &comment);
        }
        put(&mut self.out, "}}\n");
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.with_secrets {
            notes.push(format!(
                "har: {} left out of the handshakes (--with-secrets keeps them); messages are as they were sent",
                counted(self.stripped, "credential")
            ));
        }
        if self.messages_left_out + self.left_out.count > 0 {
            notes.push(format!(
                "har: {} and {} left out: there was no more room for what waits for the end of a session (--max-memory)",
                counted(self.messages_left_out, "message"),
                counted(self.left_out.count, "session")
            ));
        }
        notes
    }
}

impl Sink for Har {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if record.source.session.is_some() {
            match record.kind {
                RecordKind::Handshake(handshake) => {
                    self.entry(record, Some(handshake), true);
                }
                RecordKind::Message(message) => self.message(record, message),
                RecordKind::SessionEnd(end) => self.end(record, end, true),
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
