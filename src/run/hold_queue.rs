//! What the listeners are told when something is selected, and what is held until that is known.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::batch::Batch;
use super::listeners::Listeners;
use super::pick::{Pick, Rules};
use crate::base::{Endpoint, counted};
use crate::record::{ConnectionId, Record, RecordKind, SegmentView, SessionId, Sink};
use crate::select::{Decisions, Evaluator, FRAGMENTS};
use crate::wire::Packet;

/// What a packet that is held costs besides its bytes.
const OVERHEAD: usize = 1 << 10;
/// Sessions that were let go and are named.
const NAMED: u64 = 8;

/// Decides what is told, and holds in order what is not decided yet.
pub(super) struct HoldQueue {
    decisions: Decisions,
    rules: Rules,
    /// Decides. `None`: all is decided, for the capture was read before.
    evaluator: Option<Evaluator>,
    held: VecDeque<Held>,
    held_bytes: usize,
    max_held: usize,
    /// A packet's calls are being held.
    open: bool,
    /// How often it could not be waited.
    let_go: u64,
}

/// The calls that one packet brought, or one record outside of packets, and what has to be known before they are told.
struct Held {
    batch: Batch,
    waits: Vec<Wait>,
}

/// What is not known: of a session, with its client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Whether it is one of those that are asked for.
    Session(SessionId, Endpoint),
    /// Whether it holds something that is asked for.
    WholeSession(SessionId, Endpoint),
    /// Whether a connection carries such a session.
    Connection(ConnectionId),
    /// Whether a message goes with one that comes after it.
    Message(SessionId, Endpoint, u64),
}

impl Held {
    fn cost(&self) -> usize {
        self.batch.cost() + self.waits.len() * size_of::<Wait>()
    }
}

impl HoldQueue {
    /// Decides while packets come; at most `max_held` bytes are held.
    pub(super) fn deciding(evaluator: Evaluator, max_held: usize) -> Self {
        Self::new(
            Rules::of(evaluator.selection()),
            Decisions::default(),
            Some(evaluator),
            max_held,
        )
    }

    /// All is decided.
    pub(super) fn decided(evaluator: &Evaluator, decisions: Decisions) -> Self {
        Self::new(Rules::of(evaluator.selection()), decisions, None, 0)
    }

    fn new(rules: Rules, decisions: Decisions, evaluator: Option<Evaluator>, max_held: usize) -> Self {
        Self {
            decisions,
            rules,
            evaluator,
            held: VecDeque::new(),
            held_bytes: 0,
            max_held,
            open: false,
            let_go: 0,
        }
    }

    /// Says on stderr what the user would not see otherwise.
    pub(super) fn report(&self, found: bool, writes: bool, whole_connections: bool) {
        if !found {
            super::report(match self.rules {
                Rules { by_message: true, .. } => "no message is selected",
                Rules { by_session: true, .. } => "no session is selected",
                _ => "nothing is selected: there is nothing of that time",
            });
        }
        let fragments = self.decisions.fragments_left_out();
        if whole_connections && self.rules.by_content() && fragments > 0 {
            let why = match self.evaluator {
                Some(_) => {
                    "whose they are was not known when they came; a file that is read without a pipe is read twice"
                }
                None => &format!("no more than {FRAGMENTS} of them are remembered"),
            };
            let packets = counted(fragments, "packet");
            super::report(&format!("{packets} with IP fragments left out: {why}"));
        }
        match self.decisions.beside() {
            _ if !writes => {}
            0 => {}
            1 => super::report("-w: 1 other session lies on the same HTTP/2 connection and is written as well"),
            more => super::report(&format!(
                "-w: {more} other sessions lie on the same HTTP/2 connections and are written as well"
            )),
        }
    }

    fn pick(&self) -> Pick<'_> {
        Pick {
            decisions: &self.decisions,
            rules: self.rules,
        }
    }

    pub(super) fn packet(
        &mut self,
        packet: &Packet<'_>,
        segment: Option<SegmentView<'_>>,
        listeners: &mut Listeners,
    ) -> ControlFlow<()> {
        if let Some(evaluator) = &mut self.evaluator {
            evaluator.packet(packet.time, segment.as_ref(), &mut self.decisions);
            if let Some(segment) = &segment
                && listeners.wants_whole_connections()
            {
                self.decisions.miss_fragments(segment);
            }
            let connection = segment.map(|segment| ConnectionId(segment.connection.number));
            let matters = listeners.wants_whole_connections() && self.rules.by_content()
                || listeners.shows_packets() && self.rules.by_session;
            let wait = connection.filter(|connection| matters && self.decisions.connection(*connection).is_none());
            if wait.is_some() || !self.held.is_empty() {
                let held = self.hold();
                held.batch.packet(packet, segment);
                held.waits.extend(wait.map(Wait::Connection));
                self.open = true;
                return ControlFlow::Continue(());
            }
        }
        listeners.pick_packet(packet, segment, &self.pick())
    }

    pub(super) fn record(&mut self, record: &Record<'_>, listeners: &mut Listeners) -> ControlFlow<()> {
        if let Some(evaluator) = &mut self.evaluator {
            let number = evaluator.messages();
            evaluator.record(record, &mut self.decisions);
            let mut waits = self.waits(record, number, listeners).peekable();
            if waits.peek().is_some() || !self.held.is_empty() {
                let in_packet = self.open;
                let held = match (in_packet, self.held.back_mut()) {
                    (true, Some(held)) => held,
                    _ => self.hold(),
                };
                held.batch.record(record);
                for wait in waits {
                    if held.waits.last() != Some(&wait) {
                        held.waits.push(wait);
                    }
                }
                return match in_packet {
                    true => ControlFlow::Continue(()),
                    false => self.release(listeners),
                };
            }
        }
        let flow = listeners.pick_record(record, &self.pick());
        self.forget(listeners);
        flow
    }

    pub(super) fn packet_end(&mut self, packet: &Packet<'_>, listeners: &mut Listeners) -> ControlFlow<()> {
        if self.held.is_empty() {
            return listeners.pick_packet_end(packet, &self.pick());
        }
        match (self.open, self.held.back_mut()) {
            (true, Some(held)) => held.batch.packet_end(),
            // The packet itself was told before anything had to wait.
            _ => self.hold().batch.packet_end_alone(packet),
        }
        self.open = false;
        self.release(listeners)
    }

    /// What has to be known before a record is told.
    fn waits(&self, record: &Record<'_>, number: u64, listeners: &Listeners) -> impl Iterator<Item = Wait> + use<> {
        let decisions = &self.decisions;
        let session = record
            .source
            .session
            .filter(|session| decisions.session(*session) != Some(false));
        let (Some(session), Some(evaluator)) = (session, &self.evaluator) else {
            return [None; 3].into_iter().flatten();
        };
        let client = record.source.client;
        let in_time = decisions.in_time(record.at.time);
        let by_message = self.rules.by_message;
        let is_message = matches!(record.kind, RecordKind::Message(_));
        let is_picked = match by_message && is_message {
            true => decisions.message(number),
            false => !by_message || self.rules.follow,
        };
        let may_be_picked = by_message && is_message && !is_picked && evaluator.may_still_choose(session, number);
        let whole = listeners.sessions || in_time && listeners.wants_whole_sessions();
        [
            (whole && decisions.whole_session(session).is_none()).then_some(Wait::WholeSession(session, client)),
            may_be_picked.then_some(Wait::Message(session, client, number)),
            (in_time && (is_picked || may_be_picked) && decisions.session(session).is_none())
                .then_some(Wait::Session(session, client)),
        ]
        .into_iter()
        .flatten()
    }

    fn hold(&mut self) -> &mut Held {
        self.held_bytes += OVERHEAD;
        self.held.push_back(Held {
            batch: Batch::default(),
            waits: Vec::new(),
        });
        self.held.back_mut().expect("it was just put there")
    }

    fn waits_for(&self, wait: &Wait) -> bool {
        match wait {
            Wait::Session(session, _) => self.decisions.session(*session).is_none(),
            Wait::WholeSession(session, _) => self.decisions.whole_session(*session).is_none(),
            Wait::Connection(connection) => self.decisions.connection(*connection).is_none(),
            Wait::Message(session, _, number) => {
                let evaluator = self.evaluator.as_ref();
                !self.decisions.message(*number) && evaluator.is_some_and(|it| it.may_still_choose(*session, *number))
            }
        }
    }

    /// Tells what is decided, up to the first that is not.
    fn release(&mut self, listeners: &mut Listeners) -> ControlFlow<()> {
        if let Some(last) = self.held.back_mut() {
            last.batch.shrink_to_fit();
            self.held_bytes += last.cost();
        }
        loop {
            let Some(first) = self.held.front() else {
                self.held_bytes = 0;
                self.forget(listeners);
                return ControlFlow::Continue(());
            };
            if first.waits.iter().any(|wait| self.waits_for(wait)) {
                if self.held_bytes <= self.max_held {
                    return ControlFlow::Continue(());
                }
                self.give_up_first();
            }
            if let Some(first) = self.held.pop_front() {
                self.held_bytes = self.held_bytes.saturating_sub(first.cost() + OVERHEAD);
                let pick = self.pick();
                first.batch.tell(&mut Picked { listeners, pick })?;
            }
        }
    }

    /// What was told is not asked for again.
    fn forget(&mut self, listeners: &Listeners) {
        if self.evaluator.is_some() {
            self.decisions.forget_messages_before(listeners.messages);
        }
    }

    /// What the first held waits for is not waited for any longer.
    fn give_up_first(&mut self) {
        let waits = self
            .held
            .front_mut()
            .map(|held| std::mem::take(&mut held.waits))
            .unwrap_or_default();
        for wait in waits {
            // What one of them has settled is no loss of the next one's.
            if !self.waits_for(&wait) {
                continue;
            }
            let unknown = match wait {
                Wait::Session(session, client) => {
                    self.decisions.give_up(session);
                    format!("whether session {session} ({client}) is selected")
                }
                Wait::WholeSession(session, client) => {
                    self.decisions.give_up_whole(session);
                    format!("whether session {session} ({client}) holds what is selected")
                }
                Wait::Connection(connection) => {
                    self.decisions.give_up_connection(connection);
                    format!("whether connection {connection} carries a selected session")
                }
                Wait::Message(session, client, _) => {
                    format!("whether a message of session {session} ({client}) belongs to a selected one")
                }
            };
            self.let_go += 1;
            if self.let_go <= NAMED {
                super::report(&format!(
                    "--max-held ({} bytes) was reached before it was known {unknown}: it was let go",
                    self.max_held
                ));
            }
        }
    }

    /// The capture has ended: what is not decided is not selected.
    pub(super) fn finish(&mut self, listeners: &mut Listeners) {
        if self.let_go > NAMED {
            super::report(&format!("--max-held: {} more were let go", self.let_go - NAMED));
        }
        while let Some(held) = self.held.pop_front() {
            let pick = self.pick();
            if held.batch.tell(&mut Picked { listeners, pick }).is_break() {
                return;
            }
        }
    }
}

/// Tells what was held.
struct Picked<'l> {
    listeners: &'l mut Listeners,
    pick: Pick<'l>,
}

impl Sink for Picked<'_> {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.listeners.pick_packet(packet, segment, &self.pick)
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.listeners.pick_record(record, &self.pick)
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.listeners.pick_packet_end(packet, &self.pick)
    }
}
