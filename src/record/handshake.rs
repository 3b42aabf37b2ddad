//! The opening handshake (RFC 6455 §4, RFC 8441), as it was on the wire.

use std::ops::Range;

use super::Span;

/// An HTTP/1.1 request head (RFC 9112). Bytes that are not UTF-8 stand as U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// `GET`, when it is a good upgrade. Empty when the request was not seen.
    pub method: String,
    /// The request target.
    pub target: String,
    /// Names and values as sent, in order; only the first ones when the capture does not hold the whole head.
    pub headers: Vec<(String, String)>,
    /// Where the head lies in the client's stream.
    pub range: Range<u64>,
    /// Where it came from, once it has left its layer.
    pub span: Option<Span>,
    /// The capture does not hold the whole head.
    pub cut: bool,
    /// It says HTTP/1.0.
    pub http_1_0: bool,
    /// It does not keep to the grammar of RFC 9112.
    pub odd: bool,
}

/// An HTTP/1.1 response head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status code; 101 when the connection was upgraded.
    pub status: u16,
    /// The reason phrase (RFC 9112 §4); empty over HTTP/2, which has none.
    pub reason: String,
    /// The beginning of the body, of a refusal.
    pub body: Option<Vec<u8>>,
    /// How long that body is, as far as it was captured.
    pub body_length: u64,
    /// Names and values as sent, in order; only the first ones when the capture does not hold the whole head.
    pub headers: Vec<(String, String)>,
    /// Where the head lies in the server's stream.
    pub range: Range<u64>,
    /// Where it came from, once it has left its layer.
    pub span: Option<Span>,
    /// The capture does not hold the whole head.
    pub cut: bool,
    /// It does not keep to the grammar of RFC 9112.
    pub odd: bool,
}

impl Request {
    /// The host that was asked for: `Host`, or over HTTP/2 `:authority` (RFC 9113 §8.3.1).
    pub fn host(&self) -> Option<&str> {
        self.header("host").or_else(|| self.header(":authority"))
    }

    /// What it asks for of that host: the target, an absolute one (RFC 9112 §3.2.2) without the scheme and host that it begins with.
    pub fn resource(&self) -> &str {
        match self.target.split_once("://") {
            Some((scheme, rest)) if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphabetic()) => {
                rest.find(['/', '?']).map_or("/", |at| &rest[at..])
            }
            _ => &self.target,
        }
    }

    /// The first value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        all(&self.headers, name).next()
    }

    /// All values of header `name`, in any case.
    pub fn header_values<'h, 'n>(&'h self, name: &'n str) -> impl Iterator<Item = &'h str> + use<'h, 'n> {
        all(&self.headers, name)
    }
}

impl Response {
    /// The first value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        all(&self.headers, name).next()
    }

    /// All values of header `name`, in any case.
    pub fn header_values<'h, 'n>(&'h self, name: &'n str) -> impl Iterator<Item = &'h str> + use<'h, 'n> {
        all(&self.headers, name)
    }
}

fn all<'h, 'n>(headers: &'h [(String, String)], name: &'n str) -> impl Iterator<Item = &'h str> + use<'h, 'n> {
    headers
        .iter()
        .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.as_str())
}

/// `Sec-WebSocket-Accept`, recomputed (RFC 6455 §4.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// It follows from the request's key.
    Valid,
    /// It does not.
    Invalid,
    /// It is absent, or there is no response, or no key.
    Missing,
}

/// The opening handshake (RFC 6455 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// What the client asked. Its method is empty when the capture does not hold the request.
    pub request: Request,
    /// What the server answered; `None` when it never did, or the capture does not hold it.
    pub response: Option<Response>,
    /// Whether the answer proves that it knows the key.
    pub accept: Accept,
    /// The subprotocol agreed upon.
    pub subprotocol: Option<String>,
    /// The extensions agreed upon, in order.
    pub extensions: Vec<Extension>,
    /// The agreed parameters of permessage-deflate, if that was agreed upon.
    pub deflate: Option<Deflate>,
    /// It is not known whether permessage-deflate was agreed upon: the headers that say it are lost.
    pub deflate_unknown: bool,
}

/// One extension of a `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its registered name.
    pub name: String,
    /// Its parameters, in order, with their values where they have one.
    pub parameters: Vec<(String, Option<String>)>,
}

impl Extension {
    /// Whether what it does to frames is known here.
    pub fn is_known(&self) -> bool {
        self.name == Deflate::EXTENSION
    }
}

/// The agreed parameters of permessage-deflate (RFC 7692 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflate {
    /// The server starts every message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client starts every message with an empty window.
    pub client_no_context_takeover: bool,
    /// The server's LZ77 window is 2 to the power of this, 8 to 15.
    pub server_max_window_bits: u8,
    /// The client's LZ77 window is 2 to the power of this, 8 to 15.
    pub client_max_window_bits: u8,
}

impl Deflate {
    /// The extension's registered name.
    pub const EXTENSION: &'static str = "permessage-deflate";
}

impl Default for Deflate {
    /// What an agreement without parameters means: takeover both ways, windows of 32 KB.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        }
    }
}
