//! A history that is not wholly known: the capture began late, or bytes were lost.

use std::ops::ControlFlow;

use super::cells::Cell;
use super::habits::{Habits, Nearer, Stop, Stops, contains};
use super::history::History;
use super::island::Island;
use super::kind::{Kind, Reader};
use super::recent::Recent;
use super::symbols::{self, End, Symbol};
use crate::layer::ws::Hole;

/// What a direction inflated lately, cell by cell, and what can be inflated on top of it.
#[derive(Debug, Clone)]
pub(super) struct Blurred {
    window: usize,
    /// The newest last; at most `window`. Those from before the last gap are here once it is known how far back they are.
    cells: Vec<Cell>,
    /// How many bytes came after the last gap.
    since: usize,
    /// Nothing came before `cells`.
    complete: bool,
    /// How many cells at the end are known without a break.
    known_run: usize,
    /// What else was before the last gap, oldest first. How far back it is is not known.
    islands: Vec<Island>,
    /// How much was lost last is not accounted for in the islands' distances yet.
    fresh_gap: bool,
    /// Something in `cells` is where it is because of how the sender's matches stop.
    by_habit: bool,
}

/// A message as it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) cells: &'a [Cell],
    pub(super) stops: &'a Stops,
    pub(super) kind: Kind,
}

impl Blurred {
    /// More gaps at once are not worth the work.
    const ISLANDS: usize = 4;

    /// Nothing is known.
    pub(super) const fn new(window: usize) -> Self {
        Self {
            window,
            cells: Vec::new(),
            since: 0,
            complete: false,
            known_run: 0,
            islands: Vec::new(),
            fresh_gap: false,
            by_habit: false,
        }
    }

    /// All of `history` is known.
    pub(super) fn from_history(window: usize, history: &History) -> Self {
        let cells: Vec<_> = history.pieces().concat().into_iter().map(Cell::known).collect();
        Self {
            known_run: cells.len(),
            since: cells.len(),
            complete: history.is_complete(),
            cells,
            ..Self::new(window)
        }
    }

    /// Takes note of what the messages that came last show.
    pub(super) fn recall(&self, recent: &Recent, habits: &mut Habits, budget: &mut u64) {
        if !habits.is_known()
            && let Some((stops, length)) = recent.stops()
        {
            habits.observe(&self.cells, self.cells.len() as isize - length as isize, &stops, budget);
        }
    }

    /// Bytes were lost here.
    pub(super) fn lose(&mut self) {
        if self.fresh_gap && self.since == 0 {
            return;
        }
        self.islands.retain(|island| !island.inside);
        for island in &mut self.islands {
            island.distances.widen(self.since as u64, 0);
            island.doubted.clear();
            island.nearer = Vec::new();
        }
        let cells = std::mem::take(&mut self.cells);
        let complete = std::mem::replace(&mut self.complete, false);
        if cells.iter().any(|cell| cell.byte().is_some()) {
            let mut island = Island::new(cells, self.since, complete, self.window);
            island.by_habit = std::mem::take(&mut self.by_habit);
            self.islands.push(island);
        }
        (self.since, self.known_run) = (0, 0);
        self.fresh_gap = true;
        let surplus = self.islands.len().saturating_sub(Self::ISLANDS);
        self.islands.drain(..surplus);
        self.leave_unreachable();
    }

    /// At most `lost` inflated bytes are missing in the gap that was last.
    pub(super) fn account(&mut self, lost: u64) {
        if std::mem::take(&mut self.fresh_gap) {
            for island in &mut self.islands {
                island.distances.widen(0, lost);
            }
        }
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.window);
    }

    /// Compares a message, which is whole, with what lay before the gaps. `budget` is what looking may cost, in cells.
    pub(super) fn learn(&mut self, read: Read<'_>, habits: &mut Habits, budget: &mut u64) {
        self.observe(read.cells, read.stops, habits, budget);
        if read.kind == Kind::Text {
            // It was a mistake to take the others for JSON.
            self.islands.retain(|island| !island.by_json);
        }
        if self.islands.is_empty() {
            return;
        }
        // Each match is asked once.
        let mut asked = Some(&*habits);
        loop {
            let Some(question) = Question::new(self, read, asked.take()) else {
                return;
            };
            let mut tried = 0;
            for at in (0..self.islands.len()).rev() {
                tried += usize::from(self.narrow(at, &question, budget));
            }
            if tried == 0 || !self.place() {
                return;
            }
        }
    }

    /// What is known of a cell, also where islands can be in several places and all agree.
    pub(super) fn byte(&self, cell: Cell, budget: &mut u64) -> Option<u8> {
        let Some(back) = cell.back() else { return cell.byte() };
        if let Some(byte) = self.surely(cell) {
            return Some(byte);
        }
        self.islands
            .iter()
            .filter(|island| island.is_nearly_placed())
            .find_map(|island| {
                *budget = budget.checked_sub(island.distances.len() as u64)?;
                let mut all = island
                    .distances
                    .iter()
                    .map(|distance| self.look_up(back, Some((island, distance)))?.byte());
                let first = all.next()??;
                all.all(|other| other == Some(first)).then_some(first)
            })
    }

    /// What is known of a cell, whatever places the islands are in.
    fn surely(&self, cell: Cell) -> Option<u8> {
        match cell.back() {
            Some(back) => self.look_up(back, None)?.byte(),
            None => cell.byte(),
        }
    }

    /// Continues the history with `message`.
    pub(super) fn remember(&mut self, message: &[Cell]) {
        self.push(message);
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
        stops: &mut Stops,
    ) -> (End, Option<u64>) {
        out.clear();
        stops.clear();
        let read = symbols::read_around(compressed, holes, |symbol| {
            stops.symbol(symbol, out.len());
            match symbol {
                Symbol::EndOfBlock => {}
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
        });
        stops.end();
        read
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
        let islands: usize = self.islands.iter().map(Island::cost).sum();
        self.cells.capacity() * size_of::<Cell>() + islands
    }

    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        self.islands.is_empty()
    }

    /// How many of `cells` are from before the last gap.
    fn before_gap(&self) -> usize {
        self.cells.len().saturating_sub(self.since)
    }

    fn back(&self, out: &[Cell], distance: usize) -> Cell {
        if distance <= out.len() {
            return out[out.len() - distance];
        }
        let back = distance - out.len();
        match self.cells.len().checked_sub(back) {
            Some(at) if back <= self.since || self.cells[at] != Cell::UNKNOWN => self.cells[at],
            _ if self.islands.is_empty() => Cell::UNKNOWN,
            _ => match back.checked_sub(self.since) {
                Some(back) => Cell::before_gap(back as u32),
                None => Cell::UNKNOWN,
            },
        }
    }

    /// The `back`th byte before the end of the last gap, as far as it is known, also from an island if that is at the distance; `None` when no
    /// match can reach there.
    fn look_up(&self, mut back: u32, island: Option<(&Island, u32)>) -> Option<Cell> {
        // Each step leads to an earlier gap.
        for _ in 0..4 * Self::ISLANDS {
            let mut cell = match self.before_gap().checked_sub(back as usize) {
                Some(at) => self.cells[at],
                None if self.complete => return None,
                None => Cell::UNKNOWN,
            };
            if let (Cell::UNKNOWN, Some((island, distance))) = (cell, island) {
                cell = island.look_up(back, distance)?;
            }
            match cell.back() {
                Some(farther) if farther > back => back = farther,
                Some(_) => return Some(Cell::UNKNOWN),
                None => return Some(cell),
            }
        }
        Some(Cell::UNKNOWN)
    }

    /// Takes note of how the sender's matches stop, where that is known.
    pub(super) fn observe(&mut self, cells: &[Cell], stops: &Stops, habits: &mut Habits, budget: &mut u64) {
        // As long as there is room to go on learning.
        if stops.all.is_empty() || habits.is_known() {
            return;
        }
        let mut line = Vec::with_capacity(self.cells.len() + cells.len());
        line.extend(self.cells.iter().chain(cells).map(|&cell| match self.surely(cell) {
            Some(byte) => Cell::known(byte),
            None => Cell::UNKNOWN,
        }));
        habits.observe(&line, self.cells.len() as isize, stops, budget);
        if habits.longest.is_broken() {
            self.islands.retain(|island| !island.by_habit);
            if self.by_habit {
                self.forget();
            }
        }
    }

    /// Rules distances of an island out. Whether it was worth trying.
    fn narrow(&mut self, at: usize, question: &Question<'_>, budget: &mut u64) -> bool {
        let island = &self.islands[at];
        // One that no reference reaches, or that is far behind all of them.
        let reached = island.distances.least().is_some_and(|least| question.farthest > least);
        let silent = question.read.kind == Kind::Binary && question.stops.is_empty() && !island.is_complete();
        if !reached || silent {
            return false;
        }
        let mut distances = island.distances.clone();
        let mut doubted = island.doubted.clone();
        let mut nearer = island.nearer.clone();
        if nearer.is_empty() && question.habits.nearest.is_firm() && !question.stops.is_empty() {
            nearer.resize(self.window + 1, Nearer::default());
        }
        let mut by_habit = false;
        distances.retain(|distance| {
            *budget == 0 || {
                match question.ask(self, island, distance, nearer.get_mut(distance as usize), budget) {
                    Answer::Yes => true,
                    Answer::No => false,
                    Answer::Doubtful => {
                        by_habit = true;
                        !doubted.add(distance)
                    }
                    Answer::Unlikely => {
                        by_habit = true;
                        false
                    }
                }
            }
        });
        let island = &mut self.islands[at];
        island.by_habit |= by_habit;
        island.doubted = doubted;
        island.nearer = nearer;
        island.asked += question.stops.len();
        island.by_json |= question.read.kind == Kind::Json;
        island.distances = distances;
        true
    }

    /// Puts islands that can be in one place only there, and leaves those that can be nowhere. Whether any were put somewhere.
    fn place(&mut self) -> bool {
        let mut any = false;
        loop {
            self.islands.retain(|island| !island.distances.is_empty());
            let placed = self
                .islands
                .iter()
                .enumerate()
                .find_map(|(at, island)| Some((at, island.distances.single()?)));
            let Some((at, distance)) = placed else { return any };
            any = true;
            let island = self.islands.remove(at);
            self.put(&island, distance);
            let (newer_than, older_than) = (distance, distance as usize + island.len());
            for (n, other) in self.islands.iter_mut().enumerate() {
                let length = other.len();
                other.inside |= n >= at;
                other.distances.retain(|distance| {
                    if n < at {
                        distance as usize >= older_than
                    } else {
                        distance as usize + length <= newer_than as usize
                    }
                });
            }
        }
    }

    /// Makes an island part of the cells.
    fn put(&mut self, island: &Island, distance: u32) {
        self.by_habit |= island.by_habit;
        for at in 0..self.cells.len() {
            let Some(back) = self.cells[at].back() else { continue };
            if let Some(cell) = self.look_up(back, Some((island, distance)))
                && cell != Cell::UNKNOWN
            {
                self.cells[at] = cell;
            }
        }
        let room = self.window.saturating_sub(self.since);
        let wanted = distance as usize + island.len();
        let (had, has) = (self.before_gap(), wanted.min(room).max(self.before_gap()));
        if has > had {
            self.cells.splice(0..0, std::iter::repeat_n(Cell::UNKNOWN, has - had));
            self.complete = island.is_complete() && has == wanted;
        }
        for (back, &cell) in (distance as usize + 1..=has).zip(island.cells().iter().rev()) {
            let here = &mut self.cells[has - back];
            if *here == Cell::UNKNOWN {
                *here = island.seen_across(cell, distance);
            }
        }
        self.known_run = self.cells.iter().rev().take_while(|cell| cell.byte().is_some()).count();
    }

    /// Leaves islands that no match can reach any more.
    fn leave_unreachable(&mut self) {
        let room = self.window.saturating_sub(self.since);
        self.islands.retain_mut(|island| {
            let reach = room.saturating_sub(island.distances.least().unwrap_or(u32::MAX) as usize);
            island.trim(reach);
            reach > 0
        });
    }

    fn push(&mut self, cells: &[Cell]) {
        match cells.iter().rposition(|cell| cell.byte().is_none()) {
            Some(last) => self.known_run = cells.len() - 1 - last,
            None => self.known_run += cells.len(),
        }
        self.since = self.since.saturating_add(cells.len());
        let cells = &cells[cells.len().saturating_sub(self.window)..];
        let surplus = (self.cells.len() + cells.len()).saturating_sub(self.window);
        self.complete &= surplus == 0;
        self.cells.drain(..surplus);
        self.cells.extend_from_slice(cells);
    }
}

/// What a message asks of every distance.
struct Question<'a> {
    read: Read<'a>,
    /// The reader before the first reference, and where that is.
    reader: Reader,
    from: usize,
    /// How far the farthest reference goes back.
    farthest: u32,
    /// Matches that go back behind the gap.
    stops: Vec<Stop>,
    /// What is known of the bytes since the gap, up to the end of the message.
    line: Vec<Cell>,
    habits: Habits,
}

enum Answer {
    Yes,
    /// The sender would have done otherwise, if it kept its habits.
    Doubtful,
    Unlikely,
    No,
}

impl<'a> Question<'a> {
    /// `None` when the message says nothing of what is before the gap.
    fn new(history: &Blurred, read: Read<'a>, habits: Option<&Habits>) -> Option<Self> {
        let from = read.cells.iter().position(|cell| cell.back().is_some())?;
        let mut reader = Reader::new(read.kind);
        let _ = read.cells[..from].iter().all(|cell| reader.push(cell.byte()));
        let beyond = |stop: &&Stop| {
            usize::from(stop.distance) > stop.start() + history.since
                && read.cells.get(stop.start()).is_some_and(|cell| cell.back().is_some())
        };
        let habits = habits.copied().unwrap_or_default();
        let wanted = habits.longest.alone() > 0 || habits.nearest.is_firm();
        let stops: Vec<_> = if wanted {
            read.stops.all.iter().filter(beyond).copied().collect()
        } else {
            Vec::new()
        };
        let mut line = Vec::new();
        if !stops.is_empty() {
            line.extend_from_slice(&history.cells[history.before_gap()..]);
            line.extend_from_slice(read.cells);
        }
        Some(Self {
            read,
            reader,
            from,
            farthest: read.cells[from..].iter().filter_map(|cell| cell.back()).max()?,
            stops,
            line,
            habits,
        })
    }

    fn ask(
        &self,
        history: &Blurred,
        island: &Island,
        distance: u32,
        mut nearer: Option<&mut Nearer>,
        budget: &mut u64,
    ) -> Answer {
        let look_up = |cell: Cell| match cell.back() {
            Some(back) => history.look_up(back, Some((island, distance))),
            None => Some(cell),
        };
        let mut cost = 1;
        let fits = if self.read.kind == Kind::Binary {
            look_up(Cell::before_gap(self.farthest)).is_some()
        } else {
            let mut reader = self.reader.clone();
            let mut cells = self.read.cells[self.from..].iter();
            let fits = cells.all(|&cell| look_up(cell).is_some_and(|cell| reader.push(cell.byte())));
            cost += (self.read.cells.len() - self.from - cells.len()) as u64;
            fits && reader.may_end()
        };
        *budget = budget.saturating_sub(cost);
        if !fits {
            return Answer::No;
        }
        let mut doubts = 0;
        for (n, stop) in self.stops.iter().enumerate() {
            if *budget == 0 {
                break;
            }
            let longest = &self.habits.longest;
            let alone = island.asked + n < longest.alone();
            if (alone || longest.is_firm() && !longest.is_broken()) && self.habits.would_go_on(stop.length) {
                let next = self
                    .read
                    .cells
                    .get(stop.at as usize)
                    .and_then(|&cell| look_up(cell)?.byte());
                let follow = self.behind(stop, history).and_then(|cell| look_up(cell)?.byte());
                doubts += u32::from(next.is_some() && next == follow);
                if doubts > 1 || doubts > 0 && alone {
                    return Answer::Unlikely;
                }
            }
            if let Some(nearer) = &mut nearer
                && let Some(is_nearer) = self.is_nearer(stop, history, island, distance, budget)
            {
                nearer.see(is_nearer);
                if nearer.is_too_often() {
                    return Answer::Unlikely;
                }
            }
        }
        if doubts > 0 { Answer::Doubtful } else { Answer::Yes }
    }

    /// The byte behind what a match copies.
    fn behind(&self, stop: &Stop, history: &Blurred) -> Option<Cell> {
        let at = (stop.at as usize + history.since).checked_sub(usize::from(stop.distance));
        match at {
            Some(at) => self.line.get(at).copied(),
            None => {
                let back = usize::from(stop.distance) - (stop.at as usize + history.since);
                Some(Cell::before_gap(back as u32))
            }
        }
    }

    /// Whether what a match copies from an island is somewhere nearer, too; `None` when what it copies is not known.
    fn is_nearer(
        &self,
        stop: &Stop,
        history: &Blurred,
        island: &Island,
        distance: u32,
        budget: &mut u64,
    ) -> Option<bool> {
        let back = usize::from(stop.distance) - stop.start() - history.since;
        let into = back.checked_sub(distance as usize)?;
        let cells = island.cells();
        let source = cells.len().checked_sub(into)?;
        let copied = cells.get(source..source + usize::from(stop.length))?;
        if copied.iter().any(|cell| cell.byte().is_none()) {
            return None;
        }
        let here = self
            .line
            .get(..self.line.len() - self.read.cells.len() + stop.start())?;
        *budget = budget.saturating_sub(((cells.len() - source + here.len()) / 4) as u64);
        Some(contains(here, copied) || contains(&cells[source + 1..], copied))
    }
}
