//! Who logged in, how long what was said took to its hearers, how long a pong took.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;

use super::spread::Spread;
use crate::base::{Endpoint, Timestamp};
use crate::dissect::{ChatMeaning, Text};
use crate::record::{Message, Source};

/// Names that are told apart, and says or pings that are waited for.
const MAX_WAITING: usize = 4096;
/// Names that are shown.
const MAX_SHOWN: usize = 12;
/// Bytes of a name that are shown.
const NAME_BYTES: usize = 32;
/// Characters of what was said that are compared.
const COMPARED: usize = 256;
/// A delivery later than this is one of something else that was said with the same words.
const TOO_LATE: i64 = 60_000_000_000;

/// What the chat application did.
#[derive(Default)]
pub(super) struct Chat {
    /// The first names that logged in, as sent.
    pub(super) names: Vec<Vec<u8>>,
    known: HashSet<u64, RandomState>,
    said: HashMap<u64, Timestamp, RandomState>,
    /// From what was said to each of its deliveries.
    pub(super) delivery: Spread,
}

impl Chat {
    /// How many different names logged in, as far as they are told apart.
    pub(super) fn users(&self) -> usize {
        self.known.len()
    }

    /// A text message came.
    pub(super) fn hear(&mut self, session: &Source, message: &Message<'_>, time: Timestamp) {
        let meaning = message.meaning.first();
        match meaning.and_then(|read| ChatMeaning::of(read, message.direction)) {
            Some(ChatMeaning::Login { name, .. }) => {
                let key = self.key(session.server, name);
                if self.known.len() < MAX_WAITING && self.known.insert(key) && self.names.len() < MAX_SHOWN {
                    let mut shown = Vec::new();
                    name.copy_into(&mut shown, NAME_BYTES);
                    self.names.push(shown);
                }
            }
            Some(ChatMeaning::Say { content, .. }) => {
                if self.said.len() >= MAX_WAITING {
                    self.said.clear();
                }
                self.said.insert(self.key(session.server, content), time);
            }
            Some(ChatMeaning::Said { content, .. }) => {
                let key = self.key(session.server, content);
                if let Some(said) = self.said.get(&key) {
                    let took = time.since(*said);
                    if took < TOO_LATE {
                        self.delivery.add(took);
                    }
                }
            }
            _ => {}
        }
    }

    /// Stands for what was written to or by one server, whatever escapes it was written with.
    fn key(&self, server: Endpoint, text: Text<'_>) -> u64 {
        let mut hasher = self.known.hasher().build_hasher();
        server.hash(&mut hasher);
        text.chars().take(COMPARED).for_each(|ch| ch.hash(&mut hasher));
        hasher.finish()
    }
}

/// Pings that wait for their pong (RFC 6455 §5.5.3: it carries the ping's application data).
#[derive(Default)]
pub(super) struct Pings {
    waiting: HashMap<u64, Timestamp, RandomState>,
    /// From ping to pong.
    pub(super) round_trip: Spread,
}

impl Pings {
    pub(super) fn ping(&mut self, session: u64, message: &Message<'_>, time: Timestamp) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.clear();
        }
        let key = self.key((session, message.direction.index(), message.payload.bytes));
        self.waiting.insert(key, time);
    }

    pub(super) fn pong(&mut self, session: u64, message: &Message<'_>, time: Timestamp) {
        let key = self.key((session, message.direction.other().index(), message.payload.bytes));
        if let Some(sent) = self.waiting.remove(&key) {
            self.round_trip.add(time.since(sent));
        }
    }

    fn key(&self, ping: (u64, usize, &[u8])) -> u64 {
        self.waiting.hasher().hash_one(ping)
    }
}
