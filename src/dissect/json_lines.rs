//! Newline-separated JSON: a text message that holds several objects, one a line (or one behind the other).

use super::generic;
use super::{Claim, Dissector, Interpretations, MessageView, documents};
use crate::record::{Action, Handshake, Interpretation};

pub(super) const NAME: &str = "JSON lines";

/// Reads messages of at least two lines that are each an object.
pub(super) struct JsonLines;

impl Dissector for JsonLines {
    fn claims(&self, _: &Handshake) -> Claim {
        Claim::ByContent
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text else { return false };
        // A cheap look first: pretty-printed JSON has line feeds as well, but no line that is an object.
        if !text.starts_with('{') || memchr::memchr(b'\n', text.as_bytes()).is_none() {
            return false;
        }
        let lines = || text.lines().filter(|line| !line.trim().is_empty());
        let is_object = |line: &str| line.starts_with('{') && line.trim_end().ends_with('}');
        if lines().nth(1).is_none() || !lines().all(is_object) {
            return false;
        }
        documents(text, lines(), interpret, out);
        true
    }
}

fn interpret(line: &str) -> Interpretation<'_> {
    let label = generic::kind(line);
    Interpretation::new(NAME, Action::Other).label(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut dissector = JsonLines;
        let mut out = Interpretations::new();
        dissector.read(&MessageView::text(text), &mut out);
        out.iter()
            .map(|read| read.label.map_or_else(String::new, |label| label.chars().collect()))
            .collect()
    }

    #[test]
    fn each_line_is_a_document() {
        assert_eq!(read("{\"type\":\"a\"}\n{\"type\":\"b\"}\n"), ["a", "b"]);
    }

    #[test]
    fn pretty_printed_json_is_one_document() {
        assert!(read("{\n  \"type\": \"a\"\n}").is_empty());
    }
}
