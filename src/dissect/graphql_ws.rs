//! GraphQL over WebSocket: the `graphql-transport-ws` subprotocol (graphql-ws, PROTOCOL.md) and its predecessor `graphql-ws`
//! (subscriptions-transport-ws).

use super::json::{self, Text, Value};
use super::{Act, Meaning, Protocol, Said};

pub(super) fn read<'a>(said: &Said<'a>) -> Option<Meaning<'a>> {
    if !said.text.starts_with('{') {
        return None;
    }
    let sure = said.hint == Some(Protocol::GraphqlWs);
    if !sure && !said.text.starts_with("{\"type\":\"connection_") {
        return None;
    }
    let (mut kind, mut id, mut payload) = (None, None, None);
    for (key, value) in json::members(said.text).take(16) {
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
        "connection_init" => Act::Open,
        "connection_ack" => Act::Opened,
        "connection_error" => Act::Error,
        "connection_terminate" => Act::Close,
        // These are words that others use too.
        "subscribe" | "start" if sure => Act::Subscribe,
        "next" | "data" if sure => Act::Data,
        "error" if sure => Act::Error,
        "complete" if sure => Act::Complete,
        "stop" if sure => Act::Unsubscribe,
        "ping" | "ka" if sure => Act::Ping,
        "pong" if sure => Act::Pong,
        _ => return None,
    };
    Some(Meaning::Generic {
        protocol: Protocol::GraphqlWs,
        act,
        label: payload.and_then(operation),
        id,
    })
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
    use crate::base::Direction;

    #[test]
    fn a_subscription_is_named() {
        let text = r#"{"id":"1","type":"subscribe","payload":{"query":"…","operationName":"OnChat"}}"#;
        let mut said = Said {
            text,
            direction: Direction::ClientToServer,
            hint: Some(Protocol::GraphqlWs),
        };
        assert_eq!(
            read(&said),
            Some(Meaning::Generic {
                protocol: Protocol::GraphqlWs,
                act: Act::Subscribe,
                label: Some(Text::Json("OnChat")),
                id: Some(Text::Json("1")),
            })
        );
        said.hint = None;
        assert_eq!(read(&said), None);
    }
}
