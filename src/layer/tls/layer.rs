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

/// Plaintext that would lie behind it for gaps of unknown length is not read: offsets of what it declares must not overflow.
const LAST_OFFSET: u64 = 1 << 62;

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
    held: usize,
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
    /// The first fatal alert, and where it came.
    alert: Option<(Side, Alert, PacketRef)>,
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
    /// Bytes of memory that it takes.
    cost: usize,
}

/// All connections that have ended before their keys came.
#[derive(Debug, Default)]
pub(crate) struct AllEnded {
    list: Vec<Ended>,
    cost: usize,
}

impl AllEnded {
    /// There is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Bytes of memory that they take.
    pub(crate) fn cost(&self) -> usize {
        self.cost
    }

    fn push(&mut self, ended: Ended) {
        self.cost += ended.cost;
        self.list.push(ended);
    }
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
                held: 0,
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
            let held = self.tls.held();
            shared.held = shared.held + held - std::mem::replace(&mut self.held, held);
            if shared.held <= shared.max_held || !self.tls.shed() {
                break;
            }
        }
        cx.stores.tls = Some(shared);
    }

    /// Bytes of memory that it takes.
    fn cost(&self) -> usize {
        size_of::<Self>() + self.tls.cost() + self.upper.slot.as_ref().map_or(0, Slot::cost)
    }

    /// The connection is over, and nothing is waited for.
    fn end(&mut self, end: TransportEnd, at: PacketRef, cx: &mut Cx<'_>) {
        self.with(cx, |tls, shared, above| tls.finish(at, shared, above));
        if let Some(shared) = &mut cx.stores.tls {
            shared.held -= std::mem::take(&mut self.held);
        }
        let end = match self.upper.ended_by(cx.connection) {
            Some((by, alert)) => TransportEnd::Alert {
                by,
                description: alert.description,
            },
            None => end,
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
    for mut ended in std::mem::take(&mut cx.stores.tls_ended).list {
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
            cx.out.forget(ConnectionId(connection.number));
        } else {
            ended.cost = ended.state.cost();
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
        let may_wait = !matches!(end, TransportEnd::CaptureEnd | TransportEnd::Evicted) && state.tls.waits();
        let may_come = |shared: &Shared| shared.secrets.may_grow();
        let cost = state.cost();
        let fits = cx.stores.tls_ended.cost() + cost <= cx.limits.tls_total();
        if may_wait && fits && cx.stores.tls.as_deref().is_some_and(may_come) {
            cx.stores.tls_ended.push(Ended {
                cost,
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
        if cx.stores.narrate && upper.at == cx.at.packet {
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

    fn carrier(&self) -> Carrier {
        let Some(state) = &self.state else {
            return Carrier::default();
        };
        let above = state.upper.slot.as_ref().and_then(Slot::layer);
        let mut carrier = state.upper.carrier.clone();
        if let Some(proxied) = above.and_then(|layer| layer.carrier().proxied) {
            carrier.proxied = Some(proxied);
        }
        carrier
    }

    fn cost(&self) -> usize {
        self.state.as_ref().map_or(0, |state| state.cost())
    }

    fn is_proven(&self) -> bool {
        let above = self.state.as_ref().and_then(|state| state.upper.slot.as_ref()?.layer());
        above.is_some_and(|layer| layer.is_proven())
    }

    fn shed(&mut self, cx: &mut Cx<'_>) {
        self.with(cx, |tls, _, _| {
            while tls.shed() {}
            tls.trim();
        });
        let Some(state) = &mut self.state else { return };
        let Upper {
            slot, carrier, begins, ..
        } = &mut state.upper;
        if let Some(slot) = slot {
            slot.shed(&mut cx.above(cx.at, *begins, carrier));
        }
    }
}

impl Upper {
    /// The alert that ended the connection, and who sent it. What comes behind the other side's FIN or RST only answers that.
    fn ended_by(&self, connection: &Connection) -> Option<(Side, Alert)> {
        let (by, alert, at) = self.alert?;
        let answers = |(ended, time)| ended != by && time < at.time;
        (!connection.ending.is_some_and(answers)).then_some((by, alert))
    }

    /// The connection, without a session.
    fn source(&self, cx: &Cx<'_>) -> Source {
        let endpoints: [Endpoint; 2] = cx.connection.endpoints;
        let client = self.client.unwrap_or_else(|| cx.connection.likely_client());
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
            *unknown = unknown.saturating_add(Gap::UNKNOWN);
            Gap::UNKNOWN
        });
        let is_past_all = *unknown > LAST_OFFSET;
        let gap = Gap {
            offset,
            length,
            cause: gap.cause.unwrap_or(GapCause::NoKey),
        };
        let Upper {
            slot, carrier, begins, ..
        } = &mut *self.upper;
        begins.lost = true;
        let mut cx = self.cx.above(at, *begins, carrier);
        if let Some(slot) = slot {
            slot.gap(side, gap, &mut cx);
        }
        if is_past_all {
            // No offset is left for what follows.
            slot.get_or_insert_with(|| Slot::of(None))
                .end(TransportEnd::Evicted, &mut cx);
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
        let is_current = at.packet == self.cx.at.packet;
        if is_current && self.upper.at != at.packet {
            (self.upper.packet, self.upper.at) = (TlsPacket::default(), at.packet);
        }
        // Of what has waited for a key nothing is told of the packet that is read now.
        let mut earlier = TlsPacket::default();
        let packet = if is_current {
            &mut self.upper.packet
        } else {
            &mut earlier
        };
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
                // The two directions may be read one after the other.
                let is_first = |(_, _, first): (_, _, PacketRef)| at.packet < first.packet;
                if alert.fatal && !alert.is_close_notify() && self.upper.alert.is_none_or(is_first) {
                    self.upper.alert = Some((side, alert, at));
                }
                packet.alert = Some(told(alert));
            }
            Fact::KeyUpdate => packet.key_update = true,
            Fact::Agreed(agreed) => self.agreed(at, agreed),
            Fact::End(totals) => self.totals(at, totals),
        }
    }
}

impl Above<'_, '_> {
    fn agreed(&mut self, at: PacketRef, agreed: &Agreed<'_>) {
        self.upper.client = agreed.client.or(self.upper.client);
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
        let ended_by = self.upper.ended_by(self.cx.connection);
        let by = |of: &[u64; 2]| PerDirection::from_fn(|direction: Direction| of[source.side(direction).index()]);
        let end = TlsEnd {
            decrypted: by(&totals.decrypted),
            undecrypted: by(&totals.undecrypted),
            reason: totals.unread.map(|unread| unread.name()),
            alert: totals.alert.map(|(side, alert)| (source.direction(side), told(alert))),
            ended_by: ended_by.map(|(side, alert)| (source.direction(side), told(alert))),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::testing::{Around, at};

    /// Its plaintext goes to a [`Detect`](detect::Detect).
    fn begun_late(around: &mut Around) -> TlsLayer {
        let mut tls = TlsLayer::new([false; 2], &around.cx()).unwrap();
        let detect = Box::<detect::Detect>::default();
        tls.state.as_mut().unwrap().upper.slot = Some(Slot::new(detect));
        tls
    }

    /// The plaintext that `read` brings.
    fn above(tls: &mut TlsLayer, around: &mut Around, read: impl FnOnce(&mut Above<'_, '_>)) {
        let upper = &mut tls.state.as_mut().unwrap().upper;
        read(&mut Above {
            upper,
            cx: &mut around.cx(),
        });
    }

    #[test]
    fn what_stands_above_is_shed_as_well() {
        let mut around = Around::new();
        let mut tls = begun_late(&mut around);
        let nothing = tls.cost();
        above(&mut tls, &mut around, |above| {
            above.data(Side::A, Chunk::tcp(0, &[0x40; 1000], at(), at()));
        });
        assert!(tls.cost() > nothing);
        tls.shed(&mut around.cx());
        assert_eq!(tls.cost(), nothing);
    }

    #[test]
    fn offsets_do_not_overflow_however_many_gaps_of_unknown_length_there_are() {
        let mut around = Around::new();
        let mut tls = begun_late(&mut around);
        let gap = PlainGap {
            offset: 0,
            length: None,
            cause: None,
        };
        // A frame of the greatest length that one can have.
        let frame = [&[0x82, 0x7f][..], &[0x7f; 30]].concat();
        let mut and_a_gap = |tls: &mut TlsLayer| {
            above(tls, &mut around, |above| {
                above.data(Side::A, Chunk::tcp(0, &frame, at(), at()));
                above.gap(Side::A, gap, at());
            });
            tls.state
                .as_ref()
                .unwrap()
                .upper
                .slot
                .as_ref()
                .unwrap()
                .layer()
                .is_some()
        };
        assert!((0..1000).all(|_| and_a_gap(&mut tls)));
        tls.state.as_mut().unwrap().upper.unknown[0] = LAST_OFFSET - Gap::UNKNOWN;
        assert!(and_a_gap(&mut tls));
        assert!(!and_a_gap(&mut tls) && !and_a_gap(&mut tls));
    }
}
