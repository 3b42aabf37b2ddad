//! Which request a message answers: by session, direction and identifier, among the last requests of all sessions. A ping is a request,
//! and its payload is its identifier (RFC 6455 §5.5.3).

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use super::MessageView;
use crate::base::{Direction, PacketRef, Text};
use crate::record::{Answers, Interpretation, SessionId, ShortText};

/// Requests that are remembered.
const REQUESTS: usize = 1024;

/// The last requests.
#[derive(Default)]
pub(super) struct Requests {
    /// What each is known by, close together to be looked through.
    keys: Vec<u64>,
    ring: Vec<Request>,
    next: usize,
    hasher: RandomState,
}

#[derive(Clone, Copy)]
struct Request {
    label: ShortText,
    at: PacketRef,
    answered: bool,
}

impl Requests {
    /// Remembers what asks, and finds what is answered.
    #[inline]
    pub(super) fn resolve(&mut self, message: &MessageView<'_>, interpretation: &mut Interpretation<'_>) {
        let Some(id) = interpretation.id else { return };
        let action = interpretation.action;
        if action.is_asking() {
            let key = self.key(message.session, message.direction, id);
            let request = Request {
                label: interpretation.label.map_or_else(ShortText::default, ShortText::new),
                at: message.at,
                answered: false,
            };
            self.remember(key, request);
        } else if action.is_answering() {
            let key = self.key(message.session, message.direction.other(), id);
            interpretation.answers = self.find(key).map(|request| Answers {
                packet: request.at.packet,
                after: message.at.time.since(request.at.time),
                label: request.label,
            });
        }
    }

    /// A ping waits for its pong.
    pub(super) fn ping(&mut self, session: SessionId, direction: Direction, payload: &[u8], at: PacketRef) {
        let key = self.key_of_bytes(session, direction, payload);
        let request = Request {
            label: ShortText::default(),
            at,
            answered: false,
        };
        self.remember(key, request);
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
        let (new, old) = self.keys.split_at(self.next.min(self.keys.len()));
        let oldest_first = (0..old.len()).map(|place| new.len() + place).chain(0..new.len());
        let place = oldest_first
            .into_iter()
            .find(|&place| self.keys[place] == key && !self.ring[place].answered)?;
        let ping = &mut self.ring[place];
        ping.answered = true;
        Some(Answers {
            packet: ping.at.packet,
            after: at.time.since(ping.at.time),
            label: ping.label,
        })
    }

    fn key_of_bytes(&self, session: SessionId, direction: Direction, bytes: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(session.0);
        hasher.write_u8(2 + direction.index() as u8);
        hasher.write(bytes);
        hasher.finish()
    }

    fn remember(&mut self, key: u64, request: Request) {
        if self.ring.len() < REQUESTS {
            self.keys.push(key);
            self.ring.push(request);
            return;
        }
        self.keys[self.next] = key;
        self.ring[self.next] = request;
        self.next = (self.next + 1) % REQUESTS;
    }

    /// The latest request of that key.
    fn find(&self, key: u64) -> Option<&Request> {
        let (new, old) = self.keys.split_at(self.next.min(self.keys.len()));
        let at = match new.iter().rposition(|&known| known == key) {
            Some(at) => at,
            None => new.len() + old.iter().rposition(|&known| known == key)?,
        };
        self.ring.get(at)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn the_latest_request_of_a_key_is_found_until_too_many_have_come() {
        let mut requests = Requests::default();
        for packet in 1..=3 * REQUESTS as u64 / 2 {
            let request = Request {
                label: ShortText::default(),
                at: PacketRef {
                    packet,
                    time: Timestamp::from_nanos(0),
                },
                answered: false,
            };
            requests.remember(packet % 900, request);
            assert_eq!(requests.find(packet % 900).unwrap().at.packet, packet);
        }
        let found = |key| requests.find(key).map(|request| request.at.packet);
        assert_eq!(found(10), Some(910));
        assert_eq!(found(900), None);
        assert_eq!(found(700), Some(700));
        assert_eq!((requests.keys.len(), requests.ring.len()), (REQUESTS, REQUESTS));
    }

    #[test]
    fn pongs_of_equal_pings_answer_these_in_order() {
        let mut requests = Requests::default();
        let at = |packet| PacketRef {
            packet,
            time: Timestamp::from_nanos(packet as i64),
        };
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
