//! What is a secret in a text: values by their name, and what a regular expression finds. They are replaced by as many bytes.
//!
//! Texts are read as they are meant: JSON with its escapes resolved, also JSON inside a string of JSON, documents behind a prefix
//! (`42["say",…]`), one a line or one a record. What is no JSON is searched for `name=value` and `name: value`.

use std::ops::Range;

use regex::Regex;

use crate::base::Text;
use crate::export::json_text::{Token, scan};

/// What stands for a byte that is not to be seen.
pub(super) const FILL: u8 = b'x';

/// So deep is JSON inside of strings of JSON looked for.
const DEPTH: usize = 4;

/// What may stand before a document of JSON: `42`, `a`, `42/admin,17`.
const PREFIX: usize = 64;

/// What is to be replaced.
#[derive(Debug)]
pub(super) struct Words {
    /// As [`plain`] writes them.
    names: Vec<String>,
    /// `name=` or `name:` in a text that is no JSON.
    named: Regex,
    values: Vec<Regex>,
}

/// A piece of a document that may be replaced.
#[derive(Debug, Clone)]
enum Piece {
    /// The inside of a string.
    String(Range<usize>),
    Number(Range<usize>),
}

impl Words {
    pub(super) fn new(names: &[String], values: &[Regex]) -> Self {
        let names: Vec<String> = names
            .iter()
            .map(|name| plain(name))
            .filter(|name| !name.is_empty())
            .collect();
        // Between the letters of a name there may be what does not count.
        let any: Vec<String> = names
            .iter()
            .map(|name| {
                let letters: Vec<String> = name.chars().map(|letter| regex::escape(&letter.to_string())).collect();
                letters.join("[-_.]?")
            })
            .collect();
        let named = match any.as_slice() {
            [] => "[^\\s\\S]".to_owned(),
            any => format!("(?i)(?:^|[^\\pL\\pN])(?:{})(\\\\?[\"']?)\\s*([:=])\\s*", any.join("|")),
        };
        Self {
            names,
            // Of escaped names and our own words: it is no larger than what was typed a few times over.
            named: Regex::new(&named).unwrap_or_else(|_| values_of_any_name()),
            values: values.to_vec(),
        }
    }

    /// Whether a value of this name is a secret.
    pub(super) fn is_name(&self, name: Text<'_>) -> bool {
        let name: String = name.chars().take(200).collect();
        let name = plain(&name);
        self.names.contains(&name)
    }

    /// Replaces what is secret in `text`, a byte by a byte.
    pub(super) fn scrub(&self, text: &str) -> Vec<u8> {
        let mut hidden = Vec::new();
        self.find(text, 0, &mut |range| hidden.push(range));
        let mut out = text.as_bytes().to_vec();
        if !hidden.is_empty() {
            replace(text, &hidden, &mut out);
        }
        out
    }

    /// Gives every range of `text` that is secret.
    fn find(&self, text: &str, depth: usize, hide: &mut dyn FnMut(Range<usize>)) {
        for value in &self.values {
            value.find_iter(text).for_each(|found| hide(found.range()));
        }
        let mut at = 0;
        for document in documents(text) {
            self.find_plain(text, at..document.start, depth, hide);
            self.find_json(text, document.clone(), depth, hide);
            at = document.end;
        }
        self.find_plain(text, at..text.len(), depth, hide);
    }

    fn find_json(&self, text: &str, document: Range<usize>, depth: usize, hide: &mut dyn FnMut(Range<usize>)) {
        // The member whose value comes is a secret; or how deep in the value of one we are.
        let mut secret = false;
        let mut inside = 0_usize;
        let _ = scan(&text[document.clone()], |token, range| {
            let range = document.start + range.start..document.start + range.end;
            let inner = || range.start + 1..range.end - 1;
            match token {
                Token::Open if secret || inside > 0 => {
                    inside += 1;
                    secret = false;
                }
                Token::Close => inside = inside.saturating_sub(1),
                Token::Key => {
                    secret = self.is_name(Text::Json(&text[inner()]));
                    self.find_inside(text, inner(), depth, hide);
                }
                Token::String if secret || inside > 0 => hide(inner()),
                Token::Number if secret || inside > 0 => hide(range.clone()),
                Token::String => self.find_inside(text, inner(), depth, hide),
                _ => {}
            }
            if !matches!(token, Token::Key | Token::Colon) {
                secret = false;
            }
        });
    }

    /// Looks into a string of JSON.
    fn find_inside(&self, text: &str, inner: Range<usize>, depth: usize, hide: &mut dyn FnMut(Range<usize>)) {
        let raw = &text[inner.clone()];
        if depth >= DEPTH {
            return;
        }
        if !raw.contains('\\') {
            return self.find(raw, depth + 1, &mut |range| {
                hide(inner.start + range.start..inner.start + range.end)
            });
        }
        let (resolved, places) = resolve(raw);
        self.find(&resolved, depth + 1, &mut |range| {
            hide(inner.start + places[range.start]..inner.start + places[range.end]);
        });
    }

    /// `name=value` and `name: value`.
    fn find_plain(&self, text: &str, part: Range<usize>, depth: usize, hide: &mut dyn FnMut(Range<usize>)) {
        let plain = &text[part.clone()];
        // Each search begins where the last value ended: what is in a value is hidden already.
        let mut at = 0;
        while let Some(found) = self.named.captures_at(plain, at) {
            let (Some(all), Some(quote), Some(sign)) = (found.get(0), found.get(1), found.get(2)) else {
                break;
            };
            let value = &plain[all.end()..];
            let (from, length) = match value.chars().next() {
                Some(mark @ ('"' | '\'')) => (1, closing(&value[1..], mark)),
                _ if sign.as_str() == "=" => (0, until(value, |c| c.is_whitespace() || "&;,\"'<>\\".contains(c))),
                _ if !quote.is_empty() => (0, until(value, |c| c.is_whitespace() || ",}]".contains(c))),
                _ => (0, until(value, |c| "\r\n\"\\".contains(c))),
            };
            let begin = all.end() + from;
            hide(part.start + begin..part.start + begin + length);
            at = begin + length;
        }
        // Escapes stand in what only looks like JSON, too.
        if depth < DEPTH && plain.contains('\\') {
            self.find_inside(text, part, depth, hide);
        }
    }
}

/// Where any value with a name would be: what is left when there are too many names.
fn values_of_any_name() -> Regex {
    #[allow(clippy::unwrap_used)]
    Regex::new("()([:=])\\s*").unwrap()
}

/// A name without what does not count in it.
fn plain(name: &str) -> String {
    let counts = |c: &char| c.is_alphanumeric();
    name.chars().filter(counts).flat_map(char::to_lowercase).collect()
}

fn until(text: &str, ends: impl Fn(char) -> bool) -> usize {
    text.find(ends).unwrap_or(text.len())
}

/// Where the string ends that `mark` closes, if it does.
fn closing(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return at,
            _ => {}
        }
    }
    text.len()
}

/// The documents of JSON in a text: it may be one, or hold one a line or record, each perhaps behind a prefix.
fn documents(text: &str) -> Vec<Range<usize>> {
    if let Some(one) = document(text, 0..text.len()) {
        return vec![one];
    }
    let mut found = Vec::new();
    let mut at = 0;
    for record in text.split_inclusive(['\n', '\u{1e}', '\0']) {
        let content = record.trim_end_matches(['\n', '\u{1e}', '\0']);
        found.extend(document(text, at..at + content.len()));
        at += record.len();
    }
    found
}

fn document(text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let begin = text[part.clone()].find(['{', '[']).filter(|begin| *begin <= PREFIX)?;
    let document = part.start + begin..part.end;
    scan(&text[document.clone()], |_, _| ()).ok()?;
    Some(document)
}

/// The characters that a string of JSON stands for, and for each byte of them (and the end) where it comes from.
fn resolve(raw: &str) -> (String, Vec<usize>) {
    let mut resolved = String::with_capacity(raw.len());
    let mut places = Vec::with_capacity(raw.len() + 1);
    let mut at = 0;
    while at < raw.len() {
        let length = unit(&raw[at..]);
        let unit = &raw[at..at + length];
        let before = resolved.len();
        resolved.extend(Text::Json(unit).chars());
        places.resize(resolved.len(), at);
        if resolved.len() == before {
            // Nothing that can be resolved: it stands for itself.
            resolved.push_str(unit);
            places.extend(at..at + length);
        }
        at += length;
    }
    places.push(raw.len());
    (resolved, places)
}

/// How long the character is with which `raw` begins: an escape, two that are one character, or one as it is.
fn unit(raw: &str) -> usize {
    let bytes = raw.as_bytes();
    let code = |at: usize| -> Option<u16> {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match bytes {
        [b'\\', b'u', ..] => match (code(0), code(6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(_), _) => 6,
            (None, _) => 1,
        },
        [b'\\', next, ..] if next.is_ascii() => 2,
        _ => raw.chars().next().map_or(0, char::len_utf8),
    }
}

/// Replaces `hidden` in `out`, a copy of `text`, so that documents of JSON stay that.
fn replace(text: &str, hidden: &[Range<usize>], out: &mut [u8]) {
    let mut hide = vec![false; text.len()];
    for range in hidden {
        hide[range.clone()].fill(true);
    }
    let mut at = 0;
    for document in documents(text) {
        fill(&mut out[at..document.start], &hide[at..document.start]);
        let mut pieces = Vec::new();
        let _ = scan(&text[document.clone()], |token, range| {
            let range = document.start + range.start..document.start + range.end;
            match token {
                Token::Key | Token::String => pieces.push(Piece::String(range.start + 1..range.end - 1)),
                Token::Number => pieces.push(Piece::Number(range)),
                _ => {}
            }
        });
        for piece in pieces {
            match piece {
                Piece::String(range) if hide[range.clone()].contains(&true) => {
                    // An escape is replaced whole.
                    let mut at = range.start;
                    while at < range.end {
                        let length = unit(&text[at..range.end]);
                        if hide[at..at + length].contains(&true) {
                            out[at..at + length].fill(FILL);
                        }
                        at += length;
                    }
                }
                Piece::Number(range) => {
                    for at in range.filter(|at| hide[*at] && text.as_bytes()[*at].is_ascii_digit()) {
                        out[at] = b'1';
                    }
                }
                Piece::String(_) => {}
            }
        }
        at = document.end;
    }
    fill(&mut out[at..], &hide[at..]);
}

/// Lines stay lines.
fn fill(out: &mut [u8], hide: &[bool]) {
    for (byte, hide) in out.iter_mut().zip(hide) {
        if *hide && !matches!(byte, b'\r' | b'\n' | 0) {
            *byte = FILL;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scrub(text: &str) -> String {
        let names: Vec<String> = crate::export::credentials::NAMES
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let words = Words::new(&names, &[Regex::new("hunter[0-9]+").unwrap()]);
        String::from_utf8(words.scrub(text)).unwrap()
    }

    #[test]
    fn values_in_json_go_by_their_name() {
        for (text, rest) in [
            (
                r#"{"type":"login","password":"abc"}"#,
                r#"{"type":"login","password":"xxx"}"#,
            ),
            (
                r#"{"\u0070assword" : "a\"b\u732a"}"#,
                r#"{"\u0070assword" : "xxxxxxxxxx"}"#,
            ),
            (r#"{"apiKey":-120.5e3,"n":12}"#, r#"{"apiKey":-111.1e1,"n":12}"#),
            (
                r#"{"Access-Token":["a",{"b":"c","d":7}],"e":"f"}"#,
                r#"{"Access-Token":["x",{"b":"x","d":1}],"e":"f"}"#,
            ),
            (
                r#"{"session":null,"sid":true,"x":"y"}"#,
                r#"{"session":null,"sid":true,"x":"y"}"#,
            ),
            (r#"{"secret":{},"x":"y"}"#, r#"{"secret":{},"x":"y"}"#),
            (r#"{"x":"password"}"#, r#"{"x":"password"}"#),
            // Socket.IO, SockJS with JSON in a string, SignalR, NDJSON.
            (r#"42["auth",{"token":"abc"}]"#, r#"42["auth",{"token":"xxx"}]"#),
            (r#"a["{\"token\":\"ab\\\"c\"}"]"#, r#"a["{\"token\":\"xxxxxxx\"}"]"#),
            (
                "{\"sid\":\"a\"}\u{1e}{\"x\":\"b\"}\u{1e}",
                "{\"sid\":\"x\"}\u{1e}{\"x\":\"b\"}\u{1e}",
            ),
            ("{\"sid\":\"a\"}\n{\"x\":\"b\"}\n", "{\"sid\":\"x\"}\n{\"x\":\"b\"}\n"),
        ] {
            assert_eq!(scrub(text), rest, "{text}");
        }
    }

    #[test]
    fn values_in_text_go_by_their_name() {
        for (text, rest) in [
            (
                "CONNECT\nlogin:me\npasscode:x\ntoken:abc def\n\n\0",
                "CONNECT\nlogin:me\npasscode:x\ntoken:xxxxxxx\n\n\0",
            ),
            (
                "ws://h/?room=1&access_token=abc&x=1",
                "ws://h/?room=1&access_token=xxx&x=1",
            ),
            ("Authorization: Bearer abc", "Authorization: xxxxxxxxxx"),
            (r#"{"content":"my password: abc"}"#, r#"{"content":"my password: xxx"}"#),
            // Not whole: no JSON.
            (r#"{"password":"abc","n":"#, r#"{"password":"xxx","n":"#),
            (r#"{"\u0070assword":"abc"#, r#"{"\u0070assword":"xxx"#),
            (r#"{"token":123,"n":4"#, r#"{"token":xxx,"n":4"#),
            ("inside: all", "inside: all"),
        ] {
            assert_eq!(scrub(text), rest, "{text}");
        }
    }

    #[test]
    fn what_a_regular_expression_finds_goes_wherever_it_stands() {
        for (text, rest) in [
            ("say hunter2 twice hunter22", "say xxxxxxx twice xxxxxxxx"),
            (
                r#"{"a":"\u0068unter2!","hunter3":1}"#,
                r#"{"a":"xxxxxxxxxxxx!","xxxxxxx":1}"#,
            ),
            (r#"["\"hunter\u0031\""]"#, r#"["\"xxxxxxxxxxxx\""]"#),
            (r#"["{\"a\":\"hunter2\"}"]"#, r#"["{\"a\":\"xxxxxxx\"}"]"#),
        ] {
            assert_eq!(scrub(text), rest, "{text}");
        }
        // One that goes over the bounds of strings takes what is inside of them.
        let words = Words::new(&[], &[Regex::new(r#""pin":\s*[0-9]+,"[a-z]+""#).unwrap()]);
        let text = r#"{"pin": 1234,"name":"x"}"#;
        assert_eq!(
            String::from_utf8(words.scrub(text)).unwrap(),
            r#"{"xxx": 1111,"xxxx":"x"}"#
        );
    }

    /// A name without end of its value, over and over.
    #[test]
    fn many_names_on_one_line_take_no_longer_than_few() {
        let text = "token:".repeat(200_000);
        let begun = std::time::Instant::now();
        let scrubbed = scrub(&text);
        assert!(begun.elapsed().as_secs() < 20);
        assert!(scrubbed.starts_with("token:xxxx") && scrubbed.ends_with("xxxx"));
    }

    proptest! {
        #[test]
        fn lengths_lines_and_json_stay(
            text in "(\\PC|[{}\\[\\]\":,=\\\\ \n\r]|\"(token|password)\"[:=]|hunter1|\\\\u0068|\\\\ud83d){0,40}",
            value in "[a-z0-9\u{732a}😀\"\\\\]{0,8}",
        ) {
            prop_assert_eq!(scrub(&text).len(), text.len());
            let json = serde_json::json!({"a": [value, {"token": value, "hunter1": 12.5}], "b": text}).to_string();
            let scrubbed = scrub(&json);
            prop_assert_eq!(scrubbed.len(), json.len());
            let read: serde_json::Value = serde_json::from_str(&scrubbed).unwrap();
            prop_assert!(read["a"][1]["token"].as_str().unwrap().bytes().all(|byte| byte == FILL));
        }
    }
}
