//! JSON of an application that nobody here knows: its `type`, `event`, `method`, `action`, `op` or `cmd` says what kind it is.

use super::json::{self, Text};
use super::{Claim, Dissector, Interpretations, MessageView};
use crate::record::{Action, Handshake, Interpretation};

pub(super) const NAME: &str = "JSON";

/// The fields that name a message's kind, the most telling first.
const KINDS: [&str; 7] = ["type", "event", "method", "action", "op", "cmd", "command"];

/// Reads what names its kind.
pub(super) struct Generic;

impl Dissector for Generic {
    fn claims(&self, _: &Handshake) -> Claim {
        Claim::ByContent
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text else { return false };
        out.extend(interpret(text));
        !out.is_empty()
    }
}

fn interpret(text: &str) -> Option<Interpretation<'_>> {
    if !text.starts_with('{') {
        return None;
    }
    Some(Interpretation::new(NAME, Action::Other).label(Some(kind(text)?)))
}

/// What an object says of its kind.
pub(super) fn kind(text: &str) -> Option<Text<'_>> {
    let mut best: Option<(usize, Text<'_>)> = None;
    for (key, value) in json::members(text).take(32) {
        let (Text::Json(key) | Text::Plain(key)) = key;
        let (Some(rank), Some(text)) = (KINDS.iter().position(|k| *k == key), value.text()) else {
            continue;
        };
        if !text.is_empty() && best.is_none_or(|(r, _)| rank <= r) {
            best = Some((rank, text));
        }
    }
    best.map(|(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_found_wherever_it_stands() {
        let label = |text| interpret(text)?.label;
        assert_eq!(
            label(r#"{"data":{"type":"no"},"event":"joined"}"#),
            Some(Text::Plain("joined"))
        );
        assert_eq!(label(r#"{"method":"m","type":"t"}"#), Some(Text::Plain("t")));
        assert_eq!(label(r#"{"op":10}"#), Some(Text::Plain("10")));
        assert_eq!(label(r#"{"a":1}"#), None);
    }
}
