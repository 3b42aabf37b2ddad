//! Captured words between quotation marks: what stands inside cannot end the quotation.
//!
//! Words that somebody said may well hold marks themselves: those get a backslash, as programmers write it. A name hardly ever does,
//! unless it wants to pass for more than a name: in a name no quotation mark of any kind is shown as such, so that not even a
//! hurried eye sees the name end early; nor is a blank that is not the ordinary one, or a character that fonts show as they like:
//! two names would look the same.
//!
//! Words keep their blanks (people write U+00A0 and U+3000), but no combining mark changes the quotation mark before them.

use unicode_width::UnicodeWidthChar as _;

use super::Escape;
use crate::base::HEX_DIGITS;

/// Combining marks on one character of a name; more of them reach into other lines.
const MARKS_ON_ONE: usize = 4;

/// Appends the inside of a quoted name: what could disguise it (every double quotation mark, of whatever language, and the like)
/// as `\u{22}`.
pub fn name(out: &mut Vec<u8>, name: &[u8], escape: Escape) {
    // What disguises is this mark or not ASCII.
    if name.is_ascii() && memchr::memchr(b'"', name).is_none() {
        return escape(out, name);
    }
    let mut begin = 0;
    for (at, ch) in disguises(name) {
        escape(out, &name[begin..at]);
        escaped(out, ch);
        begin = at + ch.len_utf8();
    }
    escape(out, &name[begin..]);
}

/// Appends the inside of what is quoted between `marks`: each of these gets a backslash, and so does every backslash before it (or
/// before the end), so that it is plain which marks were sent.
pub(super) fn words(out: &mut Vec<u8>, text: &[u8], marks: [&[u8]; 2], escape: Escape) {
    let lead = |mark: &[u8]| mark.first().copied().unwrap_or_default();
    let mut begin = 0;
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    for ch in valid.chars().take_while(|ch| combines(*ch)) {
        escaped(out, ch);
        begin += ch.len_utf8();
    }
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

/// The characters of a name that are not shown as they are, and where they stand.
fn disguises(name: &[u8]) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut at = 0;
    name.utf8_chunks().flat_map(move |chunk| {
        let start = at;
        at += chunk.valid().len() + chunk.invalid().len();
        // How many marks may combine with what is shown before them.
        let mut marks = 0_usize;
        let inside = chunk.valid().char_indices();
        inside
            .filter(move |(_, ch)| {
                let (disguise, left) = if combines(*ch) {
                    (marks == 0, marks.saturating_sub(1))
                } else {
                    (is_mark(*ch) || is_odd_blank(*ch) || is_private(*ch), MARKS_ON_ONE)
                };
                marks = if disguise || ch.is_control() { 0 } else { left };
                disguise
            })
            .map(move |(pos, ch)| (start + pos, ch))
    })
}

/// Whether `ch` has no width of its own: it changes how the character before it looks.
fn combines(ch: char) -> bool {
    ch.width() == Some(0)
}

/// Whether `ch` shows as a blank, and is neither the ordinary one nor a control.
const fn is_odd_blank(ch: char) -> bool {
    // The pattern of Braille without dots is a symbol to Unicode.
    ch > ' ' && ch.is_whitespace() || ch == '\u{2800}'
}

/// Whether `ch` is for private use (Unicode Standard §23.5): each font shows it as it likes, most show nothing.
const fn is_private(ch: char) -> bool {
    matches!(ch, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}')
}

/// What quotes, or looks as if it did, in some language: Unicode's double quotation marks (Unicode Standard §6.2) and the corner
/// brackets of East Asia.
const fn is_mark(ch: char) -> bool {
    matches!(ch,
        '"' | '«' | '»' | '˝' | 'ˮ' | '“'..='‟' | '″' | '‶' | '❝' | '❞' | '⹂' | '〃' | '「'..='』' | '〝'..='〟'
        | '﹁'..='﹄' | '＂' | '｢' | '｣' | '🙶'..='🙸')
}

/// `\u{22}`: the form in which hidden characters are shown, too.
fn escaped(out: &mut Vec<u8>, ch: char) {
    let n = u32::from(ch);
    out.extend_from_slice(b"\\u{");
    let digits = (u32::BITS - n.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = (n >> (4 * place)) & 15;
        out.push(HEX_DIGITS[digit as usize]);
    }
    out.push(b'}');
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

    #[test]
    fn a_name_shows_its_blanks_and_private_characters_as_what_they_are() {
        for (sent, shown) in [
            ("bob\u{a0}", r"bob\u{a0}"),
            ("b\u{2800}ob", r"b\u{2800}ob"),
            ("bo\u{3000}b", r"bo\u{3000}b"),
            ("b\u{e000}ob\u{f0000}", r"b\u{e000}ob\u{f0000}"),
        ] {
            assert_eq!(named(sent.as_bytes()), shown.as_bytes());
        }
        for name in [
            "my nick",
            "猪 猪",
            "می\u{64e}خ",
            "❤\u{fe0f}",
            "👩\u{200d}👧",
            "a\u{308}o",
            "1\u{fe0f}\u{20e3}",
        ] {
            assert_eq!(named(name.as_bytes()), name.as_bytes());
        }
    }

    #[test]
    fn combining_marks_stay_on_the_character_that_they_were_sent_for() {
        assert_eq!(named("\u{301}\u{301}bob".as_bytes()), br"\u{301}\u{301}bob");
        assert_eq!(
            named("\"\u{301}\u{a0}\u{301}".as_bytes()),
            br"\u{22}\u{301}\u{a0}\u{301}"
        );
        assert_eq!(named(b"\xff\xcc\x81"), b"\xff\\u{301}");
        let heap = format!("a{}", "\u{301}".repeat(6));
        assert_eq!(
            named(heap.as_bytes()),
            "a\u{301}\u{301}\u{301}\u{301}\\u{301}\\u{301}".as_bytes()
        );
        assert_eq!(
            quoted("\u{301}\u{302}a\u{301}\u{a0}", ["\"", "\""]),
            "\\u{301}\\u{302}a\u{301}\u{a0}"
        );
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
