//! All chains at once, as the bytes come.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::chain::{Chain, LedTo, Place, Way, Window, may_begin};
use super::payload;
use crate::layer::ws::Header;

/// So many chains are followed at once, the better ones, and twice as many for a while.
const CHAINS: usize = 512;
/// For each byte that comes, so many bytes of payload may be looked at.
const BUDGET: u64 = 8;
/// In so many bytes a chain may be looked at once, in the mean of all that came, and so many times more.
const BYTES_A_LOOK: u64 = 8;
const LOOKS: u64 = 32768;
/// When looks are used up, a chain goes on only when it has so many bits.
const WORTH_A_LOOK: i32 = 12;
/// After so many bytes it is looked which of those before are of use.
const STEP: u64 = 4096;

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
    /// The same, when a handshake was seen that was cut before it said to what.
    Confirm,
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

/// Chains by the header that they stand before.
type Standing = BTreeMap<Way, Chain>;

/// Chains that meet are one: the likelier beginning stays.
fn stand(standing: &mut Standing, chain: Chain) {
    match standing.entry(chain.way()) {
        Entry::Vacant(entry) => {
            entry.insert(chain);
        }
        Entry::Occupied(mut entry) => {
            if chain.score > entry.get().score {
                let old = entry.insert(chain);
                entry.get_mut().meet(&old);
            } else {
                entry.get_mut().meet(&chain);
            }
        }
    }
}

/// The search in one direction.
#[derive(Debug)]
pub struct Resync {
    expect: Expect,
    /// Where a frame most likely begins.
    likely: Option<u64>,
    /// How many bytes were dropped.
    base: u64,
    /// Up to where starts were looked for.
    scanned: u64,
    /// How many bytes have come.
    seen: u64,
    borders: Vec<u64>,
    /// By where they can go on.
    chains: BTreeMap<(u64, Way), Chain>,
    /// One of them may be good enough.
    strong: bool,
    /// When so many bytes have come, it is looked which of them are of use.
    step: u64,
    budget: u64,
    /// Bytes that came for looks that were not taken yet.
    credit: u64,
    /// How often a chain was looked at.
    #[cfg(test)]
    work: u64,
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
            likely: None,
            base,
            scanned: base,
            seen: base,
            borders: Vec::new(),
            chains: BTreeMap::new(),
            strong: false,
            step: 0,
            budget: 4096,
            credit: LOOKS * BYTES_A_LOOK,
            #[cfg(test)]
            work: 0,
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
            self.credit = self.credit.saturating_add(fresh).min(LOOKS * BYTES_A_LOOK);
            self.budget = self.budget.saturating_add(fresh.saturating_mul(BUDGET)).min(1 << 28);
            self.seen = window.end();
        }
        let mut standing = self.wake(window);
        for run in 0..window.runs.len() {
            self.sweep(window, run, &mut standing);
        }
        let found = self.decide(window);
        self.chains.split_off(&Chain::STUCK);
        found
    }

    /// The first `n` of the bytes are gone: the next [`look`](Self::look) is at those behind them.
    pub fn drop_front(&mut self, n: usize) {
        self.drop_before(self.base + n as u64);
    }

    /// A frame most likely begins at this stream offset.
    pub(super) fn expect_at(&mut self, offset: u64) {
        self.likely = Some(offset);
    }

    /// Stream offset of the first byte that is looked at.
    pub(super) const fn base(&self) -> u64 {
        self.base
    }

    /// Segments began at these offsets, of those that have come so far.
    pub(super) fn remember(&mut self, borders: Vec<u64>) {
        self.borders = borders;
    }

    pub(super) fn drop_before(&mut self, base: u64) {
        self.base = self.base.max(base);
        self.scanned = self.scanned.max(self.base);
        self.seen = self.seen.max(self.base);
        let base = self.base;
        self.chains.values_mut().for_each(|chain| chain.dropped(base));
        self.borders.retain(|&border| border >= base);
    }

    /// How many chains there are, and how often one was looked at.
    #[cfg(test)]
    pub(super) fn work(&self) -> (usize, u64) {
        (self.chains.len(), self.work)
    }

    /// Takes out the chains that can go on. Those that stand before a header are given back, by its offset.
    fn wake(&mut self, window: Window<'_>) -> Standing {
        let mut standing = Standing::new();
        let mut awake = std::mem::take(&mut self.chains);
        if !window.ended {
            self.chains = awake.split_off(&(window.end() + 1, Way::default()));
        }
        for (_, chain) in awake {
            self.go_on(chain, window, &mut standing);
        }
        standing
    }

    /// Goes over the offsets of a run, ascending: where a chain stands it goes on, and where a header may be a new one begins. At each offset
    /// only a few go on, the likelier ones, so that the work is linear.
    fn sweep(&mut self, window: Window<'_>, run: usize, standing: &mut Standing) {
        let (base, bytes) = window.runs[run];
        let end = base + bytes.len() as u64;
        let mut at = usize::try_from(self.scanned.saturating_sub(base)).map_or(bytes.len(), |at| at.min(bytes.len()));
        loop {
            let begin = if self.credit < BYTES_A_LOOK {
                self.next_border(window, run, at)
            } else {
                self.next_begin(bytes, at)
            };
            let stop = base + begin as u64;
            while let Some(entry) = standing.first_entry().filter(|entry| entry.key().0 < stop) {
                let chain = entry.remove();
                self.go_on(chain, window, standing);
            }
            if begin == bytes.len() {
                break;
            }
            let masked = bytes[begin + 1] & 0x80 != 0;
            let place = match stop {
                _ if self.likely == Some(stop) => Place::Expected,
                _ if window.is_border(stop) => Place::Border,
                _ => Place::Inside,
            };
            let mut new = Chain::new(stop, place, masked);
            // Those that were led here by chance may be in a state in which they cannot go on.
            let mut best = None;
            while let Some(entry) = standing.first_entry().filter(|entry| entry.key().0 == stop) {
                let old = entry.remove();
                // One to which everything may still happen says all that a new one would.
                let open = old.is_open();
                let score = old.score;
                let led = LedTo {
                    more: score - new.score,
                    second: old.second.unwrap_or(stop),
                };
                if self.go_on(old, window, standing) && open {
                    best = best.max(Some(score));
                    new.lead(led);
                }
            }
            if best.is_none_or(|best| best < new.score) {
                self.go_on(new, window, standing);
            }
            at = begin + 1;
        }
        if run + 1 == window.runs.len() {
            while let Some((_, chain)) = standing.pop_first() {
                self.go_on(chain, window, standing);
            }
            // The second byte of a header may still be to come.
            self.scanned = self.scanned.max(end.saturating_sub(1));
        } else {
            self.scanned = self.scanned.max(end);
        }
    }

    /// The first offset from `at` on at which a header may begin, or the end.
    fn next_begin(&self, bytes: &[u8], at: usize) -> usize {
        (at..bytes.len().saturating_sub(1))
            .find(|&at| {
                may_begin(bytes[at], self.expect)
                    // An empty continuation says nothing: the frame behind it is as good a beginning.
                    && !(bytes[at] & 0x7f == 0 && bytes[at + 1] & 0x7f == 0)
                    && self
                        .expect
                        .masked
                        .is_none_or(|masked| masked == (bytes[at + 1] & 0x80 != 0))
                    && self.may_lead_on(&bytes[at..])
                    && !payload::inside_character(&bytes[..at], bytes[at])
            })
            .unwrap_or(bytes.len())
    }

    /// The first offset from `at` on at which a segment begins and a header may, or the end: all that is looked at when the looks are used up.
    fn next_border(&self, window: Window<'_>, run: usize, at: usize) -> usize {
        let (base, bytes) = window.runs[run];
        let first = window.borders.partition_point(|&border| border < base + at as u64);
        window.borders[first..]
            .iter()
            .chain(self.likely.as_ref().filter(|&&likely| likely >= base + at as u64))
            .map(|border| usize::try_from(border - base).unwrap_or(bytes.len()))
            .take_while(|&border| border + 1 < bytes.len())
            .find(|&border| self.next_begin(&bytes[..border + 2], border) == border)
            .unwrap_or(bytes.len())
    }

    /// Whether a header at the start of `bytes` leads to what may be the next one, or beyond them: most that are none are told by that.
    fn may_lead_on(&self, bytes: &[u8]) -> bool {
        let Some(header) = Header::parse(bytes) else {
            return true;
        };
        let next = usize::try_from(header.length).map_or(bytes.len(), |n| n.saturating_add(header.size.into()));
        match bytes.get(next..) {
            Some(&[first, second, ..]) => may_begin(first, self.expect) && (second ^ bytes[1]) & 0x80 == 0,
            _ => true,
        }
    }

    /// `false`: it could not.
    fn go_on(&mut self, mut chain: Chain, window: Window<'_>, standing: &mut Standing) -> bool {
        #[cfg(test)]
        {
            self.work += 1;
        }
        if self.credit < BYTES_A_LOOK {
            if chain.score < WORTH_A_LOOK && !window.is_border(chain.start) {
                return false;
            }
        } else {
            self.credit -= BYTES_A_LOOK;
        }
        match chain.advance(window, self.expect, &mut self.budget) {
            Ok(true) => stand(standing, chain),
            Ok(false) => self.keep(chain),
            Err(_) => return false,
        }
        true
    }

    /// Keeps a chain that cannot go on yet. Chains that have met are one: the likelier beginning stays.
    fn keep(&mut self, chain: Chain) {
        self.strong |= chain.complete > 0 && chain.worth(self.expect) >= self.wanted(false);
        match self.chains.entry((chain.wake, chain.way())) {
            Entry::Vacant(entry) => {
                entry.insert(chain);
            }
            Entry::Occupied(mut entry) => {
                let old = entry.get();
                if (chain.score, old.start) > (old.score, chain.start) {
                    let old = entry.insert(chain);
                    entry.get_mut().meet(&old);
                } else {
                    entry.get_mut().meet(&chain);
                }
            }
        }
        if self.chains.len() >= 2 * CHAINS {
            let mut scores: Vec<i32> = self.chains.values().map(|chain| chain.score).collect();
            let (_, &mut least, _) = scores.select_nth_unstable_by_key(CHAINS, |score| -score);
            self.chains.retain(|_, chain| chain.score > least);
        }
    }

    fn wanted(&self, ended: bool) -> i32 {
        match (self.expect.purpose, ended) {
            (Purpose::Infer, _) => 50,
            (Purpose::Confirm, false) => 20,
            (Purpose::Confirm, true) => 14,
            (Purpose::Regain, false) => 20,
            (Purpose::Regain, true) => 8,
        }
    }

    fn decide(&mut self, window: Window<'_>) -> Found {
        // The prior of a chain is for 65,536 places to start at.
        let fewer = match self.expect.purpose {
            Purpose::Regain if window.ended => (window.bytes().max(1).ilog2() as i32 + 1 - 16).min(0),
            _ => 0,
        };
        let worth = |chain: &Chain| {
            let end = if window.ended {
                chain.worth_of_end(window.end())
            } else {
                0
            };
            chain.worth(self.expect) + end - fewer
        };
        let wanted = self.wanted(window.ended);
        if (self.strong || window.ended)
            && let Some(best) = self
                .chains
                .values()
                .filter(|chain| chain.complete > 0)
                .max_by_key(|chain| (worth(chain), Reverse(chain.start)))
        {
            let rival = self
                .chains
                .values()
                .filter(|chain| chain.next != best.next && !chain.in_text)
                .map(worth)
                .max();
            // The one that led to it soon is as good.
            let more = best.led_to.map_or(0, |led| led.more.min(0));
            self.strong = worth(best) + if window.ended { 0 } else { more } >= wanted;
            // A length of 129 and a brace look like a header of their own.
            let in_header = |chain: &Chain| !window.ended && chain.reads_header_over(best.start);
            if self.strong && !self.chains.values().any(in_header) && rival.is_none_or(|rival| worth(best) - rival >= 8)
            {
                // Chains that came to the same place in different states did not become one.
                let start = self
                    .chains
                    .values()
                    .filter(|chain| chain.complete > 0 && chain.next == best.next && worth(chain) >= wanted)
                    .filter_map(|chain| Some((worth(chain), chain.believed_from(worth(chain), wanted)?)))
                    .max_by_key(|&(worth, _)| worth)
                    .map(|(_, start)| start);
                if let Some(offset) = start.and_then(|start| start.checked_sub(self.base))
                    && offset < window.end() - self.base
                {
                    return Found::Header(Start {
                        offset: offset as usize,
                        masked: best.masked,
                    });
                }
            }
        }
        if self.seen < self.step && !window.ended {
            return Found::More { useless: 0 };
        }
        self.step = self.seen + STEP;
        let first = self
            .chains
            .values()
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
