//! All chains at once, as the bytes come.

use super::chain::{Chain, Window, may_begin};
use super::payload;

/// How many chains are followed at once; the better ones.
const CHAINS: usize = 1024;
/// For each byte that comes, so many bytes of payload may be looked at.
const BUDGET: u64 = 256;

/// What is known of the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// What for.
    pub purpose: Purpose,
    /// Its frames are masked (a client's), or not (a server's), when that is known.
    pub masked: Option<bool>,
    /// permessage-deflate was agreed upon, or not, when that is known: else RSV1 is possible.
    pub deflate: Option<bool>,
}

/// How sure it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The direction carries frames: find where the next one begins.
    Regain,
    /// Find out whether it carries frames at all.
    Infer,
}

/// Where decoding can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Offset of the header in the bytes that were looked at.
    pub offset: usize,
    /// The frames are masked.
    pub masked: bool,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A header, and frames from there on.
    Header(Start),
    /// More bytes are needed. Of those that were looked at, the first `useless` hold no header that could still be chosen.
    More {
        /// May be [dropped](Resync::drop_front).
        useless: usize,
    },
}

/// The search in one direction.
#[derive(Debug)]
pub struct Resync {
    expect: Expect,
    /// How many bytes were dropped.
    base: u64,
    /// Up to where starts were looked for.
    scanned: u64,
    /// How many bytes have come.
    seen: u64,
    borders: Vec<u64>,
    chains: Vec<Chain>,
    budget: u64,
}

impl Resync {
    /// A search in which no byte has come yet.
    pub const fn new(expect: Expect) -> Self {
        Self::from(expect, 0)
    }

    /// A search that begins at stream offset `base`.
    pub(super) const fn from(expect: Expect, base: u64) -> Self {
        Self {
            expect,
            base,
            scanned: base,
            seen: base,
            borders: Vec::new(),
            chains: Vec::new(),
            budget: 4096,
        }
    }

    /// Looks at `bytes`: all that has come since the search began (or since what was [dropped](Self::drop_front)), in segments of which one
    /// ends here. To be called for every segment. `ended`: no more will come, and what is good enough for that is taken.
    pub fn look(&mut self, bytes: &[u8], ended: bool) -> Found {
        let mut borders = std::mem::take(&mut self.borders);
        if self.base + bytes.len() as u64 > self.seen || borders.is_empty() {
            borders.push(self.seen);
        }
        let found = self.look_at(Window {
            runs: &[(self.base, bytes)],
            borders: &borders,
            ended,
        });
        self.borders = borders;
        found
    }

    pub(super) fn look_at(&mut self, window: Window<'_>) -> Found {
        if let Some(fresh) = window.end().checked_sub(self.seen) {
            self.budget = self.budget.saturating_add(fresh.saturating_mul(BUDGET)).min(1 << 28);
            self.seen = window.end();
        }
        for run in 0..window.runs.len() {
            self.start_chains(window, run);
        }
        self.go_on(window);
        self.decide(window)
    }

    /// The first `n` of the bytes are gone: the next [`look`](Self::look) is at those behind them.
    pub fn drop_front(&mut self, n: usize) {
        self.base += n as u64;
        self.scanned = self.scanned.max(self.base);
        self.seen = self.seen.max(self.base);
        let base = self.base;
        self.chains.iter_mut().for_each(|chain| chain.dropped(base));
        self.borders.retain(|&border| border >= base);
    }

    /// Every offset that may be a header starts a chain.
    fn start_chains(&mut self, window: Window<'_>, run: usize) {
        let (base, bytes) = window.runs[run];
        let from = usize::try_from(self.scanned.saturating_sub(base)).unwrap_or(usize::MAX);
        let Some(fresh) = bytes.get(from..) else { return };
        for (at, pair) in fresh.windows(2).enumerate() {
            let &[first, second] = pair else { continue };
            let masked = second & 0x80 != 0;
            if !may_begin(first, self.expect) || self.expect.masked.is_some_and(|expected| expected != masked) {
                continue;
            }
            if payload::inside_character(&bytes[..from + at], first) {
                continue;
            }
            let start = base + (from + at) as u64;
            let mut chain = Chain::new(start, window.is_border(start), masked);
            if chain.advance(window, self.expect, &mut self.budget).is_ok() {
                self.chains.push(chain);
                if self.chains.len() >= 2 * CHAINS {
                    self.keep_the_best();
                }
            }
        }
        let last = run + 1 == window.runs.len();
        self.scanned = base + bytes.len() as u64;
        if last && !fresh.is_empty() {
            self.scanned -= 1; // its second byte is still to come
        }
    }

    fn go_on(&mut self, window: Window<'_>) {
        let (expect, budget) = (self.expect, &mut self.budget);
        self.chains.retain_mut(|chain| {
            (chain.wake > window.end() && !window.ended) || chain.advance(window, expect, budget).is_ok()
        });
        self.keep_the_best();
    }

    /// Chains that have met are one: the likelier beginning stays.
    fn keep_the_best(&mut self) {
        self.chains
            .sort_unstable_by_key(|chain| (chain.wake, chain.next, -chain.score, chain.start));
        self.chains.dedup_by_key(|chain| (chain.wake, chain.next));
        if self.chains.len() > CHAINS {
            self.chains.sort_unstable_by_key(|chain| -chain.score);
            self.chains.truncate(CHAINS);
        }
    }

    fn decide(&mut self, window: Window<'_>) -> Found {
        let worth = |chain: &Chain| {
            // A chance chain ends somewhere, this one where all ends.
            chain.worth(self.expect)
                + if window.ended && chain.ends_at(window.end()) {
                    8
                } else {
                    0
                }
        };
        let wanted = match (self.expect.purpose, window.ended) {
            (Purpose::Infer, _) => 50,
            (Purpose::Regain, false) => 20,
            (Purpose::Regain, true) => 8,
        };
        if let Some(best) = self
            .chains
            .iter()
            .filter(|chain| chain.complete > 0)
            .max_by_key(|chain| worth(chain))
        {
            let rival = self
                .chains
                .iter()
                .filter(|chain| chain.next != best.next)
                .map(worth)
                .max();
            if worth(best) >= wanted && rival.is_none_or(|rival| worth(best) - rival >= 8) {
                let start = if best.first_score >= 24 {
                    Some(best.start)
                } else {
                    best.second
                };
                if let Some(offset) = start.and_then(|start| start.checked_sub(self.base)) {
                    if offset < window.end() - self.base {
                        return Found::Header(Start {
                            offset: offset as usize,
                            masked: best.masked,
                        });
                    }
                }
            }
        }
        let first = self
            .chains
            .iter()
            .map(|chain| chain.start)
            .min()
            .unwrap_or(self.scanned)
            .min(self.scanned);
        // Whether a byte is inside a character is seen from those before it.
        Found::More {
            useless: first.saturating_sub(16).saturating_sub(self.base) as usize,
        }
    }
}
