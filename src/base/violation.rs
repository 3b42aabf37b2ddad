//! What breaks a rule of an RFC: a value, not an error.

use std::borrow::Cow;

/// One breach of one rule, seen on the wire. Decoding goes on after it: an observer shows what it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// What was seen, in English, in plain characters: nothing captured is quoted unescaped.
    pub detail: Cow<'static, str>,
    /// What shows it, in the words of the protocol, which are the same in all languages: `RSV2`, `Sec-WebSocket-Key`, `1005`.
    /// Empty when the rule says all. Plain characters as well.
    pub about: Cow<'static, str>,
}

impl Violation {
    /// A breach of `rule`; `detail` says what was seen.
    pub fn new(rule: Rule, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            rule,
            detail: detail.into(),
            about: Cow::Borrowed(""),
        }
    }

    /// The same, shown by `about`.
    #[must_use]
    pub fn about(mut self, about: impl Into<Cow<'static, str>>) -> Self {
        self.about = about.into();
        self
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $rfc:literal;)*) => {
        /// The rules that are watched. The ids are stable: scripts depend on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $($(#[$doc])* $variant,)* }

        impl Rule {
            /// All of them, in the order of the RFCs.
            pub const ALL: &[Rule] = &[$(Rule::$variant,)*];

            /// The stable id, such as `ws.unmasked-client-frame`.
            pub const fn id(self) -> &'static str {
                match self { $(Rule::$variant => $id,)* }
            }

            /// The RFC and section that are broken, such as `RFC 6455 §5.1`; none where it is the user who makes the rule.
            pub const fn rfc(self) -> Option<&'static str> {
                let rfc = match self { $(Rule::$variant => $rfc,)* };
                if rfc.is_empty() { None } else { Some(rfc) }
            }
        }
    };
}

rules! {
    /// Two copies of the same bytes of a stream differ: damaged, or forged by somebody. Those that the receiver took count, as far as that
    /// can be known.
    DifferentBytes = "tcp.different-bytes", "RFC 9293 §3.10.7.4";
    /// Urgent data, which receivers take out of the stream or not: what they read may be a byte shorter than what is shown.
    UrgentData = "tcp.urgent-data", "RFC 9293 §3.8.5";
    /// A request or response has a head longer than anybody has to read, and than we do.
    HeadTooLong = "http.head-too-long", "RFC 9110 §5.4";
    /// A request or response has a head that does not keep to HTTP/1.1's grammar.
    HeadSyntax = "http.head-syntax", "RFC 9112 §2.1";
    /// The request is not a well-formed WebSocket opening handshake.
    HandshakeRequest = "http.handshake-request", "RFC 6455 §4.1";
    /// `Sec-WebSocket-Version` is not 13.
    HandshakeVersion = "http.handshake-version", "RFC 6455 §4.1";
    /// The 101 response is not a well-formed answer to the opening handshake.
    HandshakeResponse = "http.handshake-response", "RFC 6455 §4.2.2";
    /// The handshake is that of a draft before RFC 6455.
    DraftHandshake = "http.draft-handshake", "RFC 6455 §4.2.2";
    /// `Sec-WebSocket-Accept` is absent from a 101 response.
    AcceptMissing = "http.accept-missing", "RFC 6455 §4.2.2";
    /// `Sec-WebSocket-Accept` does not follow from the key.
    AcceptInvalid = "http.accept-invalid", "RFC 6455 §4.2.2";
    /// The server agreed to a subprotocol that the client did not offer.
    SubprotocolNotOffered = "http.subprotocol-not-offered", "RFC 6455 §4.1";
    /// The server agreed to an extension that the client did not offer.
    ExtensionNotOffered = "http.extension-not-offered", "RFC 6455 §9.1";
    /// `Sec-WebSocket-Extensions` does not follow its grammar.
    ExtensionSyntax = "http.extension-syntax", "RFC 6455 §9.1";
    /// Parameters of an extension that its RFC does not allow.
    ExtensionParameter = "http.extension-parameter", "RFC 7692 §7.1";
    /// A frame is longer than its receiver allows.
    Http2FrameSize = "http2.frame-size", "RFC 9113 §4.2";
    /// A field block does not follow HPACK.
    Http2Compression = "http2.compression", "RFC 9113 §4.3";
    /// Padding is longer than its frame.
    Http2Padding = "http2.padding", "RFC 9113 §6.1";
    /// A field block is longer, or in more pieces, than anybody has to read, and than we do.
    Http2FieldBlock = "http2.field-block-too-long", "RFC 9113 §10.5.1";
    /// More streams are open at once than anybody has to allow, and than we follow.
    Http2TooManyStreams = "http2.too-many-streams", "RFC 9113 §5.1.2";
    /// A client sent a frame without a mask.
    UnmaskedClientFrame = "ws.unmasked-client-frame", "RFC 6455 §5.1";
    /// A server sent a frame with a mask.
    MaskedServerFrame = "ws.masked-server-frame", "RFC 6455 §5.1";
    /// A reserved bit without an extension that gives it a meaning.
    ReservedBit = "ws.reserved-bit", "RFC 6455 §5.2";
    /// An opcode that no RFC defines.
    ReservedOpcode = "ws.reserved-opcode", "RFC 6455 §5.2";
    /// A payload length in more bytes than it needs.
    NonMinimalLength = "ws.non-minimal-length", "RFC 6455 §5.2";
    /// A 64-bit payload length with its top bit set.
    LengthTopBit = "ws.length-top-bit", "RFC 6455 §5.2";
    /// A continuation frame with nothing to continue.
    ContinuationWithoutStart = "ws.continuation-without-start", "RFC 6455 §5.4";
    /// A new data frame before the message before it has ended.
    NewMessageInsideOne = "ws.new-message-inside-one", "RFC 6455 §5.4";
    /// A control frame of more than 125 bytes.
    ControlTooLong = "ws.control-too-long", "RFC 6455 §5.5";
    /// A control frame without FIN.
    ControlFragmented = "ws.control-fragmented", "RFC 6455 §5.5";
    /// A close frame of a single byte.
    CloseOneByte = "ws.close-one-byte", "RFC 6455 §5.5.1";
    /// A data frame after the sender's close frame.
    DataAfterClose = "ws.data-after-close", "RFC 6455 §5.5.1";
    /// A close code that may not be sent, or that nobody has registered.
    CloseCode = "ws.close-code", "RFC 6455 §7.4";
    /// A text message that is not UTF-8.
    InvalidUtf8 = "ws.invalid-utf8", "RFC 6455 §8.1";
    /// A close reason that is not UTF-8.
    CloseReasonUtf8 = "ws.close-reason-utf8", "RFC 6455 §5.5.1";
    /// A compressed message that does not inflate.
    InflateFailed = "ws.inflate-failed", "RFC 7692 §7.2.2";
    /// A compressed message ends inside of a deflate block.
    DeflateInsideBlock = "ws.deflate-inside-block", "RFC 7692 §7.2.1";
    /// RSV1 on a frame on which permessage-deflate does not allow it.
    CompressedBitMisplaced = "ws.compressed-bit-misplaced", "RFC 7692 §6.1";
    /// An answer came later than the user wants.
    LateAnswer = "app.late-answer", "";
    /// A request was never answered.
    NoAnswer = "app.no-answer", "";
}
