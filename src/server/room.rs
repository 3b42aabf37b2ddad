//! The chat room: who is here, and who gets which message in which order.
//!
//! Everything goes through one lock, so all clients see the same order. Of the recipients the one who acted comes first: the
//! sender of a message, the newcomer of a login.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

use super::clock;
use super::close::CloseReason;
use super::protocol::{Recipient, Reply, RequestError, Uid, User};
use super::send_queue::SendQueue;
use crate::base::appearance;

/// The one room of the server.
#[derive(Debug)]
pub(super) struct Room {
    max_connections: usize,
    inner: Mutex<Inner>,
    empty: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// All connections, logged in or not.
    connections: BTreeMap<u64, Arc<SendQueue>>,
    /// Who has logged in, in order of their logins.
    users: BTreeMap<Uid, OnlineUser>,
    last_connection: u64,
    last_uid: Uid,
    stopping: bool,
}

#[derive(Debug)]
struct OnlineUser {
    name: String,
    appearance: String,
    queue: Arc<SendQueue>,
}

/// Why a connection is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinError {
    /// There are as many connections as there may be.
    Full,
    /// The server stops.
    Stopping,
}

impl Room {
    /// A room for at most `max_connections` connections.
    pub(super) fn new(max_connections: usize) -> Self {
        Self {
            max_connections,
            inner: Mutex::default(),
            empty: Notify::new(),
        }
    }

    /// Adds a connection; it gets nothing until it has logged in. It is removed when the [`Membership`] is dropped.
    pub(super) fn join(self: &Arc<Self>, queue: Arc<SendQueue>) -> Result<Membership, JoinError> {
        let mut inner = self.lock();
        if inner.stopping {
            return Err(JoinError::Stopping);
        }
        if inner.connections.len() >= self.max_connections {
            return Err(JoinError::Full);
        }
        inner.last_connection += 1;
        let connection = inner.last_connection;
        inner.connections.insert(connection, Arc::clone(&queue));
        Ok(Membership {
            room: Arc::clone(self),
            connection,
            queue,
            uid: None,
        })
    }

    /// Closes all connections and accepts no more.
    pub(super) fn stop(&self) {
        let mut inner = self.lock();
        inner.stopping = true;
        for queue in inner.connections.values() {
            queue.close(CloseReason::Stopping);
        }
    }

    /// Returns when there are no connections.
    pub(super) async fn wait_until_empty(&self) {
        loop {
            let empty = self.empty.notified();
            if self.lock().connections.is_empty() {
                return;
            }
            empty.await;
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

/// A connection in the room.
#[derive(Debug)]
pub(super) struct Membership {
    room: Arc<Room>,
    connection: u64,
    queue: Arc<SendQueue>,
    uid: Option<Uid>,
}

impl Membership {
    /// The connection's number, from 1.
    pub(super) fn connection(&self) -> u64 {
        self.connection
    }

    /// Sends the user list to the newcomer, then the login to all, newcomer first. Users may share a name; a name that only
    /// looks like that of another user who is here is refused.
    pub(super) fn login(&mut self, name: String, time: &str) -> Result<Uid, RequestError> {
        if self.uid.is_some() {
            return Err(RequestError::AlreadyLoggedIn);
        }
        let appearance = appearance(&name);
        let mut inner = self.room.lock();
        if inner
            .users
            .values()
            .any(|user| user.appearance == appearance && user.name != name)
        {
            return Err(RequestError::BadName);
        }
        inner.last_uid += 1;
        let uid = inner.last_uid;
        let login: Utf8Bytes = Reply::Login { uid, name: &name, time }.to_json().into();
        let queue = Arc::clone(&self.queue);
        inner.users.insert(
            uid,
            OnlineUser {
                name,
                appearance,
                queue,
            },
        );
        let list = inner.users.iter().map(|(&uid, user)| User { uid, name: &user.name });
        let list = Reply::UserList {
            user_list: list.collect(),
        }
        .to_json();
        self.queue.push(list.into());
        inner.broadcast(uid, &login);
        self.uid = Some(uid);
        Ok(uid)
    }

    /// Sends `content` to all, the sender first; or to one, and back to the sender.
    pub(super) fn say(&self, to: Recipient, content: &str, time: &str) -> Result<(), RequestError> {
        let from_uid = self.uid.ok_or(RequestError::NotLoggedIn)?;
        let inner = self.room.lock();
        let recipient = match to {
            Recipient::All => None,
            Recipient::One(uid) => Some((uid, inner.users.get(&uid).ok_or(RequestError::UnknownUid)?)),
        };
        let reply = Reply::Say {
            from_uid,
            to_uid: to,
            content,
            time,
        };
        let text: Utf8Bytes = reply.to_json().into();
        match recipient {
            None => inner.broadcast(from_uid, &text),
            Some((uid, user)) => {
                self.queue.push(text.clone());
                if uid != from_uid {
                    user.queue.push(text);
                }
            }
        }
        Ok(())
    }

    /// Sends something to this connection alone.
    pub(super) fn send(&self, reply: &Reply<'_>) {
        self.queue.push(reply.to_json().into());
    }

    /// Removes the user, if it has logged in, and tells the others.
    pub(super) fn logout(&mut self, time: &str) -> Option<Uid> {
        let uid = self.uid.take()?;
        let mut inner = self.room.lock();
        inner.users.remove(&uid);
        let text: Utf8Bytes = Reply::Logout { uid, time }.to_json().into();
        inner.broadcast(uid, &text);
        Some(uid)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.logout(&clock::local_time());
        let mut inner = self.room.lock();
        inner.connections.remove(&self.connection);
        if inner.connections.is_empty() {
            self.room.empty.notify_waiters();
        }
    }
}

impl Inner {
    /// Sends `text` to everybody who has logged in, `first` first.
    fn broadcast(&self, first: Uid, text: &Utf8Bytes) {
        if let Some(user) = self.users.get(&first) {
            user.queue.push(text.clone());
        }
        for (&uid, user) in &self.users {
            if uid != first {
                user.queue.push(text.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::server::send_queue::{Next, QueueLimits};

    const TIME: &str = "2014-08-12 17:50:30";

    fn join(room: &Arc<Room>) -> Membership {
        let bounds = QueueLimits {
            messages: 100,
            bytes: 10_000,
        };
        room.join(Arc::new(SendQueue::new(bounds))).unwrap()
    }

    fn received(member: &Membership) -> Vec<String> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut received = Vec::new();
        while let Poll::Ready(Next::Text(text)) = member.queue.poll_next(&mut cx) {
            received.push(text.as_str().to_owned());
        }
        received
    }

    #[test]
    fn a_newcomer_gets_the_user_list_then_everybody_the_login() {
        let room = Arc::new(Room::new(10));
        let (mut a, mut b, c) = (join(&room), join(&room), join(&room));
        assert_eq!(a.login("a".into(), TIME), Ok(1));
        assert_eq!(received(&a).len(), 2);
        assert_eq!(b.login("a".into(), TIME), Ok(2));
        assert_eq!(b.login("b".into(), TIME), Err(RequestError::AlreadyLoggedIn));
        let login = r#"{"type":"login","uid":2,"name":"a","time":"2014-08-12 17:50:30"}"#;
        let list = r#"{"type":"user_list","user_list":[{"uid":1,"name":"a"},{"uid":2,"name":"a"}]}"#;
        assert_eq!(received(&b), [list, login]);
        assert_eq!(received(&a), [login]);
        assert!(received(&c).is_empty(), "who has not logged in gets nothing");
    }

    #[test]
    fn a_private_message_goes_to_its_recipient_and_back() {
        let room = Arc::new(Room::new(10));
        let (mut a, mut b, mut c) = (join(&room), join(&room), join(&room));
        assert_eq!(a.say(Recipient::All, "x", TIME), Err(RequestError::NotLoggedIn));
        for member in [&mut a, &mut b, &mut c] {
            member.login("n".into(), TIME).unwrap();
        }
        for member in [&a, &b, &c] {
            received(member);
        }
        a.say(Recipient::One(3), "psst", TIME).unwrap();
        a.say(Recipient::One(1), "note to self", TIME).unwrap();
        assert_eq!([&a, &b, &c].map(|member| received(member).len()), [2, 0, 1]);
        assert_eq!(a.say(Recipient::One(9), "x", TIME), Err(RequestError::UnknownUid));
        assert_eq!(b.logout(TIME), Some(2));
        assert_eq!(b.logout(TIME), None);
        assert_eq!([&a, &b, &c].map(|member| received(member).len()), [1, 0, 1]);
        assert_eq!(a.say(Recipient::One(2), "x", TIME), Err(RequestError::UnknownUid));
        b.login("n".into(), TIME).unwrap();
        assert_eq!(b.uid, Some(4), "a uid is never used twice");
    }

    #[test]
    fn a_room_can_be_full_and_can_stop() {
        let room = Arc::new(Room::new(1));
        let a = join(&room);
        let queue = || Arc::new(SendQueue::new(QueueLimits { messages: 1, bytes: 1 }));
        assert_eq!(room.join(queue()).unwrap_err(), JoinError::Full);
        drop(a);
        let a = join(&room);
        room.stop();
        let next = a.queue.poll_next(&mut Context::from_waker(Waker::noop()));
        assert_eq!(next, Poll::Ready(Next::Close(CloseReason::Stopping)));
        drop(a);
        assert_eq!(room.join(queue()).unwrap_err(), JoinError::Stopping);
    }
}
