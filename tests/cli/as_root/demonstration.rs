//! `make live`: what its script starts, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::conversation::frame;

#[test]
#[ignore = "needs root"]
fn ctrl_c_shows_the_goodbyes_and_leaves_nothing() {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (port, http) = (free(), free());
    let release = Path::new(env!("CARGO_BIN_EXE_wschat-sniff")).parent().unwrap();
    // Without exec, the shell between (the user's own) may die of the Ctrl-C itself.
    let script = concat!(
        "exec ",
        env!("CARGO_MANIFEST_DIR"),
        "/tools/live --format messages --color never"
    );
    // A terminal of its own: its Ctrl-C is one for all that belongs to it.
    let mut terminal = Command::new("timeout")
        .args(["60", "script", "--quiet", "--return", "--command", script, "/dev/null"])
        .env("RELEASE", release)
        .env("PORT", port.to_string())
        .env("HTTP_PORT", http.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = terminal.stdin.take().unwrap();
    let mut lines = BufReader::new(terminal.stdout.take().unwrap()).lines();
    let mut until = |sign: &str| {
        let mut seen = String::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            seen += &line;
            seen.push('\n');
            if line.contains(sign) {
                return seen;
            }
        }
        panic!("{sign}: {seen}");
    };
    assert!(until("listening on").contains(&format!("http://127.0.0.1:{http}")));
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        client,
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .unwrap();
    let login = frame(0x81, Some([0; 4]), br#"{"type":"login","name":"ann"}"#);
    client.write_all(&login).unwrap();
    until(r#""name":"ann""#);
    keys.write_all(b"\x03").unwrap();
    let mut received = Vec::new();
    client.read_to_end(&mut received).unwrap();
    let goodbye = [0x03, 0xe9];
    assert!(received.windows(2).any(|code| code == goodbye), "{received:?}");
    until("1001 the server stops");
    drop(keys);
    lines.for_each(drop);
    assert_eq!(terminal.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the server is gone");
}
