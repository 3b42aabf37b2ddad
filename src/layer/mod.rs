//! What stands between a connection's two TCP streams and its WebSocket messages: layers that turn into each other and carry each
//! other.
//!
//! A `Layer` sees a pair of streams, never a packet and never a TCP sequence number. `detect` looks at the first bytes;
//! [`http1`] becomes [`ws`] when the upgrade succeeds, [`http2`] carries a layer for each stream that is one. A layer that carries others (TLS,
//! HTTP/2) owns a `Slot` for each.

mod chunk;
pub(crate) mod detect;
pub mod tls;
pub mod http1;
mod proxy;
#[cfg(test)]
mod testing;
pub mod http2;
pub mod ws;

use std::fmt::Debug;

use crate::base::{Gap, Limits, PacketRef, Side, Timestamp};
use crate::record::{ConnectionId, Record, RecordKind, SessionEnd, SessionId, Source, TransportEnd};
use crate::session::{Carrier, Roles};
use crate::tcp::Connection;

pub use crate::record::{Span, StreamRange};
pub use chunk::Chunk;
use ws::ChunkBuffer;

/// One protocol that a connection speaks, over both directions.
pub(crate) trait Layer: Debug + Send {
    /// The next bytes that `side` sends. What [`Next::Become`] leaves unread goes to the layer that goes on.
    fn data(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) -> Next;

    /// Bytes that `side` sent and that will not come.
    fn gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next;

    /// Bytes that `side` sent are missing, or none: at most as many as `gap` says.
    fn perhaps_gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next {
        self.gap(side, gap, cx)
    }

    /// `side` sends nothing more: its FIN, or what stands for it in the layer below.
    fn fin(&mut self, side: Side, cx: &mut Cx<'_>);

    /// `side` has reset what carries this layer, perhaps after its FIN.
    fn reset(&mut self, side: Side, cx: &mut Cx<'_>);

    /// What carries this layer is over. Called once, last, unless it becomes another.
    fn end(&mut self, end: TransportEnd, cx: &mut Cx<'_>) -> Next;

    /// The bytes of the current packet are read: for narration, what has begun and not ended.
    fn progress(&self, _side: Side, _cx: &mut Cx<'_>) {}

    /// Secrets of TLS have come.
    fn keys_changed(&mut self, _cx: &mut Cx<'_>) {}

    /// What lies between TCP and the session, when the whole connection is one's.
    fn carrier(&self) -> Carrier {
        Carrier::default()
    }

    /// The session, when the whole connection is one's.
    fn roles(&self) -> Option<Roles>;

    /// Bytes of memory that it keeps, beside its own size: a sum of numbers that are at hand.
    fn cost(&self) -> usize;

    /// Whether it has shown to be what we are here for: a handshake, or frames.
    fn is_proven(&self) -> bool;

    /// Lets go of what it keeps, because a bound is reached; it goes on with what comes.
    fn shed(&mut self, cx: &mut Cx<'_>);
}

/// What becomes of a layer.
pub(crate) enum Next {
    /// It goes on.
    Stay,
    /// Another one goes on instead.
    Become(Become),
    /// Nothing of the connection is of interest any more.
    Ignore,
}

/// A layer that takes over.
pub(crate) struct Become {
    pub(crate) layer: Box<dyn Layer>,
    /// What it reads first, by side.
    pub(crate) held: [ChunkBuffer; 2],
    /// How many bytes of the current chunk are read already.
    pub(crate) used: usize,
}

impl Next {
    /// `layer` takes over with the bytes behind the first `used` of the current chunk.
    pub(crate) fn layer(layer: impl Layer + 'static, used: usize) -> Self {
        Self::with_held(layer, Default::default(), used)
    }

    /// The same, when `layer` is to read what was held first.
    pub(crate) fn with_held(layer: impl Layer + 'static, held: [ChunkBuffer; 2], used: usize) -> Self {
        Next::Become(Become {
            layer: Box::new(layer),
            held,
            used,
        })
    }
}

/// What a call brings along.
pub(crate) struct Cx<'c> {
    pub(crate) connection: &'c Connection,
    /// The packet that is being read.
    pub(crate) at: PacketRef,
    /// What TCP has seen of the beginning of each side's stream.
    pub(crate) begins: Begins,
    /// What lies between TCP and the layer that is called.
    pub(crate) carrier: &'c Carrier,
    pub(crate) limits: &'c Limits,
    pub(crate) stores: &'c mut Stores,
    pub(crate) out: &'c mut dyn Emit,
}

/// What was captured of the beginning of a connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Begins {
    /// Whose SYN was seen: what that side sends begins at its beginning. By side.
    pub(crate) syn: [bool; 2],
    /// From which sides anything was captured.
    pub(crate) seen: [bool; 2],
    /// Something was lost, perhaps its beginning.
    pub(crate) lost: bool,
}

/// What all connections share: buffers that are reused, stores with bounds, numbers.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) ws: ws::Shared,
    pub(crate) heads: http1::HeadStore,
    /// Somebody tells the story of every packet, and wants to hear of what is nobody's session, too.
    pub(crate) narrate: bool,
    /// Not here while a connection uses it.
    pub(crate) tls: Option<Box<tls::Shared>>,
    pub(crate) tls_ended: tls::AllEnded,
    pub(crate) tls_report: tls::Report,
    last_session: u64,
}

impl Stores {
    /// `frames`: frames are told one by one as well.
    pub(crate) fn new(limits: &Limits, frames: bool) -> Self {
        Self {
            ws: ws::Shared::new(*limits, frames),
            heads: http1::HeadStore::new(limits),
            narrate: false,
            tls: Some(Box::new(tls::Shared::within(
                tls::Secrets::default().within(limits.secrets_total()),
                limits.tls_trials,
                limits.tls_total(),
            ))),
            tls_ended: tls::AllEnded::default(),
            tls_report: tls::Report::default(),
            last_session: 0,
        }
    }

    /// Bytes of memory that are kept for no connection of the table.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.tls_ended.cost() + self.tls.as_deref().map_or(0, tls::Shared::cost)
    }

    /// The number of a session that begins.
    pub(crate) fn next_session(&mut self) -> SessionId {
        self.last_session += 1;
        SessionId(self.last_session)
    }
}

/// Who takes the records of layers.
pub(crate) trait Emit {
    fn emit(&mut self, record: &Record<'_>);

    /// Whether one more violation is listed; one that is not is counted.
    fn lists_violation(&mut self) -> bool {
        true
    }

    /// Nothing more comes of a connection.
    fn forget(&mut self, connection: ConnectionId);
}

impl Cx<'_> {
    /// Tells what the packet `at` has completed.
    #[inline]
    pub(crate) fn emit(&mut self, at: PacketRef, source: &Source, kind: RecordKind<'_>) {
        self.out.emit(&Record { at, source, kind });
    }

    /// Tells that a session is over.
    pub(crate) fn end(&mut self, at: PacketRef, source: &Source, end: SessionEnd) {
        self.emit(at, source, RecordKind::SessionEnd(&end));
    }

    /// What a call of the layer above brings along, for what came with the packet `at`.
    #[inline]
    pub(crate) fn above<'a>(&'a mut self, at: PacketRef, begins: Begins, carrier: &'a Carrier) -> Cx<'a> {
        Cx {
            connection: self.connection,
            at,
            begins,
            carrier,
            limits: self.limits,
            stores: self.stores,
            out: self.out,
        }
    }

    /// When the end that is told now came: TCP's is told when nothing is missing any more.
    pub(crate) fn ending_since(&self) -> Timestamp {
        self.connection.ending.map_or(self.at.time, |(_, since)| since)
    }

    /// The source of what a session of the layer that is called emits.
    #[inline]
    pub(crate) fn source(&self, roles: Roles) -> Source {
        roles.source(self.connection, self.carrier)
    }
}

/// A place for a layer, which may turn into others there.
#[derive(Debug)]
pub(crate) struct Slot(Option<Box<dyn Layer>>);

/// So often a layer may turn into another at one place of a stream; more would go on for ever.
const MAX_TURNS: usize = 8;

impl Slot {
    /// With this layer.
    pub(crate) fn new(layer: Box<dyn Layer>) -> Self {
        Self(Some(layer))
    }

    /// With this layer, or with none: what it carries is ignored.
    pub(crate) fn of(layer: Option<Box<dyn Layer>>) -> Self {
        Self(layer)
    }

    /// The layer that is there, unless what it carries is ignored.
    pub(crate) fn layer(&self) -> Option<&dyn Layer> {
        self.0.as_deref()
    }

    /// Bytes of memory that the layer takes.
    #[inline]
    pub(crate) fn cost(&self) -> usize {
        let layer = self.0.as_deref();
        layer.map_or(0, |layer| size_of_val(layer) + layer.cost())
    }

    /// See [`Layer::shed`].
    pub(crate) fn shed(&mut self, cx: &mut Cx<'_>) {
        if let Some(layer) = &mut self.0 {
            layer.shed(cx);
        }
    }

    /// See [`Layer::data`].
    #[inline]
    pub(crate) fn data(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) {
        let Some(layer) = &mut self.0 else { return };
        match layer.data(side, chunk, cx) {
            Next::Stay => {}
            next => self.turn_at(side, chunk, next, cx),
        }
    }

    #[cold]
    fn turn_at(&mut self, side: Side, chunk: Chunk<'_>, mut next: Next, cx: &mut Cx<'_>) {
        let mut chunk = chunk;
        for _ in 0..MAX_TURNS {
            let used = match &next {
                Next::Stay => return,
                Next::Become(new) => new.used,
                Next::Ignore => chunk.bytes.len(),
            };
            self.turn(next, cx);
            chunk = chunk.skip(used.min(chunk.bytes.len()));
            let Some(layer) = self.0.as_mut().filter(|_| !chunk.bytes.is_empty()) else {
                return;
            };
            next = layer.data(side, chunk, cx);
        }
        self.0 = None;
    }

    /// See [`Layer::gap`].
    pub(crate) fn gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) {
        if let Some(layer) = &mut self.0 {
            let next = layer.gap(side, gap, cx);
            self.turn(next, cx);
        }
    }

    /// See [`Layer::perhaps_gap`].
    pub(crate) fn perhaps_gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) {
        if let Some(layer) = &mut self.0 {
            let next = layer.perhaps_gap(side, gap, cx);
            self.turn(next, cx);
        }
    }

    /// See [`Layer::fin`].
    pub(crate) fn fin(&mut self, side: Side, cx: &mut Cx<'_>) {
        if let Some(layer) = &mut self.0 {
            layer.fin(side, cx);
        }
    }

    /// See [`Layer::reset`].
    pub(crate) fn reset(&mut self, side: Side, cx: &mut Cx<'_>) {
        if let Some(layer) = &mut self.0 {
            layer.reset(side, cx);
        }
    }

    /// See [`Layer::keys_changed`].
    pub(crate) fn keys_changed(&mut self, cx: &mut Cx<'_>) {
        if let Some(layer) = &mut self.0 {
            layer.keys_changed(cx);
        }
    }

    /// See [`Layer::end`]. Gives the session that the connection was, if it was one's.
    pub(crate) fn end(&mut self, end: TransportEnd, cx: &mut Cx<'_>) -> Option<Roles> {
        for _ in 0..MAX_TURNS {
            let layer = self.0.as_mut()?;
            match layer.end(end, cx) {
                Next::Stay | Next::Ignore => break,
                next => self.turn(next, cx),
            }
        }
        self.0.take()?.roles()
    }

    fn turn(&mut self, next: Next, cx: &mut Cx<'_>) {
        match next {
            Next::Stay => {}
            Next::Ignore => self.0 = None,
            Next::Become(new) => {
                self.0 = Some(new.layer);
                self.replay(&new.held, cx);
            }
        }
    }

    /// The layer reads what was held, by side.
    pub(crate) fn replay(&mut self, held: &[ChunkBuffer; 2], cx: &mut Cx<'_>) {
        for (side, held) in Side::BOTH.into_iter().zip(held) {
            for piece in held.iter() {
                match piece {
                    ws::Held::Data(chunk) => self.data(side, chunk, cx),
                    ws::Held::Gap(gap, at) => {
                        let now = std::mem::replace(&mut cx.at, at);
                        self.gap(side, gap, cx);
                        cx.at = now;
                    }
                }
            }
        }
    }
}
