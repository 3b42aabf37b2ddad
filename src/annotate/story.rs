//! All that there is to say of one packet, and the captured words that it quotes.

use super::note::Note;
use super::title::Title;
use crate::record::SessionEnd;

/// All that there is to say of one packet. Reused from packet to packet.
#[derive(Debug, Default)]
pub struct Story {
    /// What the packet is about.
    pub title: Title,
    /// What it does, the most important first.
    pub notes: Vec<Note>,
    /// The captured words that the notes quote.
    pub(super) text: Vec<u8>,
    /// How weighty the title is.
    pub(super) weight: u8,
    /// How sessions ended, for [`Note::Ended`].
    pub(super) ends: Vec<SessionEnd>,
}

impl Story {
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

    /// There is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.weight == 0 && self.notes.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.title = Title::default();
        self.weight = 0;
        self.notes.clear();
        self.text.clear();
        self.ends.clear();
    }

    /// `title` is the title unless one of more weight is there already.
    pub(super) fn entitle(&mut self, weight: u8, title: Title) {
        if weight > self.weight {
            self.weight = weight;
            self.title = title;
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
    /// What the packet does, and no more (`-q`).
    Brief,
    /// And what goes with it.
    #[default]
    Normal,
    /// And what only somebody who looks closely wants to know (`-v`).
    Verbose,
}
