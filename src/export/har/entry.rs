//! One entry: a session, up to its messages, and what follows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::annotate::texts;
use crate::base::{Direction, Timestamp};
use crate::export::escape::mostly_escapes;
use crate::export::put::{counted, json_string, number, put};
use crate::export::stripped::Stripped;
use crate::export::url::{self, url};
use crate::export::utc::Utc;
use crate::record::{Handshake, Message, Opcode, Record, Request, Response, SessionEnd, Source};

/// An entry that is not at its end.
#[derive(Default)]
pub(super) struct Entry {
    /// What is not in the output yet: the beginning up to the messages, and the messages.
    pub(super) held: Vec<u8>,
    /// Something of it was selected.
    pub(super) wanted: bool,
    /// Messages that are told.
    pub(super) messages: u64,
    /// Messages of which not all was captured.
    pub(super) incomplete: u64,
    /// Text messages that are not UTF-8.
    garbled: u64,
    /// Text messages that stand there as binary ones.
    as_binary: u64,
    /// Messages for which there was no room.
    pub(super) left_out: u64,
    /// Credentials that were left out.
    pub(super) stripped: u64,
    what: What,
    /// When the upgrade was asked for, and answered; or the first event.
    begun: Timestamp,
    answered: Timestamp,
    end: Option<(Timestamp, String)>,
}

/// What was seen of the handshake.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum What {
    #[default]
    Missed,
    NoRequest,
    Unanswered,
    Answered,
}

/// Which messages have a place in `_webSocketMessages`.
pub(super) const fn is_told(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Text | Opcode::Binary)
}

impl Entry {
    /// Begins with the handshake, or without it when it was not captured.
    pub(super) fn new(record: &Record<'_>, handshake: Option<&Handshake>, with_secrets: bool, utc: &mut Utc) -> Self {
        let mut handshake = handshake.cloned();
        let stripped = match &mut handshake {
            Some(handshake) if !with_secrets => Stripped::of(handshake).count,
            _ => 0,
        };
        let response = handshake.as_ref().and_then(|handshake| handshake.response.as_ref());
        let request = handshake.as_ref().map(|handshake| &handshake.request);
        let asked = request.and_then(|request| request.span).map(|span| span.first.time);
        let mut entry = Self {
            stripped,
            what: match (&request, &response) {
                (None, _) => What::Missed,
                (Some(request), _) if request.method.is_empty() => What::NoRequest,
                (Some(_), None) => What::Unanswered,
                (Some(_), Some(_)) => What::Answered,
            },
            begun: asked.unwrap_or(record.at.time),
            answered: record.at.time,
            ..Self::default()
        };
        let out = &mut entry.held;
        put(out, "{\"startedDateTime\":\"");
        utc.write(out, entry.begun);
        put(out, "\",\"request\":");
        self::request(out, record.source, request.unwrap_or(&Request::default()), with_secrets);
        put(out, ",\"response\":");
        self::response(
            out,
            record.source,
            response.unwrap_or(&Response::default()),
            with_secrets,
        );
        put(out, ",\"cache\":{},\"serverIPAddress\":");
        json_string(out, &record.source.server.addr.to_string());
        put(out, ",\"connection\":\"");
        number(out, record.source.connection.0);
        put(out, "\",\"_resourceType\":\"websocket\",\"_webSocketMessages\":[");
        entry
    }

    /// Bytes of memory that it holds.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.held.len()
    }

    /// One more message is told.
    pub(super) fn count(&mut self, written: Written) {
        self.messages += 1;
        match written {
            Written::Whole => {}
            Written::Garbled => self.garbled += 1,
            Written::AsBinary => self.as_binary += 1,
        }
    }

    /// The session has ended.
    pub(super) fn end(&mut self, time: Timestamp, end: &SessionEnd) {
        let mut verdict = Vec::new();
        texts::english().verdict(end, &mut verdict);
        self.end = Some((time, String::from_utf8_lossy(&verdict).into_owned()));
    }

    /// Writes what follows the messages.
    pub(super) fn finish(self, out: &mut Vec<u8>) {
        let (end, verdict) = self.end.unwrap_or((self.answered, String::new()));
        let wait = self.answered.since(self.begun).max(0).unsigned_abs();
        let receive = end.since(self.answered).max(0).unsigned_abs();
        put(out, "],\"time\":");
        milliseconds(out, wait.saturating_add(receive));
        put(out, ",\"timings\":{\"send\":0,\"wait\":");
        milliseconds(out, wait);
        put(out, ",\"receive\":");
        milliseconds(out, receive);
        put(out, "},\"comment\":");
        let mut comment = match self.what {
            What::Missed => "The handshake was not captured. ",
            What::NoRequest => "The request was not captured. ",
            What::Unanswered => "No answer to the request was captured. ",
            What::Answered => "",
        }
        .to_owned();
        comment.push_str(&verdict);
        let notes = [
            (self.incomplete, "message", "left out: not all of it was captured"),
            (
                self.left_out,
                "message",
                "left out: there was no more room (--max-memory)",
            ),
            (self.garbled, "text message", "not UTF-8: U+FFFD stands for what is not"),
            (
                self.as_binary,
                "text message",
                "told as binary: as text, its control characters would take several times its length",
            ),
            (self.stripped, "credential", "left out of the handshake"),
        ];
        for (count, what, why) in notes {
            if count > 0 {
                comment.push_str(&format!(" {} {why}.", counted(count, what)));
            }
        }
        json_string(out, comment.trim());
        put(out, "}");
    }
}

/// How a message stands in its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// As it was sent.
    Whole,
    /// Text that is not UTF-8, as text.
    Garbled,
    /// Text as if it were binary: it is long, and so much of it would be escapes that it would be several times as long.
    AsBinary,
}

/// Writes a message.
pub(super) fn message(out: &mut Vec<u8>, utc: &Utc, time: Timestamp, message: &Message<'_>) -> Written {
    let bytes = message.payload.bytes;
    let (opcode, written) = match (message.opcode, message.text) {
        (Opcode::Text, _) if mostly_escapes(bytes) => (Opcode::Binary, Written::AsBinary),
        (Opcode::Text, None) if std::str::from_utf8(bytes).is_err() => (Opcode::Text, Written::Garbled),
        (opcode, _) => (opcode, Written::Whole),
    };
    put(
        out,
        match message.direction {
            Direction::ClientToServer => "{\"type\":\"send\",\"time\":",
            Direction::ServerToClient => "{\"type\":\"receive\",\"time\":",
        },
    );
    utc.write_seconds(out, time);
    put(out, ",\"opcode\":");
    number(out, opcode.bits().into());
    put(out, ",\"data\":");
    match (opcode, message.text) {
        (Opcode::Text, Some(text)) => json_string(out, text),
        (Opcode::Text, None) => json_string(out, &String::from_utf8_lossy(bytes)),
        _ => {
            out.push(b'"');
            put(out, &STANDARD.encode(bytes));
            out.push(b'"');
        }
    }
    put(out, "}");
    written
}

fn request(out: &mut Vec<u8>, source: &Source, request: &Request, with_secrets: bool) {
    put(out, "{\"method\":");
    let method = match request.method.as_str() {
        "" if source.stream.is_some() => "CONNECT",
        "" => "GET",
        method => method,
    };
    json_string(out, method);
    let url = url(source, request);
    put(out, ",\"url\":");
    json_string(out, &url);
    version(out, url::version(source, request.http_1_0));
    put(out, ",\"cookies\":");
    let cookies = request.header_values("cookie").flat_map(|value| value.split(';'));
    pairs(
        out,
        cookies
            .filter(|_| with_secrets)
            .map(|cookie| cookie.trim().split_once('=').unwrap_or(("", cookie.trim()))),
    );
    headers(out, &request.headers);
    put(out, ",\"queryString\":");
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    pairs(
        out,
        parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, ""))),
    );
    sizes(out, source, &request.range);
    put(out, ",\"bodySize\":0}");
}

fn response(out: &mut Vec<u8>, source: &Source, response: &Response, with_secrets: bool) {
    put(out, "{\"status\":");
    number(out, response.status.into());
    put(out, ",\"statusText\":");
    json_string(out, &response.reason);
    version(out, url::version(source, false));
    put(out, ",\"cookies\":");
    let cookies = response.header_values("set-cookie").filter(|_| with_secrets);
    let cookies = cookies.map(|cookie| cookie.split(';').next().unwrap_or_default().trim());
    pairs(
        out,
        cookies.map(|cookie| cookie.split_once('=').unwrap_or(("", cookie))),
    );
    headers(out, &response.headers);
    put(out, ",\"content\":{\"size\":");
    number(out, response.body_length);
    put(out, ",\"mimeType\":");
    json_string(out, response.header("content-type").unwrap_or("x-unknown"));
    if let Some(body) = &response.body {
        put(out, ",\"text\":");
        json_string(out, &String::from_utf8_lossy(body));
    }
    put(out, "},\"redirectURL\":");
    json_string(out, response.header("location").unwrap_or_default());
    sizes(out, source, &response.range);
    put(out, ",\"bodySize\":");
    number(out, response.body_length);
    put(out, "}");
}

fn version(out: &mut Vec<u8>, version: &str) {
    put(out, ",\"httpVersion\":");
    json_string(out, version);
}

/// The size of a head, where it is known: of what HPACK has compressed it is not.
fn sizes(out: &mut Vec<u8>, source: &Source, range: &std::ops::Range<u64>) {
    put(out, ",\"headersSize\":");
    if source.stream.is_some() || range.is_empty() {
        put(out, "-1");
    } else {
        number(out, range.end - range.start);
    }
}

fn headers(out: &mut Vec<u8>, headers: &[(String, String)]) {
    put(out, ",\"headers\":");
    pairs(out, headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
}

fn pairs<'t>(out: &mut Vec<u8>, pairs: impl Iterator<Item = (&'t str, &'t str)>) {
    out.push(b'[');
    for (n, (name, value)) in pairs.enumerate() {
        put(out, if n > 0 { ",{\"name\":" } else { "{\"name\":" });
        json_string(out, name);
        put(out, ",\"value\":");
        json_string(out, value);
        out.push(b'}');
    }
    out.push(b']');
}

/// Nanoseconds as milliseconds with three digits behind the point.
fn milliseconds(out: &mut Vec<u8>, nanos: u64) {
    let micros = nanos / 1_000;
    put(out, &format!("{}.{:03}", micros / 1_000, micros % 1_000));
}
