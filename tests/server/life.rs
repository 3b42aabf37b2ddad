//! How the server starts and ends, and how it notices that a client has.

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Client, Server};

#[tokio::test]
async fn ctrl_c_closes_every_connection_with_1001() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut server = Server::start(&[]);
        let mut a = Client::login(&server, "a").await;
        let mut b = Client::connect(&server).await;
        server.signal(signal);
        assert_eq!(a.closed().await, Some(1001));
        assert_eq!(b.closed().await, Some(1001));
        assert!(a.closed().await.is_none() && b.closed().await.is_none());
        assert_eq!(server.wait().code(), Some(0));
        assert!(
            server.log().contains("event=stopped clients_left=0"),
            "{}",
            server.log()
        );
    }
}

#[tokio::test]
async fn a_client_that_never_answers_does_not_hold_up_the_end() {
    let mut server = Server::start(&[]);
    let client = Client::login(&server, "absent").await;
    let start = Instant::now();
    server.signal(Signal::SIGINT);
    assert_eq!(server.wait().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(client);
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let server = Server::start(&[]);
    for (flag, taken) in [("--ws", server.ws), ("--http", server.http)] {
        let other = if flag == "--ws" { "--http" } else { "--ws" };
        let output = Command::new(env!("CARGO_BIN_EXE_wschat-server"))
            .args([flag, &taken.to_string(), other, "127.0.0.1:0"])
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.contains(&taken.to_string()) && stderr.contains(flag) && stderr.contains("in use"),
            "{stderr}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn bad_usage_is_2() {
    for flags in [&["--ws", "7272"][..], &["--idle", "5", "--ping", "5"], &["chat"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_wschat-server"))
            .args(flags)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
}

/// A process that is killed: its kernel closes the connection without a closing handshake.
#[tokio::test]
async fn a_killed_client_is_gone_at_once() {
    let server = Server::start(&[]);
    let mut watcher = Client::login(&server, "watcher").await;
    let killed = Client::login(&server, "killed").await;
    watcher.next().await;
    let uid = killed.uid;
    drop(killed);
    assert_eq!(watcher.next().await["uid"], uid);
    server.wait_for_log(&["event=disconnect", "uid=2", "by=nobody", "code=1006"]);
}

/// A client that vanishes without a FIN looks like one whose process has stopped: its kernel still acknowledges, nobody answers.
#[tokio::test]
async fn a_silent_client_is_gone_after_the_idle_timeout() {
    let server = Server::start(&["--ping", "0.3", "--idle", "1"]);
    let mut watcher = Client::login(&server, "watcher").await;
    let silent = Client::login(&server, "silent").await;
    let start = Instant::now();
    watcher.next().await;
    // It answers pings while it waits, so it stays.
    let logout = watcher.next().await;
    let waited = start.elapsed();
    assert_eq!(
        (&logout["type"], &logout["uid"]),
        (&json!("logout"), &json!(silent.uid))
    );
    assert!(
        waited > Duration::from_millis(800) && waited < Duration::from_secs(4),
        "{waited:?}"
    );
    server.wait_for_log(&["event=disconnect", "uid=2", "code=1011"]);
    tokio::time::timeout(Duration::from_millis(1500), watcher.next())
        .await
        .expect_err("nothing more happens");
    watcher.expect_nothing().await;
}

#[tokio::test]
async fn every_event_is_one_line_of_the_log() {
    let mut server = Server::start(&[]);
    let mut client = Client::login(&server, "eve\"=\u{1f437}").await;
    client.say(json!("all"), "what is said\nis not logged").await;
    client.next().await;
    client.say(json!(99), "x").await;
    client.next().await;
    client.socket.close(None).await.unwrap();
    server.wait_for_log(&["event=disconnect"]);
    server.signal(Signal::SIGINT);
    server.wait();
    let log = server.log();
    let events: Vec<&str> = log
        .lines()
        .map(|line| {
            let (time, rest) = line
                .strip_prefix("time=")
                .and_then(|line| line.split_once(" event="))
                .expect(line);
            assert_eq!(time.len(), "2014-08-12T17:50:30.601234+08:00".len(), "{line}");
            rest.split(' ').next().unwrap()
        })
        .collect();
    assert_eq!(
        events,
        [
            "listening",
            "connect",
            "login",
            "say",
            "refuse",
            "disconnect",
            "stopping",
            "stopped"
        ]
    );
    assert!(log.contains("name=\"eve\\\"=\u{1f437}\""), "{log}");
    assert!(!log.contains("what is said"), "{log}");
}
