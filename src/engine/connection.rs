//! What is kept of a connection above TCP: the layer that reads it.

use crate::base::{PacketRef, Rule, Side, Violation};
use crate::layer::{Begins, Chunk, Cx, Slot, detect};
use crate::record::TransportEnd;
use crate::session::{Carrier, Roles};
use crate::tcp::{HandshakeStep, SegmentFacts, StreamEvent, TcpEnd};

/// What is kept of a connection. Small until it turns out to be interesting.
#[derive(Debug, Default)]
pub(super) struct Conn {
    state: State,
    begins: Begins,
    /// What its senders did wrong while it was not known yet which session that is.
    violations: Vec<TcpViolation>,
}

/// What a side did wrong, and in which packet.
type TcpViolation = (PacketRef, Side, Violation);

/// So many violations of TCP are remembered until it is known which session they belong to.
const MAX_VIOLATIONS: usize = 16;

#[derive(Debug, Default)]
enum State {
    /// No byte has come.
    #[default]
    Fresh,
    /// Its layers read it.
    Read(Slot),
    /// It was one session's, and is over.
    Ended(Roles, Carrier),
    /// It speaks something else.
    Ignored,
}

impl Conn {
    /// The session, when the whole connection is (or was) one's.
    #[inline]
    pub(super) fn roles(&self) -> Option<Roles> {
        match &self.state {
            State::Read(slot) => slot.layer()?.roles(),
            State::Ended(roles, _) => Some(*roles),
            State::Fresh | State::Ignored => None,
        }
    }

    /// What lies between TCP and the session that the whole connection is.
    #[inline]
    pub(super) fn carrier(&self) -> Carrier {
        match &self.state {
            State::Read(slot) => slot.layer().map_or_else(Carrier::default, |layer| layer.carrier()),
            State::Ended(_, carrier) => carrier.clone(),
            State::Fresh | State::Ignored => Carrier::default(),
        }
    }

    /// It carries sessions, or may still turn out to.
    #[inline]
    pub(super) fn may_carry(&self) -> bool {
        matches!(self.state, State::Fresh | State::Read(_))
    }

    /// Secrets of TLS have come.
    pub(super) fn keys_changed(&mut self, cx: &mut Cx<'_>) {
        if let State::Read(slot) = &mut self.state {
            slot.keys_changed(cx);
        }
    }

    /// It has shown to be what we are here for: it is given up after those that have not.
    #[inline]
    pub(super) fn is_proven(&self) -> bool {
        match &self.state {
            State::Read(slot) => slot.layer().is_some_and(|layer| layer.is_proven()),
            State::Ended(..) => true,
            State::Fresh | State::Ignored => false,
        }
    }

    /// Bytes of memory that are kept for it.
    #[inline]
    pub(super) fn cost(&self) -> usize {
        match &self.state {
            State::Read(slot) => slot.cost(),
            State::Fresh | State::Ended(..) | State::Ignored => 0,
        }
    }

    /// Lets go of what is held for it.
    pub(super) fn shed(&mut self, cx: &mut Cx<'_>) {
        if let State::Read(slot) = &mut self.state {
            slot.shed(cx);
        }
    }

    /// What was captured of its beginning.
    pub(super) fn begins(&self) -> Begins {
        self.begins
    }

    /// A segment of the connection has come.
    #[inline]
    pub(super) fn segment(&mut self, facts: &SegmentFacts, at: PacketRef) {
        if facts.different.is_some() || facts.fragments_differ || facts.urgent.is_some() {
            self.violate(facts, at);
        }
        if let Some(HandshakeStep::Syn | HandshakeStep::SynAck) = facts.handshake {
            self.begins.syn[facts.side.index()] = true;
        }
        self.begins.seen[facts.side.index()] = true;
    }

    #[cold]
    fn violate(&mut self, facts: &SegmentFacts, at: PacketRef) {
        if matches!(self.state, State::Ignored) || self.violations.len() >= MAX_VIOLATIONS {
            return;
        }
        let different = facts.different.as_ref().map(|range| {
            let bytes = format!("bytes {} to {} of the stream", range.start, range.end - 1);
            Violation::new(
                Rule::DifferentBytes,
                format!("{bytes} differ from those that were seen first"),
            )
        });
        let fragments = facts.fragments_differ.then(|| {
            let detail =
                "fragments of one datagram differ where they overlap, or in its length: systems do not agree on which ones count";
            Violation::new(Rule::DifferentBytes, detail)
        });
        let urgent = facts.urgent.map(|at| {
            let detail = format!("byte {at} of the stream is urgent: receivers may leave it out");
            Violation::new(Rule::UrgentData, detail)
        });
        for violation in different.into_iter().chain(fragments).chain(urgent) {
            self.violations.push((at, facts.side, violation));
        }
    }

    /// What its senders did wrong and was not told yet, once it is known whose it is.
    #[inline]
    pub(super) fn take_violations(&mut self) -> Option<(Roles, Vec<TcpViolation>)> {
        if self.violations.is_empty() {
            return None;
        }
        Some((self.roles()?, std::mem::take(&mut self.violations)))
    }

    /// Something came in order, of which the bytes could be read with the packet `readable`.
    #[inline]
    pub(super) fn stream(&mut self, side: Side, event: StreamEvent<'_>, readable: PacketRef, cx: &mut Cx<'_>) {
        match event {
            StreamEvent::Data { offset, bytes, from } => {
                let chunk = Chunk::tcp(offset, bytes, from, readable);
                if let State::Fresh = self.state {
                    self.state = match detect::first(side, chunk, cx) {
                        Some(layer) => State::Read(Slot::new(layer)),
                        None => State::Ignored,
                    };
                }
                let State::Read(slot) = &mut self.state else { return };
                slot.data(side, chunk, cx);
                match slot.layer() {
                    Some(layer) if from.packet == cx.at.packet => layer.progress(side, cx),
                    Some(_) => {}
                    None => self.state = State::Ignored,
                }
            }
            StreamEvent::Gap(gap) => {
                self.begins.lost = true;
                cx.begins.lost = true;
                if let State::Read(slot) = &mut self.state {
                    slot.gap(side, gap, cx);
                }
            }
            StreamEvent::Fin => {
                if let State::Read(slot) = &mut self.state {
                    slot.fin(side, cx);
                }
            }
            StreamEvent::Reset => {
                if let State::Read(slot) = &mut self.state {
                    slot.reset(side, cx);
                }
            }
        }
    }

    /// The connection is over.
    pub(super) fn end(&mut self, end: TcpEnd, cx: &mut Cx<'_>) {
        if let State::Read(slot) = &mut self.state {
            let carrier = slot.layer().map_or_else(Carrier::default, |layer| layer.carrier());
            // The last ACKs of a session still belong to it.
            self.state = match slot.end(transport_end(end), cx) {
                Some(roles) => State::Ended(roles, carrier),
                None => State::Ignored,
            };
        }
    }
}

/// What TCP's end is to a session.
fn transport_end(end: TcpEnd) -> TransportEnd {
    match end {
        TcpEnd::Fin { by } => TransportEnd::Fin { by },
        TcpEnd::Reset { by } => TransportEnd::Reset { by },
        TcpEnd::Idle => TransportEnd::Idle,
        TcpEnd::Evicted => TransportEnd::Evicted,
        TcpEnd::Reused => TransportEnd::Reused,
        TcpEnd::CaptureEnd => TransportEnd::CaptureEnd,
    }
}
