//! JSON of an application that nobody here knows: its `type`, `event`, `method`, `action`, `op` or `cmd` says what kind it is.

use super::json::{self, Text};
use super::{Act, Meaning, Protocol, Said};

/// The fields that name a message's kind, the most telling first.
const KINDS: [&str; 7] = ["type", "event", "method", "action", "op", "cmd", "command"];

pub(super) fn read<'a>(said: &Said<'a>) -> Option<Meaning<'a>> {
    if !said.text.starts_with('{') {
        return None;
    }
    let mut best: Option<(usize, Text<'a>)> = None;
    for (key, value) in json::members(said.text).take(32) {
        let (Text::Json(key) | Text::Plain(key)) = key;
        let (Some(rank), Some(text)) = (KINDS.iter().position(|k| *k == key), value.text()) else {
            continue;
        };
        if !text.is_empty() && best.is_none_or(|(r, _)| rank <= r) {
            best = Some((rank, text));
        }
    }
    let (_, label) = best?;
    Some(Meaning::Generic {
        protocol: Protocol::Json,
        act: Act::Other,
        label: Some(label),
        id: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Direction;

    #[test]
    fn the_kind_is_found_wherever_it_stands() {
        let label = |text| {
            let said = Said {
                text,
                direction: Direction::ClientToServer,
                hint: None,
            };
            match read(&said)? {
                Meaning::Generic { label, .. } => label,
                _ => None,
            }
        };
        assert_eq!(
            label(r#"{"data":{"type":"no"},"event":"joined"}"#),
            Some(Text::Json("joined"))
        );
        assert_eq!(label(r#"{"method":"m","type":"t"}"#), Some(Text::Json("t")));
        assert_eq!(label(r#"{"op":10}"#), Some(Text::Plain("10")));
        assert_eq!(label(r#"{"a":1}"#), None);
    }
}
