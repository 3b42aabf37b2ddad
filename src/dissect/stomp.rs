//! STOMP 1.2 (stomp.github.io): a command, headers, an empty line, a body, a NUL. A lone line feed is a heartbeat.

use super::{Act, Meaning, Protocol, Said, Text};

pub(super) fn read<'a>(said: &Said<'a>) -> Option<Meaning<'a>> {
    let text = said.text;
    let sure = said.hint == Some(Protocol::Stomp);
    let generic = |act, label, id| {
        Some(Meaning::Generic {
            protocol: Protocol::Stomp,
            act,
            label,
            id,
        })
    };
    if sure && matches!(text, "\n" | "\r\n") {
        return generic(Act::Ping, None, None);
    }
    let (command, rest) = text.split_at(text.bytes().take(16).position(|b| matches!(b, b'\n' | b'\r'))?);
    let (act, label, id) = match command {
        "CONNECT" | "STOMP" => (Act::Open, "host", ""),
        "CONNECTED" => (Act::Opened, "server", ""),
        "SEND" => (Act::Send, "destination", "receipt"),
        "SUBSCRIBE" => (Act::Subscribe, "destination", "id"),
        "UNSUBSCRIBE" => (Act::Unsubscribe, "destination", "id"),
        "ACK" => (Act::Confirm, "", "id"),
        "NACK" => (Act::Error, "", "id"),
        "BEGIN" | "COMMIT" | "ABORT" => (Act::Other, "transaction", ""),
        "DISCONNECT" => (Act::Close, "", "receipt"),
        "MESSAGE" => (Act::Data, "destination", "message-id"),
        "RECEIPT" => (Act::Confirm, "", "receipt-id"),
        "ERROR" => (Act::Error, "message", "receipt-id"),
        _ => return None,
    };
    if !sure && !text.ends_with(['\0', '\n']) {
        return None;
    }
    generic(act, header(rest, label), header(rest, id))
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
    use crate::base::Direction;

    #[test]
    fn a_frame_is_named_by_its_destination() {
        let text = "SEND\ndestination:/queue/a\nreceipt:77\n\nhello\0";
        let said = Said {
            text,
            direction: Direction::ClientToServer,
            hint: None,
        };
        assert_eq!(
            read(&said),
            Some(Meaning::Generic {
                protocol: Protocol::Stomp,
                act: Act::Send,
                label: Some(Text::Plain("/queue/a")),
                id: Some(Text::Plain("77")),
            })
        );
        let prose = Said {
            text: "SEND\nhelp",
            ..said
        };
        assert_eq!(read(&prose), None);
    }
}
