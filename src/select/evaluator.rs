//! Decides what is selected, record by record.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;
use jiff::tz::TimeZone;

use super::{Decisions, Selection};
use crate::base::Timestamp;
use crate::dissect::ChatMeaning;
use crate::record::{
    ConnectionId, Handshake, Message, Record, RecordKind, Request, SegmentView, SessionId, Source, TransportEnd,
};

/// Server names that are remembered until a session lies on their connection.
const NAMES: usize = 1 << 14;

/// Follows all sessions, and decides what of them is selected as soon as that can be known.
#[derive(Debug)]
pub struct Evaluator {
    zone: TimeZone,
    /// Nothing is held for a session that may follow a refused one.
    live: bool,
    sessions: HashMap<SessionId, Session, FixedState>,
    criteria: Criteria,
}

/// What is asked for, and what is known besides of what single sessions are.
#[derive(Debug)]
struct Criteria {
    selection: Selection,
    server_names: HashMap<ConnectionId, Box<str>, FixedState>,
    /// Sessions that are not selected, on connections of which none is and others may follow.
    beside: HashMap<ConnectionId, u64, FixedState>,
    /// Messages so far.
    messages: u64,
}

/// What is known of a session. `None` is: not yet.
#[derive(Debug, Default)]
struct Session {
    host: Option<bool>,
    path: Option<bool>,
    subprotocol: Option<bool>,
    user: Option<bool>,
    abnormal: Option<bool>,
    /// It holds a selected message, or something at all in the time that is selected.
    hit: bool,
    /// Messages after a hit that still go with it.
    after: usize,
    /// The last messages that were no hits.
    before: VecDeque<u64>,
}

impl Evaluator {
    /// Nothing has come. Times of day are those of `zone`.
    pub fn new(selection: Selection, zone: TimeZone) -> Self {
        Self {
            zone,
            live: false,
            sessions: HashMap::default(),
            criteria: Criteria {
                selection,
                server_names: HashMap::default(),
                beside: HashMap::default(),
                messages: 0,
            },
        }
    }

    /// With `live`, packets do not wait for what may follow a refusal: such a connection may be idle for long, and all that comes
    /// after them would wait as well.
    #[must_use]
    pub fn with_live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// What is asked for.
    pub fn selection(&self) -> &Selection {
        &self.criteria.selection
    }

    /// The first time is that of the first packet.
    #[inline]
    fn in_time(&self, time: Timestamp, decisions: &mut Decisions) -> bool {
        if decisions.window.is_none() {
            let moments = [self.criteria.selection.since, self.criteria.selection.until];
            decisions.window = Some(moments.map(|moment| moment.map(|moment| moment.resolve(time, &self.zone))));
        }
        decisions.in_time(time)
    }

    /// How many messages have come.
    pub fn messages(&self) -> u64 {
        self.criteria.messages
    }

    /// Nothing more comes of the connection. Its server's name is forgotten with the end of TLS.
    pub fn forget_connection(&mut self, connection: ConnectionId) {
        self.criteria.beside.remove(&connection);
    }

    /// Nothing is known of any session or connection.
    #[cfg(test)]
    pub(crate) fn is_blank(&self) -> bool {
        self.sessions.is_empty() && self.criteria.beside.is_empty() && self.criteria.server_names.is_empty()
    }

    /// Whether the message that is the capture's `number`-th and not selected may still be, because of one that comes after it.
    pub fn may_still_choose(&self, session: SessionId, number: u64) -> bool {
        let session = self.sessions.get(&session);
        session
            .and_then(|session| session.before.front())
            .is_some_and(|first| *first <= number)
    }

    /// A packet has come: its connection may turn out to carry nothing of ours.
    #[inline]
    pub fn packet(&mut self, time: Timestamp, view: Option<&SegmentView<'_>>, decisions: &mut Decisions) {
        self.in_time(time, decisions);
        let Some(view) = view else { return };
        if view.source.is_none() && !view.may_carry {
            decisions.give_up_connection(ConnectionId(view.connection.number));
        }
    }

    /// Something has happened. What can be decided now goes into `decisions`.
    pub fn record(&mut self, record: &Record<'_>, decisions: &mut Decisions) {
        self.decide(record, decisions);
        let connection = record.source.connection;
        if is_last(record, self.live)
            && let Some(id) = record.source.session
            && decisions.whole_session(id) == Some(false)
            && decisions.connection(connection).is_none()
        {
            decisions.give_up_connection(connection);
            self.forget_connection(connection);
        }
    }

    fn decide(&mut self, record: &Record<'_>, decisions: &mut Decisions) {
        let in_time = self.in_time(record.at.time, decisions);
        let criteria = &mut self.criteria;
        let selects_messages = criteria.selection.selects_messages();
        let Some(id) = record.source.session else {
            return criteria.without_session(record);
        };
        let ended = matches!(record.kind, RecordKind::SessionEnd(_));
        let is_decided = decisions.whole_session(id).is_some();
        let mut known = match self.sessions.entry(id) {
            Entry::Occupied(known) if selects_messages || !is_decided => known,
            Entry::Vacant(new) if !is_decided => new.insert_entry(Session::default()),
            decided => {
                // There is nothing more to decide.
                criteria.messages += u64::from(matches!(record.kind, RecordKind::Message(_)));
                if let (true, Entry::Occupied(known)) = (ended, decided) {
                    known.remove();
                }
                return;
            }
        };
        let session = known.get_mut();
        match record.kind {
            RecordKind::UpgradeRequest(request) => criteria.request(session, request, record.source),
            RecordKind::Handshake(handshake) => {
                criteria.request(session, &handshake.request, record.source);
                criteria.response(session, handshake);
            }
            RecordKind::Message(message) => {
                let refused = decisions.session(id) == Some(false);
                criteria.message(session, message, in_time && !refused, decisions);
            }
            RecordKind::SessionEnd(end) => {
                session.user.get_or_insert(false);
                session.abnormal = Some(end.verdict.is_abnormal());
            }
            _ => {}
        }
        if record.source.inferred {
            criteria.without_handshake(session, record.source);
        }
        session.hit |= in_time && !selects_messages;
        if !is_decided {
            criteria.choose(id, session, record.source, ended, decisions);
        }
        if ended {
            known.remove();
        }
    }
}

impl Criteria {
    /// Names of servers in TLS.
    fn without_session(&mut self, record: &Record<'_>) {
        if let RecordKind::Tls(handshake) = record.kind
            && let Some(name) = &handshake.server_name
            && self.selection.host.is_some()
            && self.server_names.len() < NAMES
        {
            self.server_names.insert(record.source.connection, name.clone());
        }
        if let RecordKind::TlsEnd(_) = record.kind {
            self.server_names.remove(&record.source.connection);
        }
    }

    fn choose(&mut self, id: SessionId, session: &Session, source: &Source, ended: bool, decisions: &mut Decisions) {
        let selection = &self.selection;
        // What an end leaves open was not so.
        let holds = |asked: bool, known: Option<bool>| match asked {
            true => known.or(ended.then_some(false)),
            false => Some(true),
        };
        let asked = [
            Some(selection.sessions.as_ref().is_none_or(|list| list.contains(id.0))),
            holds(selection.host.is_some(), session.host),
            holds(selection.path.is_some(), session.path),
            holds(selection.subprotocol.is_some(), session.subprotocol),
            holds(selection.user.is_some(), session.user),
            holds(selection.abnormal, session.abnormal),
        ];
        let selected = all(&asked);
        if let (Some(selected), None) = (selected, decisions.session(id)) {
            decisions.sessions.decide(id.0, selected);
        }
        if let Some(selected) = all(&[selected, holds(true, session.hit.then_some(true))]) {
            self.decide(id, source, selected, decisions);
        }
    }

    fn decide(&mut self, id: SessionId, source: &Source, selected: bool, decisions: &mut Decisions) {
        decisions.holding.decide(id.0, selected);
        // Another session of the connection may be.
        if selected {
            decisions.decide_connection(source.connection, true);
        }
        if self.beside.len() < NAMES || self.beside.contains_key(&source.connection) {
            let beside = self.beside.entry(source.connection).or_default();
            *beside += u64::from(!selected);
            // They come along with the first one that is selected.
            if decisions.connection(source.connection) == Some(true) {
                decisions.beside += std::mem::take(beside);
            }
        }
    }

    fn request(&self, session: &mut Session, request: &Request, source: &Source) {
        if let Some(path) = &self.selection.path {
            session.path = Some(path.matches(request.resource().split(['?', '#']).next().unwrap_or_default()));
        }
        if self.selection.host.is_some() {
            let header = [":authority", "host"].iter().find_map(|name| request.header(name));
            session.host = Some(self.is_host(header.filter(|host| !host.is_empty()), source));
        }
    }

    fn response(&self, session: &mut Session, handshake: &Handshake) {
        if let Some(subprotocol) = &self.selection.subprotocol {
            session.subprotocol = Some(
                handshake
                    .subprotocol
                    .as_deref()
                    .is_some_and(|name| subprotocol.matches(name)),
            );
        }
    }

    fn without_handshake(&self, session: &mut Session, source: &Source) {
        if session.host.is_none() && self.selection.host.is_some() {
            session.host = Some(self.is_host(None, source));
        }
        session.path.get_or_insert(false);
        session.subprotocol.get_or_insert(false);
    }

    /// By the name that the client asked for, in HTTP, else in TLS; else by the server's address.
    fn is_host(&self, header: Option<&str>, source: &Source) -> bool {
        let Some(pattern) = &self.selection.host else {
            return true;
        };
        let with_port = pattern.pattern().contains(':');
        let fits = |host: &str, port: &str| {
            pattern.matches(host)
                || pattern.matches(host.trim_start_matches('[').trim_end_matches(']'))
                || with_port && pattern.matches(&format!("{host}:{port}"))
        };
        let server_port = source.server.port.to_string();
        let named = header.or_else(|| self.server_names.get(&source.connection).map(|name| &**name));
        match named {
            Some(name) => match name
                .rsplit_once(':')
                .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
            {
                Some((host, port)) => fits(host, port),
                None => fits(name, &server_port),
            },
            None => {
                let whole = source.server.to_string();
                let (host, port) = whole.rsplit_once(':').unwrap_or((&whole, ""));
                fits(host, port)
            }
        }
    }

    fn message(&mut self, session: &mut Session, message: &Message<'_>, may_hit: bool, decisions: &mut Decisions) {
        let number = self.messages;
        self.messages += 1;
        if let Some(user) = &self.selection.user
            && logs_in(message, user)
        {
            session.user = Some(true);
        }
        if !self.selection.selects_messages() {
            return;
        }
        if may_hit && self.selection.wants_message(message) {
            session.hit = true;
            session.after = self.selection.context;
            for before in session.before.drain(..) {
                decisions.messages.insert(before);
            }
            decisions.messages.insert(number);
        } else if session.after > 0 || self.selection.follow && session.hit {
            session.after = session.after.saturating_sub(1);
            decisions.messages.insert(number);
        } else if self.selection.context > 0 && may_hit {
            if session.before.len() == self.selection.context {
                session.before.pop_front();
            }
            session.before.push_back(number);
        }
    }
}

/// Whether no other session is waited for on the connection: over HTTP/2 one is, and behind a refusal, but for `live`.
fn is_last(record: &Record<'_>, live: bool) -> bool {
    record.source.stream.is_none()
        && match record.kind {
            RecordKind::Handshake(Handshake { response, .. }) => {
                live || response.as_ref().is_none_or(|response| response.status == 101)
            }
            RecordKind::SessionEnd(end) => end.transport != TransportEnd::Reused,
            RecordKind::Message(_) => true,
            _ => record.source.inferred,
        }
}

/// Whether all of it holds, if that is known.
fn all(parts: &[Option<bool>]) -> Option<bool> {
    match parts.contains(&Some(false)) {
        true => Some(false),
        false => (!parts.contains(&None)).then_some(true),
    }
}

/// Whether the client logs in by the name `user` with it.
fn logs_in(message: &Message<'_>, user: &str) -> bool {
    message
        .meaning
        .iter()
        .any(|read| match ChatMeaning::of(read, message.direction) {
            Some(ChatMeaning::Login { name, .. }) => name.is(user),
            _ => false,
        })
}
