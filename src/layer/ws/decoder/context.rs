//! What goes into decoders, what comes out, and what they share.

use crate::base::PacketRef;
use crate::base::{Limits, Violation};
use crate::layer::ws::inflate::{Allowance, InflatePool};
use crate::layer::ws::message_buffer::Pool;
use crate::layer::ws::resync::Scratch;
use crate::layer::ws::{FrameInfo, Hole, Message};

/// What a decoder finds.
pub trait Output {
    /// A frame is complete, or as complete as it will be. Called only with frames asked for in [`Shared::new`].
    fn frame(&mut self, at: PacketRef, frame: &FrameInfo);
    /// A message or control frame is complete, or as complete as it will be.
    fn message(&mut self, at: PacketRef, message: &Message<'_>);
    /// Whether one more violation is listed; asked before one is put into words that strangers can make many of. One that is not listed is
    /// counted, and not told.
    fn lists_violation(&mut self) -> bool {
        true
    }
    /// The decoder's direction broke a rule.
    fn violation(&mut self, at: PacketRef, violation: &Violation);
}

/// What decoders share, so that each is small: bounds, wishes, and buffers that are reused.
#[derive(Debug)]
pub struct Shared {
    pub(super) limits: Limits,
    pub(super) frames: bool,
    pub(super) plain: Vec<u8>,
    pub(super) pool: Pool,
    pub(super) inflaters: InflatePool,
    pub(super) allowance: Allowance,
    pub(super) evicted_histories: u64,
    pub(super) inflated: Vec<u8>,
    pub(super) inflated_holes: Vec<Hole>,
    /// For searches for the place in a stream.
    pub(in crate::layer::ws) scratch: Scratch,
    /// Bytes that all connections together hold because they cannot be read yet.
    held: usize,
}

impl Shared {
    /// Buffers for any number of decoders; `frames` says whether [`Output::frame`] is wanted.
    pub fn new(limits: Limits, frames: bool) -> Self {
        Self {
            limits,
            frames,
            plain: Vec::new(),
            pool: Pool::within(limits.pool_total()),
            inflaters: InflatePool::within(limits.decompressors_total()),
            allowance: Allowance::new(limits.inflated_bytes),
            evicted_histories: 0,
            inflated: Vec::new(),
            inflated_holes: Vec::new(),
            scratch: Scratch::default(),
            held: 0,
        }
    }

    /// Makes room for `bytes` of something that cannot be read yet; `false` when there is too much of that already.
    pub fn hold(&mut self, bytes: usize) -> bool {
        let fits = self.can_hold(bytes);
        if fits {
            self.held += bytes;
        }
        fits
    }

    /// Whether [`hold`](Self::hold) would make room for so many bytes.
    pub fn can_hold(&self, bytes: usize) -> bool {
        self.held.saturating_add(bytes) <= self.limits.held_total()
    }

    /// How many bytes are held so.
    pub fn held(&self) -> usize {
        self.held
    }

    /// How many directions have lost what their compressed messages refer back to, because of [`Limits::memory_bytes`].
    pub fn evicted_histories(&self) -> u64 {
        self.evicted_histories
    }

    /// A packet of so many captured bytes.
    pub fn captured(&mut self, bytes: usize) {
        self.allowance.captured(bytes);
    }

    /// How many compressed messages were not inflated to their end, because they would have become too much for what they are.
    pub fn limited_inflations(&self) -> u64 {
        self.allowance.exceeded()
    }

    /// What [`hold`](Self::hold) made room for is gone.
    pub fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }
}
