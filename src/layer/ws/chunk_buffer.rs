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
    /// See [`Chunk::whole`].
    whole: bool,
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
            Some(last)
                if last.gap.is_none()
                    && !(last.whole || chunk.whole)
                    && last.span.packets() == chunk.span.packets()
                    && last.at == chunk.at =>
            {
                last.span.join(&chunk.span);
                last.length += chunk.bytes.len() as u64;
            }
            _ => self.pieces.push(Piece {
                offset: chunk.offset,
                length: chunk.bytes.len() as u64,
                gap: None,
                span: chunk.span,
                at: chunk.at,
                whole: chunk.whole,
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

    /// Adds a gap; `false`, and nothing added, when it does not fit into `limit` bytes of memory. Directly behind another one it joins
    /// that one, or takes its place: of gaps with nothing held between them, only the last one can matter.
    pub fn push_gap(&mut self, gap: Gap, at: PacketRef, limit: usize) -> bool {
        let last = self.pieces.pop_if(|last| last.gap.is_some());
        if last.is_none() && !self.fits(0, limit) {
            return false;
        }
        let offset = match last {
            Some(last) if last.offset.saturating_add(last.length) == gap.offset => last.offset,
            _ => gap.offset,
        };
        self.pieces.push(Piece {
            offset,
            length: gap.end() - offset,
            gap: Some(gap.cause),
            span: Span::packet(at, StreamRange::default()),
            at,
            whole: false,
        });
        true
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
                piece.whole &= before == 0;
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
                    whole: piece.whole,
                }),
            }
        })
    }

    /// The bytes alone, one after the other, as though there were no gaps.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where in the stream it ends; 0 while nothing is in it.
    pub fn end(&self) -> u64 {
        let end = |piece: &Piece| piece.offset.saturating_add(piece.length);
        self.pieces.last().map_or(0, end)
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

    fn gap(offset: u64, length: u64) -> Gap {
        let cause = GapCause::Lost;
        Gap { offset, length, cause }
    }

    #[test]
    fn gaps_with_nothing_between_them_take_the_room_of_one() {
        let mut buffer = ChunkBuffer::default();
        let at = chunk(0, b"", 1).at;
        let limit = 4 * size_of::<Piece>();
        for number in 0..1000 {
            assert!(buffer.push_gap(gap(10 + 2 * number, 2), at, limit));
        }
        let held: Vec<_> = buffer.iter().map(|held| format!("{held:?}")).collect();
        assert_eq!(held, [format!("{:?}", Held::Gap(gap(10, 2000), at))]);
        assert!(buffer.push_gap(gap(3000, 1), at, limit) && buffer.pieces() == 1);
        let all_fit = (1..10).all(|number| {
            buffer.push(chunk(3000 + 2 * number, b"a", number), limit)
                && buffer.push_gap(gap(3001 + 2 * number, 1), at, limit)
        });
        assert!(!all_fit && buffer.size() <= limit);
    }

    #[test]
    fn what_goes_in_comes_out_with_its_packet() {
        let mut buffer = ChunkBuffer::default();
        assert!(buffer.push(chunk(10, b"abc", 1), 1000));
        assert!(buffer.push_gap(gap(13, 2), chunk(0, b"", 2).at, 1000));
        assert!(buffer.push(chunk(15, b"def", 3), 1000));
        assert!(!buffer.push(chunk(18, b"ghi", 4), 10));
        assert_eq!(buffer.bytes(), b"abcdef");
        let offsets: Vec<_> = (0..7).map(|i| buffer.offset_of(i)).collect();
        assert_eq!(offsets[2..5], [Some(12), Some(15), Some(16)]);
        assert_eq!(offsets[6], None);
        buffer.drop_before(16);
        let left: Vec<_> = buffer
            .iter()
            .map(|held| match held {
                Held::Data(c) => (c.offset, c.bytes.to_vec(), c.span.last.packet),
                Held::Gap(g, at) => (g.offset, vec![], at.packet),
            })
            .collect();
        assert_eq!(left, [(16, b"ef".to_vec(), 3)]);
    }
}
