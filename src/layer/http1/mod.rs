//! The upgrade from HTTP/1.1 to WebSocket (RFC 6455 §4).

mod body;
mod exchange;
mod extensions;
mod head;
mod head_store;
mod odd;
mod pending;
mod reader;
mod upgrade;

pub use exchange::{Exchange, Step, judge_request};
pub use extensions::{Deflate, Extension};
pub use head::{Request, Response};
pub use head_store::HeadStore;
pub use upgrade::{Accept, Handshake, accept_for};
