//! Whose a record is, and how sessions end.

use std::fmt;
use std::sync::Arc;

use crate::base::{Direction, Endpoint, PerDirection, Side, Timestamp};

/// A TCP connection's number: from 1, in the order of their first packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// A WebSocket session's number: from 1, in the order in which sessions were first named (by their upgrade request, a refused one
/// too, else when they were recognised). A connection over HTTP/2 carries any number of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `ws` or `wss`: whether TLS lies below (RFC 6455 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scheme {
    /// In the clear.
    #[default]
    Ws,
    /// In TLS.
    Wss,
}

impl Scheme {
    /// `ws` or `wss`.
    pub const fn name(self) -> &'static str {
        match self {
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        }
    }
}

/// What a PROXY protocol header or SOCKS said of who speaks with whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxied {
    /// The client behind the proxy, `192.0.2.1:4000`; empty when it was not said.
    pub client: String,
    /// The server that the client wants, by address or name; empty when it was not said.
    pub server: String,
    /// Who said so: `proxy-v1`, `proxy-v2`, `socks4`, `socks5`.
    pub by: &'static str,
}

/// Whose a record is: a session of a connection, or a connection alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The TCP connection.
    pub connection: ConnectionId,
    /// The WebSocket session, when it is one's.
    pub session: Option<SessionId>,
    /// The HTTP/2 stream that carries the session.
    pub stream: Option<u32>,
    /// Whether TLS lies below the session.
    pub scheme: Scheme,
    /// Who sent the upgrade, else the SYN, else who masks, else the higher port.
    pub client: Endpoint,
    /// The other one.
    pub server: Endpoint,
    /// Which [`Side`] of the connection the client is.
    pub client_side: Side,
    /// Its handshake was not seen: WebSocket was recognised from the frames.
    pub inferred: bool,
    /// The time of the packet with which the session begins: that of its request, else the one by which it was recognised.
    pub began: Timestamp,
    /// What a proxy said of the two ends.
    pub proxied: Option<Arc<Proxied>>,
}

impl Source {
    /// The session's number; 0 when the record is no session's.
    pub fn number(&self) -> u64 {
        self.session.map_or(0, |session| session.0)
    }

    /// In which direction `side` sends.
    #[inline]
    pub fn direction(&self, side: Side) -> Direction {
        if side == self.client_side {
            Direction::ClientToServer
        } else {
            Direction::ServerToClient
        }
    }

    /// Which side sends in `direction`.
    pub fn side(&self, direction: Direction) -> Side {
        match direction {
            Direction::ClientToServer => self.client_side,
            Direction::ServerToClient => self.client_side.other(),
        }
    }

    /// Who sends in `direction`.
    pub fn sender(&self, direction: Direction) -> Endpoint {
        match direction {
            Direction::ClientToServer => self.client,
            Direction::ServerToClient => self.server,
        }
    }
}

/// How what carried a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportEnd {
    /// Both directions of the connection ended with FIN; `by` sent the first one.
    Fin {
        /// Who.
        by: Side,
    },
    /// RST.
    Reset {
        /// Who sent it.
        by: Side,
    },
    /// END_STREAM on both sides of an HTTP/2 stream (RFC 9113 §5.1).
    EndStream {
        /// Who sent the first one.
        by: Side,
    },
    /// RST_STREAM (RFC 9113 §6.4).
    RstStream {
        /// Who sent it.
        by: Side,
        /// Its error code.
        code: u32,
    },
    /// GOAWAY (RFC 9113 §6.8), and the stream was not among those that go on.
    GoAway {
        /// Who sent it.
        by: Side,
        /// Its error code.
        code: u32,
    },
    /// A TLS alert that ends the connection (RFC 8446 §6).
    Alert {
        /// Who sent it.
        by: Side,
        /// Its description.
        description: u8,
    },
    /// Nothing came for [`crate::base::Limits::idle_seconds`].
    Idle,
    /// A bound was reached.
    Evicted,
    /// A new connection took its addresses and ports, or another session the connection.
    Reused,
    /// The capture ended first.
    CaptureEnd,
}

impl TransportEnd {
    /// It was not seen how the transport ends: what nobody has answered may still have been.
    pub const fn is_cut(self) -> bool {
        matches!(
            self,
            TransportEnd::CaptureEnd | TransportEnd::Idle | TransportEnd::Reused | TransportEnd::Evicted
        )
    }
}

/// What ended a session: `how` in the JSON view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum How {
    /// Both close frames were seen (RFC 6455 §7.1.4).
    Close,
    /// END_STREAM.
    EndStream,
    /// RST_STREAM.
    RstStream,
    /// GOAWAY.
    GoAway,
    /// A TLS alert.
    Alert,
    /// FIN.
    Fin,
    /// RST.
    Rst,
    /// The upgrade was refused.
    Refused,
    /// Nothing came for long.
    Idle,
    /// A bound was reached.
    Evicted,
    /// A new connection took its addresses and ports.
    Reused,
    /// The capture ended.
    CaptureEnd,
}

impl How {
    /// As in the JSON view: `close`, `end-stream` …
    pub const fn name(self) -> &'static str {
        match self {
            How::Close => "close",
            How::EndStream => "end-stream",
            How::RstStream => "rst-stream",
            How::GoAway => "goaway",
            How::Alert => "alert",
            How::Fin => "fin",
            How::Rst => "rst",
            How::Refused => "refused",
            How::Idle => "idle",
            How::Evicted => "evicted",
            How::Reused => "reused",
            How::CaptureEnd => "capture-end",
        }
    }
}

/// What is to be made of how a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// The upgrade was refused.
    Refused,
    /// The upgrade was never answered.
    Unanswered,
    /// It was given up because a bound was reached.
    Evicted,
    /// Both close frames, with codes 1000, 1001 or none.
    Closed,
    /// A close frame with another code, answered or not.
    ClosedWithError,
    /// One close frame, with 1000, 1001 or no code.
    CloseUnanswered,
    /// What was sent last was never acknowledged, however often it was sent.
    PeerVanished,
    /// RST, or RST_STREAM with an error.
    Reset,
    /// The transport ended without a close frame: what a browser reports as 1006.
    EndedWithoutClose,
    /// The end was not captured.
    NotSeen,
    /// The capture ended first.
    StillOpen,
}

impl Verdict {
    /// As in the JSON view: `refused`, `closed-with-error` …
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Refused => "refused",
            Verdict::Unanswered => "unanswered",
            Verdict::Evicted => "evicted",
            Verdict::Closed => "closed",
            Verdict::ClosedWithError => "closed-with-error",
            Verdict::CloseUnanswered => "close-unanswered",
            Verdict::PeerVanished => "peer-vanished",
            Verdict::Reset => "reset",
            Verdict::EndedWithoutClose => "ended-without-close",
            Verdict::NotSeen => "not-seen",
            Verdict::StillOpen => "still-open",
        }
    }

    /// Whether somebody should look at it.
    pub const fn is_abnormal(self) -> bool {
        !matches!(self, Verdict::Closed | Verdict::NotSeen | Verdict::StillOpen)
    }
}

/// How a session ended, and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionEnd {
    /// What ended it.
    pub how: How,
    /// How what carried it ended.
    pub transport: TransportEnd,
    /// Who sent the first close frame, else ended the transport first.
    pub by: Option<Direction>,
    /// What the first close frame of each side said: its code, or `None` inside when it had none.
    pub close_codes: PerDirection<Option<Option<u16>>>,
    /// Both sides sent a close frame (RFC 6455 §7.1.4); `None` when the capture does not hold all that could have been one.
    pub closing_handshake: Option<bool>,
    /// What is to be made of it.
    pub verdict: Verdict,
    /// Messages and control frames, complete ones and others.
    pub messages: PerDirection<u64>,
    /// Application bytes.
    pub bytes: PerDirection<u64>,
    /// Pings without their pong, by direction of the ping. What messages mean tells them.
    pub unanswered_pings: PerDirection<Unanswered>,
    /// The last that a direction carried is lost, or could not be read behind something that is lost.
    pub end_lost: PerDirection<bool>,
    /// The upgrade was refused with this status, or never answered (0).
    pub refused: Option<u16>,
    /// Who had sent FIN, or END_STREAM.
    pub fin: PerDirection<bool>,
    /// Who reset it.
    pub reset: Option<Direction>,
    /// Nanoseconds without data of the session before the end, where both the last of it and the end were seen.
    pub silence: Option<i64>,
    /// What was sent last and never acknowledged: the other side had vanished.
    pub unacknowledged: Option<Unacknowledged>,
    /// Whose receive window was closed at the end, and for how many nanoseconds it had been.
    pub window_closed: Option<(Direction, i64)>,
}

/// Bytes that were sent again and again, while nothing came from the other side any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unacknowledged {
    /// In which direction.
    pub direction: Direction,
    /// How often they were sent.
    pub times: u32,
    /// Nanoseconds from when they were first sent to the end.
    pub nanos: i64,
}

impl SessionEnd {
    /// `direction` may have gone on after what was seen of it.
    pub fn may_go_on(&self, direction: Direction) -> bool {
        self.transport.is_cut() && !self.fin[direction]
    }

    /// Messages and control frames, both ways.
    pub fn message_count(&self) -> u64 {
        self.messages.client_to_server + self.messages.server_to_client
    }

    /// Application bytes, both ways.
    pub fn byte_count(&self) -> u64 {
        self.bytes.client_to_server.saturating_add(self.bytes.server_to_client)
    }
}

/// Pings of one direction that got no pong, as far as that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unanswered {
    /// How many.
    pub count: u64,
    /// The packet that completed the first of them; 0 when there is none.
    pub first_packet: u64,
    /// There were others before, too many to be remembered: they may have got none either.
    pub more: bool,
}

#[cfg(test)]
impl SessionEnd {
    /// For tests: the end of a session in which nothing was said.
    pub(crate) fn after_nothing(how: How) -> Self {
        Self {
            how,
            transport: TransportEnd::CaptureEnd,
            by: None,
            close_codes: PerDirection::default(),
            closing_handshake: Some(false),
            verdict: Verdict::StillOpen,
            messages: PerDirection::default(),
            bytes: PerDirection::default(),
            unanswered_pings: PerDirection::default(),
            end_lost: PerDirection::default(),
            refused: None,
            fin: PerDirection::default(),
            reset: None,
            silence: None,
            unacknowledged: None,
            window_closed: None,
        }
    }
}
