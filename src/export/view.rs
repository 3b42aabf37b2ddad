//! What all views are to a run.

use std::ops::ControlFlow;

use crate::record::{Record, SegmentView, Sink};
use crate::wire::Packet;

/// A view: hears what the engine says and writes it into a buffer of its own, which the run drains.
///
/// No view writes anywhere else, so the run alone decides when output is flushed, and a test reads the buffer.
pub trait View: Sink {
    /// What has been rendered and was not taken yet: the run writes it out and clears it, and keeps its capacity.
    fn output(&mut self) -> &mut Vec<u8>;

    /// This was not selected: it is not to be shown on its own, but may go with what is (a session's first line with its messages).
    fn unselected(&mut self, _: &Record<'_>) {}

    /// Instead of the end of a packet: it is not shown. `goes_on`: later packets of its connection may be.
    fn hide(&mut self, _packet: &Packet<'_>, _goes_on: bool) {}

    /// Somebody wants to see what there is so far, and the run goes on: a view that waits for the end shows it.
    fn so_far(&mut self) {}

    /// These TLS secrets stood in the capture, and are wanted: a key log in the NSS format.
    fn secrets(&mut self, _key_log: &[u8]) {}

    /// Nothing will come any more: whatever the view still holds goes into the output. Called once, after the engine has
    /// ended the open sessions.
    fn finish(&mut self) {}

    /// What whoever runs the program is to know when all is done, a line each.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Sink for Box<dyn View + Send> {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        (**self).packet(packet, segment)
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        (**self).record(record)
    }

    #[inline]
    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        (**self).packet_end(packet)
    }
}

impl View for Box<dyn View + Send> {
    fn output(&mut self) -> &mut Vec<u8> {
        (**self).output()
    }

    fn unselected(&mut self, record: &Record<'_>) {
        (**self).unselected(record);
    }

    fn hide(&mut self, packet: &Packet<'_>, goes_on: bool) {
        (**self).hide(packet, goes_on);
    }

    fn so_far(&mut self) {
        (**self).so_far();
    }

    fn secrets(&mut self, key_log: &[u8]) {
        (**self).secrets(key_log);
    }

    fn finish(&mut self) {
        (**self).finish();
    }

    fn notes(&self) -> Vec<String> {
        (**self).notes()
    }
}
