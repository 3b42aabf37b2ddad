//! The sink's end of the engine.

use std::ops::ControlFlow;

use super::tally::Tally;
use crate::base::PacketRef;
use crate::base::{Direction, Violation};
use crate::layer::ws::Output;
use crate::record::{Event, EventKind, FrameInfo, Message, SegmentView, Session, Sink};
use crate::wire::Packet;

/// The sink, until it says stop.
pub(super) struct Listener<'s, S> {
    sink: &'s mut S,
    stopped: bool,
}

impl<'s, S: Sink> Listener<'s, S> {
    pub(super) fn new(sink: &'s mut S) -> Self {
        Self { sink, stopped: false }
    }

    pub(super) fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) {
        if !self.stopped {
            self.stopped = self.sink.packet(packet, segment).is_break();
        }
    }

    pub(super) fn packet_end(&mut self, packet: &Packet<'_>) {
        if !self.stopped {
            self.stopped = self.sink.packet_end(packet).is_break();
        }
    }

    pub(super) fn event(&mut self, at: PacketRef, session: &Session, kind: EventKind<'_>) {
        if !self.stopped {
            self.stopped = self.sink.event(&Event { at, session, kind }).is_break();
        }
    }

    pub(super) fn violation(&mut self, at: PacketRef, session: &Session, direction: Direction, violation: &Violation) {
        self.event(at, session, EventKind::Violation { direction, violation });
    }

    pub(super) fn result(&self) -> ControlFlow<()> {
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// What one direction's decoder tells goes to the tally and to the sink.
pub(super) struct Out<'o, 's, S> {
    pub(super) session: &'o Session,
    pub(super) direction: Direction,
    pub(super) tally: &'o mut Tally,
    pub(super) listener: &'o mut Listener<'s, S>,
}

impl<S: Sink> Output for Out<'_, '_, S> {
    fn frame(&mut self, at: PacketRef, frame: &FrameInfo) {
        self.listener.event(at, self.session, EventKind::Frame(frame));
    }

    fn message(&mut self, at: PacketRef, message: &Message<'_>) {
        self.tally.message(message);
        self.listener.event(at, self.session, EventKind::Message(message));
    }

    fn violation(&mut self, at: PacketRef, violation: &Violation) {
        self.listener.violation(at, self.session, self.direction, violation);
    }
}
