//! What stands between a connection's two TCP streams and its WebSocket messages.

pub mod http1;
pub mod ws;
