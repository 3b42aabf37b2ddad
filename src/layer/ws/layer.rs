//! WebSocket as a layer: a decoder for each direction.

use super::in_order::{Found, InOrder, Kept};
use super::{ChunkBuffer, Decoder, Held, Output};
use crate::base::{Direction, Gap, GapCause, PacketRef, PerDirection, Side, Violation};
use crate::layer::{Chunk, Cx, Emit, Layer, Next};
use crate::record::{FrameInfo, Message, Record, RecordKind, Source, TransportEnd};
use crate::session::{Roles, SessionStats};

/// What is kept of a session while it speaks WebSocket.
#[derive(Debug)]
pub(crate) struct WebSocket {
    roles: Roles,
    decoders: PerDirection<Decoder>,
    stats: SessionStats,
    /// What was found in bytes that were held, while more of that may come.
    in_order: Option<InOrder>,
}

impl WebSocket {
    /// One that begins with what was `held` until it was clear, by side. `told`: up to where in the streams gaps were told when they
    /// were found. `ended`: nothing more will come.
    pub(crate) fn new(
        roles: Roles,
        decoders: PerDirection<Decoder>,
        stats: SessionStats,
        held: &[ChunkBuffer; 2],
        told: [u64; 2],
        ended: bool,
        cx: &mut Cx<'_>,
    ) -> Self {
        let mut ws = Self {
            roles,
            decoders,
            stats,
            in_order: Some(InOrder::default()),
        };
        for (side, held) in Side::BOTH.into_iter().zip(held) {
            let at = cx.at;
            ws.with(side, cx, |decoder, shared, out| {
                for (index, piece) in held.iter().enumerate() {
                    match piece {
                        Held::Data(chunk) => {
                            out.stats.data(chunk.span.last.time);
                            decoder.push(chunk, shared, out);
                        }
                        // Earlier ones were in the heads.
                        Held::Gap(gap, at) if gap.offset >= decoder.position() => {
                            if gap.end() > told[side.index()] {
                                out.keep(at, Found::Gap(gap));
                            }
                            decoder.gap(gap, at, shared, out);
                            if index == 0 && gap.cause == GapCause::Snaplen {
                                // The rest of the head, and nearly always no more, was in the same packet.
                                decoder.expect_at(gap.end());
                            }
                        }
                        Held::Gap(..) => {}
                    }
                }
            });
            cx.at = at;
        }
        // A FIN that came before it was clear.
        for side in Side::BOTH {
            if ws.stats.has_ended(side) {
                ws.no_more(side, cx);
            }
        }
        // At the end even more is found.
        if !ended {
            ws.settle(cx);
        }
        ws
    }

    /// Tells what was found in bytes that were held, unless that of one direction is about to be found: then its messages come first.
    fn settle(&mut self, cx: &mut Cx<'_>) {
        let Some(in_order) = &mut self.in_order else { return };
        if !self.decoders.iter().any(Decoder::is_seeking) || !in_order.wait() {
            self.tell_in_order(cx);
        }
    }

    /// Tells what was found in bytes that were held.
    fn tell_in_order(&mut self, cx: &mut Cx<'_>) {
        let source = cx.source(self.roles);
        if let Some(mut in_order) = self.in_order.take() {
            tell(&mut in_order, &source, &mut self.stats, &mut *cx.out);
        }
    }

    /// Nothing more comes from `side`: what has begun there will never be complete. Where what it sent last cannot be read, a close
    /// frame may be in it.
    fn no_more(&mut self, side: Side, cx: &mut Cx<'_>) {
        let at = cx.at;
        self.with(side, cx, |decoder, shared, out| {
            if !decoder.end(at, shared, out) {
                out.stats.end_lost(out.direction);
            }
        });
    }

    /// Calls `read` with the decoder of what `side` sends.
    #[inline]
    fn with(
        &mut self,
        side: Side,
        cx: &mut Cx<'_>,
        read: impl FnOnce(&mut Decoder, &mut super::Shared, &mut DecoderOutput<'_>),
    ) {
        let source = cx.source(self.roles);
        let direction = source.direction(side);
        let mut out = DecoderOutput {
            source: &source,
            direction,
            stats: &mut self.stats,
            in_order: self.in_order.as_mut(),
            out: &mut *cx.out,
        };
        read(&mut self.decoders[direction], &mut cx.stores.ws, &mut out);
    }
}

impl Layer for WebSocket {
    #[inline]
    fn data(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) -> Next {
        self.stats.data(chunk.span.last.time);
        self.with(side, cx, |decoder, shared, out| decoder.push(chunk, shared, out));
        if self.in_order.is_some() {
            self.settle(cx);
        }
        Next::Stay
    }

    fn gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next {
        let source = cx.source(self.roles);
        let direction = source.direction(side);
        cx.emit(cx.at, &source, RecordKind::Gap { direction, gap });
        self.stats.gap(cx.at.time);
        let at = cx.at;
        self.with(side, cx, |decoder, shared, out| decoder.gap(gap, at, shared, out));
        Next::Stay
    }

    fn perhaps_gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next {
        let source = cx.source(self.roles);
        let direction = source.direction(side);
        let (at, end) = (cx.at, gap.end());
        let length = Gap::UNKNOWN;
        let gap = Gap { length, ..gap };
        cx.emit(at, &source, RecordKind::Gap { direction, gap });
        self.stats.gap(at.time);
        self.with(side, cx, |decoder, shared, out| decoder.resync_at(end, at, shared, out));
        Next::Stay
    }

    fn fin(&mut self, side: Side, cx: &mut Cx<'_>) {
        self.no_more(side, cx);
        self.stats.fin(side, cx.ending_since());
    }

    fn reset(&mut self, side: Side, cx: &mut Cx<'_>) {
        self.stats.reset(side, cx.ending_since());
    }

    fn end(&mut self, end: TransportEnd, cx: &mut Cx<'_>) -> Next {
        if self.decoders.iter().any(Decoder::is_unsynced) {
            self.in_order.get_or_insert_default();
        }
        for side in Side::BOTH {
            if !self.stats.has_ended(side) {
                self.no_more(side, cx);
            }
        }
        self.tell_in_order(cx);
        let source = cx.source(self.roles);
        let end = self.stats.end(&source, end, cx.ending_since(), Some(cx.connection));
        cx.end(cx.at, &source, end);
        Next::Stay
    }

    #[inline]
    fn progress(&self, side: Side, cx: &mut Cx<'_>) {
        if let Some(progress) = self.decoders[self.roles.direction(side)].progress() {
            let source = cx.source(self.roles);
            cx.emit(cx.at, &source, RecordKind::Progress(&progress));
        }
    }

    fn roles(&self) -> Option<Roles> {
        Some(self.roles)
    }

    #[inline]
    fn cost(&self) -> usize {
        let PerDirection {
            client_to_server,
            server_to_client,
        } = &self.decoders;
        client_to_server.cost() + server_to_client.cost()
    }

    fn is_proven(&self) -> bool {
        true
    }

    fn shed(&mut self, cx: &mut Cx<'_>) {
        let source = cx.source(self.roles);
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            if let Some(gap) = self.decoders[direction].shed(&mut cx.stores.ws) {
                cx.emit(cx.at, &source, RecordKind::Gap { direction, gap });
            }
        }
    }
}

/// What one direction's decoder finds goes into the statistics and out.
struct DecoderOutput<'o> {
    source: &'o Source,
    direction: Direction,
    stats: &'o mut SessionStats,
    /// Where it waits to be told in the order of the capture, unless it is told at once.
    in_order: Option<&'o mut InOrder>,
    out: &'o mut dyn Emit,
}

impl DecoderOutput<'_> {
    #[inline]
    fn emit(&mut self, at: PacketRef, kind: RecordKind<'_>) {
        let source = self.source;
        self.out.emit(&Record { at, source, kind });
    }

    #[cold]
    fn keep(&mut self, at: PacketRef, found: Found) {
        if let Some(in_order) = &mut self.in_order
            && !in_order.push(at, self.direction, found)
        {
            tell(in_order, self.source, self.stats, self.out);
        }
    }
}

/// Tells what has waited.
fn tell(in_order: &mut InOrder, source: &Source, stats: &mut SessionStats, out: &mut dyn Emit) {
    for (at, direction, found) in in_order.take() {
        let mut emit = |kind| out.emit(&Record { at, source, kind });
        match &found {
            Found::Frame(frame) => emit(RecordKind::Frame(frame)),
            Found::Message(kept) => {
                let message = kept.message();
                stats.message(&message);
                emit(RecordKind::Message(&message));
            }
            Found::Violation(violation) => emit(RecordKind::Violation { direction, violation }),
            &Found::Gap(gap) => {
                stats.gap(at.time);
                emit(RecordKind::Gap { direction, gap });
            }
        }
    }
}

impl Output for DecoderOutput<'_> {
    fn frame(&mut self, at: PacketRef, frame: &FrameInfo) {
        match self.in_order {
            Some(_) => self.keep(at, Found::Frame(*frame)),
            None => self.emit(at, RecordKind::Frame(frame)),
        }
    }

    #[inline]
    fn message(&mut self, at: PacketRef, message: &Message<'_>) {
        if self.in_order.is_some() {
            return self.keep(at, Found::Message(Box::new(Kept::new(message))));
        }
        self.stats.message(message);
        self.emit(at, RecordKind::Message(message));
    }

    fn lists_violation(&mut self) -> bool {
        self.out.lists_violation()
    }

    fn violation(&mut self, at: PacketRef, violation: &Violation) {
        let direction = self.direction;
        match self.in_order {
            Some(_) => self.keep(at, Found::Violation(violation.clone())),
            None => self.emit(at, RecordKind::Violation { direction, violation }),
        }
    }
}
