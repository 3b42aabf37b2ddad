//! What is kept of one connection, to speak of it.

use std::collections::VecDeque;

use super::says::SayId;
use super::users::UserRef;
use super::who::Role;
use crate::app::{Act, Protocol};
use crate::base::{Direction, Endpoint, Timestamp};
use crate::event::Opcode;

/// Messages of one direction that wait for their ACK. More are spoken of by number.
const UNACKED: usize = 128;
/// Pings of one direction that wait for their pong.
const PINGS: usize = 8;

/// One connection that is (or is about to be) a WebSocket.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    /// What the client is.
    pub(super) role: Role,
    /// What the handshake lets expect of the messages.
    pub(super) hint: Option<Protocol>,
    /// Whose connection it is.
    pub(super) user: Option<UserRef>,
    /// The name that was asked for.
    pub(super) asked: Vec<u8>,
    pub(super) login: Login,
    /// Stands for the room on the server.
    pub(super) room: u64,
    /// It is in the room since this say.
    pub(super) since: SayId,
    /// What waits for its ACK, by direction.
    unacked: [VecDeque<Item>; 2],
    /// How many more than that wait, by direction.
    pub(super) acked: [u64; 2],
    /// A message is under way, by direction.
    pub(super) under_way: [bool; 2],
    /// Pings without their pong, by direction of the ping.
    pings: [VecDeque<Ping>; 2],
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
    Labelled(Protocol, Act, Label),
    Message(Opcode, u64),
    Close { answer: bool },
}

/// A short name, kept by value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label {
    bytes: [u8; 30],
    length: u8,
    cut: bool,
}

impl Label {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut end = text.len().min(30);
        while end < text.len() && end > 0 && text[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        let mut bytes = [0; 30];
        bytes[..end].copy_from_slice(&text[..end]);
        Self {
            bytes,
            length: end as u8,
            cut: end < text.len(),
        }
    }

    pub(super) fn bytes(&self) -> (&[u8], bool) {
        (&self.bytes[..usize::from(self.length)], self.cut)
    }
}

#[derive(Debug, Clone, Copy)]
struct Ping {
    payload: u64,
    at: Timestamp,
    packet: u64,
}

impl Talk {
    pub(super) fn new(client: Endpoint, server: Endpoint) -> Self {
        Self {
            client,
            server,
            role: Role::Client,
            hint: None,
            user: None,
            asked: Vec::new(),
            login: Login::None,
            room: 0,
            since: SayId(0),
            unacked: [VecDeque::new(), VecDeque::new()],
            acked: [0; 2],
            under_way: [false; 2],
            pings: [VecDeque::new(), VecDeque::new()],
            app_ping: None,
            close: [false; 2],
            login_acked: false,
            websocket: false,
            told_inferred: false,
        }
    }

    /// `kind` has been sent and ends at `end`.
    pub(super) fn sent(&mut self, direction: Direction, end: u64, kind: Kind) {
        let queue = &mut self.unacked[direction.index()];
        if end > self.acked[direction.index()] {
            if queue.len() == UNACKED {
                queue.pop_front();
            }
            queue.push_back(Item { end, kind });
        }
    }

    /// The next thing of `direction` that is acknowledged now that all up to `end` is.
    pub(super) fn acknowledged(&mut self, direction: Direction, end: u64) -> Option<Item> {
        let queue = &mut self.unacked[direction.index()];
        if queue.front()?.end > end {
            return None;
        }
        queue.pop_front()
    }

    /// A ping goes out.
    pub(super) fn ping(&mut self, direction: Direction, payload: u64, at: Timestamp, packet: u64) {
        let pings = &mut self.pings[direction.index()];
        if pings.len() == PINGS {
            pings.pop_front();
        }
        pings.push_back(Ping { payload, at, packet });
    }

    /// A pong comes back for a ping of `direction`: when that was, and in which packet. Older pings need no pong any more
    /// (RFC 6455 §5.5.3).
    pub(super) fn pong(&mut self, direction: Direction, payload: u64) -> Option<(Timestamp, u64)> {
        let pings = &mut self.pings[direction.index()];
        let index = pings.iter().rposition(|ping| ping.payload == payload)?;
        pings.drain(..=index).next_back().map(|ping| (ping.at, ping.packet))
    }
}
