//! One connection: what each of its segments does, in the light of those before.

use crate::base::{GapCause, PacketRef, Side, Timestamp};
use crate::bounded::Handle;
use crate::tcp::beginning::Beginning;
use crate::tcp::belonging::Syn;
use crate::tcp::ending::Reset;
use crate::tcp::facts;
use crate::tcp::half::{Doubt, Half, Placed};
use crate::tcp::options::window_scale;
use crate::tcp::recent::{Fingerprint, Recents};
use crate::tcp::{Connection, DataFact, HandshakeStep, SegmentFacts, StreamEvent, StreamHandler, TcpEnd};
use crate::wire::Segment;

/// How much is known of the handshake (RFC 9293 §3.3.2, as an observer sees it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// SYN.
    Opening,
    /// SYN, and SYN with ACK.
    Answered,
    /// The handshake is over.
    Open,
    /// The capture began in the middle.
    Midstream,
}

/// How far a connection has come, which says for how long it may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Perhaps never more than a SYN.
    HalfOpen,
    /// In use.
    Established,
    /// Over; kept for late segments.
    Closed,
    /// Over but for bytes that are missing, and may have been overtaken by the last segments.
    Closing,
}

/// What a segment brings along.
pub(super) struct Context<'t, P> {
    pub(super) at: PacketRef,
    /// The capture's packets stand in the order of their times.
    pub(super) in_order: bool,
    /// Bytes of one direction that may wait.
    pub(super) limit: usize,
    pub(super) recents: &'t mut Recents,
    pub(super) upper: &'t mut P,
}

/// A connection, and what is kept above for it.
#[derive(Debug)]
pub(super) struct Flow<U> {
    pub(super) connection: Connection,
    pub(super) upper: U,
    /// When its last segment came, in [`Clock::elapsed`](crate::tcp::clock::Clock::elapsed).
    pub(super) last: i64,
    pub(super) halves: [Half; 2],
    /// Its last few segments.
    pub(super) recent: Handle,
    pub(super) phase: Phase,
    /// The first reset that was believed. It may have overtaken what was sent before it.
    pub(super) reset: Option<Box<Reset>>,
    pub(super) ended: bool,
    pub(super) doubtful: Option<Box<Syn>>,
}

impl<U: Default> Flow<U> {
    /// Calls `with` for what is kept for it, unless it is over.
    pub(super) fn with_state(&mut self, with: impl FnOnce(&Connection, &mut U)) {
        if !self.ended {
            with(&self.connection, &mut self.upper);
        }
    }

    pub(super) fn new(number: u64, segment: &Segment<'_>) -> Self {
        Self {
            connection: Connection {
                number,
                endpoints: [segment.source, segment.destination],
                initiator: None,
                vanished: None,
                window_closed: None,
                ending: None,
            },
            upper: U::default(),
            last: 0,
            halves: Default::default(),
            recent: Handle::NONE,
            phase: Phase::Midstream,
            reset: None,
            ended: false,
            doubtful: None,
        }
    }

    /// Who sent it.
    #[inline]
    pub(super) fn side(&self, segment: &Segment<'_>) -> Side {
        // Both ends may be the same endpoint when a machine connects a port to itself; then `A` sends everything.
        if segment.source == self.connection.endpoints[0] {
            Side::A
        } else {
            Side::B
        }
    }

    #[inline]
    pub(super) fn class(&self) -> Class {
        let [a, b] = &self.halves;
        if self.ended {
            Class::Closed
        } else if self.is_closing() {
            Class::Closing
        } else if match self.phase {
            Phase::Opening | Phase::Answered => false,
            Phase::Open => true,
            Phase::Midstream => a.heard && b.heard || a.high > 0 || b.high > 0,
        } {
            Class::Established
        } else {
            Class::HalfOpen
        }
    }

    /// What waits in both directions, in bytes of memory.
    #[inline]
    pub(super) fn cost(&self) -> usize {
        self.halves[0].waiting_cost() + self.halves[1].waiting_cost()
    }

    /// Reads a segment: tells `upper` what it does and what it brings. `now` is its time, as far as that is to be believed.
    pub(super) fn segment<P: StreamHandler<State = U>>(
        &mut self,
        segment: &Segment<'_>,
        side: Side,
        now: Timestamp,
        cx: &mut Context<'_, P>,
    ) {
        let at = cx.at;
        let mut facts = SegmentFacts::new(side);
        facts.late = self.ended;
        facts.fragments_differ = segment.fragments_differ;
        let [a, b] = &mut self.halves;
        facts.first = !a.heard && !b.heard;
        let (own, other) = match side {
            Side::A => (a, b),
            Side::B => (b, a),
        };
        let fingerprint = Fingerprint::of(segment, at.time);
        let recents = cx.recents.of(&mut self.recent);
        let recent = &mut recents[side.index()];
        let payload = segment.payload;
        let flags = segment.flags;
        let offset = own.offset(segment.seq.wrapping_add(u32::from(flags.syn())));
        let known = own.beginning != Beginning::Unknown;
        if known && payload.wire_len > 0 && (offset < own.high as i64 || own.suspects.is_some()) {
            // The byte of a keep-alive may be any: one that the receiver has, as far as is known.
            let at_end = payload.wire_len == 1 && offset + 1 == own.high as i64;
            let keep_alive = at_end && (own.acked == own.high || !other.heard);
            facts.different = own
                .differing(offset, payload.bytes, &recent.history)
                .filter(|_| !keep_alive);
        }
        // Only what brings nothing new can be a packet that was seen before.
        let old = known
            && (own.offset(segment.seq) < own.high as i64
                || payload.wire_len == 0
                    && own.heard
                    && (!flags.ack()
                        || other
                            .acknowledged(segment.ack)
                            .is_none_or(|ack| ack <= other.acked as i64 + i64::from(other.fin_acked))));
        let has_id = segment.ip_id.is_some_and(|id| id != 0);
        if old && facts.different.is_none() && recent.is_duplicate(fingerprint, has_id) {
            facts.midstream = self.phase == Phase::Midstream;
            facts.data = DataFact::Duplicate;
            facts.range = own.range_of(segment);
            facts.window.bytes = u64::from(own.window.unwrap_or(0));
            cx.upper.segment(&mut self.upper, &self.connection, &facts, at);
            return;
        }
        recent.remember(fingerprint);
        recents[side.other().index()].set_answered();
        (own.heard, own.heard_at) = (true, now.nanos());

        if flags.syn() {
            if !self.synchronise(segment, side, at, &mut facts) {
                facts.midstream = self.phase == Phase::Midstream;
                facts.data = DataFact::OutOfWindow;
                cx.upper.segment(&mut self.upper, &self.connection, &facts, at);
                return;
            }
        } else if self.phase != Phase::Midstream && self.phase != Phase::Open {
            self.complete_handshake(segment, side, &mut facts);
        }
        facts.midstream = self.phase == Phase::Midstream;
        let placed = self.judge(segment, side, now, at.time, &mut facts);
        cx.upper.segment(&mut self.upper, &self.connection, &facts, at);
        if !self.ended {
            self.deliver(segment, placed, &facts, now, cx);
        } else if placed.fact == DataFact::InOrder {
            self.halves[side.index()].advance(placed.end);
        }
    }

    /// What the segment, captured at `captured`, says and where its bytes belong.
    #[inline]
    fn judge(
        &mut self,
        segment: &Segment<'_>,
        side: Side,
        now: Timestamp,
        captured: Timestamp,
        facts: &mut SegmentFacts,
    ) -> Placed {
        let (payload, flags) = (segment.payload, segment.flags);
        if flags.rst() {
            self.judge_reset(segment, side, now, facts);
            return Placed::NOWHERE;
        }
        let is_open = self.phase == Phase::Open;
        let [a, b] = &mut self.halves;
        let (own, other) = match side {
            Side::A => (a, b),
            Side::B => (b, a),
        };
        let data_seq = segment.seq.wrapping_add(u32::from(flags.syn()));
        if payload.wire_len > 0 {
            own.begin_with_data(data_seq);
        } else if own.beginning == Beginning::Unknown {
            own.begin(data_seq, Beginning::Seen);
        }
        let mut placed = own.place(data_seq, payload.wire_len);
        facts.data = facts::data_fact(own, other, segment, placed, facts.different.is_some());
        if payload.wire_len > 0 {
            facts.range = placed.start..placed.end;
            facts.urgent = segment
                .urgent()
                .filter(|&urgent| urgent > 0)
                .map(|urgent| placed.start + u64::from(urgent) - 1);
            if own.acked == placed.start && placed.start < own.high {
                own.repeats = own.repeats.saturating_add(u16::from(placed.end <= own.high));
                // That packet's time may have been wrong.
                own.unacked_since = own.unacked_since.min(now.nanos());
            } else if own.acked >= own.high {
                // Behind a long silence `now` is still the time before it.
                own.unacked_since = captured.nanos();
            }
        }
        if payload.wire_len > 0 || flags.fin() || flags.syn() {
            let probes = facts.data == DataFact::WindowProbe;
            let doubt = own.doubt(other, segment, placed, probes, is_open, now);
            let brings = placed.end > own.next || flags.fin() && placed.end == own.next;
            if doubt != Doubt::None && brings && placed.fact != DataFact::OutOfWindow && !self.ended {
                (placed.fact, placed.doubt) = (DataFact::Doubtful, doubt);
                if facts.data != DataFact::WindowProbe {
                    facts.data = DataFact::Doubtful;
                }
                if doubt == Doubt::Bytes && flags.ack() {
                    facts.ack = facts::acknowledge(other, segment, now);
                    facts.window = facts::window(own, other, segment, facts, now);
                }
                return placed;
            }
            if matches!(facts.data, DataFact::FillsGap { .. }) {
                let released = own.released_by(placed.end);
                facts.data = DataFact::FillsGap { released };
            }
        } else if own.ack_is_void(other, segment, is_open) && !self.ended {
            facts.data = DataFact::Doubtful;
            return placed;
        }
        if flags.fin() && placed.fact != DataFact::OutOfWindow && !self.ended {
            facts.fin = own.note_fin(placed.end);
            if facts.fin {
                self.connection.ending.get_or_insert((side, now));
            }
        }
        if flags.ack() {
            facts.ack = facts::acknowledge(other, segment, now);
        }
        facts.window = facts::window(own, other, segment, facts, now);
        let empty = payload.wire_len == 0 && !flags.syn() && !flags.fin();
        let says_nothing = empty
            && flags.ack()
            && facts.data == DataFact::None
            && facts.ack.newly.is_empty()
            && !facts.ack.fin
            && !facts.ack.overtaken
            && facts.handshake.is_none()
            && !facts.window.update_only;
        facts.ack.duplicate = says_nothing && other.high > other.acked;
        if let Some(reset) = &self.reset
            && reset.is_doubtful
        {
            self.doubt_reset(side, says_nothing, now);
        }
        placed
    }

    /// Gives the stream what the segment brought, and says what ended with it.
    #[inline]
    fn deliver<P: StreamHandler<State = U>>(
        &mut self,
        segment: &Segment<'_>,
        placed: Placed,
        facts: &SegmentFacts,
        now: Timestamp,
        cx: &mut Context<'_, P>,
    ) {
        let (side, at, payload) = (facts.side, cx.at, segment.payload);
        if segment.flags.ack() && self.halves[side.other().index()].elsewhere.is_some() {
            self.find_elsewhere(side.other(), segment.ack, now, cx);
        }
        self.release_acknowledged(side.other(), now, cx);
        // What waits there comes before what answers it.
        if self.is_in_order(cx) && self.halves[side.other().index()].doubted {
            self.give_up_lost_of(side.other(), now, cx);
        }
        let other_syn = self.other_syn(side);
        let [a, b] = &mut self.halves;
        let (own, other) = match side {
            Side::A => (a, b),
            Side::B => (b, a),
        };
        let limit = cx.limit;
        let mut emit = emitter(&mut self.upper, &self.connection, side, &mut self.recent, cx);
        if payload.wire_len > 0 && placed.fact != DataFact::Doubtful && own.is_elsewhere(segment.seq, placed, other_syn)
        {
            own.note_elsewhere(segment.seq, payload, at, limit);
            if let Some(elsewhere) = &own.elsewhere
                && elsewhere.is_in_order()
            {
                let begins = elsewhere.begins_behind(other_syn);
                own.move_elsewhere(begins, false, &mut emit);
                own.release(now, &mut emit);
            }
        } else if placed.fact == DataFact::Doubtful {
            own.suspect(placed, payload, segment.flags.fin(), at, limit);
            if own.edge > 0 && own.goes_on_beyond_the_window() {
                own.edge = 0;
                own.believe_suspects(true, now, &mut emit);
            }
        } else if payload.wire_len > 0 && placed.end > own.next && placed.fact != DataFact::OutOfWindow {
            own.doubt_fin(placed.end);
            own.accept(placed, payload, at, &mut emit);
            // What the receiver may not have accepted goes before what it has to get.
            while own.waiting_cost() > limit
                && (own.suspects.take().is_some() || own.give_up_hole(GapCause::Evicted, now, &mut emit))
            {}
        }
        if own.fin().is_some() {
            own.fin_believed |= own.fin_acked || other.fin().is_some() || !other.heard;
            own.finish(&mut emit);
        }
        drop(emit);
        self.give_up_lost(now, cx);
        if let Some((by, _)) = self.connection.ending
            && self.halves[by.index()].fin().is_none()
        {
            let other = by.other();
            // When its FIN came is not known any more.
            self.connection.ending = self.halves[other.index()].fin().map(|_| (other, now));
        }
        if let Some(reset) = &self.reset
            && !self.is_overtaken(reset, now)
        {
            self.close(at, cx.upper);
        } else if let (true, true, Some((by, _))) =
            (self.halves[0].finished, self.halves[1].finished, self.connection.ending)
        {
            self.end(TcpEnd::Fin { by }, at, cx.upper);
        }
    }

    /// A SYN: with it, its direction's stream has its beginning. `false` when it is not one of this connection.
    #[cold]
    fn synchronise(&mut self, segment: &Segment<'_>, side: Side, at: PacketRef, facts: &mut SegmentFacts) -> bool {
        let flags = segment.flags;
        let start = segment.seq.wrapping_add(1);
        let own = &mut self.halves[side.index()];
        let scale = window_scale(segment.options());
        if !own.begin_with_syn(start) {
            if !self.ended {
                let syn = Syn {
                    side,
                    answers: flags.ack(),
                    seq: segment.seq,
                    window: segment.window,
                    scale,
                    at,
                };
                self.doubtful = Some(Box::new(syn));
            }
            return false;
        }
        facts.syn_again = own.syn;
        facts.handshake = Some(if flags.ack() {
            HandshakeStep::SynAck
        } else {
            HandshakeStep::Syn
        });
        (own.syn, own.scale) = (true, scale);
        if self.connection.initiator.is_none() {
            self.connection.initiator = Some(if flags.ack() { side.other() } else { side });
        }
        self.phase = match (self.phase, flags.ack()) {
            // Late, by reordering or repetition.
            (Phase::Open, _) => Phase::Open,
            (Phase::Answered, true) if self.connection.initiator == Some(side) => Phase::Open,
            (Phase::Answered, _) => Phase::Answered,
            (_, true) => Phase::Answered,
            (Phase::Midstream, false) if self.halves[side.other().index()].high > 0 => Phase::Midstream,
            (_, false) => Phase::Opening,
        };
        true
    }

    /// A segment without SYN while the handshake goes on.
    fn complete_handshake(&mut self, segment: &Segment<'_>, side: Side, facts: &mut SegmentFacts) {
        if segment.flags.rst() || !segment.flags.ack() {
            return;
        }
        let other = &self.halves[side.other().index()];
        let acknowledges = other.beginning == Beginning::Unknown || other.offset(segment.ack) >= 0;
        if acknowledges && self.connection.initiator == Some(side) {
            facts.handshake = Some(HandshakeStep::Ack);
            self.phase = Phase::Open;
        } else if self.connection.initiator != Some(side) && self.phase == Phase::Answered {
            // The ACK of the initiator is not in the capture; who answered goes on already.
            self.phase = Phase::Open;
        } else if self.connection.initiator != Some(side) && segment.payload.wire_len > 0 {
            self.phase = Phase::Open;
        }
    }

    /// The other side acknowledges `ack`: perhaps what `side` sent elsewhere than its first segment said.
    #[cold]
    fn find_elsewhere<P: StreamHandler<State = U>>(
        &mut self,
        side: Side,
        ack: u32,
        now: Timestamp,
        cx: &mut Context<'_, P>,
    ) {
        let other_syn = self.other_syn(side);
        let half = &mut self.halves[side.index()];
        if let Some(elsewhere) = &half.elsewhere
            && elsewhere.is_acknowledged(ack)
        {
            let begins = elsewhere.begins_behind(other_syn);
            let mut emit = emitter(&mut self.upper, &self.connection, side, &mut self.recent, cx);
            half.move_elsewhere(begins, true, &mut emit);
            half.release(now, &mut emit);
        }
    }

    /// What `side` sent first, and what had waited for its acknowledgment, comes before what answers it.
    #[inline]
    fn release_acknowledged<P: StreamHandler<State = U>>(
        &mut self,
        side: Side,
        now: Timestamp,
        cx: &mut Context<'_, P>,
    ) {
        let other_fin = self.halves[side.other().index()].fin().is_some();
        let half = &mut self.halves[side.index()];
        if half.waiting.is_some() || half.suspects.is_some() || half.fin().is_some() && !half.finished {
            let mut emit = emitter(&mut self.upper, &self.connection, side, &mut self.recent, cx);
            if half.suspects.is_some() {
                half.believe_suspects(false, now, &mut emit);
            }
            half.release(now, &mut emit);
            half.fin_believed |= half.fin_acked || other_fin;
            half.finish(&mut emit);
        }
    }

    /// Gives up holes that nothing will fill any more.
    #[inline]
    fn give_up_lost<P: StreamHandler<State = U>>(&mut self, now: Timestamp, cx: &mut Context<'_, P>) {
        for side in [Side::A, Side::B] {
            let half = &mut self.halves[side.index()];
            if half.misses() {
                self.give_up_lost_of(side, now, cx);
            } else {
                half.doubted = false;
            }
        }
    }

    /// Whether few segments have overtaken others. Of a connection begun late both directions are waited for: together they tell what it is.
    #[inline]
    fn is_in_order<P>(&self, cx: &Context<'_, P>) -> bool {
        cx.in_order && self.phase == Phase::Open
    }

    #[cold]
    fn give_up_lost_of<P: StreamHandler<State = U>>(&mut self, side: Side, now: Timestamp, cx: &mut Context<'_, P>) {
        let other_heard = self.halves[side.other().index()].heard;
        let in_order = self.is_in_order(cx);
        let mut emit = emitter(&mut self.upper, &self.connection, side, &mut self.recent, cx);
        self.halves[side.index()].give_up_lost(other_heard, in_order, now, &mut emit);
    }
}

/// What gives `cx.upper` the stream of `side`, and remembers its bytes so that others in their place are noticed.
#[inline]
pub(super) fn emitter<'c, P: StreamHandler>(
    state: &'c mut P::State,
    connection: &'c Connection,
    side: Side,
    recent: &'c mut Handle,
    cx: &'c mut Context<'_, P>,
) -> impl FnMut(StreamEvent<'_>) {
    let history = &mut cx.recents.of(recent)[side.index()].history;
    let (upper, at) = (&mut *cx.upper, cx.at);
    move |event| {
        if let StreamEvent::Data { offset, bytes, .. } = event {
            history.push(offset, bytes);
        }
        upper.stream(state, connection, side, event, at);
    }
}
