//! The reference chat server: the application that the documents watch.
//!
//! In: WebSocket connections on one port, requests for the page on another. Out: the protocol in `protocol`; one log line an event.
//!
//! Everything runs on one thread: what a client is owed leaves in the order in which it was decided (see `connection`), and a
//! thousand clients do not need more. Nothing waits for a slow client: each has a bounded queue (`outbox`).

mod args;
mod clock;
mod connection;
mod door;
mod goodbye;
mod log;
mod origin;
mod outbox;
mod pace;
mod page;
mod protocol;
mod room;
mod upgrade;

use std::future::IntoFuture;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub use args::{Args, command};

use connection::Manners;
use door::{Door, Peer};
use log::Log;
use origin::Origins;
use outbox::Bounds;
use protocol::Lengths;
use room::Room;
use upgrade::Entrance;

/// TCP connections beyond the clients: those that are about to become one, or to be told that the server is full.
const ANTEROOM: usize = 256;

/// Connections that may fetch the page at a time.
const READERS: usize = 256;

/// How long all clients together may take for their closing handshakes.
const LAST_CALL: Duration = Duration::from_secs(3);

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port belongs to somebody else.
    #[error("{addr} is in use; stop what listens there, or choose another with {flag} (port 0 takes a free one)")]
    InUse {
        /// The address.
        addr: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
    },
    /// The system does not let us listen there.
    #[error("cannot listen on {addr} ({flag}): {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Something that hardly ever fails has failed.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// Runs the server until SIGINT or SIGTERM; a second one ends it at once.
///
/// Prints where it listens on stdout, and logs on stderr.
pub fn run(args: &Args) -> Result<(), StartError> {
    let most = raise_file_limit(args.max_clients as usize);
    let (log, writer) = Log::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(serve(args, most, log));
    drop(runtime);
    writer.finish();
    result
}

async fn serve(args: &Args, most: usize, log: Log) -> Result<(), StartError> {
    let mut interrupt = Interrupt::new()?;
    let (ws, ws_addr) = listen(args.ws, "--ws").await?;
    let (http, http_addr) = listen(args.http, "--http").await?;
    announce(ws_addr, http_addr);
    drop(
        log.event("listening")
            .with("ws", ws_addr)
            .with("http", http_addr)
            .with("max_clients", most),
    );

    let room = Arc::new(Room::new(most));
    let entrance = Entrance {
        room: Arc::clone(&room),
        origins: Origins::new(http_addr.port(), &args.allow_origin),
        bounds: Bounds {
            messages: args.queue as usize,
            bytes: args.queue_bytes as usize,
        },
        manners: Manners {
            lengths: Lengths {
                name: args.max_name as usize,
                content: args.max_content as usize,
            },
            rate: args.rate,
            burst: args.burst,
            ping: args.ping,
            idle: args.idle,
        },
        log: log.clone(),
    };
    let chat = upgrade::router(entrance).into_make_service_with_connect_info::<Peer>();
    let chat = tokio::spawn(axum::serve(Door::new(ws, most.saturating_add(ANTEROOM)), chat).into_future());
    let page = page::router(ws_addr.port(), args.max_name as usize);
    let page = tokio::spawn(axum::serve(Door::new(http, READERS), page).into_future());

    let why = interrupt.next().await;
    drop(
        log.event("stopping")
            .with("signal", why)
            .with("clients", room.connections()),
    );
    // The page's port first: a page that is reloaded now would find a chat that does not let it in.
    page.abort();
    room.stop();
    tokio::select! {
        () = room.emptied() => {}
        () = tokio::time::sleep(LAST_CALL) => {}
        _ = interrupt.next() => {}
    }
    chat.abort();
    drop(log.event("stopped").with("clients_left", room.connections()));
    Ok(())
}

/// SIGINT and SIGTERM.
struct Interrupt {
    int: Signal,
    term: Signal,
}

impl Interrupt {
    fn new() -> io::Result<Self> {
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.int.recv() => "SIGINT",
            _ = self.term.recv() => "SIGTERM",
        }
    }
}

async fn listen(addr: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::InUse { addr, flag },
        _ => StartError::Listen { addr, flag, source },
    };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

fn announce(ws: SocketAddr, http: SocketAddr) {
    let mut stdout = io::stdout().lock();
    // Whoever closed our stdout does not want to know.
    let _ = writeln!(stdout, "page       http://{http}\nwebsocket  ws://{ws}").and_then(|()| stdout.flush());
}

/// As many file descriptors as `clients` and everybody else may need, if the system lets us; how many clients they do for.
fn raise_file_limit(clients: usize) -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // The runtime's own, the listeners, the standard streams.
    const OTHERS: u64 = 24;
    let wanted = clients as u64 + (ANTEROOM + READERS) as u64 + OTHERS;
    let Ok((mut soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return clients;
    };
    let raised = wanted.min(hard);
    if soft < raised && setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() {
        soft = raised;
    }
    clients.min(soft.saturating_sub(OTHERS).max(1) as usize)
}
