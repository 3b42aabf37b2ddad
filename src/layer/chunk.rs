//! What layers hand each other: bytes of one direction, and where they came from.

use std::ops::Range;

use crate::base::PacketRef;
use crate::record::{Span, StreamRange};

/// Bytes of one direction of a layer's stream.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Offset of the first byte in the direction's stream, of this layer: TCP's, or the plaintext's of TLS, or an HTTP/2 stream's.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where they came from.
    pub span: Span,
    /// The packet with which they could be read: a later one than they came in when they had to wait.
    pub at: PacketRef,
    /// They are all that one TLS record or one DATA frame holds, and so most likely what the sender wrote at once.
    pub whole: bool,
}

impl<'a> Chunk<'a> {
    /// Bytes of the TCP stream itself, which the packet `from` carried and which can be read with the packet `at`.
    pub const fn tcp(offset: u64, bytes: &'a [u8], from: PacketRef, at: PacketRef) -> Self {
        let tcp = StreamRange {
            start: offset,
            end: offset + bytes.len() as u64,
        };
        Self {
            offset,
            bytes,
            span: Span::packet(from, tcp),
            at,
            whole: false,
        }
    }

    /// A part of it. Its place in the TCP stream stays exact where these bytes are TCP's own.
    ///
    /// # Panics
    /// When `range` is not inside the bytes.
    #[inline]
    pub fn slice(&self, range: Range<usize>) -> Chunk<'a> {
        let tcp = self.span.tcp;
        let tcp = if tcp.end.wrapping_sub(tcp.start) == self.bytes.len() as u64 {
            StreamRange {
                start: tcp.start + range.start as u64,
                end: tcp.start + range.end as u64,
            }
        } else {
            tcp
        };
        Chunk {
            whole: self.whole && range.len() == self.bytes.len(),
            offset: self.offset + range.start as u64,
            bytes: &self.bytes[range],
            span: Span { tcp, ..self.span },
            at: self.at,
        }
    }

    /// What is left of it behind the first `count` bytes.
    #[inline]
    pub fn skip(&self, count: usize) -> Chunk<'a> {
        self.slice(count..self.bytes.len())
    }

    /// Offset of the first byte behind it.
    pub const fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn packet(packet: u64) -> PacketRef {
        PacketRef {
            packet,
            time: crate::base::Timestamp::from_nanos(0),
        }
    }

    #[test]
    fn a_slice_of_tcp_bytes_keeps_its_exact_place_and_one_of_a_record_the_record() {
        let tcp = StreamRange { start: 100, end: 104 };
        let span = Span::packet(packet(1), tcp);
        let (bytes, at) = (&b"abcd"[..], packet(1));
        let chunk = Chunk {
            offset: 7,
            bytes,
            span,
            at,
            whole: true,
        };
        let part = chunk.slice(1..3);
        assert_eq!(
            (part.offset, part.bytes, part.span.tcp),
            (8, &b"bc"[..], StreamRange { start: 101, end: 103 })
        );
        let tcp = StreamRange { start: 100, end: 126 };
        let record = Chunk {
            span: Span::packet(packet(1), tcp),
            ..chunk
        };
        assert_eq!(record.skip(2).span.tcp, tcp);
        assert!(record.skip(0).whole && !record.skip(2).whole);
    }
}
