//! Who logged in over which connection.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use crate::annotate::texts::quoting;
use crate::dissect::ChatMeaning;
use crate::export::columns::{columns, cut};
use crate::export::escape;
use crate::export::put::{endpoint, number};
use crate::record::{Message, Source};

/// Connections of which the name is kept; more of them stay without one.
const MAX_NAMES: usize = 10_000;
/// Bytes of a name that are kept.
const MAX_BYTES: usize = 24;

/// The names, ready to be written.
#[derive(Default)]
pub(in crate::export) struct Names {
    by_session: HashMap<u64, Vec<u8>, RandomState>,
}

impl Names {
    /// Listens for logins.
    pub(in crate::export) fn hear(&mut self, session: &Source, message: &Message<'_>) {
        let meaning = message.meaning.first();
        let Some(ChatMeaning::Login { name, .. }) = meaning.and_then(|read| ChatMeaning::of(read, message.direction))
        else {
            return;
        };
        if self.by_session.len() >= MAX_NAMES && !self.by_session.contains_key(&session.number()) {
            return;
        }
        let mut sent = Vec::new();
        name.copy_into(&mut sent, 4 * MAX_BYTES);
        let mut shown = Vec::new();
        // What could pass for something else stands in quotation marks.
        let plain = std::str::from_utf8(&sent).is_ok_and(|name| {
            name.chars().all(char::is_alphanumeric) && name.chars().any(char::is_alphabetic) && sent.len() <= MAX_BYTES
        });
        if !plain {
            shown.push(b'"');
        }
        quoting::name(&mut shown, escape::prefix(&sent, MAX_BYTES), escape::line);
        if sent.len() > MAX_BYTES {
            shown.extend_from_slice("…".as_bytes());
        }
        if !plain {
            shown.push(b'"');
        }
        self.by_session.insert(session.number(), shown);
    }

    /// The connection is over.
    pub(in crate::export) fn forget(&mut self, session: u64) {
        self.by_session.remove(&session);
    }

    /// Appends who the client of `source` is, in at most `room` columns: the name, if it is known, else the address as far as
    /// there is room.
    pub(in crate::export) fn write(&self, out: &mut Vec<u8>, source: &Source, room: usize) {
        let begin = out.len();
        match self.by_session.get(&source.number()) {
            Some(name) => out.extend_from_slice(name),
            None => endpoint(out, &source.client),
        }
        if columns(&out[begin..]) <= room {
            return;
        }
        let named = self.by_session.contains_key(&source.number());
        if !named {
            out.truncate(begin);
            out.push(b':');
            return number(out, source.client.port.into());
        }
        cut(out, begin, room);
    }
}
