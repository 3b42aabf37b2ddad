//! Text as HTML: nothing captured can become markup, or be hidden.

use crate::export::escape;

/// Appends markup of ours.
pub(super) fn put(out: &mut Vec<u8>, markup: &str) {
    out.extend_from_slice(markup.as_bytes());
}

/// Appends text of one line, with what would hide or turn round shown as an escape.
pub(super) fn line(out: &mut Vec<u8>, text: &[u8]) {
    let mut shown = Vec::with_capacity(text.len() + 16);
    escape::line(&mut shown, text);
    shown_text(out, &shown);
}

/// Appends text in which nothing is hidden any more.
pub(super) fn shown_text(out: &mut Vec<u8>, text: &[u8]) {
    let mut from = 0;
    for (at, byte) in text.iter().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.extend_from_slice(&text[from..at]);
        put(out, entity);
        from = at + 1;
    }
    out.extend_from_slice(&text[from..]);
}

/// Appends `<tag>text</tag>`; `tag` may have attributes of ours.
pub(super) fn element(out: &mut Vec<u8>, tag: &str, text: &str) {
    put(out, "<");
    put(out, tag);
    put(out, ">");
    line(out, text.as_bytes());
    put(out, "</");
    put(out, tag.split(' ').next().unwrap_or_default());
    put(out, ">");
}

/// The first characters of a text, so many bytes at most, and whether that is all.
pub(super) fn beginning(text: &[u8], max: usize) -> (&[u8], bool) {
    let begin = escape::prefix(text, max);
    (begin, begin.len() == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup_or_is_hidden() {
        let mut out = Vec::new();
        element(&mut out, "b class=x", "</b><script>alert('\u{202e}\"&\0')</script>");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r"<b class=x>&lt;/b&gt;&lt;script&gt;alert(&#39;\u{202e}&quot;&amp;\u{00}&#39;)&lt;/script&gt;</b>"
        );
    }
}
