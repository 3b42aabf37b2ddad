//! How the clocks of both captures differ: offset and drift, and how sure that is.
//!
//! No message arrives before it was sent. So a message to the server gives a bound of the offset (app clock minus edge clock) from
//! above, one to the client a bound from below, and those with the least delays the closest ones. All bounds together leave a
//! polygon of possible offsets and drifts; what is told is a point in it and how far it reaches.

use crate::base::{Direction, PerDirection, Timestamp};

/// Two quartz clocks drift apart by less than this, unless what is measured says otherwise.
const USUAL_DRIFT: f64 = 200e-6;

/// No clock drifts more than this.
const MAX_DRIFT: f64 = 5000e-6;

/// The clock of the second capture against that of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Times of the first capture are counted from here, in nanoseconds since 1970.
    origin: i64,
    /// Nanoseconds to add to a time of the first capture, at the origin.
    offset: f64,
    /// Nanoseconds a nanosecond.
    drift: f64,
    /// What is known of the offset.
    pub known: Known,
    /// Bounds of the drift.
    pub drifts: (f64, f64),
    /// Some messages seem to have arrived before they were sent, whatever offset and drift are assumed: a clock was set, or times are
    /// not those of the packets.
    pub uneven: bool,
}

/// What is known of the offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It lies between bounds: traffic went both ways.
    Both,
    /// Only a bound: all traffic went in this direction. Delays are relative to the least one.
    OneWay(Direction),
}

/// Points of one direction that are looked at.
const MAX_POINTS: usize = 4096;

/// A message that was paired for certain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) direction: Direction,
    pub(super) edge: Timestamp,
    pub(super) app: Timestamp,
}

impl Clock {
    /// The offset at that time of the first capture, in nanoseconds. With traffic one way only: as if the least delay were none.
    pub fn offset(&self, at: Timestamp) -> i64 {
        (self.offset + self.drift * at.nanos().saturating_sub(self.origin) as f64) as i64
    }

    /// How much faster the second clock is, as a part of one; 0 when no drift was seen.
    pub fn drift(&self) -> f64 {
        self.drift
    }

    /// The delay of a message that went in `direction`.
    pub fn delay(&self, direction: Direction, edge: Timestamp, app: Timestamp) -> i64 {
        delay(direction, edge, app, self.offset(edge))
    }

    /// The time of the second clock at that time of the first one.
    pub fn app_time(&self, edge: Timestamp) -> Timestamp {
        Timestamp::from_nanos(edge.nanos().saturating_add(self.offset(edge)))
    }

    /// The time of the first clock at that time of the second one.
    pub fn edge_time(&self, app: Timestamp) -> Timestamp {
        // The offset changes slowly: that of nearly the same time is the same.
        let near = Timestamp::from_nanos(app.nanos().saturating_sub(self.offset as i64));
        Timestamp::from_nanos(app.nanos().saturating_sub(self.offset(near)))
    }
}

/// The delay of a message that went in `direction`, with that offset at its time of the first capture.
pub(super) fn delay(direction: Direction, edge: Timestamp, app: Timestamp, offset: i64) -> i64 {
    let later = app.since(edge).saturating_sub(offset);
    match direction {
        Direction::ClientToServer => later,
        Direction::ServerToClient => later.saturating_neg(),
    }
}

/// The clock, and how far the offset may be from what it says at each of the times of the first capture that are asked for.
pub(super) fn estimate<const N: usize>(
    samples: &[Sample],
    at: impl FnOnce(&Clock) -> [Timestamp; N],
) -> Option<(Clock, [i64; N])> {
    let first = samples.first()?;
    let origin = first.edge.nanos();
    let base = first.app.since(first.edge);
    let mut points: PerDirection<Vec<Point>> = PerDirection::default();
    for sample in samples {
        points[sample.direction].push(Point {
            at: sample.edge.nanos().saturating_sub(origin) as f64,
            apart: sample.app.since(sample.edge).saturating_sub(base) as f64,
        });
    }
    let mut clock = Clock {
        origin,
        offset: base as f64,
        drift: 0.0,
        known: Known::Both,
        drifts: (-USUAL_DRIFT, USUAL_DRIFT),
        uneven: false,
    };
    let (up, down) = (points.client_to_server, points.server_to_client);
    let closest = |points: &[Point], of: fn(f64, f64) -> f64| points.iter().map(|point| point.apart).reduce(of);
    let alone = match (closest(&up, f64::min), closest(&down, f64::max)) {
        (Some(bound), None) => Some((Direction::ClientToServer, bound)),
        (None, Some(bound)) => Some((Direction::ServerToClient, bound)),
        _ => None,
    };
    if let Some((direction, bound)) = alone {
        clock.known = Known::OneWay(direction);
        clock.offset += bound;
        return Some((clock, [0; N]));
    }
    let (polygon, uneven) = fitting(up, down);
    clock.uneven = uneven;
    let drift = if uneven || polygon.width(0.0) >= 0.0 {
        0.0
    } else {
        polygon.widest(MAX_DRIFT)
    };
    let bounds = polygon.drifts(drift);
    let (above, below) = (polygon.up.level(drift), -polygon.down.level(drift));
    clock.drift = drift;
    clock.drifts = bounds;
    clock.offset += f64::midpoint(above, below);
    let unsure = at(&clock).map(|at| {
        let at = at.nanos().saturating_sub(origin) as f64;
        let told = f64::midpoint(above, below) + drift * at;
        let (low, high) = polygon.offsets(at, bounds);
        (high - told).max(told - low).max((above - below).abs() / 2.0).ceil() as i64
    });
    Some((clock, unsure))
}

/// When a message was seen first, and how much later by the other clock.
#[derive(Debug, Clone, Copy)]
struct Point {
    at: f64,
    apart: f64,
}

/// The points of one direction that can bound anything: the hull under them, after they were turned.
struct Bound {
    points: Vec<Point>,
    /// From each point to the next; they rise.
    slopes: Vec<f64>,
    turn: f64,
}

impl Bound {
    /// The least `apart` with that drift taken off, which is the closest bound: of the offset from above, or of its opposite.
    fn level(&self, drift: f64) -> f64 {
        let drift = self.turn * drift;
        let lowest = self.slopes.partition_point(|slope| *slope < drift);
        let point = self.points.get(lowest);
        point.map_or(f64::INFINITY, |point| point.apart - drift * point.at)
    }
}

/// Lines `offset + drift * at` that lie under all points of `up` and over all of `down`.
struct Polygon {
    up: Bound,
    down: Bound,
}

impl Polygon {
    /// How much room that drift leaves; negative when it leaves none. Concave in the drift.
    fn width(&self, drift: f64) -> f64 {
        self.up.level(drift) + self.down.level(drift)
    }

    /// The drift that leaves most room.
    fn widest(&self, most: f64) -> f64 {
        highest(-most, most, |drift| self.width(drift))
    }

    /// The least and the largest drift that are possible; without a drift that was seen, not more than usual.
    fn drifts(&self, told: f64) -> (f64, f64) {
        let far = if told == 0.0 { USUAL_DRIFT } else { MAX_DRIFT };
        let edge = |mut outside: f64| {
            if self.width(outside) >= 0.0 {
                return outside;
            }
            let mut inside = told;
            for _ in 0..60 {
                let middle = f64::midpoint(inside, outside);
                if self.width(middle) >= 0.0 {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            inside
        };
        (edge(-far), edge(far))
    }

    /// The least and the largest offset that are possible at a time, with drifts between these.
    fn offsets(&self, at: f64, (from, to): (f64, f64)) -> (f64, f64) {
        let high = |drift: f64| self.up.level(drift) + drift * at;
        let low = |drift: f64| self.down.level(drift) - drift * at;
        let (best_high, best_low) = (highest(from, to, high), highest(from, to, low));
        (-low(best_low), high(best_high))
    }
}

/// Where a concave function is highest.
fn highest(mut from: f64, mut to: f64, of: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..100 {
        let (a, b) = (from + (to - from) / 3.0, to - (to - from) / 3.0);
        if of(a) < of(b) {
            from = a;
        } else {
            to = b;
        }
    }
    f64::midpoint(from, to)
}

/// The points that can bound anything, without those few that contradict the others (a pair of messages that are not the same one);
/// and whether they contradict each other even so.
fn fitting(up: Vec<Point>, down: Vec<Point>) -> (Polygon, bool) {
    let (up, down) = (Hull::under(up, 1.0), Hull::under(down, -1.0));
    let spare = (up.all.len() + down.all.len()) / 50;
    // A wrong pair is more likely than an unusual drift.
    let attempts = [
        (USUAL_DRIFT, spare.clamp(1, 100)),
        (MAX_DRIFT, 0),
        (MAX_DRIFT, spare.clamp(1, 100)),
    ];
    for (drift, spare) in attempts {
        if let Some(polygon) = fit(up.clone(), down.clone(), drift, spare) {
            return (polygon, false);
        }
    }
    let (up, down) = (up.bound(), down.bound());
    (Polygon { up, down }, true)
}

/// The same, with drifts of no more than that, and at most so many points left out.
fn fit(mut up: Hull, mut down: Hull, most: f64, spare: usize) -> Option<Polygon> {
    for _ in 0..=spare {
        let polygon = Polygon {
            up: up.bound(),
            down: down.bound(),
        };
        let drift = polygon.widest(most);
        if polygon.width(drift) >= 0.0 {
            return Some(polygon);
        }
        // The one that lies farthest from those of its own direction goes.
        let (a, b) = (up.outlier(drift), down.outlier(drift));
        if a.1 >= b.1 {
            up.remove(a.0);
        } else {
            down.remove(b.0);
        }
    }
    None
}

/// The points of one direction, turned so that the hull under them counts.
#[derive(Clone)]
struct Hull {
    /// Sorted by time.
    all: Vec<Point>,
    turn: f64,
}

impl Hull {
    fn under(points: Vec<Point>, turn: f64) -> Self {
        let mut all: Vec<Point> = points
            .into_iter()
            .map(|point| Point {
                apart: turn * point.apart,
                ..point
            })
            .collect();
        all.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.apart.total_cmp(&b.apart)));
        // Of very many, the lowest ones of every while are as good.
        let many = all.len().div_ceil(MAX_POINTS).max(1);
        let lowest = |points: &[Point]| points.iter().copied().min_by(|a, b| a.apart.total_cmp(&b.apart));
        Self {
            all: all.chunks(many).filter_map(lowest).collect(),
            turn,
        }
    }

    /// The lower hull.
    fn bound(&self) -> Bound {
        let mut hull: Vec<Point> = Vec::new();
        for &point in &self.all {
            while let [.., a, b] = hull[..]
                && (b.apart - a.apart) * (point.at - a.at) >= (point.apart - a.apart) * (b.at - a.at)
            {
                hull.pop();
            }
            hull.push(point);
        }
        let slope = |pair: &[Point]| (pair[1].apart - pair[0].apart) / (pair[1].at - pair[0].at);
        Bound {
            slopes: hull.windows(2).map(slope).collect(),
            points: hull,
            turn: self.turn,
        }
    }

    /// The lowest point with that drift taken off, and how far it lies below the median.
    fn outlier(&self, drift: f64) -> (usize, f64) {
        let mut levels: Vec<(f64, usize)> = self
            .all
            .iter()
            .enumerate()
            .map(|(at, point)| (point.apart - self.turn * drift * point.at, at))
            .collect();
        let by_level = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0);
        match levels.iter().copied().min_by(by_level) {
            Some((lowest, at)) if levels.len() > 1 => {
                let middle = levels.len() / 2;
                let (_, median, _) = levels.select_nth_unstable_by(middle, by_level);
                (at, median.0 - lowest)
            }
            _ => (0, f64::NEG_INFINITY),
        }
    }

    fn remove(&mut self, at: usize) {
        if at < self.all.len() && self.all.len() > 1 {
            self.all.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(direction: Direction, at: i64, offset: i64, delay: i64) -> Sample {
        let sent = Timestamp::from_nanos(at);
        let received = |by: i64| Timestamp::from_nanos(at + by);
        match direction {
            Direction::ClientToServer => Sample {
                direction,
                edge: sent,
                app: received(offset + delay),
            },
            Direction::ServerToClient => Sample {
                direction,
                edge: sent,
                app: received(offset - delay),
            },
        }
    }

    #[test]
    fn traffic_one_way_gives_a_bound_only() {
        let samples = [5, 3, 9].map(|delay| sample(Direction::ServerToClient, delay, 1_000_000, delay));
        let (clock, _) = estimate(&samples, |_| []).unwrap();
        assert_eq!(clock.known, Known::OneWay(Direction::ServerToClient));
        let delays = samples.map(|sample| clock.delay(sample.direction, sample.edge, sample.app));
        assert_eq!(delays, [2, 0, 6]);
    }

    #[test]
    fn a_pair_that_cannot_be_does_not_spoil_the_rest() {
        let mut samples: Vec<_> = (0..100)
            .flat_map(|i| Direction::BOTH.map(|way| sample(way, i * 10_000_000, 5_000, 100 + i * 7 % 30)))
            .collect();
        samples.push(sample(Direction::ClientToServer, 500_000_000, 5_000, -400_000_000));
        let (clock, unsure) = estimate(&samples, |_| [Timestamp::from_nanos(0)]).unwrap();
        assert!(!clock.uneven);
        assert!((clock.offset(Timestamp::from_nanos(0)) - 5_000).abs() <= unsure[0]);
        assert!(unsure[0] < 1_000, "{unsure:?}");
    }

    proptest! {
        /// Searched for along the hull or among all points: the closest bound is the same.
        #[test]
        fn a_bound_is_the_closest_of_all_points(
            points in proptest::collection::vec((0i64..20, -1_000i64..1_000), 1..40),
            drift in -100.0..100.0,
            turn in prop_oneof![Just(1.0), Just(-1.0)],
        ) {
            let points = points.iter().map(|&(at, apart)| Point { at: at as f64, apart: apart as f64 });
            let points: Vec<Point> = points.collect();
            let levels = points.iter().map(|point| turn * (point.apart - drift * point.at));
            let closest = levels.fold(f64::INFINITY, f64::min);
            let found = Hull::under(points, turn).bound().level(drift);
            prop_assert!((found - closest).abs() < 1e-9, "{found} {closest}");
        }

        #[test]
        fn the_true_offset_lies_within_what_is_told(
            offset in -10_000_000_000i64..10_000_000_000,
            ppm in -150i64..150,
            delays in proptest::collection::vec((any::<bool>(), 0i64..3_000_000_000, 1_000i64..50_000_000), 2..80),
        ) {
            let samples: Vec<_> = delays
                .iter()
                .map(|&(to_server, at, delay)| {
                    let direction = if to_server { Direction::ClientToServer } else { Direction::ServerToClient };
                    sample(direction, at, offset + at * ppm / 1_000_000, delay)
                })
                .collect();
            let ends = [0, 3_000_000_000].map(Timestamp::from_nanos);
            let (clock, unsure) = estimate(&samples, |_| ends).unwrap();
            if clock.known == Known::Both {
                prop_assert!(!clock.uneven);
                for (at, unsure) in ends.into_iter().zip(unsure) {
                    let truth = offset + at.nanos() * ppm / 1_000_000;
                    prop_assert!((clock.offset(at) - truth).abs() <= unsure + 2, "{clock:?} {unsure} {truth}");
                }
            }
        }
    }
}
