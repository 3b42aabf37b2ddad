//! JSON text for reading: a member or item a line, in colour.

use super::repeats::{Suspicion, repeats};
use super::scan::{NotJson, Token, scan};
use crate::export::escape::{json_escape, prefix};
use crate::export::hidden::{is_hidden, is_hidden_at};
use crate::export::lanes;
use crate::export::palette::Palette;

/// How JSON is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Blanks before every line; each level of nesting adds two.
    pub indent: usize,
    /// After about how many bytes of output it is cut; `usize::MAX` shows all.
    pub limit: usize,
    /// In which colours.
    pub palette: &'static Palette,
}

/// What was laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Laid {
    /// How much of it.
    pub shown: Shown,
    /// A name of the outermost object occurs more than once.
    pub repeats: bool,
}

/// How much of the text was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    All,
    /// The first bytes of the text, so many; then [`Layout::limit`] was reached.
    First(usize),
}

/// Appends the JSON text `text`, laid out: every line begins with the indentation and ends with a line feed. Order, numbers and
/// repeated names stay as they were sent. In strings, escapes of readable characters beyond ASCII are shown as the characters
/// that they mean (`\u732a` as 猪); all others stay as they were sent, and hidden characters become escapes.
///
/// When it is not JSON, nothing is appended.
pub fn pretty(out: &mut Vec<u8>, text: &str, layout: &Layout) -> Result<Laid, NotJson> {
    let begin = out.len();
    let mut printer = Printer {
        out,
        text,
        layout,
        depth: 0,
        after: Token::Close,
        end: begin.saturating_add(layout.limit),
        cut: None,
        plain: lanes::is_plain(text.as_bytes()),
    };
    printer.margin();
    let mut suspicion = Suspicion::default();
    let result = scan(text, |token, range| {
        suspicion.token(token, text.as_bytes(), &range);
        if printer.cut.is_none() {
            printer.token(token, range.start, range.end);
            if printer.out.len() > printer.end {
                printer.cut.get_or_insert(range.end);
            }
        }
    });
    let cut = printer.cut;
    match result {
        Ok(()) => {
            out.push(b'\n');
            Ok(Laid {
                shown: match cut {
                    Some(bytes) if text[bytes..].trim_ascii_end().is_empty() => Shown::All,
                    Some(bytes) => Shown::First(bytes),
                    None => Shown::All,
                },
                repeats: suspicion.raised && repeats(text),
            })
        }
        Err(not_json) => {
            out.truncate(begin);
            Err(not_json)
        }
    }
}

struct Printer<'a> {
    out: &'a mut Vec<u8>,
    text: &'a str,
    layout: &'a Layout,
    depth: usize,
    /// The token before this one.
    after: Token,
    /// Where `out` may end.
    end: usize,
    /// How many bytes of the text had been shown when `end` was reached.
    cut: Option<usize>,
    /// No string of the text has anything to look for.
    plain: bool,
}

/// A new line with its margin, as far as that is usual.
const NEW_LINE: [u8; 64] = {
    let mut line = [b' '; 64];
    line[0] = b'\n';
    line
};

impl Printer<'_> {
    fn token(&mut self, token: Token, from: usize, to: usize) {
        let palette = self.layout.palette;
        if self.after == Token::Open && token != Token::Close {
            self.new_line();
        }
        match token {
            Token::Open => {
                self.depth += 1;
                self.put(from, to);
            }
            Token::Close => {
                self.depth -= 1;
                if self.after != Token::Open {
                    self.new_line();
                }
                self.put(from, to);
            }
            Token::Comma => {
                self.put(from, to);
                self.new_line();
            }
            Token::Colon => self.out.extend_from_slice(b": "),
            Token::Key => self.coloured(palette.key, |p| p.string(from, to)),
            Token::String => self.coloured(palette.string, |p| p.string(from, to)),
            Token::Number => self.coloured(palette.number, |p| p.put(from, to)),
            Token::Literal => self.coloured(palette.literal, |p| p.put(from, to)),
        }
        self.after = token;
    }

    fn put(&mut self, from: usize, to: usize) {
        self.out.extend_from_slice(&self.text.as_bytes()[from..to]);
    }

    fn new_line(&mut self) {
        match NEW_LINE.get(..=self.layout.indent + 2 * self.depth) {
            Some(line) => self.out.extend_from_slice(line),
            None => {
                self.out.push(b'\n');
                self.margin();
            }
        }
    }

    fn margin(&mut self) {
        self.out
            .resize(self.out.len() + self.layout.indent + 2 * self.depth, b' ');
    }

    fn coloured(&mut self, colour: &str, put: impl FnOnce(&mut Self)) {
        if colour.is_empty() {
            return put(self);
        }
        self.out.extend_from_slice(colour.as_bytes());
        put(self);
        self.out.extend_from_slice(self.layout.palette.reset.as_bytes());
    }

    /// The string `text[from..to]` for reading, as much of it as there is room for.
    fn string(&mut self, from: usize, to: usize) {
        let room = self.end.saturating_sub(self.out.len()).max(1);
        let shown = prefix(&self.text.as_bytes()[from..to], room).len();
        if shown < to - from {
            self.cut = Some(from + shown);
        }
        if self.plain {
            return self.put(from, from + shown);
        }
        let string = &self.text[from..from + shown];
        let mut at = 0;
        let mut done = 0;
        let bytes = string.as_bytes();
        // Most strings are plain ASCII, and then there is nothing to look for.
        let plain = |byte: u8| matches!(byte, b' '..=b'~') & (byte != b'\\');
        if bytes.iter().fold(true, |all, &byte| all & plain(byte)) {
            at = bytes.len();
        }
        while at < bytes.len() {
            let block = lanes::block(bytes, at);
            let stops = lanes::quotes(&block) | lanes::suspects(&block);
            if stops == 0 {
                at += lanes::BLOCK;
                continue;
            }
            at += stops.trailing_zeros() as usize;
            let Some(ch) = string.get(at..).and_then(|rest| rest.chars().next()) else {
                break;
            };
            let next = at + ch.len_utf8();
            if ch == '\\' {
                let (len, meant) = escape(&string[at..]);
                if let Some(meant) = meant {
                    self.out.extend_from_slice(&bytes[done..at]);
                    self.out.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
                    done = at + len;
                }
                at += len;
                continue;
            }
            if is_hidden_at(string, at, ch) {
                self.out.extend_from_slice(&bytes[done..at]);
                self.out.extend_from_slice(json_escape(&mut [0; 12], ch));
                done = next;
                // Escapes may need more room than what they stand for.
                if self.out.len() > self.end {
                    self.cut = Some(from + next);
                    return;
                }
            }
            at = next;
        }
        self.out.extend_from_slice(&bytes[done..]);
    }
}

/// The escape with which `text` begins: how long it is, and which readable character beyond ASCII it means, if one.
fn escape(text: &str) -> (usize, Option<char>) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else {
        return (text.len().min(2), None);
    };
    let second = if matches!(first, 0xd800..=0xdbff) {
        unit(6)
    } else {
        None
    };
    let (len, units) = match second {
        Some(second @ 0xdc00..=0xdfff) => (12, [first, second]),
        _ => (6, [first, 0]),
    };
    let meant = char::decode_utf16(units[..len / 6].iter().copied())
        .next()
        .and_then(Result::ok);
    (len, meant.filter(|ch| !ch.is_ascii() && !is_hidden(*ch)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::export::json_text::scan::tests::{json, nearly_json};

    const PLAIN: Layout = Layout {
        indent: 4,
        limit: usize::MAX,
        palette: &Palette::PLAIN,
    };

    fn prettified(text: &str, layout: &Layout) -> Result<(String, Shown), NotJson> {
        let mut out = Vec::new();
        let shown = pretty(&mut out, text, layout)?.shown;
        Ok((String::from_utf8(out).unwrap(), shown))
    }

    #[test]
    fn a_chat_message_is_laid_out_a_member_a_line() {
        let (shown, _) = prettified(r#"{"type":"say","to_uid":"all","content":"hi,  all !"}"#, &PLAIN).unwrap();
        assert_eq!(
            shown,
            "    {\n      \"type\": \"say\",\n      \"to_uid\": \"all\",\n      \"content\": \"hi,  all !\"\n    }\n"
        );
    }

    #[test]
    fn containers_nest_and_empty_ones_stay_on_their_line() {
        let (shown, _) = prettified(r#"[{},[ ],{"a":[1,null]}]"#, &Layout { indent: 0, ..PLAIN }).unwrap();
        assert_eq!(
            shown,
            "[\n  {},\n  [],\n  {\n    \"a\": [\n      1,\n      null\n    ]\n  }\n]\n"
        );
    }

    #[test]
    fn escapes_of_readable_characters_are_read() {
        let (shown, _) = prettified(
            r#"["\u732a\u732A \ud83d\ude00 \n \u0041 \u202e \u001b \ud800 \ud800\u0041 \/"]"#,
            &PLAIN,
        )
        .unwrap();
        assert!(
            shown.contains(r#""猪猪 😀 \n \u0041 \u202e \u001b \ud800 \ud800\u0041 \/""#),
            "{shown}"
        );
    }

    #[test]
    fn a_bidi_override_in_a_string_is_escaped() {
        let (shown, _) = prettified("[\"a\u{202e}b\\u202e\u{200d}\"]", &PLAIN).unwrap();
        assert!(shown.contains(r#""a\u202eb\u202e\u200d""#), "{shown}");
    }

    #[test]
    fn a_joiner_cannot_hide_behind_an_escape_that_is_read() {
        // What is shown before the joiner is the backslash's escape, not the emoji that it means.
        let (shown, _) = prettified("[\"\\ud83d\\ude00\u{200d}x\"]", &PLAIN).unwrap();
        assert!(shown.contains(r"😀\u200dx"), "{shown}");
    }

    #[test]
    fn a_message_of_200_kb_does_not_flood_the_screen() {
        let text = format!("{{\"type\":\"say\",\"content\":\"{}\",\"to\":1}}", "猪".repeat(70_000));
        let (shown, how) = prettified(&text, &Layout { limit: 1000, ..PLAIN }).unwrap();
        assert!((900..1100).contains(&shown.len()), "{}", shown.len());
        assert!(matches!(how, Shown::First(900..1000)), "{how:?}");
        assert!(shown.ends_with("猪\n"));
        let many = format!("[{}1]", "1,".repeat(100_000));
        let (shown, how) = prettified(&many, &Layout { limit: 1000, ..PLAIN }).unwrap();
        assert!(shown.len() < 1100 && matches!(how, Shown::First(_)));
    }

    #[test]
    fn escapes_are_counted_as_they_are_shown() {
        let text = format!("[\"{}\"]", "\u{7f}".repeat(10_000));
        let (shown, how) = prettified(&text, &Layout { limit: 1000, ..PLAIN }).unwrap();
        assert!((900..1100).contains(&shown.len()), "{}", shown.len());
        assert!(matches!(how, Shown::First(150..200)), "{how:?}");
    }

    #[test]
    fn what_is_no_json_behind_the_cut_is_no_json() {
        let text = format!("[\"{}\"", "a".repeat(10_000));
        assert!(prettified(&text, &Layout { limit: 100, ..PLAIN }).is_err());
    }

    #[test]
    fn colours_end_where_they_should() {
        let layout = Layout {
            palette: &Palette::COLOUR,
            limit: 200,
            ..PLAIN
        };
        let (shown, _) = prettified(&format!("{{\"a\":[1,true,\"{}\"]}}", "x".repeat(500)), &layout).unwrap();
        assert!(shown.contains(Palette::COLOUR.key) && shown.contains(Palette::COLOUR.literal));
        assert!(shown.ends_with(&format!("x{}\n", Palette::COLOUR.reset)));
    }

    proptest! {
        #[test]
        fn the_laid_out_text_means_the_same(text in prop_oneof![nearly_json(), json()], limit in 0..300usize) {
            let value = serde_json::from_str::<Value>(&text).ok();
            let shown = prettified(&text, &PLAIN);
            prop_assert!(value.is_none() || shown.is_ok());
            if let (Some(value), Ok((shown, _))) = (value, shown) {
                prop_assert_eq!(&serde_json::from_str::<Value>(&shown).unwrap(), &value);
                prop_assert!(shown.char_indices().all(|(at, ch)| ch == '\n' || !is_hidden_at(&shown, at, ch)));
            }
            let _ = prettified(&text, &Layout { limit, ..PLAIN });
        }
    }
}
