//! The chat's messages: JSON text, one object a WebSocket message.
//!
//! In: what a client sent, as text. Out: a [`Request`], or the [`RequestError`] that its sender gets; and the [`Reply`] values that
//! the server sends, as JSON.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::names::check_name;

/// A user's number, unique while the server runs.
pub(super) type Uid = u64;

/// What a client may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// `{"type":"login","name":N}`
    Login {
        /// Without blanks around it, not empty.
        name: String,
    },
    /// `{"type":"say","to_uid":…,"content":C}`
    Say {
        /// To whom.
        to: Recipient,
        /// As sent, blanks included.
        content: String,
    },
}

/// To whom something is said. In JSON: `"all"`, or the uid as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipient {
    /// Everybody who has logged in.
    All,
    /// One user, and nobody else.
    One(Uid),
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Recipient::All => serializer.serialize_str("all"),
            Recipient::One(uid) => serializer.serialize_u64(*uid),
        }
    }
}

/// How long things may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct LengthLimits {
    /// Characters of a name.
    pub(super) name: usize,
    /// Bytes of what is said.
    pub(super) content: usize,
}

impl Request {
    /// Parses what a client sent. A field that is missing is the same error as one that is not allowed.
    pub(super) fn parse(text: &str, limits: &LengthLimits) -> Result<Self, RequestError> {
        let value: Value = serde_json::from_str(text).map_err(|_| RequestError::BadJson)?;
        let kind = value
            .get("type")
            .and_then(Value::as_str)
            .ok_or(RequestError::BadMessage)?;
        match kind {
            "login" => {
                let name = value.get("name").and_then(Value::as_str).ok_or(RequestError::BadName)?;
                Ok(Request::Login {
                    name: check_name(name, limits.name).ok_or(RequestError::BadName)?,
                })
            }
            "say" => {
                let to = match value.get("to_uid") {
                    Some(Value::String(all)) if all == "all" => Recipient::All,
                    Some(Value::Number(uid)) => Recipient::One(uid.as_u64().ok_or(RequestError::UnknownUid)?),
                    _ => return Err(RequestError::UnknownUid),
                };
                let content = value
                    .get("content")
                    .and_then(Value::as_str)
                    .filter(|content| content.len() <= limits.content && !content.trim().is_empty())
                    .ok_or(RequestError::BadContent)?;
                Ok(Request::Say {
                    to,
                    content: content.to_owned(),
                })
            }
            _ => Err(RequestError::BadMessage),
        }
    }
}

/// What the server sends.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Reply<'a> {
    /// To a newcomer: who is here, the newcomer last.
    UserList {
        /// In the order in which they came.
        user_list: Vec<User<'a>>,
    },
    /// To all: somebody has come.
    Login {
        /// Who.
        uid: Uid,
        /// Under which name.
        name: &'a str,
        /// When, local time.
        time: &'a str,
    },
    /// To whom it is said, and to who said it.
    Say {
        /// Who says it.
        from_uid: Uid,
        /// To whom.
        to_uid: Recipient,
        /// What.
        content: &'a str,
        /// When, local time.
        time: &'a str,
    },
    /// To all others: somebody has left.
    Logout {
        /// Who.
        uid: Uid,
        /// When, local time.
        time: &'a str,
    },
    /// To who sent what could not be done.
    Error {
        /// For programs.
        code: RequestError,
        /// For people, in English.
        message: String,
    },
}

/// A line of the user list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct User<'a> {
    /// Who.
    pub(super) uid: Uid,
    /// Under which name; others may have the same.
    pub(super) name: &'a str,
}

impl Reply<'_> {
    /// As JSON text, its fields in the order in which they are declared.
    pub(super) fn to_json(&self) -> String {
        // Strings and numbers only: there is nothing in it that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why a request was refused. The codes are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RequestError {
    /// It is not JSON.
    BadJson,
    /// It is no object with a known `type`.
    BadMessage,
    /// Somebody speaks before having logged in.
    NotLoggedIn,
    /// Somebody logs in twice.
    AlreadyLoggedIn,
    /// No name, an empty or a too long one, one with characters that no name needs, or one that looks like another user's.
    BadName,
    /// No content, a blank or a too long one.
    BadContent,
    /// Said to somebody who is not here.
    UnknownUid,
    /// Too many messages in too short a time.
    TooFast,
}

impl RequestError {
    /// The stable code, such as `bad-json`.
    pub(super) const fn code(self) -> &'static str {
        match self {
            RequestError::BadJson => "bad-json",
            RequestError::BadMessage => "bad-message",
            RequestError::NotLoggedIn => "not-logged-in",
            RequestError::AlreadyLoggedIn => "already-logged-in",
            RequestError::BadName => "bad-name",
            RequestError::BadContent => "bad-content",
            RequestError::UnknownUid => "unknown-uid",
            RequestError::TooFast => "too-fast",
        }
    }

    /// What the sender is told.
    pub(super) fn reply(self, limits: &LengthLimits) -> Reply<'static> {
        let message = match self {
            RequestError::BadJson => "this is not JSON".to_owned(),
            RequestError::BadMessage => r#"expected an object whose "type" is "login" or "say", as text"#.to_owned(),
            RequestError::NotLoggedIn => r#"log in first: {"type":"login","name":…}"#.to_owned(),
            RequestError::AlreadyLoggedIn => "this connection has logged in already".to_owned(),
            RequestError::BadName => format!(
                r#""name" must have 1 to {} characters, begin with a visible one, hold none that are invisible or reserved, and not look like the different name of a user who is here"#,
                limits.name
            ),
            RequestError::BadContent => format!(
                r#""content" must be text, not only blanks, of at most {} bytes"#,
                limits.content
            ),
            RequestError::UnknownUid => r#""to_uid" must be "all" or the uid of a user who is here"#.to_owned(),
            RequestError::TooFast => "too many messages in too short a time; this one was dropped".to_owned(),
        };
        Reply::Error { code: self, message }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: LengthLimits = LengthLimits { name: 8, content: 20 };

    fn parse(text: &str) -> Result<Request, RequestError> {
        Request::parse(text, &LIMITS)
    }

    #[test]
    fn requests_of_the_documents_are_understood() {
        assert_eq!(
            parse(r#"{"type":"login","name":"\u732a\u732a"}"#),
            Ok(Request::Login { name: "猪猪".into() })
        );
        assert_eq!(
            parse(r#"{"type":"say","to_uid":"all","content":"hi,  all !"}"#),
            Ok(Request::Say {
                to: Recipient::All,
                content: "hi,  all !".into()
            })
        );
        assert_eq!(
            parse(r#"{"content":"psst","to_uid":7,"type":"say","more":null}"#),
            Ok(Request::Say {
                to: Recipient::One(7),
                content: "psst".into()
            })
        );
    }

    #[test]
    fn every_fault_has_its_code() {
        for (text, error) in [
            ("", RequestError::BadJson),
            ("{", RequestError::BadJson),
            (r#"{"type":"login","name":"a"} x"#, RequestError::BadJson),
            ("[]", RequestError::BadMessage),
            ("null", RequestError::BadMessage),
            (r#""login""#, RequestError::BadMessage),
            ("{}", RequestError::BadMessage),
            (r#"{"type":7}"#, RequestError::BadMessage),
            (r#"{"type":"logout"}"#, RequestError::BadMessage),
            (r#"{"type":"login"}"#, RequestError::BadName),
            (r#"{"type":"login","name":5}"#, RequestError::BadName),
            (r#"{"type":"login","name":" \t "}"#, RequestError::BadName),
            (r#"{"type":"login","name":"123456789"}"#, RequestError::BadName),
            (r#"{"type":"login","name":"a\u001bb"}"#, RequestError::BadName),
            (r#"{"type":"say","to_uid":"all"}"#, RequestError::BadContent),
            (
                r#"{"type":"say","to_uid":"all","content":""}"#,
                RequestError::BadContent,
            ),
            (
                r#"{"type":"say","to_uid":"all","content":"\n "}"#,
                RequestError::BadContent,
            ),
            (
                r#"{"type":"say","to_uid":"all","content":["a"]}"#,
                RequestError::BadContent,
            ),
            (
                r#"{"type":"say","to_uid":"all","content":"123456789012345678901"}"#,
                RequestError::BadContent,
            ),
            (r#"{"type":"say","content":"a"}"#, RequestError::UnknownUid),
            (r#"{"type":"say","to_uid":-1,"content":"a"}"#, RequestError::UnknownUid),
            (r#"{"type":"say","to_uid":1.5,"content":"a"}"#, RequestError::UnknownUid),
            (
                r#"{"type":"say","to_uid":"mynick","content":"a"}"#,
                RequestError::UnknownUid,
            ),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(parse(&deep), Err(RequestError::BadJson));
    }

    #[test]
    fn replies_have_the_fields_of_the_contract_in_order() {
        let time = "2014-08-12 17:50:30";
        for (reply, json) in [
            (
                Reply::UserList {
                    user_list: vec![
                        User { uid: 1, name: "猪猪" },
                        User {
                            uid: 2,
                            name: "my\"nick",
                        },
                    ],
                },
                r#"{"type":"user_list","user_list":[{"uid":1,"name":"猪猪"},{"uid":2,"name":"my\"nick"}]}"#,
            ),
            (
                Reply::Login {
                    uid: 2,
                    name: "mynick",
                    time,
                },
                r#"{"type":"login","uid":2,"name":"mynick","time":"2014-08-12 17:50:30"}"#,
            ),
            (
                Reply::Say {
                    from_uid: 2,
                    to_uid: Recipient::All,
                    content: "hi,  all !",
                    time,
                },
                r#"{"type":"say","from_uid":2,"to_uid":"all","content":"hi,  all !","time":"2014-08-12 17:50:30"}"#,
            ),
            (
                Reply::Say {
                    from_uid: 2,
                    to_uid: Recipient::One(1),
                    content: "psst",
                    time,
                },
                r#"{"type":"say","from_uid":2,"to_uid":1,"content":"psst","time":"2014-08-12 17:50:30"}"#,
            ),
            (
                Reply::Logout { uid: 2, time },
                r#"{"type":"logout","uid":2,"time":"2014-08-12 17:50:30"}"#,
            ),
            (
                RequestError::BadJson.reply(&LIMITS),
                r#"{"type":"error","code":"bad-json","message":"this is not JSON"}"#,
            ),
        ] {
            assert_eq!(reply.to_json(), json);
        }
    }

    #[test]
    fn the_code_in_json_is_the_code() {
        for error in [
            RequestError::BadJson,
            RequestError::BadMessage,
            RequestError::NotLoggedIn,
            RequestError::AlreadyLoggedIn,
            RequestError::BadName,
            RequestError::BadContent,
            RequestError::UnknownUid,
            RequestError::TooFast,
        ] {
            assert_eq!(serde_json::to_value(error).unwrap(), error.code());
        }
    }
}
