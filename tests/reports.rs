//! Small captures after public bug reports, each with what is right.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

fn capture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports");
    folder.join(name).with_extension("pcap")
}

/// What a view prints, in English.
fn view(format: &str, name: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--lang", "en", "--check", "--format", format, "-r"])
        .arg(capture(name))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The events of the JSON view.
fn events(name: &str) -> Vec<Value> {
    let text = view("json", name);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'e>(events: &'e [Value], kind: &'e str) -> impl Iterator<Item = &'e Value> {
    events.iter().filter(move |event| event["event"] == kind)
}

fn messages(events: &[Value]) -> usize {
    of_kind(events, "message").count()
}

/// Protocol, action and label of every document, in order.
fn meanings(events: &[Value]) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for message in of_kind(events, "message") {
        let documents = message["documents"].as_array();
        let each = documents.map_or(vec![&message["meaning"]], |all| {
            all.iter().map(|d| &d["meaning"]).collect()
        });
        for meaning in each.into_iter().filter(|meaning| !meaning.is_null()) {
            let text = |name: &str| meaning[name].as_str().unwrap().to_owned();
            found.push((text("protocol"), text("action"), meaning["label"].clone()));
        }
    }
    found
}

#[test]
fn proxy_protocol_v2_in_the_segment_of_the_request() {
    let events = events("proxy-v2");
    assert_eq!(messages(&events), 4);
    for event in &events {
        let proxied = json!({"client": "203.0.113.7:41000", "server": "192.168.7.20:8080", "by": "proxy-v2"});
        assert_eq!(event["proxied"], proxied);
    }
}

#[test]
fn proxy_protocol_v1_and_v2_in_segments_of_their_own() {
    let events = events("proxy-v2-live");
    let by: Vec<_> = of_kind(&events, "handshake")
        .map(|event| &event["proxied"]["by"])
        .collect();
    assert_eq!(
        (messages(&events), by),
        (4, vec![&json!("proxy-v2"), &json!("proxy-v1")])
    );
}

#[test]
fn a_session_through_socks5_says_where_to() {
    let events = events("socks5");
    assert_eq!(messages(&events), 4);
    assert_eq!(events[0]["proxied"]["server"], "example.test:8080");
}

#[test]
fn each_signalr_record_is_a_document() {
    let events = events("signalr");
    let two =
        of_kind(&events, "message").find(|message| message["documents"].as_array().is_some_and(|all| all.len() == 2));
    let documents = two.unwrap()["documents"].as_array().unwrap();
    assert_eq!(documents[0]["meaning"]["label"], "broadcast");
    assert_eq!(documents[1]["json"]["invocationId"], "0");
    assert!(documents[1]["meaning"]["answers"]["after_ms"].is_number());
    let actions: Vec<_> = meanings(&events).into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(actions[..5], ["open", "opened", "ping", "request", "ping"]);
    assert!(actions.contains(&"close".to_owned()));
}

#[test]
fn each_signalr_record_is_told_and_laid_out_as_json_of_its_own() {
    let told = view("trace", "signalr");
    assert!(!told.contains("not valid JSON"), "{told}");
    let both = told
        .split("\n\n")
        .find(|block| block.contains("broadcast"))
        .expect("a packet with two records");
    let (block, rest) = both.split_once(" */\n").unwrap();
    assert_eq!(
        block,
        r#"/*
 * SignalR: event "broadcast"
 * The server (port 41004) sends the client (port 37342) this SignalR message: event "broadcast".
 * In the same message, SignalR: response, id 0.
 * It answers the request "Send" (packet 18), 244 µs after it.
"#
    );
    let (_, payload) = rest.split_once("text, 107 bytes:\n").unwrap();
    let records = serde_json::Deserializer::from_str(payload)
        .into_iter::<Value>()
        .collect::<Result<Vec<_>, _>>();
    assert_eq!(
        records.unwrap(),
        [
            json!({"type": 1, "target": "broadcast", "arguments": ["hello everyone"]}),
            json!({"type": 3, "invocationId": "0", "result": null})
        ]
    );
    let page = view("html", "signalr");
    assert!(page.contains("  ]\n}\n{\n  &quot;type&quot;: 3,\n"), "{page}");
}

#[test]
fn the_strings_of_a_sockjs_frame_are_shown_unwrapped() {
    let told = view("trace", "sockjs-stomp");
    let said = "\n    {\n      \"type\": \"say\",\n      \"content\": \"hello\"\n    }\n";
    let stomp = "\n    SEND\n    destination:/app/chat\n    content-type:application/json\n";
    // From the client and from the server.
    assert_eq!(
        (told.matches(said).count(), told.matches(stomp).count()),
        (2, 2),
        "{told}"
    );
}

#[test]
fn the_servers_40_confirms_a_socket_io_session() {
    let events = events("socketio");
    let found: Vec<_> = meanings(&events).into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(found[..4], ["opened", "open", "opened", "error"]);
}

#[test]
fn engine_io_5_after_the_probe_is_the_upgrade() {
    let found = meanings(&events("engineio-upgrade"));
    let at = found
        .iter()
        .position(|(_, action, _)| action == "upgrade")
        .expect("an upgrade");
    assert_eq!([&*found[at - 2].1, &*found[at - 1].1], ["ping", "pong"]);
}

#[test]
fn sockjs_frames_are_unwrapped_and_the_stomp_in_them_is_stomp() {
    let found = meanings(&events("sockjs-stomp"));
    assert_eq!(found[0], ("SockJS".into(), "opened".into(), Value::Null));
    assert!(found.contains(&("STOMP".into(), "send".into(), json!("/app/chat"))));
}

#[test]
fn a_refusal_brings_its_reason_and_body() {
    let events = events("refusal-body");
    let response = &events[0]["response"];
    assert_eq!(
        (&response["status"], &response["reason"]),
        (&json!(400), &json!("Bad Request"))
    );
    assert_eq!(response["body"], r#"{"code":1,"message":"Session ID unknown"}"#);
    assert_eq!(response["body_length"], 41);
    let end = events.last().unwrap();
    assert_eq!(
        (&end["how"], &end["verdict"], &end["abnormal"]),
        (&json!("refused"), &json!("refused"), &json!(true))
    );
}

#[test]
fn each_upgrade_on_one_connection_is_a_session_of_its_own() {
    let events = events("refused-again");
    let handshakes = of_kind(&events, "handshake");
    let handshakes: Vec<_> = handshakes
        .map(|event| {
            let of = |name: &str| event[name].as_u64().unwrap();
            let (target, status) = (&event["request"]["target"], &event["response"]["status"]);
            (
                of("connection"),
                of("session"),
                target.as_str().unwrap(),
                status.as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        (1, 1, "/deny/301", 301),
        (1, 2, "/ws", 101),
        (2, 3, "/one", 400),
        // Between the two lies a GET that asks for no upgrade.
        (2, 4, "/two", 503),
    ];
    assert_eq!(handshakes, expected);
    let ends = of_kind(&events, "session-end").map(|end| json!([end["session"], end["how"], end["by"]]));
    assert_eq!(
        ends.collect::<Vec<_>>(),
        [
            json!([1, "refused", null]),
            json!([2, "close", "client"]),
            json!([3, "refused", null]),
            json!([4, "refused", "client"]),
        ]
    );
}

#[test]
fn of_a_selected_session_nothing_of_the_others_on_its_connection_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--lang", "en", "--session", "1", "-r"])
        .arg(capture("refused-again"))
        .output()
        .unwrap();
    let trace = String::from_utf8(output.stdout).unwrap();
    assert!(
        trace.contains("the server refused the upgrade with status 301"),
        "{trace}"
    );
    assert!(!trace.contains("\"/ws\""), "{trace}");
}

#[test]
fn a_101_without_upgrade_is_believed() {
    assert_eq!(messages(&events("101-no-upgrade")), 6);
}

#[test]
fn upgrade_websockets_with_a_fitting_accept_is_a_websocket() {
    let events = events("101-websockets");
    assert_eq!(messages(&events), 6);
    let ids: Vec<_> = of_kind(&events, "violation").map(|event| &event["id"]).collect();
    assert_eq!(ids, ["http.handshake-response"]);
}

#[test]
fn hixie_76_is_named() {
    let events = events("hixie76");
    let ids: Vec<_> = of_kind(&events, "violation")
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"http.draft-handshake"), "{ids:?}");
}

#[test]
fn rfc8441_3_every_view_tells_a_websocket_over_http2_that_the_settings_do_not_allow() {
    let name = "extended-connect-not-allowed";
    let events = events(name);
    assert_eq!(messages(&events), 10);
    assert!(of_kind(&events, "violation").any(|event| event["id"] == "http.handshake-request"));
    assert!(view("trace", name).contains("SETTINGS_ENABLE_CONNECT_PROTOCOL"));
    for (format, told) in [("messages", "open CONNECT ws://a/ 200"), ("sessions", "ws://a/")] {
        assert!(view(format, name).contains(told), "{format}");
    }
}

#[test]
fn a_fragment_that_differs_from_the_others_of_its_datagram_is_told_whichever_is_taken() {
    for (name, taken) in [
        ("fragment-forged", "GOOD1"),
        ("fragment-of-forged-length", "GOOD1"),
        // Nothing but its bytes tells this one from the others, and the rest came behind it.
        ("fragment-forged-unnoticed", "EVIL1"),
    ] {
        let events = events(name);
        assert_eq!(messages(&events), 8, "{name}");
        let text = of_kind(&events, "message").nth(1).unwrap()["text"].as_str().unwrap();
        assert!(text.contains(taken), "{name}: {text}");
        let different = of_kind(&events, "violation").filter(|event| event["id"] == "tcp.different-bytes");
        assert_eq!(different.count(), 1, "{name}");
    }
}

#[test]
fn a_control_byte_in_the_target_hides_nothing() {
    let events = events("hd_ctl_in_path");
    assert_eq!(messages(&events), 8);
    assert!(of_kind(&events, "violation").any(|event| event["id"] == "http.head-syntax"));
}

#[test]
fn rfc9112_3_two_blanks_in_the_request_line_hide_nothing() {
    let events = events("blanks-in-request-line");
    assert_eq!(messages(&events), 16);
    assert!(of_kind(&events, "violation").any(|event| event["id"] == "http.head-syntax"));
}

#[test]
fn rfc9112_2_2_a_thousand_empty_lines_before_the_request_hide_nothing() {
    let events = events("empty-lines-before-request");
    assert_eq!(messages(&events), 2);
    assert_eq!(of_kind(&events, "violation").count(), 0);
}

#[test]
fn a_control_byte_in_the_reason_phrase_hides_nothing() {
    let events = events("control-byte-in-reason");
    assert_eq!(messages(&events), 16);
    let handshake = of_kind(&events, "handshake").next().unwrap();
    assert_eq!(handshake["response"]["reason"], "OK\u{1}");
    assert!(of_kind(&events, "violation").any(|event| event["id"] == "http.head-syntax"));
}

#[test]
fn a_message_that_was_never_finished_is_incomplete_and_takes_no_time_since_1970() {
    for name in [
        "unfinished",
        "unfinished-fin",
        "unfinished-late",
        "unfinished-new-message",
    ] {
        let events = events(name);
        let found = of_kind(&events, "message")
            .find(|message| message["complete"] == false)
            .unwrap();
        assert_eq!(
            found["known"][0][1]["text"], r#"{"type":"say","content":"never"#,
            "{name}"
        );
        assert!(
            events
                .iter()
                .all(|event| event["time"].as_str().unwrap().starts_with("2023")),
            "{name}"
        );
    }
}

#[test]
fn mqtt_packets_are_read_though_their_bytes_come_in_many_messages() {
    let found = meanings(&events("mqtt"));
    let told: Vec<_> = found
        .iter()
        .map(|(_, action, label)| (action.as_str(), label.as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            ("open", "sensor-1"),
            ("opened", ""),
            ("subscribe", "house/+/temperature"),
            ("confirm", ""),
            ("send", "house/kitchen/temperature"),
            ("confirm", ""),
            ("send", "house/attic/temperature"),
            ("send", "house/kitchen/temperature"),
            ("confirm", ""),
            ("send", "house/attic/temperature"),
            ("unsubscribe", "house/+/temperature"),
            ("confirm", ""),
            ("close", ""),
        ]
    );
}

#[test]
fn one_document_is_the_json_of_its_message_and_several_are_documents() {
    let events = events("signalr");
    for message in of_kind(&events, "message").filter(|message| message["opcode"] == "text") {
        match message["documents"].as_array() {
            Some(documents) => {
                assert!(documents.len() > 1 && message["meaning"].is_null() && message["json"].is_null());
            }
            None => assert!(
                message["meaning"].is_object() && message["json"].is_object(),
                "{message}"
            ),
        }
    }
}

#[test]
fn who_never_acknowledged_the_last_message_has_vanished() {
    let events = events("peer-vanished");
    let end = events.last().unwrap();
    assert_eq!(
        (&end["how"], &end["verdict"], &end["abnormal"]),
        (&json!("rst"), &json!("peer-vanished"), &json!(true))
    );
    let explanation = end["explanation"].as_str().unwrap();
    for part in ["6 times", "never acknowledged", "12.6 s", "client had vanished"] {
        assert!(explanation.contains(part), "{explanation}");
    }
}

#[test]
fn data_that_is_sent_again_after_a_silence_is_unacknowledged_since_it_was_sent_first() {
    let events = events("peer-vanished-after-silence");
    let explanation = events.last().unwrap()["explanation"].as_str().unwrap();
    assert!(explanation.contains("6 times over 62.0 s"), "{explanation}");
}

#[test]
fn the_tail_of_a_message_that_began_before_the_capture_is_known_and_its_opcode_is_not() {
    let events = events("late-in-fragmented-message");
    let tail = of_kind(&events, "message").find(|message| message["complete"] == false);
    let tail = tail.unwrap();
    assert_eq!(
        (&tail["opcode"], &tail["packet"], &tail["missing"]),
        (&json!("unknown"), &json!(3), &json!([[0, null]]))
    );
    assert_eq!(
        tail["known"],
        json!([[0, {"text": "tail of a long text, part 2 and part 3."}]])
    );
}

#[test]
fn the_summary_counts_a_message_whose_opcode_is_not_known_as_unknown() {
    let counted = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--lang", "en", "--summary", "--format", "none", "-r"])
        .arg(capture("late-in-fragmented-message"))
        .output()
        .unwrap();
    let text = String::from_utf8(counted.stdout).unwrap();
    let line = text.lines().find(|line| line.contains("From servers")).unwrap();
    assert!(line.ends_with(" unknown 1, text 4"), "{line}");

    let counted = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--summary", "--format", "json", "-r"])
        .arg(capture("late-in-fragmented-message"))
        .output()
        .unwrap();
    let text = String::from_utf8(counted.stdout).unwrap();
    let summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let from_server = &summary["messages"]["server-to-client"];
    assert_eq!(from_server, &json!({"unknown": 1, "text": 4}));
}

#[test]
fn a_message_told_late_is_not_said_to_end_with_the_packet_that_tells_it() {
    let told = view("trace", "late-in-fragmented-message");
    assert!(told.contains("what follows came with packet 3."), "{told}");
    assert!(told.contains(" * It began with packet 1, 2.0 ms before.\n"), "{told}");
    assert!(!told.contains("ends with this packet"), "{told}");
}

#[test]
fn the_client_that_a_proxy_names_is_told_with_the_handshake() {
    let told = view("trace", "forwarded-for");
    assert!(told.contains("which names \"203.0.113.44\" as its client (X-Forwarded-For)"));
}

#[test]
fn an_extension_that_is_not_known_is_named_and_so_are_messages_in_its_form() {
    let told = view("trace", "unknown-extension");
    assert!(told.contains("They agree on the extension \"x-webkit-deflate-frame\", which this program does not know"));
    assert_eq!(told.matches(", in the format of an unknown extension").count(), 2);
}

#[test]
fn every_view_says_at_the_end_which_extension_is_not_known() {
    for format in ["trace", "messages", "json", "sessions", "none", "har"] {
        let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
            .args(["--check", "--format", format, "-r"])
            .arg(capture("unknown-extension"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let line = "extensions that are not known: \"x-webkit-deflate-frame\" in 1 session; ";
        assert_eq!(said.matches(line).count(), 1, "{format}: {said}");
    }
    let other = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--session", "2", "-r"])
        .arg(capture("unknown-extension"))
        .output()
        .unwrap();
    assert!(!String::from_utf8(other.stderr).unwrap().contains("not known"));
}

#[test]
fn a_refusal_is_told_with_its_reason_and_body() {
    let told = view("trace", "refusal-body");
    assert!(told.contains("status 400 \"Bad Request\"") && told.contains("Session ID unknown"));
}

#[test]
fn the_handshake_of_a_draft_is_none_that_was_refused() {
    let told = view("trace", "hixie76");
    assert!(told.contains("the frames of that draft are not decoded") && told.contains("no WebSocket was established"));
}

#[test]
fn a_compressed_message_that_ends_inside_a_block_is_a_violation() {
    let events = events("deflate-midblock");
    let ids: Vec<_> = of_kind(&events, "violation").map(|event| &event["id"]).collect();
    assert_eq!(ids, ["ws.deflate-inside-block"]);
    assert_eq!(messages(&events), 5);
}

#[test]
fn attachments_belong_to_the_event_that_announced_them() {
    let found = meanings(&events("engineio-upgrade"));
    let attached: Vec<_> = found.iter().filter(|(_, action, _)| action == "attachment").collect();
    let labels: Vec<_> = attached.iter().map(|(_, _, label)| label.as_str().unwrap()).collect();
    assert_eq!(labels, ["upload", "thumb"]);
    assert!(view("trace", "engineio-upgrade").contains("Socket.IO: upgrade"));
}

#[test]
fn a_reset_whose_number_does_not_fit_ends_nothing() {
    assert_eq!(messages(&events("stray-rst")), 6);
    assert!(view("trace", "stray-rst").contains("whose sequence number does not fit: it has no effect"));
    assert!(view("trace", "syn-refused").contains("refuse"));
}

/// Frames, as far as they say when and what.
fn late(name: &str) -> Vec<(u64, String)> {
    let events = events(name);
    let found = of_kind(&events, "message");
    found
        .map(|message| (message["packet"].as_u64().unwrap(), message["opcode"].to_string()))
        .collect()
}

#[test]
fn what_is_said_to_follow_follows() {
    for name in [
        "late-first-ping",
        "late-pingpong-echo",
        "late-text-2-2",
        "late-in-fragmented-message",
    ] {
        let told = view("trace", name);
        let mut introduced = false;
        for line in told.lines() {
            let introduces = line.contains("what follows came with packet");
            assert!(!introduced || !introduces && !line.contains("*/"), "{name}: {told}");
            introduced = introduces;
        }
        assert!(told.contains("what follows came with packet"), "{name}: {told}");
    }
}

#[test]
fn connections_begun_late_are_read_whole_and_in_order() {
    for (name, frames) in [
        ("late-first-ping", 9),
        ("late-c2s-one-ping", 5),
        ("late-pingpong-echo", 6),
        ("late-close-only", 2),
        ("late-binary-2-2", 4),
        ("late-deflate-1-1", 4),
        ("late-unmasked-both", 12),
        ("late-json-1-1", 2),
        ("late-text-2-2", 4),
        ("late-in-fragmented-message", 9),
    ] {
        let found = late(name);
        assert_eq!(found.len(), frames, "{name}: {found:?}");
        assert!(found.is_sorted_by_key(|(packet, _)| *packet), "{name}: {found:?}");
    }
    let events = events("late-unmasked-both");
    assert_eq!(events[0]["client"], "10.0.0.1:40000");
}

#[test]
fn a_connection_in_tls_is_told_as_such_though_nothing_of_it_can_be_read() {
    let told = view("trace", "tls-silent");
    for part in [
        "begins TLS (ClientHello)",
        "agrees to TLS 1.2",
        "sends encrypted records",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_session_begun_late_is_of_whom_its_opening_tells() {
    let meanings = meanings(&events("graphql-begun-late"));
    assert_eq!(meanings.len(), 20);
    let others = meanings.iter().find(|(protocol, _, _)| protocol != "GraphQL");
    assert_eq!(others, None);
}

#[test]
fn after_a_ping_without_a_pong_each_pong_answers_its_own_ping() {
    let events = events("a-ping-without-pong");
    let pongs = of_kind(&events, "message").filter(|message| message["opcode"] == "pong");
    let answered: Vec<_> = pongs
        .map(|pong| &pong["meaning"]["answers"])
        .map(|answers| answers["after_ms"].as_f64())
        .collect();
    // Which of two the first one answers nobody knows.
    assert_eq!(answered, [None, Some(0.555), Some(0.3), Some(0.315)]);
}

#[test]
fn who_asks_in_vain_for_another_name_stays_who_it_was() {
    let told = view("trace", "second-login-refused");
    assert!(told.contains(r#"here the client of "Ann" (port 40001), that the new user "Bob" has logged in."#));
    assert!(
        told.contains(r#"The client of "Ann" (port 40001) says "hi Bob" to everyone"#),
        "{told}"
    );
    assert!(!told.contains("has not reached anybody"), "{told}");
}

#[test]
fn a_server_that_begins_anew_gives_its_identifiers_to_others() {
    let told = view("trace", "server-restarted");
    let result =
        r#"returns the login result to the client of "Bob" (port 41002): "Bob" is logged in and has the uid 1."#;
    assert!(told.contains(result), "{told}");
    assert!(
        told.contains(r#"Every client that is logged in has "after" now (2 of 2)"#),
        "{told}"
    );
}

#[test]
fn what_the_server_refuses_goes_to_nobody_and_its_second_try_has_its_own_time() {
    let told = view("trace", "say-refused");
    assert!(!told.contains(r#"The earlier message "x""#), "{told}");
    let all = r#"Every client that is logged in has "x" now (2 of 2), 5.0 ms after it was said"#;
    assert!(told.contains(all), "{told}");
}

#[test]
fn a_private_word_to_oneself_arrives() {
    let told = view("trace", "words-to-oneself");
    assert!(told.contains(r#""memo" has reached the one it was meant for, 3.0 ms after it was said."#));
    assert!(!told.contains(r#"The earlier message "memo""#), "{told}");
}

/// The verdict and how it is explained.
fn verdict(name: &str) -> (Value, String) {
    let events = events(name);
    let end = of_kind(&events, "session-end").next().unwrap();
    (end["verdict"].clone(), end["explanation"].as_str().unwrap().to_owned())
}

#[test]
fn an_answer_that_the_capture_lost_is_none_that_was_not_given() {
    let (verdict, explanation) = verdict("answer-lost");
    assert_eq!(verdict, "not-seen");
    assert_eq!(explanation, "No answer to the upgrade request was captured.");
}

#[test]
fn a_fin_that_came_before_the_session_was_recognised_ends_it() {
    let (verdict, explanation) = verdict("late-server-alone");
    assert_eq!(verdict, "not-seen");
    let all = "The server closed the session with code 1000 (normal closure); whether the client answered the close frame was not captured.";
    assert_eq!(explanation, all);
    let events = events("late-server-alone");
    assert_eq!(of_kind(&events, "session-end").next().unwrap()["how"], "fin");
}

#[test]
fn data_behind_what_the_capture_lacks_is_told_as_data() {
    let told = view("trace", "lost-and-acknowledged");
    assert!(
        told.contains(" * Data\n * The server (port 8080) sends 10 bytes to the client (port 50000).\n"),
        "{told}"
    );
    for block in told.split("/*\n").filter(|block| block.starts_with(" * ACK\n")) {
        assert!(block.contains("length 0"), "{block}");
    }
}

#[test]
fn a_close_frame_that_is_told_late_is_no_answer_to_one_that_was_sent_later() {
    let told = view("trace", "first-close-told-late");
    assert!(told.contains("sends the server (port 8080) a close frame"), "{told}");
    assert!(!told.contains("answers the server"), "{told}");
    assert!(told.contains("the client closed the session"), "{told}");
}

#[test]
fn of_equal_pings_it_is_not_said_that_a_pong_answers_none() {
    let told = view("trace", "equal-pings");
    assert!(
        told.contains("a pong; which ping it answers, if any, is not known."),
        "{told}"
    );
    assert!(told.contains("answers the ping of"), "{told}");
}

#[test]
fn a_syn_on_ports_that_are_in_use_is_told_as_one() {
    let told = view("trace", "ports-used-again");
    let blocks: Vec<_> = told
        .split("/*\n")
        .filter(|block| block.contains("Flags [S],"))
        .collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        assert!(block.starts_with(" * TCP handshake, step 1 of 3: SYN\n"), "{block}");
    }
}

#[test]
fn the_absolute_form_of_a_target_is_selected_and_shown_by_its_path() {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--format", "messages", "--path", "/abs", "-r"])
        .arg(capture("absolute-form"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(" GET ws://example.test:8080/abs?x=1 101"), "{told}");
}

#[test]
fn a_compressed_message_behind_a_loss_with_the_request_is_no_violation() {
    let events = events("deflate-beginning-lost");
    assert_eq!(of_kind(&events, "violation").count(), 0);
    let late = of_kind(&events, "message").find(|message| message["packet"] == 12);
    let late = late.unwrap();
    assert_eq!(
        (&late["known"], &late["missing"]),
        (&json!([[51, {"text": "!"}]]), &json!([[0, 51]]))
    );
}

#[test]
fn a_reset_behind_one_close_frame_is_not_said_to_come_when_all_was_over() {
    let told = view("trace", "close-then-reset");
    assert!(told.contains("resets the TCP connection to the client"), "{told}");
    assert!(!told.contains("already over"), "{told}");
}

#[test]
fn a_closed_session_lasted_until_the_last_that_was_seen_of_it() {
    let told = view("sessions", "closed-without-fin");
    let session = told.lines().find(|line| line.contains(":51017")).unwrap();
    assert_eq!(session.split('\t').nth(7), Some("0.002073"));
}

#[test]
fn extensions_in_several_lines_are_all_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--lang", "en", "-v", "-r"])
        .arg(capture("extensions-in-two-lines"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let all = "permessage-deflate, permessage-bzip2, permessage-deflate; client_max_window_bits";
    assert!(told.contains(all), "{told}");
}
