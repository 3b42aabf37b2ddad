//! How much was lost in a gap, found by trying.
//!
//! What was inflated before a gap is known, and what comes after it refers to it by distance. Only the length of what was lost between is not known:
//! it shifts every such reference. Block codes do not depend on the history, so each later message is read into cells once, and trying a length means
//! to look its references up and to ask: is this UTF-8, and (where all messages before were) JSON? A wrong length puts quotes and braces in wrong
//! places. Lengths that fail once are out for good; a byte is known when all lengths that are left agree on it. So a wrong guess is never made;
//! at worst there stay holes.
//!
//! Stated assumptions: the sender's text messages are UTF-8; JSON, when all that were seen are; and where all messages were JSON, what was
//! lost compressed at most [`RATIO`] times, or four times as well as the best message seen. (Of other messages nothing is assumed: a pattern of
//! a few bytes, sent again and again, compresses nearly as well as DEFLATE can.) If no length is left, one of them was wrong, and nothing of the references is told.

use super::cells::Cell;

/// How well lost JSON may have been compressed, at least.
pub(super) const RATIO: u64 = 24;

/// How well anything can be compressed: a match of 258 bytes takes two bits (RFC 1951 §3.2.5).
pub(super) const MOST: u64 = 1032;

/// With more lengths than this in question, no byte is worth asking all of them for.
const FEW: usize = 64;

/// What lay before a gap, and how long the gap may be.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// The newest last.
    before: Vec<Cell>,
    /// Nothing came before `before`.
    complete: bool,
    window: usize,
    lengths: Lengths,
    /// Lengths were ruled out because messages were taken for JSON.
    by_json: bool,
}

/// What a message is assumed to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any bytes.
    Binary,
    /// UTF-8.
    Text,
    /// UTF-8, and JSON.
    Json,
}

#[derive(Debug, Clone)]
enum Lengths {
    /// No message has come yet.
    Any,
    /// These are left.
    Left(Vec<u32>),
    /// None was right, or it would take too long.
    GivenUp,
}

impl Search {
    pub(super) fn new(before: Vec<Cell>, complete: bool, window: usize) -> Self {
        Self {
            before,
            complete,
            window,
            lengths: Lengths::Any,
            by_json: false,
        }
    }

    /// A message came behind the gap; at most `lost` inflated bytes lay in it. `budget` is what looking may cost, in cells.
    pub(super) fn learn(&mut self, message: &[Cell], kind: Kind, lost: u64, budget: &mut u64) {
        if matches!(self.lengths, Lengths::Any) {
            let most = u32::try_from(lost).unwrap_or(u32::MAX).min(self.window as u32);
            self.lengths = Lengths::Left((0..=most).collect());
        }
        if self.by_json && kind == Kind::Text {
            // It was a mistake to take the others for JSON.
            self.lengths = Lengths::GivenUp;
        }
        if message.iter().all(|cell| cell.back().is_none()) {
            return;
        }
        self.by_json |= kind == Kind::Json;
        let Lengths::Left(mut left) = std::mem::replace(&mut self.lengths, Lengths::GivenUp) else {
            return;
        };
        left.retain(|&length| *budget > 0 && self.fits(message, kind, length, budget));
        if *budget > 0 && !left.is_empty() {
            self.lengths = Lengths::Left(left);
        }
    }

    /// The cell, as far as all lengths in question agree on it.
    pub(super) fn resolve(&self, cell: Cell) -> Cell {
        let Some(back) = cell.back() else { return cell };
        let Lengths::Left(left) = &self.lengths else {
            return Cell::UNKNOWN;
        };
        if left.len() > FEW {
            return Cell::UNKNOWN;
        }
        let mut all = left
            .iter()
            .map(|&length| self.look_up(back, length).unwrap_or(Cell::UNKNOWN));
        match all.next() {
            Some(first) if all.all(|other| other == first) => first,
            _ => Cell::UNKNOWN,
        }
    }

    /// The length, once there is no doubt; then what lay before the gap, and the gap, as cells.
    pub(super) fn decided(&self) -> Option<(&[Cell], usize)> {
        match &self.lengths {
            Lengths::Left(left) => match left[..] {
                [length] => Some((&self.before, length as usize)),
                _ => None,
            },
            _ => None,
        }
    }

    /// How much memory it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        let lengths = match &self.lengths {
            Lengths::Left(left) => left.capacity(),
            Lengths::Any | Lengths::GivenUp => 0,
        };
        size_of::<Self>() + self.before.capacity() * size_of::<Cell>() + lengths * size_of::<u32>()
    }

    /// Nothing will come of it.
    pub(super) fn is_given_up(&self) -> bool {
        matches!(self.lengths, Lengths::GivenUp)
    }

    /// The `back`th byte before the end of a gap of `length`; `None` when no match can reach there.
    fn look_up(&self, back: u32, length: u32) -> Option<Cell> {
        let Some(back) = back.checked_sub(length).filter(|&back| back > 0) else {
            return Some(Cell::UNKNOWN);
        };
        match self.before.len().checked_sub(back as usize) {
            Some(at) => Some(self.before[at]),
            None if self.complete => None,
            None => Some(Cell::UNKNOWN),
        }
    }

    fn fits(&self, message: &[Cell], kind: Kind, length: u32, budget: &mut u64) -> bool {
        let (text, is_json) = (kind != Kind::Binary, kind == Kind::Json);
        let mut json = Json::new();
        let mut utf8 = Utf8::default();
        for (at, &cell) in message.iter().enumerate() {
            let cell = match cell.back() {
                Some(back) => match self.look_up(back, length) {
                    Some(cell) => cell,
                    None => {
                        *budget = budget.saturating_sub(at as u64 + 1);
                        return false;
                    }
                },
                None => cell,
            };
            if text && !(utf8.push(cell.byte()) && (!is_json || json.push(cell.byte()))) {
                *budget = budget.saturating_sub(at as u64 + 1);
                return false;
            }
        }
        *budget = budget.saturating_sub(message.len() as u64 + 1);
        !text || utf8.may_end() && (!is_json || json.may_end())
    }
}

/// Whether there are bytes for the unknown ones with which `message` is JSON, as far as [`Json`] tells.
pub(super) fn may_be_json(message: &[Cell]) -> bool {
    let mut json = Json::new();
    message.iter().all(|cell| json.push(cell.byte())) && json.may_end()
}

/// UTF-8 (RFC 3629 §4) with unknown bytes in it.
#[derive(Default)]
struct Utf8 {
    /// How many continuation bytes may come, and whether they must.
    may: u8,
    must: bool,
    /// What the next one may be, when it follows a byte that restricts it.
    bounds: Option<(u8, u8)>,
}

impl Utf8 {
    fn push(&mut self, byte: Option<u8>) -> bool {
        let bounds = self.bounds.take();
        let Some(byte) = byte else {
            (self.may, self.must) = (3, false);
            return true;
        };
        if let 0x80..=0xbf = byte {
            if self.may == 0 || bounds.is_some_and(|(low, high)| !(low..=high).contains(&byte)) {
                return false;
            }
            self.may -= 1;
            self.must &= self.may > 0;
            return true;
        }
        if self.must {
            return false;
        }
        (self.may, self.bounds) = match byte {
            0..0x80 => (0, None),
            0xc2..=0xdf => (1, None),
            0xe0 => (2, Some((0xa0, 0xbf))),
            0xed => (2, Some((0x80, 0x9f))),
            0xe1..=0xef => (2, None),
            0xf0 => (3, Some((0x90, 0xbf))),
            0xf4 => (3, Some((0x80, 0x8f))),
            0xf1..=0xf3 => (3, None),
            _ => return false,
        };
        self.must = self.may > 0;
        true
    }

    fn may_end(&self) -> bool {
        !self.must
    }
}

/// JSON (RFC 8259) with unknown bytes in it: the set of states in which a reader may be. Nesting is not counted, so it lets some through that is no
/// JSON, and never refuses what is.
struct Json(u16);

impl Json {
    /// A value must come.
    const VALUE: u16 = 1;
    /// After `{`: a name or `}`.
    const NAME_OR_END: u16 = 1 << 1;
    /// After a comma in an object: a name.
    const NAME: u16 = 1 << 2;
    /// After `[`: a value or `]`.
    const VALUE_OR_END: u16 = 1 << 3;
    /// In the string of a name, and in that of a value.
    const IN_NAME: u16 = 1 << 4;
    const IN_STRING: u16 = 1 << 5;
    /// Behind a backslash in them.
    const ESCAPE_IN_NAME: u16 = 1 << 6;
    const ESCAPE_IN_STRING: u16 = 1 << 7;
    /// After a name: a colon.
    const COLON: u16 = 1 << 8;
    /// After a value: a comma, a closing bracket, or the end.
    const AFTER: u16 = 1 << 9;
    /// In a number, and in `true`, `false` or `null`.
    const NUMBER: u16 = 1 << 10;
    const WORD: u16 = 1 << 11;
    const ALL: u16 = (1 << 12) - 1;

    fn new() -> Self {
        Self(Self::VALUE)
    }

    fn push(&mut self, byte: Option<u8>) -> bool {
        let Some(byte) = byte else {
            self.0 = Self::ALL;
            return true;
        };
        let mut next = 0;
        let mut states = self.0;
        while states != 0 {
            let state = states & states.wrapping_neg();
            states &= states - 1;
            next |= Self::step(state, byte);
        }
        self.0 = next;
        next != 0
    }

    fn step(state: u16, byte: u8) -> u16 {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let after = || match byte {
            b',' => Self::VALUE | Self::NAME,
            b'}' | b']' => Self::AFTER,
            _ if blank => Self::AFTER,
            _ => 0,
        };
        match state {
            Self::VALUE | Self::VALUE_OR_END => match byte {
                b'"' => Self::IN_STRING,
                b'{' => Self::NAME_OR_END,
                b'[' => Self::VALUE_OR_END,
                b']' if state == Self::VALUE_OR_END => Self::AFTER,
                b'-' | b'0'..=b'9' => Self::NUMBER,
                b't' | b'f' | b'n' => Self::WORD,
                _ if blank => state,
                _ => 0,
            },
            Self::NAME | Self::NAME_OR_END => match byte {
                b'"' => Self::IN_NAME,
                b'}' if state == Self::NAME_OR_END => Self::AFTER,
                _ if blank => state,
                _ => 0,
            },
            Self::IN_NAME => match byte {
                b'"' => Self::COLON,
                b'\\' => Self::ESCAPE_IN_NAME,
                0..0x20 => 0,
                _ => state,
            },
            Self::IN_STRING => match byte {
                b'"' => Self::AFTER,
                b'\\' => Self::ESCAPE_IN_STRING,
                0..0x20 => 0,
                _ => state,
            },
            Self::ESCAPE_IN_NAME | Self::ESCAPE_IN_STRING => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u' if state == Self::ESCAPE_IN_NAME => {
                    Self::IN_NAME
                }
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u' => Self::IN_STRING,
                _ => 0,
            },
            Self::COLON => match byte {
                b':' => Self::VALUE,
                _ if blank => state,
                _ => 0,
            },
            Self::NUMBER => match byte {
                b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-' => state,
                _ => after(),
            },
            Self::WORD => match byte {
                b'a'..=b'z' => state,
                _ => after(),
            },
            _ => after(),
        }
    }

    fn may_end(&self) -> bool {
        self.0 & (Self::AFTER | Self::NUMBER | Self::WORD) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &[u8], unknown: &[usize]) -> bool {
        let mut json = Json::new();
        let mut utf8 = Utf8::default();
        let all = text.iter().enumerate().all(|(at, &byte)| {
            let byte = (!unknown.contains(&at)).then_some(byte);
            utf8.push(byte) && json.push(byte)
        });
        all && utf8.may_end() && json.may_end()
    }

    #[test]
    fn json_is_never_refused_whatever_is_unknown_in_it() {
        let text = "{\"a\": [1, -2.5e+3, true, null, [], {}], \"ü\\n\\u00e9\\\"\" : {\"😀\":\"日本\\\\\"}}".as_bytes();
        assert!(accepts(text, &[]));
        for from in 0..text.len() {
            for to in from..text.len() {
                assert!(accepts(text, &(from..to).collect::<Vec<_>>()), "{from}..{to}");
            }
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "{\"a\"}x",
            "{\"a\":\"b\"\"}",
            "{\"a\":\"b\"c\"}",
            "{a:1}",
            "\"a",
            "{\"a\":\"\n\"}",
            "{,}",
            "[1}x",
        ] {
            assert!(!accepts(text.as_bytes(), &[]), "{text}");
        }
        assert!(!accepts(b"{\"a\":\"\xff\"}", &[]));
        assert!(!accepts(b"{\"a\":\"\xc3\"}", &[]));
    }
}
