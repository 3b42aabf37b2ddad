//! The sliding window of one direction (RFC 1951 §2), all of it known.

/// The last bytes that a direction inflated. It takes no memory until it is used, then as much as it holds, at most the window.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// A ring once it is `window` long; before that, simply what came.
    bytes: Vec<u8>,
    /// Where the oldest byte is, once the ring is full.
    start: usize,
    window: usize,
    /// Bytes have slid out of the window (or the window was never seen from its beginning on).
    slid: bool,
}

impl History {
    /// Empty, as at the beginning of a connection.
    pub(super) const fn new(window: usize) -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            window,
            slid: false,
        }
    }

    /// `bytes` end it.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if bytes.len() >= self.window {
            self.slid |= bytes.len() > self.window || !self.bytes.is_empty();
            self.bytes.clear();
            self.bytes.extend_from_slice(&bytes[bytes.len() - self.window..]);
            self.start = 0;
            return;
        }
        let free = self.window - self.bytes.len();
        if free > 0 && self.bytes.capacity() < self.bytes.len() + bytes.len().min(free) {
            // Never more than the window, which plain doubling would take.
            let wanted = (self.bytes.len() + bytes.len())
                .next_power_of_two()
                .max(256)
                .min(self.window);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        let (grow, wrap) = bytes.split_at(bytes.len().min(free));
        self.bytes.extend_from_slice(grow);
        if !wrap.is_empty() {
            self.slid = true;
            let to_end = wrap.len().min(self.window - self.start);
            self.bytes[self.start..self.start + to_end].copy_from_slice(&wrap[..to_end]);
            self.bytes[..wrap.len() - to_end].copy_from_slice(&wrap[to_end..]);
            self.start = (self.start + wrap.len()) % self.window;
        }
    }

    /// The bytes, oldest first, in two pieces.
    pub(super) fn pieces(&self) -> [&[u8]; 2] {
        [&self.bytes[self.start..], &self.bytes[..self.start]]
    }

    /// How much memory it takes, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Nothing came before the oldest byte here.
    pub(super) fn is_complete(&self) -> bool {
        !self.slid
    }

    /// Says that something came before the oldest byte.
    pub(super) fn set_incomplete(&mut self) {
        self.slid = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds_the_last_bytes(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut history = History::new(32);
            let mut all = Vec::new();
            for piece in &pieces {
                history.push(piece);
                all.extend_from_slice(piece);
                prop_assert_eq!(history.pieces().concat(), &all[all.len().saturating_sub(32)..]);
                prop_assert_eq!(history.is_complete(), all.len() <= 32);
                prop_assert!(history.bytes.capacity() <= 64);
            }
        }
    }
}
