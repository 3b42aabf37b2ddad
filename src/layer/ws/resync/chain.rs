//! A supposed header, and the headers that its lengths lead to.

use super::payload::{self, Masked};
use super::search::{Expect, Purpose};
use crate::layer::ws::{Header, LengthForm, Opcode};

/// How much of a payload is looked at before all of it is there.
const SAMPLE: usize = 128;
/// With so many bits of its own a chain's first frame is told, too.
const SPEAKS_FOR_ITSELF: i32 = 24;
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

    /// How many bytes there are.
    pub(super) fn bytes(&self) -> usize {
        self.runs.iter().map(|run| run.1.len()).sum()
    }

    /// The bytes from `offset` to the next gap; `None` when they were dropped, lie in a gap, or are still to come.
    pub(super) fn from(&self, offset: u64) -> Option<&'a [u8]> {
        let run = self.runs.partition_point(|run| run.0 <= offset).checked_sub(1)?;
        let (start, bytes) = self.runs[run];
        let rest = bytes.get(usize::try_from(offset - start).ok()?..)?;
        (!rest.is_empty() || run + 1 == self.runs.len()).then_some(rest)
    }

    /// Whether `offset`, where a masked header may be, is rather inside a masked ASCII text: there, bytes that are four apart have
    /// the same key, so their top bits are equal. Before and in a header six of these pairs are by chance only.
    fn is_inside_masked_text(&self, offset: u64) -> bool {
        /// So many pairs before those of the header are looked at, if there are so many, and so many must be there.
        const BEFORE: usize = 12;
        const LEAST: usize = 2;
        let Some(run) = self.runs.partition_point(|run| run.0 <= offset).checked_sub(1) else {
            return false;
        };
        let (start, bytes) = self.runs[run];
        let at = (offset - start) as usize;
        let from = at.saturating_sub(BEFORE + 4);
        at >= 4 + LEAST
            && bytes
                .get(from..at + 6)
                .is_some_and(|bytes| bytes.iter().zip(&bytes[4..]).all(|(a, b)| (a ^ b) & 0x80 == 0))
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
    /// Where its second one is, once that is known to be one. Those in what looks like a masked text do not count.
    pub(super) second: Option<u64>,
    /// Where the next header must be.
    pub(super) next: u64,
    /// In bits.
    pub(super) score: i32,
    /// Another chain that began earlier led to this one.
    pub(super) led_to: Option<LedTo>,
    /// What the first frame says for itself.
    first_score: i32,
    /// How much of `score` comes from text or from masked frames.
    hard: i32,
    /// Payload length of the last complete frame.
    last_length: u64,
    /// How many frames are complete.
    pub(super) complete: u32,
    /// Where it can go on.
    pub(super) wake: u64,
    pub(super) masked: bool,
    /// A fragmented message is open.
    open: Option<bool>,
    closed: bool,
    /// All headers so far are in what looks like a masked text.
    pub(super) in_text: bool,
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

/// What is left of a chain that became part of a likelier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LedTo {
    /// How much more it is worth, which is less than nothing.
    pub(super) more: i32,
    /// Its second header.
    pub(super) second: u64,
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
            led_to: None,
            first_score,
            hard: 0,
            last_length: 0,
            complete: 0,
            wake: start + 2,
            masked,
            open: None,
            closed: false,
            in_text: masked,
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
            if bytes.first().is_some_and(|&first| !may_begin(first, expect)) {
                return Err(Dead);
            }
            self.wake = self.next + if bytes.is_empty() { 1 } else { 2 };
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
        self.in_text = self.in_text && window.is_inside_masked_text(self.next);
        if self.complete > 0 && self.second.is_none() && !self.in_text {
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
        self.last_length = frame.header.length;
        self.complete += 1;
        self.frame = None;
        self.next = end;
        self.wake = end + 1;
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

    /// Goes on for `other`, which stands where this one does and is not likelier.
    pub(super) fn meet(&mut self, other: &Chain) {
        let lead = other.score - self.score;
        let own = other.second.map(|second| LedTo { more: 0, second });
        for led in own.into_iter().chain(other.led_to) {
            self.lead(LedTo {
                more: led.more + lead,
                ..led
            });
        }
    }

    /// Another chain led to this one.
    pub(super) fn lead(&mut self, led: LedTo) {
        if led.second <= self.start {
            self.led_to = self.led_to.max(Some(led));
        }
    }

    /// It stands in a frame, not a very long one, and `start` lies in the header of that.
    pub(super) fn reads_header_over(&self, start: u64) -> bool {
        self.frame
            .filter(|frame| frame.header.length < 0x1_0000)
            .is_some_and(|frame| {
                let header = frame.payload - u64::from(frame.header.size);
                (header + 1..frame.payload).contains(&start)
            })
    }

    /// Which header frames can be read from, when it is worth this much and the least is `wanted`: the second one, or the first when
    /// that frame speaks for itself.
    pub(super) fn believed_from(&self, worth: i32, wanted: i32) -> Option<u64> {
        let led = self.led_to.filter(|led| worth + led.more >= wanted);
        let first = Some(self.start).filter(|_| self.first_score >= SPEAKS_FOR_ITSELF);
        led.map(|led| led.second).or(first).or(self.second)
    }

    /// What it is worth more because the stream ends exactly where it does: a chance chain ends somewhere.
    pub(super) fn worth_of_end(&self, end: u64) -> i32 {
        match self.last_length {
            _ if !self.ends_at(end) => 0,
            // Elsewhere, that so short a frame ends with its segment says nothing.
            0..4 => 12,
            _ => 8,
        }
    }

    /// The stream ends exactly where the chain does.
    fn ends_at(&self, end: u64) -> bool {
        self.frame.is_none() && self.next == end && self.complete > 0
    }

    /// The bytes before `base` are gone.
    pub(super) fn dropped(&mut self, base: u64) {
        self.led_to = self.led_to.filter(|led| led.second >= base);
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
