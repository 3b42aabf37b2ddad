//! Texts in which characters are written in another way, with the place that each byte comes from.

use crate::base::Text;

/// A text without its escapes.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// Where each byte comes from, and the end.
    pub(super) places: Vec<usize>,
}

/// How a text may be written.
pub(super) const WAYS: [fn(&str) -> Option<Decoded>; 3] = [percent, entities, json];

/// `%70` as in a URL. `None` when there is none.
pub(super) fn percent(text: &str) -> Option<Decoded> {
    let digit = |rest: &[u8], at: usize| rest.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    decode(text, '%', |rest, bytes| {
        let (high, low) = (digit(rest.as_bytes(), 1)?, digit(rest.as_bytes(), 2)?);
        bytes.push((high << 4 | low) as u8);
        Some(3)
    })
}

/// `&quot;` as in HTML and XML. `None` when there is none.
fn entities(text: &str) -> Option<Decoded> {
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
    decode(text, '&', |rest, bytes| {
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
    })
}

/// `\u0070` as in a string of JSON. `None` when there is none.
pub(super) fn json(text: &str) -> Option<Decoded> {
    decode(text, '\\', |rest, bytes| {
        let length = unit(rest);
        let before = bytes.len();
        for c in Text::Json(&rest[..length]).chars() {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        // Perhaps nothing that can be resolved.
        (bytes.len() > before).then_some(length)
    })
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

/// Resolves what begins with `sign`: `one` appends what stands there and says how long it was written.
fn decode(text: &str, sign: char, one: impl Fn(&str, &mut Vec<u8>) -> Option<usize>) -> Option<Decoded> {
    text.find(sign)?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len() + 1);
    let mut any = false;
    let mut at = 0;
    while at < text.len() {
        let escape = text[at..]
            .starts_with(sign)
            .then(|| one(&text[at..], &mut bytes))
            .flatten();
        any |= escape.is_some();
        let length = escape.unwrap_or_else(|| {
            let first = text[at..].chars().next().map_or(1, char::len_utf8);
            let next = text[at + first..]
                .find(sign)
                .map_or(text.len(), |next| at + first + next);
            bytes.extend_from_slice(&text.as_bytes()[at..next]);
            next - at
        });
        // What was one escape comes from where it begins; other text from where it stands.
        match escape {
            Some(_) => places.resize(bytes.len(), at),
            None => places.extend(at..at + length),
        }
        at += length;
    }
    if !any {
        return None;
    }
    places.push(text.len());
    let mut resolved = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        resolved.push_str(chunk.valid());
        // As many bytes, so that the places stay right.
        resolved.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Some(Decoded { text: resolved, places })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_the_place_that_it_comes_from() {
        for (text, way, plain, places) in [
            ("a%3Db", percent as fn(&str) -> Option<Decoded>, "a=b", vec![0, 1, 4, 5]),
            ("%zz%ff", percent, "%zz?", vec![0, 1, 2, 3, 6]),
            ("&quot;&#61;&#x3a;&x", entities, "\"=:&x", vec![0, 6, 11, 17, 18, 19]),
            ("\\u0070\\q\\\\", json, "pq\\", vec![0, 6, 8, 10]),
            ("\\u732aa", json, "\u{732a}a", vec![0, 0, 0, 6, 7]),
        ] {
            let decoded = way(text).unwrap();
            assert_eq!((decoded.text.as_str(), &decoded.places), (plain, &places), "{text}");
        }
        for way in WAYS {
            assert!(way("100% & more \u{732a}").is_none());
        }
    }
}
