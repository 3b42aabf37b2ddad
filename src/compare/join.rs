//! Which session of one capture is which of the other.
//!
//! Sessions are told by what both sides of a proxy show of them: addresses (PROXY header, `X-Forwarded-For`), the key and other headers of
//! the handshake, the target, and above all what their messages say. What few sessions have counts most. Sessions that all this
//! does not tell apart are told apart by when they began or ended.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, Hash, Hasher as _};

use foldhash::fast::FixedState;

use super::capture::{Capture, Session};
use crate::base::{Direction, Timestamp};

/// What shows that two sessions are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The addresses of the client, which a PROXY header names.
    Address,
    /// `Sec-WebSocket-Key`.
    Key,
    /// What their messages say.
    Messages,
    /// The target and other headers, and the order in which they began.
    Order,
}

/// A session of one capture (by place) and its counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) edge: usize,
    pub(super) app: usize,
    pub(super) by: Evidence,
}

/// Messages of a session that are looked at: those with the smallest hashes, which are the same on both sides.
const SAMPLE: usize = 256;

/// Something that so many pairs of sessions have in common tells none of them.
const COMMON: usize = 1024;

/// Pairs of sessions that are looked at; they take some 60 MB.
const PAIRS: usize = 1 << 19;

/// Sessions that begin so far apart, the clocks' offset taken off, can be the same.
const NEAR: i64 = 50_000_000;

/// What a session is known by.
struct Token {
    hash: u64,
    by: Evidence,
    weight: f32,
}

fn token(by: Evidence, weight: f32, what: impl Hash) -> Token {
    let mut hasher = FixedState::default().build_hasher();
    (by as u8).hash(&mut hasher);
    what.hash(&mut hasher);
    Token {
        hash: hasher.finish(),
        by,
        weight,
    }
}

fn tokens(session: &Session, at_edge: bool) -> Vec<Token> {
    let mut all = Vec::new();
    // The same connection, captured twice.
    let ends = (session.client.to_string(), session.server.to_string());
    all.push(token(Evidence::Address, 1000.0, &ends));
    // The client of the one is whom the PROXY header of the other names. That of the other is the proxy, whose port means nothing.
    if at_edge {
        all.push(token(Evidence::Address, 1000.0, &ends.0));
    }
    if let Some(proxied) = &session.proxied {
        all.push(token(Evidence::Address, 1000.0, &proxied.client));
    }
    if let Some(key) = &session.key {
        all.push(token(Evidence::Key, 1000.0, key));
    }
    // An address without its port tells less.
    let address = session
        .forwarded_for
        .as_deref()
        .map_or_else(|| session.client.addr.to_string(), str::to_owned);
    all.push(token(Evidence::Order, 8.0, address));
    if let Some(target) = &session.target {
        all.push(token(Evidence::Order, 8.0, ("target", target)));
        let path = target.split('?').next().unwrap_or_default();
        all.push(token(Evidence::Order, 4.0, ("path", path)));
    }
    let headers = session.headers.iter();
    all.extend(headers.map(|header| token(Evidence::Order, 2.0, ("header", header))));
    for direction in Direction::BOTH {
        let messages = session.messages[direction].iter();
        let mut hashes: Vec<_> = messages
            .filter(|kept| kept.complete)
            .map(|kept| {
                token(
                    Evidence::Messages,
                    4.0,
                    (direction.index(), kept.opcode.bits(), kept.hash),
                )
            })
            .collect();
        hashes.sort_by_key(|token| token.hash);
        hashes.dedup_by_key(|token| token.hash);
        hashes.truncate(SAMPLE);
        all.extend(hashes);
    }
    all.sort_by_key(|token| token.hash);
    all.dedup_by_key(|token| token.hash);
    all
}

/// What a pair of sessions has in common.
#[derive(Clone, Copy)]
struct Candidate {
    edge: usize,
    app: usize,
    score: f64,
    by: Evidence,
}

/// Joins the sessions of both captures, in the order of the first one's.
pub(super) fn join(edge: &Capture, app: &Capture) -> Vec<Joined> {
    let mut candidates = candidates(edge, app);
    let mut taken = Taken {
        edge: vec![false; edge.sessions.len()],
        app: vec![false; app.sessions.len()],
        joined: Vec::new(),
    };
    contradict(edge, app, &mut candidates);
    // Those that are each other's best, and no other comes near.
    loop {
        let before = taken.joined.len();
        let best = Best::of(&candidates, edge.sessions.len(), app.sessions.len());
        for candidate in &candidates {
            if best.is_clear(candidate) {
                taken.join(candidate);
            }
        }
        candidates.retain(|candidate| taken.is_free(candidate));
        if taken.joined.len() == before {
            break;
        }
    }
    // The rest in the order of the times at which they began, as far as the clocks allow it.
    let apart = |candidate: &Candidate| self::apart(&edge.sessions[candidate.edge], &app.sessions[candidate.app]);
    let clear: Vec<i64> = taken
        .joined
        .iter()
        .filter_map(|joined| self::apart(&edge.sessions[joined.edge], &app.sessions[joined.app]))
        .collect();
    let offset = median(clear).or_else(|| most_agreed(&candidates, &apart));
    let mut rest: Vec<(i64, i64, &Candidate)> = candidates
        .iter()
        .map(|candidate| {
            let away = match (apart(candidate), offset) {
                (Some(apart), Some(offset)) => apart.saturating_sub(offset).saturating_abs(),
                _ => i64::MAX,
            };
            (-(candidate.score * 1e3) as i64, away, candidate)
        })
        .collect();
    // Of those with as much in common, the nearest first.
    rest.sort_by_key(|(score, away, candidate)| (*score, *away, candidate.edge, candidate.app));
    for (_, away, candidate) in rest {
        let told = candidate.by != Evidence::Order;
        if taken.is_free(candidate) && (told || away <= NEAR || offset.is_none()) {
            taken.join(candidate);
        }
    }
    by_time(edge, app, &mut taken);
    taken.joined.sort_by_key(|joined| joined.edge);
    taken.joined
}

/// Sessions that are still free because so many have the same in common, or because nothing of them can be read: each is the one that
/// begins (or ends) at the same time.
fn by_time(edge: &Capture, app: &Capture, taken: &mut Taken) {
    let free = |taken: &[bool]| -> Vec<usize> { (0..taken.len()).filter(|&at| !taken[at]).collect() };
    let (left, right) = (free(&taken.edge), free(&taken.app));
    let candidate = |edge: usize, app: usize| Candidate {
        edge,
        app,
        score: 0.0,
        by: Evidence::Order,
    };
    let apart = |candidate: &Candidate| self::apart(&edge.sessions[candidate.edge], &app.sessions[candidate.app]);
    let known: Vec<i64> = taken
        .joined
        .iter()
        .filter_map(|joined| apart(&candidate(joined.edge, joined.app)))
        .collect();
    let some = left
        .iter()
        .take(SOME)
        .flat_map(|&edge| right.iter().take(SOME).map(move |&app| (edge, app)));
    let some: Vec<Candidate> = some.map(|(edge, app)| candidate(edge, app)).collect();
    let Some(offset) = median(known).or_else(|| most_agreed(&some, &apart)) else {
        return;
    };
    // Once by their beginnings, once by their ends.
    for when in [Session::begins, Session::ends] {
        let mut free = Free::default();
        for &at in right.iter().filter(|&&at| !taken.app[at]) {
            free.insert(&app.sessions[at], when, at);
        }
        for &at in &left {
            let session = &edge.sessions[at];
            let Some(time) = when(session).filter(|_| !taken.edge[at]) else {
                continue;
            };
            let wanted = time.nanos().saturating_add(offset);
            if let Some((time, nearest)) = free.nearest(session, wanted) {
                free.remove(&app.sessions[nearest], time, nearest);
                taken.join(&candidate(at, nearest));
            }
        }
    }
}

/// Sessions of the second capture that are not joined yet, by time and place, and by what those of the first one may be joined with: of
/// thousands that begin at once, the nearest is found without looking at the others.
#[derive(Default)]
struct Free<'a> {
    by_kind: HashMap<Kind<'a>, BTreeSet<(i64, usize)>>,
}

/// Nothing in the handshakes of two sessions says that they are different ones, and [`apart`] tells how far they are apart.
#[derive(PartialEq, Eq, Hash)]
enum Kind<'a> {
    /// The request was captured, and asks for this path.
    Path(&'a str),
    /// The request was captured.
    AnyPath,
    /// No request was captured, but messages.
    Heard,
    /// Neither.
    Silent,
}

impl<'a> Free<'a> {
    fn insert(&mut self, session: &'a Session, when: fn(&Session) -> Option<Timestamp>, at: usize) {
        let Some(time) = when(session) else { return };
        for kind in Kind::of(session) {
            self.by_kind.entry(kind).or_default().insert((time.nanos(), at));
        }
    }

    fn remove(&mut self, session: &'a Session, time: i64, at: usize) {
        for kind in Kind::of(session) {
            if let Some(all) = self.by_kind.get_mut(&kind) {
                all.remove(&(time, at));
            }
        }
    }

    /// The time and place of the one nearest to that time, if it is near; of equally near ones that with the lowest place.
    fn nearest(&self, session: &'a Session, wanted: i64) -> Option<(i64, usize)> {
        let kinds = Kind::possible(session);
        let sets = kinds.iter().filter_map(|kind| self.by_kind.get(kind));
        let around = sets.flat_map(|all| {
            let behind = all.range((wanted, 0)..).next();
            let before = all.range(..(wanted, 0)).next_back();
            let before = before.and_then(|&(time, _)| all.range((time, 0)..).next());
            behind.into_iter().chain(before)
        });
        around
            .copied()
            .filter(|(time, _)| time.abs_diff(wanted) <= NEAR.unsigned_abs())
            .min_by_key(|&(time, at)| (time.abs_diff(wanted), at))
    }
}

impl<'a> Kind<'a> {
    /// What a session is.
    fn of(session: &'a Session) -> impl Iterator<Item = Self> {
        let path = session.target.as_deref().and_then(|target| target.split('?').next());
        let kinds = match path {
            Some(path) => [Some(Kind::Path(path)), Some(Kind::AnyPath)],
            None if session.begins().is_some() => [Some(Kind::Heard), None],
            None => [Some(Kind::Silent), None],
        };
        kinds.into_iter().flatten()
    }

    /// What its counterpart may be.
    fn possible(session: &'a Session) -> Vec<Self> {
        let mut kinds = Kind::of(session);
        match kinds.next() {
            Some(Kind::Path(path)) => vec![Kind::Path(path), Kind::Heard, Kind::Silent],
            Some(Kind::Heard) => vec![Kind::AnyPath, Kind::Heard],
            _ => vec![Kind::AnyPath],
        }
    }
}

/// Sessions that are looked at to find the clocks' offset where nothing else tells it.
const SOME: usize = 100;

/// What was joined, and which sessions are free.
struct Taken {
    edge: Vec<bool>,
    app: Vec<bool>,
    joined: Vec<Joined>,
}

impl Taken {
    fn is_free(&self, candidate: &Candidate) -> bool {
        !self.edge[candidate.edge] && !self.app[candidate.app]
    }

    fn join(&mut self, candidate: &Candidate) {
        if self.is_free(candidate) {
            self.edge[candidate.edge] = true;
            self.app[candidate.app] = true;
            self.joined.push(Joined {
                edge: candidate.edge,
                app: candidate.app,
                by: candidate.by,
            });
        }
    }
}

/// The best and the second best score of each session.
struct Best {
    edge: Vec<[f64; 2]>,
    app: Vec<[f64; 2]>,
}

impl Best {
    fn of(candidates: &[Candidate], edge: usize, app: usize) -> Self {
        let mut best = Self {
            edge: vec![[0.0; 2]; edge],
            app: vec![[0.0; 2]; app],
        };
        for candidate in candidates {
            for scores in [&mut best.edge[candidate.edge], &mut best.app[candidate.app]] {
                if candidate.score > scores[0] {
                    *scores = [candidate.score, scores[0]];
                } else if candidate.score > scores[1] {
                    scores[1] = candidate.score;
                }
            }
        }
        best
    }

    fn is_clear(&self, candidate: &Candidate) -> bool {
        let scores = [self.edge[candidate.edge], self.app[candidate.app]];
        candidate.by != Evidence::Order
            && scores
                .iter()
                .all(|[best, second]| candidate.score >= *best && candidate.score > 1.25 * second)
    }
}

/// All pairs of sessions that have something in common that tells anything.
fn candidates(edge: &Capture, app: &Capture) -> Vec<Candidate> {
    struct Holder {
        hash: u64,
        is_app: bool,
        session: u32,
        by: Evidence,
        weight: f32,
    }
    let mut holders: Vec<Holder> = Vec::new();
    for (sessions, is_app) in [(&edge.sessions, false), (&app.sessions, true)] {
        for (at, session) in sessions.iter().enumerate() {
            holders.extend(tokens(session, !is_app).into_iter().map(|token| Holder {
                hash: token.hash,
                is_app,
                session: at as u32,
                by: token.by,
                weight: token.weight,
            }));
        }
    }
    holders.sort_unstable_by_key(|holder| (holder.hash, holder.is_app, holder.session));
    // By how many pairs have it in common: what tells most comes first.
    let mut shared: Vec<(usize, &[Holder], &[Holder])> = holders
        .chunk_by(|a, b| a.hash == b.hash)
        .filter_map(|all| {
            let (edge, app) = all.split_at(all.partition_point(|holder| !holder.is_app));
            let common = edge.len() * app.len();
            (1..=COMMON).contains(&common).then_some((common, edge, app))
        })
        .collect();
    shared.sort_by_key(|(common, ..)| *common);
    let mut pairs: HashMap<(u32, u32), (f64, Evidence)> = HashMap::new();
    for (common, edge, app) in shared {
        if pairs.len() + common > PAIRS {
            break;
        }
        let Holder { by, weight, .. } = edge[0];
        // What is shared by many is no proof, whatever it is.
        let by = if common == 1 || by == Evidence::Messages {
            by
        } else {
            Evidence::Order
        };
        for edge in edge {
            for app in app {
                let (score, best) = pairs
                    .entry((edge.session, app.session))
                    .or_insert((0.0, Evidence::Order));
                *score += f64::from(weight) / common as f64;
                *best = by.min(*best);
            }
        }
    }
    let mut all: Vec<Candidate> = pairs
        .into_iter()
        .map(|((edge, app), (score, by))| Candidate {
            edge: edge as usize,
            app: app as usize,
            score,
            by,
        })
        .collect();
    all.sort_by_key(|candidate| (candidate.edge, candidate.app));
    all
}

/// Takes out pairs that cannot be: where the proxy passes keys or addresses on, those that differ tell sessions apart.
fn contradict(edge: &Capture, app: &Capture, candidates: &mut Vec<Candidate>) {
    let keys = candidates.iter().any(|candidate| candidate.by == Evidence::Key);
    let addresses = candidates.iter().any(|candidate| candidate.by == Evidence::Address);
    candidates.retain(|candidate| {
        let (edge, app) = (&edge.sessions[candidate.edge], &app.sessions[candidate.app]);
        if candidate.by <= Evidence::Key {
            return true;
        }
        let other_key = keys && matches!((&edge.key, &app.key), (Some(a), Some(b)) if a != b);
        let names = |session: &Session| session.proxied.as_ref().map(|proxied| proxied.client.clone());
        let client = names(edge).unwrap_or_else(|| edge.client.to_string());
        let other_address = addresses && names(app).is_some_and(|named| named != client);
        !other_key && !other_address
    });
}

/// How much later by its own clock the session of the second capture begins; or ends, where only one of the beginnings was captured.
fn apart(edge: &Session, app: &Session) -> Option<i64> {
    let begun = edge.request.is_some() == app.request.is_some();
    let (edge, app) = if begun {
        (edge.begins(), app.begins())
    } else {
        (edge.ends(), app.ends())
    };
    Some(app?.since(edge?))
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// The offset on which most pairs agree.
fn most_agreed(candidates: &[Candidate], apart: &impl Fn(&Candidate) -> Option<i64>) -> Option<i64> {
    let mut all: Vec<(i64, usize)> = candidates
        .iter()
        .filter_map(|candidate| Some((apart(candidate)?, candidate.edge)))
        .collect();
    all.sort_unstable();
    let mut best = (0, None);
    let mut start = 0;
    for end in 0..all.len() {
        while all[end].0.saturating_sub(all[start].0) > NEAR {
            start += 1;
        }
        let window = &all[start..=end];
        if window.len() > best.0 {
            best = (window.len(), Some(window[window.len() / 2].0));
        }
    }
    best.1
}
