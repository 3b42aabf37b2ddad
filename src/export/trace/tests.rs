//! What strangers send cannot pass for what we say. Each test is named after the attack.

use std::net::Ipv4Addr;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::annotate::texts::{self, CATALOGS};
use crate::base::PacketRef;
use crate::base::{Captured, Direction, Endpoint, Gap, GapCause, Side, Timestamp};
use crate::dissect::Dissectors;
use crate::record::{
    ConnectionId, How, Message, Opcode, Payload, RecordKind, Scheme, SessionId, Source, Span, StreamRange,
};
use crate::wire::LinkType;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// What happens on a connection.
enum Doing {
    Says(Direction, String),
    Lacks(Direction, Gap),
    Ends(How),
}

/// The view of messages on one connection, a packet each; only the lines of its blocks.
fn blocks(language: &str, messages: &[(Direction, String)]) -> Vec<String> {
    let says = |(direction, text): &(Direction, String)| (1, Doing::Says(*direction, text.clone()));
    story(language, &messages.iter().map(says).collect::<Vec<_>>())
}

/// The view of what happens on several connections, a packet each but for the end of the capture; only the lines of its blocks.
fn story(language: &str, doings: &[(u64, Doing)]) -> Vec<String> {
    let mut view = Trace::new(Options {
        catalog: texts::by_tag(language).unwrap(),
        detail: Detail::Verbose,
        palette: &Palette::PLAIN,
        width: None,
        full: false,
        tcpdump: tcpdump::Options::default(),
    });
    let mut dissectors = Dissectors::new(Vec::new(), &Default::default());
    for (index, (number, doing)) in doings.iter().enumerate() {
        let at = PacketRef {
            packet: index as u64 + 1,
            time: Timestamp::from_nanos(index as i64),
        };
        let session = Source {
            connection: ConnectionId(*number),
            session: Some(SessionId(*number)),
            stream: None,
            scheme: Scheme::Ws,
            proxied: None,
            client: Endpoint::new(Ipv4Addr::LOCALHOST.into(), 39999 + *number as u16),
            server: Endpoint::new(Ipv4Addr::LOCALHOST.into(), 7272),
            client_side: Side::A,
            inferred: false,
            began: Timestamp::default(),
        };
        let packet = Packet {
            number: at.packet,
            time: at.time,
            link: LinkType(1),
            data: Captured::whole(&[]),
        };
        let in_packet = !matches!(doing, Doing::Ends(How::CaptureEnd));
        if in_packet {
            let _ = view.packet(&packet, None);
        }
        emit(&mut view, &mut dissectors, &session, at, doing);
        if in_packet {
            let _ = view.packet_end(&packet);
        }
    }
    view.finish();
    let out = String::from_utf8(std::mem::take(view.output())).unwrap();
    let mut inside = false;
    let mut lines = Vec::new();
    for line in out.split('\n') {
        inside |= line == "/*";
        if inside {
            lines.push(line.to_owned());
        }
        inside &= line != " */";
    }
    lines
}

/// Tells `view` what happens.
fn emit(view: &mut Trace, dissectors: &mut Dissectors, source: &Source, at: PacketRef, doing: &Doing) {
    let mut tell = |kind| assert!(dissectors.tell(&Record { at, source, kind }, view).is_continue());
    match doing {
        Doing::Says(direction, text) => tell(RecordKind::Message(&message(*direction, text, at))),
        &Doing::Lacks(direction, gap) => tell(RecordKind::Gap { direction, gap }),
        Doing::Ends(how) => tell(RecordKind::SessionEnd(&crate::record::SessionEnd::after_nothing(*how))),
    }
}

fn message(direction: Direction, text: &str, at: PacketRef) -> Message<'_> {
    let range = StreamRange {
        start: 100 * at.packet,
        end: 100 * at.packet + 99,
    };
    Message {
        direction,
        opcode: Opcode::Text,
        payload: Payload::whole(text.as_bytes()),
        text: Some(text),
        wire_length: text.len() as u64,
        frames: 1,
        masked: false,
        masking_key: None,
        compressed: false,
        extended: false,
        span: Span::packet(at, range),
        range,
        complete: true,
        inferred: false,
        told_late: false,
        meaning: &[],
        close: None,
    }
}

/// A user of that name logs in and says something.
fn session(language: &str, name: &str, content: &str) -> Vec<String> {
    let login = json!({"type": "login", "name": name}).to_string();
    let result = json!({"type": "login", "uid": 7, "name": name}).to_string();
    let say = json!({"type": "say", "to_uid": "all", "content": content}).to_string();
    let said = json!({"type": "say", "from_uid": 7, "to_uid": "all", "content": content}).to_string();
    blocks(language, &[(UP, login), (DOWN, result), (UP, say), (DOWN, said)])
}

fn says(language: &str, name: &str, content: &str) -> String {
    let lines = session(language, name, content);
    assert_eq!(lines.iter().filter(|line| *line == "/*").count(), 4, "{lines:?}");
    let third = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| *line == "/*")
        .nth(2)
        .unwrap()
        .0;
    lines[third + 2].clone()
}

#[test]
fn a_name_stands_in_the_marks_of_the_language() {
    for (language, line) in [
        (
            "en",
            r#" * The client of "猪猪" (port 40000) says "hi,  all !" to everyone, over WebSocket through port 7272."#,
        ),
        ("zh-CN", " * “猪猪”的客户端"),
        ("zh-TW", " * 「猪猪」的用戶端"),
        ("ja", " * 「猪猪」のクライアント（ポート40000）"),
        ("es", " * El cliente de «猪猪» (puerto 40000)"),
    ] {
        let told = says(language, "猪猪", "hi,  all !");
        assert!(told.starts_with(line), "{told}");
    }
}

#[test]
fn a_name_made_of_our_words_cannot_pass_for_them() {
    for name in [
        "mynick",
        "everyone",
        "the server",
        "port 7272",
        "7272",
        // The first letter is Cyrillic.
        "еveryone",
        "The server (port 7272) closes",
    ] {
        let told = says("en", name, "x");
        assert!(told.starts_with(&format!(" * The client of \"{name}\" (")), "{told}");
        assert!(says("es", name, "x").contains(&format!("«{name}»")));
        assert!(says("zh-CN", name, "x").contains(&format!("“{name}”")));
    }
}

#[test]
fn a_quotation_mark_in_a_name_does_not_end_the_name() {
    let told = |language, name| says(language, name, "x");
    assert!(told("en", r#"x" has left. "y"#).contains(r#"of "x\u{22} has left. \u{22}y" ("#));
    assert!(told("en", r#"x\" has left."#).contains(r#"of "x\\u{22} has left." ("#));
    assert!(told("en", "x” has left. “y").contains(r#"of "x\u{201d} has left. \u{201c}y" ("#));
    assert!(told("zh-CN", "x”已离开").contains(r"“x\u{201d}已离开”"));
    assert!(told("ja", "x」が退出").contains(r"「x\u{300d}が退出」"));
    assert!(told("es", "x» ha salido").contains(r"«x\u{bb} ha salido»"));
}

#[test]
fn an_identifier_made_of_our_words_is_quoted() {
    let told = |uid: &str| {
        let left = json!({"type": "logout", "uid": uid}).to_string();
        blocks("en", &[(DOWN, left)])[2].clone()
    };
    assert!(told("everyone").ends_with(r#"that user "everyone" has left."#));
    assert!(told("7 has left. 8").ends_with(r#"that user "7 has left. 8" has left."#));
    assert!(told("7f1").ends_with("that user 7f1 has left."));
}

#[test]
fn a_quotation_mark_does_not_end_the_quotation() {
    assert!(says("en", "a", r#"x" to everyone. "y"#).contains(r#"says "x\" to everyone. \"y" to everyone"#));
    assert!(says("zh-CN", "a", "x”。“y").contains("“x\\”。\\“y”"));
    assert!(says("ja", "a", "x」「y").contains("「x\\」\\「y」"));
    assert!(says("es", "a", "x» «y").contains("«x\\» \\«y»"));
}

#[test]
fn a_comment_end_does_not_end_the_block() {
    assert!(says("en", "*/ forged /*", "x").contains(r#"of "*\/ forged /*" ("#));
    assert!(says("en", "a", "*/").contains(r#""*\/""#));
}

#[test]
fn a_line_feed_in_a_name_does_not_begin_a_line_of_ours() {
    let lines = session("en", "x\n */\n17:51:02 forged\n/*\n * Forged", "y");
    assert!(
        lines
            .iter()
            .all(|line| line == "/*" || line == " */" || line.starts_with(" * "))
    );
    assert!(lines.iter().any(|line| line.contains(r"x\n *\/\n17:51:02")));
}

#[test]
fn an_escape_sequence_in_a_message_does_not_reach_the_terminal() {
    assert!(says("en", "a", "\u{1b}[2J\u{9b}2J").contains(r"\u{1b}[2J\u{9b}2J"));
}

#[test]
fn a_bidi_override_does_not_turn_our_words_round() {
    assert!(says("en", "x\u{202e}y", "z").contains(r#"of "x\u{202e}y" ("#));
}

#[test]
fn a_name_without_end_is_cut() {
    let line = says("en", &"n".repeat(100_000), &"c".repeat(100_000));
    assert!(line.len() < 400 && line.contains('…'), "{line}");
}

/// The view of messages in one packet.
fn one_packet(options: Options, texts: &[String]) -> String {
    let says: Vec<_> = texts.iter().map(|text| Doing::Says(UP, text.clone())).collect();
    all_in_one_packet(options, &says)
}

/// The view of what happens in one packet.
fn all_in_one_packet(options: Options, doings: &[Doing]) -> String {
    let mut view = Trace::new(options);
    let at = PacketRef {
        packet: 1,
        time: Timestamp::from_nanos(0),
    };
    let packet = Packet {
        number: 1,
        time: at.time,
        link: LinkType(1),
        data: Captured::whole(&[]),
    };
    let session = Source {
        connection: ConnectionId(1),
        session: Some(SessionId(1)),
        stream: None,
        scheme: Scheme::Ws,
        proxied: None,
        client: Endpoint::new(Ipv4Addr::LOCALHOST.into(), 40000),
        server: Endpoint::new(Ipv4Addr::LOCALHOST.into(), 7272),
        client_side: Side::A,
        inferred: false,
        began: Timestamp::default(),
    };
    let mut dissectors = Dissectors::new(Vec::new(), &Default::default());
    let _ = view.packet(&packet, None);
    for doing in doings {
        emit(&mut view, &mut dissectors, &session, at, doing);
    }
    let _ = view.packet_end(&packet);
    String::from_utf8(std::mem::take(view.output())).unwrap()
}

fn options(detail: Detail, width: Option<usize>) -> Options {
    Options {
        catalog: CATALOGS[0],
        detail,
        palette: &Palette::PLAIN,
        width,
        full: false,
        tcpdump: tcpdump::Options::default(),
    }
}

fn block(told: &str) -> Vec<&str> {
    let end = told.find(" */").unwrap();
    told[..end + 3].lines().collect()
}

#[test]
fn how_a_session_ends_is_told_with_its_name_however_much_comes_before() {
    let says = |direction, value: serde_json::Value| Doing::Says(direction, value.to_string());
    let mut doings = vec![
        says(UP, json!({"type": "login", "name": "mynick"})),
        says(DOWN, json!({"type": "login", "uid": 7, "name": "mynick"})),
    ];
    doings.extend((0..5000).map(|_| says(UP, json!({"type": "ping"}))));
    doings.push(Doing::Ends(How::Rst));
    let told = all_in_one_packet(options(Detail::Verbose, None), &doings);
    let mut last = told
        .lines()
        .take_while(|line| *line != " */")
        .collect::<Vec<_>>()
        .into_iter()
        .rev();
    let (more, ended) = (last.next().unwrap(), last.next().unwrap());
    assert!(ended.starts_with(" * Session 1, the client of \"mynick\""), "{ended}");
    assert!(more.starts_with(" * And ") && !more.contains("-v"), "{more}");
}

#[test]
fn all_users_of_a_long_list_are_counted() {
    let users: Vec<_> = (0..5000).map(|uid| json!({"uid": uid, "name": "n"})).collect();
    let list = json!({"type": "user_list", "user_list": users}).to_string();
    for catalog in CATALOGS {
        let told = blocks(catalog.tag, &[(DOWN, list.clone())]).join("\n");
        assert!(told.contains("5000"), "{told}");
    }
}

#[test]
fn a_block_has_24_lines_at_most_and_says_what_is_left() {
    let say = |n| json!({"type": "say", "to_uid": "all", "content": format!("word {n}")}).to_string();
    let says: Vec<String> = (0..40).map(say).collect();
    let told = one_packet(options(Detail::Normal, None), &says);
    let lines = block(&told);
    assert_eq!((lines.len(), lines[22]), (24, " * And 20 more (shown with -v)."));
    let told = one_packet(options(Detail::Normal, Some(50)), &says);
    let lines = block(&told);
    assert!(
        lines.len() <= 24 && lines.iter().all(|line| line.chars().count() <= 50),
        "{told}"
    );
    let wrapped = lines.iter().filter(|line| line.starts_with(" *   ")).count();
    assert!(wrapped > 5, "{told}");
    let all = one_packet(options(Detail::Verbose, None), &says);
    assert_eq!(block(&all).len(), 43);
    // A block that is just full is left as it is.
    let told = one_packet(options(Detail::Normal, None), &says[..21]);
    assert_eq!(block(&told).len(), 24);
    assert!(!told.contains(" more (-v"));
}

#[test]
fn a_brief_block_is_its_title_on_one_line() {
    let told = one_packet(options(Detail::Brief, Some(40)), &["hello".to_owned()]);
    assert_eq!(told.lines().next(), Some("/* Text message */"));
}

#[test]
fn of_a_gap_of_unknown_length_no_number_is_told() {
    for cause in [GapCause::Lost, GapCause::Snaplen, GapCause::NoKey, GapCause::Evicted] {
        let (offset, length) = (0, 2 * Gap::UNKNOWN);
        let told = story("en", &[(1, Doing::Lacks(UP, Gap { offset, length, cause }))]).concat();
        let has_number = told.replace("40000", "").contains(|c: char| c.is_ascii_digit());
        assert!(told.contains("how much cannot be known") && !has_number, "{told}");
    }
}

/// `a1` and `b1` log in, `a1` says "one" and gets it back, `b1` does not; then `more`.
fn missed(more: Vec<(u64, Doing)>) -> Vec<String> {
    let says = |session, direction, json: serde_json::Value| (session, Doing::Says(direction, json.to_string()));
    let mut doings = Vec::new();
    for (session, name) in [(1, "a1"), (2, "b1")] {
        doings.push(says(session, UP, json!({"type": "login", "name": name})));
        doings.push(says(
            session,
            DOWN,
            json!({"type": "login", "uid": session, "name": name}),
        ));
    }
    doings.push(says(1, UP, json!({"type": "say", "to_uid": "all", "content": "one"})));
    doings.push(says(
        1,
        DOWN,
        json!({"type": "say", "from_uid": 1, "to_uid": "all", "content": "one"}),
    ));
    doings.extend(more);
    story("en", &doings)
}

fn says_down(session: u64, json: &serde_json::Value) -> (u64, Doing) {
    (session, Doing::Says(DOWN, json.to_string()))
}

#[test]
fn what_nobody_got_is_told_when_the_next_word_comes() {
    let login = json!({"type": "login", "name": "a1"}).to_string();
    let result = json!({"type": "login", "uid": 7, "name": "a1"}).to_string();
    let say = |text: &str| json!({"type": "say", "to_uid": "all", "content": text}).to_string();
    let said = json!({"type": "say", "from_uid": 7, "to_uid": "all", "content": "two"}).to_string();
    let lines = blocks(
        "en",
        &[
            (UP, login),
            (DOWN, result),
            (UP, say("one")),
            (UP, say("two")),
            (DOWN, said),
        ],
    );
    let told = r#" * The earlier message "one" (packet 3) has not reached anybody."#;
    assert!(lines.iter().any(|line| line == told), "{lines:?}");
}

#[test]
fn who_missed_a_word_is_told_when_its_speaker_leaves() {
    let left = json!({"type": "logout", "uid": 1});
    let lines = missed(vec![says_down(2, &left)]);
    let told = r#" * The earlier message "one" (packet 5) has not reached the client of "b1" (port 40001)."#;
    assert!(lines.iter().any(|line| line == told), "{lines:?}");
}

#[test]
fn who_missed_a_word_is_told_when_they_leave() {
    let told = r#" * The client of "b1" (port 40001) leaves without having received the message "one" (packet 5)."#;
    let closed = missed(vec![(2, Doing::Ends(How::Close))]);
    assert!(closed.iter().any(|line| line == told), "{closed:?}");
    let left = json!({"type": "logout", "uid": 2});
    let announced = missed(vec![says_down(1, &left), (1, Doing::Ends(How::CaptureEnd))]);
    assert_eq!(announced.iter().filter(|line| *line == told).count(), 1);
    assert!(!announced.iter().any(|line| line.contains("When the capture ends")));
}

#[test]
fn who_missed_a_word_is_told_when_the_capture_ends() {
    let lines = missed(vec![
        (1, Doing::Ends(How::CaptureEnd)),
        (2, Doing::Ends(How::CaptureEnd)),
    ]);
    let told =
        r#" * When the capture ends, the message "one" (packet 5) has not reached the client of "b1" (port 40001)."#;
    assert_eq!(lines.iter().filter(|line| *line == told).count(), 1, "{lines:?}");
}

#[test]
fn nobody_is_said_to_miss_what_came() {
    let said = json!({"type": "say", "from_uid": 1, "to_uid": "all", "content": "one"});
    let lines = missed(vec![
        says_down(2, &said),
        (2, Doing::Ends(How::Close)),
        (1, Doing::Ends(How::CaptureEnd)),
    ]);
    assert!(!lines.iter().any(|line| line.contains("packet 5)")), "{lines:?}");
}

#[test]
fn json_that_another_program_reads_otherwise_is_told_to_be_so() {
    let doubt = |text: &str| {
        let lines = blocks("en", &[(UP, text.to_owned())]);
        let at = |words: &str| lines.iter().any(|line| line.contains(words));
        (
            at("is not valid JSON (from byte"),
            at("occurs more than once in this JSON"),
        )
    };
    assert_eq!(doubt(r#"{"type":"login","name":"x"}"#), (false, false));
    assert_eq!(doubt(r#"{"type":"login","name":"x"} and more"#), (true, false));
    assert_eq!(doubt(r#"{"type":"login","name":"x\q"}"#), (true, false));
    assert_eq!(doubt(r#"{"type":"login","name":"x","#), (true, false));
    assert_eq!(doubt(r#"{"type":"login","name":"x","name":"y"}"#), (false, true));
    assert_eq!(doubt(r#"{"type":"login","name":"x","na\u006de":"y"}"#), (false, true));
    // What is told as text only is not said to be anything.
    assert_eq!(doubt("{ hello }"), (false, false));
}

#[test]
fn messages_of_other_applications_are_named() {
    let line = |text: &str| blocks("en", &[(UP, text.to_owned())])[2].clone();
    assert_eq!(
        line(r#"{"jsonrpc":"2.0","method":"add","params":[1],"id":3}"#),
        r#" * The client (port 40000) sends the server (port 7272) this JSON-RPC message: request "add", id 3."#
    );
    assert_eq!(
        line(r#"{"event":"typing"}"#),
        r#" * The client (port 40000) sends the server (port 7272) this JSON message: type "typing"."#
    );
    assert_eq!(
        line("hello"),
        " * The client (port 40000) sends the server (port 7272) a text message of 5 bytes."
    );
}

#[test]
fn a_response_names_the_request_that_it_answers() {
    let lines = blocks(
        "en",
        &[
            (UP, r#"{"jsonrpc":"2.0","method":"add","id":3}"#.to_owned()),
            (DOWN, r#"{"jsonrpc":"2.0","method":"add","id":3}"#.to_owned()),
            (DOWN, r#"{"jsonrpc":"2.0","result":5,"id":3}"#.to_owned()),
            (UP, r#"42/chat,7["join","room"]"#.to_owned()),
            (DOWN, r#"{"jsonrpc":"2.0","result":5,"id":4}"#.to_owned()),
        ],
    );
    let answers: Vec<_> = lines.iter().filter(|line| line.contains("answers")).collect();
    assert_eq!(
        answers,
        [r#" * It answers the request "add" (packet 1), 0 µs after it."#]
    );
}

proptest! {
    #[test]
    fn whatever_is_said_the_blocks_keep_their_form(
        name in "(?s)([*/\"“”「」«»\n\r\u{1b}\u{202e}\u{2066}{} a]|.){0,40}",
        content in "(?s)([*/\"“”「」«»\n\r\u{1b}\u{202e}\u{2066}{} a]|.){0,80}",
    ) {
        for catalog in CATALOGS {
            let lines = session(catalog.tag, &name, &content);
            prop_assert_eq!(lines.iter().filter(|line| *line == "/*").count(), 4);
            for line in lines {
                prop_assert!(line == "/*" || line == " */" || (line.starts_with(" * ") && !line.contains("*/")), "{}", line);
                prop_assert!(!line.chars().any(crate::export::hidden::is_hidden) || line.contains('\u{200d}') || line.contains('\u{fe0f}') || line.contains('\u{fe0e}'), "{}", line);
            }
        }
    }
}

#[test]
fn each_line_of_json_is_told_and_none_is_called_invalid_that_is_not() {
    let lines = |text: &str| blocks("en", &[(UP, text.to_owned())]).join("\n");
    let told = lines("{\"type\":\"a\"}\n{\"type\":\"b\"}\n");
    assert!(
        told.contains("this JSON lines message:") && told.contains("\"a\""),
        "{told}"
    );
    assert!(
        told.contains("In the same message, JSON lines:") && told.contains("\"b\""),
        "{told}"
    );
    assert!(!told.contains("not valid JSON"), "{told}");
    let told = lines("{\"type\":\"a\"}\n{\"type\":b}\n");
    assert!(told.contains("not valid JSON (from byte 22 on)"), "{told}");
}

#[test]
fn all_documents_of_a_message_are_told() {
    let many = "{\"type\":6}\u{1e}".repeat(20);
    let told = blocks("en", &[(UP, many)]).join("\n");
    assert_eq!(
        told.matches("In the same message, SignalR: ping.").count(),
        19,
        "{told}"
    );
}
