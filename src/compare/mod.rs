//! Two captures of the same traffic, before and after a proxy: which messages are the same, what became of the others, how long it took
//! in between, and who closed first.
//!
//! A [`Collector`] hears each capture and keeps what is needed of it; [`compare`] does the rest, without any I/O. The first capture is the
//! edge (between the client and the proxy), the second the app (between the proxy and the server).

mod capture;
mod clock;
mod close;
mod collect;
mod join;
mod pair;
mod spread;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

pub use capture::{Capture, End, Kept, Session};
pub use clock::{Clock, Known};
pub use close::{Closed, Who};
pub use collect::Collector;
pub use join::Evidence;
pub use pair::Pair;
pub use spread::Spread;

use crate::base::{Direction, PerDirection, Timestamp};
use crate::record::Opcode;
use clock::Sample;
use pair::Times;

/// All that was found.
#[derive(Debug)]
pub struct Comparison {
    /// Sessions of both captures, in the order of the first one's; then those of the second alone.
    pub sessions: Vec<Compared>,
    /// The clocks; `None` when no message was paired for certain.
    pub clock: Option<Clock>,
    /// Nanoseconds by which the offset may be off at the first and at the last packet of the second capture.
    pub unsure: [i64; 2],
    /// How long messages took. Relative to the least when the traffic went one way.
    pub delays: PerDirection<Option<Spread>>,
    /// A message to the server and the next one back, together: the offset makes no difference to it.
    pub round_trips: Option<Spread>,
    /// Pairs by what they are.
    pub by_opcode: BTreeMap<Opcode, u64>,
}

/// A session, of one capture or of both.
#[derive(Debug)]
pub struct Compared {
    /// Its place in the first capture.
    pub edge: Option<usize>,
    /// Its place in the second one.
    pub app: Option<usize>,
    /// What shows that these are the same.
    pub by: Option<Evidence>,
    /// Messages that stand on both sides.
    pub pairs: PerDirection<Vec<Pair>>,
    /// Messages that stand in the first capture alone, by place.
    pub only_edge: PerDirection<Vec<Only>>,
    /// Messages that stand in the second capture alone, by place.
    pub only_app: PerDirection<Vec<Only>>,
    /// Who closed it first.
    pub closed: Option<Closed>,
}

/// A message without counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Only {
    /// Its place.
    pub place: u32,
    /// Why that is.
    pub why: Why,
}

/// Why a message stands on one side alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The proxy took it and did not pass it on.
    Dropped,
    /// The proxy wrote it.
    Inserted,
    /// The proxy passed it on more than once.
    SentTwice,
    /// The other capture did not yet or no longer run.
    OutsideTime,
    /// The other capture lacks bytes there.
    Gap,
    /// Its whole session stands on this side alone.
    Session,
}

impl Why {
    /// As in the JSON view.
    pub const fn name(self) -> &'static str {
        match self {
            Why::Dropped => "dropped",
            Why::Inserted => "inserted",
            Why::SentTwice => "sent twice",
            Why::OutsideTime => "outside the time of the other capture",
            Why::Gap => "the other capture has a gap there",
            Why::Session => "its session is not in the other capture",
        }
    }
}

impl Compared {
    /// Pairs that say different things.
    pub fn changed<'a>(&'a self, edge: &'a Capture, app: &'a Capture) -> impl Iterator<Item = (Direction, Pair)> + 'a {
        self.in_both(edge, app)
            .filter(|(.., edge, app)| edge.complete && app.complete && !edge.is_like(app))
            .map(|(direction, pair, ..)| (direction, pair))
    }

    /// Pairs of which one side was not captured whole: whether they were changed is not known.
    pub fn not_whole(&self, edge: &Capture, app: &Capture) -> usize {
        self.in_both(edge, app)
            .filter(|(.., edge, app)| !edge.complete || !app.complete)
            .count()
    }

    /// Pairs that came out of their order.
    pub fn reordered(&self) -> impl Iterator<Item = (Direction, Pair)> + '_ {
        Direction::BOTH.into_iter().flat_map(|direction| {
            let pairs = self.pairs[direction].iter().filter(|pair| pair.reordered);
            pairs.map(move |pair| (direction, *pair))
        })
    }

    /// All pairs with their messages.
    pub fn in_both<'a>(
        &'a self,
        edge: &'a Capture,
        app: &'a Capture,
    ) -> impl Iterator<Item = (Direction, Pair, &'a Kept, &'a Kept)> + 'a {
        let both = self
            .edge
            .zip(self.app)
            .map(|(e, a)| (&edge.sessions[e], &app.sessions[a]));
        both.into_iter().flat_map(move |(edge, app)| {
            Direction::BOTH.into_iter().flat_map(move |direction| {
                self.pairs[direction].iter().map(move |&pair| {
                    let edge = &edge.messages[direction][pair.edge as usize];
                    let app = &app.messages[direction][pair.app as usize];
                    (direction, pair, edge, app)
                })
            })
        })
    }
}

/// Compares two captures of the same traffic.
pub fn compare(edge: &Capture, app: &Capture) -> Comparison {
    let mut joined = join::join(edge, app);
    let first = estimate(edge, app, &joined, None, false);
    // Sessions that were joined for want of better have to share something, if both say anything.
    let shared: Vec<_> = joined
        .iter()
        .map(|pair| Shared::of(&edge.sessions[pair.edge], &app.sessions[pair.app]))
        .collect();
    let passes = PerDirection::from_fn(|way| shared.iter().any(|shared| shared.any[way]));
    let mut shared = shared.iter();
    joined.retain(|pair| {
        let (edge, app) = (&edge.sessions[pair.edge], &app.sessions[pair.app]);
        let is_told = shared.next().is_some_and(|shared| shared.may_be_one(passes));
        pair.by <= Evidence::Key || is_told && !is_far(edge, app, first.as_ref())
    });
    let first = estimate(edge, app, &joined, None, false);
    let estimated = estimate(edge, app, &joined, first.as_ref(), true).or(first);
    let usual = Usual::of(edge, app, &joined, estimated.as_ref());
    let mut comparison = Comparison {
        sessions: Vec::new(),
        clock: estimated.as_ref().map(|estimated| estimated.clock),
        unsure: estimated.as_ref().map_or([0; 2], |estimated| estimated.unsure),
        delays: PerDirection::default(),
        round_trips: None,
        by_opcode: BTreeMap::new(),
    };
    let mut others: HashSet<usize> = (0..app.sessions.len()).collect();
    let mut next = joined.iter().peekable();
    for at in 0..edge.sessions.len() {
        let joined = next.next_if(|joined| joined.edge == at);
        if let Some(joined) = joined {
            others.remove(&joined.app);
        }
        let app_at = joined.map(|joined| joined.app);
        let by = joined.map(|joined| joined.by);
        comparison
            .sessions
            .push(session(edge, app, (Some(at), app_at), by, &usual));
    }
    let mut others: Vec<usize> = others.into_iter().collect();
    others.sort_unstable();
    for at in others {
        comparison
            .sessions
            .push(session(edge, app, (None, Some(at)), None, &usual));
    }
    measure(edge, app, &mut comparison);
    comparison
}

/// Messages that say the same once on each side of a session, as samples of the clocks.
///
/// Close frames, and pings and pongs at first, are left out: they may be the proxy's own on both sides, with the same few bytes. Those
/// that a first estimate finds possible count as well.
fn samples(
    edge: &Capture,
    app: &Capture,
    joined: &[join::Joined],
    first: Option<&Estimated>,
    control: bool,
) -> Vec<Sample> {
    let mut all = Vec::new();
    for pair in joined {
        let (edge, app) = (&edge.sessions[pair.edge], &app.sessions[pair.app]);
        for direction in Direction::BOTH {
            let (edge, app) = (&edge.messages[direction], &app.messages[direction]);
            let once = pair::only_once(edge, app, None).into_iter();
            let once = once.filter(|&(e, _)| match edge[e].opcode {
                Opcode::Close => false,
                opcode => control || !opcode.is_control(),
            });
            all.extend(once.map(|(e, a)| Sample {
                direction,
                edge: edge[e].time,
                app: app[a].time,
            }));
        }
    }
    if let Some(first) = first.filter(|first| first.clock.known == Known::Both) {
        let least = -first.unsure[0].max(first.unsure[1]).saturating_add(TOLERANCE);
        all.retain(|sample| first.clock.delay(sample.direction, sample.edge, sample.app) >= least);
    }
    all
}

/// The clock, and how far its offset may be off at the first and the last packet of the second capture.
struct Estimated {
    clock: Clock,
    unsure: [i64; 2],
}

fn estimate(
    edge: &Capture,
    app: &Capture,
    joined: &[join::Joined],
    first: Option<&Estimated>,
    control: bool,
) -> Option<Estimated> {
    let mut samples = samples(edge, app, joined, first, control);
    let one_way = |samples: &[Sample]| {
        let mut ways = Direction::BOTH.iter();
        ways.any(|way| samples.iter().all(|sample| sample.direction != *way))
    };
    if one_way(&samples) {
        // A proxy that passes the key on passes the handshake on: it is a message each way.
        for pair in joined {
            let (edge, app) = (&edge.sessions[pair.edge], &app.sessions[pair.app]);
            if edge.key.is_none() || edge.key != app.key {
                continue;
            }
            for (direction, of) in [
                (Direction::ClientToServer, edge.request.zip(app.request)),
                (Direction::ServerToClient, edge.response.zip(app.response)),
            ] {
                samples.extend(of.map(|(edge, app)| Sample {
                    direction,
                    edge: edge.time,
                    app: app.time,
                }));
            }
        }
    }
    let (first, last) = app.times?;
    // Both captures begin and end at nearly the same time, or that of the offset makes no difference.
    let ends = |clock: &Clock| [first, last].map(|time| clock.edge_time(time));
    let (clock, unsure) = clock::estimate(&samples, ends)?;
    Some(Estimated { clock, unsure })
}

/// What the messages of two sessions have in common.
struct Shared {
    /// Something in that direction.
    any: PerDirection<bool>,
    /// Both say several things in that direction.
    several: PerDirection<bool>,
    /// One says nothing, or something that was not captured whole and may be anything.
    unknown: bool,
}

impl Shared {
    fn of(edge: &Session, app: &Session) -> Self {
        let said = |session: &Session, way: Direction| -> HashSet<_> {
            let whole = session.messages[way].iter().filter(|kept| kept.complete);
            whole.map(content).collect()
        };
        let silent = |session: &Session| session.messages.iter().all(Vec::is_empty);
        let whole = |session: &Session| session.messages.iter().flatten().all(|kept| kept.complete);
        let mut shared = Self {
            any: PerDirection::default(),
            several: PerDirection::default(),
            unknown: silent(edge) || silent(app) || !whole(edge) || !whole(app),
        };
        for way in Direction::BOTH {
            let (edge, app) = (said(edge, way), said(app, way));
            shared.any[way] = !edge.is_disjoint(&app);
            shared.several[way] = edge.len().min(app.len()) >= SEVERAL;
        }
        shared
    }

    /// Whether both can be one session: they have something in common, in each direction that the proxy passes on.
    fn may_be_one(&self, passes: PerDirection<bool>) -> bool {
        let differs = |way: &Direction| passes[*way] && self.several[*way] && !self.any[*way];
        self.unknown || self.any.iter().any(|any| *any) && !Direction::BOTH.iter().any(differs)
    }
}

/// So many different messages on both sides, and none in common, are no chance.
const SEVERAL: usize = 4;

/// Whether there is so much time between two sessions that they cannot be one.
fn is_far(edge: &Session, app: &Session, estimated: Option<&Estimated>) -> bool {
    let times = |session: &Session| session.begins().zip(session.ends());
    let clock = estimated
        .map(|estimated| estimated.clock)
        .filter(|clock| clock.known == Known::Both);
    let (Some(clock), Some(edge), Some(app)) = (clock, times(edge), times(app)) else {
        return false;
    };
    let (begins, ends) = (clock.app_time(edge.0), clock.app_time(edge.1));
    begins.since(app.1).max(app.0.since(ends)) > FAR
}

/// A message that takes longer is not the same one.
const FAR: i64 = 60_000_000_000;

/// What delays are usual, each way.
struct Usual {
    times: PerDirection<Option<Times>>,
    /// How far the offset may be off.
    unsure: i64,
    /// By how much a delay may be more than usual, and nothing is wrong.
    slack: PerDirection<i64>,
}

impl Usual {
    fn of(edge: &Capture, app: &Capture, joined: &[join::Joined], estimated: Option<&Estimated>) -> Self {
        let unsure = estimated.map_or(0, |estimated| estimated.unsure[0].max(estimated.unsure[1]));
        let mut slack = PerDirection::default();
        let times = PerDirection::from_fn(|direction| {
            let clock = estimated?.clock;
            let mut delays = Vec::new();
            for pair in joined {
                let edge = &edge.sessions[pair.edge].messages[direction];
                let app = &app.sessions[pair.app].messages[direction];
                let once = pair::only_once(edge, app, None).into_iter();
                delays.extend(once.map(|(e, a)| clock.delay(direction, edge[e].time, app[a].time)));
            }
            let Some(spread) = Spread::of(delays) else {
                // Nothing is known; a second is much.
                slack[direction] = unsure.saturating_add(1_000_000);
                return Some(Times {
                    direction,
                    clock,
                    usual: 0,
                    scale: 1_000_000_000,
                    tolerance: unsure.saturating_add(TOLERANCE),
                });
            };
            let spare = spread.p99.saturating_sub(spread.p50).saturating_add(unsure);
            slack[direction] = spare.saturating_add(1_000_000);
            Some(Times {
                direction,
                clock,
                usual: spread.p50,
                scale: spread.p90.saturating_sub(spread.p50).saturating_mul(10).max(20_000_000),
                tolerance: unsure.saturating_add(TOLERANCE),
            })
        });
        Self { times, unsure, slack }
    }
}

/// Times of packets may be as far out of order.
const TOLERANCE: i64 = 150_000;

/// Compares one session.
fn session(
    edge: &Capture,
    app: &Capture,
    (edge_at, app_at): (Option<usize>, Option<usize>),
    by: Option<Evidence>,
    usual: &Usual,
) -> Compared {
    let (ours, theirs) = (edge_at.map(|at| &edge.sessions[at]), app_at.map(|at| &app.sessions[at]));
    let clock = usual.times.client_to_server.as_ref().map(|times| &times.clock);
    let mut compared = Compared {
        edge: edge_at,
        app: app_at,
        by,
        pairs: PerDirection::default(),
        only_edge: PerDirection::default(),
        only_app: PerDirection::default(),
        closed: close::closed(ours, theirs, clock, usual.unsure),
    };
    for direction in Direction::BOTH {
        let sent = ours.map_or(&[][..], |session| &session.messages[direction]);
        let received = theirs.map_or(&[][..], |session| &session.messages[direction]);
        let pairs = pair::pair(direction, sent, received, usual.times[direction].as_ref());
        let look = Look {
            direction,
            usual,
            both: ours.is_some() && theirs.is_some(),
        };
        compared.only_edge[direction] = look.alone(sent, received, &pairs, true, theirs, app);
        compared.only_app[direction] = look.alone(received, sent, &pairs, false, ours, edge);
        compared.pairs[direction] = pairs;
    }
    compared
}

/// Looks why messages of one direction stand on one side alone.
struct Look<'a> {
    direction: Direction,
    usual: &'a Usual,
    /// The session stands in both captures.
    both: bool,
}

impl Look<'_> {
    /// Those of `own` that are in no pair. `other` is the session of the other capture.
    fn alone(
        &self,
        own: &[Kept],
        others: &[Kept],
        pairs: &[Pair],
        at_edge: bool,
        other: Option<&Session>,
        other_capture: &Capture,
    ) -> Vec<Only> {
        let places = |pair: &Pair| {
            if at_edge {
                (pair.edge, pair.app)
            } else {
                (pair.app, pair.edge)
            }
        };
        let paired: HashSet<u32> = pairs.iter().map(|pair| places(pair).0).collect();
        if paired.len() == own.len() {
            return Vec::new();
        }
        // Their places on both sides, rising.
        let ordered: Vec<(u32, u32)> = pairs.iter().filter(|pair| !pair.reordered).map(places).collect();
        let said: HashSet<_> = pairs
            .iter()
            .map(|pair| content(&others[places(pair).1 as usize]))
            .collect();
        let is_sender = at_edge == (self.direction == Direction::ClientToServer);
        let why = |place: u32| {
            let kept = &own[place as usize];
            if self.is_outside(kept, at_edge, other, other_capture) {
                return Why::OutsideTime;
            }
            let Some(other) = other.filter(|_| self.both) else {
                return Why::Session;
            };
            let behind = ordered.partition_point(|(own, _)| *own < place);
            let from = behind.checked_sub(1).map(|before| ordered[before].1 + 1);
            let to = ordered.get(behind).map_or(u32::MAX, |(_, place)| *place);
            let mut gaps = other.gaps[self.direction].iter();
            if gaps.any(|gap| (from.unwrap_or(0)..=to).contains(gap)) {
                Why::Gap
            } else if from.is_none() && other.request.is_none() {
                // It was recognised by what came later.
                Why::OutsideTime
            } else if is_sender {
                Why::Dropped
            } else if may_be_copy(kept) && said.contains(&content(kept)) {
                Why::SentTwice
            } else {
                Why::Inserted
            }
        };
        (0..own.len() as u32)
            .filter(|place| !paired.contains(place))
            .map(|place| Only { place, why: why(place) })
            .collect()
    }

    /// Whether the counterpart would lie before or behind the other capture.
    fn is_outside(&self, kept: &Kept, at_edge: bool, other: Option<&Session>, other_capture: &Capture) -> bool {
        let (Some(times), Some((first, last))) = (&self.usual.times[self.direction], other_capture.times) else {
            return false;
        };
        let later = match self.direction {
            Direction::ClientToServer => times.usual,
            Direction::ServerToClient => times.usual.saturating_neg(),
        };
        let expected = if at_edge {
            times.clock.app_time(kept.time).nanos().saturating_add(later)
        } else {
            times.clock.edge_time(kept.time).nanos().saturating_sub(later)
        };
        let slack = self.usual.slack[self.direction];
        // Where the session begins or ends in the other capture, that captures all of it.
        let early = other.is_none_or(|other| other.request.is_none());
        let late = other.is_none_or(|other| other.end.is_none());
        early && expected < first.nanos().saturating_add(slack) || late && expected > last.nanos().saturating_sub(slack)
    }
}

/// What a message says.
fn content(kept: &Kept) -> (u8, [u8; 16]) {
    (kept.opcode.bits(), kept.hash)
}

/// An empty ping, and a close frame, say the same whoever sends them.
fn may_be_copy(kept: &Kept) -> bool {
    kept.complete && (!kept.is_control() || kept.length > 0 && kept.opcode != Opcode::Close)
}

/// Delays, round trips and counts.
fn measure(edge: &Capture, app: &Capture, comparison: &mut Comparison) {
    let mut delays: PerDirection<Vec<i64>> = PerDirection::default();
    let mut trips = Vec::new();
    for session in &comparison.sessions {
        let mut back: Vec<(Timestamp, i64)> = Vec::new();
        let mut there: Vec<(Timestamp, i64)> = Vec::new();
        for (direction, _, edge, app) in session.in_both(edge, app) {
            *comparison.by_opcode.entry(edge.opcode).or_default() += 1;
            let Some(clock) = &comparison.clock else { continue };
            let delay = clock.delay(direction, edge.time, app.time);
            delays[direction].push(delay);
            match direction {
                Direction::ClientToServer => there.push((app.time, delay)),
                Direction::ServerToClient => back.push((app.time, delay)),
            }
        }
        back.sort_unstable();
        for (arrived, delay) in there {
            let next = back.partition_point(|(sent, _)| *sent < arrived);
            trips.extend(back.get(next).map(|(_, answer)| delay.saturating_add(*answer)));
        }
    }
    if comparison.clock.is_some_and(|clock| clock.known == Known::Both) {
        comparison.round_trips = Spread::of(trips);
    }
    comparison.delays = PerDirection::from_fn(|direction| Spread::of(std::mem::take(&mut delays[direction])));
}
