//! Pings that wait for their pong (RFC 6455 §5.5.3: it carries the ping's application data).

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use crate::base::PacketRef;
use crate::record::Message;

/// Pings that are waited for; when there are more, all are forgotten.
const MAX_WAITING: usize = 4096;

/// Pings of all sessions that wait for their pong.
#[derive(Default)]
pub(super) struct Pings {
    waiting: HashMap<u64, PacketRef, RandomState>,
}

impl Pings {
    /// A ping.
    pub(super) fn ping(&mut self, session: u64, message: &Message<'_>, at: PacketRef) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.clear();
        }
        let key = self.key((session, message.direction.index(), message.payload.bytes));
        self.waiting.insert(key, at);
    }

    /// A pong: which packet had its ping, and how many nanoseconds before.
    pub(super) fn pong(&mut self, session: u64, message: &Message<'_>, at: PacketRef) -> Option<(u64, i64)> {
        let key = self.key((session, message.direction.other().index(), message.payload.bytes));
        let ping = self.waiting.remove(&key)?;
        Some((ping.packet, at.time.since(ping.time)))
    }

    fn key(&self, ping: (u64, usize, &[u8])) -> u64 {
        self.waiting.hasher().hash_one(ping)
    }
}
