//! The chat application that the documents watch, in the JSON of 2014 (`login`, `user_list`, `say`, `logout`, uids) and in the
//! newer one (`client_name`, `client_id`, `client_list`, `to_client_id`, and `ping`/`pong` as text messages).

use std::collections::HashMap;

use foldhash::fast::FixedState;
use smallvec::SmallVec;

use super::json::{self, Text, Value};
use super::{Claim, Dissector, Interpretations, MessageView};
use crate::base::Direction;
use crate::record::{Action, Exchange, Field, Handshake, Interpretation, Key, SessionId};

pub(super) const NAME: &str = "chat";

/// Logins and says of one session that wait at once; of more nothing is told.
const MAX_WAITING: usize = 16;

/// Reads both dialects.
#[derive(Default)]
pub(super) struct Chat {
    talks: HashMap<SessionId, Talk, FixedState>,
    /// Logins and says so far.
    requests: u64,
}

/// One session.
#[derive(Default)]
struct Talk {
    /// Who talks there, once the server has said which identifier that is.
    id: Option<Key>,
    /// The name of the login whose answer has come, until then.
    name: Option<Key>,
    /// What waits for its answer, the oldest first.
    waiting: SmallVec<[Waiting; MAX_WAITING]>,
    /// Copies may come of says that are not known, until one that was said after this request has its own.
    unknown: Option<u64>,
}

#[derive(Clone, Copy)]
struct Waiting {
    number: u64,
    /// To whom something is said; [`LOGIN`] is a login.
    to: Key,
    /// What is said, or the name.
    content: Key,
}

const LOGIN: Key = Key::of_number(0);

impl Dissector for Chat {
    fn claims(&self, _: &Handshake) -> Claim {
        Claim::ByContent
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some(text) = message.text else { return false };
        let Some(meaning) = ChatMeaning::read(text, message.direction) else {
            return false;
        };
        let exchange = self.exchange(message, &meaning);
        meaning.tell(exchange, out);
        true
    }

    fn gap(&mut self, session: SessionId, direction: Direction) {
        if let Some(talk) = self.talks.get_mut(&session) {
            talk.unknown = Some(self.requests);
            if direction == Direction::ServerToClient {
                // The answers may be what is missing.
                talk.waiting.clear();
            }
        }
    }

    fn end(&mut self, session: SessionId) {
        self.talks.remove(&session);
    }

    fn cost(&self) -> usize {
        self.talks.capacity() * size_of::<(SessionId, Talk)>()
    }
}

impl Chat {
    /// A login is answered by the list of users, a say by the speaker's own copy, and both by an error.
    fn exchange(&mut self, message: &MessageView<'_>, meaning: &ChatMeaning<'_>) -> Exchange {
        match *meaning {
            ChatMeaning::Ping => return Exchange::Request(Key::PING),
            ChatMeaning::Pong => return Exchange::Latest(Key::PING),
            ChatMeaning::Login { name, .. } => return self.ask(message, LOGIN, Key::new([name])),
            ChatMeaning::Say { to, content, .. } => return self.ask(message, Key::new(to), Key::new([content])),
            _ => {}
        }
        let Some(talk) = self.talks.get_mut(&message.session) else {
            return Exchange::None;
        };
        let answered = match *meaning {
            ChatMeaning::UserList(_) => talk.logged_in(),
            ChatMeaning::LoggedIn { id, users: Some(_), .. } => {
                let login = talk.logged_in();
                if login.is_some() {
                    (talk.id, talk.name) = (Some(Key::new([id])), None);
                }
                login
            }
            ChatMeaning::LoggedIn { id, name, .. } => {
                // The first of that name after the list is the newcomer's own.
                if talk.name.is_some_and(|login| login == Key::new([name])) {
                    (talk.id, talk.name) = (Some(Key::new([id])), None);
                }
                None
            }
            ChatMeaning::Said { from, to, content, .. } => talk.copied(from, to, content),
            ChatMeaning::Refused { code } => talk.refused(code),
            _ => None,
        };
        answered.map_or(Exchange::None, |waiting| {
            Exchange::Answer(Key::of_number(waiting.number))
        })
    }

    fn ask(&mut self, message: &MessageView<'_>, to: Key, content: Key) -> Exchange {
        let session = message.session;
        if !message.may_keep && !self.talks.contains_key(&session) {
            return Exchange::None;
        }
        self.talks
            .entry(session)
            .or_default()
            .ask(&mut self.requests, to, content)
    }
}

impl Talk {
    fn ask(&mut self, number: &mut u64, to: Key, content: Key) -> Exchange {
        if self.waiting.len() == MAX_WAITING {
            if self.id.is_some() {
                self.unknown = Some(*number);
                return Exchange::None;
            }
            // Perhaps these were never to be answered: who talks is not known.
            self.waiting.remove(0);
        }
        *number += 1;
        self.waiting.push(Waiting {
            number: *number,
            to,
            content,
        });
        let key = Key::of_number(*number);
        match self.unknown {
            // A copy in other words may not be found: nothing is due.
            Some(_) if to != LOGIN => Exchange::Subscription(key),
            _ => Exchange::Request(key),
        }
    }

    /// The first one of those that wait.
    fn take(&mut self, wanted: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let place = self.waiting.iter().position(wanted)?;
        Some(self.waiting.remove(place))
    }

    fn logged_in(&mut self) -> Option<Waiting> {
        let login = self.take(|waiting| waiting.to == LOGIN)?;
        self.name = Some(login.content);
        Some(login)
    }

    /// Somebody's words have come: the same as were said, or, where the server changes them, the next ones to the same.
    fn copied(&mut self, from: Text<'_>, to: Option<Text<'_>>, content: Text<'_>) -> Option<Waiting> {
        if self.waiting.is_empty() || self.id.is_some_and(|own| own != Key::new([from])) {
            return None;
        }
        let (known, to, content) = (self.id.is_some(), Key::new(to), Key::new([content]));
        let same = self.take(|waiting| waiting.to == to && waiting.content == content);
        let Some(same) = same else {
            let is_next = |number| self.unknown.is_none_or(|unknown| number <= unknown);
            let place = self
                .waiting
                .iter()
                .position(|waiting| known && waiting.to == to && is_next(waiting.number))?;
            return Some(self.waiting.remove(place));
        };
        self.unknown.take_if(|unknown| *unknown < same.number);
        Some(same)
    }

    /// Requests are read in order. What is no login and no say is nothing that waits.
    fn refused(&mut self, code: Text<'_>) -> Option<Waiting> {
        let mut room = [0; KEY];
        match code.spell(&mut room) {
            "bad-json" | "bad-message" => None,
            "bad-name" | "already-logged-in" => self.take(|waiting| waiting.to == LOGIN),
            "bad-content" | "unknown-uid" | "not-logged-in" => self.take(|waiting| waiting.to != LOGIN),
            _ => self.take(|_| true),
        }
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

impl<'a> ChatMeaning<'a> {
    fn read(text: &'a str, direction: Direction) -> Option<Self> {
        if !text.starts_with('{') {
            return None;
        }
        let mut fields = Fields::default();
        for (key, value) in json::members(text).take(MEMBERS) {
            fields.take(key, value);
        }
        let mut room = [0; KEY];
        Some(match (fields.kind?.spell(&mut room), direction) {
            ("login", Direction::ClientToServer) => Self::Login {
                name: fields.name?,
                room: fields.room,
            },
            ("login", Direction::ServerToClient) => Self::LoggedIn {
                id: fields.id?,
                name: fields.name?,
                users: fields.users,
            },
            ("user_list", Direction::ServerToClient) => Self::UserList(fields.users?),
            ("say", Direction::ClientToServer) => Self::Say {
                to: to_one(fields.to?),
                to_name: fields.to_name,
                content: fields.content?,
            },
            ("say", Direction::ServerToClient) => Self::Said {
                from: fields.from?,
                from_name: fields.from_name,
                to: to_one(fields.to?),
                content: fields.content?,
            },
            ("logout", Direction::ServerToClient) => Self::LoggedOut {
                id: fields.id.or(fields.from)?,
                name: fields.from_name.or(fields.name),
            },
            ("ping", _) => Self::Ping,
            ("pong", _) => Self::Pong,
            ("error", Direction::ServerToClient) => Self::Refused { code: fields.code? },
            _ => return None,
        })
    }

    /// Appends it as every reader of records gets it; [`ChatMeaning::of`] reads that again.
    fn tell(self, exchange: Exchange, out: &mut Interpretations<'a>) {
        let action = match self {
            Self::Login { .. } | Self::LoggedIn { .. } => Action::Named("login"),
            Self::UserList(_) => Action::Named("user-list"),
            Self::Say { .. } | Self::Said { .. } => Action::Named("say"),
            Self::LoggedOut { .. } => Action::Named("logout"),
            Self::Ping => Action::Ping,
            Self::Pong => Action::Pong,
            Self::Refused { .. } => Action::Error,
        };
        // Written where it stays: it is large, and a chat has many.
        out.push(Interpretation::new(NAME, action).exchange(exchange));
        let Some(read) = out.last_mut() else { return };
        let mut field = |name, value: Option<Field<'a>>| {
            if let Some(value) = value {
                read.fields.push(name, value);
            }
        };
        let some = |text| Some(Field::Text(text));
        let all = Text::Plain(ALL);
        match self {
            Self::Login { name, room } => {
                field("name", some(name));
                field("room", room.map(Field::Text));
            }
            Self::LoggedIn { id, name, users } => {
                field("uid", some(id));
                field("name", some(name));
                field("users", users.map(|users| Field::Json(users.raw)));
            }
            Self::UserList(users) => field("users", Some(Field::Json(users.raw))),
            Self::Say { to, to_name, content } => {
                field("to", some(to.unwrap_or(all)));
                field("to_name", to_name.map(Field::Text));
                field("content", some(content));
            }
            Self::Said {
                from,
                from_name,
                to,
                content,
            } => {
                field("from", some(from));
                field("from_name", from_name.map(Field::Text));
                field("to", some(to.unwrap_or(all)));
                field("content", some(content));
            }
            Self::LoggedOut { id, name } => {
                field("uid", some(id));
                field("name", name.map(Field::Text));
            }
            Self::Refused { code } => field("code", some(code)),
            Self::Ping | Self::Pong => {}
        }
    }

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

/// Everybody, as one to whom something is said.
const ALL: &str = "all";

fn to_one(to: Text<'_>) -> Option<Text<'_>> {
    (!to.is(ALL)).then_some(to)
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
        let meaning = ChatMeaning::read(text, direction)?;
        let mut told = Interpretations::new();
        meaning.tell(Exchange::None, &mut told);
        assert_eq!(ChatMeaning::of(&told[0], direction), Some(meaning));
        Some(meaning)
    }
    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    #[test]
    fn the_dialect_of_2014_is_read() {
        assert_eq!(
            meaning(UP, r#"{"type":"login","name":"mynick"}"#),
            Some(ChatMeaning::Login {
                name: Text::Plain("mynick"),
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
                (Text::Plain("7"), Text::Plain("b"))
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
                content: Text::Plain("hi")
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
                to: Some(Text::Plain("7f2")),
                to_name: Some(Text::Plain("b")),
                content: Text::Plain("psst")
            })
        );
        assert_eq!(meaning(DOWN, r#"{"type":"ping"}"#), Some(ChatMeaning::Ping));
    }

    /// Which of the requests so far (from 1) each message answers; 0 is none. No text is a gap.
    fn answered(messages: &[(Direction, &str)]) -> Vec<u64> {
        let mut chat = Chat::default();
        let mut answered = Vec::new();
        for (direction, text) in messages {
            if text.is_empty() {
                chat.gap(SessionId(1), *direction);
                continue;
            }
            let meaning = ChatMeaning::read(text, *direction).unwrap();
            match chat.exchange(&MessageView::text(text), &meaning) {
                Exchange::Answer(key) => answered.push(key.number()),
                Exchange::Request(_) | Exchange::Subscription(_) | Exchange::None => answered.push(0),
                other => panic!("{other:?}"),
            }
        }
        answered
    }

    #[test]
    fn a_say_is_answered_by_the_own_copy_and_a_login_by_the_list() {
        let told = answered(&[
            (UP, r#"{"type":"login","name":"a"}"#),
            (DOWN, r#"{"type":"user_list","user_list":[{"uid":7,"name":"a"}]}"#),
            (DOWN, r#"{"type":"login","uid":7,"name":"a"}"#),
            (UP, r#"{"type":"say","to_uid":"all","content":"same"}"#),
            // Somebody else says the same.
            (DOWN, r#"{"type":"say","from_uid":8,"to_uid":"all","content":"same"}"#),
            (UP, r#"{"type":"say","to_uid":8,"content":"psst"}"#),
            (UP, r#"{"type":"say","to_uid":"all","content":"<b>"}"#),
            (DOWN, r#"{"type":"say","from_uid":7,"to_uid":"all","content":"same"}"#),
            (DOWN, r#"{"type":"say","from_uid":7,"to_uid":8,"content":"psst"}"#),
            // The server has changed it.
            (
                DOWN,
                r#"{"type":"say","from_uid":7,"to_uid":"all","content":"&lt;b&gt;"}"#,
            ),
            (DOWN, r#"{"type":"say","from_uid":7,"to_uid":"all","content":"same"}"#),
            (DOWN, r#"{"type":"user_list","user_list":[{"uid":7,"name":"a"}]}"#),
        ]);
        assert_eq!(told, [0, 1, 0, 0, 0, 0, 0, 2, 3, 4, 0, 0]);
    }

    #[test]
    fn the_copy_of_a_say_that_is_missing_answers_no_other() {
        let (login, list) = (
            r#"{"type":"login","name":"a"}"#,
            r#"{"type":"user_list","user_list":[{"uid":7,"name":"a"}]}"#,
        );
        let say = |text: &str| format!(r#"{{"type":"say","to_uid":"all","content":"{text}"}}"#);
        let copy = |text: &str| format!(r#"{{"type":"say","from_uid":7,"to_uid":"all","content":"{text}"}}"#);
        let told = answered(&[
            (UP, login),
            (DOWN, list),
            (DOWN, r#"{"type":"login","uid":7,"name":"a"}"#),
            (UP, &say("<before>")),
            (UP, ""),
            (UP, &say("behind")),
            // The server has changed it, and answers in order.
            (DOWN, &copy("&lt;before&gt;")),
            (DOWN, &copy("missing")),
            (DOWN, &copy("behind")),
            // From here on all says are known.
            (UP, &say("<later>")),
            (DOWN, &copy("&lt;later&gt;")),
        ]);
        assert_eq!(told, [0, 1, 0, 0, 0, 2, 0, 3, 0, 4]);
    }

    #[test]
    fn what_is_kept_for_sessions_is_counted() {
        let mut chat = Chat::default();
        assert_eq!(chat.cost(), 0);
        let login = |session, may_keep| MessageView {
            session: SessionId(session),
            may_keep,
            ..MessageView::text("")
        };
        for session in 0..1000 {
            chat.ask(&login(session, true), LOGIN, LOGIN);
        }
        let cost = chat.cost();
        assert!(cost >= 1000 * size_of::<Talk>());
        for session in 0..100_000 {
            chat.ask(&login(session, false), LOGIN, LOGIN);
        }
        assert!(chat.cost() == cost && chat.talks.len() == 1000);
    }

    #[test]
    fn an_error_answers_what_was_refused() {
        let told = answered(&[
            (UP, r#"{"type":"say","to_uid":"all","content":"early"}"#),
            (UP, r#"{"type":"login","name":""}"#),
            (UP, r#"{"type":"say","to_uid":"all","content":"again"}"#),
            (DOWN, r#"{"type":"error","code":"bad-json"}"#),
            (DOWN, r#"{"type":"error","code":"not-logged-in"}"#),
            (DOWN, r#"{"type":"error","code":"bad-name"}"#),
            (DOWN, r#"{"type":"error","code":"too-fast"}"#),
            (DOWN, r#"{"type":"error","code":"too-fast"}"#),
        ]);
        assert_eq!(told, [0, 0, 0, 0, 1, 2, 3, 0]);
    }

    #[test]
    fn a_client_cannot_speak_as_the_server() {
        assert_eq!(meaning(UP, r#"{"type":"user_list","user_list":[]}"#), None);
    }
}
