//! What messages mean to the application: logins, user lists, and each say with its deliveries.

use super::says::{Delivery, SayId};
use super::talk::{Kind, Label, Login};
use super::users::{UserRef, quote, stranger};
use super::who::{Labelled, Person};
use super::{Narrator, Note, Party, Role, Title, To, party};
use crate::app::{self, Meaning, Text, Users};
use crate::base::Direction;
use crate::event::Opcode;

/// Names of a user list that are told.
const NAMES: usize = 8;
/// Users of one list that are read.
const LISTED: usize = 4096;

/// A text message of which nothing is known; only when the books have a hole.
const UNKNOWN: Kind = Kind::Message(Opcode::Text, 0);

impl Narrator {
    /// A message means that. Gives what waits for its ACK.
    pub(super) fn meaning(&mut self, number: u64, direction: Direction, meaning: Meaning<'_>) -> Kind {
        match meaning {
            Meaning::Login { name, room } => self.login(number, name, room),
            Meaning::LoggedIn { id, name, users } => self.logged_in(number, id, name, users),
            Meaning::UserList(users) => {
                let talk = self.world.talks.get(&number);
                let login = talk.is_some_and(|talk| talk.login == Login::Asked);
                self.story.entitle(80, Title::UserList { login });
                self.user_list(number, users);
                Kind::UserList { login }
            }
            Meaning::Say { to, to_name, content } => self.say(number, to, to_name, content),
            Meaning::Said {
                from,
                from_name,
                to,
                content,
            } => self.said(number, from, from_name, to, content),
            Meaning::LoggedOut { id, name } => self.logged_out(number, id, name),
            Meaning::Ping => {
                let (from, to) = self.pair(number, direction);
                if let Some(talk) = self.world.talks.get_mut(&number) {
                    talk.app_ping = Some((direction, self.now.time));
                }
                self.story.entitle(80, Title::AppPing);
                self.story.notes.push(Note::AppPing { from, to });
                Kind::AppPing
            }
            Meaning::Pong => {
                let (from, to) = self.pair(number, direction);
                let now = self.now.time;
                let after = self.world.talks.get_mut(&number).and_then(|talk| {
                    let (_, at) = talk.app_ping.take_if(|(asker, _)| *asker != direction)?;
                    Some(now.since(at))
                });
                self.story.entitle(80, Title::AppPong);
                self.story.notes.push(Note::AppPong { from, to, after });
                Kind::AppPong
            }
            Meaning::Refused { code } => {
                let (server, client) = self.pair(number, direction);
                let code = quote(&mut self.story, code, 40);
                self.story.entitle(80, Title::Refusal);
                self.story.notes.push(Note::Refusal { server, client, code });
                Kind::Refusal
            }
            Meaning::Generic {
                protocol,
                act,
                label,
                id,
            } => {
                let (from, to) = self.pair(number, direction);
                let label = quote(&mut self.story, label.unwrap_or(Text::Plain("")), 60);
                let id = quote(&mut self.story, id.unwrap_or(Text::Plain("")), 40);
                let message = Labelled { protocol, act, label };
                self.story.entitle(80, Title::Labelled(message));
                self.story.notes.push(Note::Labelled { from, to, message, id });
                Kind::Labelled(protocol, act, Label::new(self.story.text(label)))
            }
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
        let own = talk.login == Login::Asked
            && matches!(world.users.session(user), 0)
            && world.users.is_called(user, talk.asked_name());
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
        for entry in app::users(users).take(LISTED) {
            let user = self.world.users.of_id(at, entry.id);
            self.world.users.arrives(at, user, entry.name);
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
        let (server, client) = self.pair(number, Direction::ServerToClient);
        self.story.entitle(80, Title::Left);
        self.story.notes.push(Note::LogoutNotice { server, client, person });
        Kind::LogoutNotice(user)
    }

    fn say(&mut self, number: u64, to: Option<Text<'_>>, to_name: Option<Text<'_>>, content: Text<'_>) -> Kind {
        let world = &mut self.world;
        let Some(talk) = world.talks.get(&number) else {
            return UNKNOWN;
        };
        let server = talk.server;
        let words = world.users.key(server, content);
        let addressee = to.map(|id| world.users.of_id(server, id));
        let members = world.rooms.get(&talk.room).map_or(&[][..], Vec::as_slice);
        let expected = match addressee {
            None => members.len() as u32,
            Some(user) => u32::from(world.users.session(user) != 0),
        };
        let (id, say) = world.says.begin(words, content);
        say.server = Some(server);
        say.packet = self.now.packet;
        say.at = self.now.time;
        say.session = number;
        say.user = talk.user;
        say.to = addressee;
        say.expected = expected;
        world.says.set_waiting(id, expected > 0);
        let Some(say) = world.says.get(id) else { return UNKNOWN };
        let speaker = talk.user;
        let quoted = say.quote(&mut self.story);
        let (client, server) = self.pair(number, Direction::ClientToServer);
        let to = match (addressee, to) {
            (Some(user), Some(id)) => To::One(self.known_or(user, Some(id), to_name)),
            _ => To::All,
        };
        let person = speaker.and_then(|user| self.world.users.person(&mut self.story, user));
        self.story.entitle(
            80,
            match to {
                To::All => Title::Say(person),
                To::One(_) => Title::Private(person),
            },
        );
        self.story.notes.push(Note::Say {
            client,
            server,
            to,
            content: quoted,
        });
        Kind::Say(id)
    }

    /// The user by the name that is known, else by what the message says.
    fn known_or(&mut self, user: UserRef, id: Option<Text<'_>>, name: Option<Text<'_>>) -> Person {
        match self.world.users.person(&mut self.story, user) {
            Some(person) if !person.name.is_empty() => person,
            _ => stranger(&mut self.story, id, name),
        }
    }

    fn said(
        &mut self,
        number: u64,
        from: Text<'_>,
        from_name: Option<Text<'_>>,
        to: Option<Text<'_>>,
        content: Text<'_>,
    ) -> Kind {
        let world = &mut self.world;
        let Some(talk) = world.talks.get(&number) else {
            return UNKNOWN;
        };
        let (server, listener) = (talk.server, talk.user);
        let browser = talk.role == Role::Browser;
        let speaker = world.users.of_id(server, from);
        if let Some(name) = from_name {
            world.users.arrives(server, speaker, name);
        }
        let addressee = to.map(|id| world.users.of_id(server, id));
        let delivery = Delivery {
            server,
            from: speaker,
            from_session: world.users.session(speaker),
            to: addressee,
            words: world.users.key(server, content),
            listener: number,
        };
        let id = match world.says.find(&delivery) {
            Some(id) => id,
            None => {
                let (id, say) = world.says.begin(delivery.words, content);
                say.server = Some(server);
                say.user = Some(speaker);
                say.to = addressee;
                say.at = self.now.time;
                id
            }
        };
        self.missed_before(id, speaker);
        let world = &mut self.world;
        let Some(say) = world.says.get(id) else { return UNKNOWN };
        if say.user.is_none() {
            // Whoever said these words over that connection is this user.
            say.user = Some(speaker);
            if let Some(talk) = world.talks.get_mut(&say.session)
                && talk.user.is_none()
            {
                talk.user = Some(speaker);
                world.users.bind(speaker, say.session);
            }
        }
        let own = say.session == number || listener == Some(speaker);
        // A private word's copy for its speaker is not the delivery that counts.
        let nth = if addressee.is_some() && own {
            0
        } else {
            say.deliver(number, browser)
        };
        let (of, seen, at) = (say.expected, say.packet != 0, say.at);
        let browsers = !say.others;
        let (server, client) = self.pair(number, Direction::ServerToClient);
        let from = self.known_or(speaker, Some(from), from_name);
        let content = quote(&mut self.story, content, super::says::CONTENT_BYTES);
        match addressee {
            None => {
                self.story.entitle(80, Title::Say(Some(from)));
                self.story.notes.push(Note::Forward {
                    server,
                    client,
                    from,
                    content,
                    own,
                });
            }
            Some(user) => {
                let to = self.known_or(user, to, None);
                self.story.entitle(80, Title::Private(Some(from)));
                self.story.notes.push(Note::ForwardPrivate {
                    server,
                    client,
                    from,
                    to,
                    content,
                    own,
                });
            }
        }
        if seen && (nth > 0 || own) {
            self.story.notes.push(Note::Delivery {
                nth: if addressee.is_some() { 0 } else { nth },
                of: if of >= nth { of } else { 0 },
                after: self.now.time.since(at),
                browsers,
            });
        }
        Kind::Forward(id)
    }

    /// A say of `speaker` is delivered: what the same speaker said before it and somebody has not got will not come any more.
    fn missed_before(&mut self, current: SayId, speaker: UserRef) {
        let mut after = SayId(0);
        loop {
            let next = self.world.says.waiting().find(|id| *id > after && *id < current);
            let Some(id) = next else { break };
            after = id;
            let Some(say) = self.world.says.get(id) else { continue };
            if say.done || say.user != Some(speaker) || say.expected == 0 || say.packet == 0 {
                continue;
            }
            let reached = say.delivered.len() as u32;
            if reached >= say.expected {
                continue;
            }
            say.done = true;
            self.world.says.set_waiting(id, false);
            self.tell_missed(id);
        }
    }

    /// Who of those who should have got that say has not.
    fn tell_missed(&mut self, id: SayId) {
        let world = &mut self.world;
        let Some(say) = world.says.get(id) else { return };
        let content = say.quote(&mut self.story);
        let packet = say.packet;
        let from = say.user.and_then(|user| world.users.person(&mut self.story, user));
        if say.delivered.is_empty() {
            self.tail.push(Note::MissedByAll { content, packet, from });
            return;
        }
        let room = world.talks.get(&say.session).map_or(0, |talk| talk.room);
        let Some(members) = world.rooms.get(&room) else { return };
        let mut missing = members.iter().filter(|member| {
            let there = world.talks.get(member).is_some_and(|talk| talk.since <= id);
            there && !say.reached(**member)
        });
        let Some(first) = missing.next() else { return };
        let more = missing.count() as u32;
        let Some(talk) = world.talks.get(first) else { return };
        let who: Party = party(&mut self.story, &world.users, talk, Direction::ClientToServer);
        self.tail.push(Note::Missed {
            content,
            packet,
            from,
            who,
            more,
        });
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
        world.rooms.entry(talk.room).or_default().push(number);
    }

    /// That connection is in no room any more: nobody waits for its ACKs.
    pub(super) fn leave_room(&mut self, number: u64) {
        let world = &mut self.world;
        let Some(talk) = world.talks.get(&number) else { return };
        let since = talk.since;
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
        for id in world.says.all() {
            let Some(say) = world.says.get(id) else { continue };
            if !say.done && say.to.is_none() && say.expected > 0 && since <= id && !say.reached(number) {
                say.expected -= 1;
            }
        }
    }
}
