//! Which request a message answers: by session, direction and identifier, among the last requests of all sessions.

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
}
