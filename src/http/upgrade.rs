//! Request and response together: the opening handshake (RFC 6455 §4).

use super::{Deflate, Extension, Request, Response};

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

/// The opening handshake (RFC 6455 §4): `Upgrade` in DESIGN's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// What the client asked.
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
}
