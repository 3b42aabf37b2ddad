//! One direction's way from message to message: with its history known, or what is left of that.

use super::cell::Cell;
use super::history::History;
use super::normal::{self, Ended};
use super::partial_history::PartialHistory;
use super::plausibility::Kind;
use super::seen::Seen;
use super::symbols::End;
use super::{Compressed, InflatePool, Inflated, rest_is_unknown, tail};
use crate::bounded::Handle;
use crate::layer::ws::Hole;

/// What a hole takes here and where it is told, in bytes of memory: a message has no more of them than fit into its limit.
const HOLE_COST: usize = 64;

/// So many it may have in any case.
const FEW_HOLES: usize = 1000;

/// What the search for a lost length may cost, in cells looked at: so many for each byte of the direction's messages, and so many saved up. (A
/// cell takes some ten instructions, a byte of chat some thirty.)
const SEARCH_A_BYTE: u64 = 48;
const SEARCH_AT_FIRST: u64 = 1 << 15;
const SEARCH_SAVED: u64 = 1 << 21;

/// What of a direction's messages bears on its next one (RFC 7692 §7.1.1): with context takeover, the history.
#[derive(Debug)]
pub(super) struct Context {
    takeover: bool,
    window: u32,
    seen: Seen,
    /// Something is missing right before what comes next.
    missing: bool,
    /// What the search for a lost length may still cost, in cells.
    budget: u64,
    /// All that can be referred to, unless `partial` has what is known of that.
    history: History,
    /// A shared decompressor that may have inflated `history`.
    decompressor: Handle,
    partial: Option<Box<PartialHistory>>,
}

impl Context {
    /// Of a direction whose messages are seen from the first on. `window`: how many bytes back a match can reach.
    pub(super) fn new(takeover: bool, window: u32) -> Self {
        Self {
            takeover,
            window,
            seen: Seen::default(),
            missing: false,
            budget: SEARCH_AT_FIRST,
            history: History::new(window as usize),
            decompressor: Handle::NONE,
            partial: None,
        }
    }

    /// As [`new`](Self::new), for a direction of which earlier messages may have gone unseen.
    pub(super) fn late(takeover: bool, window: u32) -> Self {
        let mut context = Self::new(takeover, window);
        context.forget();
        context
    }

    /// How much memory it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.history.capacity() + self.partial.as_ref().map_or(0, |partial| partial.cost())
    }

    #[cfg(test)]
    pub(super) fn partial(&self) -> Option<&PartialHistory> {
        self.partial.as_deref()
    }

    /// Bytes are missing here that may have held compressed messages.
    pub(super) fn lost(&mut self) {
        if self.takeover && !std::mem::replace(&mut self.missing, true) {
            self.as_partial().lose();
        }
    }

    /// Inflates one message into `out`; `holes` says what of it is unknown. Both are empty, and never hold more than `limit` bytes of the
    /// message.
    pub(super) fn message(
        &mut self,
        pool: &mut InflatePool,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        let earned = SEARCH_A_BYTE * (8 + message.payload.len() as u64);
        self.budget = (self.budget + earned).min(SEARCH_SAVED);
        let inflated = if message.whole() {
            self.whole_message(pool, message, limit, out, holes)
        } else {
            self.cut_message(pool, message, limit, out, holes)
        };
        self.seen.note(&message, inflated, out);
        inflated
    }

    fn whole_message(
        &mut self,
        pool: &mut InflatePool,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        self.missing = false;
        if self.partial.is_some() {
            return self.partial_message(pool, message, limit, out, holes);
        }
        let InflatePool {
            decompressors, sink, ..
        } = pool;
        let history = self.takeover.then_some(&mut self.history);
        let decompress = match &history {
            Some(history) => decompressors.continuing(&mut self.decompressor, history),
            None => Some(decompressors.fresh()),
        };
        let Some(decompress) = decompress else {
            return Inflated::Invalid;
        };
        let ended = normal::message(decompress, history, message.payload, limit, out, sink);
        match ended {
            Ended::Done | Ended::TooLong { lost: false } => {}
            // The history goes on, the decompressor does not.
            Ended::Finished => self.decompressor = Handle::NONE,
            Ended::TooLong { lost: true } | Ended::Invalid | Ended::InsideBlock => self.forget(),
        }
        ended.report(out, holes)
    }

    /// A message of which the end is missing.
    fn cut_message(
        &mut self,
        pool: &mut InflatePool,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        if !self.takeover {
            let mut alone = Self::late(true, self.window);
            (alone.seen, alone.budget) = (self.seen, 0);
            return alone.cut_message(pool, message, limit, out, holes);
        }
        self.as_partial();
        let inflated = self.partial_message(pool, message, limit, out, holes);
        // Else all that the hole hid were bytes of a stored block: nothing is shifted.
        if self.missing {
            self.as_partial().lose();
        }
        inflated
    }

    /// What is told of a message, and whether the history goes on behind it without a gap is in `missing`.
    fn partial_message(
        &mut self,
        pool: &mut InflatePool,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        let history = self
            .partial
            .get_or_insert_with(|| Box::new(PartialHistory::new(self.window as usize)));
        pool.message.clear();
        pool.message.extend_from_slice(message.payload);
        if message.whole() {
            pool.message.extend_from_slice(tail(message.payload));
        }
        self.missing = false;
        history.account(self.seen.lost_until(message.range.start));
        let (end, rest) = history.message(&pool.message, message.holes, limit, &mut pool.cells);
        self.seen.cut = rest.map(|rest| (message.range.end, rest));
        if end == End::Inside && message.whole() {
            // Without what the tail would give.
            history.message(message.payload, &[], limit, &mut pool.cells);
        }
        if end == End::Boundary {
            if message.text {
                self.seen.judge(&pool.cells);
            }
            let kind = match (message.text, self.seen.json()) {
                (false, _) => Kind::Binary,
                (true, false) => Kind::Text,
                (true, true) => Kind::Json,
            };
            history.learn(&pool.cells, kind, &mut self.budget);
        }
        let cells = &pool.cells[..pool.cells.len().min(limit)];
        let most = (limit / HOLE_COST).max(FEW_HOLES);
        tell(cells, history, &mut self.budget, most, out, holes);
        let inflated = match end {
            End::Boundary => {
                history.remember(&pool.cells);
                if let Some(known) = history.known() {
                    // With no decompressor from before the loss, which has not inflated what was lost.
                    (self.history, self.decompressor, self.partial) = (known, Handle::NONE, None);
                }
                return if holes.is_empty() {
                    Inflated::Whole
                } else {
                    Inflated::Partial
                };
            }
            End::Inside if !message.whole() => {
                self.missing = true;
                history.remember(&pool.cells);
                Inflated::Partial
            }
            End::Stopped => Inflated::TooLong,
            End::Inside => Inflated::InsideBlock,
            End::Invalid => Inflated::Invalid,
        };
        if inflated != Inflated::Partial {
            history.forget();
        }
        rest_is_unknown(out, holes);
        inflated
    }

    /// The history as one of which not everything is known.
    fn as_partial(&mut self) -> &mut PartialHistory {
        let window = self.window as usize;
        self.partial.get_or_insert_with(|| {
            let history = std::mem::replace(&mut self.history, History::new(window));
            Box::new(PartialHistory::from_history(window, &history))
        })
    }

    /// From here on the history is unknown, where there is one.
    fn forget(&mut self) {
        if self.takeover {
            self.history = History::new(self.window as usize);
            self.partial = Some(Box::new(PartialHistory::new(self.window as usize)));
        }
    }
}

/// What is known of `cells`, with holes where nothing is, at most `most` of these. `budget` is what looking may cost, in cells.
fn tell(
    cells: &[Cell],
    history: &PartialHistory,
    budget: &mut u64,
    most: usize,
    out: &mut Vec<u8>,
    holes: &mut Vec<Hole>,
) {
    out.reserve_exact(cells.len());
    while out.len() < cells.len() {
        let left = &cells[out.len()..];
        let mut run = &left[..Cell::run(left)];
        if run[0].byte().is_some() {
            out.extend(run.iter().map(|cell| cell.known_byte()));
            continue;
        }
        while let [first, ..] = run {
            let unknown = if history.says_no_more(*budget) {
                run.len()
            } else if let Some(byte) = history.byte(*first, budget) {
                out.push(byte);
                run = &run[1..];
                continue;
            } else {
                1
            };
            run = &run[unknown..];
            let (at, unknown) = (out.len() as u64, unknown as u64);
            let riddled = holes.len() == most;
            match holes.last_mut() {
                Some(Hole {
                    offset,
                    length: Some(length),
                }) if *offset + *length == at => *length += unknown,
                _ if riddled => {
                    // Riddled on purpose: what is left is not worth its memory.
                    let length = Some(cells.len() as u64 - at);
                    return holes.push(Hole { offset: at, length });
                }
                _ => holes.push(Hole {
                    offset: at,
                    length: Some(unknown),
                }),
            }
            out.resize(out.len() + unknown as usize, 0);
        }
    }
}
