use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::base::{Gap, GapCause, PacketRef, PerDirection, Rule, Timestamp, Violation};
use crate::export::hidden::is_hidden_at;
use crate::export::samples::{message, record, session};
use crate::record::{
    Accept, Close, Deflate, Extension, FrameInfo, Handshake, Hole, How, Message, Opcode, Payload, Request, Response,
    SessionEnd, Span, StreamRange, Verdict,
};

fn catalog() -> &'static Catalog {
    crate::annotate::texts::by_tag("en").unwrap()
}

fn line(kind: RecordKind<'_>) -> String {
    let mut view = Json::new(false, true, catalog());
    assert!(view.record(&record(&session(), kind)).is_continue());
    String::from_utf8(std::mem::take(view.output())).unwrap()
}

fn value(kind: RecordKind<'_>) -> Value {
    serde_json::from_str(&line(kind)).unwrap()
}

fn bytes_of(value: &Value) -> Vec<u8> {
    match (value.get("text"), value.get("base64")) {
        (Some(Value::String(text)), None) => text.clone().into_bytes(),
        (None, Some(Value::String(text))) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).unwrap()
        }
        _ => panic!("{value}"),
    }
}

#[test]
fn a_chat_message_has_all_its_fields_in_their_order() {
    let text = br#"{"type":"say", "to_uid":"all"}"#;
    assert_eq!(
        line(RecordKind::Message(&message(Opcode::Text, text))),
        concat!(
            r#"{"event":"message","time":"2014-08-12T09:51:02.775205Z","ts":1407837062.775205,"packet":28,"connection":2,"session":2,"stream":null,"scheme":"ws","client":"127.0.0.1:60653","#,
            r#""server":"127.0.0.1:7272","direction":"client-to-server","opcode":"text","length":30,"wire_length":30,"frames":1,"#,
            r#""masked":true,"masking_key":"3c313744","compressed":false,"packets":[28,28],"#,
            r#""text":"{\"type\":\"say\", \"to_uid\":\"all\"}","json":{"type":"say","to_uid":"all"},"#,
            r#""complete":true,"inferred":false}"#,
            "\n"
        )
    );
}

#[test]
fn times_have_nine_digits_with_nano() {
    let mut view = Json::new(true, false, catalog());
    let _ = view.record(&record(&session(), RecordKind::Message(&message(Opcode::Ping, b""))));
    assert!(
        view.output()
            .starts_with(br#"{"event":"message","time":"2014-08-12T09:51:02.775205000Z","#)
    );
}

#[test]
fn json_is_given_for_objects_and_arrays_only() {
    for (text, expected) in [
        ("{}", Some("{}")),
        (" [1.0, 1e2,\t{\"a\":1,\"a\":2}]\n", Some("[1.0,1e2,{\"a\":1,\"a\":2}]")),
        ("12", None),
        ("\"a\"", None),
        ("null", None),
        ("{\"a\":1", None),
        ("{\"a\":1} x", None),
        ("[\"\u{202e}\"]", Some("[\"\\u202e\"]")),
        ("[\"\u{1b}\"]", None),
        ("[\"\\ud800\"]", None),
    ] {
        let line = line(RecordKind::Message(&message(Opcode::Text, text.as_bytes())));
        match expected {
            Some(json) => assert!(line.contains(&format!(r#","json":{json},"complete""#)), "{line}"),
            None => assert!(!line.contains(r#""json""#), "{line}"),
        }
    }
}

#[test]
fn hostile_nesting_makes_no_line_that_readers_refuse() {
    let text = "[".repeat(100_000) + &"]".repeat(100_000);
    let value = value(RecordKind::Message(&message(Opcode::Text, text.as_bytes())));
    assert_eq!(bytes_of(&value), text.into_bytes());
    assert!(value.get("json").is_none());
}

#[test]
fn a_line_separator_cannot_break_a_line_in_two() {
    let text = "{\"a\":\"\u{2028}\u{85}\u{c}\u{b}\"}\r\n";
    let line = line(RecordKind::Message(&message(Opcode::Text, text.as_bytes())));
    assert_eq!(line.lines().count(), 1);
    assert!(
        line.trim_end().chars().all(|ch| !ch.is_control() && ch != '\u{2028}'),
        "{line}"
    );
}

#[test]
fn an_escape_sequence_in_a_header_cannot_reach_the_terminal() {
    let handshake = Handshake {
        request: Request {
            method: "GET".into(),
            target: "/\u{1b}[2J".into(),
            headers: vec![("Host".into(), "\u{9b}\u{202e}\"".into()), ("Host".into(), "b".into())],
            range: 0..1,
            ..Request::default()
        },
        response: Some(Response {
            status: 101,
            headers: vec![],
            range: 0..1,
            ..Response::default()
        }),
        accept: Accept::Valid,
        subprotocol: Some("chat".into()),
        extensions: vec![Extension {
            name: "permessage-deflate".into(),
            parameters: vec![("server_max_window_bits".into(), Some("10".into())), ("x".into(), None)],
        }],
        deflate: Some(Deflate {
            server_no_context_takeover: false,
            client_no_context_takeover: true,
            server_max_window_bits: 10,
            client_max_window_bits: 15,
        }),
        deflate_unknown: false,
    };
    let shown = line(RecordKind::Handshake(&handshake));
    assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']));
    let value: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        value,
        json!({
            "event": "handshake", "time": "2014-08-12T09:51:02.775205Z", "ts": 1407837062.775205, "packet": 28,
            "connection": 2, "session": 2, "stream": null, "scheme": "ws", "http": "1.1",
            "client": "127.0.0.1:60653", "server": "127.0.0.1:7272",
            "request": {"method": "GET", "target": "/\u{1b}[2J", "headers": [["Host", "\u{9b}\u{202e}\""], ["Host", "b"]]},
            "response": {"status": 101, "reason": "", "headers": []},
            "accept": "valid", "subprotocol": "chat",
            "extensions": [{"name": "permessage-deflate", "parameters": [["server_max_window_bits", "10"], ["x", null]]}],
            "deflate": {"server_no_context_takeover": false, "client_no_context_takeover": true,
                        "server_max_window_bits": 10, "client_max_window_bits": 15},
        })
    );
}

#[test]
fn an_unanswered_upgrade_has_nulls() {
    let handshake = Handshake {
        request: Request::default(),
        response: None,
        accept: Accept::Missing,
        subprotocol: None,
        extensions: vec![],
        deflate: None,
        deflate_unknown: false,
    };
    let value = value(RecordKind::Handshake(&handshake));
    for name in ["response", "subprotocol", "deflate"] {
        assert_eq!(value[name], Value::Null);
    }
    assert_eq!(
        (&value["accept"], &value["extensions"]),
        (&json!("missing"), &json!([]))
    );
}

#[test]
fn a_close_frame_has_code_and_reason() {
    let mut close = message(Opcode::Close, b"\x03\xe8over \"it\"");
    close.close = Some(Close {
        code: 1000,
        reason: "over \"it\"",
    });
    let value = value(RecordKind::Message(&close));
    assert_eq!(value["close"], json!({"code": 1000, "reason": "over \"it\""}));
    assert_eq!(bytes_of(&value), b"\x03\xe8over \"it\"");
}

#[test]
fn frames_violations_gaps_and_ends_have_their_fields() {
    let frame = FrameInfo {
        direction: Direction::ServerToClient,
        opcode: Opcode::Continuation,
        fin: true,
        rsv: [true, false, false],
        masking_key: None,
        header: 2,
        length: 7,
        span: span(3, 4),
        offset: 99,
    };
    let shown = line(RecordKind::Frame(&frame));
    assert!(shown.ends_with(concat!(
        r#","direction":"server-to-client","opcode":"continuation","fin":true,"rsv":[true,false,false],"masked":false,"#,
        r#""masking_key":null,"length":7,"packets":[3,4],"offset":99}"#,
        "\n"
    )));
    let violation = Violation::new(Rule::UnmaskedClientFrame, "not \"masked\"");
    let direction = Direction::ClientToServer;
    let shown = line(RecordKind::Violation {
        direction,
        violation: &violation,
    });
    assert!(shown.ends_with(concat!(
        r#","direction":"client-to-server","id":"ws.unmasked-client-frame","rfc":"RFC 6455 §5.1","detail":"not \"masked\""}"#,
        "\n"
    )));
    let gap = Gap {
        offset: 1,
        length: 1448,
        cause: GapCause::Snaplen,
    };
    let shown = line(RecordKind::Gap { direction, gap });
    assert!(shown.ends_with(",\"direction\":\"client-to-server\",\"length\":1448,\"cause\":\"snaplen\"}\n"));
    let length = 2 * Gap::UNKNOWN;
    let gap = Gap { length, ..gap };
    assert!(line(RecordKind::Gap { direction, gap }).contains(",\"length\":null,"));
    let end = SessionEnd {
        by: Some(Direction::ServerToClient),
        messages: PerDirection {
            client_to_server: 1,
            server_to_client: 2,
        },
        bytes: PerDirection {
            client_to_server: 60,
            server_to_client: 10,
        },
        verdict: Verdict::Reset,
        reset: Some(Direction::ServerToClient),
        ..crate::record::SessionEnd::after_nothing(How::Rst)
    };
    let shown = line(RecordKind::SessionEnd(&end));
    let mut verdict = Vec::new();
    catalog().verdict(&end, &mut verdict);
    let verdict = String::from_utf8(verdict).unwrap();
    assert!(!verdict.is_empty());
    let end = concat!(
        r#","how":"rst","by":"server","close_codes":{"client":null,"server":null},"closing_handshake":false,"messages":3,"#,
        r#""bytes":70,"verdict":"reset","abnormal":true,"explanation":"#
    );
    assert!(shown.ends_with(&format!("{end}{}}}\n", json!(verdict))), "{shown}");
}

#[test]
fn narration_and_unasked_frames_give_no_line() {
    let mut view = Json::new(false, false, catalog());
    let frame = FrameInfo {
        direction: Direction::ServerToClient,
        opcode: Opcode::Text,
        fin: true,
        rsv: [false; 3],
        masking_key: None,
        header: 2,
        length: 7,
        span: span(3, 4),
        offset: 99,
    };
    let _ = view.record(&record(&session(), RecordKind::Frame(&frame)));
    let _ = view.record(&record(&session(), RecordKind::UpgradeRequest(&Request::default())));
    assert!(view.output().is_empty());
}

fn incomplete<'a>(opcode: Opcode, bytes: &'a [u8], holes: &'a [Hole]) -> Message<'a> {
    let mut message = message(opcode, bytes);
    message.payload = Payload { bytes, holes };
    message.complete = false;
    message.text = None;
    message
}

#[test]
fn what_is_missing_is_said_and_never_shown_as_text() {
    let holes = [
        Hole {
            offset: 2,
            length: Some(3),
        },
        Hole {
            offset: 8,
            length: None,
        },
    ];
    let value = value(RecordKind::Message(&incomplete(Opcode::Text, b"ab???cde", &holes)));
    assert_eq!(value["known"], json!([[0, {"text": "ab"}], [5, {"text": "cde"}]]));
    assert_eq!(value["missing"], json!([[2, 3], [8, null]]));
    assert_eq!((&value["length"], &value["complete"]), (&json!(5), &json!(false)));
    assert!(
        value
            .get("text")
            .or(value.get("base64"))
            .or(value.get("json"))
            .is_none()
    );
}

#[test]
fn a_character_cut_by_a_hole_does_not_spoil_the_text_beside_it() {
    // 猪 is e7 8c aa: its last byte is missing in the first one, its first byte in the second one.
    let bytes = b"a\xe7\x8c?\x8c\xaab";
    let holes = [Hole {
        offset: 3,
        length: Some(1),
    }];
    let value = value(RecordKind::Message(&incomplete(Opcode::Text, bytes, &holes)));
    assert_eq!(
        value["known"],
        json!([[0, {"text": "a"}], [1, {"base64": "54w="}], [4, {"base64": "jKo="}], [6, {"text": "b"}]])
    );
}

#[test]
fn a_message_without_its_beginning_is_known_from_there() {
    let holes = [Hole {
        offset: 0,
        length: None,
    }];
    let value = value(RecordKind::Message(&incomplete(Opcode::Text, b"abc", &holes)));
    assert_eq!(
        (&value["known"], &value["missing"]),
        (&json!([[0, {"text": "abc"}]]), &json!([[0, null]]))
    );
}

#[test]
fn a_message_of_which_nothing_is_known_keeps_its_length() {
    let holes = [Hole {
        offset: 0,
        length: Some(70_000),
    }];
    let value = value(RecordKind::Message(&incomplete(Opcode::Binary, b"", &holes)));
    assert_eq!(
        (&value["known"], &value["missing"]),
        (&json!([]), &json!([[0, 70_000]]))
    );
    assert_eq!(value["length"], json!(70_000));
}

proptest! {
    #[test]
    fn every_message_comes_back_byte_for_byte(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "(?s)[\"\\\\\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{202e}a猪😀{}:, ]{0,200}".prop_map(String::into_bytes),
            "\\[(\"[a\u{202e}\u{7f}猪]{0,20}\", ?){0,9}1 *\\]".prop_map(String::into_bytes),
        ],
        opcode in prop_oneof![Just(Opcode::Text), Just(Opcode::Binary)],
    ) {
        let line = line(RecordKind::Message(&message(opcode, &bytes)));
        prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
        let shown = line.trim_end();
        prop_assert!(shown.char_indices().all(|(at, ch)| !is_hidden_at(shown, at, ch)));
        let value: Value = serde_json::from_str(shown).unwrap();
        prop_assert_eq!(bytes_of(&value), &bytes[..]);
        let meant = serde_json::from_slice::<Value>(&bytes).ok().filter(|v| v.is_object() || v.is_array());
        if let Some(meant) = meant {
            prop_assert_eq!(&value["json"], &meant);
        }
    }

    #[test]
    fn every_known_byte_and_no_other_comes_back(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            "[a猪😀]{0,12}".prop_map(String::into_bytes),
        ],
        cuts in proptest::collection::btree_set(0..40u64, 0..6),
        open in any::<bool>(),
        opcode in prop_oneof![Just(Opcode::Text), Just(Opcode::Binary)],
    ) {
        let cuts: Vec<u64> = cuts.into_iter().filter(|c| *c <= bytes.len() as u64).collect();
        let (pairs, rest) = cuts.as_chunks::<2>();
        let mut holes: Vec<Hole> = pairs.iter().map(|[a, b]| Hole { offset: *a, length: Some(b - a) }).collect();
        if open && rest.is_empty() {
            holes.push(Hole { offset: bytes.len() as u64, length: None });
        }
        let value = value(RecordKind::Message(&incomplete(opcode, &bytes, &holes)));
        let mut known = vec![None; bytes.len()];
        for piece in value["known"].as_array().unwrap() {
            let from = piece[0].as_u64().unwrap() as usize;
            for (i, byte) in bytes_of(&piece[1]).into_iter().enumerate() {
                prop_assert!(known[from + i].replace(byte).is_none());
            }
        }
        for (i, byte) in bytes.iter().enumerate() {
            let missing = holes.iter().any(|h| h.length.is_some_and(|l| (h.offset..h.offset + l).contains(&(i as u64))));
            prop_assert_eq!(known[i], (!missing).then_some(*byte));
        }
    }
}

/// What these packets carried.
fn span(first: u64, last: u64) -> Span {
    let packet = |packet| PacketRef {
        packet,
        time: Timestamp::from_nanos(0),
    };
    Span {
        first: packet(first),
        last: packet(last),
        tcp: StreamRange::default(),
    }
}

#[test]
fn only_the_fields_that_are_wanted_are_there_and_tags_are_always() {
    let mut tags = Tags::default();
    tags.add("sensor=web\"1").unwrap();
    let text = br#"{"type":"say"}"#;
    for (list, wanted) in [
        (
            "text",
            json!({"event": "message", "sensor": "web\"1", "text": "{\"type\":\"say\"}"}),
        ),
        (
            "json, sensor,event,packet",
            json!({"event": "message", "sensor": "web\"1", "packet": 28, "json": {"type": "say"}}),
        ),
        (
            "session_uid,community_id",
            json!({
                "event": "message",
                "sensor": "web\"1",
                "session_uid": "d7362947ff737f550b839042468a2755",
                "community_id": "1:C98Cblyg8xfvnPkzGdZf7PgUKk0=",
            }),
        ),
    ] {
        let fields = Fields::parse(list, &tags).unwrap();
        let mut view = Json::new(false, false, catalog()).with_fields(fields).with_tags(&tags);
        let _ = view.record(&record(&session(), RecordKind::Message(&message(Opcode::Text, text))));
        let value: Value = serde_json::from_slice(view.output()).unwrap();
        assert_eq!(value, wanted, "{list}");
    }
    assert_eq!(Fields::parse("time,txt", &tags), Err("txt"));
    assert!(tags.add("sensor=2").is_err() && tags.add("text=x").is_err() && tags.add("=x").is_err());
}

/// Whatever an event has, a list of one of its fields gives that one, as it is in the whole event.
#[test]
fn each_field_alone_is_what_it_is_among_the_others() {
    let handshake = Handshake {
        request: Request::default(),
        response: Some(Response::default()),
        accept: Accept::Valid,
        subprotocol: None,
        extensions: Vec::new(),
        deflate: Some(Deflate::default()),
        deflate_unknown: false,
    };
    let holes = [Hole {
        offset: 1,
        length: Some(1),
    }];
    let gap = Gap {
        offset: 0,
        length: 3,
        cause: GapCause::Lost,
    };
    let violation = Violation::new(Rule::CloseCode, "x");
    let mut tags = Tags::default();
    tags.add("a=b").unwrap();
    for kind in [
        RecordKind::Message(&message(Opcode::Text, b"{}")),
        RecordKind::Message(&message(Opcode::Binary, b"\xff")),
        RecordKind::Message(&incomplete(Opcode::Text, b"a?c", &holes)),
        RecordKind::Handshake(&handshake),
        RecordKind::Violation {
            direction: Direction::ClientToServer,
            violation: &violation,
        },
        RecordKind::Gap {
            direction: Direction::ClientToServer,
            gap,
        },
        RecordKind::SessionEnd(&crate::record::SessionEnd::after_nothing(How::Close)),
    ] {
        let object = |fields: Fields| -> serde_json::Map<String, Value> {
            let mut view = Json::new(false, true, catalog()).with_fields(fields).with_tags(&tags);
            let _ = view.record(&record(&session(), kind));
            serde_json::from_slice(view.output()).unwrap()
        };
        let whole = object(Fields::default());
        for (name, value) in &whole {
            let one = object(Fields::parse(name, &tags).unwrap());
            assert_eq!(one.get(name), Some(value), "{name}");
            assert!(
                one.keys().all(|key| ["event", "a", name].contains(&key.as_str())),
                "{one:?}"
            );
        }
    }
}
