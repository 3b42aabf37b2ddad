//! How TCP connections are accepted, and how they end.
//!
//! A connection that sends no request is ended in time, and a connection that we end is ended so that the other side gets the
//! last bytes we sent.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::rustls::ServerConfig;

use super::address_limits::{AddressLimits, AddressSlot};
use super::log::Log;
use super::transport::Transport;

/// How long a connection may take to become a WebSocket, or to be done; its TLS handshake included.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long we go on reading from a connection that we have ended: until its last data has come, our close frame is not safe,
/// because data for a closed socket is answered with RST, and RST discards what the other side has not read yet (RFC 1122
/// §4.2.2.13).
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Connections beyond their address's limit that are told so at a time; more are just closed.
const MAX_REJECTING: usize = 32;

/// The answer to a connection beyond its address's limit (RFC 6585 §4).
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 94\r\n\
    Connection: close\r\n\r\nThis address has as many connections as it may; --max-per-address of the server sets how many\n";

/// Accepts TCP connections, so many at a time; more wait in the kernel's queue.
#[derive(Debug)]
pub(super) struct LimitedListener {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    places: Arc<Semaphore>,
    rejecting: Arc<Semaphore>,
    addresses: Arc<AddressLimits>,
    log: Log,
}

impl LimitedListener {
    /// At most `max_connections` at a time, and at most `max_per_address` of one peer address.
    pub(super) fn new(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        max_connections: usize,
        max_per_address: u32,
        log: Log,
    ) -> Self {
        Self {
            listener,
            tls,
            places: Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS))),
            rejecting: Arc::new(Semaphore::new(MAX_REJECTING)),
            addresses: Arc::new(AddressLimits::new(max_per_address)),
            log,
        }
    }

    fn reject(&self, mut stream: Transport, addr: SocketAddr) {
        let Ok(permit) = Arc::clone(&self.rejecting).try_acquire_owned() else {
            return;
        };
        drop(
            self.log
                .event("connection-refused")
                .with("peer", addr)
                .with("why", "max-per-address"),
        );
        tokio::spawn(async move {
            let _permit = permit;
            let answer = async {
                stream.write_all(TOO_MANY).await?;
                stream.flush().await
            };
            let _ = timeout(LINGER_TIMEOUT, answer).await;
            end(&mut stream).await;
            linger(stream).await;
        });
    }
}

impl Listener for LimitedListener {
    type Io = ServerStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (ServerStream, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                // The semaphore is never closed.
                std::future::pending().await
            };
            // axum's way of accepting: it waits when the process is out of file descriptors.
            let (stream, addr) = Listener::accept(&mut self.listener).await;
            // A chat message is smaller than a segment, and it is not to wait for the ACK of the one before (RFC 896).
            let _ = stream.set_nodelay(true);
            let stream = Transport::new(stream, self.tls.as_ref(), addr, &self.log);
            let Some(slot) = self.addresses.connect(addr.ip(), Instant::now()) else {
                self.reject(stream, addr);
                continue;
            };
            let peer = Peer(Arc::new(Admission {
                addr,
                slot,
                upgraded: AtomicBool::new(false),
                ended: Notify::new(),
                _place: place,
            }));
            let stream = ServerStream {
                stream: Some(stream),
                deadline: Some(Box::pin(sleep(HANDSHAKE_TIMEOUT))),
                peer,
            };
            return (stream, addr);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::local_addr(&self.listener)
    }
}

/// An accepted connection.
#[derive(Debug)]
pub(super) struct ServerStream {
    /// Always there, until it is dropped.
    stream: Option<Transport>,
    deadline: Option<Pin<Box<Sleep>>>,
    peer: Peer,
}

/// What a request handler knows of its connection.
#[derive(Debug, Clone)]
pub(super) struct Peer(Arc<Admission>);

#[derive(Debug)]
struct Admission {
    addr: SocketAddr,
    slot: AddressSlot,
    upgraded: AtomicBool,
    ended: Notify,
    _place: OwnedSemaphorePermit,
}

impl Peer {
    /// Its remote address.
    pub(super) fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// It has become a WebSocket: the time for that does not run out any more.
    pub(super) fn mark_upgraded(&self) {
        self.0.upgraded.store(true, Ordering::Relaxed);
    }

    /// Waits until our last bytes have been sent: those of the WebSocket, close_notify of TLS, FIN.
    pub(super) async fn ended(&self) {
        self.0.ended.notified().await;
    }

    /// May its address log in once more? If so, it is counted.
    pub(super) fn allow_login(&self) -> bool {
        self.0.slot.allow_login(Instant::now())
    }
}

impl Connected<IncomingStream<'_, LimitedListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, LimitedListener>) -> Self {
        stream.io().peer.clone()
    }
}

impl ServerStream {
    /// The stream, while its time has not run out.
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> io::Result<Pin<&mut Transport>> {
        if self.deadline.is_some() && self.peer.0.upgraded.load(Ordering::Relaxed) {
            self.deadline = None;
        }
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(stream))
    }
}

impl AsyncRead for ServerStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(cx)?.poll_read(cx, buf)
    }
}

impl AsyncWrite for ServerStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_stream(cx)?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(cx)?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(cx)?.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_stream(cx)?.poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}

impl Drop for ServerStream {
    fn drop(&mut self) {
        if let (Some(mut stream), Ok(runtime)) = (self.stream.take(), tokio::runtime::Handle::try_current()) {
            let peer = self.peer.clone();
            runtime.spawn(async move {
                end(&mut stream).await;
                peer.0.ended.notify_one();
                linger(stream).await;
            });
        }
    }
}

/// Sends what is last: close_notify of TLS, and FIN.
async fn end(stream: &mut Transport) {
    // Whether it can be sent or not: the connection is over.
    let _ = timeout(LINGER_TIMEOUT, stream.shutdown()).await;
}

/// Reads and discards what still comes, for a while.
async fn linger(mut stream: Transport) {
    let Some(stream) = stream.tcp() else { return };
    let discard = async {
        let mut discarded = [0; 2048];
        while stream.read(&mut discarded).await? > 0 {}
        io::Result::Ok(())
    };
    // However it ends: the connection is over.
    let _ = timeout(LINGER_TIMEOUT, discard).await;
}
