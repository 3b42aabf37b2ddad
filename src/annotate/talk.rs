//! What is kept of one connection, to speak of it.

use super::World;
use super::queues::{Owner, Queue, Queues};
use super::says::SayId;
use super::short::Short;
use super::users::UserRef;
use super::who::Role;
use crate::base::{Direction, Endpoint, Timestamp};
use crate::record::{Action, Opcode};

/// Messages of one direction that wait for their ACK. More are spoken of by number.
const UNACKED: usize = 128;
/// The same of all connections together. What the oldest ACKs bring is not told then.
const UNACKED_TOTAL: usize = 1 << 16;
/// Pings of one direction that wait for their pong.
const PINGS: usize = 64;
/// The same of all connections together.
const PINGS_TOTAL: usize = 1 << 14;

/// One connection that is (or is about to be) a WebSocket.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    /// What the client is.
    pub(super) role: Role,
    /// Whose connection it is.
    pub(super) user: Option<UserRef>,
    /// What was asked for at the login.
    pub(super) asked: Option<Box<Asked>>,
    pub(super) login: Login,
    /// Stands for the room on the server.
    pub(super) room: u64,
    /// It is in the room since this say.
    pub(super) since: SayId,
    /// What waits for its ACK, by direction.
    unacked: [Queue; 2],
    /// How many more than that wait, by direction.
    pub(super) acked: [u64; 2],
    /// A message is under way, by direction.
    pub(super) under_way: [bool; 2],
    /// Pings without their pong, by direction of the ping.
    pings: [Queue; 2],
    /// The application's own ping, and who sent it.
    pub(super) app_ping: Option<(Direction, Timestamp)>,
    /// A close frame was sent, by direction.
    pub(super) close: [bool; 2],
    /// The login request has been acknowledged.
    pub(super) login_acked: bool,
    /// The handshake has been seen or the frames recognised.
    pub(super) websocket: bool,
    /// It was told that the session was only recognised.
    pub(super) told_inferred: bool,
    /// What was told last of a message under way, by direction: its first packet, its frames, what has come of the last one.
    pub(super) told_progress: [Option<(u64, u32, u64)>; 2],
    /// It was told that a client masks what it sends.
    pub(super) told_masked: bool,
}

/// What waits in all connections.
pub(super) struct Waiting {
    unacked: Queues<Item>,
    pings: Queues<Ping>,
}

/// How far the login of a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Login {
    /// It has not asked.
    None,
    /// It has asked.
    Asked,
    /// It has the answer.
    Done,
}

/// What a client asks for that logs in.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) name: Vec<u8>,
    /// Stands for the room on the server.
    pub(super) room: u64,
}

/// Something that waits for its ACK.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Where it ends in its direction's stream.
    pub(super) end: u64,
    pub(super) kind: Kind,
}

/// What waits for its ACK. [`What`] without borrowed words.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    UpgradeRequest,
    UpgradeResponse { refused: bool },
    Login,
    UserList { login: bool },
    LoginResult,
    LoginNotice(UserRef),
    LogoutNotice(UserRef),
    Say(SayId),
    Forward(SayId),
    AppPing,
    AppPong,
    Refusal,
    Labelled(&'static str, Action, Label),
    Message(Opcode, u64),
    Close { answer: bool },
}

/// A short name.
pub(super) type Label = Short<30>;

/// A ping that waits for its pong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ping {
    /// Stands for what it carries.
    pub(super) payload: u64,
    pub(super) at: Timestamp,
    pub(super) packet: u64,
}

impl Talk {
    pub(super) fn new(client: Endpoint, server: Endpoint) -> Self {
        Self {
            client,
            server,
            role: Role::Client,
            user: None,
            asked: None,
            login: Login::None,
            room: 0,
            since: SayId(0),
            unacked: [Queue::new(); 2],
            acked: [0; 2],
            under_way: [false; 2],
            pings: [Queue::new(); 2],
            app_ping: None,
            close: [false; 2],
            login_acked: false,
            websocket: false,
            told_inferred: false,
            told_progress: [None; 2],
            told_masked: false,
        }
    }

    /// The name that was asked for, as far as it is still known.
    pub(super) fn asked_name(&self) -> &[u8] {
        self.asked.as_ref().map_or(&[], |asked| &asked.name)
    }

    /// `kind` has been sent over connection `number` and ends at `end`.
    pub(super) fn sent(&mut self, waiting: &mut Waiting, number: u64, direction: Direction, end: u64, kind: Kind) {
        let queue = &mut self.unacked[direction.index()];
        if end > self.acked[direction.index()] {
            if queue.len() == UNACKED {
                waiting.unacked.pop(queue);
            }
            waiting
                .unacked
                .push(queue, owner(number, direction), Item { end, kind });
        }
    }

    /// The next thing of `direction` that is acknowledged now that all up to `end` is.
    pub(super) fn acknowledged(&mut self, waiting: &mut Waiting, direction: Direction, end: u64) -> Option<Item> {
        let queue = &mut self.unacked[direction.index()];
        if waiting.unacked.first(queue)?.end > end {
            return None;
        }
        waiting.unacked.pop(queue)
    }

    /// A ping goes out over connection `number`.
    pub(super) fn ping(&mut self, waiting: &mut Waiting, number: u64, direction: Direction, ping: Ping) {
        let pings = &mut self.pings[direction.index()];
        if pings.len() == PINGS {
            waiting.pings.pop(pings);
        }
        waiting.pings.push(pings, owner(number, direction), ping);
    }

    /// A pong comes back for a ping of `direction`: for which. Older pings need no pong any more (RFC 6455 §5.5.3).
    pub(super) fn pong(&mut self, waiting: &mut Waiting, direction: Direction, payload: u64) -> Option<Ping> {
        let pings = &mut self.pings[direction.index()];
        // Of equal ones the oldest: who answers at all answers them in order, and nearly everybody answers each.
        let older = waiting.pings.iter(pings).position(|ping| ping.payload == payload)?;
        for _ in 0..older {
            waiting.pings.pop(pings);
        }
        waiting.pings.pop(pings)
    }

    /// Nothing waits in this connection any more.
    pub(super) fn forget(&mut self, waiting: &mut Waiting) {
        self.unacked.iter_mut().for_each(|queue| waiting.unacked.clear(queue));
        self.pings.iter_mut().for_each(|queue| waiting.pings.clear(queue));
    }
}

fn owner(number: u64, direction: Direction) -> Owner {
    (number, direction.index() as u8)
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            unacked: Queues::new(UNACKED_TOTAL),
            pings: Queues::new(PINGS_TOTAL),
        }
    }
}

impl World {
    /// Forgets what has waited for longest, when too much waits.
    pub(super) fn keep_to_bounds(&mut self) {
        while let Some((number, direction)) = self.waiting.unacked.excess()
            && let Some(talk) = self.talks.get_mut(&number)
        {
            self.waiting.unacked.pop(&mut talk.unacked[usize::from(direction)]);
        }
        while let Some((number, direction)) = self.waiting.pings.excess()
            && let Some(talk) = self.talks.get_mut(&number)
        {
            self.waiting.pings.pop(&mut talk.pings[usize::from(direction)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn pongs_of_equal_pings_answer_these_in_order() {
        let mut waiting = Waiting::default();
        let [client, server] = [40_000, 7272].map(|port| Endpoint::new(Ipv4Addr::LOCALHOST.into(), port));
        let mut talk = Talk::new(client, server);
        let asks = Direction::ClientToServer;
        for (packet, payload) in [(1, 0), (2, 7), (3, 0), (4, 8)] {
            let at = Timestamp::from_nanos(packet as i64);
            talk.ping(&mut waiting, 1, asks, Ping { payload, at, packet });
        }
        let mut pong = |payload| talk.pong(&mut waiting, asks, payload).map(|ping| ping.packet);
        assert_eq!(
            [0, 7, 0, 8, 0].map(&mut pong),
            [Some(1), Some(2), Some(3), Some(4), None]
        );
    }
}
