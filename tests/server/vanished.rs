//! A client whose host vanishes from the network: no FIN, no RST, nothing. It lives in a network namespace of its own, and the
//! link to it is cut. Needs root and `ip` (Debian's iproute2).

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::Uid;
use serde_json::json;

use crate::support::{Client, Server};

/// Logs in and answers pings, by hand: every frame it sends is masked with key 0.
const CLIENT: &str = r#"
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
s.recv(1000)
login = b'{"type":"login","name":"far away"}'
s.sendall(b"\x81" + bytes([0x80 | len(login)]) + b"\0\0\0\0" + login)
while data := s.recv(65536):
    if b"\x89\x00" in data:
        s.sendall(b"\x8a\x80\0\0\0\0")
"#;

/// A host at the other end of a link; taken down when it is dropped.
struct FarHost {
    name: String,
    link: String,
    client: Option<Child>,
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .map_err(|error| format!("ip: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "ip {arguments}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}

impl FarHost {
    fn start(near: &str, far: &str) -> Result<Self, String> {
        if !Uid::effective().is_root() {
            return Err("a network namespace needs root".to_owned());
        }
        let pid = std::process::id();
        let host = Self {
            name: format!("wschat{pid}"),
            link: format!("ws{pid}a"),
            client: None,
        };
        let (name, link) = (&host.name, &host.link);
        let peer = format!("ws{pid}b");
        ip(&format!("netns add {name}"))?;
        ip(&format!("link add {link} type veth peer name {peer} netns {name}"))?;
        ip(&format!("addr add {near}/30 dev {link}"))?;
        ip(&format!("link set {link} up"))?;
        ip(&format!("-n {name} addr add {far}/30 dev {peer}"))?;
        ip(&format!("-n {name} link set {peer} up"))?;
        Ok(host)
    }
}

impl Drop for FarHost {
    fn drop(&mut self) {
        if let Some(client) = &mut self.client {
            let _ = client.kill();
            let _ = client.wait();
        }
        let _ = ip(&format!("link del {}", self.link));
        let _ = ip(&format!("netns del {}", self.name));
    }
}

#[tokio::test]
#[ignore = "needs root, ip and Python"]
async fn a_host_that_vanishes_is_noticed_within_the_idle_timeout() {
    // RFC 5737, TEST-NET-3: nobody's network.
    let (near, far) = ("203.0.113.33", "203.0.113.34");
    let mut host = match FarHost::start(near, far) {
        Ok(host) => host,
        Err(why) => return println!("SKIPPED: {why}"),
    };
    let server = Server::start_on(&format!("{near}:0"), "127.0.0.1:0", &["--ping", "0.4", "--idle", "1.5"]);
    let mut watcher = Client::login(&server, "watcher").await;
    let port = server.ws.port().to_string();
    let client = Command::new("ip")
        .args(["netns", "exec", &host.name, "python3", "-c", CLIENT, near, &port])
        .stdin(Stdio::null())
        .spawn();
    host.client = Some(client.unwrap());
    let login = watcher.next().await;
    assert_eq!(login["name"], "far away");
    // It stays for longer than the timeout, because it answers.
    tokio::time::timeout(Duration::from_secs(2), watcher.next())
        .await
        .expect_err("it stays");
    ip(&format!("link set {} down", host.link)).unwrap();
    let start = Instant::now();
    let logout = watcher.next().await;
    assert_eq!((&logout["type"], &logout["uid"]), (&json!("logout"), &login["uid"]));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    server.wait_for_log(&["event=disconnect", "uid=2", "code=1011"]);
}
