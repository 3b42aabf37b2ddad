//! What messages mean to the application: logins, user lists, who leaves. What is said is told in [`super::saying`].

use super::same_words::same_words;
use super::talk::{Kind, Login};
use super::users::{UserRef, quote, stranger};
use super::who::Person;
use super::{Narrator, Note, Title};
use crate::base::Direction;
use crate::dissect::{self, ChatMeaning, Text, Users};
use crate::record::{Answers, Opcode};

/// Names of a user list that are told.
const NAMES: usize = 8;
/// Users who log in that are counted, and of whom the name is kept.
const LOGINS: usize = 65_536;
const LOGIN_NAMES: usize = 12;
/// Users of one list that are remembered; the others are counted.
const LISTED: usize = 4096;

/// A message of which nothing is known; only when the books have a hole.
pub(super) const UNKNOWN: Kind = Kind::Message(Opcode::Continuation, 0);

impl Narrator {
    /// A message means that, and answers another one. Gives what waits for its ACK.
    pub(super) fn meaning(
        &mut self,
        number: u64,
        direction: Direction,
        meaning: ChatMeaning<'_>,
        answers: Option<&Answers>,
    ) -> Kind {
        match meaning {
            ChatMeaning::Login { name, room } => self.login(number, name, room),
            ChatMeaning::LoggedIn { id, name, users } => self.logged_in(number, id, name, users),
            ChatMeaning::UserList(users) => {
                let talk = self.world.talks.get(&number);
                let login = talk.is_some_and(|talk| talk.login == Login::Asked);
                self.story.entitle(80, Title::UserList { login });
                self.user_list(number, users);
                Kind::UserList { login }
            }
            ChatMeaning::Say { to, to_name, content } => self.say(number, to, to_name, content),
            ChatMeaning::Said {
                from,
                from_name,
                to,
                content,
            } => self.said(number, from, from_name, to, content),
            ChatMeaning::LoggedOut { id, name } => self.logged_out(number, id, name),
            ChatMeaning::Ping => {
                let (from, to) = self.pair(number, direction);
                self.story.entitle(80, Title::AppPing);
                self.story.notes.push(Note::AppPing { from, to });
                Kind::AppPing
            }
            ChatMeaning::Pong => {
                let (from, to) = self.pair(number, direction);
                self.story.entitle(80, Title::AppPong);
                let after = answers.map(|answers| answers.after);
                self.story.notes.push(Note::AppPong { from, to, after });
                Kind::AppPong
            }
            ChatMeaning::Refused { code } => {
                if let Some(answers) = answers {
                    self.refused(number, answers.packet);
                }
                let (server, client) = self.pair(number, direction);
                let code = quote(&mut self.story, code, 40);
                self.story.entitle(80, Title::Refusal);
                self.story.notes.push(Note::Refusal { server, client, code });
                Kind::Refusal
            }
        }
    }

    /// What came with `packet` over that connection has no effect: nobody gets what was said, and who talks there stays who it was.
    fn refused(&mut self, number: u64, packet: u64) {
        let world = &mut self.world;
        if world.says.refuse(number, packet) {
            return;
        }
        if let Some(talk) = world.talks.get_mut(&number)
            && talk.login == Login::Asked
        {
            talk.login = match talk.user {
                Some(_) => Login::Done,
                None => Login::None,
            };
            talk.asked = None;
        }
    }

    fn login(&mut self, number: u64, name: Text<'_>, room: Option<Text<'_>>) -> Kind {
        let world = &mut self.world;
        if let Some(talk) = world.talks.get_mut(&number) {
            let asked = talk.asked.get_or_insert_default();
            asked.name.clear();
            name.copy_into(&mut asked.name, super::users::NAME_BYTES);
            asked.room = world.users.key(talk.server, room.unwrap_or(Text::Plain("")));
            talk.login = Login::Asked;
            talk.login_acked = false;
        }
        let (client, server) = self.pair(number, Direction::ClientToServer);
        let name = quote(&mut self.story, name, super::users::NAME_BYTES);
        self.story.entitle(80, Title::Login);
        self.story.notes.push(Note::Login { client, server, name });
        Kind::Login
    }

    fn logged_in(&mut self, number: u64, id: Text<'_>, name: Text<'_>, users: Option<Users<'_>>) -> Kind {
        let world = &mut self.world;
        let Some(talk) = world.talks.get_mut(&number) else {
            return Kind::LoginResult;
        };
        let server = talk.server;
        let user = world.users.of_id(server, id);
        world.users.arrives(server, user, name);
        // A server may tell all, the newcomer too; and it may have escaped the name.
        let known = world.users.session(user);
        let own = talk.user == Some(user)
            || talk.login == Login::Asked
                && (known == 0 || known == number)
                && same_words(talk.asked_name(), world.users.name(user), false);
        let repeats = own && talk.login_acked;
        if own {
            self.enter_room(number, user);
        }
        let (server, client) = self.pair(number, Direction::ServerToClient);
        let person = self.person(user, id, name);
        if !own {
            self.story.entitle(80, Title::Joined);
            self.story.notes.push(Note::LoginNotice { server, client, person });
            return Kind::LoginNotice(user);
        }
        self.story.entitle(80, Title::LoginResult);
        self.story.notes.push(Note::LoginResult { server, client, person });
        if let Some(users) = users {
            self.user_list(number, users);
        }
        if repeats && self.nothing_acked() {
            self.tail.push(Note::AckRepeats {
                what: super::What::Login(person.name),
            });
        }
        Kind::LoginResult
    }

    fn nothing_acked(&self) -> bool {
        self.now.tcp.as_ref().is_some_and(|tcp| tcp.facts.ack.newly.is_empty())
    }

    fn person(&mut self, user: UserRef, id: Text<'_>, name: Text<'_>) -> Person {
        self.world
            .users
            .person(&mut self.story, user)
            .unwrap_or_else(|| stranger(&mut self.story, Some(id), Some(name)))
    }

    fn user_list(&mut self, number: u64, users: Users<'_>) {
        let Some(talk) = self.world.talks.get(&number) else {
            return;
        };
        let at = talk.server;
        let (server, client) = self.pair(number, Direction::ServerToClient);
        let start = self.story.text.len();
        let mut count = 0;
        for entry in dissect::users(users) {
            if count < LISTED {
                let user = self.world.users.of_id(at, entry.id);
                self.world.users.arrives(at, user, entry.name);
            }
            if count < NAMES {
                if count > 0 {
                    self.story.text.push(0);
                }
                quote(&mut self.story, entry.name, super::users::NAME_BYTES);
            }
            count += 1;
        }
        let names = super::Span {
            start: start as u32,
            length: (self.story.text.len() - start) as u32,
            cut: count > NAMES,
        };
        self.story.notes.push(Note::UserList {
            server,
            client,
            names,
            count: count as u64,
        });
    }

    fn logged_out(&mut self, number: u64, id: Text<'_>, name: Option<Text<'_>>) -> Kind {
        let Some(talk) = self.world.talks.get(&number) else {
            return UNKNOWN;
        };
        let at = talk.server;
        let user = self.world.users.of_id(at, id);
        let person = match self.world.users.person(&mut self.story, user) {
            Some(person) if !person.name.is_empty() => person,
            _ => stranger(&mut self.story, Some(id), name),
        };
        self.world.users.leaves(user);
        let session = self.world.users.session(user);
        if session != number {
            self.leave_room(session);
        }
        self.missed_of(user);
        self.world.users.bind(user, 0);
        let (server, client) = self.pair(number, Direction::ServerToClient);
        self.story.entitle(80, Title::Left);
        self.story.notes.push(Note::LogoutNotice { server, client, person });
        Kind::LogoutNotice(user)
    }

    /// How many users have logged in, and the first names.
    pub fn logins(&self) -> (usize, &[Vec<u8>]) {
        (self.logins.len(), &self.login_names)
    }

    /// `user` has logged in over that connection.
    fn enter_room(&mut self, number: u64, user: UserRef) {
        // Whoever logs in again has left.
        self.leave_room(number);
        let world = &mut self.world;
        let Some(talk) = world.talks.get_mut(&number) else {
            return;
        };
        talk.user = Some(user);
        talk.login = Login::Done;
        talk.since = world.says.next();
        talk.room = talk.asked.as_ref().map_or(0, |asked| asked.room);
        if talk.login_acked {
            // Thousands of silent users need not keep what they asked for.
            talk.asked = None;
        }
        world.users.bind(user, number);
        world.users.is_seen(user);
        if self.logins.len() < LOGINS && self.logins.insert(user) && self.login_names.len() < LOGIN_NAMES {
            self.login_names.push(world.users.name(user).to_vec());
        }
        world.rooms.entry(talk.room).or_default().push(number);
    }

    /// That connection is in no room any more: nobody waits for its ACKs.
    pub(super) fn leave_room(&mut self, number: u64) {
        let world = &mut self.world;
        let Some(talk) = world.talks.get(&number) else { return };
        let Some(members) = world.rooms.get_mut(&talk.room) else {
            return;
        };
        let Some(index) = members.iter().position(|&member| member == number) else {
            return;
        };
        members.remove(index);
        if members.is_empty() {
            world.rooms.remove(&talk.room);
        }
        self.missed_by(number);
    }

    /// The user by the name that is known, else by what the message says.
    pub(super) fn known_or(&mut self, user: UserRef, id: Option<Text<'_>>, name: Option<Text<'_>>) -> Person {
        match self.world.users.person(&mut self.story, user) {
            Some(person) if !person.name.is_empty() => person,
            _ => stranger(&mut self.story, id, name),
        }
    }
}
