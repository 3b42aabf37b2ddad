//! How sessions open and end, in lines of their own that go with their messages.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use crate::export::escape;
use crate::export::put::{endpoint, number};
use crate::record::{Handshake, Source};

/// Sessions of which it is kept whether their first line is written; of more, it is left out.
const MAX_SESSIONS: usize = 65_536;
/// Bytes of a host or target that are shown.
const MAX_BYTES: usize = 512;

/// Whether the first lines of sessions are written.
#[derive(Default)]
pub(super) struct Sessions {
    /// `None` when it is.
    open: HashMap<u64, Option<Vec<u8>>, RandomState>,
}

/// What goes before a message.
pub(super) enum First {
    /// Nothing: the session's first line stands above.
    No,
    /// The session's first line, which waited for a message that is shown.
    Waiting(Vec<u8>),
    /// That the handshake was not captured.
    Inferred,
}

impl Sessions {
    /// The first line of that session is written.
    pub(super) fn open(&mut self, session: u64) {
        if self.open.len() < MAX_SESSIONS {
            self.open.insert(session, None);
        }
    }

    /// It is to be written before the first message that is shown.
    pub(super) fn wait(&mut self, session: u64, line: Vec<u8>) {
        if self.open.len() < MAX_SESSIONS {
            self.open.insert(session, Some(line));
        }
    }

    /// A message of that session is shown.
    pub(super) fn first(&mut self, source: &Source) -> First {
        let room = self.open.len() < MAX_SESSIONS;
        match self.open.get_mut(&source.number()) {
            Some(line) => line.take().map_or(First::No, First::Waiting),
            None if source.inferred && room => {
                self.open.insert(source.number(), None);
                First::Inferred
            }
            None => First::No,
        }
    }

    /// That session is over. Gives whether something of it was shown.
    pub(super) fn end(&mut self, session: u64) -> bool {
        self.open.remove(&session) == Some(None)
    }
}

/// Appends ` GET ws://127.0.0.1:7272/ 101`, and on a terminal who the two are when that does not say it.
pub(super) fn opening(out: &mut Vec<u8>, source: &Source, handshake: &Handshake, ends_too: bool) {
    let request = &handshake.request;
    if !request.method.is_empty() {
        out.push(b' ');
        escape::line(out, escape::prefix(request.method.as_bytes(), MAX_BYTES));
        out.push(b' ');
        let resource = request.resource();
        if resource.starts_with('/') {
            out.extend_from_slice(source.scheme.name().as_bytes());
            out.extend_from_slice(b"://");
            match request.host() {
                Some(host) => escape::line(out, escape::prefix(host.as_bytes(), MAX_BYTES)),
                None => endpoint(out, &source.server),
            }
        }
        escape::line(out, escape::prefix(resource.as_bytes(), MAX_BYTES));
    }
    if let Some(response) = &handshake.response {
        out.push(b' ');
        number(out, response.status.into());
    }
    let mut server = Vec::new();
    endpoint(&mut server, &source.server);
    if request.host().is_none_or(|host| host.as_bytes() != server) {
        ends(out, source, ends_too);
    }
}

/// On a terminal: appends who the two are.
pub(super) fn ends(out: &mut Vec<u8>, source: &Source, wanted: bool) {
    if wanted {
        out.extend_from_slice(b" (");
        endpoint(out, &source.client);
        out.extend_from_slice(" → ".as_bytes());
        endpoint(out, &source.server);
        out.push(b')');
    }
}
