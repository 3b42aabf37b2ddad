//! JSON-RPC 2.0 (jsonrpc.org/specification): requests, notifications and responses. A batch is described by its first member.

use super::json::{self, Text, Value};
use super::{Act, Meaning, Protocol, Said};

pub(super) fn read<'a>(said: &Said<'a>) -> Option<Meaning<'a>> {
    let object = match said.text.as_bytes().first()? {
        b'{' => said.text,
        b'[' => match json::items(said.text).next()? {
            Value::Object(raw) => raw,
            _ => return None,
        },
        _ => return None,
    };
    let (mut version, mut method, mut id, mut result, mut error) = (false, None, None, false, false);
    for (key, value) in json::members(object).take(16) {
        let (Text::Json(key) | Text::Plain(key)) = key;
        match key {
            "jsonrpc" => version = true,
            "method" => method = value.text(),
            "id" => id = value.text(),
            "result" => result = true,
            "error" => error = !matches!(value, Value::Literal(_)),
            _ => {}
        }
    }
    if !version && said.hint != Some(Protocol::JsonRpc) {
        return None;
    }
    let act = match (method.is_some(), id.is_some()) {
        (true, true) => Act::Request,
        (true, false) => Act::Event,
        (false, _) if error => Act::Error,
        (false, _) if result => Act::Response,
        _ => return None,
    };
    Some(Meaning::Generic {
        protocol: Protocol::JsonRpc,
        act,
        label: method,
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Direction;

    #[test]
    fn requests_notifications_and_responses_are_told_apart() {
        let act = |text| {
            let said = Said {
                text,
                direction: Direction::ClientToServer,
                hint: None,
            };
            match read(&said) {
                Some(Meaning::Generic { act, .. }) => Some(act),
                _ => None,
            }
        };
        assert_eq!(
            act(r#"{"jsonrpc":"2.0","method":"add","params":[1,2],"id":1}"#),
            Some(Act::Request)
        );
        assert_eq!(act(r#"{"jsonrpc":"2.0","method":"tick"}"#), Some(Act::Event));
        assert_eq!(act(r#"{"jsonrpc":"2.0","result":3,"id":1}"#), Some(Act::Response));
        assert_eq!(
            act(r#"{"jsonrpc":"2.0","error":{"code":-32600},"id":null}"#),
            Some(Act::Error)
        );
        assert_eq!(act(r#"[{"jsonrpc":"2.0","method":"add","id":1}]"#), Some(Act::Request));
        assert_eq!(act(r#"{"method":"add","id":1}"#), None);
    }
}
