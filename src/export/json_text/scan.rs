//! The grammar of RFC 8259, as a loop: no recursion, so a stranger's nesting costs a bit a level and no stack.

use std::ops::Range;

/// How deep objects and arrays may be nested (RFC 8259 §9 lets a reader choose). An event of the JSON view adds up to three
/// levels, and readers stop at 256 and more.
pub const MAX_DEPTH: usize = 250;

/// The text is not JSON, or nested more than [`MAX_DEPTH`] deep. Where it stopped being that, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson(pub usize);

/// What a piece of JSON text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// The name of an object's member, with its quotation marks.
    Key,
    /// A string, with its quotation marks.
    String,
    /// A number.
    Number,
    /// `true`, `false` or `null`.
    Literal,
}

/// Reads the JSON text `text` (one value, blanks around it) and gives each token, in order, to `found`. When it turns out not
/// to be JSON, the tokens before that have been given already.
#[inline]
pub fn scan(text: &str, mut found: impl FnMut(Token, Range<usize>)) -> Result<(), NotJson> {
    let bytes = text.as_bytes();
    let mut nesting = Nesting::default();
    let mut pos = blanks(bytes, 0);
    'value: loop {
        let start = pos;
        match bytes.get(pos) {
            Some(b'"') => {
                pos = string(bytes, pos)?;
                found(Token::String, start..pos);
            }
            Some(&open @ (b'{' | b'[')) => {
                nesting.push(open == b'{').ok_or(NotJson(pos))?;
                found(Token::Open, pos..pos + 1);
                pos = blanks(bytes, pos + 1);
                match bytes.get(pos) {
                    // What closes an empty one is seen below.
                    Some(b'}') if open == b'{' => {}
                    Some(b']') if open == b'[' => {}
                    _ if open == b'{' => pos = key(bytes, pos, &mut found)?,
                    _ => {}
                }
                if !matches!((bytes.get(pos), open), (Some(b'}'), b'{') | (Some(b']'), b'[')) {
                    continue 'value;
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                pos = number(bytes, pos)?;
                found(Token::Number, start..pos);
            }
            Some(b't') => pos = literal(bytes, pos, b"true", &mut found)?,
            Some(b'f') => pos = literal(bytes, pos, b"false", &mut found)?,
            Some(b'n') => pos = literal(bytes, pos, b"null", &mut found)?,
            _ => return Err(NotJson(pos)),
        }
        // Behind a value: it may close any number of containers, until a comma asks for another value.
        loop {
            pos = blanks(bytes, pos);
            let Some(object) = nesting.top() else {
                return if pos == bytes.len() { Ok(()) } else { Err(NotJson(pos)) };
            };
            match bytes.get(pos) {
                Some(b',') => {
                    found(Token::Comma, pos..pos + 1);
                    pos = blanks(bytes, pos + 1);
                    if object {
                        pos = key(bytes, pos, &mut found)?;
                    }
                    continue 'value;
                }
                Some(b'}') if object => {}
                Some(b']') if !object => {}
                _ => return Err(NotJson(pos)),
            }
            nesting.pop();
            found(Token::Close, pos..pos + 1);
            pos += 1;
        }
    }
}

/// Which containers are open: a bit each, set for an object.
#[derive(Default)]
struct Nesting {
    depth: usize,
    objects: [u64; MAX_DEPTH.div_ceil(64)],
}

impl Nesting {
    #[inline]
    fn push(&mut self, object: bool) -> Option<()> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        let (word, bit) = (self.depth / 64, self.depth % 64);
        self.objects[word] = self.objects[word] & !(1 << bit) | u64::from(object) << bit;
        self.depth += 1;
        Some(())
    }

    #[inline]
    fn pop(&mut self) {
        self.depth -= 1;
    }

    /// Whether the innermost one is an object.
    #[inline]
    fn top(&self) -> Option<bool> {
        let top = self.depth.checked_sub(1)?;
        Some(self.objects[top / 64] >> (top % 64) & 1 == 1)
    }
}

/// Behind the blanks (RFC 8259 §2) at `pos`.
#[inline]
fn blanks(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(pos) {
        pos += 1;
    }
    pos
}

/// A member's name and the colon behind it; gives where its value begins.
#[inline]
fn key(bytes: &[u8], start: usize, found: &mut impl FnMut(Token, Range<usize>)) -> Result<usize, NotJson> {
    if bytes.get(start) != Some(&b'"') {
        return Err(NotJson(start));
    }
    let end = string(bytes, start)?;
    found(Token::Key, start..end);
    let colon = blanks(bytes, end);
    if bytes.get(colon) != Some(&b':') {
        return Err(NotJson(colon));
    }
    found(Token::Colon, colon..colon + 1);
    let value = blanks(bytes, colon + 1);
    // A member without a value must not look like an empty object.
    match bytes.get(value) {
        Some(b'}') => Err(NotJson(value)),
        _ => Ok(value),
    }
}

/// A string (RFC 8259 §7) from its quotation mark at `start`; gives where it ends.
#[inline]
fn string(bytes: &[u8], start: usize) -> Result<usize, NotJson> {
    let mut pos = start + 1;
    loop {
        pos = plain(bytes, pos);
        match bytes.get(pos) {
            Some(b'"') => return Ok(pos + 1),
            Some(b'\\') => match bytes.get(pos + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => pos += 2,
                Some(b'u') => {
                    let digits = bytes.get(pos + 2..pos + 6).ok_or(NotJson(pos))?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err(NotJson(pos));
                    }
                    pos += 6;
                }
                _ => return Err(NotJson(pos)),
            },
            _ => return Err(NotJson(pos)),
        }
    }
}

/// From `pos` to the next quotation mark, backslash, control character or the end, eight bytes at a time.
#[inline]
fn plain(bytes: &[u8], mut pos: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x80 * ONES;
    while let Some(word) = bytes.get(pos..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*word);
        // A byte's top bit is set here when the byte is zero, and perhaps in bytes above one that is; the lowest is right.
        let zero = |x: u64| x.wrapping_sub(ONES) & !x;
        let control = word.wrapping_sub(0x20 * ONES) & !word;
        let stops = (zero(word ^ (u64::from(b'"') * ONES)) | zero(word ^ (u64::from(b'\\') * ONES)) | control) & TOPS;
        if stops != 0 {
            return pos + stops.trailing_zeros() as usize / 8;
        }
        pos += 8;
    }
    while let Some(0x20..=0x21 | 0x23..=0x5b | 0x5d..) = bytes.get(pos) {
        pos += 1;
    }
    pos
}

/// A number (RFC 8259 §6); gives where it ends.
#[inline]
fn number(bytes: &[u8], start: usize) -> Result<usize, NotJson> {
    let mut pos = start + usize::from(bytes.get(start) == Some(&b'-'));
    pos = match bytes.get(pos) {
        Some(b'0') => pos + 1,
        _ => digits(bytes, pos)?,
    };
    if bytes.get(pos) == Some(&b'.') {
        pos = digits(bytes, pos + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(pos) {
        let sign = matches!(bytes.get(pos + 1), Some(b'+' | b'-'));
        pos = digits(bytes, pos + 1 + usize::from(sign))?;
    }
    Ok(pos)
}

/// At least one digit; gives where they end.
#[inline]
fn digits(bytes: &[u8], start: usize) -> Result<usize, NotJson> {
    let mut pos = start;
    while let Some(b'0'..=b'9') = bytes.get(pos) {
        pos += 1;
    }
    if pos == start { Err(NotJson(pos)) } else { Ok(pos) }
}

#[inline]
fn literal(
    bytes: &[u8],
    start: usize,
    word: &[u8],
    found: &mut impl FnMut(Token, Range<usize>),
) -> Result<usize, NotJson> {
    let end = start + word.len();
    if bytes.get(start..end) != Some(word) {
        return Err(NotJson(start));
    }
    found(Token::Literal, start..end);
    Ok(end)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// JSON and nearly JSON: short words of its alphabet, so that many samples are valid and many miss by little.
    pub(crate) fn nearly_json() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            8 => proptest::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\":", "0", "1.5e3", "-0", "true", "false", "null", " ", "\n",
            ]),
            1 => proptest::sample::select(vec![
                "\"", "\\", "\"\\u732a\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\u{202e}\"", "\"\u{7f}x\"", "01", "1.", ".5",
                "-", "1e", "tru", "\u{feff}", "\t", "\u{1}", "\"\u{1}\"", "猪", "/", "'", "\"\\x\"", "\"\\u12\"", "1E+2",
            ]),
        ];
        proptest::collection::vec(word, 0..24).prop_map(|words| words.concat())
    }

    /// Any JSON value, as text with blanks here and there.
    pub(crate) fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("-0.5e-7".to_owned()),
            any::<i64>().prop_map(|n| n.to_string()),
            "(?s).{0,20}".prop_map(|s| serde_json::Value::from(s).to_string()),
            Just("\"\\u732a \\ud83d\\ude00 \\u202e \\/ \u{202e}\u{85}\u{7f}\"".to_owned()),
        ];
        leaf.prop_recursive(6, 64, 6, |inner| {
            let blank = proptest::sample::select(vec!["", "", " ", "\n\t", "\r\n  "]);
            let list = proptest::collection::vec((inner, blank), 0..6);
            prop_oneof![
                list.clone().prop_map(|l| {
                    let items: Vec<_> = l.iter().map(|(v, b)| format!("{b}{v}{b}")).collect();
                    format!("[{}]", items.join(","))
                }),
                list.prop_map(|l| {
                    let items: Vec<_> = l.iter().map(|(v, b)| format!("{b}\"k{b}\"{b}:{v}")).collect();
                    // The same name again and again; a blank in it that JSON does not allow is spelt out.
                    let items = items
                        .join(",")
                        .replace("\"k\n\t\"", "\"k\\n\\t\"")
                        .replace("\"k\r\n  \"", "\"k\"");
                    format!("{{{items}}}")
                }),
            ]
        })
    }

    fn is_json(text: &str) -> bool {
        scan(text, |_, _| {}).is_ok()
    }

    #[test]
    fn values_of_every_kind_are_json() {
        for text in [
            "0",
            "-1",
            "1.25",
            "1e999",
            "-0E-2",
            "\"\"",
            "\"a\\\"b\\\\\"",
            "true",
            "false",
            "null",
            "[]",
            "{}",
            " [ ] ",
            "{ }",
            "[1,[2,[3]],{}]",
            "{\"a\":{\"b\":[{}]},\"a\":2}",
            "\"\\ud800\"",
            "\"\u{7f}\u{2028}\"",
            "\t\r\n 1 \n",
        ] {
            assert!(is_json(text), "{text:?}");
        }
    }

    #[test]
    fn nearly_json_is_not_json() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "}",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{1:2}",
            "[1}",
            "{\"a\":1]",
            "01",
            "1.",
            ".1",
            "+1",
            "1e",
            "--1",
            "-",
            "tru",
            "nulL",
            "truex",
            "1 2",
            "[]]",
            "\"",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "\"\u{1f}\"",
            "'a'",
            "\u{feff}{}",
            "{\"a\":1 \"b\":2}",
            "\u{a0}1",
            "[1\u{b}]",
            "//",
            "NaN",
            "[1]x",
            "{\"a\":[}",
        ] {
            assert!(!is_json(text), "{text:?}");
        }
    }

    #[test]
    fn hostile_nesting_costs_neither_stack_nor_time() {
        for open in ["[", "{\"a\":", "[{\"\":"] {
            assert!(!is_json(&open.repeat(1_000_000)));
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_json(&nested(MAX_DEPTH)));
        assert_eq!(scan(&nested(MAX_DEPTH + 1), |_, _| {}), Err(NotJson(MAX_DEPTH)));
    }

    #[test]
    fn a_control_character_in_any_place_of_a_string_is_found() {
        for len in 1..40 {
            for at in 0..len {
                for bad in [b'\0', b'\n', 0x1f] {
                    let mut inside = vec![b'a'; len];
                    inside[at] = bad;
                    let text = format!("\"{}\"", String::from_utf8(inside).unwrap());
                    assert_eq!(scan(&text, |_, _| {}), Err(NotJson(at + 1)));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        // `RawValue` checks the grammar and no more: neither number ranges nor surrogates.
        #[test]
        fn json_is_what_serde_json_takes_for_json(text in prop_oneof![nearly_json(), json()]) {
            prop_assert_eq!(is_json(&text), serde_json::from_str::<&RawValue>(&text).is_ok());
        }

        #[test]
        fn tokens_and_blanks_are_the_whole_text(text in json()) {
            let mut end = 0;
            scan(&text, |_, range| {
                assert!(text[end..range.start].bytes().all(|b| b" \t\r\n".contains(&b)));
                assert!(!range.is_empty());
                end = range.end;
            }).unwrap();
            prop_assert!(text[end..].trim().is_empty());
        }
    }
}
