//! One TLS connection: records in, plaintext and facts out.

use crate::base::{Gap, GapCause, PacketRef, Side, Timestamp};
use crate::layer::{Chunk, Span};

use super::alert::Alert;
use super::facts::{Agreed, Content, Fact, Output, PlainGap, Record, Totals, Unread};
use super::framer::{Framed, Framer, HEADER, Header};
use super::half::{Epoch, Half, Held, total};
use super::handshake::Told;
use super::hello::{ClientHello, ServerHello, ticket};
use super::late;
use super::lost::Lost;
use super::opener::{Inner, Tls12};
use super::reading::{self, Attempt, Known, Sealed};
use super::shared::Shared;

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

/// The shortest record of any suite: an empty one of TLS 1.3 with a tag of 8 bytes.
const SHORTEST: u64 = 14;

/// So long what one side has sent waits for the secrets of the other side, when its own have come.
const TURN_NANOS: i64 = 5_000_000_000;

/// A connection.
#[derive(Debug)]
pub struct Tls {
    halves: [Half; 2],
    /// Who the client is, once that is known.
    client: Option<Side>,
    client_hello: Option<Box<ClientHello>>,
    server_hello: Option<Box<ServerHello>>,
    /// What TLS 1.3 agreed on for above it, which it tells encrypted.
    alpn: Option<Box<str>>,
    resumed: Option<bool>,
    known: Known,
    /// Nothing of it can be read, for this reason.
    closed: Option<Unread>,
    agreed_told: bool,
    alert: Option<(Side, Alert)>,
    /// What is held may be readable now.
    retry: bool,
    /// How many secrets there were when they were looked at last, and how many of them were its own.
    secrets_seen: usize,
    own_seen: u32,
    trials_exhausted: bool,
    /// When the first of its secrets came while records waited.
    waits_since: Option<Timestamp>,
    /// Neither side waits for the secrets of the other one any more.
    turn_over: bool,
}

/// A record with where it came from.
#[derive(Clone, Copy)]
struct Arrived<'a> {
    side: Side,
    header: Header,
    body: &'a [u8],
    span: Span,
    /// The packet with which it can be read.
    at: PacketRef,
}

impl Tls {
    /// A connection of which nothing has come. `begun`: by [`Side::index`], whether what the side sends will come from its beginning on.
    pub fn new(begun: [bool; 2], shared: &Shared) -> Self {
        let mut halves = [Half::default(), Half::default()];
        for (half, begun) in halves.iter_mut().zip(begun) {
            if !begun {
                half.framer = Framer::late();
            }
        }
        let known = Known {
            trials: shared.max_trials,
            ..Known::default()
        };
        Self {
            halves,
            client: None,
            client_hello: None,
            server_hello: None,
            alpn: None,
            resumed: None,
            known,
            closed: None,
            agreed_told: false,
            alert: None,
            retry: false,
            secrets_seen: 0,
            own_seen: 0,
            trials_exhausted: false,
            waits_since: None,
            turn_over: false,
        }
    }

    /// Whether these bytes begin what a client or server sends first over TLS: a record with a hello message.
    pub fn begins(bytes: &[u8]) -> bool {
        if bytes.first() != Some(&22) || !Header::is_plausible(bytes) {
            return false;
        }
        let message = bytes.get(HEADER..).unwrap_or_default();
        let fits = |at: usize, test: fn(u8) -> bool| message.get(at).is_none_or(|&byte| test(byte));
        fits(0, |kind| kind == 1 || kind == 2)
            && match Header::read(bytes) {
                // Its message goes on in another one (RFC 8446 §5.1).
                Some(Header { length: 1, .. }) => {
                    fits(1, |content| content == 22) && Header::is_plausible(message.get(1..).unwrap_or_default())
                }
                _ => fits(1, |high| high == 0),
            }
    }

    /// Whether these bytes begin a record: what a connection shows that was begun before the capture.
    pub fn continues(bytes: &[u8]) -> bool {
        matches!(bytes, [20..=23, 3, 3, ..]) && Header::read(bytes).is_some()
    }

    /// Who the client is, if that is known.
    pub fn client(&self) -> Option<Side> {
        self.client
    }

    /// Bytes of memory that it takes because of what was sent.
    pub fn cost(&self) -> usize {
        self.halves.iter().map(Half::cost).sum()
    }

    /// The part of it that waits for keys.
    pub(super) fn held(&self) -> usize {
        self.halves.iter().map(|half| half.held_cost).sum()
    }

    /// Gives back memory that is not in use.
    pub(super) fn trim(&mut self) {
        self.halves.iter_mut().for_each(|half| half.framer.trim());
    }

    /// Gives up the encrypted record that has waited longest on the side where most waits. `false`: none waits.
    pub fn shed(&mut self) -> bool {
        let [a, b] = &mut self.halves;
        let larger = if a.held_cost >= b.held_cost { a } else { b };
        larger.shed()
    }

    /// Something waits for a key.
    pub fn waits(&self) -> bool {
        self.halves.iter().any(|half| !half.held.is_empty())
    }

    /// The next bytes that `side` has sent.
    #[inline]
    pub fn data(&mut self, side: Side, chunk: Chunk<'_>, shared: &mut Shared, out: &mut impl Output) {
        if self.secrets_seen != shared.secrets.len() || self.turn_ends(chunk.at) {
            self.keys_changed(chunk.at, shared, out);
        }
        let mut framer = std::mem::take(&mut self.half(side).framer);
        if Self::begins(chunk.bytes) {
            // The connection began before the capture, and its TLS did not.
            framer.begin();
        }
        let mut input = chunk;
        while let Some(framed) = framer.next(&mut input) {
            self.framed(side, framed, shared, out);
            self.retry_held(chunk.at, shared, out);
        }
        self.half(side).framer = framer;
    }

    /// Bytes that `side` has sent are missing.
    pub fn gap(&mut self, side: Side, gap: Gap, shared: &mut Shared, out: &mut impl Output) {
        let mut framer = std::mem::take(&mut self.half(side).framer);
        if let Some(framed) = framer.gap(gap) {
            self.framed(side, framed, shared, out);
        }
        self.half(side).framer = framer;
    }

    /// `side` sends nothing more.
    pub fn end(&mut self, side: Side, reset: bool, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        let mut framer = std::mem::take(&mut self.half(side).framer);
        if let Some(framed) = framer.finish() {
            self.framed(side, framed, shared, out);
        }
        let half = self.half(side);
        half.framer = framer;
        if half.held.is_empty() {
            self.flush_lost(side, at, out);
            out.end(side, reset, at);
        } else {
            half.end = Some((reset, at));
        }
    }

    /// Secrets have come: reads what has waited for them. Done with the next bytes as well.
    pub fn keys_changed(&mut self, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        self.secrets_seen = shared.secrets.len();
        let turn_ends = self.turn_ends(at);
        self.turn_over |= turn_ends;
        // Secrets of others are no reason to try again.
        self.retry = self.waits() && (turn_ends || self.known.client_random.is_none());
        if let Some(random) = &self.known.client_random {
            shared.secrets.claim(random);
            let resumed = self.known.resumed_from.as_ref();
            let own = shared.secrets.count_of(random) + resumed.map_or(0, |random| shared.secrets.count_of(random));
            if std::mem::replace(&mut self.own_seen, own) != own {
                self.known.trials = shared.max_trials;
                self.retry = self.waits();
            }
            if self.waits() && shared.secrets.has(random) && self.waits_since.is_none() {
                self.waits_since = Some(at.time);
            }
        }
        self.retry_held(at, shared, out);
    }

    /// What one side has sent has waited long enough for the secrets of the other one.
    fn turn_ends(&self, at: PacketRef) -> bool {
        let long = |since| at.time.since(since) >= TURN_NANOS;
        !self.turn_over && self.waits_since.is_some_and(long)
    }

    /// The connection is over: reads what can be read, and tells what cannot.
    pub fn finish(&mut self, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        for side in [Side::A, Side::B] {
            let mut framer = std::mem::take(&mut self.half(side).framer);
            if let Some(framed) = framer.finish() {
                self.framed(side, framed, shared, out);
            }
            self.half(side).framer = framer;
        }
        self.known.last = true;
        self.retry = true;
        self.retry_held(at, shared, out);
        let any = self.halves.iter().any(|half| half.decrypted > 0);
        for side in [Side::A, Side::B] {
            let half = self.half(side);
            let unopened = !half.reading.opened && half.whole;
            let mut lost = half.reading.lost;
            while let Some(more) = half.drop_first() {
                lost.add(&more);
            }
            half.reading.lost = lost;
            if any && unopened {
                let gap = PlainGap {
                    offset: half.offset,
                    length: None,
                    cause: None,
                };
                out.gap(side, gap, at);
            } else {
                self.flush_lost(side, at, out);
            }
            if let Some((reset, at)) = self.half(side).end.take() {
                out.end(side, reset, at);
            }
        }
        self.tell_agreed(at, out);
        let totals = Totals {
            decrypted: [self.halves[0].decrypted, self.halves[1].decrypted],
            undecrypted: [self.halves[0].undecrypted, self.halves[1].undecrypted],
            unread: self.unread(shared),
            alert: self.alert,
            trials_exhausted: self.trials_exhausted,
        };
        out.fact(self.client.unwrap_or(Side::A), at, Fact::End(&totals));
    }

    /// What is known of what was agreed on.
    pub fn agreed(&self) -> Agreed<'_> {
        let hello = self.client_hello.as_deref();
        Agreed {
            client: self.client,
            version: match self.known.tls13 {
                Some(true) => Some(TLS13),
                Some(false) => Some(TLS12),
                None => self.server_hello.as_ref().and_then(|hello| hello.version),
            },
            suite: self.known.suite,
            server_name: hello.and_then(|hello| hello.server_name.as_deref()),
            alpn: self.alpn.as_deref(),
            resumed: self.resumed,
            keys: self.known.source,
            client_random: self.known.client_random.as_ref(),
            late: self.client_hello.is_none() && self.server_hello.is_none(),
        }
    }

    /// Why nothing was read, if nothing was.
    fn unread(&self, shared: &Shared) -> Option<Unread> {
        let encrypted = self.halves.iter().any(|half| half.undecrypted > 0);
        if self.halves.iter().any(|half| half.decrypted > 0) || !encrypted {
            return None;
        }
        let has_keys = |random| shared.secrets.has(random);
        Some(match (&self.client_hello, &self.server_hello) {
            _ if self.closed.is_some() => return self.closed,
            (None, _) => Unread::NoClientHello,
            (Some(hello), _) if has_keys(&hello.random) || self.known.resumed_from.as_ref().is_some_and(has_keys) => {
                if !self.halves.iter().any(|half| half.whole) {
                    Unread::Cut
                } else if self.server_hello.is_none() {
                    Unread::NoServerHello
                } else {
                    Unread::WrongKey
                }
            }
            (Some(_), None) => Unread::NoServerHello,
            (Some(_), Some(_)) => Unread::NoKeys,
        })
    }

    fn half(&mut self, side: Side) -> &mut Half {
        &mut self.halves[side.index()]
    }

    fn framed(&mut self, side: Side, framed: Framed<'_>, shared: &mut Shared, out: &mut impl Output) {
        match framed {
            Framed::Record { header, body, span, at } => {
                let arrived = Arrived {
                    side,
                    header,
                    body,
                    span,
                    at,
                };
                self.record(arrived, shared, out);
            }
            Framed::Cut {
                header,
                body,
                span,
                at,
                cause,
            } => {
                let encrypted = self.is_encrypted(side, header, body);
                if !encrypted && header.content == 22 {
                    let mut content = body;
                    while let Some(told) = self.half(side).messages.next(&mut content) {
                        self.told(side, told, at, shared, out);
                    }
                    if let Some(told) = self.half(side).messages.cut() {
                        self.told(side, told, at, shared, out);
                    }
                }
                if encrypted {
                    self.half(side).undecrypted += header.total() as u64;
                }
                self.lost(side, Lost::record(header.total(), Some(cause)));
                let record = Record {
                    content: Content::of(header.content),
                    encrypted,
                    read: false,
                    length: header.length.into(),
                };
                out.fact(side, at, Fact::Record(record, &span));
            }
            Framed::Hole { bytes, late, cause } => {
                self.half(side).messages.cut();
                let shortest = self.known.suite.and_then(|suite| suite.cipher());
                let tls13 = self.known.tls13 != Some(false);
                let shortest = shortest.map_or(SHORTEST, |cipher| cipher.shortest(tls13));
                self.lost(side, Lost::hole(bytes, shortest, late, cause));
            }
        }
    }

    /// Records of `side` were lost.
    fn lost(&mut self, side: Side, lost: Lost) {
        let half = self.half(side);
        if half.held.is_empty() {
            half.reading.lost.add(&lost);
        } else {
            half.hold(Held::Lost(lost));
        }
    }

    fn is_encrypted(&self, side: Side, header: Header, body: &[u8]) -> bool {
        let changed = self.halves[side.index()].reading.changed;
        match header.content {
            23 => true,
            20 if changed && self.known.tls13 == Some(false) => true,
            20 => false,
            // Nobody has seen its hello, and an alert in the clear has two bytes.
            21 if self.client_hello.is_none() && self.server_hello.is_none() => body.len() != 2,
            _ => changed && self.known.tls13 != Some(true),
        }
    }

    /// A whole record.
    fn record(&mut self, arrived: Arrived<'_>, shared: &mut Shared, out: &mut impl Output) {
        let Arrived { side, header, body, .. } = arrived;
        if !self.is_encrypted(side, header, body) {
            let lost = self.halves[side.index()].reading.lost;
            // After a loss it may be the Finished message behind a ChangeCipherSpec that is missing.
            if self.known.tls13 == Some(false)
                && header.content == 22
                && !lost.is_nothing()
                && let Attempt::Opened(inner, gap) = self.attempt(arrived, lost, shared)
            {
                return self.deliver(arrived, inner, gap, shared, out);
            }
            return self.plain(arrived, shared, out);
        }
        self.half(side).whole = true;
        if self.closed.is_none() && self.halves[side.index()].blocked {
            return self.hold(arrived, shared, out);
        }
        if self.closed.is_none() {
            let half = &self.halves[side.index()];
            let mut lost = half.reading.lost;
            lost.add(&half.held_lost);
            match self.attempt(arrived, lost, shared) {
                Attempt::Opened(inner, gap) => {
                    while self.half(side).drop_first().is_some() {}
                    self.half(side).reading.lost = lost;
                    return self.deliver(arrived, inner, gap, shared, out);
                }
                Attempt::Waits => {
                    self.half(side).blocked = true;
                    return self.hold(arrived, shared, out);
                }
                Attempt::Failed if !self.halves[side.index()].reading.opened && shared.secrets.may_grow() => {
                    return self.hold(arrived, shared, out);
                }
                Attempt::Failed => {}
            }
        }
        self.half(side).undecrypted += total(body);
        self.lost(side, Lost::record(header.total(), None));
        self.tell_sealed(arrived, out);
    }

    fn attempt(&mut self, arrived: Arrived<'_>, lost: Lost, shared: &mut Shared) -> Attempt {
        let Shared {
            secrets,
            scratch,
            max_trials,
            ..
        } = shared;
        let sealed = Sealed {
            header: arrived.header,
            body: arrived.body,
            client: self.client == Some(arrived.side),
            lost,
        };
        let reading = &mut self.halves[arrived.side.index()].reading;
        let attempt = reading::open(reading, &mut self.known, &sealed, secrets, *max_trials, scratch);
        self.trials_exhausted |= self.known.trials == 0;
        attempt
    }

    /// It waits for a key, or for the secret of a connection whose hello was not seen to be found.
    fn hold(&mut self, arrived: Arrived<'_>, shared: &mut Shared, out: &mut impl Output) {
        self.tell_sealed(arrived, out);
        let held = Held::Record {
            header: arrived.header,
            body: arrived.body.into(),
            span: arrived.span,
        };
        self.half(arrived.side).hold(held);
        self.search_late(arrived.side, shared);
    }

    fn search_late(&mut self, side: Side, shared: &mut Shared) {
        if self.known.client_random.is_some() || self.known.tls13 == Some(false) {
            return;
        }
        let is_client = self.client.map(|client| client == side);
        let half = &mut self.halves[side.index()];
        let found = late::search(half, &mut self.known, is_client, &shared.secrets, &mut shared.scratch);
        self.trials_exhausted |= self.known.trials == 0;
        let Some(found) = found else { return };
        self.known.trials = shared.max_trials;
        self.known.client_random = Some(found.random);
        self.known.suite = Some(found.suite);
        self.known.tls13 = Some(true);
        self.known.source = Some(found.source);
        self.client = Some(if found.client { side } else { side.other() });
        shared.secrets.claim(&found.random);
        let reading = &mut self.half(side).reading;
        if let Some((epoch, opener, secret, number)) = found.first {
            reading.enter(epoch);
            (reading.opener, reading.secret, reading.number) = (Some(opener), secret, number);
        }
        self.retry = true;
    }

    fn tell_sealed(&mut self, arrived: Arrived<'_>, out: &mut impl Output) {
        let record = Record {
            content: Content::of(arrived.header.content),
            encrypted: true,
            read: false,
            length: arrived.body.len(),
        };
        out.fact(arrived.side, arrived.at, Fact::Record(record, &arrived.span));
    }

    /// Reads what is held, in the order in which it came, as far as that is possible now.
    fn retry_held(&mut self, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        while std::mem::take(&mut self.retry) {
            for side in [Side::A, Side::B] {
                self.search_late(side, shared);
            }
            self.retry = false;
            let mut order = [Side::A, Side::B];
            loop {
                order.sort_by_key(|side| self.halves[side.index()].first_held().unwrap_or(u64::MAX));
                if !order.iter().any(|&side| self.read_held(side, shared, out)) {
                    break;
                }
            }
            for side in [Side::A, Side::B] {
                if self.halves[side.index()].held.is_empty()
                    && let Some((reset, ended)) = self.half(side).end.take()
                {
                    self.flush_lost(side, at, out);
                    out.end(side, reset, ended);
                }
            }
        }
    }

    /// Reads the first record held that can be read; those before it never will be. `false`: there is none.
    fn read_held(&mut self, side: Side, shared: &mut Shared, out: &mut impl Output) -> bool {
        if self.closed.is_some() {
            return false;
        }
        self.half(side).blocked = false;
        if self.is_out_of_turn(side, shared) {
            self.half(side).blocked = true;
            return false;
        }
        let mut lost = self.halves[side.index()].reading.lost;
        for index in 0..self.halves[side.index()].held.len() {
            let Some(held) = self.half(side).held.get_mut(index) else {
                return false;
            };
            let (header, span, body) = match held {
                Held::Record { header, body, span } => (*header, *span, std::mem::take(body)),
                Held::Lost(more) => {
                    lost.add(more);
                    continue;
                }
            };
            let arrived = Arrived {
                side,
                header,
                body: &body,
                span,
                at: span.last,
            };
            let attempt = self.attempt(arrived, lost, shared);
            if let Attempt::Opened(inner, gap) = attempt {
                let half = self.half(side);
                half.reading.lost = lost;
                half.put_back(index, body);
                (0..index).for_each(|_| {
                    half.drop_first();
                });
                if let Some((header, body, span)) = half.take_first() {
                    let arrived = Arrived {
                        side,
                        header,
                        body: &body,
                        span,
                        at: span.last,
                    };
                    self.deliver(arrived, inner, gap, shared, out);
                }
                return true;
            }
            lost.add(&Lost::record(header.total(), None));
            self.half(side).put_back(index, body);
            if attempt == Attempt::Waits {
                self.half(side).blocked = true;
                return false;
            }
        }
        false
    }

    /// The other side has sent something before what `side` has to be read, and its secrets may be about to come: programs log them one
    /// after the other.
    fn is_out_of_turn(&self, side: Side, shared: &Shared) -> bool {
        let (own, other) = (&self.halves[side.index()], &self.halves[side.other().index()]);
        let first = |half: &Half| half.first_held();
        !self.known.last
            && shared.secrets.may_grow()
            && !other.reading.opened
            && first(other).is_some_and(|other| first(own).is_some_and(|own| other < own))
            && !self.turn_over
    }

    /// A record in the clear.
    fn plain(&mut self, arrived: Arrived<'_>, shared: &mut Shared, out: &mut impl Output) {
        let Arrived {
            side,
            header,
            body,
            span,
            at,
        } = arrived;
        let record = Record {
            content: Content::of(header.content),
            encrypted: false,
            read: true,
            length: body.len(),
        };
        out.fact(side, at, Fact::Record(record, &span));
        match header.content {
            20 => self.change_cipher(side),
            21 => self.alert(side, body, at, out),
            22 => {
                let mut content = body;
                while let Some(told) = self.half(side).messages.next(&mut content) {
                    self.told(side, told, at, shared, out);
                }
            }
            _ => {}
        }
    }

    /// ChangeCipherSpec (RFC 5246 §7.1). In TLS 1.3 it means nothing (RFC 8446 §D.4).
    fn change_cipher(&mut self, side: Side) {
        if self.known.tls13 == Some(true) {
            return;
        }
        let next = self.known.next;
        let reading = &mut self.half(side).reading;
        reading.changed = true;
        if next.is_some() {
            reading.enter(Epoch::Tls12);
            (reading.tls12, reading.lost) = (next, Lost::default());
        }
    }

    fn alert(&mut self, side: Side, content: &[u8], at: PacketRef, out: &mut impl Output) {
        if let Some(alert) = Alert::read(content) {
            if !alert.is_close_notify() {
                self.alert = Some((side, alert));
            }
            out.fact(side, at, Fact::Alert(alert));
        }
    }

    /// A record was opened: its plaintext stands in the scratch buffer.
    fn deliver(
        &mut self,
        arrived: Arrived<'_>,
        inner: Inner,
        gap: Option<Option<u64>>,
        shared: &mut Shared,
        out: &mut impl Output,
    ) {
        let Arrived { side, span, at, .. } = arrived;
        let half = self.half(side);
        half.decrypted += total(arrived.body);
        let cause = half.reading.lost.cause.unwrap_or(GapCause::Lost);
        half.reading.lost = Lost::default();
        // Tickets, and nothing else, come before the first response.
        let first = half.offset == 0 && inner.content == 23;
        let gap = gap.filter(|length| !(first && length.is_none() && shared.scratch.starts_with(b"HTTP/1.")));
        if let Some(length) = gap {
            self.half(side).messages.cut();
            self.tell_gap(side, length, cause, at, out);
        }
        let record = Record {
            content: Content::of(inner.content),
            encrypted: true,
            read: true,
            length: inner.length,
        };
        out.fact(side, at, Fact::Record(record, &span));
        let Some(bytes) = shared.scratch.get(..inner.length) else {
            return;
        };
        match inner.content {
            23 => {
                self.tell_agreed(at, out);
                let half = self.half(side);
                let offset = half.offset;
                half.offset += bytes.len() as u64;
                if !bytes.is_empty() {
                    out.data(
                        side,
                        Chunk {
                            offset,
                            bytes,
                            span,
                            at,
                            whole: true,
                        },
                    );
                }
            }
            22 => {
                let bytes = bytes.to_vec();
                let mut content = &bytes[..];
                while let Some(told) = self.half(side).messages.next(&mut content) {
                    self.told(side, told, at, shared, out);
                }
            }
            21 => self.alert(side, bytes, at, out),
            20 => self.change_cipher(side),
            _ => {}
        }
    }

    fn tell_gap(&mut self, side: Side, length: Option<u64>, cause: GapCause, at: PacketRef, out: &mut impl Output) {
        self.tell_agreed(at, out);
        let half = self.half(side);
        let gap = PlainGap {
            offset: half.offset,
            length,
            cause: Some(cause),
        };
        half.offset += length.unwrap_or(0);
        out.gap(side, gap, at);
    }

    /// What was lost behind the last record that was read is missing at the end.
    fn flush_lost(&mut self, side: Side, at: PacketRef, out: &mut impl Output) {
        let tls13 = self.known.tls13 == Some(true);
        let overhead = self.known.suite.and_then(|suite| suite.cipher());
        let overhead = overhead.and_then(|cipher| cipher.overhead(tls13));
        let reading = &mut self.half(side).reading;
        let lost = std::mem::take(&mut reading.lost);
        let application = reading.epoch == Epoch::Tls12 || matches!(reading.epoch, Epoch::Application(_));
        if !reading.opened || !application || lost.bytes == 0 {
            return;
        }
        let exact = overhead.filter(|_| lost.least == lost.most);
        let length = exact.map(|overhead| lost.bytes.saturating_sub(lost.most * overhead));
        if length != Some(0) {
            let cause = lost.cause.unwrap_or(GapCause::Lost);
            self.tell_gap(side, length, cause, at, out);
        }
    }

    fn tell_agreed(&mut self, at: PacketRef, out: &mut impl Output) {
        if !std::mem::replace(&mut self.agreed_told, true) {
            out.fact(self.client.unwrap_or(Side::A), at, Fact::Agreed(&self.agreed()));
        }
    }

    /// A handshake message, encrypted or not.
    fn told(&mut self, side: Side, told: Told, at: PacketRef, shared: &mut Shared, out: &mut impl Output) {
        match told {
            Told::ClientHello(hello) => {
                out.fact(side, at, Fact::ClientHello(&hello));
                self.client_hello(side, hello, shared);
            }
            Told::ServerHello(hello) => {
                out.fact(side, at, Fact::ServerHello(&hello));
                self.server_hello(side, hello, shared);
            }
            Told::EncryptedExtensions(extensions) => {
                self.alpn = extensions.alpn;
                if let Some(early) = &mut self.known.early
                    && early.is_none()
                {
                    *early = Some(extensions.early_data);
                    self.retry = true;
                }
            }
            Told::Ticket(body) => {
                if let (Some(false), Some(ticket), Some(random)) =
                    (self.known.tls13, ticket(&body), self.known.client_random)
                {
                    let random = self.known.resumed_from.unwrap_or(random);
                    shared.resumable.insert(ticket, random);
                }
            }
            Told::EndOfEarlyData => {
                let reading = &mut self.half(side).reading;
                if reading.epoch == Epoch::Early {
                    reading.enter(Epoch::Handshake);
                }
            }
            Told::Finished => {
                let reading = &mut self.half(side).reading;
                if matches!(reading.epoch, Epoch::Handshake | Epoch::Early) {
                    reading.enter(Epoch::Application(0));
                    self.retry = true;
                }
            }
            Told::KeyUpdate => {
                out.fact(side, at, Fact::KeyUpdate);
                let suite = self.known.suite;
                self.half(side).reading.update(suite);
            }
            Told::Other(_) => {}
        }
    }

    fn client_hello(&mut self, side: Side, mut hello: Box<ClientHello>, shared: &mut Shared) {
        let again = self.known.client_random == Some(hello.random);
        self.client = Some(side);
        self.known.client_random = Some(hello.random);
        shared.secrets.claim(&hello.random);
        let found = shared.resumable.find(&hello.session_id);
        self.known.resumed_from = found.or_else(|| shared.resumable.find(&hello.ticket));
        // It may be large, and is not needed again.
        hello.ticket = Vec::new();
        self.known.next = None;
        let reading = &mut self.half(side).reading;
        if !reading.opened {
            reading.lost = Lost::default();
        }
        if reading.epoch == Epoch::Plain || again {
            // After a HelloRetryRequest no early data is taken (RFC 8446 §4.2.10).
            let early = hello.early_data && !again;
            reading.enter(if early { Epoch::Early } else { Epoch::Handshake });
            self.known.early = early.then_some(None);
        }
        let first = self.client_hello.is_none();
        if first || !again {
            self.client_hello = Some(hello);
        }
        // Two taps may deliver the answer before the question.
        if first && let Some(answer) = self.server_hello.take() {
            self.compare_hellos(&answer, shared);
            self.server_hello = Some(answer);
        }
        self.retry = true;
    }

    /// What the two hellos say together, whichever came first.
    fn compare_hellos(&mut self, answer: &ServerHello, shared: &mut Shared) {
        let tls13 = answer.version.is_none_or(|version| version == TLS13);
        let asked = self.client_hello.as_deref();
        self.resumed = match asked {
            _ if tls13 => answer.psk,
            Some(asked) if answer.suite.is_some() => {
                Some(!answer.session_id.is_empty() && answer.session_id == asked.session_id)
            }
            _ => None,
        };
        if !tls13 && let (Some(client_random), Some(suite)) = (self.known.client_random, answer.suite) {
            self.known.next = Some(Tls12 {
                client_random,
                server_random: answer.random,
                suite,
                encrypt_then_mac: answer.encrypt_then_mac,
            });
            let random = self.known.resumed_from.unwrap_or(client_random);
            shared.resumable.insert(&answer.session_id, random);
        }
    }

    fn server_hello(&mut self, side: Side, hello: Box<ServerHello>, shared: &mut Shared) {
        self.client = Some(side.other());
        let tls13 = hello.version.map(|version| version == TLS13);
        if hello
            .version
            .is_some_and(|version| version != TLS12 && version != TLS13)
        {
            self.closed = Some(Unread::Version);
        } else if hello.suite.is_some_and(|suite| suite.cipher().is_none()) {
            self.closed = Some(Unread::Suite);
        }
        if self.closed.is_none() {
            self.known.tls13 = tls13.or(self.known.tls13);
        }
        let tls13 = tls13 != Some(false);
        if hello.retry {
            self.known.early = None;
            let client = &mut self.half(side.other()).reading;
            if client.epoch == Epoch::Early {
                client.enter(Epoch::Handshake);
            }
            return;
        }
        if hello.suite.is_some() {
            self.known.suite = hello.suite;
        }
        let reading = &mut self.half(side).reading;
        if !reading.opened {
            reading.lost = Lost::default();
            if tls13 && reading.epoch == Epoch::Plain {
                reading.enter(Epoch::Handshake);
            }
        }
        self.compare_hellos(&hello, shared);
        if hello.alpn.is_some() {
            self.alpn.clone_from(&hello.alpn);
        }
        self.server_hello = Some(hello);
        self.retry = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::StreamRange;
    use crate::layer::tls::secrets::{KeySource, Label, Secret, Secrets};

    struct Nobody;

    impl Output for Nobody {
        fn data(&mut self, _: Side, _: Chunk<'_>) {}
        fn gap(&mut self, _: Side, _: PlainGap, _: PacketRef) {}
        fn end(&mut self, _: Side, _: bool, _: PacketRef) {}
        fn fact(&mut self, _: Side, _: PacketRef, _: Fact<'_>) {}
    }

    fn at(seconds: i64) -> PacketRef {
        PacketRef {
            packet: 1,
            time: Timestamp::from_nanos(seconds * 1_000_000_000),
        }
    }

    /// A secret that opens nothing.
    fn add(shared: &mut Shared, random: u8, byte: u8) {
        let secret = Secret::new(&[byte; 32]).unwrap();
        shared
            .secrets
            .add([random; 32], Label::ServerTraffic, secret, KeySource::KeyLog);
    }

    #[test]
    fn rfc8446_5_1_a_hello_may_go_on_in_another_record_after_any_byte() {
        let hello = [1, 0, 0, 38, 3, 3];
        for split in 1..hello.len() {
            let parts = [&hello[..split], &hello[split..]];
            let records = parts.map(|part| [&[22, 3, 1, 0, part.len() as u8], part].concat());
            let bytes = records.concat();
            assert!((1..=bytes.len()).all(|end| Tls::begins(&bytes[..end])), "{split}");
        }
        for other in [
            &[22, 3, 1, 0, 0, 22, 3, 1, 0, 6][..],
            &[22, 3, 1, 0, 1, 1, 23, 3, 1],
            &[22, 3, 1, 0, 1, 1, 22, 4],
            &[22, 3, 1, 0, 6, 1, 1],
        ] {
            assert!(!Tls::begins(other), "{other:?}");
        }
    }

    #[test]
    fn what_waits_is_tried_again_only_when_a_secret_of_its_own_has_come_or_its_turn() {
        let mut shared = Shared::new(Secrets::new(true), 1000);
        let mut tls = Tls::new([true; 2], &shared);
        (tls.client, tls.known.client_random) = (Some(Side::A), Some([1; 32]));
        let header = Header {
            content: 23,
            minor: 3,
            length: 40,
        };
        tls.half(Side::B).hold(Held::Record {
            header,
            body: Box::new([0; 40]),
            span: Span::packet(at(0), StreamRange::default()),
        });
        let left = |tls: &mut Tls, shared: &mut Shared, seconds: i64| {
            tls.data(
                Side::A,
                Chunk::tcp(0, &[], at(seconds), at(seconds)),
                shared,
                &mut Nobody,
            );
            tls.known.trials
        };
        assert_eq!(left(&mut tls, &mut shared, 0), 1000);
        add(&mut shared, 1, 1);
        let tried = left(&mut tls, &mut shared, 0);
        assert!(tried < 1000);
        for byte in 0..100 {
            add(&mut shared, 2 + byte, byte);
            assert_eq!(left(&mut tls, &mut shared, 1), tried, "secrets of others");
        }
        let tried = left(&mut tls, &mut shared, 6);
        assert!(tried < 1000);
        for seconds in 7..100 {
            assert_eq!(left(&mut tls, &mut shared, seconds), tried, "its turn has come once");
        }
    }
}
