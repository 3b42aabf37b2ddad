//! Decompressors, shared by all directions of all connections.
//!
//! A decompressor takes some 40 KB. A direction's history lives with its [`Inflater`](super::Inflater), as long as it is; a decompressor is
//! lent to it and stays with it while there are not too many others. So thousands of quiet conversations cost only their short histories.

use flate2::Decompress;

use crate::bounded::{Handle, Slab};

use super::history::History;

/// How many directions keep a decompressor at once, at most; with more of them, one that has not been used lately loses it. To make one
/// continue another history costs a copy of that.
pub(super) const SLOTS: usize = 256;

/// What one takes, in bytes of memory, and a little more.
const DECOMPRESSOR_BYTES: usize = 48 << 10;

#[derive(Debug)]
pub(super) struct Decompressors {
    shared: Slab<Decompress>,
    /// For messages that need no history.
    fresh: Option<Decompress>,
}

impl Decompressors {
    /// None yet; as many as fit into `bytes` of memory, and one at least.
    pub(super) const fn within(bytes: usize) -> Self {
        let slots = bytes / DECOMPRESSOR_BYTES;
        Self {
            shared: Slab::new(if slots < SLOTS { slots } else { SLOTS }),
            fresh: None,
        }
    }

    /// A decompressor with an empty history.
    pub(super) fn fresh(&mut self) -> &mut Decompress {
        let decompress = self.fresh.get_or_insert_with(|| Decompress::new(false));
        decompress.reset(false);
        decompress
    }

    /// The decompressor of `handle`, or one that is made to continue `history`; `handle` is then good for that one.
    /// `None` when it cannot be made to.
    pub(super) fn continuing(&mut self, handle: &mut Handle, history: &History) -> Option<&mut Decompress> {
        let (decompress, anew) = self.shared.of(handle, || Decompress::new(false));
        (!anew || rewind(decompress, history)).then_some(decompress)
    }
}

/// Makes `decompress` one that has inflated `history` and stands between two blocks.
pub(super) fn rewind(decompress: &mut Decompress, history: &History) -> bool {
    decompress.reset(false);
    // A raw stream takes a dictionary at any time, and several, one after the other.
    history
        .pieces()
        .iter()
        .all(|piece| piece.is_empty() || decompress.set_dictionary(piece).is_ok())
}
