//! A frame that has begun and not ended.

use crate::layer::ws::message_buffer::MessageBuffer;
use crate::layer::ws::{Header, MAX_HEADER};
use crate::layer::{Chunk, Span};

/// A frame of which not everything has come.
#[derive(Debug)]
pub(super) struct PartialFrame {
    /// The header's bytes so far.
    pub(super) raw: [u8; MAX_HEADER],
    pub(super) have: u8,
    /// The header, once it is complete.
    pub(super) header: Option<Header>,
    /// It is masked, and the key was not seen: nothing of the payload can be known.
    pub(super) key_lost: bool,
    pub(super) offset: u64,
    /// Where what has come of it came from.
    pub(super) span: Span,
    /// Payload bytes so far, missing ones included.
    pub(super) received: u64,
    /// Its own message: a control frame. Data frames add to the decoder's `open`.
    pub(super) control: Option<Box<MessageBuffer>>,
}

impl PartialFrame {
    pub(super) fn new(raw: [u8; MAX_HEADER], have: usize, chunk: &Chunk<'_>) -> Self {
        Self {
            raw,
            have: have as u8,
            header: None,
            key_lost: false,
            offset: chunk.offset,
            span: chunk.span,
            received: 0,
            control: None,
        }
    }
}
