//! What was inflated before a gap, and how far away that is, found by trying.
//!
//! What was inflated before a gap is known, and what comes after it refers to it by distance. Only the length of what was lost between is not known:
//! it shifts every such reference. Block codes do not depend on the history, so each later message is read into cells once, and trying a distance means
//! to look its references up and to ask: is this UTF-8, and (where all messages before were) JSON? A wrong distance puts quotes and braces in wrong
//! places. And would its matches have stopped where they did (`habits.rs`)? Distances that fail once are out for good; a byte is known when all that
//! are left agree on it. So a wrong guess is never made; at worst there stay holes.
//!
//! Stated assumptions: the sender's text messages are UTF-8; JSON, when all that were seen are; where all messages were JSON, what was
//! lost compressed at most [`RATIO`] times, or four times as well as the best message seen; and a sender keeps a habit that it has shown often enough.
//! (Of other messages nothing is assumed: a pattern of a few bytes, sent again and again, compresses nearly as well as DEFLATE can.) If no distance
//! is left, one of them was wrong, and nothing of the references is told.

use super::cells::Cell;
use super::distances::Distances;
use super::habits::Nearer;

/// How well lost JSON may have been compressed, at least.
pub(super) const RATIO: u64 = 24;

/// How well anything can be compressed: a match of 258 bytes takes two bits (RFC 1951 §3.2.5).
pub(super) const MOST: u64 = 1032;

/// With more distances than this in question, no byte is worth asking all of them for.
const FEW: usize = 64;

/// A stretch of history between two gaps, or before the first one.
#[derive(Debug, Clone)]
pub(super) struct Island {
    /// The newest last.
    cells: Vec<Cell>,
    /// Nothing came before them.
    complete: bool,
    /// How many bytes of it came after the gap that is its cells' own last one.
    since: u32,
    /// How far its end is from the end of the last gap.
    pub(super) distances: Distances,
    /// Those of them with which the sender would have broken a habit once.
    pub(super) doubted: Distances,
    /// How often it would have copied from a nearer place, for each distance, once that was asked.
    pub(super) nearer: Vec<Nearer>,
    /// How many matches were asked.
    pub(super) asked: usize,
    /// Distances were ruled out because messages were taken for JSON.
    pub(super) by_json: bool,
    /// … because of how the sender's matches stop.
    pub(super) by_habit: bool,
    /// It lies between cells whose places are known.
    pub(super) inside: bool,
}

impl Island {
    /// `cells` end where the gap begins.
    pub(super) fn new(cells: Vec<Cell>, since: usize, complete: bool, window: usize) -> Self {
        Self {
            cells,
            complete,
            since: u32::try_from(since).unwrap_or(u32::MAX),
            distances: Distances::zero(window as u32),
            doubted: Distances::none(window as u32),
            nearer: Vec::new(),
            asked: 0,
            by_json: false,
            by_habit: false,
            inside: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// How much memory it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        size_of::<Self>()
            + self.cells.capacity() * size_of::<Cell>()
            + self.nearer.capacity() * size_of::<Nearer>()
            + self.distances.cost()
            + self.doubted.cost()
    }

    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Keeps the newest `length` cells.
    pub(super) fn trim(&mut self, length: usize) {
        if length < self.cells.len() {
            self.cells.drain(..self.cells.len() - length);
            self.cells.shrink_to_fit();
            self.complete = false;
        }
    }

    /// The `back`th byte before the end of the last gap, when the island is at `distance`; `None` when no match can reach there. It
    /// may be a copy of one that is farther back.
    pub(super) fn look_up(&self, back: u32, distance: u32) -> Option<Cell> {
        let Some(into) = back.checked_sub(distance).filter(|&into| into > 0) else {
            return Some(Cell::UNKNOWN);
        };
        match self.cells.len().checked_sub(into as usize) {
            Some(at) => Some(self.seen_across(self.cells[at], distance)),
            None if self.complete => None,
            None => Some(Cell::UNKNOWN),
        }
    }

    /// A cell of the island, as seen from the end of the last gap.
    pub(super) fn seen_across(&self, cell: Cell, distance: u32) -> Cell {
        match cell.back() {
            Some(back) => Cell::before_gap(back.saturating_add(self.since).saturating_add(distance)),
            None => cell,
        }
    }

    /// Whether it is worth asking all distances for a byte.
    pub(super) fn is_nearly_placed(&self) -> bool {
        self.distances.len() <= FEW
    }
}
