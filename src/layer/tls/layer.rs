//! TLS as a layer: what it decrypts goes to a layer of its own, as if it had been in the clear.

use super::alert::Alert;
use super::connection::Tls;
use super::facts::{Agreed, Content, Fact, Output, PlainGap, Totals};
use super::shared::Shared;
use crate::base::{Direction, Endpoint, Gap, GapCause, PacketRef, PerDirection, Side};
use crate::layer::{Begins, Chunk, Cx, Layer, Next, Slot, detect};
use crate::record::{
    ConnectionId, RecordKind, Scheme, Source, TlsAlert, TlsEnd, TlsHandshake, TlsPacket, TransportEnd,
};
use crate::session::{Carrier, Roles};
use crate::tcp::Connection;

/// Connections that have ended and wait for keys.
const MAX_ENDED: usize = 4096;

/// TLS, and what it carries.
#[derive(Debug)]
pub(crate) struct TlsLayer {
    /// Gone once the connection has ended and only waits for keys.
    state: Option<Box<State>>,
}

#[derive(Debug)]
struct State {
    tls: Tls,
    upper: Upper,
    /// What of [`Shared::held`] is this connection's.
    counted: usize,
}

/// What stands above.
#[derive(Debug)]
struct Upper {
    slot: Option<Slot>,
    carrier: Carrier,
    begins: Begins,
    /// The plaintext's offsets as the layer above sees them are larger by this: gaps whose length nobody knows.
    unknown: [u64; 2],
    client: Option<Side>,
    server_name: Option<Box<str>>,
    alert: Option<(Side, Alert)>,
    /// What the records of the packet `at` do.
    packet: TlsPacket,
    at: u64,
}

/// A connection that has ended before its keys came.
#[derive(Debug)]
pub(crate) struct Ended {
    state: Box<State>,
    connection: Connection,
    begins: Begins,
    end: TransportEnd,
    at: PacketRef,
}

impl TlsLayer {
    /// For a connection of which `begun` says, by side, whether the beginning of its stream comes. `None` inside of TLS.
    pub(crate) fn new(begun: [bool; 2], cx: &Cx<'_>) -> Option<Self> {
        let shared = cx.stores.tls.as_deref()?;
        let carrier = Carrier {
            scheme: Scheme::Wss,
            ..cx.carrier.clone()
        };
        Some(Self {
            state: Some(Box::new(State {
                tls: Tls::new(begun, shared),
                upper: Upper {
                    slot: None,
                    carrier,
                    begins: Begins {
                        syn: begun,
                        ..cx.begins
                    },
                    unknown: [0; 2],
                    client: cx.connection.initiator,
                    server_name: None,
                    alert: None,
                    packet: TlsPacket::default(),
                    at: 0,
                },
                counted: 0,
            })),
        })
    }

    /// Calls `read` with the connection, what all share, and who takes what it says.
    #[inline]
    fn with(&mut self, cx: &mut Cx<'_>, read: impl FnOnce(&mut Tls, &mut Shared, &mut Above<'_, '_>)) {
        if let Some(state) = &mut self.state {
            state.with(cx, read);
        }
    }
}

impl State {
    #[inline]
    fn with(&mut self, cx: &mut Cx<'_>, read: impl FnOnce(&mut Tls, &mut Shared, &mut Above<'_, '_>)) {
        // What is above may not use it at the same time: there is no TLS inside of TLS.
        let Some(mut shared) = cx.stores.tls.take() else { return };
        let client = self.tls.client();
        let mut above = Above {
            upper: &mut self.upper,
            cx,
        };
        above.upper.client = client.or(above.upper.client);
        read(&mut self.tls, &mut shared, &mut above);
        loop {
            let cost = self.tls.cost();
            shared.held = (shared.held + cost).saturating_sub(self.counted);
            self.counted = cost;
            if shared.held <= shared.max_held || !self.tls.shed() {
                break;
            }
        }
        cx.stores.tls = Some(shared);
    }

    /// The connection is over, and nothing is waited for.
    fn end(&mut self, end: TransportEnd, at: PacketRef, cx: &mut Cx<'_>) {
        self.with(cx, |tls, shared, above| tls.finish(at, shared, above));
        if let Some(shared) = &mut cx.stores.tls {
            shared.held = shared.held.saturating_sub(self.counted);
            self.counted = 0;
        }
        let end = match self.upper.alert {
            Some((by, alert)) if alert.fatal => TransportEnd::Alert {
                by,
                description: alert.description,
            },
            _ => end,
        };
        let Upper {
            slot, carrier, begins, ..
        } = &mut self.upper;
        if let Some(slot) = slot {
            slot.end(end, &mut cx.above(at, *begins, carrier));
        }
    }
}

/// Reads what waited for keys in connections that have ended; `last`: nothing is waited for any more.
pub(crate) fn retry_ended(last: bool, cx: &mut Cx<'_>) {
    for mut ended in std::mem::take(&mut cx.stores.tls_ended) {
        let connection = ended.connection;
        let mut cx = Cx {
            connection: &connection,
            at: ended.at,
            begins: ended.begins,
            carrier: cx.carrier,
            limits: cx.limits,
            stores: cx.stores,
            out: cx.out,
        };
        let at = ended.at;
        ended
            .state
            .with(&mut cx, |tls, shared, above| tls.keys_changed(at, shared, above));
        if last || !ended.state.tls.waits() {
            ended.state.end(ended.end, at, &mut cx);
        } else {
            cx.stores.tls_ended.push(ended);
        }
    }
}

impl Layer for TlsLayer {
    #[inline]
    fn data(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) -> Next {
        self.with(cx, |tls, shared, above| tls.data(side, chunk, shared, above));
        Next::Stay
    }

    fn gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next {
        self.with(cx, |tls, shared, above| tls.gap(side, gap, shared, above));
        Next::Stay
    }

    fn fin(&mut self, side: Side, cx: &mut Cx<'_>) {
        let at = cx.at;
        self.with(cx, |tls, shared, above| tls.end(side, false, at, shared, above));
    }

    fn reset(&mut self, side: Side, cx: &mut Cx<'_>) {
        let at = cx.at;
        self.with(cx, |tls, shared, above| tls.end(side, true, at, shared, above));
    }

    fn end(&mut self, end: TransportEnd, cx: &mut Cx<'_>) -> Next {
        let Some(mut state) = self.state.take() else {
            return Next::Stay;
        };
        let may_wait = end != TransportEnd::CaptureEnd && state.tls.waits();
        let may_come = |shared: &Shared| shared.secrets.may_grow() && shared.held <= shared.max_held / 2;
        if may_wait && cx.stores.tls_ended.len() < MAX_ENDED && cx.stores.tls.as_deref().is_some_and(may_come) {
            cx.stores.tls_ended.push(Ended {
                state,
                connection: *cx.connection,
                begins: cx.begins,
                end,
                at: cx.at,
            });
            return Next::Stay;
        }
        state.end(end, cx.at, cx);
        // Its roles are asked for behind its end.
        self.state = Some(state);
        Next::Stay
    }

    fn keys_changed(&mut self, cx: &mut Cx<'_>) {
        let at = cx.at;
        self.with(cx, |tls, shared, above| tls.keys_changed(at, shared, above));
    }

    fn progress(&self, side: Side, cx: &mut Cx<'_>) {
        let Some(state) = &self.state else { return };
        let upper = &state.upper;
        if upper.at == cx.at.packet {
            let source = upper.source(cx);
            let direction = source.direction(side);
            let packet = &upper.packet;
            cx.emit(cx.at, &source, RecordKind::TlsPacket { direction, packet });
        }
        if let Some(layer) = upper.slot.as_ref().and_then(Slot::layer) {
            layer.progress(side, &mut cx.above(cx.at, upper.begins, &upper.carrier));
        }
    }

    fn roles(&self) -> Option<Roles> {
        self.state.as_ref()?.upper.slot.as_ref()?.layer()?.roles()
    }

    fn scheme(&self) -> Scheme {
        Scheme::Wss
    }

    fn cost(&self) -> usize {
        let Some(state) = &self.state else { return 0 };
        let above = state.upper.slot.as_ref().and_then(Slot::layer);
        state.tls.cost() + above.map_or(0, |layer| layer.cost())
    }

    fn is_proven(&self) -> bool {
        let above = self.state.as_ref().and_then(|state| state.upper.slot.as_ref()?.layer());
        above.is_some_and(|layer| layer.is_proven())
    }

    fn shed(&mut self, cx: &mut Cx<'_>) {
        self.with(cx, |tls, _, _| while tls.shed() {});
    }
}

impl Upper {
    /// The connection, without a session.
    fn source(&self, cx: &Cx<'_>) -> Source {
        let endpoints: [Endpoint; 2] = cx.connection.endpoints;
        let client = self.client.unwrap_or({
            if endpoints[0].port >= endpoints[1].port {
                Side::A
            } else {
                Side::B
            }
        });
        Source {
            connection: ConnectionId(cx.connection.number),
            session: None,
            stream: None,
            scheme: Scheme::Wss,
            client: endpoints[client.index()],
            server: endpoints[client.other().index()],
            client_side: client,
            inferred: false,
            began: cx.at.time,
            proxied: self.carrier.proxied.clone(),
        }
    }
}

/// Takes what TLS says, for the layer above.
struct Above<'a, 'c> {
    upper: &'a mut Upper,
    cx: &'a mut Cx<'c>,
}

impl Output for Above<'_, '_> {
    #[inline]
    fn data(&mut self, side: Side, mut chunk: Chunk<'_>) {
        chunk.offset += self.upper.unknown[side.index()];
        let Upper {
            slot, carrier, begins, ..
        } = &mut *self.upper;
        let mut cx = self.cx.above(chunk.at, *begins, carrier);
        let slot = match slot {
            Some(slot) => slot,
            None => slot.insert(Slot::of(detect::first(side, chunk, &cx))),
        };
        slot.data(side, chunk, &mut cx);
    }

    fn gap(&mut self, side: Side, gap: PlainGap, at: PacketRef) {
        let unknown = &mut self.upper.unknown[side.index()];
        let offset = gap.offset + *unknown;
        let length = gap.length.unwrap_or_else(|| {
            *unknown += Gap::UNKNOWN;
            Gap::UNKNOWN
        });
        let gap = Gap {
            offset,
            length,
            cause: gap.cause.unwrap_or(GapCause::NoKey),
        };
        let Upper {
            slot, carrier, begins, ..
        } = &mut *self.upper;
        begins.lost = true;
        if let Some(slot) = slot {
            slot.gap(side, gap, &mut self.cx.above(at, *begins, carrier));
        }
    }

    fn end(&mut self, side: Side, reset: bool, at: PacketRef) {
        let Upper {
            slot, carrier, begins, ..
        } = &mut *self.upper;
        let Some(slot) = slot else { return };
        let mut cx = self.cx.above(at, *begins, carrier);
        if reset {
            slot.reset(side, &mut cx);
        } else {
            slot.fin(side, &mut cx);
        }
    }

    fn fact(&mut self, side: Side, at: PacketRef, fact: Fact<'_>) {
        if self.upper.at != at.packet && at.packet == self.cx.at.packet {
            (self.upper.packet, self.upper.at) = (TlsPacket::default(), at.packet);
        }
        let packet = &mut self.upper.packet;
        match fact {
            Fact::ClientHello(hello) => {
                self.upper.client = Some(side);
                self.upper.server_name.clone_from(&hello.server_name);
                packet.client_hello = true;
                packet.server_name.clone_from(&hello.server_name);
                packet.alpn = hello.alpn.first().cloned();
            }
            Fact::ServerHello(hello) => {
                self.upper.client = Some(side.other());
                packet.server_hello = Some((hello.version, hello.suite.and_then(|suite| suite.name())));
            }
            Fact::Record(record, _) => {
                let count = match record.content {
                    _ if !record.read => &mut packet.sealed,
                    Content::ApplicationData => &mut packet.data,
                    _ => &mut packet.handshake,
                };
                *count += 1;
            }
            Fact::Alert(alert) => {
                if !alert.is_close_notify() {
                    self.upper.alert = Some((side, alert));
                }
                packet.alert = Some(told(alert));
            }
            Fact::KeyUpdate => packet.key_update = true,
            Fact::Agreed(agreed) => self.agreed(side, at, agreed),
            Fact::End(totals) => self.totals(at, totals),
        }
    }
}

impl Above<'_, '_> {
    fn agreed(&mut self, client: Side, at: PacketRef, agreed: &Agreed<'_>) {
        self.upper.client.get_or_insert(client);
        let handshake = TlsHandshake {
            version: agreed.version,
            cipher: agreed.suite.map(|suite| suite.0),
            cipher_name: agreed.suite.and_then(|suite| suite.name()),
            server_name: agreed.server_name.map(Into::into),
            alpn: agreed.alpn.map(Into::into),
            resumed: agreed.resumed,
            keys: agreed.keys.map(|keys| keys.name()),
            client_random: agreed.client_random.copied(),
            late: agreed.late,
        };
        if agreed.late {
            self.upper.begins.syn = [false; 2];
        }
        let source = self.upper.source(self.cx);
        self.cx.emit(at, &source, RecordKind::Tls(&handshake));
    }

    fn totals(&mut self, at: PacketRef, totals: &Totals) {
        let decrypted = totals.decrypted != [0, 0];
        let report = &mut self.cx.stores.tls_report;
        report.add(decrypted, totals.unread, self.upper.server_name.as_deref());
        report.trials_exhausted += u64::from(totals.trials_exhausted);
        let source = self.upper.source(self.cx);
        let by = |of: &[u64; 2]| PerDirection::from_fn(|direction: Direction| of[source.side(direction).index()]);
        let end = TlsEnd {
            decrypted: by(&totals.decrypted),
            undecrypted: by(&totals.undecrypted),
            reason: totals.unread.map(|unread| unread.name()),
            alert: totals.alert.map(|(side, alert)| (source.direction(side), told(alert))),
        };
        self.cx.emit(at, &source, RecordKind::TlsEnd(&end));
    }
}

fn told(alert: Alert) -> TlsAlert {
    TlsAlert {
        fatal: alert.fatal,
        code: alert.description,
        name: alert.name(),
    }
}
