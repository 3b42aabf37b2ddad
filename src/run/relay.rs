//! A second thread: it renders what the engine told while the engine reads on. What messages mean is worked out by the thread that has
//! less to do.
//!
//! What the engine tells is gathered in batches, which go to the other thread and come back empty, in order and a few at most: the
//! output is the same as with one thread, and memory is bounded.

use std::mem;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::batch::Batch;
use super::output::Output;
use super::sinks::Sinks;
use crate::dissect::Dissectors;
use crate::record::{ConnectionId, Record, RecordKind, SegmentView, Sink};
use crate::wire::Packet;

/// Batches on their way. A few even out what the two threads need for one.
const BATCHES: usize = 4;

/// A batch with more than this is rendered before another is filled: of huge messages there is one at a time.
const HUGE: usize = 1 << 20;

/// The engine's end.
pub(super) struct Relay {
    batch: Batch,
    /// Somebody wants packets, and not only events.
    packets: bool,
    /// Not everything is selected: what is known of connections can be forgotten.
    selects: bool,
    /// No packet has come. The first one is told in any case: times are given from it on.
    first: bool,
    /// A packet's calls stay together in a batch.
    in_packet: bool,
    full: SyncSender<Batch>,
    empty: Receiver<Batch>,
    /// A huge batch is rendered.
    huge: Receiver<()>,
    renderer: JoinHandle<Renderer>,
    /// Nobody listens any more.
    stopped: bool,
}

impl Relay {
    /// Starts the thread. It has the rights that the caller has now.
    pub(super) fn start(renderer: Renderer) -> Self {
        let sinks = &renderer.sinks;
        let packets = sinks.listeners.wants_packets();
        let selects = sinks.selected.is_some();
        let (full, to_render) = sync_channel::<Batch>(BATCHES);
        let (rendered, empty) = sync_channel(BATCHES + 1);
        let (huge_rendered, huge) = sync_channel(1);
        let renderer = thread::spawn(move || renderer.render(&to_render, &rendered, &huge_rendered));
        Self {
            batch: Batch::default(),
            packets,
            selects,
            first: true,
            in_packet: false,
            full,
            empty,
            huge,
            renderer,
            stopped: false,
        }
    }

    /// Sends what has gathered on its way.
    #[cold]
    fn send(&mut self) {
        let next = self.empty.try_recv().unwrap_or_default();
        let batch = mem::replace(&mut self.batch, next);
        let huge = batch.bytes() > HUGE;
        self.stopped |= self.full.send(batch).is_err() || huge && self.huge.recv().is_err();
    }

    #[inline]
    fn told(&mut self) -> ControlFlow<()> {
        if self.batch.is_full() {
            self.send();
        }
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Waits until all is rendered, and gives back what the thread was given.
    pub(super) fn finish(mut self) -> Renderer {
        if !self.batch.is_empty() {
            self.send();
        }
        let Self { full, renderer, .. } = self;
        // The thread ends when it has rendered what is under way.
        drop(full);
        match renderer.join() {
            Ok(given) => given,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// The other end: all that the thread has, given back when it ends.
pub(super) struct Renderer {
    /// When it is this thread that works out what messages mean.
    pub(super) dissectors: Option<Dissectors>,
    pub(super) sinks: Sinks,
    pub(super) output: Output,
}

impl Renderer {
    fn render(mut self, full: &Receiver<Batch>, empty: &SyncSender<Batch>, huge_rendered: &SyncSender<()>) -> Self {
        while let Ok(mut batch) = full.recv() {
            let told = batch.tell(&mut self);
            self.sinks.drain(&mut self.output.buffer);
            if self.output.flush_if_full().is_break() || told.is_break() {
                break;
            }
            let huge = batch.bytes() > HUGE;
            batch.clear();
            if huge {
                let _ = huge_rendered.send(());
            }
            // When enough are under way already, this one is not needed.
            let _ = empty.try_send(batch);
        }
        self
    }
}

impl Sink for Renderer {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.sinks.packet(packet, segment)
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        match &mut self.dissectors {
            Some(dissectors) => dissectors.tell(record, &mut self.sinks),
            None => self.sinks.record(record),
        }
    }

    #[inline]
    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.sinks.packet_end(packet)
    }

    #[inline]
    fn forgotten(&mut self, connection: ConnectionId) {
        self.sinks.forgotten(connection);
    }
}

impl Sink for Relay {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        if self.packets || mem::take(&mut self.first) {
            self.in_packet = true;
            self.batch.packet(packet, segment);
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        // For narration, which goes with packets.
        let narrated = matches!(
            record.kind,
            RecordKind::UpgradeRequest(_)
                | RecordKind::Progress(_)
                | RecordKind::Http2 { .. }
                | RecordKind::TlsPacket { .. }
        );
        if narrated && !self.packets {
            return ControlFlow::Continue(());
        }
        self.batch.record(record);
        if self.in_packet {
            ControlFlow::Continue(())
        } else {
            // Between packets, too, there may be much to tell: all sessions that are open at the end of a capture.
            self.told()
        }
    }

    #[inline]
    fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
        if mem::take(&mut self.in_packet) {
            self.batch.packet_end();
            return self.told();
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn forgotten(&mut self, connection: ConnectionId) {
        if self.selects {
            self.batch.forgotten(connection);
        }
    }
}
