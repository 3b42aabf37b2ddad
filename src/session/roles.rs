//! Who is the client of a session: what is kept of a [`Source`], the rest of which its connection and what carries it know.

use std::sync::Arc;

use crate::base::{Direction, Side, Timestamp};
use crate::record::{ConnectionId, Proxied, Scheme, SessionId, Source};
use crate::tcp::Connection;

/// What lies between TCP and a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Carrier {
    pub(crate) scheme: Scheme,
    /// The HTTP/2 stream.
    pub(crate) stream: Option<u32>,
    /// What a proxy said.
    pub(crate) proxied: Option<Arc<Proxied>>,
}

/// Which side is the client, and how that was found out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Roles {
    pub(crate) session: SessionId,
    pub(crate) client: Side,
    /// The handshake was not seen.
    pub(crate) inferred: bool,
    /// The time of the packet with which it begins: that of its request, else the one by which it was recognised.
    pub(crate) began: Timestamp,
}

impl Roles {
    /// The source of what this session's layers emit.
    #[inline]
    pub(crate) fn source(self, connection: &Connection, carrier: &Carrier) -> Source {
        Source {
            connection: ConnectionId(connection.number),
            session: Some(self.session),
            stream: carrier.stream,
            scheme: carrier.scheme,
            client: connection.endpoints[self.client.index()],
            server: connection.endpoints[self.client.other().index()],
            client_side: self.client,
            inferred: self.inferred,
            began: self.began,
            proxied: carrier.proxied.clone(),
        }
    }

    /// In which direction `side` sends.
    pub(crate) fn direction(self, side: Side) -> Direction {
        if side == self.client {
            Direction::ClientToServer
        } else {
            Direction::ServerToClient
        }
    }
}
