//! What was said, and who has got it: a say is tied to its deliveries, and these to their ACKs.
//!
//! The last [`SAYS`] says are kept. A delivery belongs to the oldest open say of its speaker that its receiver has not got; when
//! one of them has the very same words, to that one (servers change words: markup is escaped, private ones get a preamble).

use super::note::{Span, Story};
use super::users::UserRef;
use crate::app::Text;
use crate::base::{Endpoint, Timestamp};

/// Says kept at once.
const SAYS: usize = 256;
/// How many of the latest are looked through for a delivery.
const LOOK: u64 = 64;
/// Bytes of what was said that are quoted.
pub(super) const CONTENT_BYTES: usize = 96;
/// Deliveries of one say that are kept.
const DELIVERIES: usize = 8192;

/// A say, by its number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SayId(pub(super) u64);

/// Something said.
#[derive(Debug, Default)]
pub(super) struct Say {
    number: u64,
    /// Through which server.
    pub(super) server: Option<Endpoint>,
    /// With which packet; 0 when that was not seen.
    pub(super) packet: u64,
    /// When.
    pub(super) at: Timestamp,
    /// Over which connection; 0 when it is not known.
    pub(super) session: u64,
    /// By whom.
    pub(super) user: Option<UserRef>,
    /// To whom; `None` is to all.
    pub(super) to: Option<UserRef>,
    /// Stands for the words.
    pub(super) words: u64,
    content: Vec<u8>,
    cut: bool,
    /// How many should get it; 0 when that is not known.
    pub(super) expected: u32,
    /// The connections that have got it, and whether they have acknowledged it.
    pub(super) delivered: Vec<(u64, bool)>,
    /// How many have acknowledged it.
    pub(super) acked: u32,
    /// All have it, or it was told that somebody has not.
    pub(super) done: bool,
}

/// The says that are remembered.
#[derive(Default)]
pub(super) struct Says {
    ring: Vec<Say>,
    last: u64,
}

/// What a delivery looks like.
pub(super) struct Delivery {
    pub(super) server: Endpoint,
    pub(super) from: UserRef,
    /// The connection of `from`; 0 when it is not known.
    pub(super) from_session: u64,
    pub(super) to: Option<UserRef>,
    pub(super) words: u64,
    /// The connection that gets it.
    pub(super) listener: u64,
}

impl Says {
    /// Room for a new one, empty but for its number and its content.
    pub(super) fn begin(&mut self, content: Text<'_>) -> (SayId, &mut Say) {
        self.last += 1;
        let slot = (self.last % SAYS as u64) as usize;
        while self.ring.len() <= slot {
            self.ring.push(Say::default());
        }
        let say = &mut self.ring[slot];
        let mut delivered = std::mem::take(&mut say.delivered);
        delivered.clear();
        let mut kept = std::mem::take(&mut say.content);
        kept.clear();
        let cut = content.copy_into(&mut kept, CONTENT_BYTES);
        *say = Say {
            number: self.last,
            content: kept,
            cut,
            delivered,
            ..Say::default()
        };
        (SayId(self.last), say)
    }

    /// The number that the next one will have.
    pub(super) fn next(&self) -> SayId {
        SayId(self.last + 1)
    }

    /// That one, unless it is forgotten.
    pub(super) fn get(&mut self, id: SayId) -> Option<&mut Say> {
        let slot = (id.0 % SAYS as u64) as usize;
        self.ring.get_mut(slot).filter(|say| say.number == id.0)
    }

    /// The latest ones, the oldest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = SayId> + use<> {
        (self.last.saturating_sub(LOOK - 1).max(1)..=self.last).map(SayId)
    }

    /// Every one that is remembered.
    pub(super) fn all(&self) -> impl Iterator<Item = SayId> + use<> {
        (self.last.saturating_sub(SAYS as u64 - 1).max(1)..=self.last).map(SayId)
    }

    /// The say that `delivery` brings to somebody.
    pub(super) fn find(&mut self, delivery: &Delivery) -> Option<SayId> {
        let mut oldest = None;
        let mut stranger = None;
        for id in self.latest() {
            let Some(say) = self.get(id) else { continue };
            let place = say.server == Some(delivery.server) && say.to == delivery.to;
            if !place || say.delivered.iter().any(|&(session, _)| session == delivery.listener) {
                continue;
            }
            let known = say.user == Some(delivery.from)
                || (say.session != 0 && say.session == delivery.from_session && say.user.is_none());
            if known && say.words == delivery.words {
                return Some(id);
            }
            if known && oldest.is_none() && !say.done && say.packet != 0 {
                oldest = Some(id);
            }
            if say.user.is_none() && say.words == delivery.words && stranger.is_none() {
                stranger = Some(id);
            }
        }
        stranger.or(oldest)
    }
}

impl Say {
    /// Notes that `session` has got it. Gives which delivery that is, from 1.
    pub(super) fn deliver(&mut self, session: u64) -> u32 {
        if self.delivered.len() < DELIVERIES {
            self.delivered.push((session, false));
        }
        self.delivered.len() as u32
    }

    /// `session` has got it.
    pub(super) fn reached(&self, session: u64) -> bool {
        self.delivered.iter().any(|&(s, _)| s == session)
    }

    /// Notes that `session` has acknowledged it. Gives whether that was the last that was waited for.
    pub(super) fn acknowledge(&mut self, session: u64) -> bool {
        if let Some(delivery) = self.delivered.iter_mut().find(|(s, acked)| *s == session && !acked) {
            delivery.1 = true;
            self.acked += 1;
        }
        let last = !self.done && self.expected > 0 && self.acked >= self.expected;
        self.done |= last;
        last
    }

    /// What was said, for `story`.
    pub(super) fn quote(&self, story: &mut Story) -> Span {
        let mut span = story.keep(&self.content);
        span.cut = self.cut;
        span
    }
}
