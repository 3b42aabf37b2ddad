//! A history that is not wholly known: the capture began late, or bytes were lost.

use std::ops::ControlFlow;

use super::cells::Cell;
use super::history::History;
use super::symbols::{self, End, Symbol};

/// What a direction inflated lately, cell by cell, and what can be inflated on top of it.
#[derive(Debug, Clone)]
pub(super) struct Blurred {
    window: usize,
    /// The newest last; at most `window`. What lies before them is unknown.
    cells: Vec<Cell>,
    /// How many cells at the end are known without a break.
    known_run: usize,
}

impl Blurred {
    /// Nothing is known.
    pub(super) const fn new(window: usize) -> Self {
        Self {
            window,
            cells: Vec::new(),
            known_run: 0,
        }
    }

    /// All of `history` is known, what follows is not.
    pub(super) fn from_history(window: usize, history: &History) -> Self {
        let cells: Vec<_> = history.pieces().concat().into_iter().map(Cell::known).collect();
        Self {
            window,
            known_run: cells.len(),
            cells,
        }
    }

    /// Bytes were lost here.
    pub(super) fn lose(&mut self) {
        self.cells.clear();
        self.known_run = 0;
    }

    /// Inflates one message (with its tail) into `out`, at most `limit` cells.
    pub(super) fn message(&mut self, compressed: &[u8], limit: usize, out: &mut Vec<Cell>) -> End {
        out.clear();
        let end = symbols::read(compressed, |symbol| {
            match symbol {
                Symbol::Literal(byte) => out.push(Cell::known(byte)),
                Symbol::Match { length, distance } => {
                    for _ in 0..length {
                        out.push(self.back(out, usize::from(distance)));
                    }
                }
            }
            if out.len() > limit {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        self.push(out);
        end
    }

    /// The history, once all that a match can reach is known.
    pub(super) fn known(&self) -> Option<History> {
        if self.known_run < self.window {
            return None;
        }
        let mut history = History::new(self.window);
        let bytes: Option<Vec<u8>> = self.cells.iter().map(|cell| cell.byte()).collect();
        history.push(&bytes?);
        history.set_incomplete();
        Some(history)
    }

    fn back(&self, out: &[Cell], distance: usize) -> Cell {
        if distance <= out.len() {
            return out[out.len() - distance];
        }
        let back = distance - out.len();
        if back <= self.cells.len() {
            return self.cells[self.cells.len() - back];
        }
        Cell::UNKNOWN
    }

    fn push(&mut self, cells: &[Cell]) {
        match cells.iter().rposition(|cell| cell.byte().is_none()) {
            Some(last) => self.known_run = cells.len() - 1 - last,
            None => self.known_run += cells.len(),
        }
        let cells = &cells[cells.len().saturating_sub(self.window)..];
        let surplus = (self.cells.len() + cells.len()).saturating_sub(self.window);
        self.cells.drain(..surplus);
        self.cells.extend_from_slice(cells);
    }
}
