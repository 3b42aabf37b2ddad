//! The sink's end of the engine.

use std::ops::ControlFlow;

use crate::layer::Emit;
use crate::record::{Record, SegmentView, Sink};
use crate::wire::Packet;

/// Hands everything to the sink, until it says stop.
pub(super) struct Emitter<'s> {
    sink: &'s mut dyn Sink,
    stopped: bool,
}

impl<'s> Emitter<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink) -> Self {
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

    pub(super) fn result(&self) -> ControlFlow<()> {
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Emit for Emitter<'_> {
    #[inline]
    fn emit(&mut self, record: &Record<'_>) {
        if !self.stopped {
            self.stopped = self.sink.record(record).is_break();
        }
    }
}
