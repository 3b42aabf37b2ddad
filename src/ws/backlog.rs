//! Bytes of one direction that cannot be read yet, kept with where they came from.

use super::Chunk;
use crate::base::{Gap, GapCause};
use crate::tcp::At;

/// Stream bytes and gaps, in order, until somebody knows what they are.
#[derive(Debug, Default)]
pub struct Backlog {
    /// The bytes, with filler for the shorter gaps.
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    offset: u64,
    /// In the stream.
    length: u64,
    /// In `bytes`.
    kept: usize,
    /// `None`: these are bytes.
    gap: Option<GapCause>,
    packet: u64,
    at: At,
}

/// One thing out of a [`Backlog`].
#[derive(Debug, Clone, Copy)]
pub enum Held<'a> {
    /// Bytes.
    Data(Chunk<'a>),
    /// Bytes that will not come, and when that was found out.
    Gap(Gap, At),
}

/// The longest gap that filler stands for in [`Backlog::bytes`].
const LONGEST_FILLER: u64 = 64 << 10;

impl Backlog {
    /// Adds bytes; `false`, and nothing added, when they do not fit into `limit` bytes of memory.
    pub fn push(&mut self, chunk: Chunk<'_>, limit: usize) -> bool {
        if self.size() + chunk.bytes.len() + size_of::<Piece>() > limit {
            return false;
        }
        self.bytes.extend_from_slice(chunk.bytes);
        match self.pieces.last_mut() {
            Some(last) if last.gap.is_none() && last.packet == chunk.packet && last.at == chunk.at => {
                last.length += chunk.bytes.len() as u64;
                last.kept += chunk.bytes.len();
            }
            _ => self.pieces.push(Piece {
                offset: chunk.offset,
                length: chunk.bytes.len() as u64,
                kept: chunk.bytes.len(),
                gap: None,
                packet: chunk.packet,
                at: chunk.at,
            }),
        }
        true
    }

    /// Adds a gap. Filler stands for it in [`bytes`](Self::bytes) when it is not too long; says whether it does.
    pub fn push_gap(&mut self, gap: Gap, at: At) -> bool {
        let filled = gap.length <= LONGEST_FILLER;
        let kept = if filled { gap.length as usize } else { 0 };
        self.bytes.resize(self.bytes.len() + kept, 0);
        self.pieces.push(Piece {
            offset: gap.offset,
            length: gap.length,
            kept,
            gap: Some(gap.cause),
            packet: at.packet,
            at,
        });
        filled
    }

    /// Drops the first `count` of the [`bytes`](Self::bytes).
    pub fn drop_front(&mut self, count: usize) {
        let count = count.min(self.bytes.len());
        self.bytes.drain(..count);
        let (mut left, mut gone) = (count, 0);
        for piece in &mut self.pieces {
            if piece.kept > left || left == 0 {
                piece.offset += left as u64;
                piece.length -= left as u64;
                piece.kept -= left;
                break;
            }
            left -= piece.kept;
            gone += 1;
        }
        self.pieces.drain(..gone);
    }

    /// Where in the stream the byte at `index` of [`bytes`](Self::bytes) lies; `None` when it is filler.
    pub fn offset_of(&self, mut index: usize) -> Option<u64> {
        for piece in &self.pieces {
            if index < piece.kept {
                return piece.gap.is_none().then_some(piece.offset + index as u64);
            }
            index -= piece.kept;
        }
        None
    }

    /// All of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = Held<'_>> {
        let mut next = 0;
        self.pieces.iter().map(move |piece| {
            let start = next;
            next += piece.kept;
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
                    packet: piece.packet,
                    at: piece.at,
                }),
            }
        })
    }

    /// The bytes alone, one after the other, with zeros for the shorter gaps.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(offset: u64, bytes: &[u8], packet: u64) -> Chunk<'_> {
        let time = Default::default();
        Chunk {
            offset,
            bytes,
            packet,
            at: At { packet, time },
        }
    }

    #[test]
    fn what_goes_in_comes_out_with_its_packet() {
        let mut backlog = Backlog::default();
        assert!(backlog.push(chunk(10, b"abc", 1), 1000));
        let gap = |length| Gap {
            offset: 13,
            length,
            cause: GapCause::Lost,
        };
        assert!(backlog.push_gap(gap(2), chunk(0, b"", 2).at));
        assert!(backlog.push(chunk(15, b"def", 3), 1000));
        assert!(!backlog.push(chunk(18, b"ghi", 4), 10));
        assert_eq!(backlog.bytes(), b"abc\0\0def");
        let offsets: Vec<_> = (0..9).map(|i| backlog.offset_of(i)).collect();
        assert_eq!(offsets[2..6], [Some(12), None, None, Some(15)]);
        assert_eq!(offsets[8], None);
        backlog.drop_front(6);
        let left: Vec<_> = backlog
            .iter()
            .map(|held| match held {
                Held::Data(c) => (c.offset, c.bytes.to_vec(), c.packet),
                Held::Gap(g, at) => (g.offset, vec![], at.packet),
            })
            .collect();
        assert_eq!(left, [(16, b"ef".to_vec(), 3)]);
    }
}
