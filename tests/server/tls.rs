//! `--tls` and `--keylog`. The client is Python's `ssl`; who breaks the rules is a plain socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::sniffer::Sniffer;
use crate::support::{PATIENCE, Server};

/// A server with a key log in `folder`.
fn start(folder: &Path, flags: &[&str]) -> Server {
    let keylog = folder.join("keys.log");
    let tls = [
        "--tls",
        "--keylog",
        keylog.to_str().unwrap(),
        "--allow-origin",
        "https://chat.example",
    ];
    Server::start(&[&tls, flags].concat())
}

/// `tests/clients/tls_chat.py`.
struct PythonClient {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl PythonClient {
    /// Logs in and speaks; returns when it has heard itself.
    fn start(server: &Server, version: &str, others: u32) -> Self {
        let mut child = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/tls_chat.py"))
            .arg(server.ws.port().to_string())
            .args([&server.certificate.as_ref().expect("a certificate").0, version])
            .arg(others.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "said");
        Self { child, lines }
    }

    /// The server has stopped; the client has seen everything that belongs to it.
    fn goodbye(mut self) {
        assert_eq!(self.lines.next().unwrap().unwrap(), "goodbye");
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
#[ignore = "needs Python"]
fn python_chats_over_tls_and_gets_a_whole_goodbye() {
    for version in ["1.2", "1.3"] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = start(folder.path(), &[]);
        let client = PythonClient::start(&server, version, 150);
        server.signal(Signal::SIGINT);
        client.goodbye();
        assert_eq!(server.wait().code(), Some(0));
        let log = server.log();
        assert!(log.contains("event=stopped clients_left=0"), "{log}");
        // The certificate is not good for a name that nobody has named, and the client says so.
        assert!(log.contains("event=tls-failed") && log.contains("alert"), "{log}");
    }
}

#[test]
#[ignore = "needs Python and root"]
fn the_command_that_is_printed_decrypts_the_chat() {
    for version in ["1.2", "1.3"] {
        let folder = tempfile::tempdir().unwrap();
        let server = start(folder.path(), &[]);
        let keylog = folder.path().join("keys.log");
        // The file can be read by root alone, which is given up after it was opened.
        let flags = ["--keylog", keylog.to_str().unwrap(), "--format", "messages"];
        let sniffer = match Sniffer::start(&flags, server.ws.port()) {
            Ok(sniffer) => sniffer,
            Err(why) => return println!("SKIPPED: {why}"),
        };
        let client = PythonClient::start(&server, version, 0);
        sniffer.wait_until("what was said", |output| {
            output.contains("wss://localhost/") && output.matches("said in secret").count() == 2
        });
        server.signal(Signal::SIGINT);
        client.goodbye();
        sniffer.wait_until("the goodbye", |output| output.matches("1001").count() >= 2);
        let (output, code) = sniffer.stop();
        assert_eq!(code, Some(0), "{output}");
    }
}

/// Reads until the end.
fn rest(mut stream: &TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE * 2)).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("no end: {error}"),
        _ => answer,
    }
}

#[test]
fn a_request_without_tls_is_told_so() {
    let server = Server::start(&["--tls"]);
    for address in [server.ws, server.http] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let answer = String::from_utf8(rest(&stream)).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"),
            "{answer}"
        );
    }
    server.wait_for_log(&["event=tls-failed", "without TLS"]);
}

/// What is no TLS ends at once, silence and half a hello within the 20 seconds of every handshake; all the while others connect.
#[test]
fn who_does_not_finish_the_handshake_is_closed_and_holds_up_nobody() {
    let server = Server::start(&["--tls"]);
    let connect = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.ws).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let start = Instant::now();
    let silent = connect(b"");
    let half = connect(b"\x16\x03\x01\x02\x00\x01\x00");
    for garbage in [&[0; 5000][..], &[0xff; 100], b"\x16\x03\x01\xff\xff", b"\n\n\n\n\n\n"] {
        rest(&connect(garbage));
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // Somebody else still gets an answer: the alert to a hello that ends in nothing.
    let hello = connect(b"\x16\x03\x01\x00\x04\x01\x00\x00\x00");
    assert_eq!(rest(&hello).first(), Some(&21));
    for stream in [silent, half] {
        rest(&stream);
        let waited = start.elapsed();
        assert!(
            waited > Duration::from_secs(15) && waited < Duration::from_secs(35),
            "{waited:?}"
        );
    }
}

/// The connections count for their address from the first byte on.
#[test]
fn connections_without_a_handshake_count_for_their_address() {
    let server = Server::start(&["--tls", "--max-per-address", "2"]);
    let _silent = [(); 2].map(|()| TcpStream::connect(server.ws).unwrap());
    let mut refused = TcpStream::connect(server.ws).unwrap();
    refused.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    rest(&refused);
    server.wait_for_log(&["event=connection-refused", "why=max-per-address"]);
}

#[test]
fn a_key_log_that_cannot_be_written_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/keys.log");
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (path, why) in [
        (fifo.as_path(), "expected a regular file"),
        (missing.as_path(), "No such file"),
        (folder.path(), "directory"),
        (Path::new("/dev/null"), "expected a regular file"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_wschat-server"))
            .args(["--ws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--tls", "--keylog"])
            .arg(path)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.contains(path.to_str().unwrap()) && stderr.contains("--keylog") && stderr.matches(why).count() == 1,
            "{stderr}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_key_log_that_others_may_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    for (name, mode) in [("open", 0o644), ("closed", 0o600)] {
        let path = folder.path().join(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let server = Server::start(&["--tls", "--keylog", path.to_str().unwrap()]);
        server.wait_for_log(&["event=listening"]);
        assert_eq!(server.log().contains("chmod 600"), mode == 0o644, "{}", server.log());
    }
}

#[test]
fn a_key_log_without_tls_is_bad_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-server"))
        .args(["--keylog", "keys.log"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--tls"), "{stderr}");
}
