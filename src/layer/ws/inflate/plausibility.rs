//! Text and JSON with unknown bytes in them.

use super::cell::Cell;

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

/// Reads a message and says whether there are bytes for the unknown ones with which it is what it is assumed to be.
#[derive(Clone)]
pub(super) struct Reader {
    kind: Kind,
    utf8: Utf8,
    json: Json,
}

impl Reader {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            utf8: Utf8::default(),
            json: Json::new(),
        }
    }

    pub(super) fn push(&mut self, byte: Option<u8>) -> bool {
        match self.kind {
            Kind::Binary => true,
            Kind::Text => self.utf8.push(byte),
            Kind::Json => self.utf8.push(byte) && self.json.push(byte),
        }
    }

    pub(super) fn may_end(&self) -> bool {
        match self.kind {
            Kind::Binary => true,
            Kind::Text => self.utf8.may_end(),
            Kind::Json => self.utf8.may_end() && self.json.may_end(),
        }
    }
}

/// Whether there are bytes for the unknown ones with which `message` is JSON, `whole` or only its beginning, as far as [`Json`] tells.
pub(super) fn may_be_json(message: &[Cell], whole: bool) -> bool {
    let mut json = Json::new();
    message.iter().all(|cell| json.push(cell.byte())) && (!whole || json.may_end())
}

/// UTF-8 (RFC 3629 §4) with unknown bytes in it.
#[derive(Clone, Default)]
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
#[derive(Clone)]
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
