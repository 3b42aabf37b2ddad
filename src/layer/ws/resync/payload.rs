//! What a payload says for or against its being one.

use std::ops::ControlFlow;

use crate::layer::ws::inflate::symbols::{self, End};

/// Bits for or against; `None`: it cannot be.
pub(super) type Evidence = Option<i32>;

/// So much of a text is looked at.
pub(super) const SAMPLE: usize = 512;

/// How much text alone can say, in bits.
const TEXT_CAP: i32 = 40;

/// Unmasks lazily.
#[derive(Clone, Copy)]
pub(super) struct Masked<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) key: [u8; 4],
}

impl<'a> Masked<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = u8> + 'a {
        self.bytes
            .iter()
            .zip(self.key.into_iter().cycle())
            .map(|(byte, key)| byte ^ key)
    }

    fn first(self, most: usize) -> Self {
        Self {
            bytes: &self.bytes[..self.bytes.len().min(most)],
            ..self
        }
    }

    fn last(self) -> Option<u8> {
        let at = self.bytes.len().checked_sub(1)?;
        Some(self.bytes[at] ^ self.key[at % 4])
    }
}

/// The beginning of a text message (or all of it, when `whole`). What is looked at is paid from `budget`, a unit a byte.
pub(super) fn text(payload: Masked<'_>, whole: bool, budget: &mut u64) -> Evidence {
    let sample = payload.first(SAMPLE);
    *budget = budget.saturating_sub(sample.bytes.len() as u64);
    let mut tenths = 0;
    let mut utf8 = Utf8::default();
    for byte in sample.iter() {
        tenths += match (utf8.push(byte)?, byte) {
            (true, b'\t' | b'\n' | b'\r' | b' '..=b'~') => 14,
            // Legal, but who sends it?
            (true, 0..0x80) => -60,
            (true, _) => 35,
            (false, _) => 0,
        };
    }
    if whole && sample.bytes.len() == payload.bytes.len() && !utf8.complete() {
        return None;
    }
    let mut bits = (tenths / 10).min(TEXT_CAP);
    bits += match (sample.iter().next(), payload.last()) {
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) => match whole {
            true => 12,
            // What is complete needs no other fragment.
            false => -12,
        },
        (Some(b'{' | b'['), _) => 6,
        _ => 0,
    };
    Some(bits)
}

/// Whether `bytes` look like text rather than anything else.
pub(in crate::layer::ws) fn is_text(bytes: &[u8]) -> bool {
    let payload = Masked { bytes, key: [0; 4] };
    text(payload, false, &mut { u64::MAX }).is_some_and(|bits| bits >= 12)
}

/// All of a close frame's payload (RFC 6455 §5.5.1).
pub(super) fn close(payload: Masked<'_>) -> Evidence {
    let mut bytes = payload.iter();
    let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
        return payload.bytes.is_empty().then_some(0);
    };
    if !(1000..5000).contains(&u16::from_be_bytes([high, low])) {
        return None;
    }
    let key = payload.key;
    let reason = Masked {
        bytes: &payload.bytes[2..],
        key: [key[2], key[3], key[0], key[1]],
    };
    Some(4 + text(reason, true, &mut { u64::MAX })?)
}

/// All of a compressed message, or a part of it that begins it (RFC 7692 §7.2). Block codes do not depend on the history.
pub(super) fn compressed(payload: Masked<'_>, whole: bool, budget: &mut u64) -> Evidence {
    /// What decides is soon seen: more than this is not inflated.
    const ENOUGH: usize = 2048;
    let sample = payload.first(ENOUGH);
    let whole = whole && sample.bytes.len() == payload.bytes.len();
    let mut bytes: Vec<u8> = sample.iter().collect();
    if whole {
        bytes.extend_from_slice(crate::layer::ws::inflate::tail(&bytes));
    }
    // Tables are made for each block, so looking at few bytes costs, too.
    *budget = budget.saturating_sub(64 + 4 * bytes.len() as u64);
    let mut left = 20_000u32;
    let end = symbols::read(&bytes, |_| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    match end {
        End::Invalid => None,
        End::Boundary if whole => Some(10),
        End::Inside if whole => None,
        End::Boundary | End::Inside | End::Stopped => Some(0),
    }
}

/// UTF-8, a byte at a time (RFC 3629 §4).
#[derive(Default)]
pub(super) struct Utf8 {
    /// Continuation bytes to come.
    left: u8,
    /// What the next one may be, when it is the first.
    bounds: Option<(u8, u8)>,
}

impl Utf8 {
    /// `None`: this byte cannot come here. Else whether it ended a character.
    pub(super) fn push(&mut self, byte: u8) -> Option<bool> {
        if self.left > 0 {
            let (low, high) = self.bounds.take().unwrap_or((0x80, 0xbf));
            if !(low..=high).contains(&byte) {
                return None;
            }
            self.left -= 1;
            return Some(self.left == 0);
        }
        (self.left, self.bounds) = match byte {
            0x00..=0x7f => return Some(true),
            0xc2..=0xdf => (1, None),
            0xe0 => (2, Some((0xa0, 0xbf))),
            0xed => (2, Some((0x80, 0x9f))),
            0xe1..=0xef => (2, None),
            0xf0 => (3, Some((0x90, 0xbf))),
            0xf4 => (3, Some((0x80, 0x8f))),
            0xf1..=0xf3 => (3, None),
            _ => return None,
        };
        Some(false)
    }

    pub(super) fn complete(&self) -> bool {
        self.left == 0
    }
}

/// Whether `next` continues a character of the text that ends with `before`: then it is no header. A few bytes are text by chance.
pub(super) fn inside_character(before: &[u8], next: u8) -> bool {
    const LEAST: usize = 6;
    if before.len() < LEAST || !(0x80..0xc0).contains(&next) {
        return false;
    }
    let context = &before[before.len().saturating_sub(16)..];
    // The first bytes may belong to a character that began earlier.
    (0..=context.len().min(3)).any(|skip| {
        let (cut, rest) = context.split_at(skip);
        let mut utf8 = Utf8::default();
        !rest.is_empty()
            && cut.iter().all(|byte| (0x80..0xc0).contains(byte))
            && rest.iter().all(|&byte| utf8.push(byte).is_some())
            && !utf8.complete()
            && utf8.push(next).is_some()
    })
}
