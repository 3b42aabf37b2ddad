//! The reference chat server: the application that the documents watch.
//!
//! In: WebSocket connections on one port, requests for the page on another. Out: the protocol in `protocol`; one log line an event.
//!
//! Everything runs on one thread: messages leave in the order in which they were queued (see `connection`), and a thousand
//! clients do not need more. Nothing waits for a slow client: each has a bounded queue (`send_queue`).

mod address_limits;
mod args;
mod certificate;
mod clock;
mod close;
mod connection;
mod key_log;
mod listener;
mod log;
mod names;
mod origin;
mod page;
mod protocol;
mod rate_limit;
mod room;
mod send_queue;
mod tls;
mod transport;
mod upgrade;
mod watch;

use std::future::IntoFuture;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::rustls;

pub use args::{Args, command};

use certificate::Certificate;
use connection::ClientLimits;
use key_log::KeyLogFile;
use listener::{LimitedListener, Peer};
use log::Log;
use origin::OriginPolicy;
use protocol::LengthLimits;
use room::Room;
use send_queue::QueueLimits;
use upgrade::UpgradeState;
use watch::Watch;

/// TCP connections beyond the clients: those that are about to become one, or are told that the server is full.
const PENDING_CONNECTIONS: usize = 256;

/// Connections that may fetch the page at a time.
const PAGE_CONNECTIONS: usize = 256;

/// How long all clients together may take for their closing handshakes.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the server could not start; what lies behind it is its source.
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
    #[error("cannot listen on {addr} ({flag})")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The key log cannot be written.
    #[error("cannot append to {} (--keylog)", .path.display())]
    KeyLog {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is a host that no certificate can name.
    #[error("cannot make a certificate for {names}; expected hosts of --allow-origin in ASCII")]
    Certificate {
        /// What it was to name.
        names: String,
        /// What is wrong.
        source: rcgen::Error,
    },
    /// TLS refuses our own settings.
    #[error("cannot use TLS")]
    Tls(#[from] rustls::Error),
    /// A call failed that hardly ever fails.
    #[error("cannot start")]
    System(#[from] io::Error),
}

/// Runs the server until SIGINT or SIGTERM; a second one ends it at once.
///
/// Prints where it listens on stdout, and logs on stderr.
pub fn run(args: &Args) -> Result<(), StartError> {
    let max_clients = raise_file_limit(args.max_clients as usize);
    let (log, writer) = Log::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(serve(args, max_clients, log));
    drop(runtime);
    writer.finish();
    result
}

async fn serve(args: &Args, max_clients: usize, log: Log) -> Result<(), StartError> {
    let mut interrupt = Interrupt::new()?;
    let (ws, ws_addr) = listen(args.ws, "--ws").await?;
    let (http, http_addr) = listen(args.http, "--http").await?;
    let origins = Arc::new(OriginPolicy::new(http_addr, args.tls, &args.allow_origin));
    let certificate = match args.tls {
        true => Some(make_certificate(&[ws_addr, http_addr], &origins)?),
        false => None,
    };
    let keys = match &args.keylog {
        Some(path) => Some(
            KeyLogFile::open(path, log.clone()).map_err(|source| StartError::KeyLog {
                path: path.clone(),
                source,
            })?,
        ),
        None => None,
    };
    let tls = match &certificate {
        Some(certificate) => Some(tls::config(certificate, keys)?),
        None => None,
    };
    let program = watch::program();
    let watch = Watch {
        port: ws_addr.port(),
        program: &program,
        sudo: watch::has_sudo(),
        tls: args.tls,
        keylog: args.keylog.as_deref(),
    };
    announce(ws_addr, http_addr, &watch, certificate.as_ref());
    drop(
        log.event("listening")
            .with("ws", ws_addr)
            .with("http", http_addr)
            .with("tls", args.tls)
            .with("max_clients", max_clients),
    );

    if ws_addr.ip().is_loopback() && !http_addr.ip().is_loopback() {
        let what = "the chat (--ws) listens on the loopback interface: pages opened on other machines cannot reach it";
        drop(log.event("warning").text("what", what));
    }

    let room = Arc::new(Room::new(max_clients));
    let lengths = LengthLimits {
        name: args.max_name as usize,
        content: args.max_content as usize,
    };
    let state = UpgradeState {
        room: Arc::clone(&room),
        origins: Arc::clone(&origins),
        queue: QueueLimits {
            messages: args.queue as usize,
            bytes: args.queue_bytes as usize,
        },
        limits: ClientLimits {
            lengths,
            rate: args.rate,
            burst: args.burst,
            ping: args.ping,
            idle: args.idle,
        },
        log: log.clone(),
    };
    let limited = |listener, max| LimitedListener::new(listener, tls.clone(), max, args.max_per_address, log.clone());
    let chat = upgrade::router(state).into_make_service_with_connect_info::<Peer>();
    let chat_listener = limited(ws, max_clients.saturating_add(PENDING_CONNECTIONS));
    let chat = tokio::spawn(axum::serve(chat_listener, chat).into_future());
    let page = page::router(ws_addr, http_addr, &watch, lengths, origins);
    let page = tokio::spawn(axum::serve(limited(http, PAGE_CONNECTIONS), page).into_future());

    let why = interrupt.next().await;
    drop(
        log.event("stopping")
            .with("signal", why)
            .with("clients", room.connections()),
    );
    // The page's port first: a page that is reloaded now would find a chat that accepts nobody.
    page.abort();
    room.stop();
    tokio::select! {
        () = room.wait_until_empty() => {}
        () = tokio::time::sleep(SHUTDOWN_TIMEOUT) => {}
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

/// A certificate for everything that the server can be called.
fn make_certificate(addresses: &[SocketAddr], origins: &OriginPolicy) -> Result<Certificate, StartError> {
    let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let own = addresses.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified());
    let hosts = origins.hosts().map(|host| host.trim_matches(['[', ']']).to_owned());
    for name in own.map(|ip| ip.to_string()).chain(hosts) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Certificate::new(names.clone()).map_err(|source| StartError::Certificate {
        names: names.join(", "),
        source,
    })
}

fn announce(ws: SocketAddr, http: SocketAddr, watch: &Watch<'_>, certificate: Option<&Certificate>) {
    let s = if watch.tls { "s" } else { "" };
    let mut text = format!("page       http{s}://{http}\nwebsocket  ws{s}://{ws}\nwatch      {watch}\n");
    if !watch.is_readable() {
        text += "           It sees TLS alone; start this server with --keylog FILE as well to read the messages.\n";
    }
    if let Some(certificate) = certificate {
        text += &format!(
            "SHA-256    {}\n\
             \x20          Nobody has signed this certificate, so a browser warns: compare the fingerprint, then go on.\n\
             \x20          Firefox asks for each port: open https://{ws} in it as well.\n\
             \x20          No warning: curl -k, or\n\
             \x20          chromium --user-data-dir=$(mktemp -d) --ignore-certificate-errors-spki-list={}\n",
            certificate.fingerprint, certificate.key_hash
        );
    }
    let mut stdout = io::stdout().lock();
    // A closed stdout is no reason to stop.
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// As many file descriptors as `clients` and everybody else may need, if the system lets us; how many clients they do for.
fn raise_file_limit(clients: usize) -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // The runtime's own, the listeners, the standard streams.
    const OTHERS: u64 = 24;
    let wanted = clients as u64 + (PENDING_CONNECTIONS + PAGE_CONNECTIONS) as u64 + OTHERS;
    let Ok((mut soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return clients;
    };
    let raised = wanted.min(hard);
    if soft < raised && setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() {
        soft = raised;
    }
    clients.min(soft.saturating_sub(OTHERS).max(1) as usize)
}
