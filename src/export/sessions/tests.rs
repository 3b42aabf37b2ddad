use super::*;
use crate::annotate::texts::CATALOGS;
use crate::export::columns::columns;
use crate::export::samples;
use crate::record::{How, Opcode, SessionId, Verdict};

fn options(width: Option<usize>) -> Options {
    Options {
        catalog: CATALOGS[0],
        tcpdump: tcpdump::Options {
            timezone: jiff::tz::TimeZone::UTC,
            ..tcpdump::Options::default()
        },
        palette: &Palette::PLAIN,
        width,
        sort: Column::Number,
        all: false,
        memory: 1 << 20,
    }
}

/// Three sessions: the first ends well after a message, the second is reset after three, the third stays open.
fn hear(view: &mut Sessions) {
    let texts: [&[&[u8]]; 3] = [
        &[br#"{"type":"login","name":"\u732a\u732a"}"#],
        &[b"one", b"two", b"three"],
        &[b"x"],
    ];
    for (number, texts) in (1..).zip(texts) {
        let mut source = samples::session();
        source.session = Some(SessionId(number));
        source.client.port += number as u16;
        let mut dissectors = crate::dissect::Dissectors::new(Vec::new(), &Default::default());
        for text in texts {
            let message = samples::message(Opcode::Text, text);
            let record = samples::record(&source, RecordKind::Message(&message));
            let _ = dissectors.tell(&record, view);
        }
        let mut end = crate::record::SessionEnd::after_nothing(How::Close);
        end.verdict = match number {
            1 => Verdict::Closed,
            _ => Verdict::Reset,
        };
        if number < 3 {
            let _ = view.record(&samples::record(&source, RecordKind::SessionEnd(&end)));
        }
    }
}

fn table(options: Options) -> String {
    let mut view = Sessions::new(options);
    hear(&mut view);
    view.finish();
    String::from_utf8(view.output().clone()).unwrap()
}

#[test]
fn a_pipe_gets_every_column_between_tabs() {
    let table = table(options(None));
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.len() == Column::ALL.len()));
    assert_eq!(lines[1][0], "1");
    assert_eq!(lines[1][5], "猪猪");
    assert_eq!(lines[1][6], "09:51:02.775205");
    assert_eq!(&lines[2][7..10], ["0.000000", "3/0", "11/0"]);
    let ends: Vec<&str> = lines[1..].iter().map(|line| line[13]).collect();
    assert_eq!(ends, ["closed", "! reset", "still open"]);
}

#[test]
fn a_terminal_gets_what_it_has_room_for() {
    for catalog in CATALOGS {
        for width in [40, 60, 80, 100, 120, 160] {
            let table = table(Options {
                catalog,
                ..options(Some(width))
            });
            let lines: Vec<&str> = table.lines().collect();
            assert_eq!(lines.len(), 4);
            for line in lines {
                assert!(columns(line.as_bytes()) <= width, "{width}: {line}");
            }
            assert!(table.contains(catalog.n_reset), "{table}");
        }
    }
    // Each column begins where its head does, whatever is how wide.
    let table = table(options(Some(160)));
    let begins = |line: &str, what: &str| columns(&line.as_bytes()[..line.find(what).unwrap()]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(begins(lines[0], "Outcome"), begins(lines[1], "closed"));
    assert_eq!(begins(lines[0], "Start"), begins(lines[1], "09:51"));
}

#[test]
fn rows_are_sorted_by_the_column_that_one_asks_for() {
    let numbers = |sort| {
        let table = table(Options { sort, ..options(None) });
        let numbers = table.lines().skip(1).map(|line| line.split('\t').next().unwrap());
        numbers.collect::<String>()
    };
    assert_eq!(numbers(Column::Number), "123");
    assert_eq!(numbers(Column::Messages), "213");
    assert_eq!(numbers(Column::Bytes), "123");
    assert_eq!(numbers(Column::Verdict), "213");
    assert_eq!(numbers(Column::User), "231");
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    let mut view = Sessions::new(Options {
        memory: Row::BYTES,
        ..options(None)
    });
    hear(&mut view);
    view.finish();
    let listed = String::from_utf8(view.output().clone()).unwrap().lines().count() - 1;
    assert_eq!(listed, 1);
    assert!(view.notes()[0].contains(" 1 more "), "{:?}", view.notes());
}

#[test]
fn a_session_is_listed_whole_when_something_of_it_is_selected() {
    let mut view = Sessions::new(options(None));
    let source = samples::session();
    let message = samples::message(Opcode::Text, b"x");
    let record = samples::record(&source, RecordKind::Message(&message));
    view.unselected(&record);
    view.so_far();
    assert!(view.output().is_empty());
    let _ = view.record(&record);
    view.so_far();
    let table = String::from_utf8(view.output().clone()).unwrap();
    assert!(table.contains("\t2/0\t2/0\t"), "{table}");
}
