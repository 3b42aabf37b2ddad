//! A decoder that does not know where the next frame begins: it collects until [`resync`](crate::ws::resync) finds a header, and
//! reads on from there. What it found is trusted after some more frames; a header that cannot be one before that sends it
//! back to seeking.

use super::{Chunk, Decoder, Output, Shared, State};
use crate::base::{Direction, Gap};
use crate::tcp::At;
use crate::ws::resync::{self, Clues, Expect, Found, Next, Purpose, Resync};
use crate::ws::{Backlog, Header, Held, LengthForm, Opcode};

/// What a seeking decoder has collected.
#[derive(Debug)]
pub(super) struct Seek {
    backlog: Backlog,
    /// Looks at bytes as they come, as long as there is no gap between them.
    resync: Resync,
    expect: Expect,
    /// With a gap in it the whole backlog is looked at anew: only when it has grown to so many bytes.
    enough: usize,
}

/// After so many headers that may be ones, a found header is a true one.
const TRUSTED_AFTER: u8 = 12;

/// Memory that a backlog takes at most while seeking.
const WINDOW: usize = 256 << 10;

impl Seek {
    fn new(expect: Expect) -> Self {
        Self {
            backlog: Backlog::default(),
            resync: Resync::new(expect),
            expect,
            enough: 0,
        }
    }

    /// Keeps bytes, and the newest ones when there are too many.
    pub(super) fn collect(&mut self, chunk: Chunk<'_>, shared: &mut Shared) {
        let before = self.backlog.size();
        if !self.backlog.push(chunk, WINDOW) {
            self.drop_front(self.backlog.bytes().len().saturating_sub(WINDOW / 4));
            if !self.backlog.push(chunk, WINDOW) {
                *self = Self::new(self.expect);
            }
        }
        self.account(before, shared);
    }

    /// The same for a segment that is not looked for headers at once: its border is noted.
    pub(super) fn collect_more(&mut self, chunk: Chunk<'_>, shared: &mut Shared) {
        self.collect(chunk, shared);
        let _ = self.look(false);
    }

    fn drop_front(&mut self, count: usize) {
        self.backlog.drop_front(count);
        self.resync.drop_front(count);
        self.enough = 0;
    }

    /// Where a header begins, or how many bytes are no use any more.
    fn look(&mut self, ended: bool) -> Result<u64, usize> {
        if !self.backlog.has_gap() {
            return match self.resync.look(self.backlog.bytes(), ended) {
                Found::Header(start) => self.backlog.offset_of(start.offset).ok_or(0),
                Found::More { useless } => Err(useless),
            };
        }
        let size = self.backlog.bytes().len();
        if size < self.enough && !ended {
            return Err(0);
        }
        self.enough = size + size / 8;
        let clues = Clues {
            masked: self.expect.masked == Some(true),
            deflate: self.expect.deflate != Some(false),
            ended,
        };
        match resync::find(&self.backlog, clues) {
            Next::Header(offset) => Ok(offset),
            Next::NotYet => Err(0),
        }
    }

    /// The backlog's size was `before`. When all connections together hold too much, this one starts again with what comes next.
    fn account(&mut self, before: usize, shared: &mut Shared) {
        shared.release(before);
        if !shared.hold(self.backlog.size()) {
            *self = Self::new(self.expect);
        }
    }

    pub(super) fn discard(self, shared: &mut Shared) {
        shared.release(self.backlog.size());
    }
}

impl Decoder {
    /// Bytes whose place in the frames is not known.
    pub(super) fn seek_data(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) {
        self.seek().collect(chunk, shared);
        self.look(false, shared, out);
    }

    /// A gap while seeking: a frame may reach over it.
    pub(super) fn seek_gap(&mut self, gap: Gap, at: At, shared: &mut Shared) {
        let Some(seek) = &mut self.seek else { return };
        let before = seek.backlog.size();
        seek.backlog.push_gap(gap, at);
        if seek.backlog.size() > WINDOW {
            seek.drop_front(seek.backlog.bytes().len().saturating_sub(WINDOW / 4));
        }
        seek.enough = 0;
        seek.account(before, shared);
    }

    /// No more bytes will come.
    pub(super) fn seek_end(&mut self, shared: &mut Shared, out: &mut impl Output) {
        self.look(true, shared, out);
        if let Some(seek) = self.seek.take() {
            seek.discard(shared);
        }
    }

    pub(super) fn seek(&mut self) -> &mut Seek {
        let expect = Expect {
            purpose: Purpose::Regain,
            masked: Some(self.direction == Direction::ClientToServer),
            deflate: self.inflater.is_some().then_some(true).or(Some(false)),
        };
        self.seek.get_or_insert_with(|| Box::new(Seek::new(expect)))
    }

    fn look(&mut self, ended: bool, shared: &mut Shared, out: &mut impl Output) {
        // Each round reads at least one frame. More rounds than this are no bad luck but a stream made to cost time.
        for _ in 0..16 {
            let Some(seek) = self.seek.as_mut().filter(|_| self.state == State::Lost) else {
                return;
            };
            let start = match seek.look(ended) {
                Ok(start) => start,
                Err(useless) => {
                    let before = seek.backlog.size();
                    seek.drop_front(useless);
                    seek.account(before, shared);
                    return;
                }
            };
            let Some(seek) = self.seek.take() else { return };
            let start = self.earlier(&seek.backlog, start);
            self.state = State::Header;
            self.guessed = TRUSTED_AFTER;
            self.replay(&seek.backlog, start, shared, out);
            seek.discard(shared);
        }
    }

    /// Where a segment before `start` begins with a frame that leads exactly to `start`, through others or not: the first such one.
    ///
    /// [`resync`](crate::ws::resync) leaves the first frame out that it has found unless its payload speaks for itself. Here the
    /// place does: that other bytes at the start of a segment lead from there to a true header is as likely as that they guess
    /// the header's first byte and the length that fits, about one in 10,000.
    fn earlier(&self, backlog: &Backlog, start: u64) -> u64 {
        let leads = |mut at: u64, mut bytes: &[u8]| {
            // Frames that end before `start` lie in `bytes`; the last one may reach over a gap, or over segments.
            for _ in 0..64 {
                let Some(header) = Header::parse(bytes) else {
                    return false;
                };
                if !self.can_be(&header) {
                    return false;
                }
                let size = usize::from(header.size);
                let length = usize::try_from(header.length).unwrap_or(usize::MAX);
                let whole = bytes.get(size..).and_then(|b| b.get(..length));
                if header.opcode == Opcode::Text
                    && header.fin
                    && !header.rsv[0]
                    && let Some(payload) = whole
                {
                    let mut plain = payload.to_vec();
                    crate::ws::mask::unmask(&mut plain, header.masking_key.unwrap_or_default(), 0);
                    if simdutf8::basic::from_utf8(&plain).is_err() {
                        return false;
                    }
                }
                at = at.saturating_add(size as u64).saturating_add(header.length);
                if at >= start {
                    return at == start;
                }
                let Some(rest) = bytes.get(size.saturating_add(length)..) else {
                    return false;
                };
                bytes = rest;
            }
            false
        };
        backlog
            .iter()
            .filter_map(|held| match held {
                Held::Data(chunk) if chunk.offset < start => Some(chunk),
                _ => None,
            })
            .filter(|chunk| leads(chunk.offset, chunk.bytes))
            .map(|chunk| chunk.offset)
            .next()
            .unwrap_or(start)
    }

    /// Reads what was collected from the header at `start` on. Ends before all is read only by seeking again, behind `start`.
    fn replay(&mut self, backlog: &Backlog, start: u64, shared: &mut Shared, out: &mut impl Output) {
        for held in backlog.iter() {
            match held {
                Held::Data(chunk) => {
                    let before = usize::try_from(start.saturating_sub(chunk.offset)).unwrap_or(usize::MAX);
                    if before >= chunk.bytes.len() {
                        continue;
                    }
                    let chunk = Chunk {
                        offset: chunk.offset + before as u64,
                        bytes: &chunk.bytes[before..],
                        ..chunk
                    };
                    self.read(chunk, shared, out);
                }
                Held::Gap(gap, at) if gap.offset >= start => self.gap(gap, at, shared, out),
                Held::Gap(..) => {}
            }
        }
    }

    /// Whether `header`, found by guessing, can be one. Each that can strengthens the guess.
    pub(super) fn believe(&mut self, header: &Header) -> bool {
        let good = self.can_be(header)
            && (header.opcode.is_control()
                || self.adrift
                || (header.opcode == Opcode::Continuation) == self.open.is_some());
        if good {
            self.guessed -= 1;
        }
        good
    }

    /// Whether `header` breaks no rule, wherever it stands.
    fn can_be(&self, header: &Header) -> bool {
        header.masking_key.is_some() == (self.direction == Direction::ClientToServer)
            && !header.rsv[1]
            && !header.rsv[2]
            && (!header.rsv[0] || self.inflater.is_some() && matches!(header.opcode, Opcode::Text | Opcode::Binary))
            && header.length_form == LengthForm::Minimal
            && !matches!(header.opcode, Opcode::Reserved(_))
            && (!header.opcode.is_control() || header.fin && header.length <= 125)
    }
}
