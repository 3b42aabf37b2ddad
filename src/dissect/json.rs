//! A lazy look into JSON (RFC 8259): the members of one object or the items of one array, borrowed from the message.
//!
//! Nothing is allocated and nothing is built: a dissector asks for the few members that it knows and skips the rest. What is not
//! JSON ends the iteration early; nothing here judges.

pub use crate::base::Text;

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

    /// At a quotation mark: the inside of the string. Goes behind the closing one.
    fn string(&mut self) -> Option<Text<'a>> {
        let bytes = self.json.as_bytes();
        let start = self.at + 1;
        let (mut end, mut escapes) = (start, false);
        loop {
            end += mark(bytes.get(end..)?)?;
            if bytes[end] == b'"' {
                break;
            }
            escapes = true;
            end += 2;
        }
        self.at = end + 1;
        let raw = self.json.get(start..end)?;
        Some(if escapes { Text::Json(raw) } else { Text::Plain(raw) })
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
                    self.string()?;
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

/// The first quotation mark or backslash. Most strings are so short that looking at a few words of eight bytes is cheaper than a call.
#[inline]
fn mark(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = u64::MAX / 0xff;
    const WORDS: usize = 4;
    // Of the bytes that are `byte` the lowest is marked in its top bit.
    let marked = |word: u64, byte: u8| {
        let other = word ^ (EACH * u64::from(byte));
        other.wrapping_sub(EACH) & !other & (EACH << 7)
    };
    for (n, word) in bytes.chunks_exact(8).take(WORDS).enumerate() {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
        let marks = marked(word, b'"') | marked(word, b'\\');
        if marks != 0 {
            return Some(n * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let seen = (bytes.len() / 8).min(WORDS) * 8;
    Some(seen + memchr::memchr2(b'"', b'\\', &bytes[seen..])?)
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
    fn what_is_no_json_ends_early() {
        assert_eq!(members("[1]").count(), 0);
        assert_eq!(members(r#"{"a":1,"b":"unterminated"#).count(), 1);
        assert_eq!(items("[1,2,,3]").count(), 2);
    }

    proptest! {
        #[test]
        fn the_first_mark_is_found(bytes in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), any::<u8>()], 0..50)) {
            prop_assert_eq!(mark(&bytes), bytes.iter().position(|&b| matches!(b, b'"' | b'\\')));
        }

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
