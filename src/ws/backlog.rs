//! Bytes of one direction that cannot be read yet, kept with where they came from.

use super::Chunk;
use crate::base::{Gap, GapCause};
use crate::tcp::At;

/// Stream bytes and gaps, in order, until somebody knows what they are.
#[derive(Debug, Default)]
pub struct Backlog {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    offset: u64,
    length: u64,
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

impl Backlog {
    /// Adds bytes; `false`, and nothing added, when they do not fit into `limit` bytes.
    pub fn push(&mut self, chunk: Chunk<'_>, limit: usize) -> bool {
        if self.size() + chunk.bytes.len() + size_of::<Piece>() > limit {
            return false;
        }
        self.bytes.extend_from_slice(chunk.bytes);
        match self.pieces.last_mut() {
            Some(last) if last.gap.is_none() && last.packet == chunk.packet && last.at == chunk.at => {
                last.length += chunk.bytes.len() as u64;
            }
            _ => self.pieces.push(Piece {
                offset: chunk.offset,
                length: chunk.bytes.len() as u64,
                gap: None,
                packet: chunk.packet,
                at: chunk.at,
            }),
        }
        true
    }

    /// Adds a gap.
    pub fn push_gap(&mut self, gap: Gap, at: At) {
        self.pieces.push(Piece {
            offset: gap.offset,
            length: gap.length,
            gap: Some(gap.cause),
            packet: at.packet,
            at,
        });
    }

    /// All of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = Held<'_>> {
        let mut next = 0;
        self.pieces.iter().map(move |piece| match piece.gap {
            Some(cause) => Held::Gap(
                Gap {
                    offset: piece.offset,
                    length: piece.length,
                    cause,
                },
                piece.at,
            ),
            None => {
                let start = next;
                next += piece.length as usize;
                Held::Data(Chunk {
                    offset: piece.offset,
                    bytes: &self.bytes[start..next],
                    packet: piece.packet,
                    at: piece.at,
                })
            }
        })
    }

    /// The bytes alone.
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
