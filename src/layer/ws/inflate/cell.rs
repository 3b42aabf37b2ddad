//! Bytes that may be unknown: what a direction inflated, as far as the capture shows it.
//!
//! A cell is a known byte, an unknown one, or a copy of a byte from before the last gap whose distance from that gap is known
//! while the gap's own length is not. Matches copy cells, so what is unknown keeps its identity however often it is copied.
//! That gives the same as inflating twice, against a history of all 00 and one of all FF, and comparing: a byte is known if and
//! only if it does not come from the unknown part.

/// A byte, as far as it is known. Ordered as: 0 to 255 a byte, 256 unknown, above that a byte before the gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell(u16);

impl Cell {
    pub(super) const UNKNOWN: Cell = Cell(256);

    pub(super) const fn known(byte: u8) -> Self {
        Cell(byte as u16)
    }

    /// The `back`th byte before the end of the gap: 1 is the last one before what came after it.
    ///
    /// A match reaches back 32 KB at most (RFC 1951 §2), and a copy of it, seen from a later gap, farther. 16 bits hold nearly twice that,
    /// and a message of the largest size that is kept has millions of cells. What is farther is unknown.
    pub(super) const fn before_gap(back: u32) -> Self {
        if back <= (u16::MAX - 256) as u32 {
            Cell(256 + back as u16)
        } else {
            Self::UNKNOWN
        }
    }

    pub(super) fn byte(self) -> Option<u8> {
        u8::try_from(self.0).ok()
    }

    /// How many cells at the beginning are all known, or all not.
    pub(super) fn run(cells: &[Cell]) -> usize {
        const WORD: usize = 32;
        let known = cells.first().is_some_and(|cell| cell.byte().is_some());
        let alike = |cell: &Cell| cell.byte().is_some() == known;
        // A word at a time without a branch: there are millions of cells in a bomb.
        let words = cells
            .chunks_exact(WORD)
            .take_while(|word| word.iter().fold(true, |all, cell| all & alike(cell)));
        let words = WORD * words.count();
        words + cells[words..].iter().take_while(|cell| alike(cell)).count()
    }

    /// The byte of a known cell.
    pub(super) fn known_byte(self) -> u8 {
        self.0 as u8
    }

    /// As in [`before_gap`](Self::before_gap).
    pub(super) fn back(self) -> Option<u32> {
        self.0.checked_sub(256).filter(|&back| back > 0).map(u32::from)
    }
}
