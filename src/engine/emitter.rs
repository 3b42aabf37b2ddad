//! The sink's end of the engine.

use std::ops::ControlFlow;

use crate::dissect::{Dissectors, Interpretations};
use crate::layer::Emit;
use crate::record::{Message, Record, RecordKind, SegmentView, Sink};
use crate::wire::Packet;

/// Hands everything to the sink, until it says stop; messages with what they mean.
pub(crate) struct Emitter<'s> {
    sink: &'s mut dyn Sink,
    dissectors: &'s mut Dissectors,
    stopped: bool,
}

impl<'s> Emitter<'s> {
    pub(crate) fn new(sink: &'s mut dyn Sink, dissectors: &'s mut Dissectors) -> Self {
        Self {
            sink,
            dissectors,
            stopped: false,
        }
    }

    pub(crate) fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) {
        if !self.stopped {
            self.stopped = self.sink.packet(packet, segment).is_break();
        }
    }

    pub(crate) fn packet_end(&mut self, packet: &Packet<'_>) {
        if !self.stopped {
            self.stopped = self.sink.packet_end(packet).is_break();
        }
    }

    pub(crate) fn result(&self) -> ControlFlow<()> {
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
        if self.stopped {
            return;
        }
        let Some(session) = record.source.session else {
            self.stopped = self.sink.record(record).is_break();
            return;
        };
        match record.kind {
            RecordKind::Message(message) => {
                let mut meaning = Interpretations::new();
                self.dissectors.read(session, record.at, message, &mut meaning);
                let message = Message {
                    meaning: &meaning,
                    ..*message
                };
                let kind = RecordKind::Message(&message);
                self.stopped = self.sink.record(&Record { kind, ..*record }).is_break();
                return;
            }
            RecordKind::Handshake(handshake) => self.dissectors.handshake(session, handshake),
            RecordKind::Gap { direction, .. } => self.dissectors.gap(session, direction),
            RecordKind::SessionEnd(_) => self.dissectors.end(session),
            _ => {}
        }
        self.stopped = self.sink.record(record).is_break();
    }
}
