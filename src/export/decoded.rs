//! Texts in which characters are written in another way, with the place that each byte comes from.

use crate::base::Text;

/// A way in which characters may be written.
pub(super) struct Way {
    /// Every escape begins with it.
    sign: char,
    /// Appends what an escape stands for, and says how long it was written. `None`: it is none.
    one: fn(&str, &mut Vec<u8>) -> Option<usize>,
}

/// `%70` as in a URL.
pub(super) const PERCENT: Way = Way {
    sign: '%',
    one: percent,
};

/// `&quot;` as in HTML and XML.
const ENTITIES: Way = Way { sign: '&', one: entity };

/// `\u0070` as in a string of JSON.
pub(super) const JSON: Way = Way { sign: '\\', one: json };

/// How a text may be written.
pub(super) const WAYS: [Way; 3] = [PERCENT, ENTITIES, JSON];

/// So far apart, at least, are places that are remembered.
const STEP: usize = 256;

/// A text without its escapes.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// Where some of it stands, and where it was written, in order. All places would take many times the memory of the text.
    places: Vec<(usize, usize)>,
}

fn percent(rest: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    let digit = |at: usize| {
        rest.as_bytes()
            .get(at)
            .and_then(|digit| char::from(*digit).to_digit(16))
    };
    bytes.push((digit(1)? << 4 | digit(2)?) as u8);
    Some(3)
}

fn entity(rest: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    const NAMED: [(&str, char); 8] = [
        ("quot", '"'),
        ("apos", '\''),
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("colon", ':'),
        ("equals", '='),
        ("nbsp", ' '),
    ];
    // No longer than any of them: `&#x0000022;`
    let length = rest.bytes().take(12).position(|byte| byte == b';')?;
    let name = &rest[1..length];
    let code = match (
        name.strip_prefix("#x").or(name.strip_prefix("#X")),
        name.strip_prefix('#'),
    ) {
        (Some(digits), _) => u32::from_str_radix(digits, 16).ok(),
        (None, Some(digits)) => digits.parse().ok(),
        (None, None) => None,
    };
    let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    let c = code.and_then(char::from_u32).or(named)?;
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Some(length + 1)
}

fn json(rest: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    let length = unit(rest);
    let before = bytes.len();
    for c in Text::Json(&rest[..length]).chars() {
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    // Perhaps nothing that can be resolved.
    (bytes.len() > before).then_some(length)
}

/// How long the character is with which `raw`, the inside of a string of JSON, begins: an escape, two that are one character, or one as it is.
pub(super) fn unit(raw: &str) -> usize {
    let bytes = raw.as_bytes();
    let code = |at: usize| -> Option<u16> {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match bytes {
        [b'\\', b'u', ..] => match (code(0), code(6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(_), _) => 6,
            (None, _) => 1,
        },
        [b'\\', next, ..] if next.is_ascii() => 2,
        _ => raw.chars().next().map_or(0, char::len_utf8),
    }
}

impl Way {
    /// What a text says that is written so. `None` when nothing in it is.
    pub(super) fn decode(&self, written: &str) -> Option<Decoded> {
        written.find(self.sign)?;
        let mut bytes = Vec::with_capacity(written.len());
        let mut places = vec![(0, 0)];
        let mut any = false;
        let mut from = 0;
        while from < written.len() {
            if places.last().is_some_and(|(at, _)| bytes.len() >= at + STEP) {
                places.push((bytes.len(), from));
            }
            let (length, escape) = self.step(&written[from..], &mut bytes);
            any |= escape;
            from += length;
        }
        if !any {
            return None;
        }
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let mut text = String::with_capacity(error.as_bytes().len());
            for chunk in error.as_bytes().utf8_chunks() {
                text.push_str(chunk.valid());
                // As many bytes, so that the places stay right.
                text.extend(chunk.invalid().iter().map(|_| '?'));
            }
            text
        });
        Some(Decoded { text, places })
    }

    /// Where what stands at `at` in what was decoded comes from: all of an escape from where it begins.
    pub(super) fn place(&self, decoded: &Decoded, written: &str, at: usize) -> usize {
        let near = decoded.places.partition_point(|(begin, _)| *begin <= at) - 1;
        let (mut begin, mut from) = decoded.places[near];
        let mut bytes = Vec::new();
        while from < written.len() {
            bytes.clear();
            let (length, escape) = self.step(&written[from..], &mut bytes);
            if at < begin + bytes.len() {
                return if escape { from } else { from + at - begin };
            }
            begin += bytes.len();
            from += length;
        }
        written.len()
    }

    /// Appends what `rest` begins with, an escape or a piece of other text; says how long it was written, and whether it was an escape.
    fn step(&self, rest: &str, bytes: &mut Vec<u8>) -> (usize, bool) {
        if rest.starts_with(self.sign)
            && let Some(length) = (self.one)(rest, bytes)
        {
            return (length, true);
        }
        let ends = |(at, c): &(usize, char)| *at > 0 && (*c == self.sign || *at >= STEP);
        let length = rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at);
        bytes.extend_from_slice(&rest.as_bytes()[..length]);
        (length, false)
    }

    /// Whether something in a text is written so, a row of signs alone aside.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let mut bytes = Vec::new();
        text.match_indices(self.sign).any(|(at, sign)| {
            bytes.clear();
            let rest = &text[at..];
            rest.len() > sign.len()
                && !rest[sign.len()..].starts_with(self.sign)
                && (self.one)(rest, &mut bytes).is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_the_place_that_it_comes_from() {
        for (text, way, plain, places) in [
            ("a%3Db", PERCENT, "a=b", vec![0, 1, 4, 5]),
            ("%zz%ff", PERCENT, "%zz?", vec![0, 1, 2, 3, 6]),
            ("%41%42c%43d", PERCENT, "ABcCd", vec![0, 3, 6, 7, 10, 11]),
            ("&quot;&#61;&#x3a;&x", ENTITIES, "\"=:&x", vec![0, 6, 11, 17, 18, 19]),
            ("\\u0070\\q\\\\", JSON, "pq\\", vec![0, 6, 8, 10]),
            ("\\u732aa", JSON, "\u{732a}a", vec![0, 0, 0, 6, 7]),
        ] {
            let decoded = way.decode(text).unwrap();
            let found: Vec<usize> = (0..=plain.len()).map(|at| way.place(&decoded, text, at)).collect();
            assert_eq!((decoded.text.as_str(), &found), (plain, &places), "{text}");
        }
        for way in WAYS {
            assert!(way.decode("100% & more \u{732a}").is_none());
            assert!(!way.is_in("100% & more \\\\"));
        }
        assert!(PERCENT.is_in("%%41") && JSON.is_in("\\\\/") && ENTITIES.is_in("&amp;"));
    }

    /// However many escapes there are, and however they alternate.
    #[test]
    fn places_take_a_part_of_the_memory_of_a_text() {
        for part in ["a", "\\u732a", "a\\n", "\\u0041\\n\\ud83d\\ude00x"] {
            let written = format!("\\n{}", part.repeat(10_000));
            let decoded = JSON.decode(&written).unwrap();
            assert!(decoded.places.len() <= decoded.text.len() / STEP + 1);
            let of_part = JSON.decode(part).map_or(part.len(), |part| part.text.len());
            for count in [0, 1, 100, 9_999, 10_000] {
                let place = JSON.place(&decoded, &written, 1 + count * of_part);
                assert_eq!(place, 2 + count * part.len(), "{part}");
            }
        }
    }
}
