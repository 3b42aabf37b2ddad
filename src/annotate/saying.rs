//! What is said, and its deliveries.

use super::chat::UNKNOWN;
use super::says::Delivery;
use super::talk::Kind;
use super::users::quote;
use super::{Narrator, Note, Role, Title, To};
use crate::base::Direction;
use crate::dissect::Text;

impl Narrator {
    pub(super) fn say(
        &mut self,
        number: u64,
        to: Option<Text<'_>>,
        to_name: Option<Text<'_>>,
        content: Text<'_>,
    ) -> Kind {
        let world = &mut self.world;
        let Some(talk) = world.talks.get(&number) else {
            return UNKNOWN;
        };
        let server = talk.server;
        let words = world.users.key(server, content);
        let addressee = to.map(|id| world.users.of_id(server, id));
        let members = world.rooms.get(&talk.room).map_or(&[][..], Vec::as_slice);
        let expected = match addressee {
            // Somebody is there of whom this capture shows no login: who else gets it is not known.
            None if world.users.unseen(server) > 0 => 0,
            None => members.len() as u32,
            Some(user) => u32::from(world.users.session(user) != 0),
        };
        let (id, say) = world.says.begin(words, content);
        say.server = Some(server);
        say.packet = self.now.packet;
        say.at = self.now.time;
        say.session = number;
        say.room = talk.room;
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

    pub(super) fn said(
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
            content: {
                let mut kept = std::mem::take(&mut self.compared);
                kept.clear();
                content.copy_into(&mut kept, 4 * super::says::CONTENT_BYTES);
                kept
            },
            listener: number,
        };
        let found = world.says.find(&delivery);
        let words = delivery.words;
        self.compared = delivery.content;
        let world = &mut self.world;
        let id = match found {
            Some(id) => id,
            None => {
                let (id, say) = world.says.begin(words, content);
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
        // A private word's copy for its speaker is not the delivery that counts, unless it is to the speaker.
        let nth = if addressee.is_some_and(|user| user != speaker) && own {
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
}
