//! How long what was said took to its hearers.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;

use super::times::Times;
use crate::base::{Endpoint, Timestamp};
use crate::dissect::{ChatMeaning, Text};
use crate::record::{Message, Source};

/// Says whose deliveries are waited for.
const MAX_WAITING: usize = 4096;
/// Characters of what was said that are compared.
const COMPARED: usize = 256;
/// A delivery later than this is one of something else that was said with the same words.
const TOO_LATE: i64 = 60_000_000_000;

/// What the chat application did.
#[derive(Default)]
pub(super) struct Chat {
    said: HashMap<u64, Timestamp, RandomState>,
    /// From what was said to each of its deliveries.
    pub(super) delivery: Times,
}

impl Chat {
    /// A text message came.
    pub(super) fn hear(&mut self, session: &Source, message: &Message<'_>, time: Timestamp) {
        let meaning = message.meaning.first();
        match meaning.and_then(|read| ChatMeaning::of(read, message.direction)) {
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
        let mut hasher = self.said.hasher().build_hasher();
        server.hash(&mut hasher);
        text.chars().take(COMPARED).for_each(|ch| ch.hash(&mut hasher));
        hasher.finish()
    }
}
