//! What layers hand each other: bytes of one direction, and where they came from.

use std::ops::Range;

use crate::base::PacketRef;

/// Where something lies in a stream: `start..end`, and `Copy`, which [`std::ops::Range`] is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamRange {
    /// First offset.
    pub start: u64,
    /// First offset behind it.
    pub end: u64,
}

/// Where bytes came from, whatever lies between them and the wire: the packets that carried them, and a range of the TCP stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The earliest packet that carried any of them.
    pub first: PacketRef,
    /// The latest one.
    pub last: PacketRef,
    /// Which bytes of the direction's TCP stream carried them. Several spans share a range when one TLS record or HTTP/2 frame
    /// carried them all.
    pub tcp: StreamRange,
}

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
}

impl Span {
    /// What one packet carried.
    pub const fn packet(packet: PacketRef, tcp: StreamRange) -> Self {
        Self {
            first: packet,
            last: packet,
            tcp,
        }
    }

    /// Makes it cover `other` as well.
    #[inline]
    pub fn join(&mut self, other: &Span) {
        if other.first.packet < self.first.packet {
            self.first = other.first;
        }
        if other.last.packet > self.last.packet {
            self.last = other.last;
        }
        self.tcp.start = self.tcp.start.min(other.tcp.start);
        self.tcp.end = self.tcp.end.max(other.tcp.end);
    }

    /// The numbers of the first and the last packet.
    pub const fn packets(&self) -> (u64, u64) {
        (self.first.packet, self.last.packet)
    }
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
    }

    #[test]
    fn joined_spans_cover_both() {
        let mut span = Span::packet(packet(5), StreamRange { start: 10, end: 20 });
        span.join(&Span::packet(packet(3), StreamRange { start: 20, end: 30 }));
        assert_eq!((span.packets(), span.tcp), ((3, 5), StreamRange { start: 10, end: 30 }));
    }
}
