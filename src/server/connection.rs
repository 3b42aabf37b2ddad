//! One client's connection, from the upgrade to its end.
//!
//! One task does all of it, in a fixed order: it sends what is queued for the client, reads and answers one message, then yields.
//! With the runtime's single thread this gives an order on the wire, too: the sender's copy of a message leaves before all
//! others, and a client that floods delays the others by no more than a message at a time.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures_util::{Sink, Stream};
use tokio::time::{Instant, Sleep, sleep_until};
use tungstenite::error::{CapacityError, Error as WsError, ProtocolError};

use super::clock;
use super::close::CloseReason;
use super::listener::Peer;
use super::log::Log;
use super::protocol::{LengthLimits, Recipient, Request, RequestError};
use super::rate_limit::RateLimit;
use super::room::Membership;
use super::send_queue::{Next, SendQueue};

/// Messages above its rate, all of them dropped, after which a client is closed for flooding.
const FLOOD_LIMIT: u32 = 1000;

/// How long a client may take for its part of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Messages of a turn that leave in a segment of their own, so that a capture of a calm chat has one message a packet. When more
/// wait, the others share segments.
const UNBATCHED_MESSAGES: usize = 2;

/// The limits of a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientLimits {
    /// Lengths of names and messages.
    pub(super) lengths: LengthLimits,
    /// Messages a second; 0: any number.
    pub(super) rate: f64,
    /// Messages that may come at once.
    pub(super) burst: u32,
    /// Between two pings.
    pub(super) ping: Duration,
    /// Silence after which the client is closed.
    pub(super) idle: Duration,
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    socket: ClientSocket,
    member: Membership,
    peer: Peer,
    rate: RateLimit,
    too_fast: u32,
    limits: ClientLimits,
    log: Log,
}

/// How a connection ended, for the log.
enum End {
    /// By the client's close frame (1005 when it held no code).
    Closed(u16),
    /// By us.
    ByServer(CloseReason),
    /// Without a closing handshake.
    Lost(String),
}

impl Connection {
    /// A connection that has just become a WebSocket.
    pub(super) fn new(
        socket: WebSocket,
        peer: Peer,
        member: Membership,
        queue: Arc<SendQueue>,
        limits: ClientLimits,
        log: Log,
    ) -> Self {
        let now = Instant::now();
        Self {
            socket: ClientSocket::new(socket, queue, limits, now),
            member,
            peer,
            rate: RateLimit::new(limits.rate, limits.burst, now.into_std()),
            too_fast: 0,
            limits,
            log,
        }
    }

    /// Serves the client until its connection has ended.
    pub(super) async fn serve(mut self) {
        let connection = self.member.connection();
        let peer = self.peer.addr();
        self.log.event("connect").with("conn", connection).with("peer", peer);
        let end = loop {
            match poll_fn(|cx| self.socket.poll_event(cx)).await {
                Event::Message(message) => {
                    if let Some(end) = self.handle(message) {
                        break end;
                    }
                }
                Event::Close(reason) => break End::ByServer(reason),
                Event::ProtocolError(reason, why) => {
                    self.socket.queue.close(reason);
                    self.log.event("broken").with("conn", connection).text("why", &why);
                }
                Event::Lost(why) => break End::Lost(why),
            }
            // The answer to this message leaves before the copies of the others, who have their turn next.
            poll_fn(|cx| {
                let _ = self.socket.poll_send(cx);
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        };
        // The others are told now, not after a closing handshake that the client may never finish.
        let uid = self.member.logout(&clock::local_time());
        let event = self.log.event("disconnect").with("conn", connection).with("peer", peer);
        let event = match uid {
            Some(uid) => event.with("uid", uid),
            None => event,
        };
        drop(match &end {
            End::Closed(code) => event.with("by", "client").with("code", code),
            End::ByServer(reason) => event
                .with("by", "server")
                .with("code", reason.code())
                .text("why", reason.reason()),
            End::Lost(why) => event.with("by", "nobody").with("code", 1006).text("why", why),
        });
        let begin = match end {
            End::Closed(_) => false,
            End::ByServer(_) => true,
            End::Lost(_) => return,
        };
        self.socket.close(begin).await;
        // Until then it is in the room, and the server does not stop.
        self.peer.ended().await;
    }

    /// Does what the client asks for; returns how it has ended the connection, if it has.
    fn handle(&mut self, message: Message) -> Option<End> {
        let length = match &message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) | Message::Ping(bytes) => bytes.len(),
            // Nothing to do, and not counted: our pings ask for them.
            Message::Pong(_) => return None,
            Message::Close(frame) => return Some(End::Closed(frame.as_ref().map_or(1005, |frame| frame.code))),
        };
        let outcome = if self.rate.allow(length, Instant::now().into_std()) {
            self.too_fast = 0;
            match &message {
                Message::Text(text) => {
                    Request::parse(text, &self.limits.lengths).and_then(|request| self.answer(request))
                }
                Message::Binary(_) => Err(RequestError::BadMessage),
                _ => return None,
            }
        } else {
            self.too_fast += 1;
            if self.too_fast > FLOOD_LIMIT {
                self.socket.queue.close(CloseReason::Flooding);
                return None;
            }
            if matches!(message, Message::Ping(_)) {
                return None;
            }
            Err(RequestError::TooFast)
        };
        if let Err(error) = outcome {
            self.member.send(&error.reply(&self.limits.lengths));
            // One line for a run of them.
            if self.too_fast <= 1 {
                self.log
                    .event("refuse")
                    .with("conn", self.member.connection())
                    .with("code", error);
            }
        }
        None
    }

    fn answer(&mut self, request: Request) -> Result<(), RequestError> {
        let connection = self.member.connection();
        let time = clock::local_time();
        match request {
            Request::Login { name } => {
                if !self.peer.allow_login() {
                    return Err(RequestError::TooFast);
                }
                let uid = self.member.login(name.clone(), &time)?;
                self.log
                    .event("login")
                    .with("conn", connection)
                    .with("uid", uid)
                    .text("name", &name);
            }
            Request::Say { to, content } => {
                self.member.say(to, &content, &time)?;
                // The content is private and does not go into the log.
                let event = self
                    .log
                    .event("say")
                    .with("conn", connection)
                    .with("bytes", content.len());
                drop(match to {
                    Recipient::All => event.with("to", "all"),
                    Recipient::One(uid) => event.with("to", uid),
                });
            }
        }
        Ok(())
    }
}

/// The WebSocket with its queue and timers.
#[derive(Debug)]
struct ClientSocket {
    socket: WebSocket,
    queue: Arc<SendQueue>,
    limits: ClientLimits,
    timer: Pin<Box<Sleep>>,
    last_received: Instant,
    pinged: Instant,
    ping_due: bool,
}

/// What happened.
enum Event {
    /// The client sent a message.
    Message(Message),
    /// All has been sent, or cannot be sent now, and the client is to be closed.
    Close(CloseReason),
    /// The client broke the protocol, and is to be closed.
    ProtocolError(CloseReason, String),
    /// The connection is over.
    Lost(String),
}

impl ClientSocket {
    fn new(socket: WebSocket, queue: Arc<SendQueue>, limits: ClientLimits, now: Instant) -> Self {
        Self {
            socket,
            queue,
            limits,
            timer: Box::pin(sleep_until(now + limits.ping.min(limits.idle))),
            last_received: now,
            pinged: now,
            ping_due: false,
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        self.poll_timer(cx);
        if let Poll::Ready(event) = self.poll_send(cx) {
            return Poll::Ready(event);
        }
        let event = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
            Some(Ok(message)) => {
                self.last_received = Instant::now();
                Event::Message(message)
            }
            Some(Err(error)) => read_error(error),
            None => Event::Lost("the connection has ended".into()),
        };
        Poll::Ready(event)
    }

    /// Sends as much of the queue as the socket takes.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let lost = |error: axum::Error| Poll::Ready(Event::Lost(error.to_string()));
        let mut sent = 0;
        loop {
            // The kernel's buffer is full: messages stay in the queue, where they are counted.
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return lost(error),
                Poll::Pending => return self.queue.poll_close(cx).map(Event::Close),
            }
            let message = if std::mem::take(&mut self.ping_due) {
                Message::Ping(Bytes::new())
            } else {
                match self.queue.poll_next(cx) {
                    Poll::Ready(Next::Text(text)) => Message::Text(text),
                    Poll::Ready(Next::Close(reason)) => return Poll::Ready(Event::Close(reason)),
                    Poll::Pending => break,
                }
            };
            if let Err(error) = Pin::new(&mut self.socket).start_send(message) {
                return lost(error);
            }
            sent += 1;
            if sent <= UNBATCHED_MESSAGES
                && let Poll::Ready(Err(error)) = Pin::new(&mut self.socket).poll_flush(cx)
            {
                return lost(error);
            }
        }
        match Pin::new(&mut self.socket).poll_flush(cx) {
            Poll::Ready(Err(error)) => lost(error),
            _ => Poll::Pending,
        }
    }

    /// Pings when it is time, and closes a client that has been silent for too long.
    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= self.last_received + self.limits.idle {
                self.queue.close(CloseReason::Idle);
            }
            if now >= self.pinged + self.limits.ping {
                self.pinged = now;
                self.ping_due = true;
            }
            let next = (self.last_received + self.limits.idle).min(self.pinged + self.limits.ping);
            // Never a time that has passed already, so that this loop ends.
            self.timer.as_mut().reset(next.max(now + Duration::from_millis(10)));
        }
    }

    /// The closing handshake (RFC 6455 §7.1.2): what is still queued and our close frame when it is ours to `begin`, then the
    /// client's close frame, within [`CLOSE_TIMEOUT`].
    async fn close(mut self, mut begin: bool) {
        let end = poll_fn(|cx| {
            let mut socket = Pin::new(&mut self.socket);
            while begin {
                if ready!(socket.as_mut().poll_ready(cx)).is_err() {
                    return Poll::Ready(());
                }
                let message = match self.queue.poll_next(cx) {
                    Poll::Ready(Next::Text(text)) => Message::Text(text),
                    Poll::Ready(Next::Close(reason)) => {
                        begin = false;
                        Message::Close(Some(reason.frame()))
                    }
                    Poll::Pending => break,
                };
                if socket.as_mut().start_send(message).is_err() {
                    return Poll::Ready(());
                }
            }
            let flushed = socket.as_mut().poll_flush(cx);
            while let Some(Ok(_)) = ready!(socket.as_mut().poll_next(cx)) {}
            // Whether our last frame was sent does not depend on an error while reading.
            flushed.map(|_| ())
        });
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, end).await;
    }
}

/// What a reading error means for the connection.
fn read_error(error: axum::Error) -> Event {
    let why = error.to_string();
    let reason = match error.into_inner().downcast_ref::<WsError>() {
        Some(WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) | WsError::Io(_)) => {
            return Event::Lost(why);
        }
        Some(WsError::Capacity(CapacityError::MessageTooLong { .. })) => CloseReason::TooBig,
        Some(WsError::Utf8(_)) => CloseReason::NotUtf8,
        _ => CloseReason::Protocol,
    };
    Event::ProtocolError(reason, why)
}
