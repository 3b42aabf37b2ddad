//! Why the server ends a connection, and the close frame that says so (RFC 6455 §7.4.1).

use axum::extract::ws::{CloseFrame, Utf8Bytes, close_code};

/// Why the server ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The server stops.
    Stopping,
    /// The client breaks the protocol.
    Protocol,
    /// The client sent text that is not UTF-8.
    NotUtf8,
    /// The client sent a message that is larger than any that could be accepted.
    TooBig,
    /// The client goes on sending although it has been told that it is too fast.
    Flooding,
    /// The client was silent, and did not even answer pings.
    Idle,
    /// The client does not read what it is sent.
    TooSlow,
}

impl CloseReason {
    /// The close code.
    pub(super) const fn code(self) -> u16 {
        match self {
            CloseReason::Stopping => close_code::AWAY,
            CloseReason::Protocol => close_code::PROTOCOL,
            CloseReason::NotUtf8 => close_code::INVALID,
            CloseReason::TooBig => close_code::SIZE,
            CloseReason::Flooding => close_code::POLICY,
            CloseReason::Idle => close_code::ERROR,
            CloseReason::TooSlow => close_code::AGAIN,
        }
    }

    /// The close reason, in English.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            CloseReason::Stopping => "the server stops",
            CloseReason::Protocol => "protocol error",
            CloseReason::NotUtf8 => "text is not UTF-8",
            CloseReason::TooBig => "message too big",
            CloseReason::Flooding => "flooding",
            CloseReason::Idle => "no answer to pings",
            CloseReason::TooSlow => "too slow to read",
        }
    }

    /// The close frame.
    pub(super) fn frame(self) -> CloseFrame {
        CloseFrame {
            code: self.code(),
            reason: Utf8Bytes::from_static(self.reason()),
        }
    }
}
