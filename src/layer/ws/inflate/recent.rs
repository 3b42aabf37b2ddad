//! The messages that a direction sent last, as they were sent: when some are lost, they tell how its compressor goes about things.

use std::ops::ControlFlow;

use super::habits::Stops;
use super::symbols::{self, End};
use super::tail;

/// The last compressed messages without a break, some 1 to 2 KB of them.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Each with its length before it.
    newer: Vec<u8>,
    older: Vec<u8>,
}

impl Recent {
    const ROOM: usize = 1 << 10;

    pub(super) const fn new() -> Self {
        Self {
            newer: Vec::new(),
            older: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, payload: &[u8]) {
        let size = payload.len() + 2;
        if size > Self::ROOM {
            return self.clear();
        }
        if self.newer.len() + size > Self::ROOM {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        self.newer.extend_from_slice(&(payload.len() as u16).to_le_bytes());
        self.newer.extend_from_slice(payload);
    }

    /// How much memory it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.newer.capacity() + self.older.capacity()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Where their matches stop, counted from the first byte of the first of them, and how many bytes they are together.
    pub(super) fn stops(&self) -> Option<(Stops, usize)> {
        let mut stops = Stops::default();
        let mut length = 0;
        for mut rest in [&self.older[..], &self.newer[..]] {
            while let Some((size, behind)) = rest.split_first_chunk() {
                let (payload, behind) = behind.split_at_checked(usize::from(u16::from_le_bytes(*size)))?;
                rest = behind;
                let message = [payload, tail(payload)].concat();
                let end = symbols::read(&message, |symbol| {
                    length += stops.symbol(symbol, length);
                    ControlFlow::Continue(())
                });
                stops.end();
                if end != End::Boundary {
                    return None;
                }
            }
        }
        Some((stops, length))
    }
}
