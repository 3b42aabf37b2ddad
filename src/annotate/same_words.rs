//! Whether two texts say the same: what was said, and what a server made of it.
//!
//! Servers escape markup (`&lt;` for `<`), make line breaks into elements, and take blanks away from the ends.

/// `said` is what `sent` says, as far as `said` is known (`cut`: there was more).
pub(super) fn same_words(said: &[u8], sent: &[u8], cut: bool) -> bool {
    let mut sent = Plain(sent);
    for ch in Plain(said) {
        match sent.next() {
            Some(other) if other == ch => {}
            _ => return false,
        }
    }
    cut || sent.next().is_none()
}

/// `sent` ends with what was said (or, when that is `cut`, holds it).
pub(super) fn ends_with(sent: &[u8], said: &[u8], cut: bool) -> bool {
    (0..=sent.len()).any(|at| same_words(said, &sent[at..], cut))
}

/// The bytes of a text without blanks, its entities and line breaks of HTML resolved.
struct Plain<'a>(&'a [u8]);

impl Iterator for Plain<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let (first, rest) = self.0.split_first()?;
            if *first == b'<'
                && let Some(rest) = BREAKS.iter().find_map(|tag| self.0.strip_prefix(*tag))
            {
                self.0 = rest;
                continue;
            }
            if *first == b'&'
                && let Some((ch, rest)) = ENTITIES
                    .iter()
                    .find_map(|(name, ch)| Some((*ch, self.0.strip_prefix(*name)?)))
            {
                self.0 = rest;
                if ch == b' ' {
                    continue;
                }
                return Some(ch);
            }
            self.0 = rest;
            if !first.is_ascii_whitespace() {
                return Some(*first);
            }
        }
    }
}

const BREAKS: [&[u8]; 3] = [b"<br />", b"<br/>", b"<br>"];
const ENTITIES: [(&[u8], u8); 9] = [
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&amp;", b'&'),
    (b"&quot;", b'"'),
    (b"&#34;", b'"'),
    (b"&#39;", b'\''),
    (b"&#039;", b'\''),
    (b"&apos;", b'\''),
    (b"&nbsp;", b' '),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_make_of_words_is_the_same() {
        assert!(same_words(b" a <b> & 'c'\n", b"a &lt;b&gt; &amp; &#039;c&#039;", false));
        assert!(same_words(b"one\ntwo", b"one<br />\ntwo", false));
        assert!(!same_words(b"frag", b"binary opcode", false));
        assert!(!same_words(b"a", b"ab", false) && !same_words(b"ab", b"a", false));
        assert!(same_words(b"a", b"ab", true));
    }

    #[test]
    fn a_private_word_may_have_a_preamble() {
        assert!(ends_with("<b>对你说: </b>x &lt;".as_bytes(), b"x <", false));
        assert!(!ends_with(b"<b>to you: </b>y", b"x", false));
    }
}
