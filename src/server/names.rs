//! Which names users may have: something visible, and nothing that looks like another user who is here.

use std::sync::LazyLock;

use regex::Regex;

/// What no name may hold: controls, marks that turn the text around (UAX #9 §2), private use, and characters that show as
/// nothing, except the joiners and variation selectors inside emoji and some scripts; a combining mark at the start, which would
/// change what stands before the name; and heaps of combining marks, which reach into other lines.
static FORBIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        [ [\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{2800}\u{FFFC}] -- [\u{200C}\u{200D}\u{FE0E}\u{FE0F}] ]
        | ^ [\p{M}\u{200C}\u{200D}]
        | [\u{200C}\u{200D}] $
        | \p{M}{5}",
    )
    .ok()
});

/// The name without blanks around it, when it is one that every page and terminal can show and that is not longer than
/// `max_chars` characters.
pub(super) fn check_name(name: &str, max_chars: usize) -> Option<String> {
    let name = name.trim();
    let good = !name.is_empty()
        && name.chars().count() <= max_chars
        && FORBIDDEN.as_ref().is_some_and(|forbidden| !forbidden.is_match(name));
    good.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_good() {
        for name in [
            "mynick",
            "猪猪",
            "O'Neill #2",
            "עמר",
            "می‌خواهم",
            "👩‍👩‍👧",
            "❤️",
            "นิด",
            "Ä",
            "a\u{308}o",
        ] {
            assert_eq!(check_name(name, 64).as_deref(), Some(name));
        }
        assert_eq!(check_name(" \u{3000}ok\u{a0} ", 2).as_deref(), Some("ok"));
    }

    #[test]
    fn names_that_look_empty_or_disturb_are_not() {
        for name in [
            "",
            " ",
            "\u{a0}\u{3000}",
            "\u{2800}",
            "a\u{2800}",
            "\u{200b}\u{200d}",
            "a\u{200b}b",
            "a\u{200d}",
            "\u{3164}",
            "a\u{1b}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "\u{e000}",
            "\u{f0000}",
            "\u{e0041}",
            "\u{301}a",
            "a\u{301}\u{301}\u{301}\u{301}\u{301}",
            "a\u{2028}b",
        ] {
            assert_eq!(check_name(name, 64), None, "{name:?}");
        }
        assert_eq!(check_name("123456789", 8), None);
    }
}
