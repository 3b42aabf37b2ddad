//! The upgrade from HTTP/1.1 to WebSocket (RFC 6455 §4).

mod body;
mod exchange;
mod extensions;
mod head;
mod heads;
mod odd;
mod pending;
mod reader;
mod upgrade;

pub use exchange::{Exchange, Step, judge_request};
pub use extensions::{Deflate, Extension};
pub use head::{Request, Response};
pub use heads::Heads;
pub use upgrade::{Accept, Handshake, accept_for};
