//! How a name looks to people.

use unicode_security::confusable_detection::skeleton;

/// What two names have in common when people cannot tell them apart: the skeleton of UTS #39 §4, without joiners and with single
/// blanks.
pub fn appearance(name: &str) -> String {
    // The pattern of Braille without dots is a symbol to Unicode, but shows as a blank.
    let words: Vec<&str> = name
        .split(|c: char| c.is_whitespace() || c == '\u{2800}')
        .filter(|word| !word.is_empty())
        .collect();
    let visible = words.join(" ");
    skeleton(&visible)
        .filter(|c| !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_have_one_appearance() {
        for (one, other) in [
            ("mynick", "mynі\u{441}k"),
            ("a b", "a\u{a0} b"),
            ("bob", "bob\u{2800}"),
            ("\u{e4}", "a\u{308}"),
            ("ab", "a\u{200d}b"),
            ("Bill", "BiII"),
        ] {
            assert_eq!(appearance(one), appearance(other), "{one} {other}");
        }
        for (one, other) in [("Bob", "bob"), ("ana", "anna"), ("猪猪", "猪")] {
            assert_ne!(appearance(one), appearance(other), "{one} {other}");
        }
    }
}
