//! The page's port.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::Server;

fn get(server: &Server, path: &str) -> (String, String) {
    get_with(server, path, "")
}

fn get_with(server: &Server, path: &str, header: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.http).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {}\r\n{header}Connection: close\r\n\r\n",
        server.http
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    // The names of headers in lower case, their values as they are.
    let head = head.lines().map(|line| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}\n", name.to_lowercase()),
        None => format!("{}\n", line.to_lowercase()),
    });
    (head.collect(), body.to_owned())
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
        ("/texts.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
        ("/favicon.ico", "image/svg+xml"),
        ("/index.html", "text/html"),
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

/// RFC 9110 §13.1.2.
#[test]
fn a_file_that_the_browser_has_is_not_sent_again() {
    let server = Server::start(&[]);
    for path in ["/", "/page.js", "/icon.svg"] {
        let (head, _) = get(&server, path);
        let etag = head
            .lines()
            .find_map(|line| line.strip_prefix("etag: "))
            .expect("an ETag")
            .to_owned();
        let (head, body) = get_with(&server, path, &format!("If-None-Match: {etag}\r\n"));
        assert!(head.starts_with("http/1.1 304") && body.is_empty(), "{head}");
        let (head, _) = get_with(&server, path, "If-None-Match: \"other\"\r\n");
        assert!(head.starts_with("http/1.1 200"), "{head}");
    }
}

/// The page asks for the chat where it listens, and its policy allows that.
#[test]
fn a_chat_on_another_address_is_named_in_the_page_and_its_policy() {
    let server = Server::start_on("127.0.0.2:0", "127.0.0.1:0", &[]);
    let (head, body) = get(&server, "/");
    assert!(body.contains(r#"<meta name="ws-host" content="127.0.0.2">"#), "{body}");
    assert!(
        head.contains(&format!("connect-src ws://127.0.0.2:{} ", server.ws.port())),
        "{head}"
    );
    let server = Server::start(&[]);
    assert!(get(&server, "/").1.contains(r#"<meta name="ws-host" content="">"#));
}
