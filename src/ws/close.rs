//! Close frames (RFC 6455 §5.5.1, §7.4).

/// What a close frame says (RFC 6455 §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// The status code (RFC 6455 §7.4).
    pub code: u16,
    /// The reason; bytes that are not UTF-8 are left out from the first on.
    pub reason: &'a str,
}
