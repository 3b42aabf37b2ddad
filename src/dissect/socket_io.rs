//! Socket.IO (protocol 5) over Engine.IO (protocol 4): one digit for Engine.IO, and in its messages (`4`) one for Socket.IO, then
//! perhaps the number of attachments, the namespace, an acknowledgment id, and JSON: `42/chat,7["message","hi"]`.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::json::{self, Text, Value};
use super::{Claim, Dissector, Interpretations, MessageView};
use crate::base::Direction;
use crate::record::{Action, Exchange, Handshake, Interpretation, Key, SessionId, ShortText};

pub(super) const NAME: &str = "Socket.IO";

/// Directions of which it is remembered that attachments follow.
const MAX_ANNOUNCED: usize = 4096;

/// Reads Socket.IO 3 to 5, which look the same in what is read here.
#[derive(Default)]
pub(super) struct SocketIo {
    /// The attachments that follow an event: how many binary messages, and what the event is called.
    announced: HashMap<(SessionId, Direction), (u64, ShortText), FixedState>,
}

impl Dissector for SocketIo {
    fn claims(&self, handshake: &Handshake) -> Claim {
        match handshake.request.target.contains("EIO=") {
            true => Claim::Yes,
            false => Claim::ByContent,
        }
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let key = (message.session, message.direction);
        let Some(text) = message.text else {
            return message.claimed && self.attachment(key, out);
        };
        let read = interpret(text, message.direction, message.claimed);
        if message.claimed
            && let Some(read) = &read
            && let Some(count) = attachments(text)
            && self.announced.len() < MAX_ANNOUNCED
        {
            let label = read.label.map_or_else(ShortText::default, ShortText::new);
            self.announced.insert(key, (count, label));
        }
        out.extend(read);
        !out.is_empty()
    }

    fn gap(&mut self, session: SessionId, direction: Direction) {
        self.announced.remove(&(session, direction));
    }

    fn end(&mut self, session: SessionId) {
        for direction in Direction::BOTH {
            self.announced.remove(&(session, direction));
        }
    }
}

impl SocketIo {
    /// A binary message: the next attachment, if one was announced.
    fn attachment<'a>(&'a mut self, key: (SessionId, Direction), out: &mut Interpretations<'a>) -> bool {
        let Some((left, label)) = self.announced.get_mut(&key).filter(|(left, _)| *left > 0) else {
            return false;
        };
        *left -= 1;
        let label = Some(Text::Plain(label.as_str())).filter(|label| !label.is_empty());
        out.push(Interpretation::new(NAME, Action::Named("attachment")).label(label));
        true
    }
}

/// How many attachments a binary event or acknowledgment announces: `451-…` has one.
fn attachments(text: &str) -> Option<u64> {
    let rest = text.strip_prefix("45").or_else(|| text.strip_prefix("46"))?;
    let (count, _) = rest.split_once('-')?;
    count.parse().ok().filter(|&count| count > 0)
}

fn interpret(text: &str, direction: Direction, sure: bool) -> Option<Interpretation<'_>> {
    let means = |action| Some(Interpretation::new(NAME, action));
    match text.as_bytes() {
        [b'0', b'{', ..] if sure || text.starts_with("0{\"sid\"") => means(Action::Opened),
        [b'1'] if sure => means(Action::Close),
        [b'2', ..] if sure && (text == "2" || text == "2probe") => {
            Some(Interpretation::new(NAME, Action::Ping).exchange(Exchange::Request(Key::PING)))
        }
        [b'3', ..] if sure && (text == "3" || text == "3probe") => {
            Some(Interpretation::new(NAME, Action::Pong).exchange(Exchange::Latest(Key::PING)))
        }
        // The transport changes from polling to WebSocket.
        [b'5'] if sure => means(Action::Named("upgrade")),
        [b'6'] if sure => means(Action::Named("noop")),
        [b'4', kind @ b'0'..=b'6', ..] if sure || text.starts_with("42[\"") => {
            let (namespace, id, data) = parts(text.get(2..)?);
            let (action, label) = match (kind, direction) {
                (b'0', Direction::ClientToServer) => (Action::Open, namespace),
                (b'0', Direction::ServerToClient) => (Action::Opened, namespace),
                (b'1', _) => (Action::Close, namespace),
                (b'2' | b'5', _) => (
                    Action::Event,
                    json::items(data).next().and_then(Value::text).or(namespace),
                ),
                (b'3' | b'6', _) => (Action::Confirm, namespace),
                _ => (Action::Error, namespace),
            };
            // Each namespace counts for itself.
            let key = id.map(|id| Key::new([namespace.unwrap_or(Text::Plain("/")), id]));
            let exchange = match (action, key) {
                (Action::Event, Some(key)) => Exchange::Request(key),
                (Action::Confirm, Some(key)) => Exchange::Answer(key),
                _ => Exchange::None,
            };
            Some(Interpretation::new(NAME, action).label(label).id(id).exchange(exchange))
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

    type Read<'a> = (Action, Option<Text<'a>>, Option<Text<'a>>);

    fn read(text: &str, sure: bool) -> Option<Read<'_>> {
        let read = interpret(text, Direction::ServerToClient, sure)?;
        Some((read.action, read.label, read.id))
    }

    #[test]
    fn events_acknowledgments_and_heartbeats_are_read() {
        assert_eq!(
            read(r#"42/chat,7["message","hi"]"#, true),
            Some((Action::Event, Some(Text::Plain("message")), Some(Text::Plain("7"))))
        );
        assert_eq!(
            read(r#"451-["file",{"_placeholder":true,"num":0}]"#, true),
            Some((Action::Event, Some(Text::Plain("file")), None))
        );
        assert_eq!(
            read("437[]", true),
            Some((Action::Confirm, None, Some(Text::Plain("7"))))
        );
        assert_eq!(read("2", true), Some((Action::Ping, None, None)));
    }

    #[test]
    fn a_connect_packet_of_the_server_confirms_the_session() {
        let action = |direction| interpret("40", direction, true).map(|read| read.action);
        assert_eq!(action(Direction::ClientToServer), Some(Action::Open));
        assert_eq!(action(Direction::ServerToClient), Some(Action::Opened));
    }

    #[test]
    fn engine_io_5_upgrades_the_transport_and_6_does_nothing() {
        assert_eq!(read("5", true), Some((Action::Named("upgrade"), None, None)));
        assert_eq!(read("6", true), Some((Action::Named("noop"), None, None)));
    }

    #[test]
    fn a_number_alone_is_not_a_heartbeat_without_the_handshake() {
        assert_eq!(read("2", false), None);
        assert_eq!(read("42", false), None);
        assert!(read(r#"42["message"]"#, false).is_some());
    }
}
