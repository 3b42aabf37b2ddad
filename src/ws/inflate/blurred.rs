//! A history that is not wholly known: the capture began late, or bytes were lost.

use std::ops::ControlFlow;

use super::cells::Cell;
use super::history::History;
use super::search::{Kind, Search};
use super::symbols::{self, End, Symbol};
use crate::ws::Hole;

/// What a direction inflated lately, cell by cell, and what can be inflated on top of it.
#[derive(Debug, Clone)]
pub(super) struct Blurred {
    window: usize,
    /// The newest last; at most `window`. What lies before them is in `search`, behind a gap, or unknown.
    cells: Vec<Cell>,
    /// How many cells at the end are known without a break.
    known_run: usize,
    search: Option<Box<Search>>,
}

impl Blurred {
    /// Nothing is known.
    pub(super) const fn new(window: usize) -> Self {
        Self {
            window,
            cells: Vec::new(),
            known_run: 0,
            search: None,
        }
    }

    /// All of `history` is known.
    pub(super) fn from_history(window: usize, history: &History) -> Self {
        let cells: Vec<_> = history.pieces().concat().into_iter().map(Cell::known).collect();
        Self {
            window,
            known_run: cells.len(),
            cells,
            search: None,
        }
    }

    /// Bytes were lost here. `complete`: the cells are all that was ever sent before.
    pub(super) fn lose(&mut self, complete: bool) {
        let gap_before = self.search.is_some();
        self.settle();
        let before = std::mem::take(&mut self.cells);
        self.known_run = 0;
        let complete = complete && !gap_before;
        self.search = before
            .iter()
            .any(|cell| cell.byte().is_some())
            .then(|| Box::new(Search::new(before, complete, self.window)));
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.window);
    }

    /// Compares `message`, which is whole, with what lay before the gap, of which at most `lost` bytes are missing.
    pub(super) fn learn(&mut self, message: &[Cell], kind: Kind, lost: u64, budget: &mut u64) {
        if let Some(search) = &mut self.search {
            search.learn(message, kind, lost, budget);
        }
    }

    /// What is known of a cell.
    pub(super) fn byte(&self, cell: Cell) -> Option<u8> {
        match &self.search {
            Some(search) => search.resolve(cell).byte(),
            None => cell.byte(),
        }
    }

    /// Continues the history with `message`.
    pub(super) fn remember(&mut self, message: &[Cell]) {
        self.push(message);
        let over = self.search.as_ref().is_some_and(|search| {
            search.decided().is_some() || search.is_given_up() || self.cells.len() >= self.window
        });
        if over {
            self.settle();
        }
    }

    /// The search is over: what it knows becomes part of the cells.
    fn settle(&mut self) {
        let Some(search) = self.search.take() else { return };
        let after = std::mem::take(&mut self.cells);
        self.known_run = 0;
        let after: Vec<_> = after.into_iter().map(|cell| search.resolve(cell)).collect();
        if let Some((before, length)) = search.decided() {
            let room = self.window.saturating_sub(after.len());
            let gap = length.min(room);
            let before = &before[before.len() - before.len().min(room - gap)..];
            self.push(before);
            self.push(&vec![Cell::UNKNOWN; gap]);
        }
        self.push(&after);
    }

    /// Inflates one message (with its tail, if that belongs there) into `out`, at most `limit` cells.
    pub(super) fn message(&self, compressed: &[u8], holes: &[Hole], limit: usize, out: &mut Vec<Cell>) -> End {
        out.clear();
        symbols::read_around(compressed, holes, |symbol| {
            match symbol {
                Symbol::Missing => out.push(Cell::UNKNOWN),
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
        })
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

    /// How much memory its cells take, in bytes.
    pub(super) fn cost(&self) -> usize {
        let search = self.search.as_ref().map_or(0, |search| search.cost());
        self.cells.capacity() * size_of::<Cell>() + search
    }

    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        self.search.is_none()
    }

    fn back(&self, out: &[Cell], distance: usize) -> Cell {
        if distance <= out.len() {
            return out[out.len() - distance];
        }
        let back = distance - out.len();
        if back <= self.cells.len() {
            return self.cells[self.cells.len() - back];
        }
        match self.search {
            Some(_) => Cell::before_gap((back - self.cells.len()) as u32),
            None => Cell::UNKNOWN,
        }
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
