//! The chat application that the documents watch, in the JSON of 2014 (`login`, `user_list`, `say`, `logout`, uids) and in the
//! newer one (`client_name`, `client_id`, `client_list`, `to_client_id`, and `ping`/`pong` as text messages).

use super::json::{self, Text, Value};
use super::{Claim, Dissector, Interpretations, MessageView};
use crate::base::Direction;
use crate::record::{Action, Field, Handshake, Interpretation};

pub(super) const NAME: &str = "chat";

/// Reads both dialects.
pub(super) struct Chat;

impl Dissector for Chat {
    fn claims(&self, _: &Handshake) -> Claim {
        Claim::ByContent
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text else { return false };
        out.extend(interpret(text, message.direction));
        !out.is_empty()
    }
}

/// What a message of the chat means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatMeaning<'a> {
    /// The client asks to be known by a name.
    Login {
        /// The name.
        name: Text<'a>,
        /// The room, where there are rooms.
        room: Option<Text<'a>>,
    },
    /// The server says that somebody has come.
    LoggedIn {
        /// The new user's identifier.
        id: Text<'a>,
        /// The new user's name.
        name: Text<'a>,
        /// All users, when the message lists them (then it is for the newcomer).
        users: Option<Users<'a>>,
    },
    /// The server says who is there.
    UserList(Users<'a>),
    /// The client says something.
    Say {
        /// To whom; `None` is to all.
        to: Option<Text<'a>>,
        /// What it calls that one.
        to_name: Option<Text<'a>>,
        /// What.
        content: Text<'a>,
    },
    /// The server passes on what somebody said.
    Said {
        /// Who said it.
        from: Text<'a>,
        /// What the server calls that one.
        from_name: Option<Text<'a>>,
        /// To whom; `None` is to all.
        to: Option<Text<'a>>,
        /// What.
        content: Text<'a>,
    },
    /// The server says that somebody has left.
    LoggedOut {
        /// Who.
        id: Text<'a>,
        /// What the server calls that one.
        name: Option<Text<'a>>,
    },
    /// The application asks whether the other one is there, in a text message of its own.
    Ping,
    /// The answer to that.
    Pong,
    /// The chat server refuses something.
    Refused {
        /// Why, for a machine.
        code: Text<'a>,
    },
}

/// What a message means, as every reader of records gets it.
fn interpret(text: &str, direction: Direction) -> Option<Interpretation<'_>> {
    if !text.starts_with('{') {
        return None;
    }
    let mut fields = Fields::default();
    for (key, value) in json::members(text).take(MEMBERS) {
        fields.take(key, value);
    }
    let means = |action| Interpretation::new(NAME, action);
    let mut room = [0; KEY];
    Some(match (fields.kind?.spell(&mut room), direction) {
        ("login", Direction::ClientToServer) => means(Action::Named("login"))
            .field("name", Some(Field::Text(fields.name?)))
            .field("room", fields.room.map(Field::Text)),
        ("login", Direction::ServerToClient) => means(Action::Named("login"))
            .field("uid", Some(Field::Text(fields.id?)))
            .field("name", Some(Field::Text(fields.name?)))
            .field("users", fields.users.map(|users| Field::Json(users.raw))),
        ("user_list", Direction::ServerToClient) => {
            means(Action::Named("user-list")).field("users", Some(Field::Json(fields.users?.raw)))
        }
        ("say", Direction::ClientToServer) => means(Action::Named("say"))
            .field("to", Some(Field::Text(fields.to?)))
            .field("to_name", fields.to_name.map(Field::Text))
            .field("content", Some(Field::Text(fields.content?))),
        ("say", Direction::ServerToClient) => means(Action::Named("say"))
            .field("from", Some(Field::Text(fields.from?)))
            .field("from_name", fields.from_name.map(Field::Text))
            .field("to", Some(Field::Text(fields.to?)))
            .field("content", Some(Field::Text(fields.content?))),
        ("logout", Direction::ServerToClient) => means(Action::Named("logout"))
            .field("uid", Some(Field::Text(fields.id.or(fields.from)?)))
            .field("name", fields.from_name.or(fields.name).map(Field::Text)),
        ("ping", _) => means(Action::Ping),
        ("pong", _) => means(Action::Pong),
        ("error", Direction::ServerToClient) => means(Action::Error).field("code", Some(Field::Text(fields.code?))),
        _ => return None,
    })
}

impl<'a> ChatMeaning<'a> {
    /// What an interpretation of this dissector means, in its own words.
    pub fn of(read: &Interpretation<'a>, direction: Direction) -> Option<Self> {
        if read.protocol != NAME {
            return None;
        }
        let text = |name| read.fields.text(name);
        let users = || match read.fields.get("users")? {
            Field::Json(raw) => Some(Users { raw }),
            Field::Text(_) | Field::Number(_) => None,
        };
        match (read.action, direction) {
            (Action::Named("login"), Direction::ClientToServer) => Some(Self::Login {
                name: text("name")?,
                room: text("room"),
            }),
            (Action::Named("login"), Direction::ServerToClient) => Some(Self::LoggedIn {
                id: text("uid")?,
                name: text("name")?,
                users: users(),
            }),
            (Action::Named("user-list"), _) => Some(Self::UserList(users()?)),
            (Action::Named("say"), Direction::ClientToServer) => Some(Self::Say {
                to: to_one(text("to")?),
                to_name: text("to_name"),
                content: text("content")?,
            }),
            (Action::Named("say"), Direction::ServerToClient) => Some(Self::Said {
                from: text("from")?,
                from_name: text("from_name"),
                to: to_one(text("to")?),
                content: text("content")?,
            }),
            (Action::Named("logout"), _) => Some(Self::LoggedOut {
                id: text("uid")?,
                name: text("name"),
            }),
            (Action::Ping, _) => Some(Self::Ping),
            (Action::Pong, _) => Some(Self::Pong),
            (Action::Error, _) => Some(Self::Refused { code: text("code")? }),
            _ => None,
        }
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

    fn meaning(direction: Direction, text: &str) -> Option<ChatMeaning<'_>> {
        ChatMeaning::of(&interpret(text, direction)?, direction)
    }
    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    #[test]
    fn the_dialect_of_2014_is_read() {
        assert_eq!(
            meaning(UP, r#"{"type":"login","name":"mynick"}"#),
            Some(ChatMeaning::Login {
                name: Text::Json("mynick"),
                room: None
            })
        );
        let list = r#"{"type":"user_list","user_list":[{"uid":783654164,"name":"\u732a"},{"uid":7,"name":"b"}]}"#;
        let Some(ChatMeaning::UserList(list)) = meaning(DOWN, list) else {
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
            Some(ChatMeaning::Said {
                from: Text::Plain("7"),
                from_name: None,
                to: None,
                content: Text::Json("hi")
            })
        );
        assert_eq!(
            meaning(DOWN, r#"{"type":"logout","uid":7,"time":"x"}"#),
            Some(ChatMeaning::LoggedOut {
                id: Text::Plain("7"),
                name: None
            })
        );
    }

    #[test]
    fn the_newer_dialect_is_read() {
        let text =
            r#"{"type":"login","client_id":"7f1","client_name":"a","time":"x","client_list":{"7f1":"a","7f2":"b"}}"#;
        let Some(ChatMeaning::LoggedIn {
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
            Some(ChatMeaning::Say {
                to: Some(Text::Json("7f2")),
                to_name: Some(Text::Json("b")),
                content: Text::Json("psst")
            })
        );
        assert_eq!(meaning(DOWN, r#"{"type":"ping"}"#), Some(ChatMeaning::Ping));
    }

    #[test]
    fn a_client_cannot_speak_as_the_server() {
        assert_eq!(meaning(UP, r#"{"type":"user_list","user_list":[]}"#), None);
    }
}
