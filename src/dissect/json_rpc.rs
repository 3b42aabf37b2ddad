//! JSON-RPC 2.0 (jsonrpc.org/specification): requests, notifications and responses; the members of a batch are documents of their own.

use super::json::{self, Text, Value};
use super::{Claim, Dissector, Interpretations, MessageView, speaks};
use crate::record::{Action, Exchange, Handshake, Interpretation, Key};

pub(super) const NAME: &str = "JSON-RPC";

/// Members of a batch that are read.
const MAX_BATCH: usize = 64;

/// Reads JSON-RPC 2.0, and what lacks its version where the handshake says that it is that.
pub(super) struct JsonRpc;

impl Dissector for JsonRpc {
    fn claims(&self, handshake: &Handshake) -> Claim {
        speaks(handshake, &["jsonrpc", "jsonrpc-2.0"])
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text else { return false };
        match text.as_bytes().first() {
            Some(b'{') => out.extend(interpret(text, message.claimed)),
            Some(b'[') => {
                let members = json::items(text).take(MAX_BATCH).filter_map(|member| {
                    let Value::Object(raw) = member else { return None };
                    let mut read = interpret(raw, message.claimed)?;
                    let offset = raw.as_ptr() as usize - text.as_ptr() as usize;
                    read.document = Some((offset, raw.len()));
                    Some(read)
                });
                out.extend(members);
                if let [only] = out.as_mut_slice() {
                    only.document = None;
                }
            }
            _ => {}
        }
        !out.is_empty()
    }
}

fn interpret(object: &str, sure: bool) -> Option<Interpretation<'_>> {
    let (mut version, mut method, mut id, mut result, mut error) = (false, None, None, false, false);
    for (key, value) in json::members(object).take(16) {
        let (Text::Json(key) | Text::Plain(key)) = key;
        match key {
            "jsonrpc" => version = true,
            "method" => method = value.text(),
            "id" => id = value.text().map(|text| (text, matches!(value, Value::Number(_)))),
            "result" => result = true,
            "error" => error = !matches!(value, Value::Literal(_)),
            _ => {}
        }
    }
    if !version && !sure {
        return None;
    }
    let action = match (method.is_some(), id.is_some()) {
        (true, true) => Action::Request,
        (true, false) => Action::Event,
        (false, _) if error => Action::Error,
        (false, _) if result => Action::Response,
        _ => return None,
    };
    // An answer has the identifier of its request, and its type (§5).
    let key = |(text, number)| Key::new([text, Text::Plain(if number { "number" } else { "" })]);
    let exchange = match (action, id.map(key)) {
        (Action::Request, Some(key)) => Exchange::Request(key),
        (Action::Response | Action::Error, Some(key)) => Exchange::Answer(key),
        _ => Exchange::None,
    };
    let id = id.map(|(text, _)| text);
    Some(
        Interpretation::new(NAME, action)
            .label(method)
            .id(id)
            .exchange(exchange),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_notifications_and_responses_are_told_apart() {
        let action = |text| Some(interpret(text, false)?.action);
        assert_eq!(
            action(r#"{"jsonrpc":"2.0","method":"add","params":[1,2],"id":1}"#),
            Some(Action::Request)
        );
        assert_eq!(action(r#"{"jsonrpc":"2.0","method":"tick"}"#), Some(Action::Event));
        assert_eq!(action(r#"{"jsonrpc":"2.0","result":3,"id":1}"#), Some(Action::Response));
        assert_eq!(
            action(r#"{"jsonrpc":"2.0","error":{"code":-32600},"id":null}"#),
            Some(Action::Error)
        );
        assert_eq!(action(r#"{"method":"add","id":1}"#), None);
    }
}
