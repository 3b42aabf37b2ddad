//! What is kept of one connection, to speak of it.

use super::World;
use super::queues::{Owner, Queue, Queues};
use super::says::SayId;
use super::short::Short;
use super::users::UserRef;
use super::who::Role;
use crate::base::{Direction, Endpoint};
use crate::record::{Action, Opcode};

/// Messages of one direction that wait for their ACK. More are spoken of by number.
const UNACKED: usize = 128;
/// The same of all connections together. What the oldest ACKs bring is not told then.
const UNACKED_TOTAL: usize = 1 << 16;

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
    /// The sessions that have sent close frames and are not over, and by direction the packet that completed the first; 0: none was sent.
    closing: Vec<(u64, [u64; 2])>,
    /// Close frames were sent, by direction.
    pub(super) closed: [bool; 2],
    /// Bytes were missing that may have held a close frame.
    pub(super) gap: bool,
    /// How many sessions it carries that are not over: HTTP/2 has one a stream.
    open: u32,
    /// The number of its last session.
    latest: u64,
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
            closing: Vec::new(),
            closed: [false; 2],
            gap: false,
            open: 0,
            latest: 0,
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

    /// It carries that session.
    pub(super) fn carries(&mut self, session: u64) {
        // They are numbered as they come.
        if session > self.latest {
            self.latest = session;
            self.open += 1;
        }
    }

    /// That session is over.
    pub(super) fn is_over(&mut self, session: u64) {
        self.open = self.open.saturating_sub(1);
        self.closing.retain(|(closing, _)| *closing != session);
    }

    /// Whether a session goes on.
    pub(super) fn is_open(&self) -> bool {
        self.open > 0
    }

    /// That session has sent a close frame, which `packet` completed. Gives whether it answers one.
    pub(super) fn close(&mut self, session: u64, direction: Direction, packet: u64) -> bool {
        self.closed[direction.index()] = true;
        let index = match self.closing.iter().position(|(closing, _)| *closing == session) {
            Some(index) => index,
            None => {
                self.closing.push((session, [0; 2]));
                self.closing.len() - 1
            }
        };
        let sent = &mut self.closing[index].1;
        if sent[direction.index()] == 0 {
            sent[direction.index()] = packet;
        }
        // One that is told late may be the first of both.
        let other = sent[direction.other().index()];
        other != 0 && other < packet
    }

    /// Nothing waits in this connection any more.
    pub(super) fn forget(&mut self, waiting: &mut Waiting) {
        self.unacked.iter_mut().for_each(|queue| waiting.unacked.clear(queue));
    }
}

fn owner(number: u64, direction: Direction) -> Owner {
    (number, direction.index() as u8)
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            unacked: Queues::new(UNACKED_TOTAL),
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
    }
}
