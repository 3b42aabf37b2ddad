//! WebSocket frames and messages (RFC 6455 §5, RFC 7692).

mod close;
mod header;
mod message;

pub use close::Close;
pub use header::{FrameInfo, Opcode};
pub use message::{Hole, Message, Payload, Progress, StreamRange};
