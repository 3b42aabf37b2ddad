//! SockJS (sockjs-protocol 0.3.3): the server's frames `o` (open), `h` (heartbeat), `a[…]` (messages), `c[…]` (close), and the client's
//! array of strings. STOMP inside is read as STOMP.

use super::json::{self, Text, Value};
use super::{Claim, Dissector, Interpretations, MessageView, stomp};
use crate::base::Direction;
use crate::record::{Action, Field, Handshake, Interpretation};

pub(super) const NAME: &str = "SockJS";

/// Messages of one frame that are read.
const MAX_MESSAGES: usize = 64;

/// Reads sessions whose target is that of SockJS: `/{server}/{session}/websocket`.
pub(super) struct SockJs;

impl Dissector for SockJs {
    fn claims(&self, handshake: &Handshake) -> Claim {
        let path = handshake.request.target.split('?').next().unwrap_or_default();
        let mut parts = path.rsplit('/');
        let last = parts.next() == Some("websocket");
        let session = parts.next().is_some_and(|part| !part.is_empty() && !part.contains('.'));
        let server = parts
            .next()
            .is_some_and(|part| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()));
        if last && session && server {
            Claim::Yes
        } else {
            Claim::ByContent
        }
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text.filter(|_| message.claimed) else {
            return false;
        };
        let means = |action| Interpretation::new(NAME, action);
        match (message.direction, text.as_bytes()) {
            (Direction::ServerToClient, b"o") => out.push(means(Action::Opened)),
            (Direction::ServerToClient, b"h") => out.push(means(Action::Ping)),
            (Direction::ServerToClient, [b'c', b'[', ..]) => {
                let mut items = json::items(&text[1..]);
                let code = items.next().and_then(Value::text);
                let reason = items.next().and_then(Value::text);
                out.push(means(Action::Close).label(reason).field("code", code.map(Field::Text)));
            }
            (Direction::ServerToClient, [b'a', b'[', ..]) => messages(text, &text[1..], out),
            (Direction::ClientToServer, [b'[', ..]) => messages(text, text, out),
            _ => {}
        }
        !out.is_empty()
    }
}

/// The strings of an array, each a document.
fn messages<'a>(text: &'a str, array: &'a str, out: &mut Interpretations<'a>) {
    for item in json::items(array).take(MAX_MESSAGES) {
        let Value::String(Text::Json(raw) | Text::Plain(raw)) = item else {
            continue;
        };
        let offset = raw.as_ptr() as usize - text.as_ptr() as usize;
        let read = stomp_in_json(raw).unwrap_or_else(|| {
            Interpretation::new(NAME, Action::Send).field("content", Some(Field::Text(Text::Json(raw))))
        });
        out.push(Interpretation {
            document: Some((offset, raw.len())),
            ..read
        });
    }
}

/// STOMP whose line feeds are escaped in JSON: the command, and the header that names what the frame is about.
fn stomp_in_json(raw: &str) -> Option<Interpretation<'_>> {
    let (command, _) = raw.split_once("\\n")?;
    let (action, label, id) = stomp::action(command)?;
    let header = |name: &str| {
        raw.split("\\n")
            .skip(1)
            .take(64)
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(Text::Json)
    };
    Some(
        Interpretation::new(stomp::NAME, action)
            .label(header(label))
            .id(header(id))
            .exchange(stomp::exchange(command, header)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&'static str, Action, Option<Text<'_>>)> {
        let mut out = Interpretations::new();
        messages(text, &text[text.find('[').unwrap()..], &mut out);
        out.iter()
            .map(|read| (read.protocol, read.action, read.label))
            .collect()
    }

    #[test]
    fn stomp_inside_is_stomp() {
        assert_eq!(
            read(r#"a["MESSAGE\ndestination:/topic/a\nmessage-id:1\n\nhello\u0000"]"#),
            [("STOMP", Action::Data, Some(Text::Json("/topic/a")))]
        );
    }

    #[test]
    fn other_strings_are_messages() {
        assert_eq!(
            read(r#"["hello","there"]"#),
            [(NAME, Action::Send, None), (NAME, Action::Send, None)]
        );
    }
}
