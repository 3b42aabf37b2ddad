//! Why the server ends a connection, and the close frame that says so (RFC 6455 §7.4.1).

use axum::extract::ws::{CloseFrame, Utf8Bytes, close_code};

/// Why the server ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goodbye {
    /// The server stops.
    Stopping,
    /// The client breaks the protocol.
    Protocol,
    /// The client sent text that is not UTF-8.
    NotUtf8,
    /// The client sent a message that is larger than any that could be granted.
    TooBig,
    /// The client goes on and on although it has been told that it is too fast.
    Flooding,
    /// The client was silent, and did not even answer pings.
    Idle,
    /// The client does not read what it is sent.
    TooSlow,
}

impl Goodbye {
    /// The close code.
    pub(super) const fn code(self) -> u16 {
        match self {
            Goodbye::Stopping => close_code::AWAY,
            Goodbye::Protocol => close_code::PROTOCOL,
            Goodbye::NotUtf8 => close_code::INVALID,
            Goodbye::TooBig => close_code::SIZE,
            Goodbye::Flooding => close_code::POLICY,
            Goodbye::Idle => close_code::ERROR,
            Goodbye::TooSlow => close_code::AGAIN,
        }
    }

    /// The close reason, in English.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Goodbye::Stopping => "the server stops",
            Goodbye::Protocol => "protocol error",
            Goodbye::NotUtf8 => "text is not UTF-8",
            Goodbye::TooBig => "message too big",
            Goodbye::Flooding => "flooding",
            Goodbye::Idle => "no answer to pings",
            Goodbye::TooSlow => "too slow to read",
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
