//! What is selected while packets come is what is selected of the same packets in a file.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::live::ours;
use crate::conversation::frame;
use crate::program::{open_folder, run, stdout};

/// Reads up to the end of an HTTP head.
fn head(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
}

/// Somebody logs in, says something, and gets it back; and goes, with a close frame or without.
fn talk(listener: &TcpListener, path: &str, name: &str, closes: bool) {
    let address: SocketAddr = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    client.write_all(request.as_bytes()).unwrap();
    head(&mut server);
    let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    server.write_all(response.as_bytes()).unwrap();
    head(&mut client);
    let login = format!(r#"{{"type":"login","name":"{name}"}}"#);
    client.write_all(&frame(0x81, Some([0; 4]), login.as_bytes())).unwrap();
    for n in 0..5 {
        let say = format!(r#"{{"type":"say","to_uid":"all","content":"{name} {n}"}}"#);
        client.write_all(&frame(0x81, Some([0; 4]), say.as_bytes())).unwrap();
        thread::sleep(Duration::from_millis(5));
        let said = format!(r#"{{"type":"say","from_uid":7,"to_uid":"all","content":"{name} {n}"}}"#);
        server.write_all(&frame(0x81, None, said.as_bytes())).unwrap();
    }
    client.write_all(&frame(0x89, Some([0; 4]), b"ping")).unwrap();
    thread::sleep(Duration::from_millis(5));
    server.write_all(&frame(0x8a, None, b"ping")).unwrap();
    if closes {
        client.write_all(&frame(0x88, Some([0; 4]), &[3, 0xe8])).unwrap();
        thread::sleep(Duration::from_millis(5));
        server.write_all(&frame(0x88, None, &[3, 0xe8])).unwrap();
        thread::sleep(Duration::from_millis(5));
    }
}

/// The messages of these events: by whom, and what.
fn messages(events: &str) -> BTreeSet<String> {
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .filter(|event| event["event"] == "message")
        .map(|event| {
            format!(
                "{} {} {} {}",
                event["client"], event["direction"], event["opcode"], event["text"]
            )
        })
        .collect()
}

#[test]
#[ignore = "needs root"]
fn the_same_is_selected_live_and_in_a_file() {
    let folder = open_folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let filter = format!("tcp port {}", listener.local_addr().unwrap().port());
    let whole = folder.path().join("whole.pcap");
    let whole = whole.to_str().unwrap();
    let selectors: &[&[&str]] = &[
        &["--session", "2-3"],
        &["--host", "127.0.0.1"],
        &["--path", "/b*"],
        &["--user", "ben"],
        &["--opcode", "ping,pong,close"],
        &["--where", r#".content ~ " [13]$" and direction == "server-to-client""#],
        &["--grep", "ana 2", "--context", "1"],
        &["--grep", "cid 3", "--from", "client", "--follow"],
        &["--invert", "--grep", "say"],
        &["--slower", "1ms"],
    ];
    let all = ours(&["-i", "lo", "-w", whole, &filter]);
    let live: Vec<_> = selectors
        .iter()
        .map(|selector| ours(&[&["-i", "lo", "--format", "json"], *selector, &[&filter]].concat()))
        .collect();
    let abnormal = folder.path().join("abnormal.pcap");
    let written = ours(&["-i", "lo", "-w", abnormal.to_str().unwrap(), "--abnormal", &filter]);
    for (path, name, closes) in [("/a", "ana", true), ("/b?x=1", "ben", false), ("/b/c", "cid", true)] {
        talk(&listener, path, name, closes);
    }
    thread::sleep(Duration::from_millis(500));
    let live: Vec<String> = live.into_iter().map(|live| live.end(Signal::SIGINT).1).collect();
    assert_eq!(written.end(Signal::SIGINT).0, 0);
    assert_eq!(all.end(Signal::SIGINT).0, 0);
    for (selector, live) in selectors.iter().zip(&live) {
        let file = stdout(&run([&["-r", whole, "--format", "json"], *selector].concat()));
        assert!(!messages(&file).is_empty(), "{selector:?}");
        assert_eq!(messages(live), messages(&file), "{selector:?}");
    }
    let bad = stdout(&run(["-r", abnormal.to_str().unwrap(), "--format", "json"]));
    assert!(bad.contains("ben 4"), "{bad}");
    assert!(!bad.contains("ana 1") && !bad.contains("cid 1"), "{bad}");
}
