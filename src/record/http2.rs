//! What HTTP/2 does, for narration (RFC 9113).

/// What a frame of HTTP/2 says, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Http2Frame {
    /// The client's connection preface (RFC 9113 §3.4).
    Preface,
    /// DATA.
    Data {
        /// Bytes of content.
        length: u32,
        /// The sender's side of the stream ends.
        end: bool,
    },
    /// HEADERS of a request; of what is not known nothing.
    Request {
        /// `:method`.
        method: Option<String>,
        /// `:path`.
        path: Option<String>,
        /// `:protocol` (RFC 8441 §4).
        protocol: Option<String>,
    },
    /// HEADERS of a response.
    Response {
        /// `:status`.
        status: u16,
    },
    /// HEADERS of which nobody knows what they say, or trailers.
    Fields,
    /// SETTINGS, with what it says of extended CONNECT (RFC 8441 §3).
    Settings {
        /// SETTINGS_ENABLE_CONNECT_PROTOCOL.
        enable_connect: Option<bool>,
    },
    /// SETTINGS with ACK.
    SettingsAck,
    /// PING.
    Ping {
        /// It answers one.
        ack: bool,
    },
    /// WINDOW_UPDATE.
    WindowUpdate {
        /// By how many bytes.
        increment: u32,
    },
    /// RST_STREAM.
    Reset {
        /// Its error code (RFC 9113 §7).
        code: u32,
    },
    /// GOAWAY.
    GoAway {
        /// The last stream that the sender deals with.
        last: u32,
        /// Its error code (RFC 9113 §7).
        code: u32,
    },
    /// Another one, by its type.
    Other(u8),
}

/// The name of an error code (RFC 9113 §7).
pub const fn http2_error_name(code: u32) -> Option<&'static str> {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    if (code as usize) < NAMES.len() {
        Some(NAMES[code as usize])
    } else {
        None
    }
}
