//! What there is to say of a packet, as data: no word of any language is here.

use super::story::Span;
use super::who::{Agent, Labelled, Party, Person, To, What};
use crate::base::{GapCause, Rule};
use crate::record::{Deflate, Opcode};

/// One thing that a packet does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// A ClientHello.
    TlsClientHello {
        /// Who sends it.
        from: Party,
        /// For which server; empty when it does not say.
        name: Span,
    },
    /// A ServerHello.
    TlsServerHello {
        /// Who sends it.
        from: Party,
        /// The version.
        version: &'static str,
        /// The cipher suite, if its name is known.
        suite: Option<&'static str>,
    },
    /// More of the handshake of TLS.
    TlsHandshake {
        /// Who sends it.
        from: Party,
    },
    /// Records that were decrypted, of which nothing else is told.
    TlsData {
        /// Who sends them.
        from: Party,
    },
    /// Records that were not decrypted.
    TlsSealed {
        /// Who sends them.
        from: Party,
        /// How many.
        records: u32,
    },
    /// An alert of TLS.
    TlsAlert {
        /// Who sends it.
        from: Party,
        /// Its registered name.
        name: &'static str,
    },
    /// An RST whose sequence number does not fit.
    ResetStray {
        /// Who sends it.
        from: Party,
        /// To whom.
        to: Party,
    },
    /// An RST that its receiver may not accept.
    ResetDoubtful {
        /// Who sends it.
        from: Party,
        /// To whom.
        to: Party,
    },
    /// HTTP/2 begins.
    Http2Preface {
        /// Who begins.
        from: Party,
    },
    /// HTTP/2's SETTINGS.
    Http2Settings {
        /// Whose.
        from: Party,
        /// They allow WebSocket in streams.
        allows: bool,
    },
    /// Data of an HTTP/2 stream.
    Http2Data {
        /// Who sends it.
        from: Party,
        /// On which stream.
        stream: u32,
        /// How many bytes.
        length: u32,
    },
    /// END_STREAM of an HTTP/2 stream, alone.
    Http2EndStream {
        /// Who has finished sending.
        from: Party,
        /// On which stream.
        stream: u32,
    },
    /// A request on an HTTP/2 stream.
    Http2Request {
        /// Who asks.
        from: Party,
        /// On which stream.
        stream: u32,
        /// For what: method and path.
        what: Span,
    },
    /// A response on an HTTP/2 stream.
    Http2Response {
        /// Who answers.
        from: Party,
        /// On which stream.
        stream: u32,
        /// With which status.
        status: u16,
    },
    /// What the body of a refusal says.
    RefusalBody(Span),
    /// Whom a proxy names as the client of the request that it passes on, and in which header.
    Forwarded(Span, &'static str),
    /// An extension was agreed upon that is not known.
    UnknownExtension(Span),
    /// A stream is reset.
    Http2Reset {
        /// By whom.
        from: Party,
        /// Which.
        stream: u32,
        /// The error code's name.
        code: &'static str,
    },
    /// No new streams are taken.
    Http2GoAway {
        /// By whom.
        from: Party,
        /// The error code's name.
        code: &'static str,
    },
    /// A frame that only serves the connection.
    Http2Control {
        /// Who sends it.
        from: Party,
        /// Its name.
        frame: &'static str,
    },
    /// A SYN.
    Syn {
        /// Who opens.
        client: Party,
        /// To whom.
        server: Party,
    },
    /// A SYN with ACK.
    SynAck {
        /// Who opened.
        client: Party,
        /// Who answers.
        server: Party,
    },
    /// The ACK that completes the handshake.
    HandshakeAck {
        /// Who opened.
        client: Party,
        /// To whom.
        server: Party,
    },
    /// The SYN was sent before.
    SynAgain {
        /// It has ACK as well.
        agrees: bool,
    },
    /// The connection was there before the capture.
    Late,
    /// WebSocket without a handshake seen.
    Inferred,
    /// The upgrade request.
    UpgradeRequest {
        /// From whom.
        client: Party,
        /// To whom.
        server: Party,
        /// Which browser it is.
        agent: Option<Agent>,
        /// What is asked for.
        target: Span,
    },
    /// The page that asks.
    Origin(Span),
    /// Subprotocols offered.
    OffersSubprotocol(Span),
    /// Extensions offered.
    OffersExtensions(Span),
    /// The server agrees.
    UpgradeAccepted {
        /// Who asked.
        client: Party,
        /// Who agrees.
        server: Party,
        /// Whether the answer fits the key.
        accept: Fit,
    },
    /// The server does not agree.
    UpgradeRefused {
        /// Who asked.
        client: Party,
        /// Who refuses.
        server: Party,
        /// With which status.
        status: u16,
        /// And which reason phrase.
        reason: Span,
    },
    /// The subprotocol agreed upon.
    Subprotocol(Span),
    /// The parameters of permessage-deflate agreed upon.
    Deflate(Deflate),
    /// An ACK that acknowledges something for the first time.
    Acked {
        /// Who has received it.
        by: Party,
        /// Who sent it.
        to: Party,
        /// What.
        what: What,
        /// And what came before that, when it is two things that arrive.
        before: Option<What>,
        /// How many more messages with it.
        more: u32,
        /// The packet does something else as well.
        also: bool,
    },
    /// An ACK for a part of a message that is on its way.
    AckedPart {
        /// Who has received it.
        by: Party,
        /// Who sent it.
        to: Party,
        /// How many bytes of the stream are new.
        bytes: u64,
        /// The packet does something else as well.
        also: bool,
    },
    /// An ACK for bytes of a connection that is no WebSocket, or of which nothing is known.
    AckedBytes {
        /// Who has received them.
        by: Party,
        /// How many.
        bytes: u64,
        /// The packet does something else as well.
        also: bool,
    },
    /// The packet's ACK only repeats what was acknowledged before.
    AckRepeats {
        /// The last thing that was.
        what: What,
    },
    /// An ACK that was sent before, and carries nothing.
    AckDuplicate {
        /// Who sends it.
        by: Party,
    },
    /// An ACK whose news are bytes behind others that are still missing (RFC 2018).
    AckSack {
        /// Who sends it.
        by: Party,
        /// The first of these bytes, from 1.
        begin: u64,
        /// Behind the last of them.
        end: u64,
    },
    /// An ACK older than one that was seen before it.
    AckOvertaken {
        /// Who sends it.
        by: Party,
    },
    /// The same as before, because the window is closed.
    AckClosed {
        /// Who sends it.
        by: Party,
    },
    /// An ACK that says nothing new.
    AckOnly {
        /// Who sends it.
        by: Party,
    },
    /// An ACK of bytes that the capture does not hold.
    AckUnseen,
    /// A client asks to be known by a name.
    Login {
        /// Who.
        client: Party,
        /// Whom.
        server: Party,
        /// The name.
        name: Span,
    },
    /// The list of users.
    UserList {
        /// From whom.
        server: Party,
        /// To whom.
        client: Party,
        /// The first names, one after the other, `\0` between them.
        names: Span,
        /// How many users in all.
        count: u64,
    },
    /// The answer to a login.
    LoginResult {
        /// From whom.
        server: Party,
        /// To whom.
        client: Party,
        /// Who that is now.
        person: Person,
    },
    /// Somebody else has come.
    LoginNotice {
        /// From whom.
        server: Party,
        /// To whom.
        client: Party,
        /// Who has come.
        person: Person,
    },
    /// Somebody has left.
    LogoutNotice {
        /// From whom.
        server: Party,
        /// To whom.
        client: Party,
        /// Who has left.
        person: Person,
    },
    /// A client says something.
    Say {
        /// Who.
        client: Party,
        /// Through whom.
        server: Party,
        /// To whom.
        to: To,
        /// What.
        content: Span,
    },
    /// The server passes it on to all.
    Forward {
        /// Who passes it on.
        server: Party,
        /// Who gets it.
        client: Party,
        /// Who said it.
        from: Person,
        /// What.
        content: Span,
        /// The one who gets it is the one who said it.
        own: bool,
    },
    /// The server passes on what was said to one.
    ForwardPrivate {
        /// Who passes it on.
        server: Party,
        /// Who gets it.
        client: Party,
        /// Who said it.
        from: Person,
        /// To whom it was said.
        to: Person,
        /// What.
        content: Span,
        /// A copy for the one who said it.
        own: bool,
    },
    /// Which delivery this is.
    Delivery {
        /// From 1.
        nth: u32,
        /// Of how many, when that is known (else 0).
        of: u32,
        /// Nanoseconds since it was said.
        after: i64,
        /// All of them are browsers.
        browsers: bool,
    },
    /// The last listener has it.
    SayDone {
        /// What was said.
        content: Span,
        /// How many there are.
        of: u32,
        /// Nanoseconds since it was said.
        after: i64,
        /// All of them are browsers.
        browsers: bool,
    },
    /// The one to whom it was said has it.
    PrivateDone {
        /// What was said.
        content: Span,
        /// Nanoseconds since it was said.
        after: i64,
    },
    /// Something that was said before has not come to somebody.
    Missed {
        /// What was said.
        content: Span,
        /// With which packet.
        packet: u64,
        /// Who has not got it: the first of them.
        who: Party,
        /// How many more.
        more: u32,
        /// It may still come: the capture ends.
        end: bool,
    },
    /// The same, and nobody got it.
    MissedByAll {
        /// What was said.
        content: Span,
        /// With which packet.
        packet: u64,
        /// It may still come: the capture ends.
        end: bool,
    },
    /// Somebody leaves before it has come.
    MissedLeaving {
        /// Who.
        who: Party,
        /// What was said.
        content: Span,
        /// With which packet.
        packet: u64,
    },
    /// The JSON that was just told of is none from that byte on.
    NotJson {
        /// The byte, from 1.
        at: u64,
    },
    /// A name occurs more than once in the JSON that was just told of.
    Repeated,
    /// The chat server refuses something.
    Refusal {
        /// Who refuses.
        server: Party,
        /// Whose wish.
        client: Party,
        /// Why.
        code: Span,
    },
    /// The application's own ping.
    AppPing {
        /// Who asks.
        from: Party,
        /// Whom.
        to: Party,
    },
    /// The answer to it.
    AppPong {
        /// Who answers.
        from: Party,
        /// Whom.
        to: Party,
        /// Nanoseconds since the question, when that was seen.
        after: Option<i64>,
    },
    /// A message of a generic protocol.
    Labelled {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
        /// What it is.
        message: Labelled,
        /// The identifier that ties requests and responses; empty when there is none.
        id: Span,
        /// Others come in the same message, and each is told.
        several: bool,
    },
    /// One more in the same message.
    AlsoLabelled {
        /// What it is.
        message: Labelled,
        /// As above.
        id: Span,
    },
    /// It answers a request.
    Answers {
        /// What was asked for; empty when that has no name.
        label: Span,
        /// With which packet.
        packet: u64,
        /// Nanoseconds since that.
        after: i64,
    },
    /// Any other message.
    Message {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
        /// What kind.
        opcode: Opcode,
        /// Application bytes.
        length: u64,
    },
    /// The dump shows it masked.
    Masked {
        /// That was said before, of another message of the connection.
        again: bool,
    },
    /// It was sent compressed.
    Compressed {
        /// Bytes sent.
        wire: u64,
        /// Bytes of the application.
        length: u64,
    },
    /// It came in several frames.
    Frames {
        /// How many.
        frames: u32,
    },
    /// It came in several packets.
    Packets {
        /// The first.
        first: u64,
        /// Nanoseconds since that.
        after: i64,
        /// The last is the current one.
        here: bool,
    },
    /// A part of it is missing.
    Incomplete,
    /// It never ended.
    Unfinished {
        /// The packet with its first byte.
        first: u64,
        /// Payload bytes that have come.
        received: u64,
        /// Of how many, when that is known.
        total: Option<u64>,
    },
    /// What follows came with an earlier packet, and could not be read until now.
    Earlier {
        /// Which.
        packet: u64,
        /// It was not known to be WebSocket.
        recognised: bool,
    },
    /// What follows is of this connection.
    OfConnection {
        /// Its client.
        client: Party,
        /// Its server.
        server: Party,
    },
    /// A message has begun or gone on.
    Part {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
        /// Frames of the message so far, this one included.
        frames: u32,
        /// Payload bytes of the frame so far.
        received: u64,
        /// Of how many; `None` when the header is incomplete.
        total: Option<u64>,
        /// The packet with the first byte, when it is not this one.
        since: Option<u64>,
    },
    /// A fragment is complete, its message is not.
    Fragment {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
        /// What kind.
        opcode: Opcode,
        /// Frames so far.
        frames: u32,
    },
    /// A ping.
    Ping {
        /// Who asks.
        from: Party,
        /// Whom.
        to: Party,
        /// Bytes it carries.
        length: u64,
    },
    /// A pong.
    Pong {
        /// Who answers.
        from: Party,
        /// Whom.
        to: Party,
        /// Nanoseconds since its ping; `None` when nobody asked, as far as was seen.
        after: Option<i64>,
        /// The packet of the ping.
        ping: u64,
    },
    /// A close frame.
    Close {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
        /// The code.
        code: Option<u16>,
        /// The reason; empty when there is none.
        reason: Span,
        /// It answers one.
        answer: bool,
    },
    /// FIN.
    Fin {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
        /// The other side has sent its own before.
        second: bool,
        /// No close frame went before, though it is a WebSocket.
        bare: bool,
    },
    /// The FIN is acknowledged.
    FinAcked {
        /// By whom.
        by: Party,
        /// Both are: the connection is closed.
        last: bool,
    },
    /// RST.
    Reset {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
        /// The closing handshake (or both FINs) went before: nothing is lost by it.
        late: bool,
    },
    /// RST in answer to a SYN.
    Refused {
        /// Who refuses.
        from: Party,
        /// Who asked.
        to: Party,
    },
    /// Bytes of something that is no WebSocket.
    Data {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
        /// How many.
        length: u64,
    },
    /// Bytes that were sent before.
    Retransmission {
        /// By whom.
        from: Party,
        /// Some bytes are new, this many.
        new: u64,
        /// The bytes are others than the first time.
        different: bool,
    },
    /// The same packet was captured before.
    Duplicate,
    /// Bytes before it are missing.
    OutOfOrder {
        /// From whom.
        from: Party,
        /// How many are missing.
        missing: u64,
    },
    /// It fills a gap.
    Fills {
        /// Bytes that waited for it.
        released: u64,
    },
    /// TCP's keep-alive.
    KeepAlive {
        /// From whom.
        from: Party,
        /// To whom.
        to: Party,
    },
    /// A probe of a closed window.
    WindowProbe {
        /// From whom.
        from: Party,
        /// Whose window.
        to: Party,
    },
    /// Outside of anything that could be valid.
    OutOfWindow,
    /// The window has closed.
    WindowClosed {
        /// Whose.
        by: Party,
    },
    /// The window is open again.
    WindowOpened {
        /// Whose.
        by: Party,
        /// How far.
        bytes: u64,
    },
    /// The window has another size, and nothing else is new.
    WindowUpdate {
        /// Whose.
        by: Party,
        /// How far.
        bytes: u64,
    },
    /// Bytes are missing.
    Gap {
        /// Whose.
        from: Party,
        /// How many.
        length: u64,
        /// Why.
        cause: GapCause,
    },
    /// A rule is broken.
    Violation {
        /// By whom.
        by: Party,
        /// Which.
        rule: Rule,
        /// What shows it, in words that need no translation; empty when the rule says all.
        about: Span,
    },
    /// The session is over.
    Ended {
        /// Its number.
        session: u64,
        /// Its client.
        client: Party,
        /// How: its place in the list of ends that the story keeps.
        end: u32,
    },
}

impl Note {
    /// It is about something said that has not come to somebody.
    pub(super) const fn is_missed(&self) -> bool {
        matches!(
            self,
            Note::Missed { .. } | Note::MissedByAll { .. } | Note::MissedLeaving { .. }
        )
    }

    /// When it is told.
    pub const fn told(&self) -> Told {
        match self {
            Note::Message { .. }
            | Note::Labelled { several: false, .. }
            | Note::AppPing { .. }
            | Note::AppPong { .. }
            | Note::Ping { .. }
            | Note::Pong { .. }
            | Note::Part { since: None, .. }
            | Note::Fragment { .. }
            | Note::Data { .. }
            | Note::TlsSealed { .. }
            | Note::TlsData { .. }
            | Note::TlsHandshake { .. }
            | Note::AckedPart { also: false, .. }
            | Note::AckedBytes { also: false, .. }
            | Note::AckUnseen
            | Note::Retransmission { .. }
            | Note::Duplicate
            | Note::OutOfOrder { .. }
            | Note::Fills { .. }
            | Note::KeepAlive { .. }
            | Note::WindowProbe { .. }
            | Note::OutOfWindow
            | Note::Fin { .. }
            | Note::FinAcked { .. } => Told::Alone,
            // What the documents say of the packets that they show.
            Note::Acked {
                also: true,
                what: What::UpgradeRequest | What::Login(_) | What::Say(_),
                ..
            } => Told::Always,
            Note::Acked { also: true, .. }
            | Note::AckedPart { also: true, .. }
            | Note::AckedBytes { also: true, .. }
            | Note::AckDuplicate { .. }
            | Note::AckSack { .. }
            | Note::AckOvertaken { .. }
            | Note::AckClosed { .. }
            | Note::AckOnly { .. }
            | Note::WindowUpdate { .. }
            | Note::Part { since: Some(_), .. }
            | Note::Masked { again: true }
            | Note::Compressed { .. }
            | Note::Frames { .. }
            | Note::OffersExtensions(_) => Told::Verbose,
            Note::Acked { what, .. } if !what.is_documented() => Told::Alone,
            _ => Told::Always,
        }
    }
}

/// Whether `Sec-WebSocket-Accept` fits the key (RFC 6455 §4.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It is missing.
    Missing,
    /// The request has no key that it could fit.
    NoKey,
    /// Too little of the two was captured to tell.
    Unseen,
    /// Over HTTP/2 there is neither: the status says it (RFC 8441 §5).
    NotNeeded {
        /// Of the response: 200, or another 2xx.
        status: u16,
    },
}

/// When a note is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Always, unless only titles are.
    Always,
    /// When nothing else is told of the packet, or all is.
    Alone,
    /// When all is.
    Verbose,
}
