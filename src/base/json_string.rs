//! Strings of JSON as they were sent, and the characters that their escapes stand for (RFC 8259 §7).

/// A string of a message, still as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// The inside of a JSON string, its escapes (RFC 8259 §7) unresolved.
    Json(&'a str),
    /// Text without escapes.
    Plain(&'a str),
}

impl<'a> Text<'a> {
    /// It has no characters.
    pub fn is_empty(self) -> bool {
        match self {
            Text::Json(raw) | Text::Plain(raw) => raw.is_empty(),
        }
    }

    /// It says exactly `plain`.
    pub fn is(self, plain: &str) -> bool {
        self.as_plain()
            .map_or_else(|| self.chars().eq(plain.chars()), |raw| raw == plain)
    }

    /// What it says, spelled in `room` when there are escapes in it. What is longer than that, then, says nothing.
    pub fn spell<'t>(&'t self, room: &'t mut [u8]) -> &'t str {
        match self.as_plain() {
            Some(plain) => plain,
            None => match spell(self.chars(), room) {
                (text, true) => text,
                (_, false) => "",
            },
        }
    }

    /// What it says, as far as `room` is long; spelled there when there are escapes in it.
    pub fn begin<'t>(&'t self, room: &'t mut [u8]) -> &'t str {
        match self.as_plain() {
            Some(plain) => beginning(plain, room.len()),
            None => spell(self.chars(), room).0,
        }
    }

    /// Its characters, escapes resolved; what cannot be resolved stands as U+FFFD.
    pub fn chars(self) -> Chars<'a> {
        let (rest, escapes) = match self {
            Text::Json(raw) => (raw, true),
            Text::Plain(raw) => (raw, false),
        };
        Chars { rest, escapes }
    }

    /// Its bytes, when no escape stands between them and its characters.
    pub fn as_plain(self) -> Option<&'a str> {
        match self {
            Text::Plain(raw) => Some(raw),
            Text::Json(raw) => (!has_escape(raw.as_bytes())).then_some(raw),
        }
    }

    /// Appends its characters to `out`, at most `limit` bytes of them. Says whether something was left off.
    pub fn copy_into(self, out: &mut Vec<u8>, limit: usize) -> bool {
        if let Some(plain) = self.as_plain() {
            let shown = beginning(plain, limit);
            out.extend_from_slice(shown.as_bytes());
            return shown.len() < plain.len();
        }
        let start = out.len();
        let mut buffer = [0; 4];
        for c in self.chars() {
            let bytes = c.encode_utf8(&mut buffer).as_bytes();
            if out.len() - start + bytes.len() > limit {
                return true;
            }
            out.extend_from_slice(bytes);
        }
        false
    }
}

/// Whether there is a backslash. Most strings are so short that looking at every byte is cheaper than a call.
#[inline]
fn has_escape(raw: &[u8]) -> bool {
    match raw.len() {
        0..32 => raw.iter().fold(false, |found, &b| found | (b == b'\\')),
        _ => memchr::memchr(b'\\', raw).is_some(),
    }
}

/// The first characters of a text, at most so many bytes.
fn beginning(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Puts characters into `room`, as many as have place there. Says whether these are all.
fn spell<'r>(chars: Chars<'_>, room: &'r mut [u8]) -> (&'r str, bool) {
    let mut length = 0;
    let mut all = true;
    for ch in chars {
        let Some(place) = room.get_mut(length..length + ch.len_utf8()) else {
            all = false;
            break;
        };
        length += ch.encode_utf8(place).len();
    }
    (std::str::from_utf8(&room[..length]).unwrap_or_default(), all)
}

/// The characters of a [`Text`].
#[derive(Debug, Clone)]
pub struct Chars<'a> {
    rest: &'a str,
    escapes: bool,
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c != '\\' || !self.escapes {
            return Some(c);
        }
        let e = self.rest.chars().next()?;
        self.rest = &self.rest[e.len_utf8()..];
        Some(match e {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode(),
            other => other,
        })
    }
}

impl Chars<'_> {
    /// The four digits behind `\u`, and the second half of a surrogate pair.
    fn unicode(&mut self) -> char {
        let Some(unit) = self.unit() else {
            return char::REPLACEMENT_CHARACTER;
        };
        if (0xd800..0xdc00).contains(&unit)
            && let Some(behind) = self.rest.strip_prefix("\\u")
        {
            let before = self.rest;
            self.rest = behind;
            if let Some(low @ 0xdc00..0xe000) = self.unit() {
                let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
            self.rest = before;
        }
        char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: Text<'_>) -> String {
        text.chars().collect()
    }

    #[test]
    fn escapes_are_resolved_and_surrogates_joined() {
        assert_eq!(plain(Text::Json(r"\u732a\u732a \ud83d\ude00\n\/")), "猪猪 😀\n/");
        assert_eq!(plain(Text::Json(r"\ud83dx\u12")), "\u{fffd}x\u{fffd}12");
        assert!(Text::Json(r"s\u0061y").is("say") && !Text::Json(r"s\u0061y").is("says"));
    }

    #[test]
    fn a_beginning_is_the_same_however_it_was_written() {
        let mut rooms = [[0; 7]; 2];
        let [one, other] = &mut rooms;
        assert_eq!(Text::Json("a猪猪猪").begin(one), "a猪猪");
        assert_eq!(Text::Json(r"\u0061\u732a猪猪").begin(other), "a猪猪");
    }

    #[test]
    fn a_copy_is_cut_between_characters() {
        let mut out = Vec::new();
        assert!(Text::Json("猪猪").copy_into(&mut out, 5));
        assert_eq!(out, "猪".as_bytes());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = plain(Text::Json(&text));
        }
    }
}
