//! A connection while it speaks WebSocket: a decoder for each direction.

use super::flow::Cx;
use super::listener::{Listener, Out};
use super::tally::Tally;
use super::who::Who;
use crate::base::{Direction, Gap, GapCause, Side};
use crate::layer::Chunk;
use crate::layer::ws::{ChunkBuffer, Decoder, Held};
use crate::record::{EventKind, Session, Sink};
use crate::tcp::TcpEnd;

/// What is kept of such a connection.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) who: Who,
    /// By direction.
    decoders: [Decoder; 2],
    pub(super) tally: Tally,
}

impl Open {
    /// One that begins with what was `held` until it was clear, by side.
    pub(super) fn new<S: Sink>(
        who: Who,
        decoders: [Decoder; 2],
        tally: Tally,
        held: &[ChunkBuffer; 2],
        cx: &mut Cx<'_, '_, S>,
    ) -> Self {
        let mut open = Self { who, decoders, tally };
        let session = who.session(cx.connection);
        for (side, held) in [Side::A, Side::B].into_iter().zip(held) {
            let (decoder, mut out) = open.decoder(side, &session, cx.listener);
            for (index, piece) in held.iter().enumerate() {
                match piece {
                    Held::Data(chunk) => decoder.push(chunk, cx.shared, &mut out),
                    // Earlier ones were in the heads.
                    Held::Gap(gap, at) if gap.offset >= decoder.position() => {
                        decoder.gap(gap, at, cx.shared, &mut out);
                        if index == 0 && gap.cause == GapCause::Snaplen {
                            // The rest of the head, and nearly always no more, was in the same packet.
                            decoder.expect_at(gap.offset + gap.length);
                        }
                    }
                    Held::Gap(..) => {}
                }
            }
        }
        open
    }

    /// The next bytes that `side` sends.
    #[inline]
    pub(super) fn data<S: Sink>(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_, '_, S>) {
        let session = self.who.session(cx.connection);
        let (decoder, mut out) = self.decoder(side, &session, cx.listener);
        decoder.push(chunk, cx.shared, &mut out);
    }

    /// Bytes that will not come.
    pub(super) fn gap<S: Sink>(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_, '_, S>) {
        self.tally.gap(self.who.direction(side));
        let session = self.who.session(cx.connection);
        let (decoder, mut out) = self.decoder(side, &session, cx.listener);
        decoder.gap(gap, cx.at, cx.shared, &mut out);
    }

    /// `side` sends nothing more.
    pub(super) fn fin<S: Sink>(&mut self, side: Side, cx: &mut Cx<'_, '_, S>) {
        self.no_more(side, cx);
        self.tally.fin(side);
    }

    /// The connection is over.
    pub(super) fn end<S: Sink>(&mut self, end: TcpEnd, cx: &mut Cx<'_, '_, S>) {
        for side in [Side::A, Side::B] {
            self.no_more(side, cx);
        }
        let session = self.who.session(cx.connection);
        let end = self.tally.end(&session, end);
        cx.listener.event(cx.at, &session, EventKind::SessionEnd(&end));
    }

    /// For narration: the packet ended inside something.
    #[inline]
    pub(super) fn tell_progress<S: Sink>(&self, side: Side, cx: &mut Cx<'_, '_, S>) {
        if let Some(progress) = self.decoders[self.who.direction(side).index()].progress() {
            let session = self.who.session(cx.connection);
            cx.listener.event(cx.at, &session, EventKind::Progress(&progress));
        }
    }

    fn no_more<S: Sink>(&mut self, side: Side, cx: &mut Cx<'_, '_, S>) {
        let session = self.who.session(cx.connection);
        let direction = session.direction(side);
        if self.decoders[direction.index()].is_lost() && !self.tally.has_ended(side) {
            self.tally.end_lost(direction);
        }
        let (decoder, mut out) = self.decoder(side, &session, cx.listener);
        decoder.end(cx.at, cx.shared, &mut out);
    }

    /// The decoder of what `side` sends, and where it tells what it finds.
    #[inline]
    fn decoder<'o, 's, S>(
        &'o mut self,
        side: Side,
        session: &'o Session,
        listener: &'o mut Listener<'s, S>,
    ) -> (&'o mut Decoder, Out<'o, 's, S>) {
        let direction: Direction = session.direction(side);
        let out = Out {
            session,
            direction,
            tally: &mut self.tally,
            listener,
        };
        (&mut self.decoders[direction.index()], out)
    }
}
