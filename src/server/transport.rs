//! The bytes of a connection: as they are, or through TLS.
//!
//! A TLS handshake is driven by the first read or write, like any other that has to wait: it holds up nobody who connects
//! meanwhile, and the time that a connection may take to become a WebSocket runs for it as well.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use super::log::Log;

/// Bytes that TLS keeps for a client that does not read; what is more waits in the client's own queue, where it is counted.
const TLS_BUFFER: usize = 16 << 10;

/// The answer to a request that was sent without TLS.
const TLS_WANTED: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 60\r\n\
    Connection: close\r\n\r\nThis port speaks TLS: use https:// for a page, wss:// here.\n";

/// What an accepted connection is read from and written to.
#[derive(Debug)]
pub(super) enum Transport {
    /// TCP alone.
    Plain(TcpStream),
    /// TLS, not agreed upon yet.
    Handshake(Box<Handshake>),
    /// TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// A TLS handshake that has not ended.
pub(super) struct Handshake {
    accept: Accept<TcpStream>,
    /// The client's first byte is one of TLS.
    begun: bool,
    peer: SocketAddr,
    log: Log,
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshake")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// With `tls`, its handshake begins with the first read or write.
    pub(super) fn new(stream: TcpStream, tls: Option<&Arc<ServerConfig>>, peer: SocketAddr, log: &Log) -> Self {
        match tls {
            None => Transport::Plain(stream),
            Some(tls) => Transport::Handshake(Box::new(Handshake {
                accept: TlsAcceptor::from(Arc::clone(tls))
                    .accept_with(stream, |connection| connection.set_buffer_limit(Some(TLS_BUFFER))),
                begun: false,
                peer,
                log: log.clone(),
            })),
        }
    }

    /// The TCP connection below, unless a handshake has failed and ended it.
    pub(super) fn tcp(&mut self) -> Option<&mut TcpStream> {
        match self {
            Transport::Plain(stream) => Some(stream),
            Transport::Handshake(handshake) => handshake.accept.get_mut(),
            Transport::Tls(stream) => Some(stream.get_mut().0),
        }
    }

    /// What to read from and write to, once the handshake is over.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut (dyn Stream + Send)>>> {
        if let Transport::Handshake(handshake) = self {
            *self = Transport::Tls(Box::new(ready!(handshake.poll(cx))?));
        }
        Poll::Ready(match self {
            Transport::Plain(stream) => Ok(Pin::new(stream)),
            Transport::Tls(stream) => Ok(Pin::new(stream.as_mut())),
            Transport::Handshake(_) => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

/// Both directions.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

impl Handshake {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TlsStream<TcpStream>>> {
        let Some(stream) = self.accept.get_mut() else {
            // It has failed before.
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        if !self.begun {
            let mut first = [0];
            match ready!(stream.poll_peek(cx, &mut ReadBuf::new(&mut first)))? {
                // The method of a request (RFC 9112 §3); a TLS record begins with 22 (RFC 8446 §5.1).
                1 if first[0].is_ascii_uppercase() => {
                    ready!(Pin::new(stream).poll_write(cx, TLS_WANTED))?;
                    return Poll::Ready(Err(self.failed("a request without TLS")));
                }
                1 => self.begun = true,
                _ => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            }
        }
        let stream = ready!(Pin::new(&mut self.accept).poll(cx));
        Poll::Ready(stream.map_err(|error| self.failed(&error.to_string())))
    }

    fn failed(&self, why: &str) -> io::Error {
        self.log.event("tls-failed").with("peer", self.peer).text("why", why);
        io::Error::new(io::ErrorKind::InvalidData, why)
    }
}

impl AsyncRead for Transport {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx))?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx))?.poll_flush(cx)
    }

    /// Close_notify, where TLS was agreed upon, then FIN.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            other => match other.tcp() {
                Some(stream) => Pin::new(stream).poll_shutdown(cx),
                None => Poll::Ready(Ok(())),
            },
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        // So are TCP and TLS.
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_without_tls_has_the_length_that_it_says() {
        let answer = std::str::from_utf8(TLS_WANTED).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{answer}"
        );
    }
}
