//! A frame that has begun and not ended.

use super::Chunk;
use crate::base::PacketRef;
use crate::layer::ws::partial::Partial;
use crate::layer::ws::{Header, MAX_HEADER};

/// A frame of which not everything has come.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// The header's bytes so far.
    pub(super) raw: [u8; MAX_HEADER],
    pub(super) have: u8,
    /// The header, once it is complete.
    pub(super) header: Option<Header>,
    /// It is masked, and the key was not seen: nothing of the payload can be known.
    pub(super) key_lost: bool,
    pub(super) offset: u64,
    pub(super) first: PacketRef,
    pub(super) packets: (u64, u64),
    /// Payload bytes so far, missing ones included.
    pub(super) received: u64,
    /// Its own message: a control frame. Data frames add to the decoder's `open`.
    pub(super) control: Option<Box<Partial>>,
}

impl Unfinished {
    pub(super) fn new(raw: [u8; MAX_HEADER], have: usize, chunk: &Chunk<'_>) -> Self {
        Self {
            raw,
            have: have as u8,
            header: None,
            key_lost: false,
            offset: chunk.offset,
            first: chunk.from,
            packets: (chunk.from.packet, chunk.from.packet),
            received: 0,
            control: None,
        }
    }

    pub(super) fn touch(&mut self, packet: u64) {
        self.packets.0 = self.packets.0.min(packet);
        self.packets.1 = self.packets.1.max(packet);
    }
}
