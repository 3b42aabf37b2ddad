//! Which message of one capture is which of the other: one session, one direction.
//!
//! Messages whose content stands once on both sides are pairs. Most of them stand in the same order: these divide both sequences into
//! stretches, and within a stretch what costs least is taken (Needleman and Wunsch): the same content at a likely time is cheap, other
//! content dearer, and dearest that a message has no counterpart. What remains and says the same was reordered.

use std::collections::HashMap;

use super::capture::Kept;
use super::clock::{self, Clock, Known};
use crate::base::{Direction, Timestamp};

/// A message of both captures, by its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Its place in the first capture.
    pub edge: u32,
    /// Its place in the second one.
    pub app: u32,
    /// Another came before it on one side and behind it on the other.
    pub reordered: bool,
}

/// Pairs by their places in both captures.
type Places = Vec<(usize, usize)>;

/// What is expected of the times of a pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) direction: Direction,
    pub(super) clock: Clock,
    /// The usual delay.
    pub(super) usual: i64,
    /// Delays that differ from it by this much are as unlikely as any.
    pub(super) scale: i64,
    /// A delay may seem so much less than none.
    pub(super) tolerance: i64,
}

impl Times {
    /// How long the message was under way.
    fn delay(&self, edge: Timestamp, app: Timestamp) -> i64 {
        self.clock.delay(self.direction, edge, app)
    }

    /// Whether it can have arrived then.
    fn is_possible(&self, delay: i64) -> bool {
        self.clock.known != Known::Both || delay >= -self.tolerance
    }

    /// Whether it would have taken much longer than any other.
    fn is_far(&self, delay: i64) -> bool {
        delay.saturating_sub(self.usual) > self.scale.saturating_mul(5)
    }

    /// How unlikely it is, from 0 to 1.
    fn unlikely(&self, delay: i64) -> f32 {
        let away = delay.saturating_sub(self.usual).unsigned_abs();
        (away as f32 / self.scale.max(1) as f32).min(1.0)
    }
}

/// Messages of a stretch that are compared with each other at once.
const WINDOW: usize = 512;

/// Pairs up the messages of one direction, in the order of the first capture.
pub(super) fn pair(direction: Direction, edge: &[Kept], app: &[Kept], times: Option<&Times>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let took = |e: usize, a: usize| match direction {
        Direction::ClientToServer => app[a].time.since(edge[e].time),
        Direction::ServerToClient => edge[e].time.since(app[a].time),
    };
    let (anchors, moved) = in_order(only_once(edge, app, times), app.len(), took);
    let mut used = (vec![false; edge.len()], vec![false; app.len()]);
    for &(e, a) in anchors.iter().chain(&moved) {
        used.0[e] = true;
        used.1[a] = true;
    }
    pairs.extend(moved.iter().map(|&(e, a)| (e, a, true)));
    // The stretches between them.
    let (mut e, mut a) = (0, 0);
    for (next_e, next_a) in anchors.iter().copied().chain([(edge.len(), app.len())]) {
        let left: Vec<usize> = (e..next_e).filter(|&at| !used.0[at]).collect();
        let right: Vec<usize> = (a..next_a).filter(|&at| !used.1[at]).collect();
        for (at_edge, at_app) in stretch(edge, app, &left, &right, times) {
            used.0[at_edge] = true;
            used.1[at_app] = true;
            pairs.push((at_edge, at_app, false));
        }
        if next_e < edge.len() {
            pairs.push((next_e, next_a, false));
        }
        (e, a) = (next_e + 1, next_a + 1);
    }
    // What says the same in other places.
    let mut left_over: HashMap<(u8, [u8; 16]), Vec<usize>> = HashMap::new();
    for at in (0..app.len()).rev().filter(|&at| !used.1[at] && app[at].complete) {
        left_over
            .entry((app[at].opcode.bits(), app[at].hash))
            .or_default()
            .push(at);
    }
    for at in (0..edge.len()).filter(|&at| !used.0[at] && edge[at].complete) {
        let Some(others) = left_over.get_mut(&(edge[at].opcode.bits(), edge[at].hash)) else {
            continue;
        };
        let likely = |other: usize| {
            times.is_none_or(|times| {
                let delay = times.delay(edge[at].time, app[other].time);
                times.is_possible(delay) && times.unlikely(delay) < 1.0
            })
        };
        if let Some(other) = others.pop_if(|other| likely(*other)) {
            pairs.push((at, other, true));
        }
    }
    pairs.sort_unstable();
    pairs
        .into_iter()
        .map(|(edge, app, reordered)| Pair {
            edge: edge as u32,
            app: app as u32,
            reordered,
        })
        .collect()
}

/// Messages whose content stands once on each side, by the place in the first capture.
pub(super) fn only_once(edge: &[Kept], app: &[Kept], times: Option<&Times>) -> Places {
    #[derive(Default)]
    struct Seen {
        edge: (u32, usize),
        app: (u32, usize),
    }
    let mut seen: HashMap<(u8, [u8; 16]), Seen> = HashMap::with_capacity(edge.len());
    for (at, kept) in edge.iter().enumerate().filter(|(_, kept)| kept.complete) {
        let seen = seen.entry((kept.opcode.bits(), kept.hash)).or_default();
        seen.edge = (seen.edge.0 + 1, at);
    }
    for (at, kept) in app.iter().enumerate().filter(|(_, kept)| kept.complete) {
        if let Some(seen) = seen.get_mut(&(kept.opcode.bits(), kept.hash)) {
            seen.app = (seen.app.0 + 1, at);
        }
    }
    let mut pairs: Vec<_> = seen
        .into_values()
        .filter(|seen| seen.edge.0 == 1 && seen.app.0 == 1)
        .map(|seen| (seen.edge.1, seen.app.1))
        .filter(|&(e, a)| times.is_none_or(|times| times.is_possible(times.delay(edge[e].time, app[a].time))))
        .collect();
    pairs.sort_unstable();
    pairs
}

/// Divides pairs into the most that stand in the same order on both sides, and the others. Of as many, those that took least time: who
/// was held back is who was overtaken. `took` may be off by the same for all.
fn in_order(pairs: Places, places: usize, took: impl Fn(usize, usize) -> i64) -> (Places, Places) {
    if pairs.is_sorted_by_key(|(_, a)| *a) {
        return (pairs, Vec::new());
    }
    /// How many stand in order up to here, how long they took (less is better), and the one before.
    type Chain = (usize, i128, usize);
    const NONE: usize = usize::MAX;
    let better = |a: &Chain, b: &Chain| (a.0, -a.1) > (b.0, -b.1);
    // A tree of prefix maxima over the places of the second capture (Fenwick).
    let mut tree: Vec<Chain> = vec![(0, 0, NONE); places + 1];
    let mut chains: Vec<Chain> = Vec::with_capacity(pairs.len());
    for (n, &(e, a)) in pairs.iter().enumerate() {
        let mut best: Chain = (0, 0, NONE);
        let mut at = a;
        while at > 0 {
            if better(&tree[at], &best) {
                best = tree[at];
            }
            at &= at - 1;
        }
        let time = best.1 + i128::from(took(e, a));
        chains.push((best.0 + 1, time, best.2));
        let own = (best.0 + 1, time, n);
        let mut at = a + 1;
        while at < tree.len() {
            if better(&own, &tree[at]) {
                tree[at] = own;
            }
            at += at & at.wrapping_neg();
        }
    }
    let mut last = (0..chains.len()).reduce(|a, b| if better(&chains[b], &chains[a]) { b } else { a });
    let mut keep = vec![false; pairs.len()];
    while let Some(at) = last {
        keep[at] = true;
        last = (chains[at].2 != NONE).then_some(chains[at].2);
    }
    let (kept, moved): (Vec<_>, Vec<_>) = pairs.into_iter().zip(keep).partition(|(_, keep)| *keep);
    let pairs_of = |all: Vec<((usize, usize), bool)>| all.into_iter().map(|(pair, _)| pair).collect();
    (pairs_of(kept), pairs_of(moved))
}

/// The cheapest way to pair up a stretch, window by window.
fn stretch(edge: &[Kept], app: &[Kept], left: &[usize], right: &[usize], times: Option<&Times>) -> Places {
    let mut pairs = Vec::new();
    let (mut e, mut a) = (0, 0);
    while e < left.len() && a < right.len() {
        let whole = left.len() - e <= WINDOW && right.len() - a <= WINDOW;
        let (l, r) = (
            &left[e..left.len().min(e + WINDOW)],
            &right[a..right.len().min(a + WINDOW)],
        );
        let found = window(l.len(), r.len(), |x| {
            let row = Row::new(&edge[l[x]], times);
            move |y| row.cost(&app[r[y]])
        });
        if whole {
            pairs.extend(found.iter().map(|&(x, y)| (l[x], r[y])));
            break;
        }
        // What is near the end of the window may yet be paired otherwise.
        let half = WINDOW / 2;
        let sure: Vec<_> = found.into_iter().filter(|&(x, y)| x < half && y < half).collect();
        match sure.last() {
            Some(&(x, y)) => {
                pairs.extend(sure.iter().map(|&(x, y)| (l[x], r[y])));
                (e, a) = (e + x + 1, a + y + 1);
            }
            None => (e, a) = (e + half.min(l.len()), a + half.min(r.len())),
        }
    }
    pairs
}

/// What it costs that a message has no counterpart.
const ALONE: f32 = 1.0;

/// Pairs (by row and column) in order. Most counterparts stand near the diagonal: a narrow band along it is looked at first, and a wider
/// one only where a way outside of it may be as cheap (Ukkonen). `cost` gives, for a row, what it costs to pair it with each column.
fn window<F: Fn(usize) -> Option<f32>>(rows: usize, columns: usize, cost: impl Fn(usize) -> F) -> Places {
    let most = rows.min(columns);
    let mut beside = 2;
    loop {
        let band = Band { rows, columns, beside };
        let (pairs, all) = band.cheapest(&cost);
        if beside >= most || all < band.outside() {
            return pairs;
        }
        // Beyond this, a way costs more than the one that was found.
        let enough = (all as usize).saturating_sub(rows.abs_diff(columns)) / 2 + 1;
        beside = (beside * 16).min(enough).min(most);
    }
}

/// Ways through a window that stay near its diagonal.
struct Band {
    rows: usize,
    columns: usize,
    /// How many more messages of one side than of the other a way has left behind at most, beyond those that one side has more.
    beside: usize,
}

impl Band {
    /// No way outside costs less: there, and back to the end, it leaves as many messages alone. (One less, as sums are rounded.)
    fn outside(&self) -> f32 {
        (self.rows.abs_diff(self.columns) + 2 * self.beside + 1) as f32 * ALONE
    }

    /// Needleman and Wunsch: the cheapest way and what it costs.
    fn cheapest<F: Fn(usize) -> Option<f32>>(&self, cost: impl Fn(usize) -> F) -> (Places, f32) {
        /// From where the cheapest way comes.
        #[derive(Clone, Copy)]
        enum From {
            Both,
            Edge,
            App,
        }
        // Places lie by diagonals: that of row x and column y is y + shift - x.
        let shift = self.beside + self.rows.saturating_sub(self.columns);
        let width = self.rows.abs_diff(self.columns) + 2 * self.beside + 1;
        // Of the row above up to here, and of this one; nothing beyond the band.
        let mut costs = vec![f32::INFINITY; width + 1];
        let mut ways = vec![From::App; (self.rows + 1) * width];
        for x in 0..=self.rows {
            let ways = &mut ways[x * width..][..width];
            let columns = x.saturating_sub(shift)..(x + width - shift).min(self.columns + 1);
            let pair = x.checked_sub(1).map(&cost);
            let mut before = f32::INFINITY;
            for y in columns {
                let at = y + shift - x;
                let mut best = (before + ALONE, From::App);
                if let Some(pair) = &pair {
                    if costs[at + 1] + ALONE <= best.0 {
                        best = (costs[at + 1] + ALONE, From::Edge);
                    }
                    if let Some(y) = y.checked_sub(1)
                        && let Some(cost) = pair(y)
                        && costs[at] + cost <= best.0
                    {
                        best = (costs[at] + cost, From::Both);
                    }
                } else if y == 0 {
                    best.0 = 0.0;
                }
                before = best.0;
                costs[at] = best.0;
                ways[at] = best.1;
            }
        }
        let (mut x, mut y) = (self.rows, self.columns);
        let all = costs[y + shift - x];
        let mut pairs = Vec::new();
        while x > 0 || y > 0 {
            match ways[x * width + y + shift - x] {
                From::Both => {
                    (x, y) = (x - 1, y - 1);
                    pairs.push((x, y));
                }
                From::Edge => x -= 1,
                From::App => y -= 1,
            }
        }
        pairs.reverse();
        (pairs, all)
    }
}

/// A message of the first capture, beside which those of the second one are held.
struct Row<'a> {
    edge: &'a Kept,
    /// What is expected of the times, and the clocks' offset at its time.
    times: Option<(&'a Times, i64)>,
}

impl<'a> Row<'a> {
    fn new(edge: &'a Kept, times: Option<&'a Times>) -> Self {
        Self {
            edge,
            times: times.map(|times| (times, times.clock.offset(edge.time))),
        }
    }

    /// What it costs to take both for one message: less than 2, which both cost alone, or it is not done. `None` when they cannot be one.
    fn cost(&self, app: &Kept) -> Option<f32> {
        let edge = self.edge;
        if edge.opcode != app.opcode {
            return None;
        }
        let (mut unlikely, mut far) = (0.0, false);
        if let Some((times, offset)) = self.times {
            let delay = clock::delay(times.direction, edge.time, app.time, offset);
            if !times.is_possible(delay) {
                return None;
            }
            (unlikely, far) = (times.unlikely(delay), times.is_far(delay));
        }
        if edge.is_like(app) {
            // Pings and pongs with the same few bytes may be the proxy's own on both sides.
            return (!edge.is_control() || !far).then_some(0.9 * unlikely);
        }
        if !edge.complete || !app.complete {
            // What was not captured whole cannot contradict.
            return Some(0.3 + 0.9 * unlikely);
        }
        // A ping or pong that says something else is another one.
        let may_change = !edge.is_control() || edge.close.is_some() && app.close.is_some();
        may_change.then_some(1.15 + 0.85 * unlikely + 0.3 * unlike(edge.length, app.length))
    }
}

/// How much the lengths differ, from 0 to 1.
fn unlike(a: u64, b: u64) -> f32 {
    1.0 - (a.min(b) as f32 + 1.0) / (a.max(b) as f32 + 1.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// What is paired, and how many pairs were looked at.
    fn counted(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> Option<f32>) -> (Places, usize) {
        let looks = Cell::new(0);
        let (looks, cost) = (&looks, &cost);
        let pairs = window(rows, columns, |x| {
            move |y| {
                looks.set(looks.get() + 1);
                cost(x, y)
            }
        });
        (pairs, looks.get())
    }

    #[test]
    fn of_equal_messages_only_those_near_each_other_are_looked_at() {
        let (pairs, looks) = counted(WINDOW, WINDOW, |x, y| Some((x.abs_diff(y) as f32 * 0.01).min(0.9)));
        assert!(pairs.into_iter().eq((0..WINDOW).map(|at| (at, at))));
        assert!(looks <= 5 * WINDOW, "{looks}");
        // A quarter of them is missing.
        let (pairs, looks) = counted(WINDOW, WINDOW * 3 / 4, |x, y| (x == y + y / 3).then_some(0.0));
        assert!(pairs.into_iter().eq((0..WINDOW * 3 / 4).map(|at| (at + at / 3, at))));
        assert!(looks <= (5 + WINDOW / 4) * WINDOW, "{looks}");
    }

    #[test]
    fn what_has_nothing_in_common_is_not_looked_at_much_more_than_once() {
        let (pairs, looks) = counted(WINDOW, WINDOW, |_, _| None);
        assert_eq!(pairs, []);
        assert!(looks <= 6 * WINDOW * WINDOW / 5, "{looks}");
    }

    proptest! {
        /// The band makes no difference to what is found.
        #[test]
        fn a_band_finds_what_the_whole_window_does(
            contents in (proptest::collection::vec(0u8..4, 0..50), proptest::collection::vec(0u8..4, 0..50)),
            change in prop_oneof![Just(None), (1.1f32..2.2).prop_map(Some)],
            away in 0f32..0.1,
        ) {
            let (l, r) = (&contents.0, &contents.1);
            let cost = |x: usize, y: usize| {
                let unlikely = (x.abs_diff(y) as f32 * away).min(0.9);
                if l[x] == r[y] { Some(unlikely) } else { change.map(|change| change + unlikely) }
            };
            let whole = Band { rows: l.len(), columns: r.len(), beside: l.len().min(r.len()) };
            let (wanted, _) = whole.cheapest(|x| move |y| cost(x, y));
            prop_assert_eq!(counted(l.len(), r.len(), cost).0, wanted);
        }
    }
}
