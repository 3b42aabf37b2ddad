//! `Sec-WebSocket-Extensions` (RFC 6455 §9.1) and permessage-deflate's parameters (RFC 7692 §7.1).

/// One extension of a `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its registered name.
    pub name: String,
    /// Its parameters, in order, with their values where they have one.
    pub parameters: Vec<(String, Option<String>)>,
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
