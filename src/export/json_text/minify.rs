//! JSON text without blanks between its tokens.

use std::ops::Range;

use super::scan::{NotJson, Token, scan};
use crate::export::escape::json_escape;
use crate::export::hidden::{is_hidden, is_hidden_at};

/// Digits of an integer that Python's `json` still reads.
const DIGITS: usize = 4300;

/// Appends the JSON text `text` with the blanks between its tokens left out; order, numbers and repeated names stay as they
/// were sent, escapes in strings too. Characters in strings that must not be shown raw become escapes, which mean the same.
///
/// When it is not JSON, or JSON that common readers refuse (half a surrogate pair, an integer of more than 4,300 digits),
/// nothing is appended.
pub fn minify(out: &mut Vec<u8>, text: &str) -> Result<(), NotJson> {
    if text.chars().any(is_hidden) {
        minify_hidden(out, text)
    } else {
        minify_clean(out, text)
    }
}

/// Like [`minify`], for a `text` that is known to hold no hidden character but blanks.
#[inline]
pub fn minify_clean(out: &mut Vec<u8>, text: &str) -> Result<(), NotJson> {
    let bytes = text.as_bytes();
    // Where what was not copied yet begins and ends: it is copied when a blank follows.
    let (mut from, mut to) = (0, 0);
    write(out, text, |out, _, range| {
        if range.start != to {
            out.extend_from_slice(&bytes[from..to]);
            from = range.start;
        }
        to = range.end;
    })?;
    out.extend_from_slice(&bytes[from..to]);
    Ok(())
}

fn minify_hidden(out: &mut Vec<u8>, text: &str) -> Result<(), NotJson> {
    write(out, text, |out, token, range| match token {
        Token::Key | Token::String => string(out, text, range.start, range.end),
        _ => out.extend_from_slice(&text.as_bytes()[range]),
    })
}

/// Gives the tokens of `text` to `put`. When `text` is refused, `out` is as before.
#[inline]
fn write(out: &mut Vec<u8>, text: &str, mut put: impl FnMut(&mut Vec<u8>, Token, Range<usize>)) -> Result<(), NotJson> {
    let begin = out.len();
    let mut refused = None;
    scan(text, |token, range| {
        if token == Token::Number && too_long(&text.as_bytes()[range.clone()]) {
            refused = Some(range.start);
        }
        put(out, token, range);
    })
    .and_then(|()| match refused.or_else(|| half_a_pair(text.as_bytes())) {
        Some(at) => Err(NotJson(at)),
        None => Ok(()),
    })
    .inspect_err(|_| out.truncate(begin))
}

/// Whether `number` is an integer that readers with a limit refuse.
#[inline]
fn too_long(number: &[u8]) -> bool {
    number.len() > DIGITS
        && number.strip_prefix(b"-").unwrap_or(number).len() > DIGITS
        && number.iter().all(|byte| !matches!(byte, b'.' | b'e' | b'E'))
}

/// Where JSON text holds an escape of a surrogate (RFC 8259 §8.2) without the other half of its pair.
fn half_a_pair(json: &[u8]) -> Option<usize> {
    let unit = |at: usize| {
        let digits = json.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut from = 0;
    // Backslashes stand in strings alone, and each begins an escape.
    while let Some(at) = memchr::memchr(b'\\', &json[from..]).map(|at| from + at) {
        from = match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at + 12,
            Some(0xd800..=0xdfff) => return Some(at),
            _ => at + 2,
        };
    }
    None
}

/// Copies the string `text[from..to]` and escapes what is hidden in it.
pub(super) fn string(out: &mut Vec<u8>, text: &str, from: usize, to: usize) {
    let mut done = from;
    for (at, ch) in text[from..to].char_indices() {
        let at = from + at;
        if is_hidden_at(text, at, ch) {
            out.extend_from_slice(&text.as_bytes()[done..at]);
            out.extend_from_slice(json_escape(&mut [0; 12], ch));
            done = at + ch.len_utf8();
        }
    }
    out.extend_from_slice(&text.as_bytes()[done..to]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::export::json_text::scan::tests::{json, nearly_json};

    fn minified(text: &str) -> Option<String> {
        let mut out = b"before".to_vec();
        let result = minify(&mut out, text);
        let out = String::from_utf8(out).unwrap();
        let after = out.strip_prefix("before").unwrap().to_owned();
        assert!(result.is_ok() || after.is_empty());
        result.ok().map(|()| after)
    }

    #[test]
    fn only_blanks_between_tokens_go() {
        let text = " {\r\n \"b\" : [ 1.0 , 1e+2,\"x  y\\u0041\" ] ,\t\"b\":null, \"a\" : { } } ";
        let compact = "{\"b\":[1.0,1e+2,\"x  y\\u0041\"],\"b\":null,\"a\":{}}";
        assert_eq!(minified(text).as_deref(), Some(compact));
        assert_eq!(minified(compact).as_deref(), Some(compact));
    }

    #[test]
    fn hidden_characters_in_a_json_string_come_out_as_escapes() {
        assert_eq!(
            minified("[\"a\u{202e}b\u{7f}c\u{9b}d\u{e0041}\", 1]").as_deref(),
            Some("[\"a\\u202eb\\u007fc\\u009bd\\udb40\\udc41\",1]")
        );
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        for text in [
            r#"["\ud800"]"#,
            r#"["\uDC00"]"#,
            r#"["\ud800\ud800"]"#,
            r#"["\ud83dx\ude00"]"#,
            r#"{"\ud800":1}"#,
            "[\"\\udbff\u{7f}\"]",
        ] {
            assert_eq!(minified(text), None, "{text}");
        }
        for text in [r#"["\ud83d\ude00"]"#, r#"["\\ud800"]"#, r#"["\ud7ff\ue000"]"#] {
            assert_eq!(minified(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn an_integer_with_more_digits_than_readers_take_is_refused() {
        let digits = |count: usize| "7".repeat(count);
        for sign in ["", "-"] {
            assert!(minified(&format!("[{sign}{}]", digits(DIGITS))).is_some());
            assert!(minified(&format!("[{sign}{}]", digits(DIGITS + 1))).is_none());
            assert!(minified(&format!("[\"\u{7f}\",{sign}{}]", digits(DIGITS + 1))).is_none());
            // What has a fraction or an exponent is read as a float.
            assert!(minified(&format!("[{sign}{}.0]", digits(DIGITS + 1))).is_some());
        }
    }

    proptest! {
        #[test]
        fn the_minified_text_means_the_same(text in prop_oneof![nearly_json(), json()]) {
            let value = serde_json::from_str::<Value>(&text).ok();
            let small = minified(&text);
            if let (Some(value), Some(small)) = (value, small) {
                prop_assert_eq!(&serde_json::from_str::<Value>(&small).unwrap(), &value);
                prop_assert!(small.char_indices().all(|(at, ch)| !is_hidden_at(&small, at, ch)));
                // With names that are sent once, it is what `serde_json` writes, but for escapes and the spelling of numbers.
                if !small.contains(['\\', '.', 'e', 'E', '{']) && !small.contains("-0") {
                    prop_assert_eq!(small, value.to_string());
                }
            }
        }
    }
}
