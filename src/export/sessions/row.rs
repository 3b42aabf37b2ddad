//! What is kept of one session, or of a connection that carries none.

use crate::base::{Direction, Endpoint, PerDirection, Side, Timestamp};
use crate::dissect::ChatMeaning;
use crate::export::escape;
use crate::record::{
    Action, Handshake, How, Message, Opcode, Record, RecordKind, Scheme, SegmentView, SessionEnd, Source, TlsEnd,
    Verdict,
};
use crate::tcp::DataFact;

/// Bytes of a URL that are kept.
const URL_BYTES: usize = 512;
/// Bytes of a subprotocol or a name that are kept.
const NAME_BYTES: usize = 64;

/// One line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) scheme: Scheme,
    pub(super) url: Box<str>,
    pub(super) subprotocol: Box<str>,
    pub(super) user: Box<str>,
    pub(super) start: Timestamp,
    pub(super) last: Timestamp,
    pub(super) messages: PerDirection<u64>,
    pub(super) bytes: PerDirection<u64>,
    /// Of who pinged.
    pub(super) pong: PerDirection<Mean>,
    /// The answer that took longest, in nanoseconds.
    pub(super) slowest: Option<i64>,
    pub(super) codes: PerDirection<Option<Option<u16>>>,
    pub(super) end: End,
    pub(super) violations: u64,
    /// Something of it was selected.
    pub(super) selected: bool,
    /// It is a connection, and what it carries has rows.
    pub(super) carries_sessions: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Verdict(Verdict),
    /// A fatal alert: who sent it, and its name.
    Alert(Direction, &'static str),
    /// TLS that was not decrypted, and why.
    Undecrypted(&'static str),
    /// All was read, and there was no WebSocket.
    NoWebSocket,
}

/// A mean of times.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mean {
    count: u32,
    sum: i64,
}

impl Row {
    /// Bytes that a row takes, without its texts: with what a table needs for it.
    pub(super) const BYTES: usize = 2 * size_of::<Self>();

    pub(super) fn new(source: &Source, time: Timestamp) -> Self {
        Self {
            scheme: source.scheme,
            ..Self::begun([source.client, source.server], time)
        }
    }

    /// A connection of which nothing but TCP is known yet.
    pub(super) fn of_connection(view: &SegmentView<'_>, time: Timestamp) -> Self {
        let [a, b] = view.connection.endpoints;
        let ends = match view.connection.likely_client() {
            Side::A => [a, b],
            Side::B => [b, a],
        };
        Self {
            url: "TCP".into(),
            selected: true,
            ..Self::begun(ends, time)
        }
    }

    fn begun([client, server]: [Endpoint; 2], time: Timestamp) -> Self {
        Self {
            client,
            server,
            scheme: Scheme::Ws,
            url: Box::default(),
            subprotocol: Box::default(),
            user: Box::default(),
            start: time,
            last: time,
            messages: PerDirection::default(),
            bytes: PerDirection::default(),
            pong: PerDirection::default(),
            slowest: None,
            codes: PerDirection::default(),
            end: End::Verdict(Verdict::StillOpen),
            violations: 0,
            selected: false,
            carries_sessions: false,
        }
    }

    pub(super) fn is_shown(&self) -> bool {
        self.selected && !self.carries_sessions
    }

    /// Bytes of its texts.
    pub(super) fn text_bytes(&self) -> usize {
        self.url.len() + self.subprotocol.len() + self.user.len()
    }

    /// It is of interest for how it ended.
    pub(super) fn is_abnormal(&self) -> bool {
        match self.end {
            End::Verdict(verdict) => verdict.is_abnormal(),
            End::Alert(..) => true,
            End::Undecrypted(_) | End::NoWebSocket => false,
        }
    }

    pub(super) fn duration(&self) -> i64 {
        self.last.since(self.start).max(0)
    }

    /// Something happened in the session.
    pub(super) fn hear(&mut self, record: &Record<'_>) {
        if !matches!(record.kind, RecordKind::SessionEnd(end) if was_over_before(end)) {
            self.last = self.last.max(record.at.time);
        }
        match record.kind {
            RecordKind::Handshake(handshake) => self.handshake(record.source, handshake),
            RecordKind::Message(message) => self.message(message),
            RecordKind::Violation { .. } => self.violations += 1,
            RecordKind::SessionEnd(end) => {
                self.end = End::Verdict(end.verdict);
                self.codes = end.close_codes;
            }
            _ => {}
        }
    }

    fn handshake(&mut self, source: &Source, handshake: &Handshake) {
        let request = &handshake.request;
        if let Some(span) = &request.span {
            self.start = self.start.min(span.first.time);
        }
        if !request.method.is_empty() {
            let mut url = String::new();
            let resource = request.resource();
            if resource.starts_with('/') {
                url.push_str(source.scheme.name());
                url.push_str("://");
                match request.host() {
                    Some(host) => url.push_str(shortened(host, URL_BYTES)),
                    None => url.push_str(&source.server.to_string()),
                }
            }
            let path = resource.split('?').next().unwrap_or_default();
            url.push_str(shortened(path, URL_BYTES));
            self.url = url.into();
        }
        if let Some(agreed) = &handshake.subprotocol {
            self.subprotocol = shortened(agreed, NAME_BYTES).into();
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        let direction = message.direction;
        self.start = self.start.min(message.span.first.time);
        self.messages[direction] += 1;
        self.bytes[direction] = self.bytes[direction].saturating_add(message.payload.length());
        if message.opcode == Opcode::Close && self.codes[direction].is_none() {
            self.codes[direction] = Some(message.close.map(|close| close.code));
        }
        for read in message.meaning {
            if let Some(answers) = &read.answers {
                match read.action {
                    Action::Pong => self.pong[direction.other()].add(answers.after),
                    _ => self.slowest = self.slowest.max(Some(answers.after)),
                }
            } else if self.user.is_empty()
                && let Some(ChatMeaning::Login { name, .. }) = ChatMeaning::of(read, direction)
            {
                let mut sent = Vec::new();
                name.copy_into(&mut sent, NAME_BYTES);
                self.user = String::from_utf8_lossy(&sent).into();
            }
        }
    }

    /// Something happened in the connection.
    pub(super) fn hear_connection(&mut self, record: &Record<'_>) {
        self.last = self.last.max(record.at.time);
        match record.kind {
            RecordKind::Tls(handshake) => {
                let name = handshake.server_name.as_deref().unwrap_or_default();
                let protocol = handshake.alpn.as_deref().unwrap_or_default();
                self.url = ["TLS", name, protocol]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .map(|part| shortened(part, URL_BYTES))
                    .collect::<Vec<_>>()
                    .join(" ")
                    .into();
            }
            RecordKind::TlsEnd(end) => {
                if &*self.url == "TCP" {
                    self.url = "TLS".into();
                }
                self.end = tls_end(end).unwrap_or(self.end);
            }
            RecordKind::Http2 { .. } if &*self.url == "TCP" => self.url = "HTTP/2".into(),
            _ => {}
        }
    }

    /// A segment of the connection.
    pub(super) fn segment(&mut self, view: &SegmentView<'_>, time: Timestamp) {
        self.last = self.last.max(time);
        let (segment, facts) = (view.segment, view.facts);
        let direction = match segment.source == self.client {
            true => Direction::ClientToServer,
            false => Direction::ServerToClient,
        };
        self.bytes[direction] += match facts.data {
            DataFact::InOrder | DataFact::OutOfOrder { .. } | DataFact::FillsGap { .. } => {
                segment.payload.wire_len as u64
            }
            DataFact::PartlyRetransmitted { new } => new,
            _ => 0,
        };
        let End::Verdict(end) = &mut self.end else { return };
        if facts.refused {
            *end = Verdict::Refused;
        } else if facts.reset && *end == Verdict::StillOpen {
            *end = Verdict::Reset;
        } else if facts.fin && *end == Verdict::StillOpen {
            *end = Verdict::Closed;
        }
    }
}

/// Whether nothing of the session came when its end was told: it was over, or given up, and what carried it was not seen to end.
fn was_over_before(end: &SessionEnd) -> bool {
    end.transport.is_cut() && matches!(end.how, How::Close | How::Idle | How::Evicted | How::Reused)
}

/// What TLS says of the end; `None` when it carried nothing.
fn tls_end(end: &TlsEnd) -> Option<End> {
    match (end.ended_by, end.alert, end.reason) {
        (Some((direction, alert)), ..) => Some(End::Alert(direction, alert.name)),
        // So the other side complains of a connection that ended without `close_notify`.
        (_, Some((_, alert)), _) if alert.fatal => Some(End::Verdict(Verdict::EndedWithoutClose)),
        (.., Some(reason)) => Some(End::Undecrypted(reason)),
        (.., None) => (end.decrypted.iter().sum::<u64>() > 0).then_some(End::NoWebSocket),
    }
}

/// The beginning of `text`.
fn shortened(text: &str, bytes: usize) -> &str {
    let short = escape::prefix(text.as_bytes(), bytes);
    &text[..short.len()]
}

impl Mean {
    fn add(&mut self, nanos: i64) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(nanos.max(0));
    }

    pub(super) fn nanos(self) -> Option<i64> {
        self.sum.checked_div(self.count.into())
    }
}
