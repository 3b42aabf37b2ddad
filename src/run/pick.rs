//! What is wanted of what has been decided.

use crate::base::Timestamp;
use crate::record::{ConnectionId, Record, SessionId};
use crate::select::{Decisions, Selection};

/// What kinds of things are selected.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) by_session: bool,
    pub(super) by_message: bool,
    pub(super) follow: bool,
}

impl Rules {
    pub(super) fn of(selection: &Selection) -> Self {
        Self {
            by_session: selection.selects_sessions(),
            by_message: selection.selects_messages(),
            follow: selection.follow,
        }
    }

    /// Not times alone.
    pub(super) fn by_content(self) -> bool {
        self.by_session || self.by_message
    }
}

/// Says of one thing whether it is wanted.
pub(super) struct Pick<'c> {
    pub(super) decisions: &'c Decisions,
    pub(super) rules: Rules,
}

impl Pick<'_> {
    /// What belongs to no session goes with everything only.
    fn of(&self, session: Option<SessionId>, is_chosen: impl Fn(SessionId) -> Option<bool>) -> bool {
        match session {
            Some(session) => is_chosen(session) == Some(true),
            None => !self.rules.by_content(),
        }
    }

    /// Messages of it may be wanted.
    pub(super) fn session(&self, session: Option<SessionId>) -> bool {
        self.of(session, |session| self.decisions.session(session))
    }

    /// It is wanted as a whole.
    pub(super) fn whole_session(&self, session: Option<SessionId>) -> bool {
        self.of(session, |session| self.decisions.whole_session(session))
    }

    /// It carries a wanted session.
    pub(super) fn connection(&self, connection: Option<ConnectionId>) -> bool {
        connection.is_some_and(|connection| self.decisions.connection(connection) == Some(true))
    }

    /// Packets of it may be shown.
    pub(super) fn may_show(&self, connection: Option<ConnectionId>) -> bool {
        !self.rules.by_session
            || connection.is_none_or(|connection| self.decisions.connection(connection) != Some(false))
    }

    /// A message of a wanted session, by its number.
    pub(super) fn message(&self, number: u64) -> bool {
        !self.rules.by_message || self.decisions.message(number)
    }

    /// Whether a record is wanted by who takes connections whole: of several sessions on one, the wanted ones.
    pub(super) fn whole_record(&self, record: &Record<'_>) -> bool {
        match record.source.session {
            Some(_) if self.rules.by_content() => self.whole_session(record.source.session),
            _ => self.whole_packet(record.at.time, Some(record.source.connection)),
        }
    }

    /// Whether a packet is wanted by who takes connections whole.
    pub(super) fn whole_packet(&self, time: Timestamp, connection: Option<ConnectionId>) -> bool {
        match self.rules.by_content() {
            true => self.connection(connection),
            false => self.decisions.in_time(time),
        }
    }
}
