//! Who listens to the engine: the view, `--check`, `--summary`; and what of it the user selected.

use std::ops::ControlFlow;

use super::check::Check;
use super::closing::Closing;
use super::output::Output;
use crate::export::json::Json;
use crate::export::messages::Messages;
use crate::export::tcpdump::Printer;
use crate::export::trace::Trace;
use crate::export::{SelectedEvents, SelectedPackets, View};
use crate::record::{Record, SegmentView, Sink};
use crate::wire::Packet;

/// When this much has gathered, it is taken.
const FULL: usize = 128 << 10;

/// One of the views that need the engine. An enum and not a trait object: the call is the hot one of a run.
pub(super) enum AnyView {
    Trace(Box<Trace>),
    SomeTrace(Box<SelectedPackets<Trace>>),
    SomeTcpdump(Box<SelectedPackets<Lines>>),
    Json(Box<Json>),
    SomeJson(Box<SelectedEvents<Json>>),
    Messages(Box<Messages>),
    SomeMessages(Box<SelectedEvents<Messages>>),
}

/// The `tcpdump` view as a listener: when messages are selected or checked, the engine runs beside it.
pub(super) struct Lines {
    printer: Printer,
    out: Vec<u8>,
}

impl Lines {
    pub(super) fn new(printer: Printer) -> Self {
        Self {
            printer,
            out: Vec::new(),
        }
    }
}

impl Sink for Lines {
    fn packet(&mut self, _: &Packet<'_>, _: Option<SegmentView<'_>>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn record(&mut self, _: &Record<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.printer.print(packet, &mut self.out);
        ControlFlow::Continue(())
    }
}

impl View for Lines {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}

/// All that listen.
pub(super) struct Sinks {
    pub(super) view: Option<AnyView>,
    pub(super) check: Option<Check>,
    pub(super) closing: Option<Closing>,
}

impl Sinks {
    /// Somebody listens.
    pub(super) fn any(&self) -> bool {
        self.view.is_some() || self.check.is_some() || self.closing.is_some()
    }

    /// Somebody listens to packets, and not only to events.
    pub(super) fn wants_packets(&self) -> bool {
        let events_only = match &self.view {
            None | Some(AnyView::Json(_) | AnyView::SomeJson(_) | AnyView::Messages(_) | AnyView::SomeMessages(_)) => {
                true
            }
            Some(AnyView::Trace(_) | AnyView::SomeTrace(_) | AnyView::SomeTcpdump(_)) => false,
        };
        !events_only || self.closing.is_some()
    }

    /// Enough has gathered to be written.
    #[inline]
    pub(super) fn full(&mut self) -> bool {
        self.view.as_mut().is_some_and(|view| view.output().len() >= FULL)
            || self.check.as_ref().is_some_and(|check| check.out.len() >= FULL)
    }

    /// Puts what was rendered behind `out`; what the view has goes there by swapping when `out` is empty.
    pub(super) fn drain(&mut self, out: &mut Vec<u8>) {
        if let Some(view) = &mut self.view {
            take(view.output(), out);
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

macro_rules! each_view {
    ($view:expr, $inner:ident => $call:expr) => {
        match $view {
            AnyView::Trace($inner) => $call,
            AnyView::SomeTrace($inner) => $call,
            AnyView::SomeTcpdump($inner) => $call,
            AnyView::Json($inner) => $call,
            AnyView::SomeJson($inner) => $call,
            AnyView::Messages($inner) => $call,
            AnyView::SomeMessages($inner) => $call,
        }
    };
}

impl Sink for AnyView {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        each_view!(self, view => view.packet(packet, segment))
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        each_view!(self, view => view.record(record))
    }

    #[inline]
    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        each_view!(self, view => view.packet_end(packet))
    }
}

impl View for AnyView {
    fn output(&mut self) -> &mut Vec<u8> {
        each_view!(self, view => view.output())
    }

    fn finish(&mut self) {
        each_view!(self, view => view.finish());
    }
}

impl Sink for Sinks {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        if let Some(closing) = &mut self.closing {
            closing.summary.packet(packet, segment)?;
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
