//! Socket.IO (protocol 5) over Engine.IO (protocol 4): one digit for Engine.IO, and in its messages (`4`) one for Socket.IO, then
//! perhaps the number of attachments, the namespace, an acknowledgment id, and JSON: `42/chat,7["message","hi"]`.

use super::json::{self, Text, Value};
use super::{Act, Meaning, Protocol, Said};

pub(super) fn read<'a>(said: &Said<'a>) -> Option<Meaning<'a>> {
    let text = said.text;
    let sure = said.hint == Some(Protocol::SocketIo);
    let generic = |act, label, id| {
        Some(Meaning::Generic {
            protocol: Protocol::SocketIo,
            act,
            label,
            id,
        })
    };
    match text.as_bytes() {
        [b'0', b'{', ..] if sure || text.starts_with("0{\"sid\"") => generic(Act::Opened, None, None),
        [b'1'] if sure => generic(Act::Close, None, None),
        [b'2', ..] if sure && (text == "2" || text == "2probe") => generic(Act::Ping, None, None),
        [b'3', ..] if sure && (text == "3" || text == "3probe") => generic(Act::Pong, None, None),
        [b'5'] if sure => generic(Act::Open, None, None),
        [b'4', kind @ b'0'..=b'6', ..] if sure || text.starts_with("42[\"") => {
            let (namespace, id, data) = parts(text.get(2..)?);
            match kind {
                b'0' => generic(Act::Open, namespace, id),
                b'1' => generic(Act::Close, namespace, id),
                b'2' | b'5' => {
                    let name = json::items(data).next().and_then(Value::text);
                    generic(Act::Event, name.or(namespace), id)
                }
                b'3' | b'6' => generic(Act::Confirm, namespace, id),
                _ => generic(Act::Error, namespace, id),
            }
        }
        _ => None,
    }
}

/// Namespace, acknowledgment id and JSON of what stands behind the two digits.
fn parts(text: &str) -> (Option<Text<'_>>, Option<Text<'_>>, &str) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = text;
    let attachments = digits(rest);
    if rest[attachments..].starts_with('-') {
        rest = &rest[attachments + 1..];
    }
    let mut namespace = None;
    if rest.starts_with('/') {
        let end = rest.find(',').unwrap_or(rest.len());
        namespace = Some(Text::Plain(&rest[..end]));
        rest = rest.get(end + 1..).unwrap_or("");
    }
    let id = digits(rest);
    let number = (id > 0).then(|| Text::Plain(&rest[..id]));
    (namespace, number, &rest[id..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Direction;

    fn meaning(text: &str, hint: Option<Protocol>) -> Option<(Act, Option<Text<'_>>, Option<Text<'_>>)> {
        let said = Said {
            text,
            direction: Direction::ServerToClient,
            hint,
        };
        match read(&said)? {
            Meaning::Generic { act, label, id, .. } => Some((act, label, id)),
            _ => None,
        }
    }

    #[test]
    fn events_acknowledgments_and_heartbeats_are_read() {
        let io = Some(Protocol::SocketIo);
        assert_eq!(
            meaning(r#"42/chat,7["message","hi"]"#, io),
            Some((Act::Event, Some(Text::Json("message")), Some(Text::Plain("7"))))
        );
        assert_eq!(
            meaning(r#"451-["file",{"_placeholder":true,"num":0}]"#, io),
            Some((Act::Event, Some(Text::Json("file")), None))
        );
        assert_eq!(meaning("437[]", io), Some((Act::Confirm, None, Some(Text::Plain("7")))));
        assert_eq!(meaning("2", io), Some((Act::Ping, None, None)));
        assert_eq!(meaning("40", io), Some((Act::Open, None, None)));
    }

    #[test]
    fn a_number_alone_is_not_a_heartbeat_without_the_handshake() {
        assert_eq!(meaning("2", None), None);
        assert_eq!(meaning("42", None), None);
        assert!(meaning(r#"42["message"]"#, None).is_some());
    }
}
