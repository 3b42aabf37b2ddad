//! What TLS tells of itself.

use crate::base::{Direction, PerDirection};

/// What the two ends of a TLS connection agreed on, as far as it was seen: the event `tls` of the JSON view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsHandshake {
    /// The version as on the wire: 0x0303 is TLS 1.2, 0x0304 is TLS 1.3.
    pub version: Option<u16>,
    /// The cipher suite, as on the wire.
    pub cipher: Option<u16>,
    /// The registered name of the cipher suite, if it is one that we know.
    pub cipher_name: Option<&'static str>,
    /// Whom the client wanted to talk to (RFC 6066 §3).
    pub server_name: Option<Box<str>>,
    /// The application protocol (RFC 7301).
    pub alpn: Option<Box<str>>,
    /// An earlier session was resumed; `None` when what tells it was not seen.
    pub resumed: Option<bool>,
    /// Where the secrets came from that opened it: `keylog` or `capture`.
    pub keys: Option<&'static str>,
    /// The random of the ClientHello.
    pub client_random: Option<[u8; 32]>,
    /// The handshake was not captured.
    pub late: bool,
}

/// How much of a TLS connection was read: the event `tls-end` of the JSON view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsEnd {
    /// Bytes of encrypted records that were read.
    pub decrypted: PerDirection<u64>,
    /// Bytes of encrypted records that were not.
    pub undecrypted: PerDirection<u64>,
    /// Why nothing was read.
    pub reason: Option<&'static str>,
    /// The last alert but `close_notify`, and who sent it.
    pub alert: Option<(Direction, TlsAlert)>,
    /// The fatal alert that ended the connection, if one did, and who sent it.
    pub ended_by: Option<(Direction, TlsAlert)>,
}

/// An alert (RFC 8446 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsAlert {
    /// It ends the connection.
    pub fatal: bool,
    /// Its number.
    pub code: u8,
    /// Its registered name.
    pub name: &'static str,
}

/// What the records do that a packet completed. For narration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsPacket {
    /// There is a ClientHello.
    pub client_hello: bool,
    /// The server name in it.
    pub server_name: Option<Box<str>>,
    /// The first application protocol that it offers.
    pub alpn: Option<Box<str>>,
    /// A ServerHello: the version and the name of the cipher suite.
    pub server_hello: Option<(Option<u16>, Option<&'static str>)>,
    /// Records with handshake messages or ChangeCipherSpec.
    pub handshake: u32,
    /// Records with application data that were decrypted.
    pub data: u32,
    /// Encrypted records that were not decrypted.
    pub sealed: u32,
    /// The sender has changed its key.
    pub key_update: bool,
    /// An alert that could be read.
    pub alert: Option<TlsAlert>,
}
