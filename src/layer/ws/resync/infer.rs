//! Whether a connection whose handshake was not seen carries WebSocket: both directions together.
//!
//! Chance makes frames in one direction more easily than in two that fit: one masks, the other does not, pongs repeat their pings, and close
//! frames their codes.

use super::Purpose;
use super::collected::Collected;
use super::evidence::Evidence;
use crate::layer::ws::{Opcode, Shared};

/// Frames that are whole segments, in both directions: the length field of no other protocol means another thing in each.
const FIT: i32 = 10;
/// A pong that repeats a ping of four bytes and more, and close frames of one code.
const ECHO: i32 = 24;
/// Without text or masks, a run of records of some binary format may look like frames: they are worth so much at most.
const SOFT: i32 = 40;
/// So much of the evidence must come from text or masks.
const HARD: i32 = 12;

/// Which sides mask their frames: a client does (RFC 6455 §5.1).
pub type Masks = [bool; 2];

/// Which sides mask, once it is clear that a connection carries WebSocket. To be called for every segment, with what has been collected
/// of both sides. `ended`: no more will come.
pub fn infer(sides: &mut [Collected; 2], ended: bool, shared: &mut Shared) -> Option<Masks> {
    let fresh = sides.each_mut().map(|side| side.gather(ended, &mut shared.scratch));
    if fresh == [false; 2] {
        return None;
    }
    let wanted = match (sides[0].expect.purpose, ended) {
        (Purpose::Confirm, true) => 14,
        (Purpose::Confirm, false) | (Purpose::Regain, _) => 20,
        (Purpose::Infer, _) => 50,
    };
    let soft = sides[0].expect.purpose != Purpose::Infer;
    // Of equals the one counts for which more speaks in both directions, then the last one.
    [[false, false], [true, false], [false, true]]
        .into_iter()
        .map(|masks| {
            let [a, b] = [0, 1].map(|side: usize| &sides[side].evidence[usize::from(masks[side])]);
            (together(a, b, masks == [false; 2], soft), a.bits + b.bits, masks)
        })
        .max_by_key(|&(bits, both, _)| (bits, both))
        .filter(|&(bits, ..)| bits >= wanted)
        .map(|(.., masks)| masks)
}

/// What both directions say together. Where not every segment is a frame, or no frame is masked, chance may make some in both: the better
/// one has to say enough.
fn together(a: &Evidence, b: &Evidence, unmasked: bool, soft: bool) -> i32 {
    let fit = a.fills_segments && b.fills_segments && a.any && b.any && !unmasked;
    let mut bits = if fit {
        a.bits + b.bits + FIT
    } else {
        a.bits.max(b.bits) + a.bits.min(b.bits).min(0)
    };
    // What speaks against frames all in all is no witness.
    let mut hard: i32 = [a, b].iter().filter(|side| side.bits > 0).map(|side| side.hard).sum();
    for (opcode, payload) in &a.controls {
        let echoed = b.controls.iter().any(|(other, said)| match (opcode, other) {
            (Opcode::Ping, Opcode::Pong) | (Opcode::Pong, Opcode::Ping) => payload.len() >= 4 && payload == said,
            (Opcode::Close, Opcode::Close) => payload.len() >= 2 && payload.get(..2) == said.get(..2),
            _ => false,
        });
        if echoed {
            bits += ECHO;
            hard += ECHO;
        }
    }
    if soft || hard >= HARD { bits } else { bits.min(SOFT) }
}
