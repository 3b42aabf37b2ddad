//! The chat application that the documents watch, in the JSON of 2014 (`login`, `user_list`, `say`, `logout`, uids) and in the
//! newer one (`client_name`, `client_id`, `client_list`, `to_client_id`, and `ping`/`pong` as text messages).

use super::json::{self, Text, Value};
use super::{Meaning, Said};
use crate::base::Direction;

/// Reads both dialects.
pub(super) fn read<'a>(said: &Said<'a>) -> Option<Meaning<'a>> {
    if !said.text.starts_with('{') {
        return None;
    }
    let mut fields = Fields::default();
    for (key, value) in json::members(said.text).take(MEMBERS) {
        fields.take(key, value);
    }
    let mut room = [0; KEY];
    match (fields.kind?.spell(&mut room), said.direction) {
        ("login", Direction::ClientToServer) => Some(Meaning::Login {
            name: fields.name?,
            room: fields.room,
        }),
        ("login", Direction::ServerToClient) => Some(Meaning::LoggedIn {
            id: fields.id?,
            name: fields.name?,
            users: fields.users,
        }),
        ("user_list", Direction::ServerToClient) => Some(Meaning::UserList(fields.users?)),
        ("say", Direction::ClientToServer) => Some(Meaning::Say {
            to: to_one(fields.to?),
            to_name: fields.to_name,
            content: fields.content?,
        }),
        ("say", Direction::ServerToClient) => Some(Meaning::Said {
            from: fields.from?,
            from_name: fields.from_name,
            to: to_one(fields.to?),
            content: fields.content?,
        }),
        ("logout", Direction::ServerToClient) => Some(Meaning::LoggedOut {
            id: fields.id.or(fields.from)?,
            name: fields.from_name.or(fields.name),
        }),
        ("ping", _) => Some(Meaning::Ping),
        ("pong", _) => Some(Meaning::Pong),
        ("error", Direction::ServerToClient) => Some(Meaning::Refused { code: fields.code? }),
        _ => None,
    }
}

/// Bytes of the longest name that means something here, and more.
const KEY: usize = 24;

/// More members than any message of the chat has; a longer object is not read to its end.
const MEMBERS: usize = 32;

/// `all` is everybody.
fn to_one(to: Text<'_>) -> Option<Text<'_>> {
    (!to.is("all")).then_some(to)
}

#[derive(Default)]
struct Fields<'a> {
    kind: Option<Text<'a>>,
    id: Option<Text<'a>>,
    name: Option<Text<'a>>,
    from: Option<Text<'a>>,
    from_name: Option<Text<'a>>,
    to: Option<Text<'a>>,
    to_name: Option<Text<'a>>,
    content: Option<Text<'a>>,
    code: Option<Text<'a>>,
    room: Option<Text<'a>>,
    users: Option<Users<'a>>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, key: Text<'a>, value: Value<'a>) {
        let mut room = [0; KEY];
        match key.spell(&mut room) {
            "type" => self.kind = value.text(),
            "uid" | "client_id" => self.id = value.text(),
            "name" | "client_name" => self.name = value.text(),
            "from_uid" | "from_client_id" => self.from = value.text(),
            "from_name" | "from_client_name" => self.from_name = value.text(),
            "to_uid" | "to_client_id" => self.to = value.text(),
            "to_name" | "to_client_name" => self.to_name = value.text(),
            "content" => self.content = value.text(),
            "room_id" => self.room = value.text(),
            "code" => self.code = value.text(),
            "user_list" | "client_list" => {
                if let Value::Array(raw) | Value::Object(raw) = value {
                    self.users = Some(Users { raw });
                }
            }
            _ => {}
        }
    }
}

/// A list of users, still as it was sent: an array of `{"uid", "name"}`, or an object from identifier to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Users<'a> {
    raw: &'a str,
}

/// One user of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The identifier.
    pub id: Text<'a>,
    /// The name.
    pub name: Text<'a>,
}

/// The users of a list, in order.
pub fn users<'a>(list: Users<'a>) -> impl Iterator<Item = Entry<'a>> {
    let array = json::items(list.raw).filter_map(|item| {
        let Value::Object(raw) = item else { return None };
        let mut fields = Fields::default();
        for (key, value) in json::members(raw).take(MEMBERS) {
            fields.take(key, value);
        }
        Some(Entry {
            id: fields.id?,
            name: fields.name?,
        })
    });
    let object = json::members(list.raw).filter_map(|(id, name)| Some(Entry { id, name: name.text()? }));
    array.chain(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(direction: Direction, text: &str) -> Option<Meaning<'_>> {
        read(&Said {
            text,
            direction,
            hint: None,
        })
    }
    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    #[test]
    fn the_dialect_of_2014_is_read() {
        assert_eq!(
            meaning(UP, r#"{"type":"login","name":"mynick"}"#),
            Some(Meaning::Login {
                name: Text::Json("mynick"),
                room: None
            })
        );
        let list = r#"{"type":"user_list","user_list":[{"uid":783654164,"name":"\u732a"},{"uid":7,"name":"b"}]}"#;
        let Some(Meaning::UserList(list)) = meaning(DOWN, list) else {
            panic!()
        };
        let ids: Vec<_> = users(list).map(|u| (u.id, u.name)).collect();
        assert_eq!(
            ids,
            [
                (Text::Plain("783654164"), Text::Json(r"\u732a")),
                (Text::Plain("7"), Text::Json("b"))
            ]
        );
        assert_eq!(
            meaning(
                DOWN,
                r#"{"type":"say","from_uid":7,"to_uid":"all","content":"hi","time":"x"}"#
            ),
            Some(Meaning::Said {
                from: Text::Plain("7"),
                from_name: None,
                to: None,
                content: Text::Json("hi")
            })
        );
        assert_eq!(
            meaning(DOWN, r#"{"type":"logout","uid":7,"time":"x"}"#),
            Some(Meaning::LoggedOut {
                id: Text::Plain("7"),
                name: None
            })
        );
    }

    #[test]
    fn the_newer_dialect_is_read() {
        let text =
            r#"{"type":"login","client_id":"7f1","client_name":"a","time":"x","client_list":{"7f1":"a","7f2":"b"}}"#;
        let Some(Meaning::LoggedIn {
            id, users: Some(list), ..
        }) = meaning(DOWN, text)
        else {
            panic!()
        };
        assert!(id.is("7f1"));
        assert_eq!(users(list).count(), 2);
        assert_eq!(
            meaning(
                UP,
                r#"{"type":"say","to_client_id":"7f2","to_client_name":"b","content":"psst"}"#
            ),
            Some(Meaning::Say {
                to: Some(Text::Json("7f2")),
                to_name: Some(Text::Json("b")),
                content: Text::Json("psst")
            })
        );
        assert_eq!(meaning(DOWN, r#"{"type":"ping"}"#), Some(Meaning::Ping));
    }

    #[test]
    fn a_client_cannot_speak_as_the_server() {
        assert_eq!(meaning(UP, r#"{"type":"user_list","user_list":[]}"#), None);
    }
}
