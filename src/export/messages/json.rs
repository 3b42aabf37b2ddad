//! JSON on one line, in colours: for looking at, whatever it is, so it is not checked.

use crate::export::escape;
use crate::export::palette::Palette;

/// Appends `text`, each kind of token in its colour.
pub(super) fn coloured(out: &mut Vec<u8>, text: &str, palette: &Palette) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'"' => string(bytes, at),
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => word(bytes, at),
            _ => {
                let next = memchr::memchr2(b'"', b':', &bytes[at + 1..]).map_or(bytes.len(), |found| at + 1 + found);
                let plain = bytes[at + 1..next]
                    .iter()
                    .position(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
                    .map_or(next, |found| at + 1 + found);
                escape::text_line(out, &text[at..plain]);
                at = plain;
                continue;
            }
        };
        let colour = match byte {
            b'"' if bytes[end..].trim_ascii_start().starts_with(b":") => palette.key,
            b'"' => palette.string,
            b'-' | b'0'..=b'9' => palette.number,
            _ => palette.literal,
        };
        out.extend_from_slice(colour.as_bytes());
        escape::text_line(out, &text[at..end]);
        out.extend_from_slice(palette.reset.as_bytes());
        at = end;
    }
}

/// Where the string that begins at `at` ends.
fn string(bytes: &[u8], at: usize) -> usize {
    let mut from = at + 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[from..]) {
        let found = from + found;
        if bytes[found] == b'"' {
            return found + 1;
        }
        // Whatever comes behind a backslash is ASCII, or this is no JSON and the string goes on.
        from = (found + 2).min(bytes.len());
    }
    bytes.len()
}

fn word(bytes: &[u8], at: usize) -> usize {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    at + bytes[at..]
        .iter()
        .position(|byte| !inside(byte))
        .unwrap_or(bytes.len() - at)
}
