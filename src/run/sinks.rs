//! Who listens to the engine: the view, `--check`, `--summary`; and what of it the user selected.

use std::ops::ControlFlow;

use super::Error;
use super::check::Check;
use super::closing::Closing;
use super::output::Output;
use crate::export::View;
use crate::export::redact::Redaction;
use crate::record::{Record, SegmentView, Sink};
use crate::wire::Packet;

/// When this much has gathered, it is taken.
const FULL: usize = 128 << 10;

/// `--redact`, and its file.
pub(super) struct Redacted {
    pub(super) redaction: Redaction,
    pub(super) output: Output,
}

impl Redacted {
    fn write(&mut self) {
        take(self.redaction.output(), &mut self.output.buffer);
        // What fails is told at the end.
        let _ = self.output.flush_if_full();
    }

    /// Nothing will come any more.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.redaction.finish();
        self.write();
        self.output.finish()
    }
}

/// All that listen.
pub(super) struct Sinks {
    pub(super) view: Option<Box<dyn View + Send>>,
    /// The view shows packets, and not records alone.
    pub(super) packets: bool,
    pub(super) redacted: Option<Redacted>,
    pub(super) check: Option<Check>,
    pub(super) closing: Option<Closing>,
}

impl Sinks {
    /// Somebody listens.
    pub(super) fn any(&self) -> bool {
        self.view.is_some() || self.redacted.is_some() || self.check.is_some() || self.closing.is_some()
    }

    /// Somebody listens to packets, and not only to events.
    pub(super) fn wants_packets(&self) -> bool {
        self.packets || self.redacted.is_some() || self.closing.is_some()
    }

    /// Enough has gathered to be written.
    #[inline]
    pub(super) fn full(&mut self) -> bool {
        self.view.as_mut().is_some_and(|view| view.output().len() >= FULL)
            || self
                .redacted
                .as_mut()
                .is_some_and(|redacted| redacted.redaction.output().len() >= FULL)
            || self.check.as_ref().is_some_and(|check| check.out.len() >= FULL)
    }

    /// Puts what was rendered behind `out`; what the view has goes there by swapping when `out` is empty.
    pub(super) fn drain(&mut self, out: &mut Vec<u8>) {
        if let Some(view) = &mut self.view {
            take(view.output(), out);
        }
        if let Some(redacted) = &mut self.redacted {
            redacted.write();
        }
        if let Some(check) = &mut self.check {
            take(&mut check.out, out);
        }
    }

    /// The end of the capture.
    pub(super) fn finish(&mut self) {
        if let Some(view) = &mut self.view {
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
        if let Some(closing) = &mut self.closing {
            closing.summary.packet(packet, segment)?;
        }
        if let Some(redacted) = &mut self.redacted {
            redacted.redaction.packet(packet, segment)?;
        }
        match &mut self.view {
            Some(view) => view.packet(packet, segment),
            None => ControlFlow::Continue(()),
        }
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if let Some(check) = &mut self.check {
            check.record(record)?;
        }
        if let Some(closing) = &mut self.closing {
            closing.summary.record(record)?;
        }
        if let Some(redacted) = &mut self.redacted {
            redacted.redaction.record(record)?;
        }
        match &mut self.view {
            Some(view) => view.record(record),
            None => ControlFlow::Continue(()),
        }
    }

    #[inline]
    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        if let Some(closing) = &mut self.closing {
            closing.summary.packet_end(packet)?;
        }
        if let Some(redacted) = &mut self.redacted {
            redacted.redaction.packet_end(packet)?;
        }
        match &mut self.view {
            Some(view) => view.packet_end(packet),
            None => ControlFlow::Continue(()),
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
}
