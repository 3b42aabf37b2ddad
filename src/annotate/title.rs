//! What a packet is about, in one line.

use super::who::{Labelled, Person};
use crate::record::Opcode;

/// What a packet is about: its block's first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Title {
    /// Nothing in particular: a packet of a TCP connection.
    #[default]
    Tcp,
    /// TCP's opening handshake: step 1, 2 or 3.
    TcpHandshake(u8),
    /// The upgrade request.
    UpgradeRequest,
    /// The server has received it.
    UpgradeReceived,
    /// The server has agreed.
    UpgradeResponse,
    /// The server has not.
    UpgradeRefused,
    /// The client has received the response: WebSocket begins.
    UpgradeDone,
    /// A client asks to be known by a name.
    Login,
    /// The list of users.
    UserList {
        /// In answer to a login.
        login: bool,
    },
    /// The answer to a login.
    LoginResult,
    /// The client has the answer.
    LoginDone,
    /// Somebody has come.
    Joined,
    /// Somebody has left.
    Left,
    /// Something said to all, by somebody perhaps known.
    Say(Option<Person>),
    /// The same, and the last listener has it.
    SayDone(Option<Person>),
    /// Something said to one.
    Private(Option<Person>),
    /// The application's own ping.
    AppPing,
    /// The application's own pong.
    AppPong,
    /// The chat server refuses something.
    Refusal,
    /// A message of a generic protocol.
    Labelled(Labelled),
    /// A message or control frame.
    Message(Opcode),
    /// A part of one.
    Part {
        /// Payload bytes of the current frame so far.
        received: u64,
        /// Of how many, when that is known.
        total: Option<u64>,
        /// Frames of the message so far, this one included.
        frames: u32,
    },
    /// A close frame: the first, or the answer.
    Close {
        /// It answers one.
        answer: bool,
    },
    /// A FIN.
    Fin,
    /// A FIN is acknowledged.
    FinAcked,
    /// A RST.
    Reset,
    /// A RST in answer to a SYN.
    Refused,
    /// Sent before.
    Retransmission,
    /// Captured twice.
    Duplicate,
    /// Too early.
    OutOfOrder,
    /// TCP's keep-alive.
    KeepAlive,
    /// A probe of a closed window.
    WindowProbe,
    /// The window has closed.
    WindowClosed,
    /// The window is open again.
    WindowOpened,
    /// The window has another size, in bytes.
    Window(u64),
    /// An ACK that was sent before.
    AckRepeated,
    /// An ACK whose news are in its SACK block.
    AckSack {
        /// The first of these bytes, from 1.
        begin: u64,
        /// Behind the last of them.
        end: u64,
    },
    /// An ACK older than one that was seen before it.
    AckOvertaken,
    /// Only an ACK.
    Ack,
    /// Frames of HTTP/2 that are nobody's message.
    Http2,
    /// Records of TLS.
    Tls,
    /// The handshake of TLS.
    TlsHandshake,
    /// A reset that has no effect.
    ResetStray,
    /// A reset that may have none.
    ResetDoubtful,
    /// Bytes that are no WebSocket.
    Data,
    /// Bytes are missing.
    Gap,
    /// Sessions that end without a packet.
    How,
}
