//! Where the stream of one direction begins, when its SYN has not been seen.
//!
//! Older bytes than the first ones seen may still be under way: reordered, or lost on their way and sent again. So the
//! first bytes wait until the other side tells by an acknowledgment what it has got: what it lacks is a hole like any
//! other, and before what it has nothing more comes. When it is silent, a moment must do.

use crate::tcp::half::{FARTHEST_ACK, Half};
use crate::tcp::seq;

/// How much is known of where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Beginning {
    /// Nothing has been seen of it.
    #[default]
    Unknown,
    /// The capture began in the middle, and nothing tells yet what may have been before the segments seen, the first of
    /// which is at offset 0. All bytes wait.
    Seen,
    /// The capture began in the middle, and the other side has acknowledged all before offset 0. The first bytes wait
    /// if they are not the next ones.
    Acknowledged,
    /// By the SYN, or by the first bytes delivered.
    Known,
}

impl Half {
    /// Offset 0 has this sequence number.
    pub(super) fn begin(&mut self, start: u32, beginning: Beginning) {
        (self.start, self.beginning) = (start, beginning);
    }

    /// Bytes from `seq` on have come.
    #[inline]
    pub(super) fn begin_with_data(&mut self, seq: u32) {
        match self.beginning {
            Beginning::Known => {}
            Beginning::Unknown => self.begin(seq, Beginning::Seen),
            Beginning::Seen | Beginning::Acknowledged => self.begin_earlier(seq),
        }
    }

    fn begin_earlier(&mut self, seq: u32) {
        let ahead = self.offset(seq);
        let moves = ahead < 0 && self.may_begin_at(ahead);
        if moves {
            self.move_beginning(ahead);
        }
        if self.beginning == Beginning::Acknowledged && (moves || ahead == 0) {
            self.beginning = Beginning::Known;
        }
    }

    /// Nothing has been delivered, and the other side has acknowledged all before `ack`; `exact`: by its SYN. Answers
    /// whether that says where the stream begins, and nothing else.
    pub(super) fn begin_acknowledged(&mut self, ack: u32, exact: bool) -> bool {
        let kept = self.kept();
        let at = self.offset(ack);
        match (self.beginning, kept) {
            (Beginning::Unknown, _) | (Beginning::Seen, None) => {
                self.begin(
                    ack,
                    if exact {
                        Beginning::Known
                    } else {
                        Beginning::Acknowledged
                    },
                );
                self.high = 0;
                true
            }
            (Beginning::Seen, Some(_)) if at <= 0 && self.may_begin_at(at) => {
                self.move_beginning(at);
                self.beginning = if exact || kept == Some(0) && at == 0 {
                    Beginning::Known
                } else {
                    Beginning::Acknowledged
                };
                false
            }
            (Beginning::Seen, Some(first)) if (0..=self.high as i64 + FARTHEST_ACK).contains(&at) => {
                // What lies behind an empty segment and has not come is missing. A keep-alive is one too low.
                if first <= 1 {
                    self.settle();
                } else {
                    self.beginning = Beginning::Acknowledged;
                }
                false
            }
            (Beginning::Acknowledged, _) if at < 0 && self.may_begin_at(at) => {
                // An older acknowledgment: what came between the two may be under way, too.
                self.move_beginning(at);
                false
            }
            _ => false,
        }
    }

    /// Its SYN tells that it begins at `start`. `false` when that cannot be, for other bytes have been seen.
    pub(super) fn begin_with_syn(&mut self, start: u32) -> bool {
        let at = self.offset(start);
        match self.beginning {
            Beginning::Known => self.start == start,
            Beginning::Seen | Beginning::Acknowledged if at <= 0 && self.may_begin_at(at) => {
                self.move_beginning(at);
                self.beginning = Beginning::Known;
                true
            }
            Beginning::Seen | Beginning::Acknowledged if self.kept().is_some() => false,
            _ => {
                self.begin(start, Beginning::Known);
                (self.high, self.acked) = (0, 0);
                true
            }
        }
    }

    /// What waits first is the beginning.
    pub(super) fn settle(&mut self) {
        let by = self.kept().unwrap_or(0);
        self.move_beginning(by as i64);
        self.beginning = Beginning::Known;
    }

    /// The first offset of what waits: bytes, or the FIN.
    fn kept(&self) -> Option<u64> {
        self.waiting.as_ref().and_then(|waiting| waiting.first()).or(self.fin())
    }

    /// Whether all that has been seen fits into a window that begins at offset `at`.
    fn may_begin_at(&self, at: i64) -> bool {
        (self.high as i64).saturating_sub(at) <= seq::LARGEST_WINDOW
    }

    /// Offset 0 lies `by` further to the right: to the left when negative.
    fn move_beginning(&mut self, by: i64) {
        debug_assert!(self.next == 0, "what has been delivered does not move");
        let moved = |offset: u64| offset.saturating_add_signed(-by);
        self.start = self.start.wrapping_add(by as u32);
        self.high = moved(self.high);
        self.set_fin(self.fin().map(moved));
        // Until the other side has spoken nothing is acknowledged.
        self.acked = if self.beginning == Beginning::Seen {
            0
        } else {
            moved(self.acked)
        };
        if let Some(waiting) = &mut self.waiting {
            waiting.shift(by);
        }
    }
}
