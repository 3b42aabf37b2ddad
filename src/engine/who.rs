//! Who is the client of a connection: what is kept of a [`Session`], the rest of which its connection knows.

use crate::base::{Direction, Side};
use crate::record::Session;
use crate::tcp::Connection;

/// Which side is the client, and how that was found out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who {
    pub(super) client: Side,
    /// The handshake was not seen.
    pub(super) inferred: bool,
}

impl Who {
    /// The session of `connection`, whose client it is.
    #[inline]
    pub(super) fn session(self, connection: &Connection) -> Session {
        Session {
            number: connection.number,
            client: connection.endpoints[self.client.index()],
            server: connection.endpoints[self.client.other().index()],
            client_side: self.client,
            inferred: self.inferred,
        }
    }

    /// In which direction `side` sends.
    pub(super) fn direction(self, side: Side) -> Direction {
        if side == self.client {
            Direction::ClientToServer
        } else {
            Direction::ServerToClient
        }
    }
}
