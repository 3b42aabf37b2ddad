//! Who is who: names from logins and user lists, to stand for identifiers and ports afterwards.
//!
//! The table is bounded: a stranger's server may invent users without end, and the oldest are forgotten then. Identifiers and
//! names are kept up to a length.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;

use super::short::Short;
use super::story::{Span, Story};
use super::who::Person;
use crate::base::{Endpoint, appearance};
use crate::dissect::Text;

/// Users known at once, over all servers.
const USERS: usize = 8192;
/// Bytes of a name that are kept.
pub(super) const NAME_BYTES: usize = 48;
/// Bytes of an identifier that are kept.
const ID_BYTES: usize = 40;

/// Bytes of a text that decide whether it is the same.
const KEY_BYTES: usize = 256;

/// A user of one server. It is stale when the table has forgotten that user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UserRef {
    slot: u32,
    generation: u32,
}

/// All users that are known.
#[derive(Default)]
pub(super) struct Users {
    slots: Vec<User>,
    next: usize,
    by_id: HashMap<u64, u32, RandomState>,
    /// The users of a server who are there and bear a name that looks so.
    bearers: HashMap<u64, Bearers, RandomState>,
    /// How many users of a server are there whose login was not seen.
    unseen: HashMap<u64, u32, RandomState>,
    hasher: RandomState,
    scratch: Vec<u8>,
}

#[derive(Default)]
struct Bearers {
    count: u32,
    /// There were several at once: from then on they are told apart, also when the others have left.
    several: bool,
}

#[derive(Default)]
struct User {
    generation: u32,
    id_key: u64,
    name_key: u64,
    look_key: u64,
    id: Short<ID_BYTES>,
    name: Short<NAME_BYTES>,
    online: bool,
    /// Others have borne the name at the same time; kept when the user leaves.
    shared: bool,
    /// Stands for the server.
    server: u64,
    /// The login was seen, over a connection that is captured.
    seen: bool,
    /// The connection over which this user talks; 0 when it is not known.
    session: u64,
}

impl Users {
    /// A number that stands for text on one server.
    pub(super) fn key(&mut self, server: Endpoint, text: Text<'_>) -> u64 {
        if let Some(plain) = text.as_plain() {
            return self.hash(server, &plain.as_bytes()[..plain.len().min(KEY_BYTES)]);
        }
        self.scratch.clear();
        text.copy_into(&mut self.scratch, KEY_BYTES + 4);
        self.hash(server, &self.scratch[..self.scratch.len().min(KEY_BYTES)])
    }

    fn hash(&self, server: Endpoint, bytes: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        server.hash(&mut hasher);
        hasher.write(bytes);
        hasher.finish()
    }

    /// The user of that identifier, new if need be.
    pub(super) fn of_id(&mut self, server: Endpoint, id: Text<'_>) -> UserRef {
        let key = self.key(server, id);
        if let Some(&slot) = self.by_id.get(&key) {
            return UserRef {
                slot,
                generation: self.slots[slot as usize].generation,
            };
        }
        let server = self.hash(server, b"");
        let slot = if self.slots.len() < USERS {
            self.slots.push(User::default());
            self.slots.len() - 1
        } else {
            self.next = (self.next + 1) % USERS;
            self.forget(self.next);
            self.next
        };
        let id = short(&mut self.scratch, id);
        let user = &mut self.slots[slot];
        user.generation = user.generation.wrapping_add(1);
        user.id_key = key;
        user.id = id;
        user.name = Short::default();
        user.online = false;
        user.shared = false;
        user.server = server;
        user.seen = false;
        user.session = 0;
        self.by_id.insert(key, slot as u32);
        UserRef {
            slot: slot as u32,
            generation: user.generation,
        }
    }

    fn forget(&mut self, slot: usize) {
        let user = &mut self.slots[slot];
        let (id_key, look_key, online) = (user.id_key, user.look_key, user.online);
        let before = user.is_unseen();
        user.online = false;
        self.count_unseen(slot, before);
        self.by_id.remove(&id_key);
        if online {
            self.release(look_key);
        }
    }

    /// Whether several users who were there at once have borne a name that looks so.
    fn is_shared(&self, look_key: u64) -> bool {
        self.bearers.get(&look_key).is_some_and(|bearers| bearers.several)
    }

    fn release(&mut self, look_key: u64) {
        if let Some(bearers) = self.bearers.get_mut(&look_key) {
            bearers.count -= 1;
            if bearers.count == 0 {
                self.bearers.remove(&look_key);
            }
        }
    }

    /// How many users of that server are there whose login was not seen: they may get what is said without this capture's showing it.
    pub(super) fn unseen(&self, server: Endpoint) -> u32 {
        self.unseen.get(&self.hash(server, b"")).copied().unwrap_or_default()
    }

    /// The user has logged in over a connection that is captured.
    pub(super) fn is_seen(&mut self, user: UserRef) {
        let Some(known) = self.user_mut(user) else { return };
        let before = known.is_unseen();
        known.seen = true;
        self.count_unseen(user.slot as usize, before);
    }

    /// The user of that slot has changed, and was to be counted `before`.
    fn count_unseen(&mut self, slot: usize, before: bool) {
        let user = &self.slots[slot];
        match (before, user.is_unseen()) {
            (false, true) => *self.unseen.entry(user.server).or_insert(0) += 1,
            (true, false) => {
                if let Some(count) = self.unseen.get_mut(&user.server) {
                    *count -= 1;
                    if *count == 0 {
                        self.unseen.remove(&user.server);
                    }
                }
            }
            _ => {}
        }
    }

    fn user(&self, user: UserRef) -> Option<&User> {
        self.slots
            .get(user.slot as usize)
            .filter(|u| u.generation == user.generation)
    }

    fn user_mut(&mut self, user: UserRef) -> Option<&mut User> {
        self.slots
            .get_mut(user.slot as usize)
            .filter(|u| u.generation == user.generation)
    }

    /// The user is there, under that name.
    pub(super) fn arrives(&mut self, server: Endpoint, user: UserRef, name: Text<'_>) {
        let name_key = self.key(server, name);
        let Some(known) = self.user(user) else { return };
        if known.online && known.name_key == name_key {
            return;
        }
        let name = short(&mut self.scratch, name);
        let look = appearance(std::str::from_utf8(name.bytes()).unwrap_or_default());
        let look_key = self.hash(server, look.as_bytes());
        let Some(known) = self.user_mut(user) else { return };
        let before = known.online.then_some(known.look_key);
        let was_unseen = known.is_unseen();
        known.online = true;
        known.shared = false;
        known.name_key = name_key;
        known.look_key = look_key;
        known.name = name;
        if let Some(before) = before {
            self.release(before);
        }
        let bearers = self.bearers.entry(look_key).or_default();
        bearers.count += 1;
        bearers.several |= bearers.count > 1;
        self.count_unseen(user.slot as usize, was_unseen);
    }

    /// The user has left. The name stays, to speak of.
    pub(super) fn leaves(&mut self, user: UserRef) {
        let Some(known) = self.user_mut(user) else { return };
        let was_unseen = known.is_unseen();
        known.seen = false;
        if std::mem::take(&mut known.online) {
            let look_key = known.look_key;
            self.slots[user.slot as usize].shared = self.is_shared(look_key);
            self.release(look_key);
        }
        self.count_unseen(user.slot as usize, was_unseen);
    }

    /// Over which connection the user talks; 0 when it is not known.
    pub(super) fn session(&self, user: UserRef) -> u64 {
        self.user(user).map_or(0, |u| u.session)
    }

    /// The user talks over that connection.
    pub(super) fn bind(&mut self, user: UserRef, session: u64) {
        if let Some(known) = self.user_mut(user) {
            known.session = session;
        }
    }

    /// The user's name, as far as it is kept.
    pub(super) fn name(&self, user: UserRef) -> &[u8] {
        self.user(user).map_or(&[], |u| u.name.bytes())
    }

    /// The user, to be spoken of in `story`.
    pub(super) fn person(&self, story: &mut Story, user: UserRef) -> Option<Person> {
        let known = self.user(user)?;
        let mut name = story.keep(known.name.bytes());
        name.cut = known.name.is_cut();
        Some(Person {
            name,
            id: story.keep(known.id.bytes()),
            shared: match known.online {
                true => self.is_shared(known.look_key),
                false => known.shared,
            },
        })
    }
}

/// As much of `text` as is kept.
fn short<const N: usize>(scratch: &mut Vec<u8>, text: Text<'_>) -> Short<N> {
    scratch.clear();
    let cut = text.copy_into(scratch, N);
    Short::new(scratch, cut)
}

impl User {
    const fn is_unseen(&self) -> bool {
        self.online && !self.seen
    }
}

/// Somebody of whom only a text is known.
pub(super) fn stranger(story: &mut Story, id: Option<Text<'_>>, name: Option<Text<'_>>) -> Person {
    Person {
        name: name.map_or(Span::default(), |n| quote(story, n, NAME_BYTES)),
        id: id.map_or(Span::default(), |i| quote(story, i, ID_BYTES)),
        shared: false,
    }
}

/// Copies at most `limit` bytes of `text` into the story.
pub(super) fn quote(story: &mut Story, text: Text<'_>, limit: usize) -> Span {
    let start = story.text.len();
    let cut = text.copy_into(&mut story.text, limit);
    Span {
        start: start as u32,
        length: (story.text.len() - start) as u32,
        cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const SERVER: Endpoint = Endpoint::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7272);

    #[test]
    fn two_users_of_one_name_are_told_apart_also_when_one_has_left() {
        let (mut users, mut story) = (Users::default(), Story::default());
        let a = users.of_id(SERVER, Text::Plain("1"));
        let b = users.of_id(SERVER, Text::Plain("2"));
        users.arrives(SERVER, a, Text::Json("mynick"));
        assert!(!users.person(&mut story, a).unwrap().shared);
        users.arrives(SERVER, b, Text::Json(r"my\u006eick"));
        assert!(users.person(&mut story, a).unwrap().shared);
        users.leaves(b);
        assert!(users.person(&mut story, a).unwrap().shared);
        users.leaves(a);
        for left in [a, b] {
            assert!(users.person(&mut story, left).unwrap().shared);
        }
        // Who comes later was never there with them.
        let c = users.of_id(SERVER, Text::Plain("3"));
        users.arrives(SERVER, c, Text::Json("mynick"));
        assert!(!users.person(&mut story, c).unwrap().shared);
    }

    #[test]
    fn two_users_whose_names_look_the_same_are_told_apart() {
        for other in ["bob\u{a0}", "b\u{43e}b", "bob\u{2800}", "bob\u{200b}"] {
            let (mut users, mut story) = (Users::default(), Story::default());
            let [a, b] = ["1", "2"].map(|id| users.of_id(SERVER, Text::Plain(id)));
            users.arrives(SERVER, a, Text::Plain("bob"));
            users.arrives(SERVER, b, Text::Plain(other));
            assert!(users.person(&mut story, a).unwrap().shared, "{other:?}");
            users.arrives(SERVER, b, Text::Plain("Bob"));
            assert!(!users.person(&mut story, b).unwrap().shared, "{other:?}");
            assert!(users.person(&mut story, a).unwrap().shared, "{other:?}");
            assert_eq!(users.name(b), b"Bob");
            assert_eq!(users.bearers.len(), 2);
        }
    }

    #[test]
    fn who_is_there_unseen_is_counted() {
        let mut users = Users::default();
        let [a, b] = ["1", "2"].map(|id| users.of_id(SERVER, Text::Plain(id)));
        users.arrives(SERVER, a, Text::Plain("a"));
        users.arrives(SERVER, b, Text::Plain("b"));
        users.arrives(SERVER, b, Text::Plain("renamed"));
        assert_eq!(users.unseen(SERVER), 2);
        users.is_seen(a);
        assert_eq!(users.unseen(SERVER), 1);
        users.leaves(a);
        users.leaves(b);
        users.leaves(b);
        assert_eq!((users.unseen(SERVER), users.unseen.len()), (0, 0));
    }

    #[test]
    fn users_without_end_are_forgotten_the_oldest_first() {
        let (mut users, mut story) = (Users::default(), Story::default());
        let first = users.of_id(SERVER, Text::Plain("0"));
        for n in 0..3 * USERS {
            let id = n.to_string();
            let user = users.of_id(SERVER, Text::Plain(&id));
            users.arrives(SERVER, user, Text::Plain("same"));
        }
        assert!(users.person(&mut story, first).is_none());
        assert!(users.slots.len() <= USERS && users.by_id.len() <= USERS && users.bearers.len() <= USERS);
        assert_eq!(users.unseen(SERVER) as usize, USERS);
    }
}
