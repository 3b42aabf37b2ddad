//! The upgrade from HTTP/1.1 to WebSocket (RFC 6455 §4).

mod body;
mod exchange;
mod extensions;
mod handshake;
mod head;
mod head_store;
mod layer;
mod odd;
mod pending;
mod reader;
mod upgrade;

pub use crate::record::{Accept, Deflate, Extension, Handshake, Request, Response};
pub use exchange::{Exchange, Step, judge_request};
pub(crate) use handshake::decoders_from;
pub use head_store::HeadStore;
pub(crate) use layer::{Agreed, Http1};
pub use upgrade::accept_for;
