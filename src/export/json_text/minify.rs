//! JSON text without blanks between its tokens.

use super::scan::{NotJson, Token, scan};
use crate::export::escape::json_escape;
use crate::export::hidden::{is_hidden, is_hidden_at};

/// Appends the JSON text `text` with the blanks between its tokens left out; order, numbers and repeated names stay as they
/// were sent, escapes in strings too. Characters in strings that must not be shown raw become escapes, which mean the same.
///
/// When it is not JSON, nothing is appended.
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
    let begin = out.len();
    // Where what was not copied yet begins and ends: it is copied when a blank follows.
    let (mut from, mut to) = (0, 0);
    let result = scan(text, |_, range| {
        if range.start != to {
            out.extend_from_slice(&bytes[from..to]);
            from = range.start;
        }
        to = range.end;
    });
    match result {
        Ok(()) => out.extend_from_slice(&bytes[from..to]),
        Err(_) => out.truncate(begin),
    }
    result
}

fn minify_hidden(out: &mut Vec<u8>, text: &str) -> Result<(), NotJson> {
    let begin = out.len();
    let result = scan(text, |token, range| match token {
        Token::Key | Token::String => string(out, text, range.start, range.end),
        _ => out.extend_from_slice(&text.as_bytes()[range]),
    });
    if result.is_err() {
        out.truncate(begin);
    }
    result
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
    fn lone_surrogates_stay_as_sent() {
        assert_eq!(minified("[ \"\\uD800\" ]").as_deref(), Some("[\"\\uD800\"]"));
    }

    proptest! {
        #[test]
        fn the_minified_text_means_the_same(text in prop_oneof![nearly_json(), json()]) {
            let value = serde_json::from_str::<Value>(&text).ok();
            let small = minified(&text);
            if let Some(value) = value {
                let small = small.unwrap();
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
