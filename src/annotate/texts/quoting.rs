//! Captured words between quotation marks: what stands inside cannot end the quotation.
//!
//! Words that somebody said may well hold marks themselves: those get a backslash, as programmers write it. A name hardly ever does,
//! unless it wants to pass for more than a name: in a name no quotation mark of any kind is shown as such, so that not even a
//! hurried eye sees the name end early.

use super::Escape;
use crate::base::HEX_DIGITS;

/// Appends the inside of a quoted name: every double quotation mark, of whatever language, as `\u{22}` and the like.
pub fn name(out: &mut Vec<u8>, name: &[u8], escape: Escape) {
    // Marks are this one or not ASCII.
    if name.is_ascii() && memchr::memchr(b'"', name).is_none() {
        return escape(out, name);
    }
    let mut begin = 0;
    for (at, mark) in marks(name) {
        escape(out, &name[begin..at]);
        out.extend_from_slice(b"\\u{");
        hex(out, mark.into());
        out.push(b'}');
        begin = at + mark.len_utf8();
    }
    escape(out, &name[begin..]);
}

/// Appends the inside of what is quoted between `marks`: each of these gets a backslash, and so does every backslash before it (or
/// before the end), so that it is plain which marks were sent.
pub(super) fn words(out: &mut Vec<u8>, text: &[u8], marks: [&[u8]; 2], escape: Escape) {
    let lead = |mark: &[u8]| mark.first().copied().unwrap_or_default();
    let mut begin = 0;
    for at in memchr::memchr2_iter(lead(marks[0]), lead(marks[1]), text) {
        if marks.iter().any(|mark| text[at..].starts_with(mark)) {
            escape(out, &text[begin..at]);
            again(out, &text[begin..at]);
            out.push(b'\\');
            begin = at;
        }
    }
    escape(out, &text[begin..]);
    again(out, &text[begin..]);
}

/// The backslashes at the end of `text` once more.
fn again(out: &mut Vec<u8>, text: &[u8]) {
    let count = text.iter().rev().take_while(|&&byte| byte == b'\\').count();
    out.resize(out.len() + count, b'\\');
}

/// The quotation marks in `text` and where they stand.
fn marks(text: &[u8]) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut at = 0;
    text.utf8_chunks().flat_map(move |chunk| {
        let start = at;
        at += chunk.valid().len() + chunk.invalid().len();
        let inside = chunk.valid().char_indices();
        inside
            .filter(|(_, ch)| is_mark(*ch))
            .map(move |(pos, ch)| (start + pos, ch))
    })
}

/// What quotes, or looks as if it did, in some language: Unicode's double quotation marks (Unicode Standard §6.2) and the corner
/// brackets of East Asia.
const fn is_mark(ch: char) -> bool {
    matches!(ch,
        '"' | '«' | '»' | '˝' | 'ˮ' | '“'..='‟' | '″' | '‶' | '❝' | '❞' | '⹂' | '〃' | '「'..='』' | '〝'..='〟'
        | '﹁'..='﹄' | '＂' | '｢' | '｣' | '🙶'..='🙸')
}

fn hex(out: &mut Vec<u8>, n: u32) {
    let digits = (u32::BITS - n.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = (n >> (4 * place)) & 15;
        out.push(HEX_DIGITS[digit as usize]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend_from_slice(bytes);
    }

    fn quoted(text: &str, marks: [&str; 2]) -> String {
        let mut out = Vec::new();
        words(&mut out, text.as_bytes(), marks.map(str::as_bytes), plain);
        String::from_utf8(out).unwrap()
    }

    fn named(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        name(&mut out, text, plain);
        out
    }

    #[test]
    fn a_backslash_before_a_mark_does_not_undo_its_own() {
        assert_eq!(quoted(r#"a\"b"#, ["\"", "\""]), r#"a\\\"b"#);
        assert_eq!(quoted(r"a\", ["\"", "\""]), r"a\\");
        assert_eq!(quoted(r"C:\x", ["\"", "\""]), r"C:\x");
        assert_eq!(quoted("a」「", ["「", "」"]), r"a\」\「");
        assert_eq!(quoted("a「", ["“", "”"]), "a「");
    }

    #[test]
    fn a_name_shows_no_marks_but_ours() {
        assert_eq!(named(br#"x" has left. "y"#), br"x\u{22} has left. \u{22}y");
        assert_eq!(named("x”と»と」".as_bytes()), r"x\u{201d}と\u{bb}と\u{300d}".as_bytes());
        assert_eq!(named(b"O'Brien \xff\""), b"O'Brien \xff\\u{22}");
        assert_eq!(named("猪猪".as_bytes()), "猪猪".as_bytes());
    }

    /// Reads what stands between the marks as a programmer would: where does it end?
    fn end(text: &str, close: char) -> Option<usize> {
        let mut escaped = false;
        text.char_indices().find_map(|(at, ch)| {
            let ends = ch == close && !escaped;
            escaped = ch == '\\' && !escaped;
            ends.then_some(at)
        })
    }

    proptest! {
        #[test]
        fn a_quotation_ends_where_it_ends(text in "([\\\\\"“”「」«»]|.){0,12}") {
            for marks in [["\"", "\""], ["“", "”"], ["「", "」"], ["«", "»"]] {
                let inside = quoted(&text, marks);
                let close = marks[1].chars().next().unwrap();
                prop_assert_eq!(end(&(inside.clone() + marks[1]), close), Some(inside.len()));
            }
            prop_assert!(!String::from_utf8(named(text.as_bytes())).unwrap().chars().any(is_mark));
        }
    }
}
