//! Who talks, and of what: the things that notes speak of.

use super::story::Span;
use crate::base::{Direction, Endpoint};
use crate::record::Action;
use crate::record::Opcode;

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A client of which the User-Agent says that it is a browser.
    Browser,
    /// Any other client.
    Client,
    /// The server.
    Server,
}

/// Somebody who talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    /// What it is.
    pub role: Role,
    /// Where it is.
    pub at: Endpoint,
    /// Both ends of the connection have the same address, so that the port says enough.
    pub here: bool,
    /// Who uses it, when that is known.
    pub person: Option<Person>,
}

/// A user of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The name; empty when it is not known.
    pub name: Span,
    /// The identifier; empty when it is not known.
    pub id: Span,
    /// Others have a name that looks the same, so that the identifier must be said too.
    pub shared: bool,
}

/// A browser as its User-Agent tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// `Firefox`, `Chrome` …
    pub name: &'static str,
    /// Its major version.
    pub version: u32,
    /// `Linux`, `Windows` …
    pub system: Option<&'static str>,
}

/// A message of a generic protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labelled {
    /// Which protocol.
    pub protocol: &'static str,
    /// What it does.
    pub action: Action,
    /// What it is called; empty when it has no name.
    pub label: Span,
}

/// Something that was sent, to speak of it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The upgrade request.
    UpgradeRequest,
    /// The response to it.
    UpgradeResponse,
    /// A client's wish to be known by a name.
    Login(Span),
    /// The list of users.
    UserList,
    /// The answer to a login.
    LoginResult,
    /// Somebody else has come.
    LoginNotice(Person),
    /// Something said, on its way to the server.
    Say(Span),
    /// Something said, on its way to a listener.
    Forward(Span),
    /// Somebody has left.
    LogoutNotice(Person),
    /// The application's own ping.
    AppPing,
    /// The application's own pong.
    AppPong,
    /// A refusal of the chat server.
    Refusal,
    /// A message of a generic protocol.
    Labelled(Labelled),
    /// Any other message or control frame, and its length.
    Message(Opcode, u64),
}

impl What {
    /// The documents tell of its ACK.
    pub(super) const fn is_documented(&self) -> bool {
        !matches!(
            self,
            What::AppPing | What::AppPong | What::Labelled(_) | What::Message(..)
        )
    }
}

/// To whom something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// To everyone.
    All,
    /// To one user.
    One(Person),
}

/// Who sends in `direction`: a hint for whoever draws the arrow.
pub const fn sender_role(direction: Direction) -> Role {
    match direction {
        Direction::ClientToServer => Role::Client,
        Direction::ServerToClient => Role::Server,
    }
}
