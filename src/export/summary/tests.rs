use serde_json::{Value, json};

use super::*;
use crate::annotate::texts::CATALOGS;
use crate::base::PacketRef;
use crate::base::{Captured, Violation};
use crate::dissect::Dissectors;
use crate::export::hidden::is_hidden_at;
use crate::export::json::{Fields, Tags};
use crate::export::palette::Palette;
use crate::export::samples;
use crate::record::{GivenUp, How, Message};
use crate::wire::LinkType;

fn hear(summary: &mut Summary, millis: i64, kind: RecordKind<'_>) {
    let mut dissectors = Dissectors::new(Vec::new(), &Default::default());
    hear_with(summary, &mut dissectors, millis, kind);
}

fn hear_with(summary: &mut Summary, dissectors: &mut Dissectors, millis: i64, kind: RecordKind<'_>) {
    let session = samples::session();
    let at = PacketRef {
        packet: 1,
        time: Timestamp::from_nanos(millis * 1_000_000),
    };
    let record = Record {
        at,
        source: &session,
        kind,
    };
    let _ = dissectors.tell(&record, summary);
}

fn packet(summary: &mut Summary, millis: i64) {
    let _ = summary.packet(
        &Packet {
            number: 1,
            time: Timestamp::from_nanos(millis * 1_000_000),
            link: LinkType(1),
            data: Captured::new(b"abc", 100),
        },
        None,
    );
}

fn down(mut message: Message<'_>) -> Message<'_> {
    message.direction = Direction::ServerToClient;
    message
}

fn session() -> Summary {
    let mut summary = Summary::new();
    packet(&mut summary, 0);
    packet(&mut summary, 2000);
    let texts: [(i64, bool, &[u8]); 6] = [
        (0, false, br#"{"type":"login","name":"mynick"}"#),
        (0, false, br#"{"type":"login","name":"mynick"}"#),
        (1, true, br#"{"type":"login","uid":7,"name":"mynick"}"#),
        (10, false, br#"{"type":"say","to_uid":"all","content":"hi, \u732a"}"#),
        (
            12,
            true,
            "{\"type\":\"say\",\"from_uid\":7,\"to_uid\":\"all\",\"content\":\"hi, 猪\",\"time\":\"\"}".as_bytes(),
        ),
        (
            16,
            true,
            br#"{"type":"say","from_uid":7,"to_uid":"all","content":"hi, \u732a","time":""}"#,
        ),
    ];
    for (time, from_server, text) in texts {
        let message = samples::message(Opcode::Text, text);
        let message = if from_server { down(message) } else { message };
        hear(&mut summary, time, RecordKind::Message(&message));
    }
    let mut dissectors = Dissectors::new(Vec::new(), &Default::default());
    let ping = samples::message(Opcode::Ping, b"x");
    let pongs = [b"y", b"x"].map(|payload| down(samples::message(Opcode::Pong, payload)));
    for (time, message) in [(20, &ping), (21, &pongs[0]), (23, &pongs[1])] {
        hear_with(&mut summary, &mut dissectors, time, RecordKind::Message(message));
    }
    let violation = Violation::new(Rule::CloseCode, "");
    for _ in 0..2 {
        hear(
            &mut summary,
            30,
            RecordKind::Violation {
                direction: Direction::ClientToServer,
                violation: &violation,
            },
        );
    }
    summary.dropped(5);
    summary.given_up(GivenUp {
        incomplete_datagrams: 2,
        limited_inflations: 3,
        unlisted_violations: 4,
        ..GivenUp::default()
    });
    summary
}

#[test]
fn the_event_counts_what_there_was() {
    let mut out = Vec::new();
    session().json(&mut out, false, Fields::default(), &Tags::default());
    assert_eq!(out.pop(), Some(b'\n'));
    let value: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        value,
        json!({
            "event": "summary", "time": "1970-01-01T00:00:02.000000Z", "ts": 2.0, "packets": 2, "bytes": 200, "sessions": 0,
            "users": 1, "names": ["mynick"], "message_bytes": value["message_bytes"],
            "messages": {"client-to-server": {"text": 3, "ping": 1}, "server-to-client": {"text": 3, "pong": 2}},
            "violations": {"ws.close-code": 2}, "verdicts": {}, "gaps": 0,
            "deliveries": {"count": 2, "p50_ms": 2.003, "p90_ms": 6.0, "p99_ms": 6.0, "max_ms": 6.0},
            "undelivered": 0, "undelivered_messages": [],
            "latencies": [{"protocol": "WebSocket", "method": "ping", "errors": 0, "twice": 0, "never": 0, "count": 1,
                "p50_ms": 3.0, "p90_ms": 3.0, "p99_ms": 3.0, "max_ms": 3.0}], "forgotten_requests": 0, "dropped": 5, "incomplete_datagrams": 2, "evicted_histories": 0, "limited_inflations": 3, "unlisted_violations": 4,
        })
    );
}

#[test]
fn an_empty_capture_has_a_summary_too() {
    let mut out = Vec::new();
    Summary::new().json(&mut out, false, Fields::default(), &Tags::default());
    let value: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        (&value["time"], &value["messages"]["client-to-server"]),
        (&Value::Null, &json!({}))
    );
    out.clear();
    Summary::new().text(&mut out, CATALOGS[0], &Palette::PLAIN);
    assert!(
        String::from_utf8(out)
            .unwrap()
            .contains("Packets               0, 0 bytes\n")
    );
}

#[test]
fn the_text_tells_of_users_deliveries_and_pings() {
    let mut out = Vec::new();
    session().text(&mut out, CATALOGS[0], &Palette::PLAIN);
    let text = String::from_utf8(out).unwrap();
    for line in [
        "Users                 1: \"mynick\"",
        "From clients          text 3, ping 1",
        "Delivery              2.0 ms / 6.0 ms / 6.0 ms / 6.0 ms (p50 / p90 / p99 / max, n = 2)",
        "Ping to pong          WebSocket \"ping\": 3.0 ms / 3.0 ms / 3.0 ms / 3.0 ms (p50 / p90 / p99 / max, n = 1)",
        "Violations            2 × this close code must not be sent (ws.close-code)",
        "Dropped by the kernel  5",
    ] {
        assert!(text.lines().any(|l| l.trim() == line), "{line} is not in {text}");
    }
}

#[test]
fn every_language_has_its_labels() {
    let text = |catalog| {
        let mut out = Vec::new();
        session().text(&mut out, catalog, &Palette::PLAIN);
        String::from_utf8(out).unwrap()
    };
    for (i, one) in CATALOGS.iter().enumerate() {
        for other in &CATALOGS[..i] {
            assert_ne!(text(one), text(other));
        }
    }
}

#[test]
fn a_name_cannot_forge_a_line() {
    let mut summary = Summary::new();
    let login = samples::message(Opcode::Text, br#"{"type":"login","name":"a\" \n\u001b[2J \u202e"}"#);
    hear(&mut summary, 0, RecordKind::Message(&login));
    let result = samples::message(
        Opcode::Text,
        br#"{"type":"login","uid":7,"name":"a\" \n\u001b[2J \u202e"}"#,
    );
    hear(&mut summary, 0, RecordKind::Message(&down(result)));
    let mut out = Vec::new();
    summary.text(&mut out, CATALOGS[0], &Palette::PLAIN);
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(r#"1: "a\u{22} \n\u{1b}[2J \u{202e}""#), "{text}");
    assert!(
        text.char_indices()
            .all(|(at, ch)| ch == '\n' || !is_hidden_at(&text, at, ch))
    );
}

#[test]
fn a_stranger_cannot_make_it_grow() {
    let mut summary = Summary::new();
    for n in 0..20_000u32 {
        let name = format!(r#"{{"type":"login","name":"user {n}"}}"#);
        let say = format!(r#"{{"type":"say","to_uid":"all","content":"{n}"}}"#);
        for text in [name, say] {
            hear(
                &mut summary,
                0,
                RecordKind::Message(&samples::message(Opcode::Text, text.as_bytes())),
            );
        }
        hear(
            &mut summary,
            0,
            RecordKind::Message(&samples::message(Opcode::Ping, &n.to_be_bytes())),
        );
        let mut end = crate::record::SessionEnd::after_nothing(How::Close);
        end.by = Some(Direction::ClientToServer);
        end.close_codes.client_to_server = Some(Some(n as u16));
        summary.ended(&end);
    }
    let mut out = Vec::new();
    summary.text(&mut out, CATALOGS[0], &Palette::PLAIN);
    assert!(out.len() < 4000, "{}", out.len());
}

#[test]
fn the_text_counts_who_did_not_get_what_was_said() {
    let mut summary = Summary::new();
    let texts: [(bool, &[u8]); 3] = [
        (false, br#"{"type":"login","name":"a"}"#),
        (true, br#"{"type":"login","uid":7,"name":"a"}"#),
        (false, br#"{"type":"say","to_uid":"all","content":"lost"}"#),
    ];
    for (index, (is_down, text)) in texts.into_iter().enumerate() {
        let message = samples::message(Opcode::Text, text);
        let message = if is_down { down(message) } else { message };
        packet(&mut summary, index as i64);
        hear(&mut summary, index as i64, RecordKind::Message(&message));
        let _ = summary.packet_end(&Packet {
            number: 1,
            time: Timestamp::from_nanos(0),
            link: LinkType(1),
            data: Captured::whole(b""),
        });
    }
    let shown = |summary: &Summary| {
        let mut out = Vec::new();
        summary.text(&mut out, CATALOGS[0], &Palette::PLAIN);
        String::from_utf8(out).unwrap()
    };
    assert!(!shown(&summary).contains("Not delivered"));
    let end = crate::record::SessionEnd::after_nothing(How::CaptureEnd);
    hear(&mut summary, 9, RecordKind::SessionEnd(&end));
    assert!(
        shown(&summary).contains("  Not delivered         1: \"lost\""),
        "{}",
        shown(&summary)
    );
}
