//! What the bytes at one place say for or against a frame that begins there.

use super::payload::{self, Masked, SAMPLE};
use super::window::{Run, Window};
use super::{Expect, Purpose};
use crate::layer::ws::{Header, LengthForm, Opcode};

/// A frame longer than this is not believed in.
const LONGEST: u64 = 1 << 32;

/// What begins at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Candidate {
    /// No frame.
    None,
    /// A header that the bytes end in.
    Cut,
    Frame(Frame),
}

/// A frame that may be one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) header: Header,
    /// Offset of the next header.
    pub(super) end: u64,
    /// What its header says for it, in bits.
    pub(super) header_bits: i32,
    /// What its payload says.
    pub(super) payload_bits: i32,
    /// What it says that it ends where a segment does.
    pub(super) border_bits: i32,
}

impl Frame {
    pub(super) fn bits(&self) -> i32 {
        self.header_bits + self.payload_bits + self.border_bits
    }

    /// It says nothing that one before it has not said: its length is nearly the same, and so is its masking key, or it has none. Keys are
    /// random; what counts or repeats is a pattern.
    pub(super) fn is_like(&self, other: &Frame) -> bool {
        let alike = self.header.opcode == other.header.opcode && self.header.rsv1 == other.header.rsv1;
        match (self.header.masking_key, other.header.masking_key) {
            (Some(a), Some(b)) => {
                let near = |a: u32, b: u32| a.wrapping_sub(b).min(b.wrapping_sub(a)) < 1 << 20;
                near(u32::from_be_bytes(a), u32::from_be_bytes(b))
                    || near(u32::from_le_bytes(a), u32::from_le_bytes(b))
                    || a.iter().zip(b).filter(|&(&a, b)| a == b).count() > 1
            }
            _ => alike && self.header.length.abs_diff(other.header.length) <= 2,
        }
    }

    /// Its payload is text.
    pub(super) fn is_text(&self) -> bool {
        self.header.opcode == Opcode::Text && !self.header.rsv1
    }
}

/// Whether a header may begin with this byte.
pub(super) fn may_begin(first: u8, expect: Expect) -> bool {
    match first {
        0x00 | 0x01 | 0x02 | 0x80 | 0x81 | 0x82 | 0x88 | 0x89 | 0x8a => true,
        0x41 | 0x42 | 0xc1 | 0xc2 => expect.deflate != Some(false),
        _ => false,
    }
}

/// What begins at `at` in `run`. Looking into payloads is paid from `budget`, a unit a byte.
pub(super) fn candidate(window: &Window<'_>, run: &Run<'_>, at: usize, expect: Expect, budget: &mut u64) -> Candidate {
    let bytes = &run.bytes[at..];
    if bytes.first().is_none_or(|&first| !may_begin(first, expect)) {
        return Candidate::None;
    }
    let Some(&second) = bytes.get(1) else {
        return Candidate::Cut;
    };
    if expect.masked.is_some_and(|masked| masked != (second & 0x80 != 0)) {
        return Candidate::None;
    }
    let offset = run.offset + at as u64;
    let whole = Header::parse(bytes);
    // In a gap, the masking key alone may be missing.
    let Some(header) = whole.or_else(|| Header::without_key(bytes).filter(|_| run.end() < window.end())) else {
        return Candidate::Cut;
    };
    let Some(header_bits) = header_bits(&header, expect) else {
        return Candidate::None;
    };
    let end = offset + u64::from(header.size) + header.length;
    let payload = bytes.get(usize::from(header.size)..).filter(|_| whole.is_some());
    let Some(payload_bits) = payload.map_or(Some(0), |payload| payload_bits(&header, payload, budget)) else {
        return Candidate::None;
    };
    let border_bits = match header.length {
        _ if !window.is_border(end) => 0,
        0..4 => 1,
        4..126 if window.is_border(offset) => 7,
        4..126 => 5,
        // No other protocol has 0x7e in this place, 16 bits of length behind it, and nothing else in its segments.
        _ if window.is_border(offset) => 12,
        _ => 10,
    };
    Candidate::Frame(Frame {
        header,
        end,
        header_bits,
        payload_bits,
        border_bits,
    })
}

/// What a header says for itself: log₂ of its share among real frames over its share among random bytes; `None` when it cannot be one.
fn header_bits(header: &Header, expect: Expect) -> Option<i32> {
    let control = header.opcode.is_control();
    if header.length_form != LengthForm::Minimal
        || header.length > LONGEST
        || control && (!header.fin || header.length > 125)
    {
        return None;
    }
    let infer = expect.purpose == Purpose::Infer;
    let (plain, compressed) = if expect.deflate == Some(true) { (4, 6) } else { (6, 4) };
    let bits = match (header.opcode, header.fin, header.rsv1) {
        (Opcode::Text, true, false) => plain,
        (Opcode::Binary, true, false) => plain - 1,
        (Opcode::Text, true, true) => compressed,
        (Opcode::Binary, true, true) => compressed - 1,
        // Other protocols have small numbers in such places.
        (Opcode::Text | Opcode::Binary, false, _) | (Opcode::Continuation, ..) if infer => 0,
        (Opcode::Text | Opcode::Binary, false, _) => 2,
        (Opcode::Continuation, true, _) => 2,
        (Opcode::Continuation, false, _) => 1,
        (Opcode::Ping | Opcode::Pong, ..) => 3,
        (Opcode::Close, ..) => 1,
        (Opcode::Reserved(_) | Opcode::Unknown, ..) => return None,
    };
    Some(match header.length {
        0 => 0,
        1..4 => (bits + 1).min(2),
        4..0x1_0000 => bits + 1,
        _ => bits + 5,
    })
}

/// What as much of a payload as there is says; `None` when it cannot be one.
fn payload_bits(header: &Header, bytes: &[u8], budget: &mut u64) -> Option<i32> {
    let length = usize::try_from(header.length).unwrap_or(usize::MAX);
    let whole = bytes.len() >= length;
    let payload = Masked {
        bytes: &bytes[..bytes.len().min(length)],
        key: header.masking_key.unwrap_or_default(),
    };
    match header.opcode {
        _ if *budget < payload.bytes.len().min(SAMPLE) as u64 => Some(0),
        Opcode::Text | Opcode::Binary if header.rsv1 => payload::compressed(payload, whole && header.fin, budget),
        Opcode::Text => payload::text(payload, whole && header.fin, budget),
        Opcode::Close if whole => payload::close(payload),
        _ => Some(0),
    }
}

/// Whether `at`, where a masked header may be, is rather inside a masked ASCII text: there, bytes that are four apart have
/// the same key, so their top bits are equal. Before and in a header six of these pairs are by chance only.
pub(super) fn is_inside_masked_text(bytes: &[u8], at: usize) -> bool {
    /// So many pairs before those of the header are looked at, if there are so many, and so many must be there.
    const BEFORE: usize = 12;
    const LEAST: usize = 2;
    at >= 4 + LEAST
        && bytes
            .get(at.saturating_sub(BEFORE + 4)..at + 6)
            .is_some_and(|bytes| bytes.iter().zip(&bytes[4..]).all(|(a, b)| (a ^ b) & 0x80 == 0))
}
