//! What goes out: plaintext, what is missing of it, and facts.

use crate::base::{GapCause, PacketRef, Side};
use crate::layer::{Chunk, Span};

use super::alert::Alert;
use super::hello::{ClientHello, ServerHello};
use super::secrets::{KeySource, Random};
use super::suite::Suite;

/// Plaintext that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainGap {
    /// Where, in the direction's plaintext.
    pub offset: u64,
    /// How many bytes. `None`: that cannot be known.
    pub length: Option<u64>,
    /// Why. `None`: they are there, but no key opens them.
    pub cause: Option<GapCause>,
}

/// What a record holds (RFC 8446 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// ChangeCipherSpec: in TLS 1.3 it means nothing.
    ChangeCipherSpec,
    /// An alert.
    Alert,
    /// Handshake messages.
    Handshake,
    /// Application data; in TLS 1.3 anything that is encrypted and could not be opened.
    ApplicationData,
    /// Something else.
    Other,
}

impl Content {
    pub(super) const fn of(number: u8) -> Self {
        match number {
            20 => Content::ChangeCipherSpec,
            21 => Content::Alert,
            22 => Content::Handshake,
            23 => Content::ApplicationData,
            _ => Content::Other,
        }
    }
}

/// A record, as narration tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// What it holds, as far as that is known.
    pub content: Content,
    /// It was encrypted.
    pub encrypted: bool,
    /// It could be read.
    pub read: bool,
    /// Bytes of what it holds; of what was encrypted when it could not be read.
    pub length: usize,
}

/// What the two ends agreed on, as far as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed<'a> {
    /// Who the client is.
    pub client: Option<Side>,
    /// The version: 0x0303 is TLS 1.2, 0x0304 is TLS 1.3.
    pub version: Option<u16>,
    /// The cipher suite.
    pub suite: Option<Suite>,
    /// Whom the client wanted to talk to.
    pub server_name: Option<&'a str>,
    /// The application protocol.
    pub alpn: Option<&'a str>,
    /// An earlier session was resumed. `None`: what tells it was not seen.
    pub resumed: Option<bool>,
    /// Where the secrets came from that opened it.
    pub keys: Option<KeySource>,
    /// The random of the ClientHello.
    pub client_random: Option<&'a Random>,
    /// The handshake was not captured.
    pub late: bool,
}

/// Why nothing of a connection could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unread {
    /// The ClientHello was not captured, and no secret that is known opens a record by trying.
    NoClientHello,
    /// The ServerHello was not captured.
    NoServerHello,
    /// No secret of it is known.
    NoKeys,
    /// Secrets are known, and none opens a record.
    WrongKey,
    /// The version is none of those that we read.
    Version,
    /// The cipher suite is none of those that we read.
    Suite,
    /// No encrypted record was captured whole.
    Cut,
}

impl Unread {
    /// As in the JSON view: `no-client-hello` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Unread::NoClientHello => "no-client-hello",
            Unread::NoServerHello => "no-server-hello",
            Unread::NoKeys => "no-keys",
            Unread::WrongKey => "wrong-key",
            Unread::Version => "version",
            Unread::Suite => "suite",
            Unread::Cut => "cut",
        }
    }
}

/// How much of a connection was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of encrypted records that were read, by [`Side::index`].
    pub decrypted: [u64; 2],
    /// Bytes of encrypted records that were not.
    pub undecrypted: [u64; 2],
    /// Why nothing was read.
    pub unread: Option<Unread>,
    /// The last alert that was seen, but for `close_notify`, and who sent it.
    pub alert: Option<(Side, Alert)>,
    /// Trials ended because a bound said so.
    pub trials_exhausted: bool,
}

/// Something about a connection.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// A ClientHello.
    ClientHello(&'a ClientHello),
    /// A ServerHello or HelloRetryRequest.
    ServerHello(&'a ServerHello),
    /// A record, with where it came from.
    Record(Record, &'a Span),
    /// An alert that could be read.
    Alert(Alert),
    /// The sender has changed its key (RFC 8446 §4.6.3).
    KeyUpdate,
    /// What the two ends agreed on: told once, before the first plaintext, or else at the end.
    Agreed(&'a Agreed<'a>),
    /// The connection is over. Told last.
    End(&'a Totals),
}

/// Who takes in what a connection says.
pub trait Output {
    /// The next bytes of a direction's plaintext.
    fn data(&mut self, side: Side, chunk: Chunk<'_>);

    /// Plaintext is missing before what comes next.
    fn gap(&mut self, side: Side, gap: PlainGap, at: PacketRef);

    /// The direction has ended, with a reset or a FIN; all that could be read was told before.
    fn end(&mut self, side: Side, reset: bool, at: PacketRef);

    /// Something about the connection, or a record that `side` has sent.
    fn fact(&mut self, side: Side, at: PacketRef, fact: Fact<'_>);
}
