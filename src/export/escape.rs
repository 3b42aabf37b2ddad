//! Captured text, made harmless.
//!
//! What comes in is whatever somebody sent; what goes out can neither command a terminal, nor hide, nor end our comment block,
//! nor break a line of JSON. Which characters are meant is [`super::hidden`]'s idea. They are shown in one notation in text (`\n`,
//! `\r`, `\t`, else `\u{1b}`; a byte that is not UTF-8 as `\xff`) and in JSON's own (`\n`, `\u001b`; RFC 8259 §7) inside JSON.
//! Backslashes that were sent stay single in text: a payload is shown as it was, and what our escapes say is only for reading.

use super::hidden::is_hidden_at;
use super::lanes;
use crate::base::HEX_DIGITS;

/// Appends `bytes` as text of one line.
pub fn line(out: &mut Vec<u8>, bytes: &[u8]) {
    line_until(out, bytes, usize::MAX);
}

/// Like [`line()`]; when escapes make `out` longer than `end`, the rest is left off. Gives how many of `bytes` are shown.
fn line_until(out: &mut Vec<u8>, bytes: &[u8], end: usize) -> usize {
    // Names and short words: nothing to look for.
    if bytes.len() < 64 && bytes.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~')) {
        out.extend_from_slice(bytes);
        return bytes.len();
    }
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        return text_until(out, text, end);
    }
    let mut shown = 0;
    for chunk in bytes.utf8_chunks() {
        let valid = text_until(out, chunk.valid(), end);
        shown += valid;
        if valid < chunk.valid().len() || out.len() > end {
            break;
        }
        for &byte in chunk.invalid() {
            out.extend_from_slice(&[b'\\', b'x', hex(byte >> 4), hex(byte)]);
        }
        shown += chunk.invalid().len();
    }
    shown
}

/// Appends `bytes` as text of several lines: each begins with `indent` blanks and ends with a line feed. Line feeds (also
/// behind a carriage return) end a line; whatever else is hidden is escaped as in [`line()`]. What escapes and blanks make longer
/// than about twice `room` is left off, as is what is longer than `room` as it is. Gives how many of `bytes` are shown.
pub fn lines(out: &mut Vec<u8>, bytes: &[u8], indent: usize, room: usize) -> usize {
    let bytes = prefix(bytes, room);
    let out_end = out.len().saturating_add(room.saturating_mul(2));
    let mut rest = bytes;
    while !rest.is_empty() && out.len() <= out_end {
        let end = memchr::memchr(b'\n', rest);
        let text = &rest[..end.unwrap_or(rest.len())];
        let text = match end {
            Some(_) => text.strip_suffix(b"\r").unwrap_or(text),
            None => text,
        };
        out.resize(out.len() + indent, b' ');
        let shown = line_until(out, text, out_end);
        out.push(b'\n');
        if shown < text.len() {
            return bytes.len() - rest.len() + shown;
        }
        rest = end.map_or(&[], |end| &rest[end + 1..]);
    }
    bytes.len() - rest.len()
}

/// Appends `bytes` as text of one line inside a `/* … */` block: a `*/` that would end the block becomes `*\/`, also when its
/// star is the last byte that `out` already holds.
pub fn comment(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut begin = 0;
    for slash in memchr::memchr_iter(b'/', bytes) {
        line(out, &bytes[begin..slash]);
        if out.ends_with(b"*") {
            out.push(b'\\');
        }
        out.push(b'/');
        begin = slash + 1;
    }
    line(out, &bytes[begin..]);
}

/// Appends the inside of a JSON string (RFC 8259 §7) that means `text`, without its quotation marks. Gives whether a character
/// beyond the ones that JSON itself wants escaped had to be: DEL, C1, or a hidden one.
pub fn json(out: &mut Vec<u8>, text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut beyond = false;
    let mut len = out.len();
    // Written by index into bytes that are there already: room for quotes is made at once, for more when it is needed.
    out.resize(len + bytes.len() + bytes.len() / 4 + SLACK, 0);
    let mut block_at = 0;
    let mut done = 0;
    while block_at < bytes.len() {
        let block = lanes::block(bytes, block_at);
        let mut stops = lanes::quotes(&block) | lanes::suspects(&block);
        while stops != 0 {
            let stop = block_at + stops.trailing_zeros() as usize;
            stops &= stops - 1;
            let byte = bytes[stop];
            if out.len() < len + (stop - done) + SLACK {
                out.resize(len + (bytes.len() - done) * 2 + SLACK, 0);
            }
            if byte == b'"' || byte == b'\\' {
                len = copy(out, len, bytes, done, stop);
                out[len] = b'\\';
                // The character itself is copied with what follows it.
                len += 1;
                done = stop;
                continue;
            }
            if let Some((escape, width)) = CONTROLS.get(usize::from(byte)) {
                len = copy(out, len, bytes, done, stop);
                done = stop + 1;
                out[len..len + escape.len()].copy_from_slice(escape);
                len += width;
                continue;
            }
            let Some(ch) = text[stop..].chars().next() else {
                continue;
            };
            if !is_hidden_at(text, stop, ch) {
                continue;
            }
            len = copy(out, len, bytes, done, stop);
            done = stop + ch.len_utf8();
            beyond |= byte >= 0x7f;
            let mut escape = [0; 12];
            let escape = json_escape(&mut escape, ch);
            out[len..len + escape.len()].copy_from_slice(escape);
            len += escape.len();
        }
        block_at += lanes::BLOCK;
    }
    out.truncate(len);
    out.extend_from_slice(&bytes[done..]);
    beyond
}

/// The bytes of `bytes` up to `max`, not cutting a character of UTF-8 in two.
pub fn prefix(bytes: &[u8], max: usize) -> &[u8] {
    if bytes.len() <= max {
        return bytes;
    }
    // A character has at most three continuation bytes; more of them are not UTF-8, and cut anywhere.
    let end = (max.saturating_sub(3)..=max)
        .rev()
        .find(|&end| bytes[end] & 0xc0 != 0x80);
    &bytes[..end.unwrap_or(max)]
}

/// Whether `text` is of megabytes and would be much longer with its escapes: an eighth of it is control characters, each of which
/// takes six bytes.
pub fn mostly_escapes(text: &[u8]) -> bool {
    const LARGE: usize = 1 << 20;
    // What begins with 0xc2 is a C1 control, or one of few other characters.
    let control = |byte: &u8| u8::from(!matches!(*byte, b'\t' | b'\n' | b'\r') & matches!(*byte, ..b' ' | 0x7f | 0xc2));
    // Sums that fit into a byte are many at once.
    let controls = |word: &[u8]| usize::from(word.iter().map(control).sum::<u8>());
    text.len() >= LARGE && text.chunks(128).map(controls).sum::<usize>() >= text.len() / 8
}

/// Room for the copy of a run in words of 16 bytes and for the longest escape behind it.
const SLACK: usize = 64;

/// Copies `bytes[from..to]` to `out[at..]` and gives where that ends. `out` holds [`SLACK`] bytes more than that.
#[inline]
fn copy(out: &mut [u8], at: usize, bytes: &[u8], from: usize, to: usize) -> usize {
    let run = to - from;
    // Most runs are short: copying a whole word costs less than copying what is asked for.
    if run <= 16
        && let Some(word) = bytes[from..].first_chunk::<16>()
    {
        out[at..at + 16].copy_from_slice(word);
    } else {
        out[at..at + run].copy_from_slice(&bytes[from..to]);
    }
    at + run
}

/// Like [`line()`], for what is known to be UTF-8.
pub fn text_line(out: &mut Vec<u8>, text: &str) {
    text_until(out, text, usize::MAX);
}

/// Like [`line_until()`], for what is known to be UTF-8.
fn text_until(out: &mut Vec<u8>, text: &str, end: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut block_at, mut done) = (0, 0);
    while block_at < bytes.len() {
        let mut stops = lanes::suspects(&lanes::block(bytes, block_at));
        while stops != 0 {
            let stop = block_at + stops.trailing_zeros() as usize;
            stops &= stops - 1;
            let Some(ch) = text[stop..].chars().next() else {
                continue;
            };
            if is_hidden_at(text, stop, ch) {
                out.extend_from_slice(&bytes[done..stop]);
                done = stop + ch.len_utf8();
                text_escape(out, ch);
                if out.len() > end {
                    return done;
                }
            }
        }
        block_at += lanes::BLOCK;
    }
    out.extend_from_slice(&bytes[done..]);
    bytes.len()
}

/// `\n`, or `\u{1b}`: a hidden character in text.
pub(super) fn text_escape(out: &mut Vec<u8>, ch: char) {
    match ch {
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ => {
            out.extend_from_slice(b"\\u{");
            let code = ch as u32;
            let digits = (8 - code.leading_zeros() as usize / 4).max(2);
            for digit in (0..digits).rev() {
                out.push(hex((code >> (4 * digit)) as u8));
            }
            out.push(b'}');
        }
    }
}

/// The escapes of the control characters C0 in JSON, and how long they are: whole messages may consist of them.
const CONTROLS: [([u8; 8], usize); 0x20] = {
    let mut escapes = [([0; 8], 0); 0x20];
    let mut byte = 0;
    while byte < escapes.len() {
        let (high, low) = (hex(byte as u8 >> 4), hex(byte as u8));
        escapes[byte] = match byte as u8 {
            b'\n' => (*b"\\n\0\0\0\0\0\0", 2),
            b'\r' => (*b"\\r\0\0\0\0\0\0", 2),
            b'\t' => (*b"\\t\0\0\0\0\0\0", 2),
            _ => ([b'\\', b'u', b'0', b'0', high, low, 0, 0], 6),
        };
        byte += 1;
    }
    escapes
};

/// `\n`, or `\u001b`, or a pair of surrogates (RFC 8259 §7): a hidden character in JSON.
pub(super) fn json_escape(buffer: &mut [u8; 12], ch: char) -> &[u8] {
    if let Some((escape, width)) = CONTROLS.get(ch as usize) {
        buffer[..escape.len()].copy_from_slice(escape);
        return &buffer[..*width];
    }
    let mut units = [0; 2];
    let units = ch.encode_utf16(&mut units);
    for (i, unit) in units.iter().enumerate() {
        let [high, low] = unit.to_be_bytes();
        buffer[6 * i..6 * i + 6].copy_from_slice(&[b'\\', b'u', hex(high >> 4), hex(high), hex(low >> 4), hex(low)]);
    }
    &buffer[..6 * units.len()]
}

/// The digit of the low four bits.
pub(super) const fn hex(nibble: u8) -> u8 {
    HEX_DIGITS[(nibble & 0x0f) as usize]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::hidden::is_hidden;

    fn line_of(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        line(&mut out, bytes);
        String::from_utf8(out).unwrap()
    }

    fn comment_of(parts: &[&str]) -> String {
        let mut out = Vec::new();
        parts.iter().for_each(|part| comment(&mut out, part.as_bytes()));
        String::from_utf8(out).unwrap()
    }

    fn json_of(text: &str) -> String {
        let mut out = b"x".to_vec();
        json(&mut out, text);
        String::from_utf8(out[1..].to_vec()).unwrap()
    }

    fn shows_nothing_hidden(text: &str) -> bool {
        text.char_indices().all(|(pos, ch)| !is_hidden_at(text, pos, ch))
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        let text = r#"{"type":"say","content":"hi,  all ! \ 猪猪，你好。 😀 é"}"#;
        assert_eq!(line_of(text.as_bytes()), text);
    }

    #[test]
    fn an_escape_sequence_cannot_reach_the_terminal() {
        assert_eq!(line_of(b"\x1b]0;owned\x07\x1b[2J"), r"\u{1b}]0;owned\u{07}\u{1b}[2J");
    }

    #[test]
    fn a_c1_control_cannot_reach_the_terminal() {
        assert_eq!(line_of("\u{9b}2J".as_bytes()), r"\u{9b}2J");
        assert_eq!(line_of(b"\x9b2J"), r"\x9b2J");
    }

    #[test]
    fn a_carriage_return_cannot_overwrite_a_line() {
        assert_eq!(line_of(b"hi\r17:51:02 forged\n"), r"hi\r17:51:02 forged\n");
    }

    #[test]
    fn a_bidi_override_cannot_turn_a_line_round() {
        assert_eq!(
            line_of("a\u{202e}b\u{2066}c\u{61c}".as_bytes()),
            r"a\u{202e}b\u{2066}c\u{61c}"
        );
    }

    #[test]
    fn an_invisible_character_cannot_make_two_names_look_the_same() {
        assert_eq!(
            line_of("my\u{200b}nick\u{feff}\u{e0041}".as_bytes()),
            r"my\u{200b}nick\u{feff}\u{e0041}"
        );
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_shown_in_hex() {
        assert_eq!(
            line_of(b"a\xff\xc3(\xed\xa0\x80z\xf0\x9f"),
            r"a\xff\xc3(\xed\xa0\x80z\xf0\x9f"
        );
    }

    #[test]
    fn lines_are_indented_and_cannot_begin_elsewhere() {
        let mut out = Vec::new();
        lines(&mut out, b"one\r\ntwo\rforged\n\nfour", 4, usize::MAX);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "    one\n    two\\rforged\n    \n    four\n"
        );
    }

    #[test]
    fn lines_are_not_much_longer_than_there_is_room_for() {
        for text in [
            "\u{7f}".repeat(1000),
            "\n".repeat(1000),
            "\u{e0041}".repeat(300),
            "a\u{301}".repeat(400),
        ] {
            for bytes in [text.as_bytes(), &[text.as_bytes(), b"\xff"].concat()] {
                let mut out = Vec::new();
                let shown = lines(&mut out, bytes, 4, 1 << 20);
                assert_eq!(shown, bytes.len());
                out.clear();
                let shown = lines(&mut out, bytes, 4, 600);
                assert!(out.len() < 2 * 600 + 20 && shown <= 600, "{}", out.len());
                // What is shown is what came first, whole characters of it.
                let mut first = Vec::new();
                lines(&mut first, &bytes[..shown], 4, 1 << 20);
                assert_eq!(out, first);
            }
        }
    }

    #[test]
    fn a_comment_end_in_a_name_does_not_end_the_block() {
        assert_eq!(comment_of(&["x */ forged /* y"]), r"x *\/ forged /* y");
        assert_eq!(comment_of(&["**//*/"]), r"**\//*\/");
    }

    #[test]
    fn a_comment_end_in_two_parts_does_not_end_the_block() {
        assert_eq!(comment_of(&["star *", "/ slash"]), r"star *\/ slash");
        assert_eq!(comment_of(&["star *", "", "\u{200b}/"]), r"star *\u{200b}/");
    }

    #[test]
    fn a_prefix_ends_between_characters() {
        assert_eq!(prefix("猪猪".as_bytes(), 4), "猪".as_bytes());
        assert_eq!(prefix(b"\x80\x80\x80\x80\x80\x80", 5), b"\x80\x80\x80\x80\x80");
        assert_eq!(prefix(b"abc", 3), b"abc");
        assert_eq!(prefix(b"abc", 0), b"");
    }

    #[test]
    fn json_escapes_what_json_wants_and_what_a_terminal_obeys() {
        assert_eq!(
            json_of("\"\\\n\t\u{8}\u{1b}\u{7f}\u{9b}\u{202e}\u{e0041}"),
            r#"\"\\\n\t\u0008\u001b\u007f\u009b\u202e\udb40\udc41"#
        );
    }

    #[test]
    fn json_tells_what_only_a_terminal_wants_escaped() {
        let mut out = Vec::new();
        assert!(!json(&mut out, "plain \"\\\n\u{1b} 猪"));
        assert!(json(&mut out, "\u{7f}"));
        assert!(json(&mut out, "\u{85}"));
        assert!(json(&mut out, "\u{2066}"));
    }

    #[test]
    fn a_character_over_the_edge_of_a_block_is_escaped_once() {
        for before in 55..70 {
            for ch in ["\u{202e}", "\u{e0041}", "\u{85}", "\"", "猪"] {
                let text = "a".repeat(before) + ch + &"\"b\\".repeat(40);
                let value: String = serde_json::from_str(&format!("\"{}\"", json_of(&text))).unwrap();
                assert_eq!(value, text);
            }
        }
    }

    #[test]
    fn much_to_escape_has_room() {
        for ch in ["\u{1}", "\"", "\u{e0041}", "猪\u{202e}"] {
            for n in [1, 31, 63, 64, 65, 1000] {
                let text = ch.repeat(n);
                let value: String = serde_json::from_str(&format!("\"{}\"", json_of(&text))).unwrap();
                assert_eq!(value, text);
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_one_harmless_line_goes_out(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(shows_nothing_hidden(&line_of(&bytes)));
        }

        #[test]
        fn no_text_ends_the_block(parts in proptest::collection::vec("[*/a\u{1b}]{0,5}", 0..9)) {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            prop_assert!(!comment_of(&parts).contains("*/"));
        }

        #[test]
        fn json_means_the_text_and_hides_nothing(text in "(?s)([\"\\\\\n\u{7f}\u{85}\u{200d}\u{202e}\u{fe0f}a-z猪😀]|.){0,200}") {
            let escaped = json_of(&text);
            prop_assert!(shows_nothing_hidden(&escaped));
            let value: String = serde_json::from_str(&format!("\"{escaped}\"")).unwrap();
            prop_assert_eq!(value, text);
        }

        #[test]
        fn text_without_hidden_characters_goes_through(text in "(?s).{0,200}") {
            let clean: String = text.chars().filter(|ch| !is_hidden(*ch)).collect();
            prop_assert_eq!(line_of(clean.as_bytes()), clean);
        }
    }
}
