use jiff::tz::{TimeZone, offset};
use proptest::prelude::*;

use super::*;
use crate::annotate::texts::CATALOGS;
use crate::dissect::Dissectors;
use crate::export::hidden::is_hidden_at;
use crate::export::samples::{message, record, session};
use crate::record::{Close, Hole, Opcode, Payload};

fn options(width: Option<usize>, palette: &'static Palette) -> Options {
    Options {
        catalog: CATALOGS[0],
        grep: None,
        tcpdump: tcpdump::Options {
            timezone: TimeZone::fixed(offset(8)),
            ..tcpdump::Options::default()
        },
        palette,
        width,
        full: false,
    }
}

fn shown(options: &Options, messages: &[Message<'_>]) -> String {
    let mut view = Messages::new(options);
    let mut dissectors = Dissectors::new(Vec::new(), &Default::default());
    for message in messages {
        let session = session();
        let record = record(&session, RecordKind::Message(message));
        assert!(dissectors.tell(&record, &mut view).is_continue());
    }
    String::from_utf8(view.output().clone()).unwrap()
}

/// In a pipe, without what every line of a client begins with.
fn piped(message: &Message<'_>) -> String {
    let line = shown(&options(None, &Palette::PLAIN), &[*message]);
    let line = line.strip_suffix('\n').unwrap();
    let rest = line.strip_prefix("17:51:02.775205 #2 127.0.0.1:60653 → 127.0.0.1:7272 ");
    rest.unwrap_or_else(|| panic!("{line}")).to_owned()
}

fn partial<'a>(opcode: Opcode, bytes: &'a [u8], holes: &'a [Hole]) -> Message<'a> {
    Message {
        payload: Payload { bytes, holes },
        text: None,
        complete: false,
        ..message(opcode, bytes)
    }
}

#[test]
fn a_message_is_one_line() {
    let text = br#"{"type":"say","to_uid":"all","content":"hi,  all !"}"#;
    assert_eq!(
        shown(&options(None, &Palette::PLAIN), &[message(Opcode::Text, text)]),
        "17:51:02.775205 #2 127.0.0.1:60653 → 127.0.0.1:7272 text 52 {\"type\":\"say\",\"to_uid\":\"all\",\"content\":\"hi,  all !\"}\n"
    );
}

#[test]
fn the_client_stands_left_and_an_arrow_says_who_sends() {
    let mut answer = message(Opcode::Text, b"x");
    answer.direction = Direction::ServerToClient;
    assert!(shown(&options(None, &Palette::PLAIN), &[answer]).contains(" 127.0.0.1:60653 ← 127.0.0.1:7272 text 1 x\n"));
}

#[test]
fn each_kind_shows_its_payload_its_way() {
    assert_eq!(piped(&message(Opcode::Binary, b"\x00\x01abc")), "binary 5 0001616263");
    assert_eq!(piped(&message(Opcode::Ping, b"")), "ping 0");
    assert_eq!(piped(&message(Opcode::Pong, b"beat")), "pong 4 beat");
    assert_eq!(piped(&message(Opcode::Pong, b"\xff")), "pong 1 ff");
    assert_eq!(piped(&message(Opcode::Close, b"")), "close 0");
    let mut close = message(Opcode::Close, b"\x03\xe8bye\n");
    close.close = Some(Close {
        code: 1000,
        reason: "bye\n",
    });
    assert_eq!(piped(&close), r"close 6 1000 bye\n");
    assert_eq!(
        piped(&message(Opcode::Binary, &[7; 100])),
        format!("binary 100 {}…", "07".repeat(64))
    );
}

#[test]
fn what_is_missing_stands_where_it_is_missing() {
    let hole = |offset, length| [Hole { offset, length }];
    let show = |bytes, holes: &[Hole]| piped(&partial(Opcode::Text, bytes, holes));
    assert_eq!(show(b"ab???cd", &hole(2, Some(3))), "text 7 ab[3 bytes missing]cd");
    assert_eq!(
        show(b"ab", &hole(2, None)),
        "text 2 ab[an unknown number of bytes missing]"
    );
    assert_eq!(
        show(b"ab", &hole(0, None)),
        "text 2 [an unknown number of bytes missing]ab"
    );
    assert_eq!(show(b"", &hole(0, Some(1))), "text 1 [1 byte missing]");
    assert_eq!(show(b"ab", &[]), "text 2 ab[unfinished]");
}

#[test]
fn an_escape_sequence_cannot_reach_the_terminal() {
    assert_eq!(
        piped(&message(Opcode::Text, b"\x1b[2J\r\nforged\x9b")),
        r"text 13 \u{1b}[2J\r\nforged\x9b"
    );
}

#[test]
fn on_a_terminal_a_line_ends_where_it_does() {
    for width in [80, 90, 100] {
        for palette in [&Palette::PLAIN, &Palette::COLOUR] {
            let text = "猪".repeat(100_000);
            let line = shown(
                &options(Some(width), palette),
                &[message(Opcode::Text, text.as_bytes())],
            );
            let line = line.strip_suffix('\n').unwrap();
            assert!((width - 1..=width).contains(&columns(line.as_bytes())), "{line}");
            assert!(line.contains("猪…"));
            assert!(line.len() < 1000);
        }
    }
}

#[test]
fn on_a_terminal_short_lines_are_whole_and_aligned() {
    let lines = shown(
        &options(Some(100), &Palette::PLAIN),
        &[message(Opcode::Text, b"hello"), message(Opcode::Binary, b"\x01\x02")],
    );
    assert_eq!(
        lines,
        "17:51:02.775205 #2 127.0.0.1:60653  → text      5 hello\n\
         17:51:02.775205 #2 127.0.0.1:60653  → binary    2 0102\n"
    );
}

#[test]
fn on_a_terminal_a_name_stands_for_its_port() {
    let login = message(Opcode::Text, br#"{"type":"login","name":"mynick"}"#);
    let lines = shown(
        &options(Some(200), &Palette::PLAIN),
        &[login, message(Opcode::Ping, b"")],
    );
    assert!(
        lines
            .lines()
            .last()
            .unwrap()
            .contains("#2 mynick                 → ping"),
        "{lines}"
    );
}

#[test]
fn a_name_cannot_look_like_the_rest_of_the_line() {
    let login = message(
        Opcode::Text,
        br#"{"type":"login","name":"x\" \u2192 \u001b[2J\n9.9.9.9 and more of it"}"#,
    );
    let lines = shown(&options(Some(200), &Palette::PLAIN), &[login]);
    assert!(lines.contains(r#"#2 "x\u{22} → \u{1b}[2J\… → text"#), "{lines}");
    assert_eq!(lines.lines().count(), 1);
}

#[test]
fn at_80_columns_forty_are_left_for_the_payload() {
    let text = "x".repeat(100);
    let line = shown(
        &options(Some(80), &Palette::PLAIN),
        &[message(Opcode::Text, text.as_bytes())],
    );
    assert!(line.contains(&format!(" {}…\n", "x".repeat(39))), "{line}");
    assert!(line.contains(" :60653 → "), "{line}");
}

#[test]
fn what_was_searched_for_is_in_sight_and_highlighted() {
    let text = format!("{}needle{}", "x".repeat(500), "y".repeat(500));
    let grep = Some(Regex::new("needle").unwrap());
    let look = Options {
        grep,
        ..options(Some(80), &Palette::COLOUR)
    };
    let line = shown(&look, &[message(Opcode::Text, text.as_bytes())]);
    assert!(
        line.contains("xx\x1b[7mneedle\x1b[27myy") && line.contains(" …x"),
        "{line}"
    );
    assert_eq!(columns(line.trim_end().as_bytes()), 80);
    let whole = Options {
        width: None,
        palette: &Palette::PLAIN,
        ..look
    };
    assert!(shown(&whole, &[message(Opcode::Text, text.as_bytes())]).ends_with(&format!(" {text}\n")));
}

#[test]
fn a_pong_says_which_ping_it_answers_and_after_how_long() {
    let mut pong = message(Opcode::Pong, b"beat");
    pong.direction = Direction::ServerToClient;
    let lines = shown(&options(None, &Palette::PLAIN), &[message(Opcode::Ping, b"beat"), pong]);
    assert!(
        lines.ends_with(" ← 127.0.0.1:7272 pong 4 (answers 28, 0 µs) beat\n"),
        "{lines}"
    );
}

#[test]
fn how_a_session_opened_and_ended_goes_with_its_messages() {
    let request = crate::record::Request {
        method: "GET".to_owned(),
        target: "/chat".to_owned(),
        headers: vec![("Host".to_owned(), "127.0.0.1:7272".to_owned())],
        ..Default::default()
    };
    let response = crate::record::Response {
        status: 101,
        ..Default::default()
    };
    let handshake = Handshake {
        request,
        response: Some(response),
        accept: crate::record::Accept::Valid,
        subprotocol: None,
        extensions: Vec::new(),
        deflate: None,
        deflate_unknown: false,
    };
    let end = crate::record::SessionEnd::after_nothing(crate::record::How::CaptureEnd);
    let hello = message(Opcode::Text, b"hello");
    let (source, look) = (session(), options(None, &Palette::PLAIN));
    let text = |shown: bool| {
        let mut view = Messages::new(&look);
        let told = record(&source, RecordKind::Handshake(&handshake));
        view.unselected(&told);
        assert!(view.output().is_empty());
        if shown {
            let _ = view.record(&record(&source, RecordKind::Message(&hello)));
        }
        view.unselected(&record(&source, RecordKind::SessionEnd(&end)));
        String::from_utf8(view.output().clone()).unwrap()
    };
    assert_eq!(text(false), "");
    let lines = text(true);
    let lines: Vec<_> = lines.lines().map(|line| line.split_once("7272 ").unwrap().1).collect();
    assert_eq!(
        lines,
        [
            "open GET ws://127.0.0.1:7272/chat 101",
            "text 5 hello",
            "end The session was still open when the capture ended."
        ]
    );
}

#[test]
fn json_is_coloured_on_a_terminal_only() {
    let text = br#"{"a":"b\"","n":[-1.5,null]}"#;
    let line = |width| shown(&options(width, &Palette::COLOUR), &[message(Opcode::Text, text)]);
    let (key, string) = (Palette::COLOUR.key, Palette::COLOUR.string);
    let coloured = line(Some(120));
    assert!(
        coloured.contains(&format!("{key}\"a\"\x1b[0m:{string}\"b\\\"\"\x1b[0m,")),
        "{coloured}"
    );
    assert!(!line(None).contains(key));
}

proptest! {
    #[test]
    fn whatever_was_sent_makes_one_harmless_line(
        bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..300), "(?s).{0,200}".prop_map(String::into_bytes)],
        opcode in (1u8..16).prop_map(Opcode::from_bits),
        width in proptest::option::of(0..200usize),
        hole in proptest::option::of((0..300u64, proptest::option::of(0..50u64))),
    ) {
        let holes: Vec<Hole> = hole.iter().map(|(offset, length)| Hole { offset: *offset, length: *length }).collect();
        let message = if holes.is_empty() { message(opcode, &bytes) } else { partial(opcode, &bytes, &holes) };
        let line = shown(&options(width, &Palette::PLAIN), &[message]);
        let line = line.strip_suffix('\n').unwrap();
        prop_assert!(line.char_indices().all(|(at, ch)| !is_hidden_at(line, at, ch)));
    }
}
