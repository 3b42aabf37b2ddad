//! Bytes of which the capture may hold only the beginning.

/// The captured beginning of something that was `wire_len` bytes long on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Captured<'p> {
    /// What the capture holds. Not longer than `wire_len`, but for a packet of a damaged file.
    pub bytes: &'p [u8],
    /// How long it was on the wire, in bytes.
    pub wire_len: usize,
}

impl<'p> Captured<'p> {
    /// Of `wire_len` bytes, `bytes` were captured; surplus bytes (padding) are left off.
    pub fn new(bytes: &'p [u8], wire_len: usize) -> Self {
        Self {
            bytes: &bytes[..bytes.len().min(wire_len)],
            wire_len,
        }
    }

    /// All of it was captured.
    pub fn whole(bytes: &'p [u8]) -> Self {
        Self {
            bytes,
            wire_len: bytes.len(),
        }
    }

    /// How many bytes at the end the capture does not hold.
    pub fn missing(&self) -> usize {
        self.wire_len.saturating_sub(self.bytes.len())
    }
}
