//! A decoder that does not know where the next frame begins: it collects until [`resync`](crate::ws::resync) finds a header, and
//! reads on from there. What it found is trusted after some more frames; a header that cannot be one before that sends it
//! back to seeking.

use super::{Chunk, Decoder, Output, Shared, State};
use crate::base::{Direction, Gap};
use crate::tcp::At;
use crate::ws::resync::{Expect, Found, Purpose, Resync};
use crate::ws::{Backlog, Header, Held, LengthForm, Opcode};

/// What a seeking decoder has collected.
#[derive(Debug)]
pub(super) struct Seek {
    backlog: Backlog,
    resync: Resync,
    expect: Expect,
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
        }
    }

    /// Starts again: what was collected is no use.
    fn clear(&mut self, shared: &mut Shared) {
        shared.release(self.backlog.size());
        *self = Self::new(self.expect);
    }

    /// Keeps bytes, and the newest ones when there are too many.
    pub(super) fn collect(&mut self, chunk: Chunk<'_>, shared: &mut Shared) {
        let before = self.backlog.size();
        if !self.backlog.push(chunk, WINDOW) {
            self.drop_front(self.backlog.bytes().len().saturating_sub(WINDOW / 4));
            if !self.backlog.push(chunk, WINDOW) {
                self.backlog = Backlog::default();
                self.resync = Resync::new(self.expect);
            }
        }
        self.account(before, shared);
    }

    /// The same for a segment that is not looked for headers at once: its border is noted.
    pub(super) fn collect_more(&mut self, chunk: Chunk<'_>, shared: &mut Shared) {
        self.collect(chunk, shared);
        let _ = self.resync.look(self.backlog.bytes(), false);
    }

    fn drop_front(&mut self, count: usize) {
        self.backlog.drop_front(count);
        self.resync.drop_front(count);
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

    /// A gap while seeking.
    pub(super) fn seek_gap(&mut self, gap: Gap, at: At, shared: &mut Shared, out: &mut impl Output) {
        // What cannot be found in the bytes before it will hardly be found with those behind it.
        self.look(true, shared, out);
        if self.state != State::Lost {
            return self.gap(gap, at, shared, out);
        }
        if let Some(seek) = &mut self.seek {
            seek.clear(shared);
        }
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
            let start = match seek.resync.look(seek.backlog.bytes(), ended) {
                Found::Header(start) => seek.backlog.offset_of(start.offset),
                Found::More { useless } => {
                    let before = seek.backlog.size();
                    seek.drop_front(useless);
                    seek.account(before, shared);
                    return;
                }
            };
            let (Some(seek), Some(start)) = (self.seek.take(), start) else {
                return;
            };
            self.state = State::Header;
            self.guessed = TRUSTED_AFTER;
            self.replay(&seek.backlog, start, shared, out);
            seek.discard(shared);
        }
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
        let good = header.masking_key.is_some() == (self.direction == Direction::ClientToServer)
            && !header.rsv[1]
            && !header.rsv[2]
            && (!header.rsv[0] || self.inflater.is_some() && matches!(header.opcode, Opcode::Text | Opcode::Binary))
            && header.length_form == LengthForm::Minimal
            && !matches!(header.opcode, Opcode::Reserved(_))
            && (!header.opcode.is_control() || header.fin && header.length <= 125)
            && (header.opcode.is_control()
                || self.adrift
                || (header.opcode == Opcode::Continuation) == self.open.is_some());
        if good {
            self.guessed -= 1;
        }
        good
    }
}
