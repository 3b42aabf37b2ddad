//! What is to be sent to one client: a bounded queue.
//!
//! Senders never wait. A client that does not keep up overflows its own queue and is closed; nobody else notices.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::extract::ws::Utf8Bytes;

use super::close::CloseReason;

/// Capacity that a queue keeps when it has run empty.
const KEPT_CAPACITY: usize = 64;

/// How much may wait for one client.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueueLimits {
    /// Messages.
    pub(super) messages: usize,
    /// Bytes of them. A single message may exceed it when nothing else waits.
    pub(super) bytes: usize,
}

/// The queue of one client. The text of a broadcast is shared by all queues that hold it.
#[derive(Debug)]
pub(super) struct SendQueue {
    limits: QueueLimits,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<Utf8Bytes>,
    bytes: usize,
    close: Option<CloseReason>,
    /// Of a task that waits for anything.
    waker: Option<Waker>,
    /// Of a task that cannot send, and waits for the close alone.
    close_waker: Option<Waker>,
}

/// The next thing to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A text message.
    Text(Utf8Bytes),
    /// The last thing: a close frame.
    Close(CloseReason),
}

impl SendQueue {
    /// An empty queue.
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            inner: Mutex::default(),
        }
    }

    /// Queues `text`. After [`SendQueue::close`] it is dropped; when it does not fit, the queue is emptied and closed.
    pub(super) fn push(&self, text: Utf8Bytes) {
        let mut inner = self.lock();
        if inner.close.is_some() {
            return;
        }
        let bytes = inner.bytes + text.len();
        let full = inner.queue.len() >= self.limits.messages || (bytes > self.limits.bytes && !inner.queue.is_empty());
        if full {
            // The client will not get what waits, so its memory is freed now.
            inner.queue = VecDeque::new();
            inner.bytes = 0;
            inner.close_with(CloseReason::TooSlow);
            return;
        }
        inner.bytes = bytes;
        inner.queue.push_back(text);
        if let Some(waker) = inner.waker.take() {
            waker.wake();
        }
    }

    /// After what is queued now comes only the close frame. The first reason counts.
    pub(super) fn close(&self, reason: CloseReason) {
        self.lock().close_with(reason);
    }

    /// Takes what is to be sent next; the task is woken when something comes.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Next> {
        let mut inner = self.lock();
        if let Some(text) = inner.queue.pop_front() {
            inner.bytes -= text.len();
            return Poll::Ready(Next::Text(text));
        }
        if inner.queue.capacity() > KEPT_CAPACITY {
            inner.queue.shrink_to(KEPT_CAPACITY);
        }
        if let Some(reason) = inner.close {
            return Poll::Ready(Next::Close(reason));
        }
        remember(&mut inner.waker, cx);
        Poll::Pending
    }

    /// Is the client to be closed? For a task that cannot send now: only [`SendQueue::close`] wakes it.
    pub(super) fn poll_close(&self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let mut inner = self.lock();
        if let Some(reason) = inner.close {
            return Poll::Ready(reason);
        }
        remember(&mut inner.close_waker, cx);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn close_with(&mut self, reason: CloseReason) {
        self.close.get_or_insert(reason);
        for waker in [self.waker.take(), self.close_waker.take()].into_iter().flatten() {
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

    fn next(queue: &SendQueue) -> Poll<Next> {
        queue.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    fn queue(messages: usize, bytes: usize) -> SendQueue {
        SendQueue::new(QueueLimits { messages, bytes })
    }

    #[test]
    fn messages_come_out_in_order_then_the_close() {
        let queue = queue(10, 100);
        assert_eq!(next(&queue), Poll::Pending);
        queue.push("a".into());
        queue.push("b".into());
        queue.close(CloseReason::Stopping);
        queue.close(CloseReason::Idle);
        queue.push("too late".into());
        assert_eq!(next(&queue), Poll::Ready(Next::Text("a".into())));
        assert_eq!(next(&queue), Poll::Ready(Next::Text("b".into())));
        assert_eq!(next(&queue), Poll::Ready(Next::Close(CloseReason::Stopping)));
    }

    #[test]
    fn one_message_too_many_closes_the_client() {
        let queue = queue(3, 100);
        for text in ["a", "b", "c", "d"] {
            queue.push(text.into());
        }
        assert_eq!(next(&queue), Poll::Ready(Next::Close(CloseReason::TooSlow)));
    }

    #[test]
    fn bytes_are_bounded_but_a_long_message_passes_alone() {
        let queue = queue(3, 4);
        queue.push("longer".into());
        assert_eq!(next(&queue), Poll::Ready(Next::Text("longer".into())));
        queue.push("ab".into());
        queue.push("cd".into());
        assert_eq!(next(&queue), Poll::Ready(Next::Text("ab".into())));
        queue.push("ef".into());
        queue.push("g".into());
        assert_eq!(next(&queue), Poll::Ready(Next::Close(CloseReason::TooSlow)));
    }
}
