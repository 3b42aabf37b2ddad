//! STOMP 1.2 (stomp.github.io): a command, headers, an empty line, a body, a NUL. A lone line feed is a heartbeat.

use super::{Claim, Dissector, Interpretations, MessageView, Text, speaks};
use crate::record::{Action, Exchange, Handshake, Interpretation, Key};

pub(super) const NAME: &str = "STOMP";

/// Reads STOMP 1.0 to 1.2.
pub(super) struct Stomp;

impl Dissector for Stomp {
    fn claims(&self, handshake: &Handshake) -> Claim {
        speaks(handshake, &["v10.stomp", "v11.stomp", "v12.stomp"])
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text else { return false };
        out.extend(interpret(text, message.claimed));
        !out.is_empty()
    }
}

/// What a frame means; `sure`: that it is one is known.
pub(super) fn interpret(text: &str, sure: bool) -> Option<Interpretation<'_>> {
    if sure && matches!(text, "\n" | "\r\n") {
        return Some(Interpretation::new(NAME, Action::Ping));
    }
    if !text.starts_with(|first: char| first.is_ascii_uppercase()) {
        return None;
    }
    let (command, rest) = text.split_at(text.bytes().take(16).position(|b| matches!(b, b'\n' | b'\r'))?);
    let (act, label, id) = action(command)?;
    if !sure && !text.ends_with(['\0', '\n']) {
        return None;
    }
    Some(
        Interpretation::new(NAME, act)
            .label(header(rest, label))
            .id(header(rest, id))
            .exchange(exchange(command, |name| header(rest, name))),
    )
}

/// What a command does, and the headers that name what it is about and that tie it to its answer.
pub(super) fn action(command: &str) -> Option<(Action, &'static str, &'static str)> {
    Some(match command {
        "CONNECT" | "STOMP" => (Action::Open, "host", ""),
        "CONNECTED" => (Action::Opened, "server", ""),
        "SEND" => (Action::Send, "destination", "receipt"),
        "SUBSCRIBE" => (Action::Subscribe, "destination", "id"),
        "UNSUBSCRIBE" => (Action::Unsubscribe, "destination", "id"),
        "ACK" => (Action::Confirm, "", "id"),
        "NACK" => (Action::Error, "", "id"),
        "BEGIN" | "COMMIT" | "ABORT" => (Action::Other, "transaction", ""),
        "DISCONNECT" => (Action::Close, "", "receipt"),
        "MESSAGE" => (Action::Data, "destination", "message-id"),
        "RECEIPT" => (Action::Confirm, "", "receipt-id"),
        "ERROR" => (Action::Error, "message", "receipt-id"),
        _ => return None,
    })
}

/// A receipt is due for a frame that asks for one, and an error may come instead.
pub(super) fn exchange<'a>(command: &str, header: impl Fn(&str) -> Option<Text<'a>>) -> Exchange {
    let key = |name| header(name).map(|id| Key::new([id]));
    match command {
        "RECEIPT" | "ERROR" => key("receipt-id").map_or(Exchange::None, Exchange::Answer),
        "MESSAGE" | "CONNECTED" => Exchange::None,
        _ => key("receipt").map_or(Exchange::None, Exchange::Request),
    }
}

/// The first header of that name; its escapes are left as they are.
fn header<'a>(rest: &'a str, name: &str) -> Option<Text<'a>> {
    rest.lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .take(64)
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(Text::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_named_by_its_destination() {
        let read = interpret("SEND\ndestination:/queue/a\nreceipt:77\n\nhello\0", false).unwrap();
        assert_eq!(
            (read.action, read.label, read.id),
            (Action::Send, Some(Text::Plain("/queue/a")), Some(Text::Plain("77")))
        );
        assert_eq!(interpret("SEND\nhelp", false), None);
    }
}
