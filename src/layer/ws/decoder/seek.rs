//! A decoder that does not know where the next frame begins: it collects until [`resync`](crate::layer::ws::resync) finds a header, and
//! reads on from there. What it found is trusted after some more frames; a header that cannot be one before that sends it
//! back to seeking.

use super::{Decoder, Output, Shared, State};
use crate::base::PacketRef;
use crate::base::{Direction, Gap};
use crate::layer::Chunk;
use crate::layer::ws::resync::{Collected, Expect, Purpose, payload_bits};
use crate::layer::ws::{ChunkBuffer, Header, Held, LengthForm, Opcode};

/// After so many headers that may be ones, a found header is a true one.
const TRUSTED_AFTER: u8 = 12;
/// With so many bits frames at the start of a segment lead to a true header: chance does in one of a million places.
const LEADS: i32 = 20;

impl Decoder {
    /// Bytes whose place in the frames is not known.
    pub(super) fn seek_data(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) {
        if self.begins_with(&chunk) {
            self.seek = None;
            self.state = State::Header;
            return self.read(chunk, shared, out);
        }
        self.seek().push(chunk, shared);
        self.look(false, shared, out);
    }

    /// Whether a frame begins with these bytes, the first ones behind a head that was cut: what else would? The rest of a long head is
    /// text and no header, and one that breaks a rule is believed when it ends where the segment does.
    fn begins_with(&mut self, chunk: &Chunk<'_>) -> bool {
        let Some(header) = Header::parse(chunk.bytes).filter(|header| header.opcode != Opcode::Continuation) else {
            return false;
        };
        if !self.seek.as_ref().is_some_and(|seek| seek.expects(chunk.offset)) {
            return false;
        }
        let end = u64::from(header.size).checked_add(header.length);
        if self.can_be(&header) {
            self.guessed = TRUSTED_AFTER;
            return true;
        }
        self.guessed = 0;
        header.fin && end == Some(chunk.bytes.len() as u64)
    }

    /// The same for bytes that are not looked at at once: what follows them may be on its way here from an earlier search.
    pub(super) fn seek_later(&mut self, chunk: Chunk<'_>, shared: &mut Shared) {
        self.seek().push(chunk, shared);
    }

    /// A gap while seeking: a frame may reach over it.
    pub(super) fn seek_gap(&mut self, gap: Gap, at: PacketRef, shared: &mut Shared) {
        if let Some(seek) = &mut self.seek {
            seek.push_gap(gap, at, shared);
        }
    }

    /// While the place in the stream is not known: a frame most likely begins at `offset`, because a head that was cut ends there.
    pub fn expect_at(&mut self, offset: u64) {
        if self.state == State::Lost {
            self.seek().expect_at(offset);
        }
    }

    /// No more bytes will come.
    pub(super) fn seek_end(&mut self, shared: &mut Shared, out: &mut impl Output) {
        self.look(true, shared, out);
        if let Some(mut seek) = self.seek.take() {
            seek.take(shared);
        }
    }

    fn seek(&mut self) -> &mut Collected {
        let expect = Expect {
            purpose: Purpose::Regain,
            masked: Some(self.direction == Direction::ClientToServer),
            deflate: self.inflater.is_some().then_some(true).or(Some(false)),
        };
        self.seek.get_or_insert_with(|| Box::new(Collected::new(expect)))
    }

    fn look(&mut self, ended: bool, shared: &mut Shared, out: &mut impl Output) {
        // Each round reads at least one frame. More rounds than this are no bad luck but a stream made to cost time.
        for _ in 0..16 {
            let Some(seek) = self.seek.as_mut().filter(|_| self.state == State::Lost) else {
                return;
            };
            let Some((start, _)) = seek.look(ended, shared) else {
                return;
            };
            let Some(mut seek) = self.seek.take() else { return };
            let backlog = seek.take(shared);
            let start = self.earlier(&backlog, start);
            self.state = State::Header;
            self.guessed = TRUSTED_AFTER;
            self.replay(&backlog, start, shared, out);
        }
    }

    /// Where a segment before `start` begins with a frame that leads exactly to `start`, through others or not: the first such one.
    ///
    /// [`resync`](crate::layer::ws::resync) leaves the first frame out that it has found unless it speaks for itself. Here the place
    /// speaks, too: other bytes at the start of a segment do not lead from there to a true header by chance. A frame of less than
    /// 126 bytes does, once in 4,000 times; it is believed when it says more, or fills its segment.
    fn earlier(&self, backlog: &ChunkBuffer, start: u64) -> u64 {
        backlog
            .iter()
            .filter_map(|held| match held {
                Held::Data(chunk) if chunk.offset < start => Some(chunk),
                _ => None,
            })
            .find(|chunk| self.leads(chunk.offset, chunk.bytes, start).unwrap_or(0) >= LEADS)
            .map_or(start, |chunk| chunk.offset)
    }

    /// How much less likely than frames it is, in bits, that other bytes from `at` on lead to `start`; `None` when these do not.
    fn leads(&self, mut at: u64, mut bytes: &[u8], start: u64) -> Option<i32> {
        let mut bits = 0;
        let segment_end = at + bytes.len() as u64;
        // Frames that end before `start` lie in `bytes`; the last one may reach over a gap, or over segments.
        for _ in 0..64 {
            let header = Header::parse(bytes).filter(|header| self.can_be(header))?;
            let size = usize::from(header.size);
            let length = usize::try_from(header.length).unwrap_or(usize::MAX);
            let whole = bytes.get(size..).and_then(|rest| rest.get(..length));
            // One of eight first bytes that are frequent, and the one length that fits. A run of zeros is empty frames, too.
            bits += match header.length {
                0 => 0,
                1..126 => 12,
                _ => 25,
            };
            if let Some(payload) = whole {
                bits += payload_bits(&header, payload)?;
            }
            at = at.saturating_add(size as u64).saturating_add(header.length);
            // Whatever else ends with its segment, a message does.
            bits += if at == segment_end { 8 } else { 0 };
            if at >= start {
                return (at == start).then_some(bits);
            }
            bytes = bytes.get(size.saturating_add(length)..)?;
        }
        None
    }

    /// Reads what was collected from the header at `start` on. Ends before all is read only by seeking again, behind `start`.
    fn replay(&mut self, backlog: &ChunkBuffer, start: u64, shared: &mut Shared, out: &mut impl Output) {
        for held in backlog.iter() {
            match held {
                Held::Data(chunk) => {
                    let before = usize::try_from(start.saturating_sub(chunk.offset)).unwrap_or(usize::MAX);
                    if before >= chunk.bytes.len() {
                        continue;
                    }
                    self.read(chunk.skip(before), shared, out);
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
