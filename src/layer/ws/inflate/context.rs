//! One direction's way from message to message: with its history known, or what is left of that.

use super::blurred::{Blurred, Read};
use super::contexts::Tools;
use super::history::History;
use super::kind::Kind;
use super::known::Known;
use super::normal::Ended;
use super::normal::Keep;
use super::seen::Seen;
use super::symbols::End;
use super::{Compressed, Inflated, normal, rest_is_unknown, tail};
use crate::layer::ws::Hole;

/// What a hole takes here and where it is told, in bytes of memory: a message has no more of them than fit into its limit.
const HOLE_COST: usize = 64;

/// So many it may have in any case.
const FEW_HOLES: usize = 1000;

/// What looking back at the messages before a loss may cost, in bytes compared.
const LOOK_BACK: u64 = 1_000_000;

/// What of a direction's messages bears on its next one (RFC 7692 §7.1.1): with context takeover, the history.
#[derive(Debug)]
pub(super) struct Context {
    takeover: bool,
    window: u32,
    seen: Seen,
    /// Something is missing right before what comes next.
    missing: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Known(Known),
    Blurred(Box<Blurred>),
}

impl Context {
    /// Of a direction whose messages are seen from the first on. `window`: how many bytes back a match can reach.
    pub(super) fn new(takeover: bool, window: u32) -> Self {
        Self {
            takeover,
            window,
            seen: Seen::default(),
            missing: false,
            state: State::Known(Known::new(History::new(window as usize))),
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
        match &self.state {
            State::Known(known) => known.cost(),
            State::Blurred(blurred) => size_of::<Blurred>() + blurred.cost(),
        }
    }

    /// It is not needed any more.
    pub(super) fn release(mut self, tools: &mut Tools) {
        if let State::Known(known) = &mut self.state {
            known.release(&mut tools.decompressors);
        }
    }

    #[cfg(test)]
    pub(super) fn is_known(&self) -> bool {
        matches!(self.state, State::Known(_))
    }

    #[cfg(test)]
    pub(super) fn blurred(&self) -> Option<&Blurred> {
        match &self.state {
            State::Blurred(blurred) => Some(blurred),
            State::Known(_) => None,
        }
    }

    /// Bytes are missing here that may have held compressed messages.
    pub(super) fn lost(&mut self) {
        if !self.takeover || std::mem::replace(&mut self.missing, true) {
            return;
        }
        self.blur();
        if let State::Blurred(blurred) = &mut self.state {
            blurred.lose();
        }
    }

    /// Inflates one message into `out`; `holes` says what of it is unknown. Both are empty, and never hold more than `limit` bytes of the
    /// message.
    pub(super) fn message(
        &mut self,
        tools: &mut Tools,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        tools.earn();
        let inflated = if message.whole() {
            self.whole_message(tools, message, limit, out, holes)
        } else {
            self.cut_message(tools, message, limit, out, holes)
        };
        self.seen.note(&message, inflated, out);
        inflated
    }

    fn whole_message(
        &mut self,
        tools: &mut Tools,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        self.missing = false;
        match &mut self.state {
            State::Known(_) if !self.takeover => {
                let decompress = tools.decompressors.fresh();
                let ended = normal::message(decompress, Keep::Nothing, message.payload, limit, out, &mut tools.sink);
                ended.report(out, holes)
            }
            State::Known(known) => {
                let ended = known.message(&mut tools.decompressors, message.payload, limit, out, &mut tools.sink);
                match ended {
                    Ended::Done | Ended::TooLong { lost: false } => {}
                    Ended::Finished => {
                        let mut history = History::new(self.window as usize);
                        history.push(out);
                        let blurred = Blurred::from_history(self.window as usize, &history);
                        self.state = State::Blurred(Box::new(blurred));
                    }
                    Ended::Unprepared => {
                        self.forget();
                        out.clear();
                        return self.blurred_message(tools, message, limit, out, holes);
                    }
                    Ended::TooLong { lost: true } | Ended::Invalid => {
                        known.release(&mut tools.decompressors);
                        self.forget();
                    }
                }
                ended.report(out, holes)
            }
            State::Blurred(_) => self.blurred_message(tools, message, limit, out, holes),
        }
    }

    /// A message of which the end is missing.
    fn cut_message(
        &mut self,
        tools: &mut Tools,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        if let State::Known(known) = &mut self.state {
            known.release(&mut tools.decompressors);
        }
        self.blur();
        let inflated = self.blurred_message(tools, message, limit, out, holes);
        match &mut self.state {
            state if !self.takeover => *state = State::Known(Known::new(History::new(self.window as usize))),
            // All that the hole hid were bytes of a stored block: nothing is shifted.
            _ if !self.missing => {}
            State::Blurred(blurred) => blurred.lose(),
            State::Known(_) => self.lost(),
        }
        inflated
    }

    /// What is told of a message, and whether the history goes on behind it without a gap is in `missing`.
    fn blurred_message(
        &mut self,
        tools: &mut Tools,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        let State::Blurred(blurred) = &mut self.state else {
            return Inflated::Invalid;
        };
        tools.message.clear();
        tools.message.extend_from_slice(message.payload);
        if message.whole() {
            tools.message.extend_from_slice(tail(message.payload));
        }
        self.missing = false;
        blurred.account(self.seen.lost_until(message.range.start));
        let (end, rest) = blurred.message(&tools.message, message.holes, limit, &mut tools.cells, &mut tools.stops);
        self.seen.cut = rest.map(|rest| (message.range.end, rest));
        if end == End::Boundary {
            if message.text {
                self.seen.judge(&tools.cells);
            }
            let kind = match (message.text, self.seen.json()) {
                (false, _) => Kind::Binary,
                (true, false) => Kind::Text,
                (true, true) => Kind::Json,
            };
            let read = Read {
                cells: &tools.cells,
                stops: &tools.stops,
                kind,
            };
            blurred.learn(read, &mut self.seen.habits, &mut tools.search_budget);
        }
        let cells = &tools.cells[..tools.cells.len().min(limit)];
        let most = (limit / HOLE_COST).max(FEW_HOLES);
        for (at, &cell) in cells.iter().enumerate() {
            let riddled = holes.len() == most;
            match blurred.byte(cell, &mut tools.search_budget) {
                Some(byte) => out.push(byte),
                None => {
                    match holes.last_mut() {
                        Some(Hole {
                            offset,
                            length: Some(length),
                        }) if *offset + *length == at as u64 => *length += 1,
                        _ if riddled => {
                            // Riddled on purpose: what is left is not worth its memory.
                            holes.push(Hole {
                                offset: at as u64,
                                length: Some((cells.len() - at) as u64),
                            });
                            break;
                        }
                        _ => holes.push(Hole {
                            offset: at as u64,
                            length: Some(1),
                        }),
                    }
                    out.push(0);
                }
            }
        }
        let inflated = match end {
            End::Boundary => {
                blurred.remember(&tools.cells);
                let known = blurred.known();
                if let Some(history) = known {
                    // With no decompressor from before the loss, which has not inflated what was lost.
                    self.state = State::Known(Known::new(history));
                }
                return if holes.is_empty() {
                    Inflated::Whole
                } else {
                    Inflated::Partial
                };
            }
            End::Inside if !message.whole() => {
                self.missing = true;
                let (habits, budget) = (&mut self.seen.habits, &mut tools.search_budget);
                blurred.observe(&tools.cells, &tools.stops, habits, budget);
                blurred.remember(&tools.cells);
                Inflated::Partial
            }
            End::Stopped => Inflated::TooLong,
            End::Inside | End::Invalid => Inflated::Invalid,
        };
        if inflated != Inflated::Partial {
            blurred.forget();
        }
        rest_is_unknown(out, holes);
        inflated
    }

    /// A known history becomes one of cells.
    fn blur(&mut self) {
        let window = self.window as usize;
        let State::Known(known) = &mut self.state else { return };
        let history = std::mem::replace(known, Known::new(History::new(window))).into_history();
        let blurred = match &history {
            Some((history, recent)) => {
                let blurred = Blurred::from_history(window, history);
                blurred.recall(recent, &mut self.seen.habits, &mut { LOOK_BACK });
                blurred
            }
            None => Blurred::new(window),
        };
        self.state = State::Blurred(Box::new(blurred));
    }

    /// From here on the history is unknown, where there is one.
    fn forget(&mut self) {
        if self.takeover {
            self.state = State::Blurred(Box::new(Blurred::new(self.window as usize)));
        }
    }
}
