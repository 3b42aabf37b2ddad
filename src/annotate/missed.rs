//! Who has not got what was said.
//!
//! A listener's server sends in order. So what has not come is missed as soon as something later of the same speaker is there: the
//! next say, or the notice that the speaker has left. Whoever leaves misses what has not come yet, and so does everybody when the
//! capture ends; then it may be the capture that misses it.

use super::says::{Say, SayId};
use super::users::UserRef;
use super::{Narrator, Note, party};
use crate::base::Direction;

/// Says that are named in the end.
const WORDS: usize = 8;
/// Notes on missed says that one packet (or the end of the capture) may bring. All of them are counted.
const TOLD: usize = 8;

impl Narrator {
    /// How many deliveries of says to users who were logged in have not been seen.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// The first says that have not come to somebody, and with which packet each was said.
    pub fn missed_words(&self) -> &[(Vec<u8>, u64)] {
        &self.missed_words
    }

    /// The say `current` of `speaker` is delivered: what the same speaker said before will not come any more.
    pub(super) fn missed_before(&mut self, current: SayId, speaker: UserRef) {
        self.missed_where(false, |id, say| id < current && say.user == Some(speaker));
    }

    /// `speaker` has left.
    pub(super) fn missed_of(&mut self, speaker: UserRef) {
        let session = self.world.users.session(speaker);
        self.missed_where(false, |_, say| {
            say.user
                .map_or(session != 0 && say.session == session, |user| user == speaker)
        });
    }

    /// The capture ends.
    pub(super) fn missed_at_end(&mut self) {
        self.missed_where(true, |_, _| true);
    }

    /// Nobody waits any more for the says that `over` picks: tells who has not got them.
    fn missed_where(&mut self, end: bool, over: impl Fn(SayId, &Say) -> bool) {
        let mut after = SayId(0);
        loop {
            let next = self.world.says.waiting().find(|id| *id > after);
            let Some(id) = next else { break };
            after = id;
            let Some(say) = self.world.says.get(id) else { continue };
            if say.is_missed() && over(id, say) {
                say.done = true;
                self.world.says.set_waiting(id, false);
                self.tell_missed(id, end);
            }
        }
    }

    /// Who of those who should have got that say has not.
    fn tell_missed(&mut self, id: SayId, end: bool) {
        let world = &mut self.world;
        let Some(say) = world.says.get(id) else { return };
        let (packet, room) = (say.packet, say.room);
        if self.missed_words.len() < WORDS && self.missed_words.iter().all(|(_, known)| *known != packet) {
            self.missed_words.push((say.words().to_vec(), packet));
        }
        if say.delivered.is_empty() {
            self.missed += u64::from(say.expected);
            if told(&self.tail) < TOLD {
                let content = say.quote(&mut self.story);
                self.tail.push(Note::MissedByAll { content, packet, end });
            }
            return;
        }
        let Some(members) = world.rooms.get(&room) else { return };
        let mut missing = members.iter().filter(|member| {
            let there = world.talks.get(member).is_some_and(|talk| talk.since <= id);
            there && !say.reached(**member)
        });
        let Some(first) = missing.next() else { return };
        let more = missing.count() as u32;
        let Some(talk) = world.talks.get(first) else { return };
        self.missed += u64::from(more) + 1;
        if told(&self.tail) < TOLD {
            let content = say.quote(&mut self.story);
            let who = party(&mut self.story, &world.users, talk, Direction::ClientToServer);
            self.tail.push(Note::Missed {
                content,
                packet,
                who,
                more,
                end,
            });
        }
    }

    /// Connection `number` has left its room: nobody waits for its ACKs, and what has not come to it will not.
    pub(super) fn missed_by(&mut self, number: u64) {
        for id in self.world.says.all() {
            let world = &mut self.world;
            let Some(talk) = world.talks.get(&number) else { return };
            if !world.says.waits(id) {
                continue;
            }
            let Some(say) = world.says.get(id) else { continue };
            let for_it = match say.to {
                None => talk.since <= id && talk.room == say.room,
                Some(user) => talk.user == Some(user),
            };
            if say.done || say.expected == 0 || !for_it || say.reached(number) {
                continue;
            }
            say.expected -= 1;
            if say.acked >= say.expected {
                say.done = true;
            }
            let (done, packet) = (say.done, say.packet);
            let content = say.quote(&mut self.story);
            world.says.set_waiting(id, !done);
            if packet != 0 {
                let who = party(&mut self.story, &world.users, talk, Direction::ClientToServer);
                if self.missed_words.len() < WORDS && self.missed_words.iter().all(|(_, known)| *known != packet) {
                    self.missed_words.push((self.story.text(content).to_vec(), packet));
                }
                self.missed += 1;
                if told(&self.tail) < TOLD {
                    self.tail.push(Note::MissedLeaving { who, content, packet });
                }
            }
        }
    }
}

fn told(notes: &[Note]) -> usize {
    notes.iter().filter(|note| note.is_missed()).count()
}
