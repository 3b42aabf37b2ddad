//! Bytes of one direction that cannot be read yet, kept with where they came from.

use crate::base::{Gap, GapCause, PacketRef};
use crate::layer::{Chunk, Span, StreamRange};

/// Stream bytes and gaps, in order, until somebody knows what they are.
#[derive(Debug, Default)]
pub struct ChunkBuffer {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    offset: u64,
    length: u64,
    /// `None`: these are bytes.
    gap: Option<GapCause>,
    /// Where the bytes came from.
    span: Span,
    at: PacketRef,
}

/// One thing out of a [`ChunkBuffer`].
#[derive(Debug, Clone, Copy)]
pub enum Held<'a> {
    /// Bytes.
    Data(Chunk<'a>),
    /// Bytes that will not come, and when that was found out.
    Gap(Gap, PacketRef),
}

impl ChunkBuffer {
    /// Adds bytes; `false`, and nothing added, when they do not fit into `limit` bytes of memory.
    pub fn push(&mut self, chunk: Chunk<'_>, limit: usize) -> bool {
        if !self.fits(chunk.bytes.len(), limit) {
            return false;
        }
        self.bytes.extend_from_slice(chunk.bytes);
        match self.pieces.last_mut() {
            Some(last) if last.gap.is_none() && last.span.packets() == chunk.span.packets() && last.at == chunk.at => {
                last.span.join(&chunk.span);
                last.length += chunk.bytes.len() as u64;
            }
            _ => self.pieces.push(Piece {
                offset: chunk.offset,
                length: chunk.bytes.len() as u64,
                gap: None,
                span: chunk.span,
                at: chunk.at,
            }),
        }
        true
    }

    /// Whether [`push`](Self::push) would add so many bytes.
    pub fn fits(&self, bytes: usize, limit: usize) -> bool {
        self.size() + bytes + size_of::<Piece>() <= limit
    }

    /// In how many pieces it came.
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Adds a gap.
    pub fn push_gap(&mut self, gap: Gap, at: PacketRef) {
        self.pieces.push(Piece {
            offset: gap.offset,
            length: gap.length,
            gap: Some(gap.cause),
            span: Span::packet(at, StreamRange::default()),
            at,
        });
    }

    /// Drops what lies before stream offset `offset`.
    pub fn drop_before(&mut self, offset: u64) {
        let (mut bytes, mut gone) = (0, 0);
        for piece in &mut self.pieces {
            let before = offset.saturating_sub(piece.offset).min(piece.length);
            if piece.gap.is_none() {
                bytes += before;
            }
            if before < piece.length {
                if piece.span.tcp.end - piece.span.tcp.start == piece.length {
                    piece.span.tcp.start += before;
                }
                piece.offset += before;
                piece.length -= before;
                break;
            }
            gone += 1;
        }
        self.pieces.drain(..gone);
        self.bytes.drain(..bytes as usize);
    }

    /// Where in the stream the byte at `index` of [`bytes`](Self::bytes) lies.
    pub fn offset_of(&self, index: usize) -> Option<u64> {
        let mut left = index as u64;
        for piece in &self.pieces {
            let kept = piece.kept();
            if left < kept {
                return Some(piece.offset + left);
            }
            left -= kept;
        }
        None
    }

    /// All of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = Held<'_>> {
        let mut next = 0;
        self.pieces.iter().map(move |piece| {
            let start = next;
            next += piece.kept() as usize;
            match piece.gap {
                Some(cause) => Held::Gap(
                    Gap {
                        offset: piece.offset,
                        length: piece.length,
                        cause,
                    },
                    piece.at,
                ),
                None => Held::Data(Chunk {
                    offset: piece.offset,
                    bytes: &self.bytes[start..next],
                    span: piece.span,
                    at: piece.at,
                }),
            }
        })
    }

    /// The bytes alone, one after the other, as though there were no gaps.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// About how much memory it takes, in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.pieces.len() * size_of::<Piece>()
    }
}

impl Piece {
    /// How many of the bytes are its.
    fn kept(&self) -> u64 {
        if self.gap.is_none() { self.length } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(offset: u64, bytes: &[u8], packet: u64) -> Chunk<'_> {
        let time = Default::default();
        let at = PacketRef { packet, time };
        Chunk::tcp(offset, bytes, at, at)
    }

    #[test]
    fn what_goes_in_comes_out_with_its_packet() {
        let mut backlog = ChunkBuffer::default();
        assert!(backlog.push(chunk(10, b"abc", 1), 1000));
        let gap = |length| Gap {
            offset: 13,
            length,
            cause: GapCause::Lost,
        };
        backlog.push_gap(gap(2), chunk(0, b"", 2).at);
        assert!(backlog.push(chunk(15, b"def", 3), 1000));
        assert!(!backlog.push(chunk(18, b"ghi", 4), 10));
        assert_eq!(backlog.bytes(), b"abcdef");
        let offsets: Vec<_> = (0..7).map(|i| backlog.offset_of(i)).collect();
        assert_eq!(offsets[2..5], [Some(12), Some(15), Some(16)]);
        assert_eq!(offsets[6], None);
        backlog.drop_before(16);
        let left: Vec<_> = backlog
            .iter()
            .map(|held| match held {
                Held::Data(c) => (c.offset, c.bytes.to_vec(), c.span.last.packet),
                Held::Gap(g, at) => (g.offset, vec![], at.packet),
            })
            .collect();
        assert_eq!(left, [(16, b"ef".to_vec(), 3)]);
    }
}
