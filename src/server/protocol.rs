//! The chat's messages: JSON text, one object a WebSocket message.
//!
//! In: what a client sent, as text. Out: a [`Request`], or the [`Refusal`] that its sender gets; and the [`Reply`] values that
//! the server sends, as JSON.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

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
pub(super) struct Lengths {
    /// Characters of a name.
    pub(super) name: usize,
    /// Bytes of what is said.
    pub(super) content: usize,
}

impl Request {
    /// Reads what a client sent.
    ///
    /// Each field answers for itself: a name that is missing is as bad as one that is too long.
    pub(super) fn parse(text: &str, lengths: &Lengths) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_str(text).map_err(|_| Refusal::BadJson)?;
        let kind = value.get("type").and_then(Value::as_str).ok_or(Refusal::BadMessage)?;
        match kind {
            "login" => {
                let name = value.get("name").and_then(Value::as_str).ok_or(Refusal::BadName)?;
                Ok(Request::Login {
                    name: check_name(name, lengths.name)?,
                })
            }
            "say" => {
                let to = match value.get("to_uid") {
                    Some(Value::String(all)) if all == "all" => Recipient::All,
                    Some(Value::Number(uid)) => Recipient::One(uid.as_u64().ok_or(Refusal::UnknownUid)?),
                    _ => return Err(Refusal::UnknownUid),
                };
                let content = value
                    .get("content")
                    .and_then(Value::as_str)
                    .filter(|content| content.len() <= lengths.content && !content.trim().is_empty())
                    .ok_or(Refusal::BadContent)?;
                Ok(Request::Say {
                    to,
                    content: content.to_owned(),
                })
            }
            _ => Err(Refusal::BadMessage),
        }
    }
}

/// A name that everybody's page and terminal can show: something visible, no controls, nothing that turns the text around it.
fn check_name(name: &str, longest: usize) -> Result<String, Refusal> {
    let name = name.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    let good = !name.is_empty()
        && name.chars().count() <= longest
        && !name
            .chars()
            .any(|c| c.is_control() || reorders(c) || matches!(c, '\u{2028}' | '\u{2029}'));
    good.then(|| name.to_owned()).ok_or(Refusal::BadName)
}

/// Characters without a shape of their own (joiners have their place inside an emoji, not at the ends of a name).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
}

/// The marks of Unicode's bidirectional algorithm (UAX #9 §2): with them a name could rearrange its surroundings.
fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What the server says.
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
        code: Refusal,
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

/// Why a request was not granted. The codes are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Refusal {
    /// It is not JSON.
    BadJson,
    /// It is no object with a known `type`.
    BadMessage,
    /// Somebody speaks before having logged in.
    NotLoggedIn,
    /// Somebody logs in twice.
    AlreadyLoggedIn,
    /// No name, an empty or a too long one, or one with characters that no name needs.
    BadName,
    /// No content, a blank or a too long one.
    BadContent,
    /// Said to somebody who is not here.
    UnknownUid,
    /// Too many messages in too short a time.
    TooFast,
}

impl Refusal {
    /// The stable code, such as `bad-json`.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Refusal::BadJson => "bad-json",
            Refusal::BadMessage => "bad-message",
            Refusal::NotLoggedIn => "not-logged-in",
            Refusal::AlreadyLoggedIn => "already-logged-in",
            Refusal::BadName => "bad-name",
            Refusal::BadContent => "bad-content",
            Refusal::UnknownUid => "unknown-uid",
            Refusal::TooFast => "too-fast",
        }
    }

    /// What the sender is told.
    pub(super) fn reply(self, lengths: &Lengths) -> Reply<'static> {
        let message = match self {
            Refusal::BadJson => "this is not JSON".to_owned(),
            Refusal::BadMessage => r#"expected an object whose "type" is "login" or "say", as text"#.to_owned(),
            Refusal::NotLoggedIn => r#"log in first: {"type":"login","name":…}"#.to_owned(),
            Refusal::AlreadyLoggedIn => "this connection has logged in already".to_owned(),
            Refusal::BadName => format!(
                r#""name" must have 1 to {} visible characters and no control characters"#,
                lengths.name
            ),
            Refusal::BadContent => format!(
                r#""content" must be text, not only blanks, of at most {} bytes"#,
                lengths.content
            ),
            Refusal::UnknownUid => r#""to_uid" must be "all" or the uid of a user who is here"#.to_owned(),
            Refusal::TooFast => "too many messages in too short a time; this one was dropped".to_owned(),
        };
        Reply::Error { code: self, message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: Lengths = Lengths { name: 8, content: 20 };

    fn parse(text: &str) -> Result<Request, Refusal> {
        Request::parse(text, &LENGTHS)
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
        for (text, refusal) in [
            ("", Refusal::BadJson),
            ("{", Refusal::BadJson),
            (r#"{"type":"login","name":"a"} x"#, Refusal::BadJson),
            ("[]", Refusal::BadMessage),
            ("null", Refusal::BadMessage),
            (r#""login""#, Refusal::BadMessage),
            ("{}", Refusal::BadMessage),
            (r#"{"type":7}"#, Refusal::BadMessage),
            (r#"{"type":"logout"}"#, Refusal::BadMessage),
            (r#"{"type":"login"}"#, Refusal::BadName),
            (r#"{"type":"login","name":5}"#, Refusal::BadName),
            (r#"{"type":"login","name":" \t "}"#, Refusal::BadName),
            (r#"{"type":"login","name":"123456789"}"#, Refusal::BadName),
            (r#"{"type":"login","name":"a\u001bb"}"#, Refusal::BadName),
            (r#"{"type":"login","name":"a\u202eb"}"#, Refusal::BadName),
            (r#"{"type":"login","name":"\u200b\u200d"}"#, Refusal::BadName),
            (r#"{"type":"say","to_uid":"all"}"#, Refusal::BadContent),
            (r#"{"type":"say","to_uid":"all","content":""}"#, Refusal::BadContent),
            (r#"{"type":"say","to_uid":"all","content":"\n "}"#, Refusal::BadContent),
            (r#"{"type":"say","to_uid":"all","content":["a"]}"#, Refusal::BadContent),
            (
                r#"{"type":"say","to_uid":"all","content":"123456789012345678901"}"#,
                Refusal::BadContent,
            ),
            (r#"{"type":"say","content":"a"}"#, Refusal::UnknownUid),
            (r#"{"type":"say","to_uid":-1,"content":"a"}"#, Refusal::UnknownUid),
            (r#"{"type":"say","to_uid":1.5,"content":"a"}"#, Refusal::UnknownUid),
            (r#"{"type":"say","to_uid":"mynick","content":"a"}"#, Refusal::UnknownUid),
        ] {
            assert_eq!(parse(text), Err(refusal), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(parse(&deep), Err(Refusal::BadJson));
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
                Refusal::BadJson.reply(&LENGTHS),
                r#"{"type":"error","code":"bad-json","message":"this is not JSON"}"#,
            ),
        ] {
            assert_eq!(reply.to_json(), json);
        }
    }

    #[test]
    fn the_code_in_json_is_the_code() {
        for refusal in [
            Refusal::BadJson,
            Refusal::BadMessage,
            Refusal::NotLoggedIn,
            Refusal::AlreadyLoggedIn,
            Refusal::BadName,
            Refusal::BadContent,
            Refusal::UnknownUid,
            Refusal::TooFast,
        ] {
            assert_eq!(serde_json::to_value(refusal).unwrap(), refusal.code());
        }
    }
}
