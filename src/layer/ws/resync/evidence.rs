//! What the frames of one direction say for a session.

use super::frame::Frame;
use super::search::{Best, Search};
use crate::layer::ws::{Opcode, unmask_into};

/// What a direction says against a session in which nothing at all can be a frame.
const CONTRADICTS: i32 = -12;

/// What the frames of a direction say.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) bits: i32,
    /// As much of it comes from text or masks.
    pub(super) hard: i32,
    /// There are frames, and each is a segment of its own.
    pub(super) fills_segments: bool,
    /// Something is there.
    pub(super) any: bool,
    /// Payloads of pings, pongs and close frames.
    pub(super) controls: Vec<(Opcode, Vec<u8>)>,
}

impl Evidence {
    /// Of frames that are unmasked, and of masked ones.
    pub(super) fn of_both(search: &mut Search<'_>) -> [Self; 2] {
        let found = search.run();
        [false, true].map(|masked| match found.of(masked) {
            Some(best) => Self::of_chain(search, best),
            None => Self {
                bits: CONTRADICTS,
                any: true,
                ..Self::default()
            },
        })
    }

    /// What a chain is worth when what repeats counts once.
    fn of_chain(search: &Search<'_>, best: Best) -> Self {
        let mut evidence = Self {
            bits: best.prior,
            fills_segments: true,
            any: true,
            ..Self::default()
        };
        // What has a pattern may take two frames to come again, and empty ones between them say nothing.
        let mut before: [Option<Frame>; 2] = [None; 2];
        for (offset, frame) in search.frames(best.start) {
            evidence.fills_segments &=
                search.window.is_border(offset) && search.window.is_border(frame.end) && frame.header.length > 0;
            let repeats = before.iter().flatten().any(|before| before.is_like(&frame));
            if frame.header.length > 0 {
                before = [Some(frame), before[0]];
            }
            if frame.header.opcode.is_control() && evidence.controls.len() < 16 {
                let payload = search.payload(offset, &frame);
                let mut plain = Vec::new();
                unmask_into(&mut plain, payload, frame.header.masking_key.unwrap_or_default(), 0);
                evidence.controls.push((frame.header.opcode, plain));
            }
            if frame.is_text() {
                evidence.hard += frame.payload_bits;
            } else if repeats {
                continue;
            }
            evidence.bits += if repeats { frame.payload_bits } else { frame.bits() };
            if frame.header.masking_key.is_some() && frame.header.length > 0 {
                evidence.hard += frame.header_bits;
            }
        }
        evidence.bits = evidence.bits.max(CONTRADICTS);
        evidence
    }
}
