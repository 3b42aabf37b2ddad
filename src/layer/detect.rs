//! What a connection speaks: HTTP/1.1, HTTP/2 and TLS by their first bytes; HTTP/2 begun late and WebSocket without its handshake by
//! their frames, which are collected until
//! it is clear.

use super::http1::{Agreed, Exchange, Http1};
use super::http2::{self, Http2, Recognised, Recogniser};
use super::proxy::Proxy;
use super::tls::{Tls, TlsLayer};
use super::ws::inflate::Inflater;
use super::ws::resync::{Collected, Expect, Purpose, infer};
use super::ws::{ChunkBuffer, Decoder, Held, WebSocket};
use super::{Chunk, Cx, Layer, Next};
use crate::base::{Direction, Gap, GapCause, PerDirection, Side};
use crate::record::TransportEnd;
use crate::session::{Roles, SessionStats};

/// A connection that has carried so many bytes without being recognised is something else.
const DETECT_MAX_BYTES: usize = 1 << 20;

/// The layer for a stream of which `chunk`, which `side` sends, is the first that comes; `None` when it is nothing of ours.
pub(crate) fn first(side: Side, chunk: Chunk<'_>, cx: &Cx<'_>) -> Option<Box<dyn Layer>> {
    if cx.begins.syn[side.index()] && cx.carrier.proxied.is_none() && Proxy::may_begin(chunk.bytes) {
        return Some(Box::new(Proxy::new(side, chunk.bytes, cx.carrier)));
    }
    without_proxy(side, chunk, cx)
}

/// The same, when nothing of a proxy's stands before it.
pub(crate) fn without_proxy(side: Side, chunk: Chunk<'_>, cx: &Cx<'_>) -> Option<Box<dyn Layer>> {
    let from_beginning = cx.begins.syn[side.index()] && !cx.begins.lost;
    if let Some(client) = http2::client_of(side, chunk.bytes)
        && (client == side || from_beginning)
    {
        return Some(Box::new(Http2::new(client, cx)));
    }
    if Exchange::may_begin(chunk.bytes) {
        return Some(Box::<Http1>::default());
    }
    let is_late = cx.begins.lost || !cx.begins.syn[side.index()];
    if Tls::begins(chunk.bytes) || is_late && Tls::continues(chunk.bytes) {
        return tls(cx).map(|layer| Box::new(layer) as Box<dyn Layer>);
    }
    not_http(side, cx)
}

/// TLS, unless it lies below already.
fn tls(cx: &Cx<'_>) -> Option<TlsLayer> {
    TlsLayer::new(cx.begins.syn.map(|syn| syn && !cx.begins.lost), cx)
}

/// The same, when its beginning is not HTTP.
pub(crate) fn not_http(side: Side, cx: &Cx<'_>) -> Option<Box<dyn Layer>> {
    // WebSocket begins with HTTP; only where the beginning may be missing can it be WebSocket all the same.
    let late = cx.begins.lost || !cx.begins.syn[side.index()];
    late.then(|| Box::<Detect>::default() as Box<dyn Layer>)
}

/// What was collected of a connection whose beginning was not seen, by side.
#[derive(Debug)]
pub(crate) struct Detect {
    sides: [Collected; 2],
    /// HTTP/2 as well is recognised by its frames.
    http2: Recogniser,
    /// Bytes that came, kept or not.
    seen: usize,
    agreed: Option<Box<Agreed>>,
    /// How the connection has begun to end, until it is clear what it is.
    stats: SessionStats,
    /// The next bytes are known not to begin a head.
    no_head: bool,
}

/// One side that does not mask is a server, or a client that does it wrong: for so many pieces the other one is waited for.
const ALONE: usize = 8;

/// From here on ports are those of clients (Linux; RFC 6335 §6 begins at 49,152).
const EPHEMERAL: u16 = 32_768;

/// What the connection is.
enum Verdict {
    /// WebSocket, and these sides mask, as far as is known.
    WebSocket([Option<bool>; 2]),
    /// It is not clear yet.
    Unclear,
    /// Something else.
    Other,
}

impl Default for Detect {
    fn default() -> Self {
        let expect = Expect {
            purpose: Purpose::Infer,
            masked: None,
            deflate: None,
        };
        Self {
            sides: [Collected::new(expect), Collected::new(expect)],
            http2: Recogniser::default(),
            seen: 0,
            agreed: None,
            stats: SessionStats::default(),
            no_head: false,
        }
    }
}

impl Detect {
    /// For bytes that have turned out not to begin a head.
    pub(crate) fn without_head() -> Self {
        Self {
            no_head: true,
            ..Self::default()
        }
    }

    /// After a handshake that was cut, when so much is held.
    pub(crate) fn after(mut agreed: Box<Agreed>, held: &[ChunkBuffer; 2]) -> Self {
        let mut detect = Self::default();
        for side in Side::BOTH {
            let mut collected = Collected::new(Expect {
                purpose: Purpose::Confirm,
                masked: Some(side == agreed.client),
                deflate: None,
            });
            // The rest of the head, and nearly always no more, was in the same packet.
            if let Some(Held::Gap(gap, _)) = held[side.index()].iter().next()
                && gap.cause == GapCause::Snaplen
            {
                let begin = gap.end();
                collected.expect_at(begin);
                agreed.begins[side.index()] = Some(begin);
            }
            detect.sides[side.index()] = collected;
        }
        detect.agreed = Some(agreed);
        detect
    }

    fn look(&mut self, ended: bool, cx: &mut Cx<'_>) -> Verdict {
        let Some(masks) = infer(&mut self.sides, ended, &mut cx.stores.ws) else {
            return Verdict::Unclear;
        };
        let pieces = self.sides.each_ref().map(Collected::pieces);
        let masks = [0, 1].map(|side| (pieces[side] > 0).then_some(masks[side]));
        let alone_unmasked = matches!(masks, [None, Some(false)] | [Some(false), None]);
        if alone_unmasked && self.agreed.is_none() && !ended && pieces[0] + pieces[1] < ALONE {
            return Verdict::Unclear;
        }
        Verdict::WebSocket(masks)
    }

    /// Who is the client: who sent the SYN, else who masks, else who has the higher port. Who sends alone and does not mask is the server, unless only the
    /// other one's port is a server's.
    fn client(masks: [Option<bool>; 2], cx: &Cx<'_>) -> Side {
        if let Some(initiator) = cx.connection.initiator {
            return initiator;
        }
        let [a, b] = cx.connection.endpoints.map(|endpoint| endpoint.port);
        match masks {
            [Some(true), _] => Side::A,
            [_, Some(true)] => Side::B,
            [None, Some(false)] if a.min(b) >= EPHEMERAL => Side::A,
            [Some(false), None] if a.min(b) >= EPHEMERAL => Side::B,
            _ => cx.connection.likely_client(),
        }
    }

    fn judged(&mut self, verdict: Verdict, used: usize, ended: bool, cx: &mut Cx<'_>) -> Next {
        let masks = match verdict {
            Verdict::Unclear => return Next::Stay,
            // The end of a session that has a number is told when it comes.
            Verdict::Other if self.roles().is_some() => {
                self.take();
                return Next::Stay;
            }
            Verdict::Other => return Next::Ignore,
            Verdict::WebSocket(masks) => masks,
        };
        let held = self.take();
        if let Some(agreed) = self.agreed.take() {
            return Next::layer(agreed.confirmed(&held, cx), used);
        }
        let roles = Roles {
            session: cx.stores.next_session(),
            client: Self::client(masks, cx),
            inferred: true,
            began: cx.at.time,
        };
        // Right for any parameters, and for messages that are not compressed.
        let decoders = PerDirection::from_fn(|direction| {
            let side = if direction == Direction::ClientToServer {
                roles.client
            } else {
                roles.client.other()
            };
            let inflater = Some(Box::new(Inflater::late(true, 15)));
            Decoder::unsynced(direction, inflater, true).masking(masks[side.index()])
        });
        let stats = std::mem::take(&mut self.stats);
        let ws = WebSocket::new(roles, decoders, stats, &held, [0; 2], ended, cx);
        Next::layer(ws, used)
    }

    /// Those of the session that is under way here, or may be.
    fn stats(&mut self) -> &mut SessionStats {
        match &mut self.agreed {
            Some(agreed) => &mut agreed.stats,
            None => &mut self.stats,
        }
    }

    /// What was collected, for whoever can read it now.
    fn take(&mut self) -> [ChunkBuffer; 2] {
        self.sides.each_mut().map(Collected::take)
    }
}

impl Layer for Detect {
    fn data(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) -> Next {
        if !std::mem::take(&mut self.no_head) && Exchange::begins(chunk.bytes) {
            return Next::layer(Http1::default(), 0);
        }
        if self.agreed.is_none()
            && (Tls::begins(chunk.bytes) || Tls::continues(chunk.bytes))
            && let Some(layer) = tls(cx)
        {
            let held = self.take();
            return Next::with_held(layer, held, 0);
        }
        let used = chunk.bytes.len();
        self.seen += used;
        let http2 = match cx.carrier.stream {
            None => self.http2.data(side, chunk),
            // Not inside another one.
            Some(_) => Recognised::No,
        };
        if http2 == Recognised::Certain {
            self.take();
            return Next::with_held(Http2::late(cx), self.http2.take(), used);
        }
        let verdict = if self.seen > DETECT_MAX_BYTES || is_tls(chunk.bytes) {
            Verdict::Other
        } else {
            self.sides[side.index()].push(chunk);
            match http2 {
                // WebSocket's frames in one of HTTP/2's are no frames of the connection's.
                Recognised::Perhaps => Verdict::Unclear,
                _ => self.look(false, cx),
            }
        };
        self.judged(verdict, used, false, cx)
    }

    fn gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next {
        self.http2.gap(side, gap, cx.at);
        self.sides[side.index()].push_gap(gap, cx.at);
        Next::Stay
    }

    fn fin(&mut self, side: Side, cx: &mut Cx<'_>) {
        self.stats().fin(side, cx.ending_since());
    }

    fn reset(&mut self, side: Side, cx: &mut Cx<'_>) {
        self.stats().reset(side, cx.ending_since());
    }

    fn end(&mut self, end: TransportEnd, cx: &mut Cx<'_>) -> Next {
        let verdict = self.look(true, cx);
        let next = self.judged(verdict, 0, true, cx);
        if let Some(agreed) = self.agreed.take() {
            agreed.unconfirmed(end, cx);
        }
        next
    }

    fn roles(&self) -> Option<Roles> {
        self.agreed.as_ref()?.roles()
    }

    fn cost(&self) -> usize {
        self.http2.cost() + self.sides.iter().map(Collected::cost).sum::<usize>()
    }

    fn is_proven(&self) -> bool {
        false
    }

    fn shed(&mut self, _cx: &mut Cx<'_>) {
        self.take();
        self.http2.take();
    }
}

/// A TLS record (RFC 8446 §5.1) begins here: the one protocol that most connections of a capture speak, known at a glance.
fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 0x03, 0x00..=0x04, 0x00..=0x41, _, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::testing::{Around, at};

    #[test]
    fn a_session_that_nothing_confirms_has_its_end() {
        for bytes in [&b"no frames"[..], &[0x16, 3, 1, 2, 0]] {
            let mut around = Around::new();
            let roles = Roles {
                session: around.cx().stores.next_session(),
                client: Side::A,
                inferred: false,
                began: at().time,
            };
            let (request, stats) = Default::default();
            let agreed = Agreed::over_http2(Side::A, request, None, stats, Some(roles));
            let mut detect = Detect::after(Box::new(agreed), &Default::default());
            let chunk = Chunk::tcp(0, bytes, at(), at());
            assert!(matches!(detect.data(Side::B, chunk, &mut around.cx()), Next::Stay));
            detect.end(TransportEnd::CaptureEnd, &mut around.cx());
            assert!(
                around.told.0.last().unwrap().starts_with("SessionEnd"),
                "{:?}",
                around.told.0
            );
        }
    }
}
