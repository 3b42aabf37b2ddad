//! A connection while it speaks HTTP: what its sides have asked and answered, and what cannot be read before the answer.

use super::flow::Cx;
use super::tally::Tally;
use super::who::Who;
use crate::base::{Direction, Gap, GapCause, Rule, Side, Violation};
use crate::layer::Chunk;
use crate::layer::http1::{self, Exchange, HeadStore};
use crate::layer::ws::{ChunkBuffer, Header, Held, LengthForm, Opcode, Shared};
use crate::record::{EventKind, Handshake, Request, Sink};
use crate::tcp::TcpEnd;

/// More segments than this with frames, and none of the server's: it is not captured.
const PATIENCE: usize = 8;

/// What is kept of such a connection.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) exchange: Exchange,
    /// What cannot be read before the response has come, by side.
    held: [ChunkBuffer; 2],
    /// Known once an upgrade was asked for.
    pub(super) who: Option<Who>,
    pub(super) tally: Tally,
}

impl Asking {
    /// `client` asks for an upgrade.
    pub(super) fn asked<S: Sink>(&mut self, client: Side, request: &Request, cx: &mut Cx<'_, '_, S>) {
        let who = *self.who.get_or_insert(Who {
            client,
            inferred: false,
        });
        let session = who.session(cx.connection);
        cx.listener.event(cx.at, &session, EventKind::UpgradeRequest(request));
        http1::judge_request(request, |violation| {
            cx.listener
                .violation(cx.at, &session, Direction::ClientToServer, &violation);
        });
    }

    /// A head that `side` sends is longer than the bound.
    pub(super) fn too_long<S: Sink>(&self, side: Side, cx: &mut Cx<'_, '_, S>) {
        let Some(who) = self.who else { return };
        let violation = Violation::new(
            Rule::HeadTooLong,
            "the head goes on and on: only what its beginning says is read",
        );
        let session = who.session(cx.connection);
        cx.listener.violation(cx.at, &session, who.direction(side), &violation);
    }

    /// Bytes that were kept had to go.
    pub(super) fn evicted<S: Sink>(&self, side: Side, gap: Gap, cx: &mut Cx<'_, '_, S>) {
        let Some(who) = self.who else { return };
        let session = who.session(cx.connection);
        let direction = who.direction(side);
        cx.listener.event(cx.at, &session, EventKind::Gap { direction, gap });
    }

    /// The connection is over, and nobody has agreed to anything.
    pub(super) fn end<S: Sink>(&mut self, end: TcpEnd, cx: &mut Cx<'_, '_, S>) {
        self.take_held(cx.shared);
        let request = self.exchange.unanswered(cx.heads);
        self.exchange.discard(cx.heads);
        let Some(who) = self.who else { return };
        let session = who.session(cx.connection);
        if let Some(request) = request {
            let handshake = Handshake::judge(request, None, |_, _| {});
            cx.listener.event(cx.at, &session, EventKind::Handshake(&handshake));
            self.tally.refused = Some(0);
        }
        let end = self.tally.end(&session, end);
        cx.listener.event(cx.at, &session, EventKind::SessionEnd(&end));
    }

    /// Whether the client has gone on with what looks like a frame: a good one, or one with some fault that ends where a segment does.
    pub(super) fn holds_a_frame(&self, client: Side) -> bool {
        let held = &self.held[client.index()];
        let Some(header) = Header::parse(held.bytes()) else {
            return false;
        };
        let good = header.masking_key.is_some()
            && !(header.rsv[1] || header.rsv[2])
            && header.length_form == LengthForm::Minimal
            && !matches!(header.opcode, Opcode::Continuation | Opcode::Reserved(_));
        let end = u64::from(header.size).checked_add(header.length);
        let mut segments = held.iter().scan(0, |end, piece| {
            if let Held::Data(chunk) = piece {
                *end += chunk.bytes.len() as u64;
            }
            Some(*end)
        });
        good || header.fin && segments.any(|border| Some(border) == end)
    }

    /// Whether it is time to read what `client` sends without having seen the response: when it does not fit any more, or goes on and
    /// on while nothing at all was captured of the server (`one_sided`).
    pub(super) fn is_overdue<S>(&self, client: Side, bytes: usize, one_sided: bool, cx: &Cx<'_, '_, S>) -> bool {
        let held = &self.held[client.index()];
        // The room for a piece's place, generously.
        let need = bytes.saturating_add(128);
        let full = !held.fits(need, cx.limits.waiting_bytes) || !cx.shared.can_hold(need);
        (full || one_sided && held.pieces() >= PATIENCE) && self.holds_a_frame(client)
    }

    /// Keeps bytes until the response has come. When they do not fit, all that is held becomes a gap: bytes that are missing in
    /// the middle would only mislead.
    pub(super) fn hold<S: Sink>(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_, '_, S>) {
        let held = &mut self.held[side.index()];
        let before = held.size();
        if held.push(chunk, cx.limits.waiting_bytes) && cx.shared.hold(held.size() - before) {
            return;
        }
        let offset = held.offset_of(0).unwrap_or(chunk.offset);
        let gap = Gap {
            offset,
            length: chunk.end() - offset,
            cause: GapCause::Evicted,
        };
        cx.shared.release(before);
        *held = ChunkBuffer::default();
        self.hold_gap(side, gap, cx);
        self.evicted(side, gap, cx);
    }

    /// The same for bytes that will not come.
    pub(super) fn hold_gap<S>(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_, '_, S>) {
        let held = &mut self.held[side.index()];
        cx.shared.release(held.size());
        if held.bytes().is_empty() {
            // Of gaps with nothing held between them, only the last one can matter.
            *held = ChunkBuffer::default();
        }
        held.push_gap(gap, cx.at);
        if held.size() > cx.limits.waiting_bytes || !cx.shared.hold(held.size()) {
            *held = ChunkBuffer::default();
        }
    }

    /// What was held, by side; it is held no longer.
    pub(super) fn take_held(&mut self, shared: &mut Shared) -> [ChunkBuffer; 2] {
        for held in &self.held {
            shared.release(held.size());
        }
        std::mem::take(&mut self.held)
    }

    /// It turned out to be something else: gives back the room that it takes.
    pub(super) fn discard(&mut self, shared: &mut Shared, heads: &mut HeadStore) {
        self.take_held(shared);
        self.exchange.discard(heads);
    }
}
