//! What the listeners are told when something is selected, and what is held until that is known.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
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
/// Connections that were let go and are named.
const NAMED: usize = 8;

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
    /// Connections of which something could not be waited for, and how many there have been.
    let_go: HashSet<ConnectionId>,
    all_let_go: usize,
    /// The last session of a connection that is over: of it, late segments may be.
    ended: HashMap<ConnectionId, SessionId>,
    /// What the current packet has ended.
    over: Vec<Over>,
}

/// The calls that one packet brought, or one record outside of packets, and what has to be known before they are told.
#[derive(Default)]
struct Held {
    batch: Batch,
    waits: BTreeSet<Wait>,
    over: Vec<Over>,
    /// Bytes that it takes, once it has all.
    cost: usize,
}

/// What nobody asks for once this is told.
enum Over {
    Session(SessionId),
    Connection(ConnectionId),
}

/// What is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wait {
    /// Whether a session is one of those that are asked for.
    Session(Whose),
    /// Whether it holds something that is asked for.
    WholeSession(Whose),
    /// Whether a connection carries such a session.
    Connection(ConnectionId),
    /// Whether a message goes with one that comes after it.
    Message(Whose, u64),
}

/// A session, on which connection it is and who its client is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Whose {
    session: SessionId,
    connection: ConnectionId,
    client: Endpoint,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {} ({})", self.session, self.client)
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
            let_go: HashSet::new(),
            all_let_go: 0,
            ended: HashMap::new(),
            over: Vec::new(),
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
            1 => super::report("-w: 1 other session lies on the same connection and is written as well"),
            more => super::report(&format!(
                "-w: {more} other sessions lie on the same connections and are written as well"
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
            self.end(record);
            let mut waits = self.waits(record, number, listeners).peekable();
            if waits.peek().is_some() || !self.held.is_empty() {
                let in_packet = self.open;
                let held = match (in_packet, self.held.back_mut()) {
                    (true, Some(held)) => held,
                    _ => self.hold(),
                };
                held.batch.record(record);
                held.waits.extend(waits);
                return match in_packet {
                    true => ControlFlow::Continue(()),
                    false => self.release(listeners),
                };
            }
        }
        let flow = listeners.pick_record(record, &self.pick());
        self.forget_messages(listeners);
        flow
    }

    /// Nothing more comes of the connection.
    pub(super) fn forgotten(&mut self, connection: ConnectionId) {
        if self.evaluator.is_some() {
            self.decisions.give_up_connection(connection);
            self.over.push(Over::Connection(connection));
        }
    }

    /// A record may be the last of its session.
    fn end(&mut self, record: &Record<'_>) {
        let (RecordKind::SessionEnd(_), Some(session)) = (record.kind, record.source.session) else {
            return;
        };
        let over = match record.source.stream {
            Some(_) => Some(session),
            None => self.ended.insert(record.source.connection, session),
        };
        self.over.extend(over.map(Over::Session));
    }

    pub(super) fn packet_end(&mut self, packet: &Packet<'_>, listeners: &mut Listeners) -> ControlFlow<()> {
        let over = std::mem::take(&mut self.over);
        if self.held.is_empty() {
            let flow = listeners.pick_packet_end(packet, &self.pick());
            self.forget(over);
            return flow;
        }
        let held = match (self.open, self.held.back_mut()) {
            (true, Some(held)) => {
                held.batch.packet_end();
                held
            }
            // The packet itself was told before anything had to wait.
            _ => {
                let held = self.hold();
                held.batch.packet_end_alone(packet);
                held
            }
        };
        held.over = over;
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
        let whose = Whose {
            session,
            connection: record.source.connection,
            client: record.source.client,
        };
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
            (whole && decisions.whole_session(session).is_none()).then_some(Wait::WholeSession(whose)),
            may_be_picked.then_some(Wait::Message(whose, number)),
            (in_time && (is_picked || may_be_picked) && decisions.session(session).is_none())
                .then_some(Wait::Session(whose)),
        ]
        .into_iter()
        .flatten()
    }

    fn hold(&mut self) -> &mut Held {
        self.held.push_back(Held::default());
        self.held.back_mut().expect("it was just put there")
    }

    fn waits_for(&self, wait: &Wait) -> bool {
        match *wait {
            Wait::Session(Whose { session, .. }) => self.decisions.session(session).is_none(),
            Wait::WholeSession(Whose { session, .. }) => self.decisions.whole_session(session).is_none(),
            Wait::Connection(connection) => self.decisions.connection(connection).is_none(),
            Wait::Message(Whose { session, .. }, number) => {
                let evaluator = self.evaluator.as_ref();
                !self.decisions.message(number) && evaluator.is_some_and(|it| it.may_still_choose(session, number))
            }
        }
    }

    /// Whether the first held still waits. What is known stays known: it is looked at once.
    fn first_waits(&mut self) -> bool {
        while let Some(held) = self.held.front()
            && let Some(wait) = held.waits.first()
        {
            if self.waits_for(wait) {
                return true;
            }
            if let Some(held) = self.held.front_mut() {
                held.waits.pop_first();
            }
        }
        false
    }

    /// Tells what is decided, up to the first that is not.
    fn release(&mut self, listeners: &mut Listeners) -> ControlFlow<()> {
        if let Some(last) = self.held.back_mut() {
            last.batch.shrink_to_fit();
            last.cost = OVERHEAD
                + last.batch.cost()
                + last.waits.len() * size_of::<Wait>()
                + last.over.capacity() * size_of::<Over>();
            self.held_bytes += last.cost;
        }
        loop {
            if self.held.is_empty() {
                self.forget_messages(listeners);
                return ControlFlow::Continue(());
            }
            if self.first_waits() {
                if self.held_bytes <= self.max_held {
                    return ControlFlow::Continue(());
                }
                self.give_up_first();
            }
            if let Some(first) = self.held.pop_front() {
                self.held_bytes -= first.cost;
                let pick = self.pick();
                first.batch.tell(&mut Picked { listeners, pick })?;
                self.forget(first.over);
            }
        }
    }

    /// All of it was told.
    fn forget(&mut self, over: Vec<Over>) {
        let Some(evaluator) = &mut self.evaluator else { return };
        for over in over {
            match over {
                Over::Session(session) => self.decisions.forget_session(session),
                Over::Connection(connection) => {
                    evaluator.forget_connection(connection);
                    self.decisions.forget_connection(connection);
                    if let Some(session) = self.ended.remove(&connection) {
                        self.decisions.forget_session(session);
                    }
                    self.let_go.remove(&connection);
                }
            }
        }
    }

    /// What was told is not asked for again.
    fn forget_messages(&mut self, listeners: &Listeners) {
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
            let (connection, unknown) = match wait {
                Wait::Session(whose) => {
                    self.decisions.give_up(whose.session);
                    (whose.connection, format!("{whose} is selected"))
                }
                Wait::WholeSession(whose) => {
                    self.decisions.give_up_whole(whose.session);
                    (whose.connection, format!("{whose} holds what is selected"))
                }
                Wait::Connection(connection) => {
                    self.decisions.give_up_connection(connection);
                    (
                        connection,
                        format!("connection {connection} carries a selected session"),
                    )
                }
                Wait::Message(whose, _) => (
                    whose.connection,
                    format!("a message of {whose} belongs to a selected one"),
                ),
            };
            // One loss is named once, however much waits for it.
            let is_new = self.let_go.insert(connection);
            self.all_let_go += usize::from(is_new);
            if is_new && self.all_let_go <= NAMED {
                super::report(&format!(
                    "--max-held ({} bytes) was reached before it was known whether {unknown}: it was let go; raise --max-held, or read a \
                     file without a pipe",
                    self.max_held
                ));
            }
        }
    }

    /// The capture has ended: what is not decided is not selected.
    pub(super) fn finish(&mut self, listeners: &mut Listeners) {
        if self.all_let_go > NAMED {
            super::report(&format!("--max-held: {} more were let go", self.all_let_go - NAMED));
        }
        while let Some(held) = self.held.pop_front() {
            self.held_bytes -= held.cost;
            let pick = self.pick();
            if held.batch.tell(&mut Picked { listeners, pick }).is_break() {
                return;
            }
            self.forget(held.over);
        }
        let over = std::mem::take(&mut self.over);
        self.forget(over);
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::base::Limits;
    use crate::engine::Engine;
    use crate::select::{Numbers, Selection};

    /// With its listeners; after each packet what is held is added up.
    struct Checked(HoldQueue, Listeners);

    impl Sink for Checked {
        fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
            self.0.packet(packet, segment, &mut self.1)
        }

        fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
            self.0.record(record, &mut self.1)
        }

        fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
            let flow = self.0.packet_end(packet, &mut self.1);
            let costs: usize = self.0.held.iter().map(|held| held.cost).sum();
            assert_eq!(self.0.held_bytes, costs);
            assert!(costs <= self.0.max_held);
            flow
        }

        fn forgotten(&mut self, connection: ConnectionId) {
            self.0.forgotten(connection);
        }
    }

    #[test]
    fn what_is_known_is_looked_at_once() {
        let whose = |session| Whose {
            session: SessionId(session),
            connection: ConnectionId(1),
            client: Endpoint::new([10, 0, 0, 1].into(), 1),
        };
        let evaluator = Evaluator::new(Selection::default(), TimeZone::UTC);
        let mut queue = HoldQueue::deciding(evaluator, usize::MAX);
        let mut listeners = Listeners::default();
        queue.hold().waits.extend((1..=100).map(|id| Wait::Session(whose(id))));
        for known in 1..=40 {
            queue.decisions.give_up(SessionId(known));
        }
        assert!(queue.release(&mut listeners).is_continue());
        let left: Vec<Wait> = (41..=100).map(|id| Wait::Session(whose(id))).collect();
        assert!(queue.held[0].waits.iter().eq(&left));

        for known in 42..=100 {
            queue.decisions.give_up(SessionId(known));
        }
        assert!(queue.first_waits() && queue.held[0].waits.len() == left.len());
        queue.decisions.give_up(SessionId(41));
        assert!(queue.release(&mut listeners).is_continue());
        assert!(queue.held.is_empty());
    }

    #[test]
    fn what_is_told_or_let_go_takes_nothing() {
        let captures = [
            "ws-oddities/capture.pcap",
            "two-browsers-new/capture.pcap",
            "http2/h2c-four-streams.pcap",
            "reports/refused-again.pcap",
            "tls/secrets-in-capture.pcapng",
        ];
        let bounds = [0, 5_000, 50_000, usize::MAX];
        for (capture, max_held) in captures.iter().flat_map(|capture| bounds.map(|bound| (capture, bound))) {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(capture);
            let selection = Selection {
                abnormal: true,
                ..Selection::default()
            };
            let listeners = Listeners {
                count: Some(0),
                sessions: true,
                ..Listeners::default()
            };
            let queue = HoldQueue::deciding(Evaluator::new(selection, TimeZone::UTC), max_held);
            let mut sink = Checked(queue, listeners);
            let mut engine = Engine::new(Limits::default());
            crate::replay(&path, &mut engine, &mut sink).unwrap();
            let let_go = sink.0.all_let_go > 0;
            assert!(
                let_go && max_held < usize::MAX || !let_go && max_held > 0,
                "{capture} {max_held}"
            );
            sink.0.finish(&mut sink.1);
            assert_eq!((sink.0.held.len(), sink.0.held_bytes), (0, 0));
            assert!(sink.0.decisions.is_blank() && sink.0.evaluator.is_some_and(|evaluator| evaluator.is_blank()));
            assert!(sink.0.ended.is_empty() && sink.0.let_go.is_empty());
        }
    }

    #[test]
    fn live_nothing_waits_for_what_may_follow_a_refusal() {
        /// Packets of the capture that are held after each.
        struct Held(Checked, Vec<usize>);

        impl Sink for Held {
            fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
                self.0.packet(packet, segment)
            }

            fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
                self.0.record(record)
            }

            fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
                let flow = self.0.packet_end(packet);
                self.1.push(self.0.0.held.len());
                flow
            }
        }

        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports/refused-again.pcap");
        for live in [false, true] {
            // The second one is agreed on, on the connection on which the first was refused.
            let selection = Selection {
                sessions: Some(Numbers::parse("2").unwrap()),
                ..Selection::default()
            };
            let listeners = Listeners {
                count: Some(0),
                ..Listeners::default()
            };
            let evaluator = Evaluator::new(selection, TimeZone::UTC).with_live(live);
            let checked = Checked(HoldQueue::deciding(evaluator, usize::MAX), listeners);
            let mut sink = Held(checked, Vec::new());
            crate::replay(&path, &mut Engine::new(Limits::default()), &mut sink).unwrap();
            let Held(Checked(mut queue, mut listeners), held) = sink;
            queue.finish(&mut listeners);
            let refused_in_packet_6 = &held[5..7];
            assert_eq!(refused_in_packet_6, if live { [0, 0] } else { [6, 7] });
            assert_eq!(listeners.count, Some(if live { 7 } else { 12 }));
        }
    }
}
