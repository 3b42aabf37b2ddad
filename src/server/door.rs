//! How TCP connections come in, and how they go.
//!
//! A stranger who connects and says nothing is sent away in time, and a connection that we end is ended so that the other side
//! gets our last words.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};

/// How long a connection may be neither a WebSocket nor done with.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long we listen to a connection that we have ended: until its last data has come, our close frame is not safe, because
/// data for a closed socket is answered with RST, and RST discards what the other side has not read yet (RFC 1122 §4.2.2.13).
const LINGER: Duration = Duration::from_secs(2);

/// Accepts TCP connections, so many at a time; more wait in the kernel's queue.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Door {
    /// At most `most` connections at a time.
    pub(super) fn new(listener: TcpListener, most: usize) -> Self {
        let places = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { listener, places }
    }
}

impl Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        let place = match Arc::clone(&self.places).acquire_owned().await {
            Ok(place) => place,
            // It is never closed.
            Err(_) => std::future::pending().await,
        };
        // axum's way of accepting: it waits when the process is out of file descriptors.
        let (stream, addr) = Listener::accept(&mut self.listener).await;
        // A chat message is smaller than a segment, and it is not to wait for the ACK of the one before (RFC 896).
        let _ = stream.set_nodelay(true);
        let guest = Guest {
            stream: Some(stream),
            place: Some(place),
            patience: Some(Box::pin(sleep(PATIENCE))),
            stays: Arc::default(),
        };
        (guest, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::local_addr(&self.listener)
    }
}

/// An accepted TCP connection.
#[derive(Debug)]
pub(super) struct Guest {
    /// Always there, until it is dropped.
    stream: Option<TcpStream>,
    place: Option<OwnedSemaphorePermit>,
    patience: Option<Pin<Box<Sleep>>>,
    stays: Arc<AtomicBool>,
}

/// What a request handler knows of the connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Its remote address.
    pub(super) addr: SocketAddr,
    stays: Arc<AtomicBool>,
}

impl Peer {
    /// It has become a WebSocket: our patience does not end any more.
    pub(super) fn stays(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self {
            addr: *stream.remote_addr(),
            stays: Arc::clone(&stream.io().stays),
        }
    }
}

impl Guest {
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(stream))
    }
}

impl AsyncRead for Guest {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.patience.is_some() && self.stays.load(Ordering::Relaxed) {
            self.patience = None;
        }
        if self
            .patience
            .as_mut()
            .is_some_and(|patience| patience.as_mut().poll(cx).is_ready())
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.stream()?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let (Some(stream), Ok(runtime)) = (self.stream.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(linger(stream, self.place.take()));
        }
    }
}

/// Sends FIN, then reads and discards what still comes, for a while.
async fn linger(mut stream: TcpStream, _place: Option<OwnedSemaphorePermit>) {
    let end = async {
        stream.shutdown().await?;
        let mut scrap = [0; 2048];
        while stream.read(&mut scrap).await? > 0 {}
        io::Result::Ok(())
    };
    // However it ends: the connection is over.
    let _ = timeout(LINGER, end).await;
}
