//! How much a stranger can make us keep.

/// The bounds. Each has a default, a flag of the command line, and an event or a note when it bites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections known at once; half-open ones are given up first, then those that are over, then those that do not speak WebSocket, then
    /// the longest idle.
    pub flows: usize,
    /// Bytes of one direction that wait behind a gap for their turn.
    pub waiting_bytes: usize,
    /// Bytes that wait behind gaps in all connections together; half as many of heads that are not complete or wait for their
    /// response, and half as many of what waits for a response or to be recognised.
    pub waiting_total: usize,
    /// Bytes of fragmented IP datagrams kept, in all.
    pub fragment_bytes: usize,
    /// Seconds until an incomplete IP datagram is given up (RFC 791 §3.2 and RFC 8200 §4.5 give 15 to 60).
    pub fragment_seconds: u32,
    /// Bytes of an HTTP head (request or response, RFC 9112 §2.1).
    pub head_bytes: usize,
    /// Application bytes of one message that are kept; more are counted, not kept.
    pub message_bytes: usize,
    /// Bytes of all messages together that have begun and not ended. When they reach it, each still has its fair share.
    pub message_total: usize,
    /// Bytes that one message may become when it is inflated.
    pub inflated_bytes: usize,
    /// Bytes of what compressed messages refer back to (RFC 7692 §7.1.1), of all directions together. When they reach it, histories are
    /// given up: first those that were cheap to send, then those used longest ago.
    pub history_total: usize,
    /// Seconds of silence after which a connection is given up.
    pub idle_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 100_000,
            waiting_bytes: 1 << 20,
            waiting_total: 64 << 20,
            fragment_bytes: 4 << 20,
            fragment_seconds: 30,
            head_bytes: 64 << 10,
            message_bytes: 16 << 20,
            message_total: 64 << 20,
            inflated_bytes: 16 << 20,
            history_total: 96 << 20,
            idle_seconds: 86_400,
        }
    }
}
