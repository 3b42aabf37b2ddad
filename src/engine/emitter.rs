//! The sink's end of the engine.

use std::ops::ControlFlow;

use super::listing::Listing;
use crate::dissect::Dissectors;
use crate::layer::Emit;
use crate::record::{ConnectionId, Message, Record, RecordKind, SegmentView, Sink};
use crate::wire::Packet;

/// Hands everything to the sink, until it says stop.
pub(crate) struct Emitter<'s> {
    sink: &'s mut dyn Sink,
    /// They add what messages mean; without them it is left to the sink.
    dissectors: Option<&'s mut Dissectors>,
    /// The packet that is being read; 0: nothing is told late.
    now: u64,
    listing: &'s mut Listing,
    stopped: bool,
}

impl<'s> Emitter<'s> {
    pub(super) fn new(
        sink: &'s mut dyn Sink,
        dissectors: Option<&'s mut Dissectors>,
        now: u64,
        listing: &'s mut Listing,
    ) -> Self {
        Self {
            sink,
            dissectors,
            now,
            listing,
            stopped: false,
        }
    }

    pub(crate) fn set_now(&mut self, packet: u64) {
        self.now = packet;
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

    #[inline]
    fn tell(&mut self, record: &Record<'_>) {
        let flow = match &mut self.dissectors {
            Some(dissectors) => dissectors.tell(record, self.sink),
            None => self.sink.record(record),
        };
        self.stopped = flow.is_break();
    }
}

impl Emit for Emitter<'_> {
    #[inline]
    fn emit(&mut self, record: &Record<'_>) {
        if self.stopped {
            return;
        }
        match record.kind {
            RecordKind::Message(message) if record.at.packet < self.now => {
                let message = Message {
                    told_late: true,
                    ..*message
                };
                let kind = RecordKind::Message(&message);
                self.tell(&Record { kind, ..*record });
            }
            RecordKind::Violation { .. } if !self.listing.has_room() => {}
            RecordKind::Violation { .. } => {
                self.listing.spend();
                self.tell(record);
            }
            _ => self.tell(record),
        }
    }

    fn lists_violation(&mut self) -> bool {
        self.listing.has_room()
    }

    fn forget(&mut self, connection: ConnectionId) {
        self.sink.forgotten(connection);
    }
}
