//! A frame's header (RFC 9113 §4.1): 9 bytes.
//!
//! ```text
//!  length(24)  type(8)  flags(8)  reserved(1) stream identifier(31)
//! ```

/// Its size in bytes.
pub(super) const HEADER: usize = 9;

/// What a client sends first (§3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A payload's largest size until the receiver allows more (§6.5.2).
pub(super) const DEFAULT_MAX_FRAME: u32 = 16_384;

pub(super) const DATA: u8 = 0x0;
pub(super) const HEADERS: u8 = 0x1;
pub(super) const PRIORITY: u8 = 0x2;
pub(super) const RST_STREAM: u8 = 0x3;
pub(super) const SETTINGS: u8 = 0x4;
pub(super) const PUSH_PROMISE: u8 = 0x5;
pub(super) const PING: u8 = 0x6;
pub(super) const GOAWAY: u8 = 0x7;
pub(super) const WINDOW_UPDATE: u8 = 0x8;
pub(super) const CONTINUATION: u8 = 0x9;
/// RFC 7838 §4, RFC 8336 §2.1, RFC 9218 §7.1.
const ALTSVC: u8 = 0xa;
const ORIGIN: u8 = 0xc;
const PRIORITY_UPDATE: u8 = 0x10;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
/// HEADERS begins with a priority.
pub(super) const HAS_PRIORITY: u8 = 0x20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FrameHeader {
    /// Of the payload.
    pub(super) length: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
    /// 0 is the connection itself.
    pub(super) stream: u32,
    reserved: bool,
}

impl FrameHeader {
    /// The header at the start of `bytes`; `None` when there are not enough.
    #[inline]
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, kind, flags, s @ ..] = bytes.first_chunk::<HEADER>()?;
        let stream = u32::from_be_bytes(s);
        Some(Self {
            length: u32::from_be_bytes([0, a, b, c]),
            kind,
            flags,
            stream: stream & 0x7fff_ffff,
            reserved: stream >> 31 != 0,
        })
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether the frame ends its sender's side of the stream.
    pub(super) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.has(END_STREAM)
    }

    /// How many bytes stand before the payload's content, or are all of it that is read: the pad length, a priority, the promised stream, or the
    /// fixed part of a control frame.
    pub(super) fn fixed(&self) -> u32 {
        let padded = u32::from(self.has(PADDED));
        match self.kind {
            DATA => padded,
            HEADERS => padded + if self.has(HAS_PRIORITY) { 5 } else { 0 },
            PUSH_PROMISE => padded + 4,
            PRIORITY => 5,
            SETTINGS => 6,
            RST_STREAM | WINDOW_UPDATE => 4,
            PING | GOAWAY => 8,
            _ => 0,
        }
    }

    /// Whether its content may end with padding.
    pub(super) fn may_be_padded(&self) -> bool {
        matches!(self.kind, DATA | HEADERS | PUSH_PROMISE) && self.has(PADDED)
    }

    /// How much likelier these bytes are as a header than by chance, in bits; `None` when they can be none. `max_length` is what its receiver allows,
    /// `is_open` knows the streams that are.
    ///
    /// Small numbers are everywhere, so that a stream nobody knows says less than its 31 bits, and what rows of zeros imitate says nothing.
    pub(super) fn evidence(&self, max_length: u32, is_open: impl Fn(u32) -> bool) -> Option<u32> {
        let (flags, length_fits, on_stream) = match self.kind {
            DATA => (END_STREAM | PADDED, true, true),
            HEADERS => (END_STREAM | END_HEADERS | PADDED | HAS_PRIORITY, self.length > 0, true),
            PRIORITY => (0, self.length == 5, true),
            RST_STREAM => (0, self.length == 4, true),
            SETTINGS => (
                ACK,
                self.length.is_multiple_of(6) && (self.length == 0 || !self.has(ACK)),
                false,
            ),
            PUSH_PROMISE => (END_HEADERS | PADDED, self.length > 4, true),
            PING => (ACK, self.length == 8, false),
            GOAWAY => (0, self.length >= 8, false),
            WINDOW_UPDATE => (0, self.length == 4, self.stream != 0),
            CONTINUATION => (END_HEADERS, self.length > 0, true),
            ALTSVC => (0, true, self.stream != 0),
            ORIGIN | PRIORITY_UPDATE => (0, true, false),
            _ => return None,
        };
        let fits = length_fits
            && on_stream == (self.stream != 0)
            && self.flags & !flags == 0
            && !self.reserved
            && self.length <= max_length
            && self.length >= self.fixed().min(if self.kind == SETTINGS { 0 } else { u32::MAX });
        if !fits {
            return None;
        }
        if self.length == 0
            && !(self.kind == SETTINGS && self.has(ACK))
            && !(self.has(END_STREAM) && is_open(self.stream))
        {
            return Some(0);
        }
        let length = match self.kind {
            PRIORITY | RST_STREAM | PING | WINDOW_UPDATE => 20,
            _ => (self.length.leading_zeros() - 8).min(10),
        };
        let stream = match self.stream {
            0 => 20,
            stream if is_open(stream) => 26,
            // Nobody pushes any more, and rows of numbers are full of these.
            stream if stream % 2 == 0 => return None,
            stream => (stream.leading_zeros() - 1).min(16),
        };
        Some(8 + (8 - flags.count_ones()) + length + stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(bytes: [u8; HEADER]) -> Option<u32> {
        FrameHeader::parse(&bytes)
            .unwrap()
            .evidence(DEFAULT_MAX_FRAME, |stream| stream == 5)
    }

    #[test]
    fn rfc9113_4_1_a_header() {
        let header = FrameHeader::parse(&[0, 1, 2, DATA, PADDED | END_STREAM, 0x80, 0, 1, 3, 9, 9]).unwrap();
        assert_eq!((header.length, header.stream, header.fixed()), (258, 259, 1));
        assert!(header.ends_stream() && header.may_be_padded());
        assert_eq!(FrameHeader::parse(&[0; 8]), None);
    }

    #[test]
    fn what_can_be_a_header() {
        let open = evidence([0, 0, 20, DATA, 0, 0, 0, 0, 5]).unwrap();
        let other = evidence([0, 0, 20, DATA, 0, 0, 0, 0, 7]).unwrap();
        assert!(open > 44 && other > 30 && other < 44, "{open} {other}");
        assert!(evidence([0, 0, 8, PING, ACK, 0, 0, 0, 0]).unwrap() > 44);
        // Rows of small numbers.
        assert_eq!(evidence([0, 0, 0, DATA, 0, 0, 0, 0, 1]), Some(0));
        assert_eq!(evidence([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]), Some(0));
        for bytes in [
            [0, 0, 0, DATA, 0, 0, 0, 0, 0],
            [0, 0, 20, DATA, 2, 0, 0, 0, 5],
            [0, 0, 20, DATA, 0, 0x80, 0, 0, 5],
            [1, 0, 20, DATA, 0, 0, 0, 0, 5],
            [0, 0, 9, PING, 0, 0, 0, 0, 0],
            [0, 0, 8, PING, 0, 0, 0, 0, 5],
            [0, 0, 7, SETTINGS, 0, 0, 0, 0, 0],
            [0, 0, 4, WINDOW_UPDATE, 1, 0, 0, 0, 5],
            [0, 0, 20, b'a', 0, 0, 0, 0, 5],
        ] {
            assert_eq!(evidence(bytes), None, "{bytes:?}");
        }
    }
}
