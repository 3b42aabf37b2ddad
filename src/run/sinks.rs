//! What the engine tells goes to who listens, all of it or what is selected.

use std::ops::ControlFlow;

use super::hold_queue::HoldQueue;
use super::listeners::Listeners;
use super::output::Output;
use crate::record::{ConnectionId, Record, SegmentView, Sink};
use crate::wire::Packet;

/// All that listen, and what is selected of what they hear.
pub(super) struct Sinks {
    pub(super) listeners: Listeners,
    /// `None`: everything.
    pub(super) selected: Option<Box<HoldQueue>>,
}

impl Sinks {
    /// Enough has gathered to be written.
    #[inline]
    pub(super) fn full(&mut self) -> bool {
        self.listeners.full()
    }

    /// Puts what was rendered behind `out`; what the view has goes there by swapping when `out` is empty.
    pub(super) fn drain(&mut self, out: &mut Vec<u8>) {
        if let Some(view) = &mut self.listeners.view {
            take(view.output(), out);
        }
        if let Some(check) = &mut self.listeners.check {
            take(&mut check.out, out);
        }
        if let Some(redacted) = &mut self.listeners.redacted {
            redacted.write();
        }
    }

    /// The end of the capture.
    pub(super) fn finish(&mut self) {
        if let Some(selected) = &mut self.selected {
            selected.finish(&mut self.listeners);
        }
        if let Some(view) = &mut self.listeners.view {
            view.finish();
        }
    }
}

/// Appends `from` to `to`, and empties it.
fn take(from: &mut Vec<u8>, to: &mut Vec<u8>) {
    if to.is_empty() {
        std::mem::swap(from, to);
    } else {
        to.append(from);
    }
}

impl Sink for Sinks {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        match &mut self.selected {
            None => self.listeners.packet(packet, segment),
            Some(selected) => selected.packet(packet, segment, &mut self.listeners),
        }
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        match &mut self.selected {
            None => self.listeners.record(record),
            Some(selected) => selected.record(record, &mut self.listeners),
        }
    }

    #[inline]
    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        match &mut self.selected {
            None => self.listeners.packet_end(packet),
            Some(selected) => selected.packet_end(packet, &mut self.listeners),
        }
    }

    #[inline]
    fn forgotten(&mut self, connection: ConnectionId) {
        if let Some(selected) = &mut self.selected {
            selected.forgotten(connection);
        }
    }
}

/// Listeners whose words are written as they come: all sessions that are open at the end of a capture end at once.
pub(super) struct Emptied<'r> {
    pub(super) sinks: &'r mut Sinks,
    pub(super) output: &'r mut Output,
}

impl Sink for Emptied<'_> {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.sinks.packet(packet, segment)
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.sinks.record(record)?;
        if self.sinks.full() {
            self.sinks.drain(&mut self.output.buffer);
            self.output.flush()?;
        }
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.sinks.packet_end(packet)
    }

    fn forgotten(&mut self, connection: ConnectionId) {
        self.sinks.forgotten(connection);
    }
}
