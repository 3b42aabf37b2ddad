//! WebSocket frames and messages (RFC 6455 §5, RFC 7692).

mod chunk_buffer;
mod close;
mod decoder;
mod header;
pub mod inflate;
mod mask;
mod message;
mod partial;
pub mod resync;

pub use chunk_buffer::{ChunkBuffer, Held};
pub use close::{Close, may_be_sent};
pub use decoder::{Decoder, Output, Shared};
pub use header::{FrameInfo, Header, LengthForm, MAX_HEADER, Opcode};
pub use mask::{unmask, unmask_into, unmask_to};
pub use message::{Hole, Message, Payload, Progress};
