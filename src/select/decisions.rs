//! What has been decided.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use super::bits::Bits;
use crate::base::Timestamp;
use crate::record::{ConnectionId, SegmentView, SessionId};

/// Packets with fragments that are remembered, and connections of which such packets are counted.
pub const FRAGMENTS: usize = 1 << 18;

/// Which sessions, connections and messages are selected, as far as that is known.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    /// From when to when, once the first packet has come.
    pub(super) window: Option<[Option<Timestamp>; 2]>,
    /// Sessions that are what was asked for.
    pub(super) sessions: Decided,
    /// Those of them that hold something of what was asked for.
    pub(super) holding: Decided,
    pub(super) connections: Decided,
    /// Messages, by their number among all of the capture, from 0.
    pub(super) messages: Bits,
    /// Packets that brought fragments of segments before the last one of each, and of which connections.
    fragments: BTreeMap<u64, ConnectionId>,
    /// Such packets of which that is not known when it is asked for: of selected connections.
    fragments_left_out: u64,
    /// The same, of connections of which it is not known yet whether they are selected.
    fragments_undecided: HashMap<ConnectionId, u64, FixedState>,
    /// Sessions that are not selected on connections that are.
    pub(super) beside: u64,
}

/// Numbers of which it is known whether they are selected: by words of 64 numbers, those that are and those that are not.
#[derive(Debug, Clone, Default)]
pub(super) struct Decided {
    words: HashMap<u64, [u64; 2], FixedState>,
}

impl Decided {
    pub(super) fn decide(&mut self, number: u64, selected: bool) {
        let word = self.words.entry(number / 64).or_default();
        word[usize::from(selected)] |= bit(number);
    }

    #[inline]
    pub(super) fn get(&self, number: u64) -> Option<bool> {
        let [no, yes] = self.words.get(&(number / 64))?;
        match yes & bit(number) != 0 {
            true => Some(true),
            false => (no & bit(number) != 0).then_some(false),
        }
    }

    fn forget(&mut self, number: u64) {
        if let Entry::Occupied(mut word) = self.words.entry(number / 64) {
            word.get_mut().iter_mut().for_each(|bits| *bits &= !bit(number));
            if *word.get() == [0; 2] {
                word.remove();
            }
        }
    }
}

#[inline]
fn bit(number: u64) -> u64 {
    1 << (number % 64)
}

impl Decisions {
    /// Whether something at this time is selected.
    #[inline]
    pub fn in_time(&self, time: Timestamp) -> bool {
        let [since, until] = self.window.unwrap_or_default();
        since.is_none_or(|since| since <= time) && until.is_none_or(|until| time <= until)
    }

    /// Whether messages of a session may be selected; none when that is not known yet.
    #[inline]
    pub fn session(&self, session: SessionId) -> Option<bool> {
        self.sessions.get(session.0)
    }

    /// Whether a session is selected as a whole: it also holds a selected message, if messages are selected, or something in the time
    /// that is.
    #[inline]
    pub fn whole_session(&self, session: SessionId) -> Option<bool> {
        self.holding.get(session.0)
    }

    /// Whether a connection carries a selected session; none when that is not known yet.
    #[inline]
    pub fn connection(&self, connection: ConnectionId) -> Option<bool> {
        self.connections.get(connection.0)
    }

    /// Whether the message that is the capture's `number`-th (from 0) is selected, if its session is.
    #[inline]
    pub fn message(&self, number: u64) -> bool {
        self.messages.contains(number)
    }

    /// Nobody asks for messages before the `number`-th any more.
    #[inline]
    pub fn forget_messages_before(&mut self, number: u64) {
        self.messages.forget_before(number);
    }

    /// The segment came in fragments, and those before the last were told when nobody knew whose they are.
    #[inline]
    pub fn miss_fragments(&mut self, view: &SegmentView<'_>) {
        if let [missed @ .., _] = view.segment.fragments {
            self.leave_out(ConnectionId(view.connection.number), missed.len() as u64);
        }
    }

    /// The segment came in fragments: when the capture is read again, [`Self::fragment_of`] knows those before the last.
    #[inline]
    pub fn remember_fragments(&mut self, view: &SegmentView<'_>) {
        let connection = ConnectionId(view.connection.number);
        let [fragments @ .., _] = view.segment.fragments else {
            return;
        };
        if self.connection(connection) == Some(false) {
            return;
        }
        let room = FRAGMENTS - self.fragments.len();
        let (remembered, others) = fragments.split_at(room.min(fragments.len()));
        self.fragments
            .extend(remembered.iter().map(|packet| (*packet, connection)));
        self.leave_out(connection, others.len() as u64);
    }

    #[inline]
    fn leave_out(&mut self, connection: ConnectionId, packets: u64) {
        match self.connection(connection) {
            _ if packets == 0 => {}
            Some(true) => self.fragments_left_out += packets,
            None if self.fragments_undecided.len() < FRAGMENTS => {
                *self.fragments_undecided.entry(connection).or_default() += packets;
            }
            Some(false) | None => {}
        }
    }

    /// Packets with fragments of selected connections that are left out, because it is not known whose they are.
    pub fn fragments_left_out(&self) -> u64 {
        self.fragments_left_out
    }

    /// The connection of which a packet brought a fragment, if the capture was read before.
    pub fn fragment_of(&self, packet: u64) -> Option<ConnectionId> {
        self.fragments.get(&packet).copied()
    }

    /// Sessions that are not selected, but lie on a connection with one that is (RFC 8441).
    pub fn beside(&self) -> u64 {
        self.beside
    }

    /// What is not known yet is not selected.
    pub fn give_up(&mut self, session: SessionId) {
        if self.session(session).is_none() {
            self.sessions.decide(session.0, false);
        }
        self.give_up_whole(session);
    }

    /// What is not known of what it holds is not selected.
    pub fn give_up_whole(&mut self, session: SessionId) {
        if self.whole_session(session).is_none() {
            self.holding.decide(session.0, false);
        }
    }

    /// The same of a connection.
    pub fn give_up_connection(&mut self, connection: ConnectionId) {
        if self.connection(connection).is_none() {
            self.decide_connection(connection, false);
        }
    }

    /// Nobody asks for the session any more.
    pub fn forget_session(&mut self, session: SessionId) {
        self.sessions.forget(session.0);
        self.holding.forget(session.0);
    }

    /// Nobody asks for the connection any more.
    pub fn forget_connection(&mut self, connection: ConnectionId) {
        self.connections.forget(connection.0);
        self.fragments_undecided.remove(&connection);
    }

    /// Nothing is known of any session or connection.
    #[cfg(test)]
    pub(crate) fn is_blank(&self) -> bool {
        let decided = [&self.sessions, &self.holding, &self.connections];
        decided.iter().all(|decided| decided.words.is_empty()) && self.fragments_undecided.is_empty()
    }

    /// Whether a connection carries a selected session is known.
    pub(super) fn decide_connection(&mut self, connection: ConnectionId, selected: bool) {
        self.connections.decide(connection.0, selected);
        let fragments = self.fragments_undecided.remove(&connection).unwrap_or_default();
        self.fragments_left_out += fragments * u64::from(selected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_leaves_nothing() {
        let mut decided = Decided::default();
        for number in 0..1000 {
            decided.decide(number, number % 3 == 0);
        }
        assert_eq!(
            [0, 1, 999, 1000].map(|number| decided.get(number)),
            [Some(true), Some(false), Some(true), None]
        );
        for number in 0..999 {
            decided.forget(number);
        }
        assert_eq!(
            (decided.words.len(), decided.get(998), decided.get(999)),
            (1, None, Some(true))
        );
        decided.forget(999);
        assert!(decided.words.is_empty());
    }

    #[test]
    fn fragments_are_left_out_of_selected_connections_alone() {
        let mut decisions = Decisions::default();
        let [yes, no, open] = [1, 2, 3].map(ConnectionId);
        decisions.leave_out(yes, 0);
        for (connection, packets) in [(yes, 5), (no, 70), (open, 900), (yes, 1)] {
            decisions.leave_out(connection, packets);
        }
        assert_eq!(
            (decisions.fragments_left_out(), decisions.fragments_undecided.len()),
            (0, 3)
        );
        decisions.decide_connection(yes, true);
        decisions.give_up_connection(no);
        for connection in [yes, no] {
            decisions.leave_out(connection, 10);
        }
        assert_eq!(
            (decisions.fragments_left_out(), decisions.fragments_undecided.len()),
            (16, 1)
        );
    }
}
