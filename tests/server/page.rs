//! The page's port.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::Server;

fn get(server: &Server, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.http).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.http
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_lowercase(), body.to_owned())
}

#[test]
fn the_page_and_its_files_are_served() {
    let server = Server::start(&[]);
    let (head, body) = get(&server, "/");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let policy = head
        .lines()
        .find(|line| line.starts_with("content-security-policy: "))
        .expect("a policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains(&format!("ws://127.0.0.1:{}", server.ws.port())),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(
        body.contains(&format!(r#"<meta name="ws-port" content="{}">"#, server.ws.port())),
        "{body}"
    );
    assert!(!body.contains("{{"), "{body}");
    for (path, kind) in [
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/words.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let (head, body) = get(&server, path);
        assert!(
            head.starts_with("http/1.1 200") && head.contains(&format!("content-type: {kind}")),
            "{head}"
        );
        assert!(head.contains("x-content-type-options: nosniff"));
        assert!(body.len() > 100, "{path}");
    }
    assert!(get(&server, "/other").0.starts_with("http/1.1 404"));
}
