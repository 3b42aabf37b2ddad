//! GraphQL over WebSocket: the `graphql-transport-ws` subprotocol (graphql-ws, PROTOCOL.md) and its predecessor `graphql-ws`
//! (subscriptions-transport-ws).

use super::json::{self, Text, Value};
use super::{Claim, Dissector, Interpretations, MessageView, speaks};
use crate::record::{Action, Handshake, Interpretation};

pub(super) const NAME: &str = "GraphQL";

/// Reads both subprotocols.
pub(super) struct GraphqlWs;

impl Dissector for GraphqlWs {
    fn claims(&self, handshake: &Handshake) -> Claim {
        speaks(handshake, &["graphql-transport-ws", "graphql-ws"])
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text else { return false };
        out.extend(interpret(text, message.claimed));
        !out.is_empty()
    }
}

fn interpret(text: &str, sure: bool) -> Option<Interpretation<'_>> {
    if !text.starts_with('{') || !sure && !text.starts_with("{\"type\":\"connection_") {
        return None;
    }
    let (mut kind, mut id, mut payload) = (None, None, None);
    for (key, value) in json::members(text).take(16) {
        let (Text::Json(key) | Text::Plain(key)) = key;
        match key {
            "type" => kind = value.text(),
            "id" => id = value.text(),
            "payload" => payload = Some(value),
            _ => {}
        }
    }
    let Text::Json(kind) = kind? else { return None };
    let act = match kind {
        "connection_init" => Action::Open,
        "connection_ack" => Action::Opened,
        "connection_error" => Action::Error,
        "connection_terminate" => Action::Close,
        // These are words that others use too.
        "subscribe" | "start" if sure => Action::Subscribe,
        "next" | "data" if sure => Action::Data,
        "error" if sure => Action::Error,
        "complete" if sure => Action::Complete,
        "stop" if sure => Action::Unsubscribe,
        "ping" | "ka" if sure => Action::Ping,
        "pong" if sure => Action::Pong,
        _ => return None,
    };
    Some(Interpretation::new(NAME, act).label(payload.and_then(operation)).id(id))
}

/// `operationName`, the name of what is asked for.
fn operation(payload: Value<'_>) -> Option<Text<'_>> {
    let Value::Object(raw) = payload else { return None };
    json::members(raw)
        .take(16)
        .find(|(key, _)| key.is("operationName"))
        .and_then(|(_, value)| value.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_named() {
        let text = r#"{"id":"1","type":"subscribe","payload":{"query":"…","operationName":"OnChat"}}"#;
        let read = interpret(text, true).unwrap();
        assert_eq!(
            (read.action, read.label, read.id),
            (Action::Subscribe, Some(Text::Json("OnChat")), Some(Text::Json("1")))
        );
        assert_eq!(interpret(text, false), None);
    }
}
