//! Messages of the generic protocols, and which request a response answers.
//!
//! The last requests of all connections are remembered, by what ties a response to them: connection, direction, identifier.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use super::talk::{Kind, Label};
use super::users::quote;
use super::who::Labelled;
use super::{Narrator, Note, Title};
use crate::base::{Direction, Timestamp};
use crate::dissect::{Act, Protocol, Text};

/// Requests that are remembered.
const REQUESTS: usize = 1024;
/// Bytes of a name that are told.
const LABEL: usize = 60;
/// Bytes of an identifier that are told, and by which it is known.
const ID: usize = 40;

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
    label: Label,
    packet: u64,
    at: Timestamp,
}

impl Requests {
    /// A request of `id` goes in `direction`.
    fn asked(&mut self, key: u64, request: Request) {
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

    /// Stands for a request in `direction` of a connection.
    fn key(&self, number: u64, direction: Direction, id: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(number);
        hasher.write_u8(direction.index() as u8);
        hasher.write(id);
        hasher.finish()
    }
}

impl Narrator {
    /// A message of a generic protocol.
    pub(super) fn generic(
        &mut self,
        number: u64,
        direction: Direction,
        (protocol, act): (Protocol, Act),
        label: Option<Text<'_>>,
        id: Option<Text<'_>>,
    ) -> Kind {
        let (from, to) = self.pair(number, direction);
        let label = quote(&mut self.story, label.unwrap_or(Text::Plain("")), LABEL);
        let id = quote(&mut self.story, id.unwrap_or(Text::Plain("")), ID);
        let message = Labelled { protocol, act, label };
        self.story.entitle(80, Title::Labelled(message));
        self.story.notes.push(Note::Labelled { from, to, message, id });
        let kept = Label::new(self.story.text(label), label.cut);
        if !id.is_empty() {
            let id = self.story.text(id);
            match act {
                Act::Request | Act::Subscribe | Act::Event | Act::Send | Act::Close => {
                    let key = self.requests.key(number, direction, id);
                    let request = Request {
                        label: kept,
                        packet: self.now.packet,
                        at: self.now.time,
                    };
                    self.requests.asked(key, request);
                }
                Act::Response | Act::Error | Act::Data | Act::Complete | Act::Confirm => {
                    let key = self.requests.key(number, direction.other(), id);
                    if let Some(request) = self.requests.find(key) {
                        let mut label = self.story.keep(request.label.bytes());
                        label.cut = request.label.is_cut();
                        self.story.notes.push(Note::Answers {
                            label,
                            packet: request.packet,
                            after: self.now.time.since(request.at),
                        });
                    }
                }
                _ => {}
            }
        }
        Kind::Labelled(protocol, act, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_request_of_a_key_is_found_until_too_many_have_come() {
        let mut requests = Requests::default();
        for packet in 1..=3 * REQUESTS as u64 / 2 {
            let request = Request {
                label: Label::default(),
                packet,
                at: Timestamp::from_nanos(0),
            };
            requests.asked(packet % 900, request);
            assert_eq!(requests.find(packet % 900).unwrap().packet, packet);
        }
        let found = |key| requests.find(key).map(|request| request.packet);
        assert_eq!(found(10), Some(910));
        assert_eq!(found(900), None);
        assert_eq!(found(700), Some(700));
        assert_eq!((requests.keys.len(), requests.ring.len()), (REQUESTS, REQUESTS));
    }
}
