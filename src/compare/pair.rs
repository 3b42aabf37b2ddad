//! Which message of one capture is which of the other: one session, one direction.
//!
//! Messages whose content stands once on both sides are pairs. Most of them stand in the same order: these divide both sequences into
//! stretches, and within a stretch what costs least is taken (Needleman and Wunsch): the same content at a likely time is cheap, other
//! content dearer, and dearest that a message has no counterpart. What remains and says the same was reordered.

use std::collections::HashMap;

use super::capture::Kept;
use super::clock::{Clock, Known};
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
    fn delay(&self, edge: Timestamp, app: Timestamp) -> i64 {
        self.clock.delay(self.direction, edge, app)
    }

    /// Whether the message can have arrived then.
    fn is_possible(&self, edge: Timestamp, app: Timestamp) -> bool {
        self.clock.known != Known::Both || self.delay(edge, app) >= -self.tolerance
    }

    /// Whether it would have taken much longer than any other.
    fn is_far(&self, edge: Timestamp, app: Timestamp) -> bool {
        self.delay(edge, app).saturating_sub(self.usual) > self.scale.saturating_mul(5)
    }

    /// How unlikely it is, from 0 to 1.
    fn unlikely(&self, edge: Timestamp, app: Timestamp) -> f32 {
        let away = self.delay(edge, app).saturating_sub(self.usual).unsigned_abs();
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
                let (edge, app) = (edge[at].time, app[other].time);
                times.is_possible(edge, app) && times.unlikely(edge, app) < 1.0
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
        .filter(|&(e, a)| times.is_none_or(|times| times.is_possible(edge[e].time, app[a].time)))
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
        let found = window(edge, app, l, r, times);
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

/// Needleman and Wunsch: pairs (by place in the window) in order.
fn window(edge: &[Kept], app: &[Kept], l: &[usize], r: &[usize], times: Option<&Times>) -> Places {
    const ALONE: f32 = 1.0;
    let columns = r.len() + 1;
    let mut above: Vec<f32> = (0..columns).map(|n| n as f32 * ALONE).collect();
    let mut current = vec![0.0; columns];
    /// From where the cheapest way comes.
    #[derive(Clone, Copy, PartialEq)]
    enum From {
        Both,
        Edge,
        App,
    }
    let mut ways = vec![From::App; (l.len() + 1) * columns];
    for (x, &at_edge) in l.iter().enumerate() {
        current[0] = (x + 1) as f32 * ALONE;
        ways[(x + 1) * columns] = From::Edge;
        for (y, &at_app) in r.iter().enumerate() {
            let mut best = (current[y] + ALONE, From::App);
            if above[y + 1] + ALONE <= best.0 {
                best = (above[y + 1] + ALONE, From::Edge);
            }
            if let Some(cost) = cost(&edge[at_edge], &app[at_app], times)
                && above[y] + cost <= best.0
            {
                best = (above[y] + cost, From::Both);
            }
            current[y + 1] = best.0;
            ways[(x + 1) * columns + y + 1] = best.1;
        }
        std::mem::swap(&mut above, &mut current);
    }
    let (mut x, mut y) = (l.len(), r.len());
    let mut pairs = Vec::new();
    while x > 0 || y > 0 {
        match ways[x * columns + y] {
            From::Both => {
                (x, y) = (x - 1, y - 1);
                pairs.push((x, y));
            }
            From::Edge => x -= 1,
            From::App => y -= 1,
        }
    }
    pairs.reverse();
    pairs
}

/// What it costs to take both for one message: less than 2, which both cost alone. `None` when they cannot be one.
fn cost(edge: &Kept, app: &Kept, times: Option<&Times>) -> Option<f32> {
    if edge.opcode != app.opcode {
        return None;
    }
    let unlikely = match times {
        Some(times) if !times.is_possible(edge.time, app.time) => return None,
        Some(times) => times.unlikely(edge.time, app.time),
        None => 0.0,
    };
    if edge.is_like(app) {
        // Pings and pongs with the same few bytes may be the proxy's own on both sides.
        let far = edge.is_control() && times.is_some_and(|times| times.is_far(edge.time, app.time));
        return (!far).then_some(0.9 * unlikely);
    }
    if !edge.complete || !app.complete {
        // What was not captured whole cannot contradict.
        return Some(0.3 + 0.9 * unlikely);
    }
    // A ping or pong that says something else is another one.
    let may_change = !edge.is_control() || edge.close.is_some() && app.close.is_some();
    may_change.then_some(1.15 + 0.85 * unlikely + 0.3 * unlike(edge.length, app.length))
}

/// How much the lengths differ, from 0 to 1.
fn unlike(a: u64, b: u64) -> f32 {
    1.0 - (a.min(b) as f32 + 1.0) / (a.max(b) as f32 + 1.0)
}
