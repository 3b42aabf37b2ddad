//! HTTP/2 (RFC 9113), and the WebSockets in its streams (RFC 8441): the bytes of both sides in, what its streams are and carry out.
//!
//! [`Connection`] reads frames, keeps what HPACK needs, and follows those streams that are WebSockets or may be; of others it tells frames in short, if
//! somebody narrates. What the capture does not hold is worked around: a hole inside a frame's payload is stepped over, the next frame behind a
//! lost one is looked for, and names that can no longer be known are not guessed.

mod connection;
mod event;
mod fields;
mod frame;
mod half;
pub mod hpack;
mod layer;
mod receive;
mod recognise;
mod search;
mod streams;
#[cfg(test)]
mod tests;

pub use connection::{Bounds, Connection};
pub use event::{Event, Output, StreamEnd};
pub(crate) use layer::{Http2, client_of};
pub use recognise::{Recognised, Recogniser};

/// So many bytes of a refusal's content are kept.
pub const MAX_BODY: usize = 4096;
