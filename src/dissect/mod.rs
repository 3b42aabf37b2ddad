//! What messages mean to the application.
//!
//! A [`Dissector`] reads the messages of one protocol on top of WebSocket; [`TABLE`] lists them all: a new protocol is one file and
//! one row. Of several rows that would take a message the first one counts. Who reads a session is decided by the handshake (subprotocol, target), else by the content of each message. In comes a
//! message, out go [`Interpretation`]s that borrow from it; which request a message answers is worked out here for all of them.

mod chat;
mod generic;
mod graphql_ws;
pub mod json;
mod json_lines;
mod json_rpc;
mod mqtt;
mod requests;
mod signalr;
mod socket_io;
mod sockjs;
mod stomp;
mod tell;

pub use crate::base::Text;
pub use chat::{ChatMeaning, Entry, Users, users};

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::FixedState;
use smallvec::SmallVec;

use crate::base::{Direction, Limits, PacketRef, PerDirection};
use crate::record::{Action, Exchange, Handshake, Interpretation, Key, Message, Opcode, SessionId};
use requests::{Left, Requests};

/// A message as a dissector sees it.
#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    /// Of which session.
    pub session: SessionId,
    /// Who sent it.
    pub direction: Direction,
    /// The packet that completed it.
    pub at: PacketRef,
    /// The application bytes; the message is complete.
    pub bytes: &'a [u8],
    /// The same as text, when it is a text message.
    pub text: Option<&'a str>,
    /// The handshake says that the session is this dissector's.
    pub claimed: bool,
    /// Something new may be kept for it: the memory for what messages mean is not used up.
    pub may_keep: bool,
    /// It was told later than its packet, behind bytes that are missing: what answers it may have been told before.
    pub told_late: bool,
}

#[cfg(test)]
impl<'a> MessageView<'a> {
    /// Text that the client of session 1 says, and that a dissector may take.
    fn text(text: &'a str) -> Self {
        Self {
            session: SessionId(1),
            direction: Direction::ClientToServer,
            at: PacketRef {
                packet: 1,
                time: Default::default(),
            },
            bytes: text.as_bytes(),
            text: Some(text),
            claimed: false,
            may_keep: true,
            told_late: false,
        }
    }
}

/// What the documents of one message mean, in order. Nearly every message holds one.
pub type Interpretations<'a> = SmallVec<[Interpretation<'a>; 1]>;

/// Whether a session is a dissector's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The handshake says so: nobody else is asked.
    Yes,
    /// Its messages have to tell. Who reads one that opens the application's connection alone reads what follows.
    ByContent,
}

/// One protocol's reading. What it keeps is bounded by itself.
pub trait Dissector: Send {
    /// Whether a session is this dissector's, by subprotocol or target.
    fn claims(&self, handshake: &Handshake) -> Claim;

    /// Reads a message. `false` when it is none of this protocol: the next dissector is asked.
    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool;

    /// Bytes of `direction` are missing: what was joined over messages there is void.
    fn gap(&mut self, _session: SessionId, _direction: Direction) {}

    /// The session is over.
    fn end(&mut self, _session: SessionId) {}

    /// Bytes of memory that it keeps: a sum of numbers that are at hand.
    fn cost(&self) -> usize {
        0
    }
}

/// A row of the [`TABLE`].
pub struct Row {
    /// As in the JSON view's `protocol`.
    pub name: &'static str,
    /// A dissector that has read nothing yet.
    pub new: fn() -> Box<dyn Dissector>,
}

/// Who is asked, in this order; the first answer counts.
pub static TABLE: &[Row] = &[
    Row {
        name: socket_io::NAME,
        new: || Box::new(socket_io::SocketIo::default()),
    },
    Row {
        name: mqtt::NAME,
        new: || Box::new(mqtt::Mqtt::default()),
    },
    Row {
        name: sockjs::NAME,
        new: || Box::new(sockjs::SockJs),
    },
    Row {
        name: signalr::NAME,
        new: || Box::new(signalr::SignalR),
    },
    Row {
        name: stomp::NAME,
        new: || Box::new(stomp::Stomp),
    },
    Row {
        name: graphql_ws::NAME,
        new: || Box::new(graphql_ws::GraphqlWs),
    },
    Row {
        name: chat::NAME,
        new: || Box::new(chat::Chat::default()),
    },
    Row {
        name: json_rpc::NAME,
        new: || Box::new(json_rpc::JsonRpc),
    },
    Row {
        name: json_lines::NAME,
        new: || Box::new(json_lines::JsonLines),
    },
    Row {
        name: generic::NAME,
        new: || Box::new(generic::Generic),
    },
];

/// Whose control frames are.
const WEBSOCKET: &str = "WebSocket";

/// All dissectors, and what is known of requests.
pub(crate) struct Dissectors {
    all: Vec<Box<dyn Dissector>>,
    /// Whose a session is by its handshake: a place in `all`.
    claimed: HashMap<SessionId, u8, FixedState>,
    requests: Requests,
    /// Bytes that may be kept for sessions.
    max_cost: usize,
    /// Nanoseconds after which an answer is late.
    pub(crate) max_answer: Option<i64>,
}

impl fmt::Debug for Dissectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dissectors")
            .field("claimed", &self.claimed.len())
            .finish()
    }
}

impl Dissectors {
    /// Those of the [`TABLE`], and `more` that are asked before them.
    pub(crate) fn new(more: Vec<Box<dyn Dissector>>, limits: &Limits) -> Self {
        Self {
            all: more.into_iter().chain(TABLE.iter().map(|row| (row.new)())).collect(),
            claimed: HashMap::default(),
            requests: Requests::default(),
            max_cost: limits.meaning_total(),
            max_answer: None,
        }
    }

    /// A session begins with this handshake.
    fn handshake(&mut self, session: SessionId, handshake: &Handshake) {
        let claims = self
            .all
            .iter()
            .position(|dissector| dissector.claims(handshake) == Claim::Yes);
        if let Some(place) = claims
            && self.may_keep()
        {
            self.claimed.insert(session, place as u8);
        }
    }

    /// What a message means.
    #[inline]
    fn read<'a>(&'a mut self, session: SessionId, at: PacketRef, message: &Message<'a>, out: &mut Interpretations<'a>) {
        if !message.complete {
            return self.gap(session, message.direction);
        }
        // Nobody reads bytes unasked.
        if message.opcode == Opcode::Binary && self.claimed.is_empty() {
            return;
        }
        let may_keep = self.may_keep();
        let claimed = self.claimed.get(&session).map(|place| usize::from(*place));
        let view = MessageView {
            session,
            direction: message.direction,
            at,
            bytes: message.payload.bytes,
            text: message.text,
            claimed: claimed.is_some(),
            may_keep,
            told_late: message.told_late,
        };
        match claimed {
            _ if message.opcode.is_control() => out.extend(control(message)),
            Some(place) => {
                if let Some(dissector) = self.all.get_mut(place) {
                    dissector.read(&view, out);
                }
            }
            None => {
                for (place, dissector) in self.all.iter_mut().enumerate() {
                    if dissector.read(&view, out) {
                        let opens = out
                            .first()
                            .is_some_and(|read| matches!(read.action, Action::Open | Action::Opened));
                        if opens && may_keep {
                            self.claimed.insert(session, place as u8);
                        }
                        break;
                    }
                }
            }
        }
        for interpretation in out.iter_mut() {
            self.requests.resolve(&view, message.opcode, interpretation);
        }
        if out.len() >= MAX_DOCUMENTS {
            // There may be answers among what was not read.
            self.requests.lost(session, message.direction);
        }
    }

    /// Bytes of `direction` are missing.
    fn gap(&mut self, session: SessionId, direction: Direction) {
        self.requests.lost(session, direction);
        for dissector in &mut self.all {
            dissector.gap(session, direction);
        }
    }

    /// The session is over, and the last of what these directions carried could not be read. Gives what was not answered in it.
    fn end(&mut self, session: SessionId, lost: PerDirection<bool>) -> Left {
        for direction in Direction::BOTH.into_iter().filter(|&direction| lost[direction]) {
            self.requests.lost(session, direction);
        }
        self.claimed.remove(&session);
        for dissector in &mut self.all {
            dissector.end(session);
        }
        self.requests.end(session)
    }

    /// Whether more may be kept for sessions; the last requests have a bound of their own. What grows doubles, and fits then.
    #[inline]
    fn may_keep(&self) -> bool {
        let claimed = self.claimed.capacity() * size_of::<(SessionId, u8)>();
        claimed + self.all.iter().map(|dissector| dissector.cost()).sum::<usize>() <= self.max_cost / 2
    }

    /// How many requests were forgotten before their answers came.
    pub(crate) fn forgotten_requests(&self) -> u64 {
        self.requests.forgotten
    }
}

/// Pings and pongs mean the same whatever the application is.
fn control<'a>(message: &Message<'_>) -> Option<Interpretation<'a>> {
    let key = Key::of_bytes(message.payload.bytes);
    let (action, exchange) = match message.opcode {
        Opcode::Ping => (Action::Ping, Exchange::Request(key)),
        Opcode::Pong => (Action::Pong, Exchange::Pong(key)),
        _ => return None,
    };
    Some(Interpretation::new(WEBSOCKET, action).exchange(exchange))
}

/// Documents of one message that are read.
const MAX_DOCUMENTS: usize = 64;

/// Reads the documents that `text` holds, each with its place when there are several.
fn documents<'a>(
    text: &'a str,
    documents: impl Iterator<Item = &'a str>,
    read: impl Fn(&'a str) -> Interpretation<'a>,
    out: &mut Interpretations<'a>,
) {
    out.extend(documents.take(MAX_DOCUMENTS).map(|document| {
        let offset = document.as_ptr() as usize - text.as_ptr() as usize;
        Interpretation {
            document: Some((offset, document.len())),
            ..read(document)
        }
    }));
}

/// Whether a handshake agreed on one of these subprotocols.
fn speaks(handshake: &Handshake, subprotocols: &[&str]) -> Claim {
    match &handshake.subprotocol {
        Some(agreed) if subprotocols.contains(&agreed.as_str()) => Claim::Yes,
        _ => Claim::ByContent,
    }
}
