//! The upgrade from HTTP/1.1 to WebSocket (RFC 6455 §4).

mod extensions;
mod head;
mod upgrade;

pub use extensions::{Deflate, Extension};
pub use head::{Request, Response};
pub use upgrade::{Accept, Handshake};
