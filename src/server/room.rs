//! Who is here, and who hears what, in which order.
//!
//! Everything that is said goes through one lock, so all clients see the same order. In each list of recipients the one who
//! acted comes first: the sender of a message, the newcomer of a login.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

use super::clock;
use super::goodbye::Goodbye;
use super::outbox::Outbox;
use super::protocol::{Recipient, Refusal, Reply, Uid, User};

/// The one room of the server.
#[derive(Debug)]
pub(super) struct Room {
    most: usize,
    inner: Mutex<Inner>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// All connections, logged in or not.
    connections: BTreeMap<u64, Arc<Outbox>>,
    /// Who has logged in, in the order in which they came.
    users: BTreeMap<Uid, Present>,
    last_connection: u64,
    last_uid: Uid,
    stopping: bool,
}

#[derive(Debug)]
struct Present {
    name: String,
    outbox: Arc<Outbox>,
}

/// Why somebody cannot come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoEntry {
    /// As many are here as may be.
    Full,
    /// The server stops.
    Stopping,
}

impl Room {
    /// A room for at most `most` connections.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            inner: Mutex::default(),
            emptied: Notify::new(),
        }
    }

    /// A connection comes in; it hears nothing until somebody logs in over it. It leaves when the [`Seat`] is dropped.
    pub(super) fn enter(self: &Arc<Self>, outbox: Arc<Outbox>) -> Result<Seat, NoEntry> {
        let mut inner = self.lock();
        if inner.stopping {
            return Err(NoEntry::Stopping);
        }
        if inner.connections.len() >= self.most {
            return Err(NoEntry::Full);
        }
        inner.last_connection += 1;
        let connection = inner.last_connection;
        inner.connections.insert(connection, Arc::clone(&outbox));
        Ok(Seat {
            room: Arc::clone(self),
            connection,
            outbox,
            uid: None,
        })
    }

    /// Says goodbye to everybody and lets nobody in any more.
    pub(super) fn stop(&self) {
        let mut inner = self.lock();
        inner.stopping = true;
        for outbox in inner.connections.values() {
            outbox.close(Goodbye::Stopping);
        }
    }

    /// Returns when the last connection has gone; at once when there is none.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.lock().connections.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// How many connections there are.
    pub(super) fn connections(&self) -> usize {
        self.lock().connections.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place in the room.
#[derive(Debug)]
pub(super) struct Seat {
    room: Arc<Room>,
    connection: u64,
    outbox: Arc<Outbox>,
    uid: Option<Uid>,
}

impl Seat {
    /// The connection's number, from 1.
    pub(super) fn connection(&self) -> u64 {
        self.connection
    }

    /// The user list to the newcomer, then the login to all, newcomer first.
    pub(super) fn login(&mut self, name: String, time: &str) -> Result<Uid, Refusal> {
        if self.uid.is_some() {
            return Err(Refusal::AlreadyLoggedIn);
        }
        let mut inner = self.room.lock();
        inner.last_uid += 1;
        let uid = inner.last_uid;
        let login: Utf8Bytes = Reply::Login { uid, name: &name, time }.to_json().into();
        let outbox = Arc::clone(&self.outbox);
        inner.users.insert(uid, Present { name, outbox });
        let list = inner.users.iter().map(|(&uid, present)| User {
            uid,
            name: &present.name,
        });
        let list = Reply::UserList {
            user_list: list.collect(),
        }
        .to_json();
        self.outbox.push(list.into());
        inner.tell_all(uid, &login);
        self.uid = Some(uid);
        Ok(uid)
    }

    /// `content` to all, the sender first; or to one, and back to the sender.
    pub(super) fn say(&self, to: Recipient, content: &str, time: &str) -> Result<(), Refusal> {
        let from_uid = self.uid.ok_or(Refusal::NotLoggedIn)?;
        let inner = self.room.lock();
        let whisper = match to {
            Recipient::All => None,
            Recipient::One(uid) => Some((uid, inner.users.get(&uid).ok_or(Refusal::UnknownUid)?)),
        };
        let reply = Reply::Say {
            from_uid,
            to_uid: to,
            content,
            time,
        };
        let text: Utf8Bytes = reply.to_json().into();
        match whisper {
            None => inner.tell_all(from_uid, &text),
            Some((uid, present)) => {
                self.outbox.push(text.clone());
                if uid != from_uid {
                    present.outbox.push(text);
                }
            }
        }
        Ok(())
    }

    /// Something for this connection alone.
    pub(super) fn tell(&self, reply: &Reply<'_>) {
        self.outbox.push(reply.to_json().into());
    }

    /// The user leaves, and the others are told. Who it was.
    pub(super) fn logout(&mut self, time: &str) -> Option<Uid> {
        let uid = self.uid.take()?;
        let mut inner = self.room.lock();
        inner.users.remove(&uid);
        let text: Utf8Bytes = Reply::Logout { uid, time }.to_json().into();
        inner.tell_all(uid, &text);
        Some(uid)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.logout(&clock::local_time());
        let mut inner = self.room.lock();
        inner.connections.remove(&self.connection);
        if inner.connections.is_empty() {
            self.room.emptied.notify_waiters();
        }
    }
}

impl Inner {
    /// `text` to everybody who has logged in, `first` first.
    fn tell_all(&self, first: Uid, text: &Utf8Bytes) {
        if let Some(present) = self.users.get(&first) {
            present.outbox.push(text.clone());
        }
        for (&uid, present) in &self.users {
            if uid != first {
                present.outbox.push(text.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::server::outbox::{Bounds, Next};

    const TIME: &str = "2014-08-12 17:50:30";

    fn enter(room: &Arc<Room>) -> Seat {
        let bounds = Bounds {
            messages: 100,
            bytes: 10_000,
        };
        room.enter(Arc::new(Outbox::new(bounds))).unwrap()
    }

    fn heard(seat: &Seat) -> Vec<String> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut heard = Vec::new();
        while let Poll::Ready(Next::Text(text)) = seat.outbox.poll_next(&mut cx) {
            heard.push(text.as_str().to_owned());
        }
        heard
    }

    #[test]
    fn a_newcomer_gets_the_list_then_everybody_hears_of_it() {
        let room = Arc::new(Room::new(10));
        let (mut a, mut b, c) = (enter(&room), enter(&room), enter(&room));
        assert_eq!(a.login("a".into(), TIME), Ok(1));
        assert_eq!(heard(&a).len(), 2);
        assert_eq!(b.login("a".into(), TIME), Ok(2));
        assert_eq!(b.login("b".into(), TIME), Err(Refusal::AlreadyLoggedIn));
        let login = r#"{"type":"login","uid":2,"name":"a","time":"2014-08-12 17:50:30"}"#;
        let list = r#"{"type":"user_list","user_list":[{"uid":1,"name":"a"},{"uid":2,"name":"a"}]}"#;
        assert_eq!(heard(&b), [list, login]);
        assert_eq!(heard(&a), [login]);
        assert!(heard(&c).is_empty(), "who has not logged in hears nothing");
    }

    #[test]
    fn what_is_said_to_one_is_heard_by_two() {
        let room = Arc::new(Room::new(10));
        let (mut a, mut b, mut c) = (enter(&room), enter(&room), enter(&room));
        assert_eq!(a.say(Recipient::All, "x", TIME), Err(Refusal::NotLoggedIn));
        for seat in [&mut a, &mut b, &mut c] {
            seat.login("n".into(), TIME).unwrap();
        }
        for seat in [&a, &b, &c] {
            heard(seat);
        }
        a.say(Recipient::One(3), "psst", TIME).unwrap();
        a.say(Recipient::One(1), "note to self", TIME).unwrap();
        assert_eq!([&a, &b, &c].map(|seat| heard(seat).len()), [2, 0, 1]);
        assert_eq!(a.say(Recipient::One(9), "x", TIME), Err(Refusal::UnknownUid));
        assert_eq!(b.logout(TIME), Some(2));
        assert_eq!(b.logout(TIME), None);
        assert_eq!([&a, &b, &c].map(|seat| heard(seat).len()), [1, 0, 1]);
        assert_eq!(a.say(Recipient::One(2), "x", TIME), Err(Refusal::UnknownUid));
        b.login("n".into(), TIME).unwrap();
        assert_eq!(b.uid, Some(4), "a uid is never used twice");
    }

    #[test]
    fn a_room_can_be_full_and_can_close() {
        let room = Arc::new(Room::new(1));
        let a = enter(&room);
        let outbox = || Arc::new(Outbox::new(Bounds { messages: 1, bytes: 1 }));
        assert_eq!(room.enter(outbox()).unwrap_err(), NoEntry::Full);
        drop(a);
        let a = enter(&room);
        room.stop();
        let next = a.outbox.poll_next(&mut Context::from_waker(Waker::noop()));
        assert_eq!(next, Poll::Ready(Next::Goodbye(Goodbye::Stopping)));
        drop(a);
        assert_eq!(room.enter(outbox()).unwrap_err(), NoEntry::Stopping);
    }
}
