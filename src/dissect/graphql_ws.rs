//! GraphQL over WebSocket: the `graphql-transport-ws` subprotocol (graphql-ws, PROTOCOL.md) and its predecessor `graphql-ws`
//! (subscriptions-transport-ws).

use super::json::{self, Text, Value};
use super::{Claim, Dissector, Interpretations, MessageView, speaks};
use crate::base::Direction;
use crate::record::{Action, Exchange, Handshake, Interpretation, Key};

pub(super) const NAME: &str = "GraphQL";

/// Reads both subprotocols.
pub(super) struct GraphqlWs;

impl Dissector for GraphqlWs {
    fn claims(&self, handshake: &Handshake) -> Claim {
        speaks(handshake, &["graphql-transport-ws", "graphql-ws"])
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text else { return false };
        out.extend(interpret(text, message.direction, message.claimed));
        !out.is_empty()
    }
}

fn interpret(text: &str, direction: Direction, sure: bool) -> Option<Interpretation<'_>> {
    if !text.starts_with('{') || !sure && !text.starts_with("{\"type\":\"connection_") {
        return None;
    }
    let (mut kind, mut id, mut payload) = (None, None, None);
    for (key, value) in json::members(text).take(16) {
        let (Text::Json(key) | Text::Plain(key)) = key;
        match key {
            "type" => kind = Some(value),
            "id" => id = value.text(),
            "payload" => payload = Some(value),
            _ => {}
        }
    }
    let Some(Value::String(Text::Plain(kind))) = kind else {
        return None;
    };
    let (operation, name) = match kind {
        "subscribe" | "start" => payload.map_or((None, None), self::operation),
        _ => (None, None),
    };
    let act = match kind {
        "connection_init" => Action::Open,
        "connection_ack" => Action::Opened,
        "connection_error" => Action::Error,
        "connection_terminate" => Action::Close,
        // These are words that others use too.
        "subscribe" | "start" if sure => match operation {
            Some(Operation::Query) => Action::Request,
            _ => Action::Subscribe,
        },
        "next" | "data" if sure && payload.is_some_and(has_errors) => Action::Error,
        "next" | "data" if sure => Action::Data,
        "error" if sure => Action::Error,
        "complete" if sure && direction == Direction::ClientToServer => Action::Unsubscribe,
        "complete" if sure => Action::Complete,
        "stop" if sure => Action::Unsubscribe,
        "ping" | "ka" if sure => Action::Ping,
        "pong" if sure => Action::Pong,
        _ => return None,
    };
    let exchange = match (act, id.map(|id| Key::new([id]))) {
        (Action::Request, Some(key)) => Exchange::Request(key),
        (Action::Subscribe, Some(key)) => Exchange::Subscription(key),
        (Action::Unsubscribe, Some(key)) => Exchange::Cancel(key),
        (Action::Data | Action::Error, Some(key)) => Exchange::Answer(key),
        (Action::Ping, _) if kind == "ping" => Exchange::Request(Key::PING),
        (Action::Pong, _) => Exchange::Latest(Key::PING),
        _ => Exchange::None,
    };
    Some(Interpretation::new(NAME, act).label(name).id(id).exchange(exchange))
}

fn member<'a>(payload: Value<'a>, name: &str) -> Option<Value<'a>> {
    let Value::Object(raw) = payload else { return None };
    let (_, value) = json::members(raw).take(16).find(|(key, _)| key.is(name))?;
    Some(value)
}

/// A result that says what went wrong (GraphQL §7.1.2).
fn has_errors(payload: Value<'_>) -> bool {
    matches!(member(payload, "errors"), Some(Value::Array(raw)) if json::items(raw).next().is_some())
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operation {
    /// A query or a mutation: it has one result.
    Query,
    /// It has any number of them.
    Subscription,
}

/// Bytes of a document that are looked through for the operation.
const MAX_DOCUMENT: usize = 1 << 16;

/// The operation that `operationName` names, else the first of the document (GraphQL §2.3), and its name. The kind is unknown when no
/// document was sent.
fn operation(payload: Value<'_>) -> (Option<Operation>, Option<Text<'_>>) {
    let wanted = member(payload, "operationName").and_then(Value::text);
    let Some(Value::String(Text::Json(raw) | Text::Plain(raw))) = member(payload, "query") else {
        return (None, wanted);
    };
    let (mut depth, mut found, mut name, mut in_fragment) = (0_usize, None, None, false);
    let mut at = 0;
    while at < raw.len().min(MAX_DOCUMENT) {
        let rest = &raw[at..];
        let skip = match rest.as_bytes()[0] {
            // A comment ends with its line. Only default values and directives have strings outside of braces.
            b'#' => rest.find("\\n").unwrap_or(rest.len()),
            b'\\' if rest.starts_with("\\\"") => rest[2..].find("\\\"").map_or(rest.len(), |end| end + 4),
            b'\\' => 2,
            b'{' if depth == 0 && !in_fragment && (wanted.is_none() || found.is_none()) => {
                return (found.or(Some(Operation::Query)), wanted.or(name));
            }
            b'{' | b'(' | b'[' => {
                depth += 1;
                1
            }
            open @ (b'}' | b')' | b']') => {
                depth = depth.saturating_sub(1);
                in_fragment &= depth > 0 || open != b'}';
                1
            }
            b'@' => 1 + word(&rest[1..]).len(),
            _ if word(rest).is_empty() => rest.chars().next().map_or(1, char::len_utf8),
            _ => {
                let word = word(rest);
                match word {
                    _ if depth > 0 || in_fragment => {}
                    "query" | "mutation" => (found, name) = (Some(Operation::Query), None),
                    "subscription" => (found, name) = (Some(Operation::Subscription), None),
                    "fragment" => in_fragment = true,
                    _ if wanted.is_some_and(|wanted| wanted.is(word)) => return (found, wanted),
                    _ => name = name.or(Some(Text::Plain(word))),
                }
                word.len()
            }
        };
        at += skip;
    }
    (found, wanted.or(name))
}

/// The name that `text` begins with (GraphQL §2.1.9).
fn word(text: &str) -> &str {
    let end = text.find(|ch: char| ch != '_' && !ch.is_ascii_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Interpretation<'_>> {
        interpret(text, Direction::ClientToServer, true)
    }

    #[test]
    fn a_subscription_is_named() {
        let text = r#"{"id":"1","type":"subscribe","payload":{"query":"…","operationName":"OnChat"}}"#;
        let subscription = read(text).unwrap();
        assert_eq!(
            (subscription.action, subscription.label, subscription.id),
            (Action::Subscribe, Some(Text::Plain("OnChat")), Some(Text::Plain("1")))
        );
        assert_eq!(interpret(text, Direction::ClientToServer, false), None);
    }

    #[test]
    fn the_document_says_what_is_asked_for_and_how_many_results_are_due() {
        fn kind(document: &str, name: &str) -> (Option<Operation>, String) {
            let wanted = if name.is_empty() {
                "null".into()
            } else {
                format!("\"{name}\"")
            };
            let payload = format!(r#"{{"query":"{document}","operationName":{wanted}}}"#);
            let (operation, name) = operation(Value::Object(&payload));
            (operation, name.map_or_else(String::new, |name| name.chars().collect()))
        }
        let query = |name: &str| (Some(Operation::Query), name.to_owned());
        let subscription = |name: &str| (Some(Operation::Subscription), name.to_owned());
        assert_eq!(kind("{ a }", ""), query(""));
        assert_eq!(kind("query @d { a }", ""), query(""));
        assert_eq!(kind(r"# subscription\nmutation M($a: [Int] = 1) { a }", ""), query("M"));
        assert_eq!(kind(r#"query Q($a: S = \"{ b\") { a }"#, ""), query("Q"));
        assert_eq!(kind("subscription { a }", ""), subscription(""));
        assert_eq!(
            kind("query A { subscription } subscription B { b }", "B"),
            subscription("B")
        );
        assert_eq!(kind("query A { subscription } subscription B { b }", "A"), query("A"));
        assert_eq!(
            kind("fragment F on T { a } subscription S { ...F }", ""),
            subscription("S")
        );
        assert_eq!(kind("猪", ""), (None, String::new()));
        assert_eq!(kind("", "N"), (None, "N".to_owned()));
    }

    #[test]
    fn a_result_with_errors_is_one() {
        let text = r#"{"id":"1","type":"next","payload":{"data":null,"errors":[{"message":"no"}]}}"#;
        assert_eq!(
            interpret(text, Direction::ServerToClient, true).unwrap().action,
            Action::Error
        );
        let text = r#"{"id":"1","type":"next","payload":{"data":1,"errors":[]}}"#;
        assert_eq!(
            interpret(text, Direction::ServerToClient, true).unwrap().action,
            Action::Data
        );
    }
}
