//! WebSocket frames and messages (RFC 6455 §5, RFC 7692).

mod chunk_buffer;
mod close;
mod decoder;
mod header;
mod in_order;
pub mod inflate;
mod layer;
mod mask;
mod message_buffer;
pub mod resync;

pub use crate::record::{Close, FrameInfo, Hole, Message, Opcode, Payload, Progress};
pub use chunk_buffer::{ChunkBuffer, Held};
pub use close::may_be_sent;
pub use decoder::{Decoder, Output, Shared};
pub use header::{Header, LengthForm, MAX_HEADER};
pub(crate) use layer::WebSocket;
pub use mask::{unmask, unmask_into, unmask_to};
