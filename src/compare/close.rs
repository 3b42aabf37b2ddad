//! Who closed a session first: the client, the proxy or the server.

use super::capture::{End, Session};
use super::clock::{Clock, Known};
use crate::base::Direction;

/// Who closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// The client, at the edge.
    Client,
    /// What stands between the two captures.
    Proxy,
    /// The server, behind it.
    Server,
}

impl Who {
    /// `client`, `proxy` or `server`.
    pub const fn name(self) -> &'static str {
        match self {
            Who::Client => "client",
            Who::Proxy => "proxy",
            Who::Server => "server",
        }
    }
}

/// How a session was closed first, seen from the side nearest to who closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// `None`: one side alone was captured, and it was not the client (of the edge) or the server (behind it).
    pub who: Option<Who>,
    /// The first sign.
    pub end: End,
    /// Nanoseconds without a byte before it.
    pub silence: Option<i64>,
}

/// Who closed first, of a session that was captured on both sides or on one. `unsure`: how far the offset may be off.
pub(super) fn closed(
    edge: Option<&Session>,
    app: Option<&Session>,
    clock: Option<&Clock>,
    unsure: i64,
) -> Option<Closed> {
    let seen = |session: Option<&Session>| session.and_then(|session| Some((session.end?, session.silence())));
    let told = |who, (end, silence)| Some(Closed { who, end, silence });
    match (seen(edge), seen(app)) {
        (None, None) => None,
        (Some(ours), None) => {
            let who = match (ours.0.by, app) {
                (Direction::ClientToServer, _) => Some(Who::Client),
                (Direction::ServerToClient, Some(_)) => Some(Who::Proxy),
                (Direction::ServerToClient, None) => None,
            };
            told(who, ours)
        }
        (None, Some(theirs)) => {
            let who = match (theirs.0.by, edge) {
                (Direction::ServerToClient, _) => Some(Who::Server),
                (Direction::ClientToServer, Some(_)) => Some(Who::Proxy),
                (Direction::ClientToServer, None) => None,
            };
            told(who, theirs)
        }
        (Some(ours), Some(theirs)) => {
            // How much earlier it ended behind the proxy than before it.
            let earlier = clock
                .filter(|clock| clock.known == Known::Both)
                .map(|clock| clock.app_time(ours.0.at.time).since(theirs.0.at.time));
            let surely = |nanos: i64| nanos > unsure.saturating_add(SLACK);
            match (ours.0.by, theirs.0.by) {
                // What the client does comes to the edge first, unless the proxy had closed the other side before.
                (Direction::ClientToServer, Direction::ClientToServer) => match earlier {
                    Some(earlier) if surely(earlier) => told(Some(Who::Proxy), theirs),
                    _ => told(Some(Who::Client), ours),
                },
                (Direction::ServerToClient, Direction::ServerToClient) => match earlier {
                    Some(earlier) if surely(earlier.saturating_neg()) => told(Some(Who::Proxy), ours),
                    _ => told(Some(Who::Server), theirs),
                },
                (Direction::ServerToClient, Direction::ClientToServer) => match earlier {
                    Some(earlier) if surely(earlier) => told(Some(Who::Proxy), theirs),
                    _ => told(Some(Who::Proxy), ours),
                },
                // Both ends closed, and the one was not yet heard by the other.
                (Direction::ClientToServer, Direction::ServerToClient) => match earlier {
                    Some(earlier) if earlier > 0 => told(Some(Who::Server), theirs),
                    _ => told(Some(Who::Client), ours),
                },
            }
        }
    }
}

/// Times of two captures on one host may be as far apart for what happened at once.
const SLACK: i64 = 100_000;
