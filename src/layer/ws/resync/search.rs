//! Where in a window frames begin: the best chain of headers.

use super::frame::{Candidate, Frame, candidate, is_inside_masked_text};
use super::payload;
use super::window::{Run, Window};
use super::{Expect, Purpose};
use crate::layer::ws::Opcode;

/// For each byte of a window, so many bytes of payload may be looked at.
const BUDGET: u64 = 8;
/// With so many bits of its own a chain's first frame is told, too.
const SPEAKS_FOR_ITSELF: i32 = 24;
/// A frame at the start of a segment is told when it leads to a header that was found, and this many bits say that it does not by
/// chance.
const LEADS: i32 = 20;
/// So many of them say frames that end where their segment does: whatever else ends there, a message does.
const FILLS: i32 = 8;
/// A chain is followed for so many frames.
const FRAMES: usize = 64;

/// Bits that no chain has: it cannot be one.
const DEAD: i16 = i16::MIN;

/// What a chain that begins at a place is worth.
#[derive(Debug, Clone, Copy)]
struct Link {
    /// In bits, outside and inside of a fragmented message.
    bits: [i16; 2],
    /// How far behind the window's beginning the first header lies that cannot be read.
    end: u32,
}

impl Link {
    const NONE: Self = Self {
        bits: [DEAD; 2],
        end: 0,
    };

    fn best(&self) -> i16 {
        self.bits[0].max(self.bits[1])
    }
}

/// Room for the links of one window. One a thread is enough.
#[derive(Debug, Default)]
pub(in crate::layer::ws) struct Scratch {
    links: Vec<Link>,
}

/// Where frames begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Best {
    /// Where the chain begins.
    pub(super) start: u64,
    /// What all of it says.
    bits: i32,
    /// What of that the places say where it begins and ends.
    pub(super) prior: i32,
    end: u32,
}

/// The best chain of each kind of frames, unmasked and masked ones.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Found {
    best: [Option<Best>; 2],
    /// The best of those that lead elsewhere.
    rival: [Option<i32>; 2],
}

impl Found {
    pub(super) fn of(&self, masked: bool) -> Option<Best> {
        self.best[usize::from(masked)]
    }

    /// The chain with which decoding goes on, when one is good enough, and better than all others.
    pub(super) fn winner(&self, wanted: i32) -> Option<(Best, bool)> {
        let [unmasked, masked] = self.best;
        let is_masked = masked.map(|best| best.bits) > unmasked.map(|best| best.bits);
        let best = if is_masked { masked } else { unmasked }?;
        let other = if is_masked { unmasked } else { masked }.map(|best| best.bits);
        let rival = self.rival[usize::from(is_masked)].max(other);
        (best.bits >= wanted && rival.is_none_or(|rival| best.bits - rival >= 8)).then_some((best, is_masked))
    }

    fn offer(&mut self, masked: bool, new: Best) {
        let (best, rival) = (
            &mut self.best[usize::from(masked)],
            &mut self.rival[usize::from(masked)],
        );
        match best {
            Some(old) if old.bits > new.bits => {
                if old.end != new.end {
                    *rival = (*rival).max(Some(new.bits));
                }
            }
            Some(old) => {
                if old.end != new.end {
                    *rival = (*rival).max(Some(old.bits));
                }
                *best = Some(new);
            }
            None => *best = Some(new),
        }
    }
}

/// One search.
pub(super) struct Search<'a> {
    pub(super) window: Window<'a>,
    pub(super) expect: Expect,
    /// Where a frame most likely begins.
    pub(super) likely: Option<u64>,
    /// The window begins with the first bytes that were captured of the direction.
    pub(super) late: bool,
    scratch: &'a mut Scratch,
    base: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(window: Window<'a>, expect: Expect, likely: Option<u64>, scratch: &'a mut Scratch) -> Self {
        let base = window.runs.first().map_or(0, |run| run.offset);
        Self {
            window,
            expect,
            likely,
            late: false,
            scratch,
            base,
        }
    }

    /// Goes over all places, the last one first: what a chain is worth is what its first frame says and what the chain is worth that
    /// begins behind that.
    pub(super) fn run(&mut self) -> Found {
        let total: usize = self.window.runs.last().map_or(0, |run| run.index + run.bytes.len());
        self.scratch.links.clear();
        self.scratch.links.resize(total, Link::NONE);
        let mut budget = BUDGET * total as u64 + 4096;
        let mut found = Found::default();
        for n in (0..self.window.runs.len()).rev() {
            let run = self.window.runs[n];
            for at in (0..run.bytes.len()).rev() {
                let offset = run.offset + at as u64;
                match candidate(&self.window, &run, at, self.expect, &mut budget) {
                    Candidate::None => {}
                    Candidate::Cut => self.scratch.links[run.index + at] = self.open(offset),
                    Candidate::Frame(frame) => {
                        let link = self.link(&run, at, &frame);
                        self.scratch.links[run.index + at] = link;
                        self.offer(&run, at, &frame, link, &mut found);
                    }
                }
            }
        }
        found
    }

    /// A chain whose next header cannot be read.
    fn open(&self, offset: u64) -> Link {
        Link {
            bits: [0; 2],
            end: u32::try_from(offset - self.base).unwrap_or(u32::MAX),
        }
    }

    fn link(&self, run: &Run<'_>, at: usize, frame: &Frame) -> Link {
        let next = match self.window.find(frame.end) {
            Some((next, at)) => {
                let masked = next.bytes.get(at + 1).map(|second| second & 0x80 != 0);
                if masked.is_some_and(|masked| masked != frame.header.masking_key.is_some()) {
                    return Link::NONE;
                }
                Some(self.scratch.links[next.index + at])
            }
            None => None,
        };
        let Link { bits: behind, end } = next.unwrap_or_else(|| self.open(frame.end));
        let own = if next.is_some() && self.repeats(run, at, frame) {
            frame.payload_bits + frame.border_bits
        } else {
            frame.bits()
        };
        let with = |behind: i16| {
            if behind == DEAD {
                DEAD
            } else {
                (i32::from(behind) + own).clamp(-9_999, 9_999) as i16
            }
        };
        let header = &frame.header;
        let bits = match header.opcode {
            // Nothing follows a close frame.
            Opcode::Close if next.is_some() => [DEAD; 2],
            opcode if opcode.is_control() => behind.map(with),
            Opcode::Continuation => [DEAD, with(behind[usize::from(!header.fin)])],
            _ => [with(behind[usize::from(!header.fin)]), DEAD],
        };
        Link { bits, end }
    }

    /// The next frame has the same masking key: keys are random, what repeats is a pattern.
    fn repeats(&self, run: &Run<'_>, at: usize, frame: &Frame) -> bool {
        let size = usize::from(frame.header.size);
        let key = run.bytes.get(at + size.saturating_sub(4)..at + size);
        let Some((next, to)) = self.window.find(frame.end) else {
            return false;
        };
        let next = next.bytes.get(to..).and_then(crate::layer::ws::Header::parse);
        frame.header.masking_key.is_some()
            && !frame.is_text()
            && next.and_then(|next| next.masking_key).as_ref().map(|key| &key[..]) == key
    }

    /// A chain may begin here.
    fn offer(&self, run: &Run<'_>, at: usize, frame: &Frame, link: Link, found: &mut Found) {
        let offset = run.offset + at as u64;
        if link.best() == DEAD || frame.end > self.window.end() {
            return;
        }
        // An empty continuation says nothing: the frame behind it is as good a beginning.
        if frame.header.opcode == Opcode::Continuation && frame.header.length == 0 {
            return;
        }
        let Some(prior) = self.prior(offset) else { return };
        let prior = prior
            + if self.window.ended {
                self.bits_of_end(frame, link)
            } else {
                0
            };
        let best = Best {
            start: offset,
            bits: prior + i32::from(link.best()),
            prior,
            end: link.end,
        };
        found.offer(frame.header.masking_key.is_some(), best);
    }

    /// What the place says for a chain that begins at `offset`; `None` where none does.
    fn prior(&self, offset: u64) -> Option<i32> {
        if self.likely == Some(offset) {
            Some(6)
        } else if self.window.is_border(offset) {
            Some(-4)
        } else {
            (!self.is_inside_text(offset)).then_some(-16)
        }
    }

    /// Where a frame begins that ends at `start`, with which the chain is still good enough.
    fn before(&self, start: u64, best: Best) -> Option<u64> {
        let runs = self.window.runs.iter().take_while(|run| run.offset < start);
        let places = runs.flat_map(|run| (0..run.bytes.len()).map(move |at| (run.offset + at as u64, run.index + at)));
        places
            .take_while(|&(offset, _)| offset < start)
            .filter(|&(_, index)| self.scratch.links[index].best() != DEAD && self.scratch.links[index].end == best.end)
            .filter(|&(offset, _)| self.frames(offset).next().is_some_and(|(_, frame)| frame.end == start))
            .find(|&(offset, index)| {
                let bits = i32::from(self.scratch.links[index].best());
                self.prior(offset).is_some_and(|prior| prior + bits >= self.wanted())
            })
            .map(|(offset, _)| offset)
    }

    /// Whether what is at `offset` continues a character of a text, or is in what looks like a masked one.
    fn is_inside_text(&self, offset: u64) -> bool {
        self.window.find(offset).is_some_and(|(run, at)| {
            let masked = run.bytes.get(at + 1).is_some_and(|second| second & 0x80 != 0);
            payload::inside_character(&run.bytes[..at], run.bytes[at]) || masked && is_inside_masked_text(run.bytes, at)
        })
    }

    /// What a chain is worth more because the stream ends exactly where it does: a chance chain ends somewhere.
    fn bits_of_end(&self, frame: &Frame, link: Link) -> i32 {
        match self.base + u64::from(link.end) == self.window.end() {
            false => 0,
            true if frame.end == self.window.end() && frame.header.length < 4 => 12,
            true => 8,
        }
    }

    /// The frames of the chain that begins at `start`.
    pub(super) fn frames(&self, start: u64) -> impl Iterator<Item = (u64, Frame)> {
        let mut at = Some(start);
        std::iter::from_fn(move || {
            let offset = at?;
            let (run, index) = self.window.find(offset)?;
            match candidate(&self.window, run, index, self.expect, &mut { u64::MAX }) {
                Candidate::Frame(frame) => {
                    at = Some(frame.end);
                    Some((offset, frame))
                }
                Candidate::Cut | Candidate::None => None,
            }
        })
        .take(FRAMES)
    }

    /// As much of a frame's payload as there is.
    pub(super) fn payload(&self, offset: u64, frame: &Frame) -> &'a [u8] {
        let (from, length) = (offset + u64::from(frame.header.size), frame.header.length);
        let bytes = self.window.find(from).map_or(&[][..], |(run, at)| &run.bytes[at..]);
        &bytes[..usize::try_from(length).map_or(bytes.len(), |length| length.min(bytes.len()))]
    }

    /// From which header of a chain frames can be read: the first one when its frame speaks for itself, else the second; and from an
    /// earlier one that leads to it.
    pub(super) fn believed(&self, best: Best) -> Option<u64> {
        let mut frames = self.frames(best.start);
        let (start, first) = frames.next()?;
        let whole = |offset: u64, frame: &Frame| self.window.is_border(offset) && self.window.is_border(frame.end);
        let speaks = self.likely == Some(start)
            || first.bits() >= SPEAKS_FOR_ITSELF
            || self.window.ended && whole(start, &first);
        // A header to which another frame leads does not stand there by chance.
        let mut led_to = None;
        let mut at = start;
        while let Some(before) = self.before(at, best) {
            led_to = Some(at);
            at = before;
        }
        let start = if let Some(led_to) = led_to {
            led_to
        } else if speaks {
            start
        } else {
            self.frames(best.start)
                .map(|(_, frame)| frame.end)
                .find(|&end| !self.is_inside_text(end))?
        };
        let (run, at) = self.window.find(start)?;
        if at + 1 >= run.bytes.len() {
            return None;
        }
        // A length of 129 and a brace look like a header of their own: that is seen when the frame before has come.
        let reads_over = |begin: u64| {
            self.frames(begin).next().is_some_and(|(_, frame)| {
                frame.end > self.window.end()
                    && frame.header.length < 0x1_0000
                    && begin + u64::from(frame.header.size) > start
            })
        };
        if !self.window.ended && (start.saturating_sub(13)..start).any(reads_over) {
            return None;
        }
        Some(self.earlier(start))
    }

    /// The first segment that begins with frames which lead exactly to `start`. Where a segment begins speaks, too: other bytes
    /// there do not lead to a true header by chance. A frame of less than 126 bytes does, once in 4,000 times; it is told when it says
    /// more, or fills its segment, alone or with those behind it.
    fn earlier(&self, start: u64) -> u64 {
        let earlier = self.window.borders().iter().take_while(|&&border| border < start);
        earlier
            .copied()
            .find(|&border| self.leads(border, start) && !self.is_ambiguous(border, start))
            .unwrap_or(start)
    }

    /// Another segment that begins in the first frame there leads to the same header.
    fn is_ambiguous(&self, from: u64, to: u64) -> bool {
        let end = self.frames(from).next().map_or(from, |(_, frame)| frame.end);
        let inside = self
            .window
            .borders()
            .iter()
            .filter(|&&border| from < border && border < end);
        let mut inside = inside.copied();
        inside.any(|border| self.frames(border).any(|(_, frame)| frame.end == to))
    }

    fn leads(&self, from: u64, to: u64) -> bool {
        let mut bits = 0;
        for (offset, frame) in self.frames(from) {
            // One of eight first bytes that are frequent, and the one length that fits. A run of zeros is empty frames, too.
            bits += match frame.header.length {
                0 if frame.header.opcode == Opcode::Continuation => 0,
                // Two bytes before a true header may be the rest of anything, unless they are a segment and nothing was lost before.
                0 if offset == from && !self.begins(&frame) => return false,
                0..126 => 12,
                _ => 25,
            };
            bits += frame.payload_bits;
            // The first byte of a header is also one inside of a UTF-8 character: this may be the rest of a text.
            let unmasked = frame.header.masking_key.is_none();
            if unmasked
                && frame.header.fin
                && frame.header.opcode != Opcode::Text
                && frame.header.length > 0
                && payload::is_text(self.payload(offset, &frame))
            {
                return false;
            }
            bits += if self.window.is_border(frame.end) { FILLS } else { 0 };
            if frame.end >= to || offset >= to {
                let enough = bits >= LEADS || bits + FILLS >= LEADS && self.fill_segment(from);
                return frame.end == to && enough;
            }
        }
        false
    }

    /// The segment that begins at `from` ends where one of the frames does that begin there.
    fn fill_segment(&self, from: u64) -> bool {
        let Some((run, _)) = self.window.find(from) else {
            return false;
        };
        let next = self.window.borders().iter().find(|&&border| border > from);
        let end = next.map_or(run.end(), |&border| border.min(run.end()));
        self.frames(from).any(|(_, frame)| frame.end == end)
    }

    /// A whole segment before which nothing was lost.
    fn begins(&self, frame: &Frame) -> bool {
        let first = self.window.runs.first();
        self.late && self.window.is_border(frame.end) && first.is_some_and(|run| frame.end <= run.end())
    }

    /// What is enough.
    pub(super) fn wanted(&self) -> i32 {
        match (self.expect.purpose, self.window.ended) {
            (Purpose::Infer, _) => 50,
            (Purpose::Confirm, false) => 20,
            (Purpose::Confirm, true) => 14,
            (Purpose::Regain, false) => 20,
            // Where a chain begins costs what it does for 65,536 places to begin at.
            (Purpose::Regain, true) => {
                let bytes: usize = self.window.runs.iter().map(|run| run.bytes.len()).sum();
                8 + (bytes.max(1).ilog2() as i32 + 1 - 16).min(0)
            }
        }
    }
}
