//! Whether a connection whose beginning is missing speaks HTTP/2.

use super::frame::DEFAULT_MAX_FRAME;
use super::search::{self, Expect};
use crate::base::{Gap, PacketRef, Side};
use crate::layer::Chunk;
use crate::layer::ws::ChunkBuffer;

/// Looks at the segments of both sides until there are enough that begin with frames, and keeps them for who reads them then.
#[derive(Debug, Default)]
pub struct Recogniser {
    held: [ChunkBuffer; 2],
    bits: u32,
}

/// Whether a connection speaks HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// It does.
    Certain,
    /// The last segment looks like it.
    Perhaps,
    /// The last segment does not look like it, which may be the middle of a frame.
    No,
}

/// One frame that takes all of a segment is nearly this much. Two are certain, or one of a kind that is nowhere else.
const ENOUGH: u32 = 60;
/// A segment that says less than this may be anything.
const LEAST: u32 = 30;
/// Bytes of memory for what one side has sent.
const WINDOW: usize = 256 << 10;

impl Recogniser {
    /// The next bytes of a side, with which a segment begins.
    pub fn data(&mut self, side: Side, chunk: Chunk<'_>) -> Recognised {
        let expect = Expect {
            max_length: DEFAULT_MAX_FRAME,
            is_open: |_| false,
            enough: ENOUGH,
        };
        let bits = search::evidence(chunk.bytes, 0, &expect).unwrap_or(0);
        if bits >= LEAST {
            self.bits += bits;
        }
        // What comes before the first frame is of no use.
        if self.bits > 0 && !self.held[side.index()].push(chunk, WINDOW) {
            *self = Self::default();
        }
        match bits {
            _ if self.bits >= ENOUGH => Recognised::Certain,
            LEAST.. => Recognised::Perhaps,
            _ => Recognised::No,
        }
    }

    /// Bytes that will not come.
    pub fn gap(&mut self, side: Side, gap: Gap, at: PacketRef) {
        let held = &mut self.held[side.index()];
        if !held.is_empty() && !held.push_gap(gap, at, WINDOW) {
            *self = Self::default();
        }
    }

    /// What has come, for [`Connection::late`](super::Connection::late).
    pub fn take(&mut self) -> [ChunkBuffer; 2] {
        std::mem::take(self).held
    }

    /// How much memory it takes beside itself, in bytes.
    pub fn cost(&self) -> usize {
        self.held[0].size() + self.held[1].size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(segments: &[&[u8]]) -> Option<usize> {
        let mut recogniser = Recogniser::default();
        let mut offset = 0;
        segments.iter().position(|bytes| {
            let at = PacketRef {
                packet: offset,
                time: Default::default(),
            };
            let chunk = Chunk::tcp(offset, bytes, at, at);
            offset += bytes.len() as u64;
            recogniser.data(Side::A, chunk) == Recognised::Certain
        })
    }

    #[test]
    fn two_segments_that_are_frames_or_one_frame_of_a_rare_kind() {
        let data = [&[0, 0, 8, 0, 0, 0, 0, 0, 5][..], b"whatever"].concat();
        assert_eq!(recognised(&[b"the rest of a frame", &data, b"more", &data]), Some(3));
        assert_eq!(
            recognised(&[&[0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]]),
            Some(0)
        );
    }

    #[test]
    fn other_protocols_are_not_recognised() {
        let dns: Vec<u8> = [&[0, 42, 7, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &[b'x'; 30]].concat();
        let zeros = [0; 100];
        let nbss = [&[0, 0, 96, 0, 0xfe, b'S', b'M', b'B'][..], &[0; 92]].concat();
        let thrift = [&[0, 0, 0, 1, 0x80, 1, 0, 1, 0, 0, 0, 4][..], b"ping"].concat();
        let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for bytes in [&dns[..], &zeros, &nbss, &thrift, text] {
            assert_eq!(recognised(&[bytes; 50]), None, "{bytes:?}");
        }
    }
}
