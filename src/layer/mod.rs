//! What stands between a connection's two TCP streams and its WebSocket messages.

mod chunk;
pub mod http1;
pub mod ws;

pub use chunk::{Chunk, Span, StreamRange};
