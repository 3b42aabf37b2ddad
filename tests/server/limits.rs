//! What the server bounds, and what it closes a connection for.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Client, PATIENCE, Server};

#[tokio::test]
async fn a_client_above_its_rate_is_told_so() {
    let server = Server::start(&["--rate", "5", "--burst", "3"]);
    let mut client = Client::login(&server, "hasty").await;
    for _ in 0..6 {
        client.say(json!("all"), "!").await;
    }
    let mut outcomes = Vec::new();
    for _ in 0..6 {
        outcomes.push(client.next().await);
    }
    let said = outcomes.iter().filter(|outcome| outcome["type"] == "say").count();
    let refused = outcomes.iter().filter(|outcome| outcome["code"] == "too-fast").count();
    // The login took one of the three; a slow machine may have let the bucket fill a little.
    assert!((2..6).contains(&said) && said + refused == 6, "{outcomes:?}");
    tokio::time::sleep(Duration::from_millis(400)).await;
    client.say(json!("all"), "slowly").await;
    assert_eq!(client.next().await["content"], "slowly");
}

#[tokio::test]
async fn a_flooding_client_is_closed_and_nobody_else_notices() {
    let server = Server::start(&["--rate", "1", "--burst", "5", "--queue", "100000"]);
    let mut other = Client::login(&server, "other").await;
    let mut client = Client::connect(&server).await;
    for _ in 0..1100 {
        if client.socket.send(Message::text("{")).await.is_err() {
            break;
        }
    }
    assert_eq!(client.closed().await, Some(1008));
    other.expect_nothing().await;
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_their_connection_alone() {
    let server = Server::start(&["--max-content", "1000"]);
    let mut other = Client::login(&server, "other").await;
    // Each a first frame, masked with key 0, but for the one that is not masked.
    let cases: [(&str, &[u8], u16); 8] = [
        ("unmasked", b"\x81\x02hi", 1002),
        ("reserved bit", b"\xc1\x82\0\0\0\0hi", 1002),
        ("reserved opcode", b"\x83\x82\0\0\0\0hi", 1002),
        ("continuation of nothing", b"\x80\x82\0\0\0\0hi", 1002),
        ("fragmented ping", b"\x09\x82\0\0\0\0hi", 1002),
        ("close of one byte", b"\x88\x81\0\0\0\0x", 1002),
        ("not UTF-8", b"\x81\x82\0\0\0\0\xff\xfe", 1007),
        ("too big", b"\x81\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", 1009),
    ];
    for (case, frame, code) in cases {
        let mut stream = raw(&server).await;
        stream.write_all(frame).await.unwrap();
        // What comes after must not turn the close frame into a reset.
        stream.write_all(&[0; 3000]).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
            .await
            .expect("an end")
            .expect(case);
        assert_eq!(answer.first(), Some(&0x88), "{case}: {answer:?}");
        assert_eq!(u16::from_be_bytes([answer[2], answer[3]]), code, "{case}");
    }
    other.expect_nothing().await;
    let mut long = Client::connect(&server).await;
    long.send_text(&"x".repeat(10_000)).await;
    assert_eq!(long.closed().await, Some(1009));
    let mut binary = Client::connect(&server).await;
    binary.socket.send(Message::binary(vec![0, 1, 2])).await.unwrap();
    assert_eq!(binary.next_error().await, "bad-message");
}

/// A connection that has become a WebSocket, without a client's manners.
async fn raw(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.ws).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.ws
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    // RFC 6455 §1.3, the example.
    assert!(head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    stream
}

#[tokio::test]
async fn a_client_that_does_not_read_delays_nobody_and_is_closed() {
    let server = Server::start(&["--rate", "0", "--queue", "200", "--ping", "5", "--idle", "15"]);
    let mut deaf = Client::login(&server, "deaf").await;
    let mut talker = Client::login(&server, "talker").await;
    let text = "x".repeat(60_000);
    let mut heard = 0;
    // Until what the kernel buffers for the deaf one, and then its queue, are full.
    let logout = loop {
        talker.say(json!("all"), &text).await;
        let message = talker.next().await;
        match message["type"].as_str() {
            Some("say") => heard += 1,
            _ => break message,
        }
        assert!(heard < 5000, "it is never closed");
    };
    assert_eq!((&logout["type"], &logout["uid"]), (&json!("logout"), &json!(deaf.uid)));
    server.wait_for_log(&["event=disconnect", "uid=1", "code=1013"]);
    assert!(server.peak_memory() < 100 << 10, "{} KiB", server.peak_memory());
    // When it reads at last, it finds what had been sent, and perhaps the close frame; never more.
    assert!(matches!(deaf.closed().await, Some(1013) | None));
}

#[tokio::test]
async fn max_clients_limits_connections() {
    let server = Server::start(&["--max-clients", "2"]);
    let a = Client::connect(&server).await;
    let _b = Client::connect(&server).await;
    let refused = Client::connect_from(&server, None).await.err();
    assert!(
        matches!(&refused, Some(Error::Http(response)) if response.status() == 503),
        "{refused:?}"
    );
    drop(a);
    server.wait_for_log(&["event=disconnect"]);
    Client::login(&server, "c").await;
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let server = Server::start(&["--allow-origin", "https://chat.example"]);
    let port = server.http.port();
    for origin in [
        None,
        Some(format!("http://127.0.0.1:{port}")),
        Some(format!("http://localhost:{port}")),
        Some("https://chat.example".to_owned()),
    ] {
        assert!(
            Client::connect_from(&server, origin.as_deref()).await.is_ok(),
            "{origin:?}"
        );
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let refused = Client::connect_from(&server, Some(origin)).await.err();
        assert!(
            matches!(&refused, Some(Error::Http(response)) if response.status() == 403),
            "{origin}: {refused:?}"
        );
    }
    server.wait_for_log(&[
        "event=upgrade-refused",
        "why=origin",
        r#"origin="https://evil.example""#,
    ]);
}

#[tokio::test]
async fn requests_that_are_no_handshake_get_an_answer() {
    let server = Server::start(&[]);
    for (head, status) in [
        ("", "426"),
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "426",
        ),
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n",
            "400",
        ),
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            "400",
        ),
    ] {
        let mut stream = TcpStream::connect(server.ws).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{head}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(std::str::from_utf8(&answer[9..]), Ok(status), "{head}");
    }
}

/// DNS rebinding: a page of another site has our address under its own name.
#[tokio::test]
async fn a_host_that_is_an_unknown_name_is_refused_on_both_ports() {
    let server = Server::start(&["--allow-origin", "http://box.lan:55151"]);
    for (host, refused) in [
        ("127.0.0.1:7272", false),
        ("[::1]:7272", false),
        ("localhost", false),
        ("box.lan:55151", false),
        ("evil.example:7272", true),
        ("localhost.evil.example", true),
    ] {
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        for (address, head, good) in [(server.ws, upgrade, "101"), (server.http, "", "200")] {
            let status = status_of(address, &format!("GET / HTTP/1.1\r\nHost: {host}\r\n{head}\r\n")).await;
            assert_eq!(status, if refused { "403" } else { good }, "{host} {address}");
        }
    }
    server.wait_for_log(&["event=upgrade-refused", "why=host", r#"host="evil.example:7272""#]);
}

async fn status_of(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

#[tokio::test]
async fn max_per_address_limits_connections_of_one_address_alone() {
    let server = Server::start(&["--max-per-address", "2"]);
    let a = Client::login(&server, "a").await;
    // It sends nothing, and counts all the same.
    let silent = TcpStream::connect(server.ws).await.unwrap();
    let refused = Client::connect_from(&server, None).await.err();
    assert!(
        matches!(&refused, Some(Error::Http(response)) if response.status() == 429),
        "{refused:?}"
    );
    server.wait_for_log(&["event=connection-refused", "why=max-per-address"]);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
    let elsewhere = socket.connect(server.ws).await.unwrap();
    let (mut other, _) = tokio_tungstenite::client_async(format!("ws://{}/", server.ws), elsewhere)
        .await
        .expect("another address has a limit of its own");
    other.close(None).await.unwrap();
    drop((a, silent));
    server.wait_for_log(&["event=disconnect"]);
    let start = std::time::Instant::now();
    while let Err(error) = Client::connect_from(&server, None).await {
        assert!(start.elapsed() < PATIENCE, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn max_per_address_limits_logins_a_minute() {
    let server = Server::start(&["--max-per-address", "3"]);
    for name in ["a", "b", "c"] {
        let mut client = Client::login(&server, name).await;
        client.socket.close(None).await.unwrap();
        assert!(client.closed().await.is_some());
    }
    let start = std::time::Instant::now();
    let mut client = loop {
        match Client::connect_from(&server, None).await {
            Ok(client) => break client,
            Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    client.send(json!({"type": "login", "name": "d"})).await;
    assert_eq!(client.next_error().await, "too-fast");
}
