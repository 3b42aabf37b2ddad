//! Which characters are not shown as they are.
//!
//! A terminal obeys control characters, and a reader cannot see format characters: with either of them whoever sends a message
//! could write over our words, turn them round or make two different names look the same. Meant are: C0, DEL and C1 (ECMA-48),
//! the bidirectional controls (Unicode Standard Annex #9 §2), the line and paragraph separators, and what Unicode calls
//! default-ignorable (Unicode Standard §5.21): zero-width characters, fillers, tags, variation selectors, the byte order mark.
//!
//! Two of these are part of ordinary text and stay where they are: the joiner inside an emoji sequence and the emoji or text
//! variation selector behind a character that is not ASCII (Unicode Technical Standard #51 §1.4).

/// Whether `ch`, which stands at byte `pos` of `text`, must be shown escaped. `pos` must be where a character begins.
pub fn is_hidden_at(text: &str, pos: usize, ch: char) -> bool {
    if !is_hidden(ch) {
        return false;
    }
    let mut before = text[..pos].chars();
    match (ch, before.next_back()) {
        // Behind a selector that is hidden itself, a joiner would be the only trace of both.
        ('\u{200d}', Some('\u{fe0f}')) => !selects(before.next_back()),
        ('\u{200d}', Some(before)) => !joins_emoji(before),
        ('\u{fe0e}' | '\u{fe0f}', before) => !selects(before),
        _ => true,
    }
}

/// Whether an emoji or text variation selector behind `ch` is in its place.
fn selects(ch: Option<char>) -> bool {
    ch.is_some_and(|ch| !ch.is_ascii() && !is_hidden(ch))
}

/// Whether `ch` is a control or format character that a terminal obeys or a reader does not see.
pub const fn is_hidden(ch: char) -> bool {
    matches!(ch,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}'                                  // soft hyphen
        | '\u{34f}'                                 // combining grapheme joiner
        | '\u{61c}'                                 // Arabic letter mark (bidi)
        | '\u{115f}' | '\u{1160}'                   // Hangul fillers
        | '\u{17b4}' | '\u{17b5}'                   // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}'                   // Mongolian selectors and vowel separator
        | '\u{200b}'..='\u{200f}'                   // zero width space, (non-)joiner; left-to-right and right-to-left mark
        | '\u{2028}'..='\u{202e}'                   // line and paragraph separator; bidi embeddings and overrides
        | '\u{2060}'..='\u{206f}'                   // word joiner, invisible operators, bidi isolates, deprecated ones
        | '\u{3164}'                                // Hangul filler
        | '\u{fe00}'..='\u{fe0f}'                   // variation selectors
        | '\u{feff}'                                // byte order mark
        | '\u{ffa0}'                                // halfwidth Hangul filler
        | '\u{fff0}'..='\u{fffb}'                   // interlinear annotation and unassigned ones
        | '\u{13430}'..='\u{1345f}'                 // Egyptian hieroglyph format controls
        | '\u{1bca0}'..='\u{1bca3}'                 // shorthand format controls
        | '\u{1d173}'..='\u{1d17a}'                 // musical format controls
        | '\u{e0000}'..='\u{e0fff}'                 // tags, further variation selectors
    )
}

/// Whether a zero width joiner behind `ch` can be inside an emoji sequence: pictographs, skin tones.
const fn joins_emoji(ch: char) -> bool {
    matches!(ch, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// The bytes of UTF-8 with which hidden characters beyond ASCII begin (others begin with them, too).
pub(super) const LEADS: [u8; 9] = [0xc2, 0xcd, 0xd8, 0xe1, 0xe2, 0xe3, 0xef, 0xf0, 0xf3];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hidden_character_begins_with_a_byte_that_the_scan_stops_at() {
        for ch in ('\0'..=char::MAX).filter(|ch| is_hidden(*ch)) {
            let mut buffer = [0; 4];
            let lead = ch.encode_utf8(&mut buffer).as_bytes()[0];
            assert!(
                matches!(lead, 0..=0x1f | 0x7f) || LEADS.contains(&lead),
                "U+{:04X}",
                ch as u32
            );
        }
    }

    #[test]
    fn all_that_unicode_calls_control_is_hidden() {
        for ch in ('\0'..=char::MAX).filter(|ch| ch.is_control()) {
            assert!(is_hidden(ch), "U+{:04X}", ch as u32);
        }
    }

    #[test]
    fn bidi_controls_are_hidden() {
        for ch in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".chars()
        {
            assert!(is_hidden(ch), "U+{:04X}", ch as u32);
        }
    }

    #[test]
    fn text_of_living_languages_is_not_hidden() {
        for ch in "aé ñ ß 猪猪，。「」 ひらがなカタカナ 한글 עברית العربية हिन्दी ไทย ქართული 😀 € ← ─ ﬁ Ａ".chars()
        {
            assert!(!is_hidden(ch), "U+{:04X}", ch as u32);
        }
    }

    #[test]
    fn a_joiner_stays_inside_an_emoji_and_nowhere_else() {
        let family = "👩\u{200d}👩\u{200d}👧";
        assert!(family.char_indices().all(|(pos, ch)| !is_hidden_at(family, pos, ch)));
        let heart = "❤\u{fe0f}\u{200d}🔥";
        assert!(heart.char_indices().all(|(pos, ch)| !is_hidden_at(heart, pos, ch)));
        for name in [
            "my\u{200d}nick",
            "\u{200d}mynick",
            "mynick\u{fe0f}",
            "❤\u{fe0f}\u{fe0f}",
            "猪\u{200d}猪",
        ] {
            assert!(
                name.char_indices().any(|(pos, ch)| is_hidden_at(name, pos, ch)),
                "{name:?}"
            );
        }
    }
}
