//! What is wanted of what has been decided.

use crate::base::Timestamp;
use crate::record::{ConnectionId, Record, SessionId};
use crate::select::Chosen;

/// Says of one thing whether it is wanted.
pub(super) struct Pick<'c> {
    pub(super) chosen: &'c Chosen,
    pub(super) by_session: bool,
    pub(super) by_message: bool,
    pub(super) follow: bool,
}

impl Pick<'_> {
    /// What belongs to no session goes with everything only.
    fn of(&self, session: Option<SessionId>, is_chosen: impl Fn(SessionId) -> Option<bool>) -> bool {
        match session {
            Some(session) => is_chosen(session) == Some(true),
            None => !self.by_session && !self.by_message,
        }
    }

    /// Messages of it may be wanted.
    pub(super) fn session(&self, session: Option<SessionId>) -> bool {
        self.of(session, |session| self.chosen.session(session))
    }

    /// It is wanted as a whole.
    pub(super) fn whole_session(&self, session: Option<SessionId>) -> bool {
        self.of(session, |session| self.chosen.whole_session(session))
    }

    /// It carries a wanted session.
    pub(super) fn connection(&self, connection: Option<ConnectionId>) -> bool {
        connection.is_some_and(|connection| self.chosen.connection(connection) == Some(true))
    }

    /// A message of a wanted session, by its number.
    pub(super) fn message(&self, number: u64) -> bool {
        !self.by_message || self.chosen.message(number)
    }

    /// Whether a record is wanted by who takes connections whole.
    pub(super) fn record_of_whole_connection(&self, record: &Record<'_>) -> bool {
        self.whole_packet(record.at.time, Some(record.source.connection))
    }

    /// Whether a packet is wanted by who takes connections whole.
    pub(super) fn whole_packet(&self, time: Timestamp, connection: Option<ConnectionId>) -> bool {
        match self.by_session || self.by_message {
            true => self.connection(connection),
            false => self.chosen.in_time(time),
        }
    }
}
