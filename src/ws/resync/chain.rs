//! A supposed header, and the headers that its lengths lead to.

use super::payload::{self, Masked};
use super::search::{Expect, Purpose};
use crate::ws::{Header, LengthForm, Opcode};

/// How much of a payload is looked at before all of it is there.
const SAMPLE: usize = 128;
/// With so many bits of its own a chain's first frame is told, too.
pub(super) const SPEAKS_FOR_ITSELF: i32 = 24;
/// A frame longer than this is not believed in (and no more than this is looked at in one payload).
const LONGEST: u64 = 1 << 32;

/// The bytes that are there.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    /// Runs of bytes and the stream offset of each one's first, ascending. Between them are gaps.
    pub(super) runs: &'a [(u64, &'a [u8])],
    /// Offsets at which segments begin, ascending.
    pub(super) borders: &'a [u64],
    /// No more will come.
    pub(super) ended: bool,
}

impl<'a> Window<'a> {
    /// Offset behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.0 + run.1.len() as u64)
    }

    /// The bytes from `offset` to the next gap; `None` when they were dropped, lie in a gap, or are still to come.
    pub(super) fn from(&self, offset: u64) -> Option<&'a [u8]> {
        let run = self.runs.partition_point(|run| run.0 <= offset).checked_sub(1)?;
        let (start, bytes) = self.runs[run];
        let rest = bytes.get(usize::try_from(offset - start).ok()?..)?;
        (!rest.is_empty() || run + 1 == self.runs.len()).then_some(rest)
    }

    /// A segment begins at `offset`, or the last one ends there.
    pub(super) fn is_border(&self, offset: u64) -> bool {
        offset == self.end() || self.borders.binary_search(&offset).is_ok()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Where its first header is.
    pub(super) start: u64,
    /// Where its second one is, once that is known to be one.
    pub(super) second: Option<u64>,
    /// Where the next header must be.
    pub(super) next: u64,
    /// In bits.
    pub(super) score: i32,
    /// What the first frame says for itself.
    pub(super) first_score: i32,
    /// How much of `score` comes from text or from masked frames.
    hard: i32,
    /// How many frames are complete.
    pub(super) complete: u32,
    /// Where it can go on.
    pub(super) wake: u64,
    pub(super) masked: bool,
    /// A fragmented message is open.
    open: Option<bool>,
    closed: bool,
    /// The masking key of the frame before.
    key: Option<[u8; 4]>,
    frame: Option<Frame>,
}

/// The frame in which a chain stands.
#[derive(Debug, Clone, Copy)]
struct Frame {
    header: Header,
    payload: u64,
    /// What its payload was worth when only its beginning was there.
    sampled: Option<i32>,
}

/// Where a chain begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where a frame most likely begins.
    Expected,
    /// Where a segment begins.
    Border,
    /// Somewhere else.
    Inside,
}

/// Where a chain stands, and what may follow.
pub(super) type Way = (u64, Option<bool>, bool);

/// A chain is dead.
pub(super) struct Dead;

impl Chain {
    /// A chain from `start` on, of which nothing was looked at yet.
    pub(super) fn new(start: u64, place: Place, masked: bool) -> Self {
        let (prior, first_score) = match place {
            Place::Expected => (6, SPEAKS_FOR_ITSELF),
            Place::Border => (-4, 0),
            Place::Inside => (-16, 0),
        };
        Self {
            start,
            second: None,
            next: start,
            score: prior,
            first_score,
            hard: 0,
            complete: 0,
            wake: start + 2,
            masked,
            open: None,
            closed: false,
            key: None,
            frame: None,
        }
    }

    /// What it is worth for `purpose`.
    pub(super) fn worth(&self, expect: Expect) -> i32 {
        match expect.purpose {
            // Without text, a run of records of some binary format may look like unmasked frames.
            Purpose::Infer if !self.masked && self.hard < 12 => self.score.min(40),
            _ => self.score,
        }
    }

    /// Goes on to the end of the current frame: `true` when it is reached and `next` is where the next header must be, `false` when more bytes are
    /// needed.
    pub(super) fn advance(&mut self, window: Window<'_>, expect: Expect, budget: &mut u64) -> Result<bool, Dead> {
        while self.wake <= window.end() || window.ended {
            let Some(frame) = self.frame else {
                if !self.header(window, expect)? {
                    break;
                }
                continue;
            };
            let end = frame.payload.saturating_add(frame.header.length);
            if end <= window.end() {
                self.finish(frame, end, window, budget)?;
                return Ok(true);
            }
            if frame.sampled.is_some() {
                break;
            }
            let bits = self.evidence(&frame, SAMPLE, false, window, budget)?.unwrap_or(0);
            self.add(bits, bits);
            self.frame = Some(Frame {
                sampled: Some(bits),
                ..frame
            });
            self.wake = end;
        }
        Ok(false)
    }

    /// Reads the header at `next`; `false` when more bytes are needed.
    fn header(&mut self, window: Window<'_>, expect: Expect) -> Result<bool, Dead> {
        let Some(bytes) = window.from(self.next) else {
            // Its bytes lie in a gap, or are still to come.
            return Ok(self.wait(self.next >= window.end()));
        };
        let at_the_end = self.next + bytes.len() as u64 == window.end();
        let &[first, second, ..] = bytes else {
            return Ok(self.wait(at_the_end));
        };
        if (second & 0x80 != 0) != self.masked || !may_begin(first, expect) {
            return Err(Dead);
        }
        let whole = Header::parse(bytes);
        let Some(header) = whole.or_else(|| Header::without_key(bytes).filter(|_| !at_the_end)) else {
            self.wake = self.next + Header::size_of(second) as u64;
            return Ok(self.wait(at_the_end));
        };
        let bits = self.judge(&header, whole.is_some(), expect).ok_or(Dead)?;
        self.add(bits, if self.masked { bits } else { 0 });
        if self.complete == 1 && self.second.is_none() {
            self.second = Some(self.next);
        }
        let payload = self.next + u64::from(header.size);
        self.frame = Some(Frame {
            header,
            payload,
            sampled: None,
        });
        self.wake = payload + header.length.min(SAMPLE as u64);
        Ok(true)
    }

    /// The next header is not there: it is still to come, or never will. Answers `false`: it was not read.
    fn wait(&mut self, comes: bool) -> bool {
        if !comes {
            self.wake = u64::MAX;
        }
        false
    }

    /// From here on, by `wake` and [`way`](Self::way), chains have their next header in a gap: they say what they say, and cannot go on.
    pub(super) const STUCK: (u64, Way) = (u64::MAX, (0, None, false));

    /// What a header says for itself; `None` when it cannot be one here.
    fn judge(&mut self, header: &Header, key_seen: bool, expect: Expect) -> Option<i32> {
        let control = header.opcode.is_control();
        if self.closed
            || header.length_form != LengthForm::Minimal
            || header.length > LONGEST
            || control && (!header.fin || header.length > 125)
        {
            return None;
        }
        let continues = header.opcode == Opcode::Continuation;
        if !control {
            if self.open.is_some_and(|open| open != continues) {
                return None;
            }
            self.open = Some(!header.fin);
        }
        self.closed = header.opcode == Opcode::Close;
        let plain = if expect.deflate == Some(true) { 4 } else { 6 };
        let compressed = if expect.deflate == Some(true) { 6 } else { 4 };
        let bits = match (header.opcode, header.fin, header.rsv[0]) {
            (Opcode::Text, true, false) => plain,
            (Opcode::Binary, true, false) => plain - 1,
            (Opcode::Text, true, true) => compressed,
            (Opcode::Binary, true, true) => compressed - 1,
            (Opcode::Text | Opcode::Binary, false, _) => 2,
            (Opcode::Continuation, true, _) => 2,
            (Opcode::Continuation, false, _) => 1,
            (Opcode::Ping | Opcode::Pong, ..) => 3,
            (Opcode::Close, ..) => 1,
            (Opcode::Reserved(_), ..) => return None,
        };
        let mask = if expect.masked.is_some() || self.complete > 0 {
            1
        } else {
            0
        };
        // Keys are random; what repeats is a pattern.
        let pattern = header.masking_key.is_some() && header.masking_key == self.key;
        self.key = header.masking_key.filter(|_| key_seen);
        Some(match header.length {
            0 => 0,
            _ if pattern => 0,
            1..4 => (bits + mask).min(2),
            4..0x1_0000 => bits + mask,
            _ => bits + mask + 4,
        })
    }

    /// All of `frame` is there (or behind what was dropped).
    fn finish(&mut self, frame: Frame, end: u64, window: Window<'_>, budget: &mut u64) -> Result<(), Dead> {
        let sampled = frame.sampled.unwrap_or(0);
        let whole = self
            .evidence(&frame, usize::MAX, true, window, budget)?
            .unwrap_or(sampled);
        let begins_at_border = window.is_border(frame.payload - u64::from(frame.header.size));
        let (border, hard) = match frame.header.length {
            _ if !window.is_border(end) => (0, 0),
            0..4 => (1, 0),
            4..126 if begins_at_border => (7, 0),
            4..126 => (5, 0),
            // No other protocol has 0x7e in this place, 16 bits of length behind it, and nothing else in its segments.
            _ if begins_at_border => (12, 6),
            _ => (10, 0),
        };
        self.add(whole - sampled, whole - sampled);
        self.add(border, hard);
        self.complete += 1;
        self.frame = None;
        self.next = end;
        self.wake = end + 2;
        Ok(())
    }

    /// What the first `most` bytes of the payload say; nothing when they are not there or too many.
    fn evidence(
        &self,
        frame: &Frame,
        most: usize,
        whole: bool,
        window: Window<'_>,
        budget: &mut u64,
    ) -> Result<Option<i32>, Dead> {
        let header = &frame.header;
        let Some(bytes) = window.from(frame.payload) else {
            return Ok(None);
        };
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(length).min(most)];
        // A gap may lie in it.
        let whole = whole && bytes.len() == length;
        if *budget < bytes.len() as u64 {
            return Ok(None);
        }
        let payload = Masked {
            bytes,
            key: header.masking_key.unwrap_or_default(),
        };
        let whole_message = whole && header.fin;
        let evidence = match header.opcode {
            Opcode::Text | Opcode::Binary if header.rsv[0] => payload::compressed(payload, whole_message, budget),
            Opcode::Text => payload::text(payload, whole_message, budget),
            Opcode::Close if whole => payload::close(payload),
            _ => return Ok(None),
        };
        evidence.ok_or(Dead).map(Some)
    }

    fn add(&mut self, bits: i32, hard: i32) {
        // Long chains need not count on.
        self.score = self.score.saturating_add(bits).min(10_000);
        self.hard = self.hard.saturating_add(hard).min(10_000);
        if self.complete == 0 {
            self.first_score += bits;
        }
    }

    /// Any frame may follow.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_none() && !self.closed
    }

    /// Chains of which this is the same go the same way from here on.
    pub(super) fn way(&self) -> Way {
        (self.next, self.open, self.closed)
    }

    /// The stream ends exactly where the chain does.
    pub(super) fn ends_at(&self, end: u64) -> bool {
        self.frame.is_none() && self.next == end && self.complete > 0
    }

    /// The bytes before `base` are gone.
    pub(super) fn dropped(&mut self, base: u64) {
        if self.start >= base {
            return;
        }
        match self.second {
            Some(second) if second >= base => self.start = second,
            _ => {
                self.start = if let Some(frame) = &self.frame {
                    frame.payload.saturating_add(frame.header.length)
                } else {
                    self.next
                }
            }
        }
        // What is left begins with a header to which others led.
        self.second = None;
        self.first_score = self.score;
    }
}

/// Whether a header may begin with this byte.
pub(super) fn may_begin(first: u8, expect: Expect) -> bool {
    match first {
        0x00 | 0x01 | 0x02 | 0x80 | 0x81 | 0x82 | 0x88 | 0x89 | 0x8a => true,
        0x41 | 0x42 | 0xc1 | 0xc2 => expect.deflate != Some(false),
        _ => false,
    }
}
