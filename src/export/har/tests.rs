use serde_json::Value;

use super::*;
use crate::export::samples::{self, message, record, session};
use crate::record::{How, Opcode, SessionId};

fn handshake() -> Handshake {
    samples::handshake(
        "http://elsewhere.test/chat?token=s3cr3t&q=a b",
        &[("Host", "example.test:7272"), ("Cookie", "a=1; sid=2")],
    )
}

/// Tells of session `number`.
fn tell(view: &mut Har, number: u64, kind: RecordKind<'_>) {
    let mut source = session();
    source.session = Some(SessionId(number));
    let _ = view.record(&record(&source, kind));
}

/// All that was written, also what was drained before.
fn har(view: &mut Har, mut before: Vec<u8>) -> Value {
    view.finish();
    before.append(view.output());
    serde_json::from_slice(&before).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&before)))
}

fn texts(entry: &Value) -> Vec<&str> {
    let messages = entry["_webSocketMessages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["data"].as_str().unwrap())
        .collect()
}

#[test]
fn an_entry_has_the_handshake_without_its_credentials_and_the_messages() {
    let mut view = Har::new(1 << 20, false);
    tell(&mut view, 1, RecordKind::Handshake(&handshake()));
    tell(
        &mut view,
        1,
        RecordKind::Message(&message(Opcode::Text, "猪\u{202e}".as_bytes())),
    );
    tell(&mut view, 1, RecordKind::Message(&message(Opcode::Ping, b"")));
    tell(&mut view, 1, RecordKind::Message(&message(Opcode::Binary, b"\x00\xff")));
    let cut = Message {
        complete: false,
        ..message(Opcode::Text, b"half")
    };
    tell(&mut view, 1, RecordKind::Message(&cut));
    tell(
        &mut view,
        1,
        RecordKind::SessionEnd(&crate::record::SessionEnd::after_nothing(How::CaptureEnd)),
    );
    assert_eq!(view.notes().len(), 1);
    let har = har(&mut view, Vec::new());
    let entry = &har["log"]["entries"][0];
    assert_eq!(
        entry["request"]["url"],
        "ws://example.test:7272/chat?token=REDACTED&q=a%20b"
    );
    assert_eq!(entry["request"]["headers"].as_array().unwrap().len(), 1);
    assert_eq!(entry["_webSocketMessages"][0]["time"].to_string(), "1407837062.775205");
    assert_eq!(texts(entry), ["猪\u{202e}", "AP8="]);
    let comment = entry["comment"].as_str().unwrap();
    assert!(
        comment.contains("1 message left out: not all of it was captured"),
        "{comment}"
    );
    assert!(comment.contains("2 credentials left out"), "{comment}");
}

#[test]
fn credentials_stay_when_they_are_asked_for() {
    let mut view = Har::new(1 << 20, true);
    tell(&mut view, 1, RecordKind::Handshake(&handshake()));
    assert!(view.notes().is_empty());
    let har = har(&mut view, Vec::new());
    let request = &har["log"]["entries"][0]["request"];
    assert_eq!(request["cookies"][1]["value"], "2");
    assert_eq!(request["queryString"][0]["value"], "s3cr3t");
}

#[test]
fn one_long_session_needs_no_memory_and_the_others_wait_behind_it() {
    let mut view = Har::new(10_000, false);
    let mut written = Vec::new();
    let text = "x".repeat(100);
    for number in 1..=3 {
        tell(&mut view, number, RecordKind::Handshake(&handshake()));
    }
    for round in 0..1_000 {
        tell(
            &mut view,
            2,
            RecordKind::Message(&message(Opcode::Text, text.as_bytes())),
        );
        if round % 100 == 0 {
            if round <= 500 {
                tell(&mut view, 1, RecordKind::Message(&message(Opcode::Text, b"hi")));
            }
            tell(&mut view, 3, RecordKind::Message(&message(Opcode::Text, b"hi")));
        }
        if round == 500 {
            tell(
                &mut view,
                1,
                RecordKind::SessionEnd(&crate::record::SessionEnd::after_nothing(How::Close)),
            );
        }
        assert!(view.held <= 10_000);
        written.append(view.output());
    }
    let har = har(&mut view, written);
    let entries = har["log"]["entries"].as_array().unwrap();
    let counts: Vec<usize> = entries.iter().map(|entry| texts(entry).len()).collect();
    assert_eq!(counts, [1_000, 6, 10]);
    assert!(!har["log"]["comment"].as_str().unwrap().contains("--max-memory"));
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    let mut view = Har::new(2_000, false);
    for number in 1..=5 {
        tell(&mut view, number, RecordKind::Handshake(&handshake()));
    }
    for _ in 0..100 {
        for number in 1..=5 {
            tell(&mut view, number, RecordKind::Message(&message(Opcode::Text, b"hi")));
        }
    }
    assert!(view.held <= 2_000);
    let (messages, sessions) = (view.messages_left_out, view.left_out.count);
    let har = har(&mut view, Vec::new());
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len() as u64 + sessions, 5);
    let told: u64 = entries.iter().map(|entry| texts(entry).len() as u64).sum();
    assert_eq!(told + messages, 100 * 5);
    assert!(sessions > 0 && messages > 0);
    assert!(har["log"]["comment"].as_str().unwrap().contains("--max-memory"));
}

#[test]
fn a_selected_message_brings_its_session_and_no_other() {
    let mut view = Har::new(1 << 20, false);
    let mut source = session();
    for number in [1, 2] {
        source.session = Some(SessionId(number));
        view.unselected(&record(&source, RecordKind::Handshake(&handshake())));
    }
    tell(&mut view, 1, RecordKind::Message(&message(Opcode::Text, b"hi")));
    for number in [1, 2] {
        source.session = Some(SessionId(number));
        view.unselected(&record(
            &source,
            RecordKind::SessionEnd(&crate::record::SessionEnd::after_nothing(How::Close)),
        ));
    }
    assert!(view.entries.is_empty() && view.held == 0);
    // Nobody is told of what was left out of a session that is not there.
    assert!(view.notes()[0].contains(" 2 credentials "), "{:?}", view.notes());
    let har = har(&mut view, Vec::new());
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 1);
    assert_eq!(har["log"]["entries"][0]["request"]["method"], "GET");
}

#[test]
fn what_nobody_selects_takes_no_room_that_grows() {
    let mut view = Har::new(20_000, false);
    let mut source = session();
    for number in 1..=10_000 {
        source.session = Some(SessionId(number));
        view.unselected(&record(&source, RecordKind::Handshake(&handshake())));
        assert!(view.held <= 20_000);
        if number % 2 == 0 {
            let end = crate::record::SessionEnd::after_nothing(How::Close);
            view.unselected(&record(&source, RecordKind::SessionEnd(&end)));
        }
    }
    assert!(view.waiting.is_empty() && view.entries.len() < 100);
    assert_eq!(view.left_out.count, 0);
}

#[test]
fn what_is_left_out_behind_an_open_entry_waits_for_nothing() {
    let mut view = Har::new(5_000, false);
    for number in 1..=1_000 {
        tell(&mut view, number, RecordKind::Handshake(&handshake()));
        tell(&mut view, number, RecordKind::Message(&message(Opcode::Text, b"hi")));
    }
    assert!(view.open.is_some());
    for number in 2..=1_000 {
        let end = crate::record::SessionEnd::after_nothing(How::Close);
        tell(&mut view, number, RecordKind::SessionEnd(&end));
    }
    assert!(
        view.entries.len() < 20 && view.waiting.len() < 20,
        "{}",
        view.waiting.len()
    );
    assert!(view.left_out.count > 900 && view.messages_left_out > 900);
}

#[test]
fn a_request_of_http_1_0_is_told_as_that() {
    let mut view = Har::new(1 << 20, false);
    let mut handshake = handshake();
    handshake.request.http_1_0 = true;
    tell(&mut view, 1, RecordKind::Handshake(&handshake));
    tell(&mut view, 1, RecordKind::Message(&message(Opcode::Text, b"hi")));
    let har = har(&mut view, Vec::new());
    assert_eq!(har["log"]["entries"][0]["request"]["httpVersion"], "HTTP/1.0");
}
