//! Which request a message answers: by session, direction and identifier, among the last requests of all sessions. A ping is a request,
//! and its payload is its identifier (RFC 6455 §5.5.3).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use super::MessageView;
use crate::base::{Direction, PacketRef, Text};
use crate::record::{Action, Answers, Interpretation, SessionId, ShortText};

/// Requests that are remembered.
const REQUESTS: usize = 1 << 14;

/// The last requests.
#[derive(Default)]
pub(super) struct Requests {
    /// The last ones, in a ring.
    ring: Vec<Request>,
    /// Where the next one goes, once the ring is full.
    next: usize,
    /// Those of one key.
    same: HashMap<u64, Same, RandomState>,
    hasher: RandomState,
}

#[derive(Clone, Copy)]
struct Request {
    key: u64,
    label: ShortText,
    at: PacketRef,
    /// The place of the next one of the same key.
    later: Option<u32>,
}

/// Places of requests that have the same key.
#[derive(Clone, Copy)]
struct Same {
    /// The oldest one without an answer, of pings.
    waiting: Option<u32>,
    latest: u32,
}

impl Requests {
    /// Remembers what asks, and finds what is answered.
    #[inline]
    pub(super) fn resolve(&mut self, message: &MessageView<'_>, interpretation: &mut Interpretation<'_>) {
        let action = interpretation.action;
        let Some(id) = interpretation.id else {
            return self.application_ping(message, interpretation);
        };
        if action.is_asking() {
            let key = self.key(message.session, message.direction, id);
            let label = interpretation.label.map_or_else(ShortText::default, ShortText::new);
            self.remember(key, label, message.at);
        } else if action.is_answering() {
            let key = self.key(message.session, message.direction.other(), id);
            interpretation.answers = self.latest(key).map(|request| request.answered(message.at));
        }
    }

    /// A ping waits for its pong.
    pub(super) fn ping(&mut self, session: SessionId, direction: Direction, payload: &[u8], at: PacketRef) {
        let key = self.key_of_bytes(session, direction, payload);
        self.remember(key, ShortText::default(), at);
    }

    /// The ping that a pong, sent in `direction`, answers: of equal ones the oldest that has no answer yet.
    pub(super) fn pong(
        &mut self,
        session: SessionId,
        direction: Direction,
        payload: &[u8],
        at: PacketRef,
    ) -> Option<Answers> {
        let key = self.key_of_bytes(session, direction.other(), payload);
        let waiting = &mut self.same.get_mut(&key)?.waiting;
        let ping = self.ring.get((*waiting)? as usize)?;
        *waiting = ping.later;
        Some(ping.answered(at))
    }

    /// The application's own pings carry nothing that tells one from the other, and who answers, answers the latest.
    fn application_ping(&mut self, message: &MessageView<'_>, interpretation: &mut Interpretation<'_>) {
        let id = Text::Plain("");
        if interpretation.action == Action::Ping {
            let key = self.key(message.session, message.direction, id);
            self.remember(key, ShortText::default(), message.at);
        } else if interpretation.action == Action::Pong {
            let key = self.key(message.session, message.direction.other(), id);
            let waits = self.same.get_mut(&key).and_then(|same| same.waiting.take());
            let ping = waits.and_then(|_| self.latest(key));
            interpretation.answers = ping.map(|ping| ping.answered(message.at));
        }
    }

    fn key_of_bytes(&self, session: SessionId, direction: Direction, bytes: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(session.0);
        hasher.write_u8(2 + direction.index() as u8);
        hasher.write(bytes);
        hasher.finish()
    }

    fn remember(&mut self, key: u64, label: ShortText, at: PacketRef) {
        let request = Request {
            key,
            label,
            at,
            later: None,
        };
        let place = match self.ring.len() < REQUESTS {
            true => self.ring.len(),
            false => self.next,
        };
        if place == self.ring.len() {
            self.ring.push(request);
        } else {
            let oldest = std::mem::replace(&mut self.ring[place], request);
            self.next = (place + 1) % REQUESTS;
            self.forget(place as u32, &oldest);
        }
        let place = place as u32;
        match self.same.entry(key) {
            Entry::Vacant(none) => {
                none.insert(Same {
                    waiting: Some(place),
                    latest: place,
                });
            }
            Entry::Occupied(mut same) => {
                let same = same.get_mut();
                self.ring[same.latest as usize].later = Some(place);
                same.waiting.get_or_insert(place);
                same.latest = place;
            }
        }
    }

    /// `request`, the oldest one, stands no longer at `place`.
    fn forget(&mut self, place: u32, request: &Request) {
        let Entry::Occupied(mut same) = self.same.entry(request.key) else {
            return;
        };
        if same.get().latest == place {
            same.remove();
        } else if same.get().waiting == Some(place) {
            same.get_mut().waiting = request.later;
        }
    }

    /// The latest request of that key.
    fn latest(&self, key: u64) -> Option<&Request> {
        self.ring.get(self.same.get(&key)?.latest as usize)
    }

    /// Stands for a request in `direction` of a session.
    fn key(&self, session: SessionId, direction: Direction, id: Text<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(session.0);
        hasher.write_u8(direction.index() as u8);
        let mut buffer = [0; 4];
        for c in id.chars().take(64) {
            hasher.write(c.encode_utf8(&mut buffer).as_bytes());
        }
        hasher.finish()
    }
}

impl Request {
    /// What is said of it in the answer, which came `at`.
    fn answered(&self, at: PacketRef) -> Answers {
        Answers {
            packet: self.at.packet,
            after: at.time.since(self.at.time),
            label: self.label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn at(packet: u64) -> PacketRef {
        PacketRef {
            packet,
            time: Timestamp::from_nanos(packet as i64),
        }
    }

    #[test]
    fn the_latest_request_of_a_key_is_found_until_too_many_have_come() {
        let mut requests = Requests::default();
        let last = 3 * REQUESTS as u64 / 2;
        for packet in 1..=last {
            let key = packet % 15_000;
            requests.remember(key, ShortText::default(), at(packet));
            assert_eq!(requests.latest(key).unwrap().at.packet, packet);
        }
        let found = |key| requests.latest(key).map(|request| request.at.packet);
        assert_eq!(found(10), Some(15_010));
        assert_eq!(
            found(last % 15_000 + 1),
            Some(last % 15_000 + 1).filter(|&packet| packet > last - REQUESTS as u64)
        );
        assert_eq!(found(14_000), Some(14_000));
        assert!(requests.ring.len() == REQUESTS && requests.same.len() == 15_000);
    }

    #[test]
    fn pings_are_forgotten_oldest_first() {
        let mut requests = Requests::default();
        for packet in 1..=REQUESTS as u64 + 2 {
            requests.ping(SessionId(1), Direction::ClientToServer, b"same", at(packet));
        }
        let pong = requests.pong(SessionId(1), Direction::ServerToClient, b"same", at(0));
        assert_eq!(pong.map(|ping| ping.packet), Some(3));
    }

    #[test]
    fn pongs_of_equal_pings_answer_these_in_order() {
        let mut requests = Requests::default();
        let (session, asks) = (SessionId(1), Direction::ServerToClient);
        for (packet, payload) in [(1, &b""[..]), (2, b"7"), (3, b""), (4, b"8")] {
            requests.ping(session, asks, payload, at(packet));
        }
        let mut pong = |payload: &[u8]| {
            requests
                .pong(session, asks.other(), payload, at(9))
                .map(|ping| ping.packet)
        };
        let answered = [&b""[..], b"7", b"", b"8", b""].map(&mut pong);
        assert_eq!(answered, [Some(1), Some(2), Some(3), Some(4), None]);
    }
}
