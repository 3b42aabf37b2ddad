//! One message with its history known, through `flate2`.

use flate2::{Decompress, FlushDecompress, Status};

use super::decompressors::rewind;
use super::history::History;
use super::{Inflated, rest_is_unknown, tail};
use crate::layer::ws::Hole;

/// How the message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With its tail: the decompressor is ready for the next one.
    Done,
    /// With BFINAL: a history outside of the decompressor is right, the decompressor is not.
    Finished,
    /// `out` is full. `lost`: so much more would have come that the history is lost.
    TooLong {
        /// The history and the decompressor are worth nothing.
        lost: bool,
    },
    /// Inside of a block (RFC 7692 §7.2.1: a message ends behind one).
    InsideBlock,
    /// It is not DEFLATE.
    Invalid,
}

impl Ended {
    pub(super) fn report(self, out: &mut Vec<u8>, holes: &mut Vec<Hole>) -> Inflated {
        match self {
            Ended::Done | Ended::Finished => return Inflated::Whole,
            Ended::TooLong { .. } | Ended::Invalid | Ended::InsideBlock => rest_is_unknown(out, holes),
        }
        match self {
            Ended::TooLong { .. } => Inflated::TooLong,
            Ended::InsideBlock => Inflated::InsideBlock,
            _ => Inflated::Invalid,
        }
    }
}

/// Inflates `payload` into `out`, which is empty, and continues the history with it. `decompress` has inflated that history.
pub(super) fn message(
    decompress: &mut Decompress,
    history: Option<&mut History>,
    payload: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
    sink: &mut Vec<u8>,
) -> Ended {
    let mut output = Output {
        out,
        limit,
        history,
        in_history: 0,
        sink,
        beyond: None,
    };
    let mut said = 0;
    for mut input in [payload, tail(payload)] {
        said = output.given();
        loop {
            match output.feed(decompress, &mut input) {
                Fed::All => break,
                // RFC 7692 §7.2.3.5: a block with BFINAL does not end the message, and the window goes on.
                Fed::Finished => {
                    output.remember();
                    if input.is_empty() {
                        return if output.is_too_long() {
                            output.too_long(true)
                        } else {
                            Ended::Finished
                        };
                    }
                    let rewound = match &output.history {
                        Some(history) => rewind(decompress, history),
                        None => rewind(decompress, &output.message()),
                    };
                    if !rewound {
                        return Ended::Invalid;
                    }
                }
                Fed::Enough => return output.too_long(true),
                Fed::Invalid => {
                    output.out.truncate(limit);
                    return Ended::Invalid;
                }
            }
        }
    }
    // Behind a block the sender has taken off all but the first three bits of an empty one, all 0, so the tail gives nothing.
    let inside =
        !tail(payload).is_empty() && (output.given() > said || payload.last().is_some_and(|last| last >> 5 != 0));
    if inside && output.beyond.is_none() {
        output.out.truncate(said.min(limit));
        return Ended::InsideBlock;
    }
    output.remember();
    if output.is_too_long() {
        output.too_long(false)
    } else {
        Ended::Done
    }
}

/// Where the bytes go: to the caller up to the limit, and all of them to the history.
struct Output<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
    /// What the message continues, if anything.
    history: Option<&'a mut History>,
    /// How much of `out` the history has.
    in_history: usize,
    /// Takes what is beyond the limit, until the history has it.
    sink: &'a mut Vec<u8>,
    /// How many bytes went beyond the limit.
    beyond: Option<usize>,
}

enum Fed {
    /// All of the input was taken and all output given.
    All,
    /// A block with BFINAL has ended.
    Finished,
    /// Far too much has come.
    Enough,
    Invalid,
}

impl Output<'_> {
    /// How much of a message beyond the limit is inflated, as a multiple of the limit, to keep the history right.
    const BEYOND: usize = 4;
    const SINK: usize = 32 << 10;

    fn feed(&mut self, decompress: &mut Decompress, input: &mut &[u8]) -> Fed {
        loop {
            if self.beyond.is_none() && self.out.len() > self.limit {
                if self.history.is_none() {
                    return Fed::Enough;
                }
                self.remember();
                self.beyond = Some(0);
                self.sink.clear();
            }
            let (target, room) = match self.beyond {
                None => {
                    // As much again as there is, but in proportion to what is left to read; up to one byte more than the limit, to see that
                    // it is too long.
                    let room = self.out.len().min(input.len().saturating_mul(1024));
                    let room = room.max(input.len().saturating_mul(4)).max(256);
                    let room = room.min((self.limit - self.out.len()).saturating_add(1));
                    (&mut *self.out, room)
                }
                Some(beyond) => {
                    if self.sink.len() == Self::SINK {
                        if beyond > self.limit.saturating_mul(Self::BEYOND) {
                            return Fed::Enough;
                        }
                        self.remember();
                    }
                    let room = Self::SINK - self.sink.len();
                    (&mut *self.sink, room)
                }
            };
            // Not `decompress_vec`: it clears all the spare capacity first, each time, and the buffer may once have held a long message.
            let start = target.len();
            target.reserve_exact(room);
            target.resize(start + room, 0);
            let (taken, given) = (decompress.total_in(), decompress.total_out());
            let result = decompress.decompress(input, &mut target[start..], FlushDecompress::Sync);
            let given = (decompress.total_out() - given) as usize;
            target.truncate(start + given);
            let Ok(status) = result else {
                return Fed::Invalid;
            };
            let taken = (decompress.total_in() - taken) as usize;
            *input = &input[taken..];
            if status == Status::StreamEnd {
                return Fed::Finished;
            }
            if given < room {
                if input.is_empty() {
                    return Fed::All;
                }
                if taken == 0 && given == 0 {
                    return Fed::Invalid; // cannot be, but must not hang
                }
            }
        }
    }

    /// Continues the history with what it does not have yet.
    fn remember(&mut self) {
        let new = match self.beyond {
            None => &self.out[self.in_history..],
            Some(_) => self.sink,
        };
        if let Some(history) = &mut self.history {
            history.push(new);
        }
        match &mut self.beyond {
            None => self.in_history = self.out.len(),
            Some(beyond) => {
                *beyond += self.sink.len();
                self.sink.clear();
            }
        }
    }

    /// The message so far, as the history of what follows in it.
    fn message(&self) -> History {
        let mut history = History::new(32 << 10);
        history.push(self.out);
        history
    }

    /// How many bytes have come, up to the limit and a little more.
    fn given(&self) -> usize {
        self.out.len()
    }

    fn is_too_long(&self) -> bool {
        self.out.len() > self.limit || self.beyond.is_some()
    }

    fn too_long(&mut self, lost: bool) -> Ended {
        self.out.truncate(self.limit);
        Ended::TooLong { lost }
    }
}
