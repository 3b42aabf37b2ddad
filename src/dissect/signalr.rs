//! SignalR's JSON hub protocol (github.com/dotnet/aspnetcore, HubProtocol.md): records of JSON, each ended by 0x1e; a message holds one
//! or more.

use super::json::{self, Text, Value};
use super::{Claim, Dissector, Interpretations, MessageView, documents};
use crate::record::{Action, Exchange, Handshake, Interpretation, Key};

pub(super) const NAME: &str = "SignalR";

const END: char = '\u{1e}';

/// Reads the hub protocol. Its records tell themselves apart from everything else.
pub(super) struct SignalR;

impl Dissector for SignalR {
    fn claims(&self, _: &Handshake) -> Claim {
        Claim::ByContent
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text.filter(|text| text.ends_with(END)) else {
            return false;
        };
        documents(text, text.split_terminator(END), interpret, out);
        true
    }
}

fn interpret(record: &str) -> Interpretation<'_> {
    let (mut kind, mut target, mut id, mut error, mut protocol) = (None, None, None, false, false);
    for (key, value) in json::members(record).take(16) {
        let (Text::Json(key) | Text::Plain(key)) = key;
        match key {
            "type" => kind = Some(value),
            "target" => target = value.text(),
            "invocationId" => id = value.text(),
            "error" => error = !matches!(value, Value::Literal("null")),
            "protocol" => protocol = true,
            _ => {}
        }
    }
    let kind = match kind {
        Some(Value::Number(kind)) => kind,
        _ => "",
    };
    let action = match (kind, id) {
        ("1", Some(_)) => Action::Request,
        ("1", None) => Action::Event,
        ("2", _) => Action::Data,
        ("3", _) if error => Action::Error,
        ("3", _) => Action::Response,
        ("4", _) => Action::Subscribe,
        ("5", _) => Action::Unsubscribe,
        ("6", _) => Action::Ping,
        ("7", _) if error => Action::Error,
        ("7", _) => Action::Close,
        // The handshake has no type: the client names the protocol, the server answers with nothing or an error.
        ("", _) if protocol => Action::Open,
        ("", _) if error => Action::Error,
        ("", _) => Action::Opened,
        _ => Action::Other,
    };
    let exchange = match (kind, id.map(|id| Key::new([id]))) {
        ("1" | "4", Some(key)) => Exchange::Request(key),
        ("3", Some(key)) => Exchange::Answer(key),
        ("5", Some(key)) => Exchange::Cancel(key),
        _ => Exchange::None,
    };
    Interpretation::new(NAME, action)
        .label(target)
        .id(id)
        .exchange(exchange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_of_a_message_is_read() {
        let text = "{\"type\":3,\"invocationId\":\"7\",\"result\":null}\u{1e}{\"type\":6}\u{1e}";
        let mut out = Interpretations::new();
        documents(text, text.split_terminator(END), interpret, &mut out);
        let read: Vec<_> = out.iter().map(|read| (read.action, read.document)).collect();
        assert_eq!(
            read,
            [(Action::Response, Some((0, 43))), (Action::Ping, Some((44, 10)))]
        );
    }

    #[test]
    fn the_handshake_and_its_answer_open_the_session() {
        assert_eq!(interpret(r#"{"protocol":"json","version":1}"#).action, Action::Open);
        assert_eq!(interpret("{}").action, Action::Opened);
        assert_eq!(interpret(r#"{"error":"no"}"#).action, Action::Error);
    }

    #[test]
    fn an_invocation_is_named_by_its_target() {
        let read = interpret(r#"{"type":1,"invocationId":"0","target":"Send","arguments":["a"]}"#);
        assert_eq!(
            (read.action, read.label, read.id),
            (Action::Request, Some(Text::Plain("Send")), Some(Text::Plain("0")))
        );
        assert_eq!(interpret(r#"{"type":1,"target":"Send"}"#).action, Action::Event);
    }
}
