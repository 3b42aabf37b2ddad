//! A server of the test's own, on ports of its own, and a client that shares no code with it but axum's frame codec.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running `wschat-server`; killed when it is dropped.
pub struct Server {
    child: Child,
    pub ws: SocketAddr,
    pub http: SocketAddr,
    /// With `--tls`: SHA-256 of the certificate and of its key, as printed.
    pub certificate: Option<(String, String)>,
    /// The command that watches it, as printed.
    pub watch: String,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// On free ports.
    pub fn start(flags: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", "127.0.0.1:0", flags)
    }

    pub fn start_on(ws: &str, http: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wschat-server"))
            .args(["--ws", ws, "--http", http])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *lines.lock().unwrap() += &(line + "\n");
            }
        });
        let mut addresses = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut address = |scheme: &str| -> SocketAddr {
            let line = addresses.next().unwrap_or_default();
            let address = line.rsplit_once(scheme).and_then(|(_, address)| address.parse().ok());
            address.unwrap_or_else(|| panic!("no address in {line:?}; log: {}", log.lock().unwrap()))
        };
        let tls = flags.contains(&"--tls");
        let http = address(if tls { "https://" } else { "http://" });
        let ws = address(if tls { "wss://" } else { "ws://" });
        let watch = addresses.next().unwrap_or_default();
        let keylog = flags.iter().skip_while(|flag| **flag != "--keylog").nth(1);
        let keylog = keylog.map(|path| format!("--keylog {path} ")).unwrap_or_default();
        // The programs of a build are in no folder that sudo searches.
        let sniffer = env!("CARGO_BIN_EXE_wschat-sniff");
        let search = std::env::var_os("PATH").unwrap();
        let has_sudo = std::env::split_paths(&search).any(|folder| folder.join("sudo").is_file());
        let sudo = if has_sudo { "sudo " } else { "" };
        let command = format!("{sudo}{sniffer} -i any {keylog}port {}", ws.port());
        assert_eq!(watch, format!("watch      {command}"));
        let mut after = |mark: &str| {
            let found = addresses.find_map(|line| Some(line.split_once(mark)?.1.to_owned()));
            found.unwrap_or_else(|| panic!("no {mark} in what the server prints"))
        };
        let certificate = tls.then(|| (after("SHA-256    "), after("--ignore-certificate-errors-spki-list=")));
        Self {
            child,
            ws,
            http,
            certificate,
            watch: command,
            log,
            reader: Some(reader),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged up to now.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a log line with all of `parts`.
    pub fn wait_for_log(&self, parts: &[&str]) -> String {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(line) = self
                .log()
                .lines()
                .find(|line| parts.iter().all(|part| line.contains(part)))
            {
                return line.to_owned();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no line with {parts:?} in the log:\n{}", self.log());
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Waits for its end; the whole log is there afterwards.
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(reader) = self.reader.take() {
                    reader.join().unwrap();
                }
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The most memory that it has had, in KiB (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client.
pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
    pub uid: u64,
}

impl Client {
    pub async fn connect(server: &Server) -> Self {
        Self::connect_from(server, None).await.expect("a connection")
    }

    /// As a page of `origin` would.
    pub async fn connect_from(server: &Server, origin: Option<&str>) -> Result<Self, Error> {
        let mut request = format!("ws://{}/", server.ws).into_client_request()?;
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", HeaderValue::from_str(origin).unwrap());
        }
        let stream = TcpStream::connect(server.ws).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = timeout(PATIENCE, tokio_tungstenite::client_async(request, stream))
            .await
            .expect("an answer")?;
        Ok(Self { socket, uid: 0 })
    }

    /// Connects and logs in; the user list and the own login have been read.
    pub async fn login(server: &Server, name: &str) -> Self {
        let mut client = Self::connect(server).await;
        client.send(json!({"type": "login", "name": name})).await;
        let list = client.next().await;
        assert_eq!(list["type"], "user_list", "{list}");
        let login = client.next().await;
        assert_eq!(
            (&login["type"], &login["name"]),
            (&json!("login"), &json!(name)),
            "{login}"
        );
        client.uid = login["uid"].as_u64().expect("a uid");
        client
    }

    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("sent");
    }

    pub async fn say(&mut self, to: Value, content: &str) {
        self.send(json!({"type": "say", "to_uid": to, "content": content}))
            .await;
    }

    /// The next message or control frame.
    pub async fn next_message(&mut self) -> Option<Result<Message, Error>> {
        timeout(PATIENCE, self.socket.next()).await.expect("a message in time")
    }

    /// The next text message, as JSON.
    pub async fn next(&mut self) -> Value {
        loop {
            match self.next_message().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected text, got {other:?}"),
            }
        }
    }

    /// The code of the error that the server answers with.
    pub async fn next_error(&mut self) -> String {
        let error = self.next().await;
        assert_eq!(error["type"], "error", "{error}");
        error["code"].as_str().unwrap().to_owned()
    }

    /// Reads on until the server's close frame, and returns its code; `None` when the connection ended without.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.next_message().await {
                Some(Ok(Message::Close(frame))) => return Some(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Nothing else has been sent to this client: the answer to a provoked error comes first.
    pub async fn expect_nothing(&mut self) {
        self.send_text("{").await;
        assert_eq!(self.next_error().await, "bad-json");
    }
}
