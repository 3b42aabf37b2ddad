//! What was said, and who has got it: a say is tied to its deliveries, and these to their ACKs.
//!
//! The last [`SAYS`] says are kept. A delivery belongs to the oldest open say of its speaker that its receiver has not got; when
//! one of them has the very same words, to that one (servers change words: markup is escaped, private ones get a preamble; what
//! differs by more is another say).

use super::same_words;
use super::story::{Span, Story};
use super::users::UserRef;
use crate::base::{Endpoint, Timestamp};
use crate::dissect::Text;

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
    /// In which room.
    pub(super) room: u64,
    /// By whom.
    pub(super) user: Option<UserRef>,
    /// To whom; `None` is to all.
    pub(super) to: Option<UserRef>,
    content: Vec<u8>,
    cut: bool,
    /// How many should get it; 0 when that is not known.
    pub(super) expected: u32,
    /// The connections that have got it, in order, and whether they have acknowledged it.
    pub(super) delivered: Vec<(u64, bool)>,
    /// How many have acknowledged it.
    pub(super) acked: u32,
    /// Not only browsers have got it.
    pub(super) others: bool,
    /// All have it, or it was told that somebody has not.
    pub(super) done: bool,
}

/// The says that are remembered.
#[derive(Default)]
pub(super) struct Says {
    ring: Vec<Say>,
    /// What stands for the words of each, close together to be looked through.
    words: Vec<u64>,
    /// Whether each waits for somebody to get it, likewise.
    waits: Vec<bool>,
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
    /// What it says, as far as it is compared.
    pub(super) content: Vec<u8>,
    /// The connection that gets it.
    pub(super) listener: u64,
}

impl Says {
    /// Room for a new one, empty but for its number and its content.
    pub(super) fn begin(&mut self, words: u64, content: Text<'_>) -> (SayId, &mut Say) {
        self.last += 1;
        let slot = slot(SayId(self.last));
        while self.ring.len() <= slot {
            self.ring.push(Say::default());
            self.words.push(0);
            self.waits.push(false);
        }
        self.waits[slot] = false;
        self.words[slot] = words;
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
        self.ring.get_mut(slot(id)).filter(|say| say.number == id.0)
    }

    /// The latest ones, the oldest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = SayId> + use<> {
        (self.last.saturating_sub(LOOK - 1).max(1)..=self.last).map(SayId)
    }

    /// The latest ones for which somebody waits, the oldest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = SayId> {
        self.latest().filter(|id| self.waits(*id))
    }

    /// Somebody waits for that one, or nobody does any more.
    pub(super) fn set_waiting(&mut self, id: SayId, waits: bool) {
        if let Some(waiting) = self.waits.get_mut(slot(id)) {
            *waiting = waits;
        }
    }

    /// Whether somebody waits for that one.
    pub(super) fn waits(&self, id: SayId) -> bool {
        self.waits.get(slot(id)) == Some(&true)
    }

    /// The server has refused what `session` said with that packet, and gives it to nobody. Gives whether that is remembered.
    pub(super) fn refuse(&mut self, session: u64, packet: u64) -> bool {
        let refused = self.latest().find(|id| {
            let say = self.ring.get(slot(*id));
            say.is_some_and(|say| say.number == id.0 && say.session == session && say.packet == packet && !say.done)
        });
        if let Some(id) = refused
            && let Some(say) = self.get(id)
        {
            (say.done, say.server) = (true, None);
            self.set_waiting(id, false);
        }
        refused.is_some()
    }

    /// Every one that is remembered.
    pub(super) fn all(&self) -> impl Iterator<Item = SayId> + use<> {
        (self.last.saturating_sub(SAYS as u64 - 1).max(1)..=self.last).map(SayId)
    }

    /// The say that `delivery` brings to somebody: one with the same words, else the oldest that is waiting.
    pub(super) fn find(&mut self, delivery: &Delivery) -> Option<SayId> {
        self.latest()
            .filter(|id| self.words.get(slot(*id)) == Some(&delivery.words))
            .find(|id| self.fits(*id, delivery) != Fit::No)
            .or_else(|| {
                self.latest().find(|id| {
                    let waits = |say: &Say| !say.done && say.packet != 0 && say.says(delivery);
                    self.ring.get(slot(*id)).is_some_and(waits) && self.fits(*id, delivery) == Fit::Speaker
                })
            })
    }

    /// Whether that say can be the one of `delivery`, words aside.
    fn fits(&self, id: SayId, delivery: &Delivery) -> Fit {
        let Some(say) = self.ring.get(slot(id)) else {
            return Fit::No;
        };
        if say.number != id.0
            || say.server != Some(delivery.server)
            || say.to != delivery.to
            || say.reached(delivery.listener)
        {
            return Fit::No;
        }
        let same_session = say.session != 0 && say.session == delivery.from_session;
        match say.user {
            Some(user) if user == delivery.from => Fit::Speaker,
            Some(_) => Fit::No,
            None if same_session => Fit::Speaker,
            None => Fit::Stranger,
        }
    }
}

/// How well a say fits a delivery.
#[derive(PartialEq, Eq)]
enum Fit {
    No,
    /// Nobody knows who said it.
    Stranger,
    Speaker,
}

const fn slot(id: SayId) -> usize {
    (id.0 % SAYS as u64) as usize
}

impl Say {
    /// `delivery` has the same words, but for what servers make of them.
    fn says(&self, delivery: &Delivery) -> bool {
        match self.to.is_some() {
            // A private one may get a preamble.
            true => same_words::ends_with(&delivery.content, &self.content, self.cut),
            false => same_words::same_words(&self.content, &delivery.content, self.cut),
        }
    }

    /// Notes that `session` has got it. Gives which delivery that is, from 1.
    pub(super) fn deliver(&mut self, session: u64, browser: bool) -> u32 {
        self.others |= !browser;
        if self.delivered.len() < DELIVERIES
            && let Err(place) = self.delivery(session)
        {
            self.delivered.insert(place, (session, false));
        }
        self.delivered.len() as u32
    }

    /// `session` has got it.
    pub(super) fn reached(&self, session: u64) -> bool {
        self.delivery(session).is_ok()
    }

    /// Where in `delivered` the delivery to `session` is, else where it belongs.
    fn delivery(&self, session: u64) -> Result<usize, usize> {
        self.delivered.binary_search_by_key(&session, |&(s, _)| s)
    }

    /// It was seen when it was said, and has not come to all who should get it.
    pub(super) fn is_missed(&self) -> bool {
        let expected = (self.expected as usize).min(DELIVERIES);
        !self.done && self.packet != 0 && self.delivered.len() < expected
    }

    /// Notes that `session` has acknowledged it. Gives whether that was the last that was waited for.
    pub(super) fn acknowledge(&mut self, session: u64) -> bool {
        if let Ok(place) = self.delivery(session)
            && !std::mem::replace(&mut self.delivered[place].1, true)
        {
            self.acked += 1;
        }
        let last = !self.done && self.expected > 0 && self.acked >= self.expected;
        self.done |= last;
        last
    }

    /// What was said, as far as it is kept.
    pub(super) fn words(&self) -> &[u8] {
        &self.content
    }

    /// What was said, for `story`.
    pub(super) fn quote(&self, story: &mut Story) -> Span {
        let mut span = story.keep(&self.content);
        span.cut = self.cut;
        span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_say_is_acknowledged_once_by_each_who_has_got_it_in_any_order() {
        let mut say = Say {
            expected: 3,
            ..Say::default()
        };
        assert_eq!([5, 2, 9].map(|session| say.deliver(session, true)), [1, 2, 3]);
        assert!(say.reached(2) && say.reached(9) && !say.reached(3));
        assert_eq!(
            [9, 3, 9, 5, 2].map(|session| say.acknowledge(session)),
            [false, false, false, false, true]
        );
    }
}
