//! A lazy look into JSON (RFC 8259): the members of one object or the items of one array, borrowed from the message.
//!
//! Nothing is allocated and nothing is built: a dissector asks for the few members that it knows and skips the rest. What is not
//! JSON ends the iteration early; nothing here judges.

/// A string of a message, still as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// The inside of a JSON string, its escapes (RFC 8259 §7) unresolved.
    Json(&'a str),
    /// Text without escapes.
    Plain(&'a str),
}

/// One value, still as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    String(Text<'a>),
    /// A number.
    Number(&'a str),
    /// An object, with its braces.
    Object(&'a str),
    /// An array, with its brackets.
    Array(&'a str),
    /// `true`, `false` or `null`.
    Literal(&'a str),
}

impl<'a> Value<'a> {
    /// A string or a number as text: both are used as identifiers.
    pub fn text(self) -> Option<Text<'a>> {
        match self {
            Value::String(text) => Some(text),
            Value::Number(digits) => Some(Text::Plain(digits)),
            _ => None,
        }
    }
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
        if let Some(plain) = self.as_plain() {
            return plain;
        }
        let mut length = 0;
        for ch in self.chars() {
            let Some(place) = room.get_mut(length..length + ch.len_utf8()) else {
                return "";
            };
            ch.encode_utf8(place);
            length += ch.len_utf8();
        }
        std::str::from_utf8(&room[..length]).unwrap_or_default()
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
            Text::Json(raw) => memchr::memchr(b'\\', raw.as_bytes()).is_none().then_some(raw),
        }
    }

    /// Appends its characters to `out`, at most `limit` bytes of them. Says whether something was left off.
    pub fn copy_into(self, out: &mut Vec<u8>, limit: usize) -> bool {
        if let Some(plain) = self.as_plain() {
            let mut end = plain.len().min(limit);
            while !plain.is_char_boundary(end) {
                end -= 1;
            }
            let shown = &plain[..end];
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

/// The members of the object that `json` is, in order, duplicates included. Nothing when it is none.
pub fn members(json: &str) -> Members<'_> {
    let mut cursor = Cursor { json, at: 0 };
    let open = cursor.eat(b'{');
    Members {
        cursor,
        state: if open { State::First } else { State::Over },
    }
}

/// The items of the array that `json` is. Nothing when it is none.
pub fn items(json: &str) -> Items<'_> {
    let mut cursor = Cursor { json, at: 0 };
    let open = cursor.eat(b'[');
    Items {
        cursor,
        state: if open { State::First } else { State::Over },
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    Next,
    Over,
}

/// See [`members`].
#[derive(Debug, Clone)]
pub struct Members<'a> {
    cursor: Cursor<'a>,
    state: State,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Text<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let member = match self.state {
            State::Over => None,
            State::Next if !self.cursor.eat(b',') => None,
            _ => self.cursor.member(),
        };
        self.state = if member.is_some() { State::Next } else { State::Over };
        member
    }
}

/// See [`items`].
#[derive(Debug, Clone)]
pub struct Items<'a> {
    cursor: Cursor<'a>,
    state: State,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match self.state {
            State::Over => None,
            State::Next if !self.cursor.eat(b',') => None,
            _ => self.cursor.value(),
        };
        self.state = if item.is_some() { State::Next } else { State::Over };
        item
    }
}

#[derive(Debug, Clone)]
struct Cursor<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.json.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                &byte => return Some(byte),
            }
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn member(&mut self) -> Option<(Text<'a>, Value<'a>)> {
        let Some(b'"') = self.peek() else { return None };
        let key = self.string()?;
        if !self.eat(b':') {
            return None;
        }
        Some((key, self.value()?))
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => self.string().map(Value::String),
            b'{' => self.nested().map(Value::Object),
            b'[' => self.nested().map(Value::Array),
            b'-' | b'0'..=b'9' => self.word().map(Value::Number),
            b't' | b'f' | b'n' => self.word().map(Value::Literal),
            _ => None,
        }
    }

    /// At a quotation mark: the inside of the string.
    fn string(&mut self) -> Option<Text<'a>> {
        let start = self.at + 1;
        self.skip_string()?;
        Some(Text::Json(self.json.get(start..self.at - 1)?))
    }

    /// At a quotation mark: goes behind the closing one.
    fn skip_string(&mut self) -> Option<()> {
        let bytes = self.json.as_bytes();
        self.at += 1;
        loop {
            let quote = self.at + memchr::memchr(b'"', bytes.get(self.at..)?)?;
            let escapes = bytes[self.at..quote].iter().rev().take_while(|&&b| b == b'\\').count();
            self.at = quote + 1;
            if escapes % 2 == 0 {
                return Some(());
            }
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        let start = self.at;
        let rest = &self.json.as_bytes()[start..];
        let length = rest
            .iter()
            .position(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.'))
            .unwrap_or(rest.len());
        self.at += length;
        self.json.get(start..self.at)
    }

    /// At a bracket: goes behind its partner. Depth is a count, not a recursion.
    fn nested(&mut self) -> Option<&'a str> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.json.as_bytes().get(self.at)? {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return self.json.get(start..self.at);
            }
        }
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
    fn members_come_in_order_with_duplicates() {
        let json = r#" { "a" : "x\"y" , "b":[1,{"c":"]"}], "a":-1.5e3, "d":null } "#;
        let all: Vec<_> = members(json).map(|(k, v)| (plain(k), v)).collect();
        assert_eq!(
            all,
            [
                ("a".into(), Value::String(Text::Json("x\\\"y"))),
                ("b".into(), Value::Array(r#"[1,{"c":"]"}]"#)),
                ("a".into(), Value::Number("-1.5e3")),
                ("d".into(), Value::Literal("null")),
            ]
        );
    }

    #[test]
    fn escapes_are_resolved_and_surrogates_joined() {
        assert_eq!(plain(Text::Json(r"\u732a\u732a \ud83d\ude00\n\/")), "猪猪 😀\n/");
        assert_eq!(plain(Text::Json(r"\ud83dx\u12")), "\u{fffd}x\u{fffd}12");
        assert!(Text::Json(r"s\u0061y").is("say") && !Text::Json(r"s\u0061y").is("says"));
    }

    #[test]
    fn a_copy_is_cut_between_characters() {
        let mut out = Vec::new();
        assert!(Text::Json("猪猪").copy_into(&mut out, 5));
        assert_eq!(out, "猪".as_bytes());
    }

    #[test]
    fn what_is_no_json_ends_early() {
        assert_eq!(members("[1]").count(), 0);
        assert_eq!(members(r#"{"a":1,"b":"unterminated"#).count(), 1);
        assert_eq!(items("[1,2,,3]").count(), 2);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            members(&text).for_each(|(k, _)| {
                plain(k);
            });
            let _ = items(&text).count();
            let _ = plain(Text::Json(&text));
        }

        #[test]
        fn strings_come_out_as_serde_reads_them(text in any::<String>()) {
            let json = serde_json::to_string(&serde_json::json!({ "k": text })).unwrap();
            let Some((_, Value::String(value))) = members(&json).next() else { panic!("no member") };
            prop_assert_eq!(plain(value), text);
        }
    }
}
