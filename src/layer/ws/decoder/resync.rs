//! A decoder that does not know where the next frame begins: it collects until [`resync`](crate::layer::ws::resync) finds a header, and
//! reads on from there. What it found is trusted after some more frames; a header that cannot be one before that sends it
//! back to seeking.

use super::{Decoder, Output, Shared, State};
use crate::base::Gap;
use crate::base::PacketRef;
use crate::layer::Chunk;
use crate::layer::ws::resync::{Collected, Expect, Purpose};
use crate::layer::ws::{ChunkBuffer, Header, Held, LengthForm, Opcode};

/// After so many headers that may be ones, a found header is a true one.
const TRUSTED_AFTER: u8 = 12;

impl Decoder {
    /// Bytes whose place in the frames is not known.
    pub(super) fn seek_data(&mut self, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) {
        let begins = self.begins_with(&chunk);
        if begins || self.is_all_frames(&chunk) {
            if !begins {
                // What has been collected ends where a frame does.
                self.look(true, shared, out);
            }
            if self.state == State::Unsynced {
                self.state = State::Header;
                if !begins {
                    self.trust_left = TRUSTED_AFTER;
                }
            }
            self.seek = None;
            return self.read(chunk, shared, out);
        }
        self.collected().push(chunk);
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
            self.trust_left = TRUSTED_AFTER;
            return true;
        }
        self.trust_left = 0;
        header.fin && end == Some(chunk.bytes.len() as u64)
    }

    /// Whether these bytes are what a sender has written into one record of TLS or one DATA frame, and all of it is frames: they end where
    /// that does.
    fn is_all_frames(&self, chunk: &Chunk<'_>) -> bool {
        if chunk.bytes.is_empty() || !chunk.whole {
            return false;
        }
        let (mut rest, mut in_fragments) = (chunk.bytes, false);
        while !rest.is_empty() {
            let Some(header) = Header::parse(rest).filter(|header| self.can_be(header)) else {
                return false;
            };
            let end = usize::try_from(u64::from(header.size).saturating_add(header.length)).unwrap_or(usize::MAX);
            match rest.get(end..) {
                Some(behind) if header.opcode != Opcode::Continuation || in_fragments => rest = behind,
                _ => return false,
            }
            if !header.opcode.is_control() {
                in_fragments = !header.fin;
            }
        }
        true
    }

    /// The same for bytes that are not looked at at once: what follows them may be on its way here from an earlier search.
    pub(super) fn seek_later(&mut self, chunk: Chunk<'_>) {
        self.collected().push(chunk);
    }

    /// A gap while seeking: a frame may reach over it.
    pub(super) fn seek_gap(&mut self, gap: Gap, at: PacketRef) {
        if let Some(seek) = &mut self.seek {
            seek.push_gap(gap, at);
        }
    }

    /// While the place in the stream is not known: a frame most likely begins at `offset`, because a head that was cut ends there.
    pub fn expect_at(&mut self, offset: u64) {
        if self.state == State::Unsynced {
            self.collected().expect_at(offset);
        }
    }

    /// No more bytes will come.
    pub(super) fn seek_end(&mut self, shared: &mut Shared, out: &mut impl Output) {
        self.look(true, shared, out);
        self.seek = None;
    }

    fn collected(&mut self) -> &mut Collected {
        let expect = Expect {
            purpose: Purpose::Regain,
            masked: self.masks,
            deflate: self.inflater.is_some().then_some(true).or(Some(false)),
        };
        let late = self.late;
        self.seek
            .get_or_insert_with(|| Box::new(Collected::new(expect).late(late)))
    }

    fn look(&mut self, ended: bool, shared: &mut Shared, out: &mut impl Output) {
        // Each round reads at least one frame. More rounds than this are no bad luck but a stream made to cost time.
        for _ in 0..16 {
            let Some(seek) = self.seek.as_mut().filter(|_| self.state == State::Unsynced) else {
                return;
            };
            let Some(start) = seek.search(ended, &mut shared.scratch) else {
                return;
            };
            let Some(mut seek) = self.seek.take() else { return };
            self.state = State::Header;
            self.late = false;
            self.trust_left = TRUSTED_AFTER;
            self.replay(&seek.take(), start, shared, out);
        }
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
    pub(super) fn confirm(&mut self, header: &Header) -> bool {
        let good = self.can_be(header)
            && (header.opcode.is_control()
                || self.after_gap
                || (header.opcode == Opcode::Continuation) == self.open.is_some());
        if good {
            self.trust_left -= 1;
        }
        good
    }

    /// Whether `header` breaks no rule, wherever it stands.
    fn can_be(&self, header: &Header) -> bool {
        self.masks.is_none_or(|masks| masks == header.masking_key.is_some())
            && !header.rsv2
            && !header.rsv3
            && (!header.rsv1 || self.inflater.is_some() && matches!(header.opcode, Opcode::Text | Opcode::Binary))
            && header.length_form == LengthForm::Minimal
            && !matches!(header.opcode, Opcode::Reserved(_))
            && (!header.opcode.is_control() || header.fin && header.length <= 125)
    }
}
