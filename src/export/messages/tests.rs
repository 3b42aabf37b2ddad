use jiff::tz::{TimeZone, offset};
use proptest::prelude::*;

use super::*;
use crate::dissect::Dissectors;
use crate::engine::Emitter;
use crate::export::hidden::is_hidden_at;
use crate::export::samples::{message, record, session};
use crate::layer::Emit as _;
use crate::record::{Close, Hole, Opcode, Payload};

fn options(width: Option<usize>, palette: &'static Palette) -> Options {
    Options {
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
    for message in messages {
        let mut dissectors = Dissectors::new(Vec::new());
        let mut emitter = Emitter::new(&mut view, &mut dissectors);
        emitter.emit(&record(&session(), RecordKind::Message(message)));
        assert!(emitter.result().is_continue());
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
fn who_sends_stands_first() {
    let mut answer = message(Opcode::Text, b"x");
    answer.direction = Direction::ServerToClient;
    assert!(shown(&options(None, &Palette::PLAIN), &[answer]).contains(" 127.0.0.1:7272 → 127.0.0.1:60653 text 1 x\n"));
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
    assert_eq!(show(b"ab???cd", &hole(2, Some(3))), "text 7 ab[… 3 bytes missing]cd");
    assert_eq!(show(b"ab", &hole(2, None)), "text 2 ab[… missing]");
    assert_eq!(show(b"ab", &hole(0, None)), "text 2 [… missing]ab");
    assert_eq!(show(b"", &hole(0, Some(1))), "text 1 [… 1 byte missing]");
    assert_eq!(show(b"ab", &[]), "text 2 ab[… unfinished]");
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
            assert!(
                (width - 1..=width).contains(&payload::columns(line.as_bytes())),
                "{line}"
            );
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
        "17:51:02.775205 #2 127.0.0.1:60653 → 127.0.0.1:7272 text        5 hello\n\
         17:51:02.775205 #2 127.0.0.1:60653 → 127.0.0.1:7272 binary      2 0102\n"
    );
}

#[test]
fn on_a_terminal_a_name_stands_beside_its_port() {
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
            .contains("#2 127.0.0.1:60653 \"mynick\" → 127.0.0.1:7272 ping"),
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
    assert!(
        lines.contains(r#"127.0.0.1:60653 "x\u{22} → \u{1b}[2J\n9.9.9.9"#),
        "{lines}"
    );
    assert_eq!(lines.lines().count(), 1);
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
