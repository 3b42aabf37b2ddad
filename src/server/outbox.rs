//! What waits to be sent to one client: a bounded queue.
//!
//! Whoever puts something in never waits. A client that does not keep up overflows its own queue, and is sent away with a
//! close code; nobody else notices.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::extract::ws::Utf8Bytes;

use super::goodbye::Goodbye;

/// Capacity that a queue keeps when it has run empty.
const KEPT: usize = 64;

/// How much may wait for one client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Messages.
    pub(super) messages: usize,
    /// Bytes of them. A single message may exceed it when nothing else waits.
    pub(super) bytes: usize,
}

/// The queue of one client. The text of a broadcast is shared by all queues that hold it.
#[derive(Debug)]
pub(super) struct Outbox {
    bounds: Bounds,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<Utf8Bytes>,
    bytes: usize,
    goodbye: Option<Goodbye>,
    /// Of a task that waits for anything.
    waker: Option<Waker>,
    /// Of a task that cannot send, and waits for the goodbye alone.
    blocked: Option<Waker>,
}

/// The next thing to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A text message.
    Text(Utf8Bytes),
    /// The last thing: a close frame.
    Goodbye(Goodbye),
}

impl Outbox {
    /// An empty queue.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            inner: Mutex::default(),
        }
    }

    /// Queues `text`. After [`Outbox::close`] it is dropped; when it does not fit, the queue is emptied and closed.
    pub(super) fn push(&self, text: Utf8Bytes) {
        let mut inner = self.lock();
        if inner.goodbye.is_some() {
            return;
        }
        let bytes = inner.bytes + text.len();
        let full = inner.queue.len() >= self.bounds.messages || (bytes > self.bounds.bytes && !inner.queue.is_empty());
        if full {
            // What waits is of no use any more, and it is what costs memory.
            inner.queue = VecDeque::new();
            inner.bytes = 0;
            inner.say_goodbye(Goodbye::TooSlow);
            return;
        }
        inner.bytes = bytes;
        inner.queue.push_back(text);
        if let Some(waker) = inner.waker.take() {
            waker.wake();
        }
    }

    /// Nothing more comes after what is queued now; then the client is told `goodbye`. The first reason counts.
    pub(super) fn close(&self, goodbye: Goodbye) {
        self.lock().say_goodbye(goodbye);
    }

    /// Takes what is to be sent next; the task is woken when something comes.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Next> {
        let mut inner = self.lock();
        if let Some(text) = inner.queue.pop_front() {
            inner.bytes -= text.len();
            return Poll::Ready(Next::Text(text));
        }
        if inner.queue.capacity() > KEPT {
            inner.queue.shrink_to(KEPT);
        }
        if let Some(goodbye) = inner.goodbye {
            return Poll::Ready(Next::Goodbye(goodbye));
        }
        remember(&mut inner.waker, cx);
        Poll::Pending
    }

    /// Is the client to go? For a task that cannot send now: it is woken by a goodbye alone.
    pub(super) fn poll_goodbye(&self, cx: &mut Context<'_>) -> Poll<Goodbye> {
        let mut inner = self.lock();
        if let Some(goodbye) = inner.goodbye {
            return Poll::Ready(goodbye);
        }
        remember(&mut inner.blocked, cx);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn say_goodbye(&mut self, goodbye: Goodbye) {
        self.goodbye.get_or_insert(goodbye);
        for waker in [self.waker.take(), self.blocked.take()].into_iter().flatten() {
            waker.wake();
        }
    }
}

fn remember(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        empty => *empty = Some(cx.waker().clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(outbox: &Outbox) -> Poll<Next> {
        outbox.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    fn outbox(messages: usize, bytes: usize) -> Outbox {
        Outbox::new(Bounds { messages, bytes })
    }

    #[test]
    fn what_goes_in_comes_out_in_order_then_the_goodbye() {
        let outbox = outbox(10, 100);
        assert_eq!(next(&outbox), Poll::Pending);
        outbox.push("a".into());
        outbox.push("b".into());
        outbox.close(Goodbye::Stopping);
        outbox.close(Goodbye::Idle);
        outbox.push("too late".into());
        assert_eq!(next(&outbox), Poll::Ready(Next::Text("a".into())));
        assert_eq!(next(&outbox), Poll::Ready(Next::Text("b".into())));
        assert_eq!(next(&outbox), Poll::Ready(Next::Goodbye(Goodbye::Stopping)));
    }

    #[test]
    fn one_message_too_many_sends_the_client_away() {
        let outbox = outbox(3, 100);
        for text in ["a", "b", "c", "d"] {
            outbox.push(text.into());
        }
        assert_eq!(next(&outbox), Poll::Ready(Next::Goodbye(Goodbye::TooSlow)));
    }

    #[test]
    fn bytes_are_bounded_too_but_a_long_message_passes_alone() {
        let outbox = outbox(3, 4);
        outbox.push("longer".into());
        assert_eq!(next(&outbox), Poll::Ready(Next::Text("longer".into())));
        outbox.push("ab".into());
        outbox.push("cd".into());
        assert_eq!(next(&outbox), Poll::Ready(Next::Text("ab".into())));
        outbox.push("ef".into());
        outbox.push("g".into());
        assert_eq!(next(&outbox), Poll::Ready(Next::Goodbye(Goodbye::TooSlow)));
    }
}
