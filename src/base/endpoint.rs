//! Who talks: addresses, sides, directions.

use std::fmt;
use std::net::IpAddr;

/// One end of a TCP connection. Displayed as `127.0.0.1:60653` or `[::1]:7272`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// The IP address.
    pub addr: IpAddr,
    /// The TCP port.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint of this address and port.
    pub const fn new(addr: IpAddr, port: u16) -> Self {
        Self { addr, port }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr {
            IpAddr::V4(addr) => write!(f, "{addr}:{}", self.port),
            IpAddr::V6(addr) => write!(f, "[{addr}]:{}", self.port),
        }
    }
}

/// One of the two ends of a connection while it is not known yet who is client: `A` sent the first packet that we saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Sent the first packet of the connection that was captured.
    A,
    /// The other one.
    B,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Side::A, Side::B];

    /// The opposite side.
    pub const fn other(self) -> Self {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }

    /// 0 for `A`, 1 for `B`: to index a pair.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Which way a byte goes once it is known who is client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server: masked (RFC 6455 §5.3).
    ClientToServer,
    /// From the server to the client: not masked.
    ServerToClient,
}

impl Direction {
    /// Both, the client's first.
    pub const BOTH: [Self; 2] = [Direction::ClientToServer, Direction::ServerToClient];

    /// The opposite direction.
    pub const fn other(self) -> Self {
        match self {
            Direction::ClientToServer => Direction::ServerToClient,
            Direction::ServerToClient => Direction::ClientToServer,
        }
    }

    /// 0 for client to server, 1 for server to client: to index a pair.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// `client-to-server` or `server-to-client`, as in the JSON view.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::ClientToServer => "client-to-server",
            Direction::ServerToClient => "server-to-client",
        }
    }

    /// Who sends in this direction: `client` or `server`.
    pub const fn sender(self) -> &'static str {
        match self {
            Direction::ClientToServer => "client",
            Direction::ServerToClient => "server",
        }
    }
}
