//! A history that is not wholly known: the capture began late, or bytes were lost.
//!
//! What was inflated before a gap is known, and what comes after it refers to it by distance. Only the length of what was lost between is
//! not known: it shifts every such reference. Block codes do not depend on the history, so each later message is read into cells once, and
//! trying a distance means to look its references up and to ask: is this UTF-8, and (where all messages before were) JSON? A wrong distance
//! puts quotes and braces in wrong places. Distances that fail once are out for good; a byte is known when all that are left agree on it.
//! So a wrong guess is never made; at worst there stay holes.
//!
//! Stated assumptions: the sender's text messages are UTF-8; JSON, when all that were seen are; where all messages were JSON, what was
//! lost compressed at most [`RATIO`](super::seen::RATIO) times, or four times as well as the best message seen. (Of other messages nothing is
//! assumed: a pattern of a few bytes, sent again and again, compresses nearly as well as DEFLATE can.) If no distance is left, one of them
//! was wrong, and nothing of the references is told.

use std::ops::ControlFlow;

use super::cell::Cell;
use super::distances::Distances;
use super::history::History;
use super::plausibility::{Kind, Reader};
use super::symbols::{self, End, Symbol};
use crate::layer::ws::Hole;

/// RFC 1951 §3.2.5.
const LONGEST_MATCH: usize = 258;

/// With more distances than this in question, no byte is worth asking all of them for.
const FEW: usize = 64;

/// What a direction inflated lately, cell by cell, and what can be inflated on top of it.
#[derive(Debug)]
pub(super) struct PartialHistory {
    window: usize,
    /// The newest last; at most `window`. Those from before the last gap are here once it is known how far back they are.
    cells: Vec<Cell>,
    /// How many bytes came after the last gap.
    since: usize,
    /// Nothing came before `cells`.
    complete: bool,
    /// How many cells at the end are known without a break.
    known_run: usize,
    /// What was before the last gap, while it is not known how far back that is.
    earlier: Option<Earlier>,
    /// How much was lost last is not accounted for in the distances yet.
    fresh_gap: bool,
}

/// History from before a gap. None of its cells refers farther back.
#[derive(Debug)]
struct Earlier {
    /// The newest last.
    cells: Vec<Cell>,
    /// Nothing came before them.
    complete: bool,
    /// How far their end may be from the end of the gap.
    distances: Distances,
    /// Some were ruled out because messages were taken for JSON.
    by_json: bool,
}

impl PartialHistory {
    /// Nothing is known.
    pub(super) const fn new(window: usize) -> Self {
        Self {
            window,
            cells: Vec::new(),
            since: 0,
            complete: false,
            known_run: 0,
            earlier: None,
            fresh_gap: false,
        }
    }

    /// All of `history` is known.
    pub(super) fn from_history(window: usize, history: &History) -> Self {
        let cells: Vec<_> = history
            .pieces()
            .into_iter()
            .flatten()
            .map(|&byte| Cell::known(byte))
            .collect();
        Self {
            known_run: cells.len(),
            since: cells.len(),
            complete: history.is_complete(),
            cells,
            ..Self::new(window)
        }
    }

    /// Bytes were lost here. Of what came before, the longest stretch stays in question.
    pub(super) fn lose(&mut self) {
        if self.fresh_gap && self.since == 0 {
            return;
        }
        let mut cells = std::mem::take(&mut self.cells);
        let complete = std::mem::take(&mut self.complete);
        match &mut self.earlier {
            Some(earlier) if earlier.cells.len() > cells.len() => earlier.distances.widen(self.since as u64, 0),
            _ => {
                for cell in &mut cells {
                    if cell.byte().is_none() {
                        *cell = Cell::UNKNOWN;
                    }
                }
                self.earlier = cells.iter().any(|cell| cell.byte().is_some()).then(|| Earlier {
                    cells,
                    complete,
                    distances: Distances::zero(self.window as u32),
                    by_json: false,
                });
            }
        }
        (self.since, self.known_run) = (0, 0);
        self.fresh_gap = true;
        self.leave_unreachable();
    }

    /// At most `lost` inflated bytes are missing in the gap that was last.
    pub(super) fn account(&mut self, lost: u64) {
        if std::mem::take(&mut self.fresh_gap)
            && let Some(earlier) = &mut self.earlier
        {
            earlier.distances.widen(0, lost);
        }
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.window);
    }

    /// Compares a message, which is whole, with what lay before the gap. `budget` is what looking may cost, in cells.
    pub(super) fn learn(&mut self, message: &[Cell], kind: Kind, budget: &mut u64) {
        // It was a mistake to take the others for JSON.
        self.earlier.take_if(|earlier| kind == Kind::Text && earlier.by_json);
        let Some(earlier) = &mut self.earlier else { return };
        let Some(from) = message.iter().position(|cell| cell.back().is_some()) else {
            return;
        };
        let farthest = message[from..].iter().filter_map(|cell| cell.back()).max().unwrap_or(0);
        // No reference reaches it.
        if earlier.distances.least().is_none_or(|least| farthest <= least) {
            return;
        }
        let mut reader = Reader::new(kind);
        let _ = message[..from].iter().all(|cell| reader.push(cell.byte()));
        // Of binary messages it is only known that no reference reaches back to before the first byte.
        let judged = if kind == Kind::Binary { &[] } else { &message[from..] };
        if judged.is_empty() && !earlier.complete {
            return;
        }
        let mut distances = earlier.distances.clone();
        distances.retain(|distance| *budget == 0 || earlier.fits(judged, farthest, distance, &reader, budget));
        earlier.distances = distances;
        earlier.by_json |= kind == Kind::Json;
        if earlier.distances.is_empty() {
            self.earlier = None;
        } else if let Some(distance) = earlier.distances.single() {
            self.place(distance);
        }
    }

    /// Whether [`byte`](Self::byte) knows no more of any cell than the cell itself says, or asking costs more than `budget`.
    pub(super) fn says_no_more(&self, budget: u64) -> bool {
        self.earlier
            .as_ref()
            .is_none_or(|earlier| earlier.distances.len() > FEW || earlier.distances.len() as u64 > budget)
    }

    /// What is known of a cell, also where several distances are left and all agree.
    pub(super) fn byte(&self, cell: Cell, budget: &mut u64) -> Option<u8> {
        let (Some(back), Some(earlier)) = (cell.back(), &self.earlier) else {
            return cell.byte();
        };
        if earlier.distances.len() > FEW {
            return None;
        }
        *budget = budget.checked_sub(earlier.distances.len() as u64)?;
        let mut all = earlier
            .distances
            .iter()
            .map(|distance| earlier.look_up(back, distance)?.byte());
        let first = all.next()??;
        all.all(|other| other == Some(first)).then_some(first)
    }

    /// Continues the history with `message`.
    pub(super) fn remember(&mut self, message: &[Cell]) {
        self.since = self.since.saturating_add(message.len());
        let message = &message[message.len().saturating_sub(self.window)..];
        match message.iter().rposition(|cell| cell.byte().is_none()) {
            Some(last) => self.known_run = message.len() - 1 - last,
            None => self.known_run += message.len(),
        }
        let surplus = (self.cells.len() + message.len()).saturating_sub(self.window);
        self.complete &= surplus == 0;
        self.cells.drain(..surplus);
        self.cells.extend_from_slice(message);
        self.leave_unreachable();
    }

    /// Inflates one message (with its tail, if that belongs there) into `out`, at most `limit` cells. Also how many bytes at most are behind where
    /// it ended.
    pub(super) fn message(
        &self,
        compressed: &[u8],
        holes: &[Hole],
        limit: usize,
        out: &mut Vec<Cell>,
    ) -> (End, Option<u64>) {
        out.clear();
        symbols::read_around(compressed, holes, |symbol| {
            if out.capacity() - out.len() < LONGEST_MATCH {
                // As much again as there is, but no more than is needed.
                out.reserve_exact(out.len().min(limit.saturating_sub(out.len())) + LONGEST_MATCH);
            }
            match symbol {
                Symbol::EndOfBlock => {}
                Symbol::Missing => out.push(Cell::UNKNOWN),
                Symbol::Literal(byte) => out.push(Cell::known(byte)),
                Symbol::Match { length, distance } => self.copy(out, usize::from(length), usize::from(distance)),
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
        let bytes: Option<Vec<u8>> = self.cells.iter().map(|cell| cell.byte()).collect();
        let mut history = History::new(self.window);
        history.push(&bytes?);
        history.set_incomplete();
        Some(history)
    }

    /// How much memory its cells take, in bytes.
    pub(super) fn cost(&self) -> usize {
        let earlier = self.earlier.as_ref().map_or(0, |earlier| {
            earlier.cells.capacity() * size_of::<Cell>() + earlier.distances.cost()
        });
        size_of::<Self>() + self.cells.capacity() * size_of::<Cell>() + earlier
    }

    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        self.earlier.is_none()
    }

    /// What a match gives. Whole stretches are copied at once: a bomb consists of little else.
    fn copy(&self, out: &mut Vec<Cell>, mut length: usize, distance: usize) {
        while length > 0 && out.len() < distance {
            let back = distance - out.len();
            let run = match &self.earlier {
                Some(_) if back > self.since => {
                    let run = length.min(back - self.since);
                    let backs = (back - self.since - run + 1..=back - self.since).rev();
                    out.extend(backs.map(|back| Cell::before_gap(back as u32)));
                    run
                }
                _ => match self.cells.len().checked_sub(back) {
                    Some(at) => {
                        let run = length.min(back);
                        out.extend_from_slice(&self.cells[at..at + run]);
                        run
                    }
                    None => {
                        let run = length.min(back - self.cells.len());
                        out.resize(out.len() + run, Cell::UNKNOWN);
                        run
                    }
                },
            };
            length -= run;
        }
        // What overlaps itself doubles.
        let from = out.len().saturating_sub(distance);
        while length > 0 {
            let run = length.min(out.len() - from);
            out.extend_from_within(from..from + run);
            length -= run;
        }
    }

    /// Makes the earlier history part of the cells.
    fn place(&mut self, distance: u32) {
        let Some(earlier) = self.earlier.take() else { return };
        for cell in &mut self.cells {
            if let Some(back) = cell.back() {
                *cell = earlier.look_up(back, distance).unwrap_or(Cell::UNKNOWN);
            }
        }
        let wanted = distance as usize + earlier.cells.len();
        let room = wanted.min(self.window.saturating_sub(self.since));
        self.complete = earlier.complete && room == wanted;
        let kept = room.saturating_sub(distance as usize);
        let before = earlier.cells[earlier.cells.len() - kept..].iter().copied();
        let lost = std::iter::repeat_n(Cell::UNKNOWN, room - kept);
        self.cells.splice(0..0, before.chain(lost));
        self.known_run = self.cells.iter().rev().take_while(|cell| cell.byte().is_some()).count();
    }

    /// Leaves what no match can reach any more.
    fn leave_unreachable(&mut self) {
        let room = self.window.saturating_sub(self.since);
        self.earlier.take_if(|earlier| {
            let reach = room.saturating_sub(earlier.distances.least().unwrap_or(u32::MAX) as usize);
            earlier.trim(reach);
            reach == 0
        });
    }
}

impl Earlier {
    /// Keeps the newest `length` cells.
    fn trim(&mut self, length: usize) {
        if length < self.cells.len() {
            self.cells.drain(..self.cells.len() - length);
            self.complete = false;
        }
    }

    /// The `back`th byte before the end of the gap, when this is at `distance`; `None` when no match can reach there.
    fn look_up(&self, back: u32, distance: u32) -> Option<Cell> {
        let Some(into) = back.checked_sub(distance).filter(|&into| into > 0) else {
            return Some(Cell::UNKNOWN);
        };
        match self.cells.len().checked_sub(into as usize) {
            Some(at) => Some(self.cells[at]),
            None if self.complete => None,
            None => Some(Cell::UNKNOWN),
        }
    }

    /// Whether a message may be what it is taken for, when this is at `distance`. `message` begins with a reference, before which `reader` is;
    /// its `farthest` one goes back so far.
    fn fits(&self, message: &[Cell], farthest: u32, distance: u32, reader: &Reader, budget: &mut u64) -> bool {
        if self.look_up(farthest, distance).is_none() {
            return false;
        }
        let mut reader = reader.clone();
        let mut cells = message.iter();
        let fits = cells.all(|&cell| {
            let cell = match cell.back() {
                Some(back) => self.look_up(back, distance),
                None => Some(cell),
            };
            cell.is_some_and(|cell| reader.push(cell.byte()))
        });
        *budget = budget.saturating_sub((1 + message.len() - cells.len()) as u64);
        fits && reader.may_end()
    }
}
