//! What a text holds, for reading: one document or several, JSON laid out, anything else as lines.

use super::escape;
use super::json_text::{self, Layout, NotJson, Shown, Token};
use crate::annotate::Doubt;
use crate::dissect::Text;
use crate::record::Interpretation;

/// The documents of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Contents<'a> {
    /// It is one.
    One(&'a str),
    /// It is shown as it was sent.
    Verbatim(&'a str),
    /// Each ends with this character.
    Separated(&'a str, char),
    /// They are the strings of an array, here without their quotation marks.
    Strings(&'a str),
}

/// What was laid out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Bytes of the documents that are not shown.
    pub left: usize,
    /// The first thing that is wrong with what begins like JSON.
    pub doubt: Option<Doubt>,
}

impl<'a> Contents<'a> {
    /// What `text` holds. Which bytes stand between documents, their dissector knows: they are those around the first one.
    pub(super) fn of(text: &'a str, meaning: &[Interpretation<'_>]) -> Self {
        Self::several(text, meaning).unwrap_or(Self::One(text))
    }

    fn several(text: &'a str, meaning: &[Interpretation<'_>]) -> Option<Self> {
        let (offset, length) = meaning.first()?.document?;
        let (before, after) = (text.get(..offset)?, text.get(offset.checked_add(length)?..)?);
        if before.ends_with('"') && after.starts_with('"') {
            return strings(text, |_| {}).then_some(Self::Strings(text));
        }
        let separator = after.chars().next()?;
        (before.is_empty() && matches!(separator, '\u{1e}' | '\n' | '\r')).then_some(Self::Separated(text, separator))
    }

    /// Appends the documents, one after the other, all together about as long as `layout` allows.
    pub(super) fn lay_out(&self, out: &mut Vec<u8>, layout: &Layout) -> Told {
        let end = out.len().saturating_add(layout.limit);
        let mut all = Told::default();
        match self {
            Self::One(text) => all = document(out, text, layout),
            Self::Verbatim(text) => all.left = lines(out, text, layout),
            Self::Separated(text, separator) => {
                for part in text.split(*separator) {
                    let part = part.trim_ascii();
                    let offset = part.as_ptr() as usize - text.as_ptr() as usize;
                    let told = next(out, part, end, layout);
                    all.left += told.left;
                    all.doubt = all.doubt.or(told.doubt.map(|doubt| match doubt {
                        Doubt::NotJson(at) => Doubt::NotJson(offset as u64 + at),
                        Doubt::Repeated => doubt,
                    }));
                }
            }
            Self::Strings(text) => {
                let mut string = Vec::new();
                strings(text, |raw| {
                    string.clear();
                    raw.copy_into(&mut string, usize::MAX);
                    let string = std::str::from_utf8(&string).unwrap_or_default();
                    // Nobody has said that a string is JSON: no doubt.
                    all.left += next(out, string, end, layout).left;
                });
            }
        }
        all
    }
}

/// Gives `each` string of an array, and says whether it holds nothing else; SockJS writes a letter before it.
fn strings<'a>(text: &'a str, mut each: impl FnMut(Text<'a>)) -> bool {
    let array = text.strip_prefix('a').unwrap_or(text);
    let mut others = 0;
    let scanned = json_text::scan(array, |token, range| match token {
        Token::String => each(Text::Json(&array[range.start + 1..range.end - 1])),
        Token::Comma => {}
        _ => others += 1,
    });
    // The brackets.
    scanned.is_ok() && others == 2
}

/// One of several documents, as much of it as fits before `end`.
fn next(out: &mut Vec<u8>, text: &str, end: usize, layout: &Layout) -> Told {
    let limit = end.saturating_sub(out.len());
    if text.is_empty() {
        return Told::default();
    }
    if limit > 0 {
        return document(out, text, &Layout { limit, ..*layout });
    }
    let not_json = |NotJson(at)| Doubt::NotJson(at as u64 + 1);
    Told {
        left: text.len(),
        doubt: match json_text::begins_like_container(text) {
            true => json_text::scan(text, |_, _| {}).err().map(not_json),
            false => None,
        },
    }
}

fn document(out: &mut Vec<u8>, text: &str, layout: &Layout) -> Told {
    let mut doubt = None;
    if json_text::begins_like_container(text) {
        match json_text::pretty(out, text, layout) {
            Ok(laid) => {
                return Told {
                    left: match laid.shown {
                        Shown::All => 0,
                        Shown::First(bytes) => text.len() - bytes,
                    },
                    doubt: laid.repeats.then_some(Doubt::Repeated),
                };
            }
            Err(NotJson(at)) => doubt = Some(Doubt::NotJson(at as u64 + 1)),
        }
    }
    Told {
        left: lines(out, text, layout),
        doubt,
    }
}

/// Gives how many bytes are not shown.
fn lines(out: &mut Vec<u8>, text: &str, layout: &Layout) -> usize {
    text.len() - escape::lines(out, text.as_bytes(), layout.indent, layout.limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::palette::Palette;
    use crate::record::Action;

    fn laid_out(text: &str, first: (usize, usize), limit: usize) -> (String, Told) {
        let meaning = [Interpretation {
            document: Some(first),
            ..Interpretation::new("SignalR", Action::Other)
        }];
        let layout = Layout {
            indent: 0,
            limit,
            palette: &Palette::PLAIN,
        };
        let mut out = Vec::new();
        let told = Contents::of(text, &meaning).lay_out(&mut out, &layout);
        (String::from_utf8(out).unwrap(), told)
    }

    const ALL: usize = usize::MAX;

    #[test]
    fn records_and_lines_are_laid_out_one_after_the_other() {
        let both = ("{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n".to_owned(), Told::default());
        assert_eq!(laid_out("{\"a\":1}\u{1e}{\"b\":2}\u{1e}", (0, 7), ALL), both);
        assert_eq!(laid_out("{\"a\":1}\n\n{\"b\":2}\n", (0, 7), ALL), both);
        assert_eq!(laid_out("{\"a\":1}\r\n{\"b\":2}", (0, 7), ALL), both);
    }

    #[test]
    fn the_byte_from_which_a_record_is_no_json_is_that_of_the_message() {
        let text = "{\"a\":1}\u{1e}{\"b\":}\u{1e}{}\u{1e}";
        let wrong = Some(Doubt::NotJson(14));
        assert_eq!(text.as_bytes()[13], b'}');
        let (shown, told) = laid_out(text, (0, 7), ALL);
        assert_eq!((&*shown, told.doubt), ("{\n  \"a\": 1\n}\n{\"b\":}\n{}\n", wrong));
        // Also when it is not shown.
        let (shown, told) = laid_out(text, (0, 7), 5);
        assert_eq!((&*shown, told.left, told.doubt), ("{\n  \"\n", 13, wrong));
    }

    #[test]
    fn strings_of_an_array_are_unwrapped() {
        let (shown, told) = laid_out(r#"a["{\"a\":\"\\n\"}","two\nlines","{"]"#, (3, 15), ALL);
        assert_eq!(
            (&*shown, told),
            ("{\n  \"a\": \"\\n\"\n}\ntwo\nlines\n{\n", Told::default())
        );
        assert_eq!(laid_out(r#"["1"]"#, (2, 1), ALL).0, "1\n");
    }

    #[test]
    fn what_is_no_array_of_strings_stays_as_it_was_sent() {
        for text in [r#"a["x",1]"#, r#"a["x""#, r#"a["x",["y"]]"#] {
            assert_eq!(laid_out(text, (3, 1), ALL), (format!("{text}\n"), Told::default()));
        }
    }

    #[test]
    fn a_batch_is_one_document() {
        let batch = r#"[{"a":1},{"b":2}"#;
        let told = laid_out(batch, (1, 7), ALL).1;
        assert_eq!(told.doubt, Some(Doubt::NotJson(batch.len() as u64 + 1)));
    }
}
