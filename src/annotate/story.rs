//! All that there is to say of one packet, and the captured words that it quotes.

use super::note::Note;
use super::title::Title;
use crate::base::Direction;
use crate::record::SessionEnd;

/// Notes of one packet. A segment of 64 KB can bring 32,000 messages, and one that fills a gap many times that.
const NOTES: usize = 4096;

/// All that there is to say of one packet. Reused from packet to packet.
#[derive(Debug, Default)]
pub struct Story {
    /// What the packet is about.
    pub title: Title,
    /// What it does, the most important first.
    pub notes: Vec<Note>,
    /// How many more notes there were than are kept.
    pub untold: u64,
    /// Something of the kind of the title is acknowledged, and nothing else is done.
    pub(super) received: bool,
    /// Who sends the packet.
    pub sender: Option<Direction>,
    /// The captured words that the notes quote.
    pub(super) text: Vec<u8>,
    /// How weighty the title is.
    pub(super) weight: u8,
    /// How sessions ended, for [`Note::Ended`].
    pub(super) ends: Vec<SessionEnd>,
    /// Ports tell everybody apart: no addresses are needed.
    pub(super) ports_alone: bool,
}

impl Story {
    /// For words that quote nothing of a story's.
    pub const EMPTY: &'static Self = &Self {
        title: Title::Tcp,
        notes: Vec::new(),
        untold: 0,
        received: false,
        sender: None,
        text: Vec::new(),
        weight: 0,
        ends: Vec::new(),
        ports_alone: false,
    };

    /// The captured bytes of `span`: UTF-8 unless the capture was not, and as they were sent, so they must be made harmless.
    pub fn text(&self, span: Span) -> &[u8] {
        self.text
            .get(span.start as usize..span.start as usize + span.length as usize)
            .unwrap_or_default()
    }

    /// How the session of a [`Note::Ended`] ended.
    pub fn end(&self, index: u32) -> Option<&SessionEnd> {
        self.ends.get(index as usize)
    }

    /// Drops what is more than one packet's notes may be; of what it quotes, what was not there when `text` was its length.
    pub(super) fn keep_to_bounds(&mut self, text: usize) {
        if let Some(more) = self.notes.len().checked_sub(NOTES).filter(|&more| more > 0) {
            self.untold += more as u64;
            self.notes.truncate(NOTES);
            self.text.truncate(text);
        }
    }

    /// There is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.weight == 0 && self.notes.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.title = Title::default();
        self.received = false;
        self.sender = None;
        self.weight = 0;
        self.notes.clear();
        self.untold = 0;
        self.text.clear();
        self.ends.clear();
    }

    /// `title` is the title unless one of more weight is there already.
    pub(super) fn entitle(&mut self, weight: u8, title: Title) {
        if weight > self.weight {
            self.weight = weight;
            self.title = title;
            self.received = false;
        }
    }

    /// The same, of an ACK for what `title` is about.
    pub(super) fn entitle_ack(&mut self, weight: u8, title: Title) {
        if weight > self.weight {
            self.entitle(weight, title);
            // The others are those of an ACK already.
            self.received = matches!(
                title,
                Title::Login
                    | Title::UserList { login: false }
                    | Title::Joined
                    | Title::Left
                    | Title::Say(_)
                    | Title::Private(_)
                    | Title::AppPing
                    | Title::AppPong
                    | Title::Refusal
                    | Title::Labelled(_)
                    | Title::Message(_)
                    | Title::Part { .. }
                    | Title::Close { .. }
            );
        }
    }

    /// What kind of thing `note` tells.
    pub fn tone(&self, note: &Note) -> Tone {
        match note {
            Note::Violation { .. } => Tone::Violation,
            Note::Gap { .. }
            | Note::Incomplete
            | Note::Unfinished { .. }
            | Note::Missed { .. }
            | Note::MissedByAll { .. }
            | Note::MissedLeaving { .. } => Tone::Loss,
            Note::Reset { late: false, .. } | Note::ResetDoubtful { .. } | Note::Refused { .. } => Tone::Abnormal,
            Note::Ended { end, .. } if self.end(*end).is_some_and(|end| end.verdict.is_abnormal()) => Tone::Abnormal,
            _ => Tone::Plain,
        }
    }

    /// Copies captured words.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(bytes);
        Span {
            start,
            length: bytes.len() as u32,
            cut: false,
        }
    }
}

/// What kind of thing a note tells, for whoever gives colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing out of the ordinary.
    Plain,
    /// A rule was broken.
    Violation,
    /// Something is missing.
    Loss,
    /// Something ended as it should not.
    Abnormal,
}

/// Captured words in a [`Story`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
    /// More was sent than is kept.
    pub cut: bool,
}

impl Span {
    /// No words.
    pub const fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The bytes `start..end` of it.
    pub fn part(self, start: usize, end: usize) -> Self {
        let length = self.length as usize;
        let (start, end) = (start.min(length), end.min(length));
        Self {
            start: self.start + start as u32,
            length: end.saturating_sub(start) as u32,
            cut: false,
        }
    }
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Detail {
    /// What the packet is about, and no more (`-q`).
    Brief,
    /// And what it does.
    #[default]
    Normal,
    /// And what only somebody who looks closely wants to know (`-v`).
    Verbose,
}
