//! A connection whose beginning was not seen: its bytes are collected until it is clear whether they are WebSocket frames.

use super::tally::Tally;
use crate::base::PacketRef;
use crate::base::{Gap, GapCause, Side};
use crate::layer::Chunk;
use crate::layer::http1::{Request, Response};
use crate::layer::ws::resync::{Collected, Expect, Purpose};
use crate::layer::ws::{ChunkBuffer, Held, Shared};

/// What was collected of such a connection, by side.
#[derive(Debug)]
pub(super) struct Sniff {
    sides: [Collected; 2],
    /// Bytes that came, kept or not.
    seen: usize,
    agreed: Option<Box<Agreed>>,
}

/// What is known of a connection whose server has agreed to something, when both heads were cut before they said to what.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) client: Side,
    pub(super) request: Request,
    pub(super) response: Response,
    pub(super) tally: Tally,
    /// Where in the stream what was agreed upon most likely begins, by side.
    pub(super) begins: [Option<u64>; 2],
}

/// What the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// WebSocket, and this side is the client: it masks.
    WebSocket(Side),
    /// Nobody knows yet.
    NotYet,
    /// Something else.
    Other,
}

/// A connection that has carried so many bytes without being recognised is something else.
const PATIENCE: usize = 1 << 20;

impl Default for Sniff {
    fn default() -> Self {
        let expect = Expect {
            purpose: Purpose::Infer,
            masked: None,
            deflate: None,
        };
        Self {
            sides: [Collected::new(expect), Collected::new(expect)],
            seen: 0,
            agreed: None,
        }
    }
}

impl Sniff {
    /// After a handshake that was cut, when so much is held.
    pub(super) fn after(mut agreed: Box<Agreed>, held: &[ChunkBuffer; 2]) -> Self {
        let mut sniff = Self::default();
        for side in [Side::A, Side::B] {
            let mut collected = Collected::new(Expect {
                purpose: Purpose::Confirm,
                masked: Some(side == agreed.client),
                deflate: None,
            });
            // The rest of the head, and nearly always no more, was in the same packet.
            if let Some(Held::Gap(gap, _)) = held[side.index()].iter().next()
                && gap.cause == GapCause::Snaplen
            {
                let begin = gap.offset + gap.length;
                collected.expect_at(begin);
                agreed.begins[side.index()] = Some(begin);
            }
            sniff.sides[side.index()] = collected;
        }
        sniff.agreed = Some(agreed);
        sniff
    }

    /// What is known of it besides its bytes.
    pub(super) fn agreed(&mut self) -> Option<Box<Agreed>> {
        self.agreed.take()
    }

    /// The next bytes of a side, and what the connection is.
    pub(super) fn data(&mut self, side: Side, chunk: Chunk<'_>, shared: &mut Shared) -> Verdict {
        self.seen += chunk.bytes.len();
        if self.seen > PATIENCE || is_tls(chunk.bytes) || !self.sides[side.index()].push(chunk, shared) {
            return Verdict::Other;
        }
        self.look(side, false, shared)
    }

    /// Bytes of a side that will not come.
    pub(super) fn gap(&mut self, side: Side, gap: Gap, at: PacketRef, shared: &mut Shared) {
        self.sides[side.index()].push_gap(gap, at, shared);
    }

    /// What the connection is, when no more will come.
    pub(super) fn end(&mut self, shared: &mut Shared) -> Verdict {
        match self.look(Side::A, true, shared) {
            Verdict::NotYet => self.look(Side::B, true, shared),
            verdict => verdict,
        }
    }

    fn look(&mut self, side: Side, ended: bool, shared: &mut Shared) -> Verdict {
        match self.sides[side.index()].look(ended, shared) {
            Some((_, true)) => Verdict::WebSocket(side),
            Some((_, false)) => Verdict::WebSocket(side.other()),
            None => Verdict::NotYet,
        }
    }

    /// What was collected, for whoever can read it now.
    pub(super) fn take(&mut self, shared: &mut Shared) -> [ChunkBuffer; 2] {
        self.sides.each_mut().map(|side| side.take(shared))
    }
}

/// A TLS record (RFC 8446 §5.1) begins here: the one protocol that most connections of a capture speak, known at a glance.
fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 0x03, 0x00..=0x04, 0x00..=0x41, _, ..])
}
