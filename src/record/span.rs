//! Where things that were read came from.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    const fn packet(packet: u64) -> PacketRef {
        PacketRef {
            packet,
            time: Timestamp::from_nanos(0),
        }
    }

    #[test]
    fn joined_spans_cover_both() {
        let mut span = Span::packet(packet(5), StreamRange { start: 10, end: 20 });
        span.join(&Span::packet(packet(3), StreamRange { start: 20, end: 30 }));
        assert_eq!((span.packets(), span.tcp), ((3, 5), StreamRange { start: 10, end: 30 }));
    }
}
