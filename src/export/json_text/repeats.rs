//! Names that occur more than once in an object: RFC 8259 §4 leaves open which one counts, so two programs may read two things.

use std::ops::Range;

use super::scan::{Token, scan};
use crate::dissect::Text;

/// Names of one object that are compared.
const NAMES: usize = 64;
/// Bytes of a name that is compared, quotation marks and all. Comparing is quadratic, and nothing that is named is named by more.
const NAME: usize = 256;

/// Looks out for names of the outermost object that may be there twice. Only a hint, and made in passing: [`repeats`] knows.
#[derive(Default)]
pub(super) struct Suspicion {
    depth: u32,
    seen: u128,
    pub(super) raised: bool,
}

impl Suspicion {
    /// The next token, which is `text[range]`.
    #[inline]
    pub(super) fn token(&mut self, token: Token, text: &[u8], range: &Range<usize>) {
        match token {
            Token::Open => self.depth += 1,
            Token::Close => self.depth -= 1,
            Token::Key if self.depth == 1 => {
                // Quotation marks stand around it.
                let name = text.get(range.start + 1..range.end.wrapping_sub(1)).unwrap_or_default();
                let (head, tail) = ends(name, text.get(range.start + 1..).unwrap_or_default());
                let sum = (head ^ name.len() as u64).wrapping_mul(SPREAD) ^ tail;
                let bit = 1 << (sum.wrapping_mul(SPREAD) >> (u64::BITS - 7));
                // Two ways to write a name have no common bit, so an escape is suspicious by itself.
                let escape = holds_backslash(head) || holds_backslash(tail) || name.len() > 16 && name.contains(&b'\\');
                self.raised |= self.seen & bit != 0 || escape;
                self.seen |= bit;
            }
            _ => {}
        }
    }
}

const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The first and the last eight bytes of `name`, with which `text` begins; of a shorter one all bytes, and nothing.
#[inline]
fn ends(name: &[u8], text: &[u8]) -> (u64, u64) {
    if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
        return (u64::from_le_bytes(*head), u64::from_le_bytes(*tail));
    }
    let head = match text.first_chunk() {
        Some(head) => u64::from_le_bytes(*head) & ((1 << (8 * name.len())) - 1),
        None => name.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    (head, 0)
}

/// Whether one of the bytes of `word` is a backslash (or, seldom, one higher than it behind one that is).
#[inline]
const fn holds_backslash(word: u64) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let word = word ^ (LOW * b'\\' as u64);
    word.wrapping_sub(LOW) & !word & (LOW << 7) != 0
}

/// Whether a name occurs more than once in the outermost object of the JSON text `text`, among the first [`NAMES`] of at most
/// [`NAME`] bytes.
#[cold]
pub(super) fn repeats(text: &str) -> bool {
    let mut names = [Text::Plain(""); NAMES];
    let mut count = 0;
    let mut depth = 0_u32;
    let mut found = false;
    let _ = scan(text, |token, range| match token {
        Token::Open => depth += 1,
        Token::Close => depth -= 1,
        Token::Key if depth == 1 && count < NAMES && range.len() <= NAME => {
            let name = Text::Json(&text[range.start + 1..range.end - 1]);
            found |= names[..count].iter().any(|before| before.chars().eq(name.chars()));
            names[count] = name;
            count += 1;
        }
        _ => {}
    });
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn suspected(text: &str) -> bool {
        let mut suspicion = Suspicion::default();
        scan(text, |token, range| suspicion.token(token, text.as_bytes(), &range)).unwrap();
        suspicion.raised
    }

    #[test]
    fn a_name_that_is_there_twice_is_found_however_it_is_written() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"type":1,"b":{},"ty\u0070e":2}"#] {
            assert!(repeats(text) && suspected(text), "{text}");
        }
    }

    #[test]
    fn the_same_name_in_another_object_is_no_repetition() {
        assert!(!repeats(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#));
        assert!(!suspected(
            r#"{"type":"say","from_uid":7,"to_uid":"all","content":"x","time":"y"}"#
        ));
    }

    #[test]
    fn names_of_megabytes_are_not_compared() {
        let name = |last: char| format!("\"{}{last}\":1", "n".repeat(NAME));
        assert!(!repeats(&format!("{{{},{}}}", name('a'), name('a'))));
        assert!(repeats(&format!("{{{},{},\"a\":1,\"a\":2}}", name('a'), name('b'))));
    }

    proptest! {
        #[test]
        fn no_repetition_goes_unsuspected(names in proptest::collection::vec("x{0,17}[ab\\\\]{0,2}y{0,8}", 0..5)) {
            let members: Vec<String> = names.iter().map(|n| format!("{}:1", serde_json::to_string(n).unwrap())).collect();
            let text = format!("{{{}}}", members.join(","));
            let mut sorted = names.clone();
            sorted.sort();
            sorted.dedup();
            prop_assert_eq!(repeats(&text), sorted.len() < names.len());
            prop_assert!(suspected(&text) || !repeats(&text));
        }
    }
}
