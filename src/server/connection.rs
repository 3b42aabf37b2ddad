//! One client's life, from the upgrade to the end of its connection.
//!
//! One task does all of it, in a fixed order: what is queued for the client goes out, then one message of the client's is
//! read and answered, then everybody else has a turn. With the runtime's single thread this gives an order on the wire, too: the
//! sender's copy of a message leaves before all others, and nobody's flood keeps anybody waiting for more than a message.

use std::future::poll_fn;
use std::net::SocketAddr;
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
use super::goodbye::Goodbye;
use super::log::Log;
use super::outbox::{Next, Outbox};
use super::pace::Pace;
use super::protocol::{Lengths, Recipient, Refusal, Request};
use super::room::Seat;

/// Messages that a client may send beyond its pace, none of them heard, before it is taken for a flood.
const FLOOD: u32 = 1000;

/// How long a client may take for its part of the closing handshake.
const FAREWELL: Duration = Duration::from_secs(2);

/// Messages of a turn that leave in a segment of their own: whoever watches a calm chat sees one thing a packet, as in the
/// documents. When more wait, the others share segments.
const ALONE: usize = 2;

/// How a client is treated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// How long things may be.
    pub(super) lengths: Lengths,
    /// Messages a second; 0: any number.
    pub(super) rate: f64,
    /// Messages at once.
    pub(super) burst: u32,
    /// Between two pings.
    pub(super) ping: Duration,
    /// Silence after which the client is gone.
    pub(super) idle: Duration,
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    line: Line,
    seat: Seat,
    pace: Pace,
    too_fast: u32,
    manners: Manners,
    log: Log,
}

/// How a connection ended, for the log.
enum End {
    /// By the client's close frame (1005 when it held no code).
    Closed(u16),
    /// By us.
    Goodbye(Goodbye),
    /// Without a closing handshake.
    Lost(String),
}

impl Connection {
    /// A client that has just become a WebSocket.
    pub(super) fn new(socket: WebSocket, seat: Seat, outbox: Arc<Outbox>, manners: Manners, log: Log) -> Self {
        let now = Instant::now();
        Self {
            line: Line::new(socket, outbox, manners, now),
            seat,
            pace: Pace::new(manners.rate, manners.burst, now.into_std()),
            too_fast: 0,
            manners,
            log,
        }
    }

    /// Serves the client until it has gone.
    pub(super) async fn serve(mut self, peer: SocketAddr) {
        let connection = self.seat.connection();
        self.log.event("connect").with("conn", connection).with("peer", peer);
        let end = loop {
            match poll_fn(|cx| self.line.poll_step(cx)).await {
                Step::Heard(message) => {
                    if let Some(end) = self.hear(message) {
                        break end;
                    }
                }
                Step::Goodbye(goodbye) => break End::Goodbye(goodbye),
                Step::Failed(goodbye, why) => {
                    self.line.outbox.close(goodbye);
                    self.log.event("broken").with("conn", connection).text("why", &why);
                }
                Step::Lost(why) => break End::Lost(why),
            }
            // What this client is owed for its message goes out at once; then it is everybody else's turn.
            poll_fn(|cx| {
                let _ = self.line.poll_send(cx);
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        };
        // The others hear of it now, not after the last handshake with somebody who may never answer.
        let uid = self.seat.logout(&clock::local_time());
        let event = self.log.event("disconnect").with("conn", connection).with("peer", peer);
        let event = match uid {
            Some(uid) => event.with("uid", uid),
            None => event,
        };
        drop(match &end {
            End::Closed(code) => event.with("by", "client").with("code", code),
            End::Goodbye(goodbye) => event
                .with("by", "server")
                .with("code", goodbye.code())
                .text("why", goodbye.reason()),
            End::Lost(why) => event.with("by", "nobody").with("code", 1006).text("why", why),
        });
        match end {
            End::Closed(_) => self.line.farewell(false).await,
            End::Goodbye(_) => self.line.farewell(true).await,
            End::Lost(_) => {}
        }
    }

    /// Does what the client asks for; or tells how it has ended the connection.
    fn hear(&mut self, message: Message) -> Option<End> {
        let length = match &message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) | Message::Ping(bytes) => bytes.len(),
            // We asked for it.
            Message::Pong(_) => return None,
            Message::Close(frame) => return Some(End::Closed(frame.as_ref().map_or(1005, |frame| frame.code))),
        };
        let outcome = if self.pace.allows(length, Instant::now().into_std()) {
            self.too_fast = 0;
            match &message {
                Message::Text(text) => {
                    Request::parse(text, &self.manners.lengths).and_then(|request| self.answer(request))
                }
                Message::Binary(_) => Err(Refusal::BadMessage),
                _ => return None,
            }
        } else {
            self.too_fast += 1;
            if self.too_fast > FLOOD {
                self.line.outbox.close(Goodbye::Flooding);
                return None;
            }
            if matches!(message, Message::Ping(_)) {
                return None;
            }
            Err(Refusal::TooFast)
        };
        if let Err(refusal) = outcome {
            self.seat.tell(&refusal.reply(&self.manners.lengths));
            // One line for a whole run of it.
            if self.too_fast <= 1 {
                self.log
                    .event("refuse")
                    .with("conn", self.seat.connection())
                    .with("code", refusal);
            }
        }
        None
    }

    fn answer(&mut self, request: Request) -> Result<(), Refusal> {
        let connection = self.seat.connection();
        let time = clock::local_time();
        match request {
            Request::Login { name } => {
                let uid = self.seat.login(name.clone(), &time)?;
                self.log
                    .event("login")
                    .with("conn", connection)
                    .with("uid", uid)
                    .text("name", &name);
            }
            Request::Say { to, content } => {
                self.seat.say(to, &content, &time)?;
                // Who said something, and how much; what it was is nobody's business here.
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

/// The client's end of the room: its socket, what waits for it, and the time since it was heard.
#[derive(Debug)]
struct Line {
    socket: WebSocket,
    outbox: Arc<Outbox>,
    manners: Manners,
    timer: Pin<Box<Sleep>>,
    heard: Instant,
    pinged: Instant,
    ping_due: bool,
}

/// What happened.
enum Step {
    /// The client sent something.
    Heard(Message),
    /// All has been sent, or cannot be sent now, and the client is to go.
    Goodbye(Goodbye),
    /// The client broke the protocol: it is to be told so.
    Failed(Goodbye, String),
    /// The connection is over.
    Lost(String),
}

impl Line {
    fn new(socket: WebSocket, outbox: Arc<Outbox>, manners: Manners, now: Instant) -> Self {
        Self {
            socket,
            outbox,
            manners,
            timer: Box::pin(sleep_until(now + manners.ping.min(manners.idle))),
            heard: now,
            pinged: now,
            ping_due: false,
        }
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        self.poll_timer(cx);
        if let Poll::Ready(step) = self.poll_send(cx) {
            return Poll::Ready(step);
        }
        let step = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
            Some(Ok(message)) => {
                self.heard = Instant::now();
                Step::Heard(message)
            }
            Some(Err(error)) => explain(error),
            None => Step::Lost("the connection has ended".into()),
        };
        Poll::Ready(step)
    }

    /// Hands over as much of what waits as the socket takes.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let lost = |error: axum::Error| Poll::Ready(Step::Lost(error.to_string()));
        let mut handed_over = 0;
        loop {
            // Out of room in the kernel: what waits, waits in the outbox, where it is counted.
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return lost(error),
                Poll::Pending => return self.outbox.poll_goodbye(cx).map(Step::Goodbye),
            }
            let message = if std::mem::take(&mut self.ping_due) {
                Message::Ping(Bytes::new())
            } else {
                match self.outbox.poll_next(cx) {
                    Poll::Ready(Next::Text(text)) => Message::Text(text),
                    Poll::Ready(Next::Goodbye(goodbye)) => return Poll::Ready(Step::Goodbye(goodbye)),
                    Poll::Pending => break,
                }
            };
            if let Err(error) = Pin::new(&mut self.socket).start_send(message) {
                return lost(error);
            }
            handed_over += 1;
            if handed_over <= ALONE
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

    /// Pings when it is time, and gives up when the client has been silent for too long.
    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= self.heard + self.manners.idle {
                self.outbox.close(Goodbye::Idle);
            }
            if now >= self.pinged + self.manners.ping {
                self.pinged = now;
                self.ping_due = true;
            }
            let next = (self.heard + self.manners.idle).min(self.pinged + self.manners.ping);
            // Never a time that has passed already: this loop is to end.
            self.timer.as_mut().reset(next.max(now + Duration::from_millis(10)));
        }
    }

    /// What still waits, our close frame if it is ours to begin, and the client's (RFC 6455 §7.1.2); but not for ever.
    async fn farewell(mut self, mut begin: bool) {
        let end = poll_fn(|cx| {
            let mut socket = Pin::new(&mut self.socket);
            while begin {
                if ready!(socket.as_mut().poll_ready(cx)).is_err() {
                    return Poll::Ready(());
                }
                let message = match self.outbox.poll_next(cx) {
                    Poll::Ready(Next::Text(text)) => Message::Text(text),
                    Poll::Ready(Next::Goodbye(goodbye)) => {
                        begin = false;
                        Message::Close(Some(goodbye.frame()))
                    }
                    Poll::Pending => break,
                };
                if socket.as_mut().start_send(message).is_err() {
                    return Poll::Ready(());
                }
            }
            let flushed = socket.as_mut().poll_flush(cx);
            while let Some(Ok(_)) = ready!(socket.as_mut().poll_next(cx)) {}
            // An error while reading says nothing about our last frame.
            flushed.map(|_| ())
        });
        let _ = tokio::time::timeout(FAREWELL, end).await;
    }
}

/// What a reading error means for the client that caused it.
fn explain(error: axum::Error) -> Step {
    let why = error.to_string();
    let goodbye = match error.into_inner().downcast_ref::<WsError>() {
        Some(WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) | WsError::Io(_)) => {
            return Step::Lost(why);
        }
        Some(WsError::Capacity(CapacityError::MessageTooLong { .. })) => Goodbye::TooBig,
        Some(WsError::Utf8(_)) => Goodbye::NotUtf8,
        _ => Goodbye::Protocol,
    };
    Step::Failed(goodbye, why)
}
