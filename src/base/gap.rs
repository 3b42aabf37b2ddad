//! Bytes of a stream that will not come.

/// Bytes that a direction of a connection carried and that the decoder never gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Where it begins, as an offset in the direction's stream (0 is the byte after the SYN, or the first one seen).
    pub offset: u64,
    /// How many bytes are missing. At least 1.
    pub length: u64,
    /// Why.
    pub cause: GapCause,
}

/// Why bytes are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapCause {
    /// The segment is not in the capture.
    Lost,
    /// The packet was cut by the snapshot length.
    Snaplen,
    /// They were given up because a bound said so: we had them, or would not wait for them any longer.
    Evicted,
    /// They are encrypted, and no key is known that opens them.
    NoKey,
}

impl Gap {
    /// The length of a gap of which nobody knows how long it is: longer than any stream, and many of them fit into an offset.
    pub const UNKNOWN: u64 = 1 << 40;

    /// Whether nobody knows how long it is.
    pub const fn is_unknown(&self) -> bool {
        self.length >= Self::UNKNOWN
    }

    /// The offset of the first byte behind it.
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

impl GapCause {
    /// `lost`, `snaplen`, `evicted` or `no-key`, as in the JSON view.
    pub const fn name(self) -> &'static str {
        match self {
            GapCause::Lost => "lost",
            GapCause::Snaplen => "snaplen",
            GapCause::Evicted => "evicted",
            GapCause::NoKey => "no-key",
        }
    }
}
