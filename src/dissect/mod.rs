//! What messages mean to the application, across sessions.
//!
//! In comes the text of a message and what the handshake said of the connection, out goes a [`Meaning`] that borrows from it.
//! [`DISSECTORS`] is the table: a new application is one file and one row. Everything is read lazily and nothing is allocated;
//! strings stay as they were sent until somebody copies a bounded part of them.

pub mod json;
mod chat;
mod generic;
mod graphql_ws;
mod json_rpc;
mod socket_io;
mod stomp;

pub use chat::{Entry, Users, users};
pub use json::Text;

use crate::base::Direction;

/// A message as a dissector sees it.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The text.
    pub text: &'a str,
    /// Who sent it.
    pub direction: Direction,
    /// What the handshake lets expect.
    pub hint: Option<Protocol>,
}

/// A protocol on top of WebSocket that is not the chat's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Socket.IO 5 over Engine.IO 4 (and their predecessors, which look the same in what is read here).
    SocketIo,
    /// GraphQL over WebSocket: `graphql-transport-ws`, and the older `graphql-ws`.
    GraphqlWs,
    /// STOMP 1.0 to 1.2.
    Stomp,
    /// JSON-RPC 2.0.
    JsonRpc,
    /// JSON that names its kind.
    Json,
}

impl Protocol {
    /// What the target and the subprotocol of a handshake let expect.
    pub fn expected(target: &str, subprotocol: Option<&str>) -> Option<Self> {
        match subprotocol {
            Some("graphql-transport-ws" | "graphql-ws") => Some(Protocol::GraphqlWs),
            Some("v10.stomp" | "v11.stomp" | "v12.stomp") => Some(Protocol::Stomp),
            Some("jsonrpc" | "jsonrpc-2.0") => Some(Protocol::JsonRpc),
            _ if target.contains("EIO=") => Some(Protocol::SocketIo),
            _ => None,
        }
    }

    /// Its name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::SocketIo => "Socket.IO",
            Protocol::GraphqlWs => "GraphQL",
            Protocol::Stomp => "STOMP",
            Protocol::JsonRpc => "JSON-RPC",
            Protocol::Json => "JSON",
        }
    }
}

/// What a message of a generic protocol does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Opens the application's session.
    Open,
    /// Confirms that.
    Opened,
    /// Ends it.
    Close,
    /// Asks whether the other one is there.
    Ping,
    /// Answers that.
    Pong,
    /// Something happened.
    Event,
    /// Confirms one message.
    Confirm,
    /// Asks for something, and wants an answer.
    Request,
    /// Answers a request.
    Response,
    /// Something failed.
    Error,
    /// Asks for all that comes under a name.
    Subscribe,
    /// Takes that back.
    Unsubscribe,
    /// Brings what was subscribed to or asked for.
    Data,
    /// No more of it will come.
    Complete,
    /// Gives the other side something.
    Send,
    /// Anything else with a name.
    Other,
}

/// What a message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// The client asks to be known by a name.
    Login {
        /// The name.
        name: Text<'a>,
        /// The room, where there are rooms.
        room: Option<Text<'a>>,
    },
    /// The server says that somebody has come.
    LoggedIn {
        /// The new user's identifier.
        id: Text<'a>,
        /// The new user's name.
        name: Text<'a>,
        /// All users, when the message lists them (then it is for the newcomer).
        users: Option<Users<'a>>,
    },
    /// The server says who is there.
    UserList(Users<'a>),
    /// The client says something.
    Say {
        /// To whom; `None` is to all.
        to: Option<Text<'a>>,
        /// What it calls that one.
        to_name: Option<Text<'a>>,
        /// What.
        content: Text<'a>,
    },
    /// The server passes on what somebody said.
    Said {
        /// Who said it.
        from: Text<'a>,
        /// What the server calls that one.
        from_name: Option<Text<'a>>,
        /// To whom; `None` is to all.
        to: Option<Text<'a>>,
        /// What.
        content: Text<'a>,
    },
    /// The server says that somebody has left.
    LoggedOut {
        /// Who.
        id: Text<'a>,
        /// What the server calls that one.
        name: Option<Text<'a>>,
    },
    /// The application asks whether the other one is there, in a text message of its own.
    Ping,
    /// The answer to that.
    Pong,
    /// The chat server refuses something.
    Refused {
        /// Why, for a machine.
        code: Text<'a>,
    },
    /// Something in a protocol that is known only in general.
    Generic {
        /// Which protocol.
        protocol: Protocol,
        /// What it does.
        act: Act,
        /// What it is called: an event, a method, a destination.
        label: Option<Text<'a>>,
        /// What ties requests and responses together.
        id: Option<Text<'a>>,
    },
}

/// One application's reading.
pub struct Dissector {
    /// For whom.
    pub name: &'static str,
    /// What the message means, when it is this application's.
    pub read: for<'a> fn(&Said<'a>) -> Option<Meaning<'a>>,
}

/// Who is asked, in this order; the first answer counts.
pub static DISSECTORS: &[Dissector] = &[
    Dissector {
        name: "socket.io",
        read: socket_io::read,
    },
    Dissector {
        name: "stomp",
        read: stomp::read,
    },
    Dissector {
        name: "graphql-ws",
        read: graphql_ws::read,
    },
    Dissector {
        name: "chat",
        read: chat::read,
    },
    Dissector {
        name: "json-rpc",
        read: json_rpc::read,
    },
    Dissector {
        name: "generic",
        read: generic::read,
    },
];

/// What `said` means, if anybody knows.
pub fn read<'a>(said: &Said<'a>) -> Option<Meaning<'a>> {
    DISSECTORS.iter().find_map(|dissector| (dissector.read)(said))
}
