//! What is selected is the same in every view and output, from a file and from a pipe. What is right is worked out here from the JSON
//! view of everything.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::program::{command, is_root, open_folder, run, stderr, stdout};

const FIXTURES: &[&str] = &[
    "two-browsers-new/capture.pcap",
    "ws-oddities/capture.pcap",
    "http2/h2c-four-streams.pcap",
    "reports/sockjs-stomp.pcap",
    "reports/signalr.pcap",
    "reports/proxy-v2-live.pcap",
    "reports/refusal-body.pcap",
    "reports/refused-again.pcap",
    "transcripts/lossy-link-client.pcap",
    "transcripts/begun-late.pcap",
    "transcripts/ipv4-fragments.pcap",
];

/// Whether a session is selected, by its events.
type OfSession = fn(&[&Value]) -> bool;
/// Whether a message is.
type OfMessage = fn(&Value) -> bool;

struct Case {
    flags: &'static [&'static str],
    session: OfSession,
    message: Option<OfMessage>,
}

fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap_or_default()
}

/// The JSON in a message; of what is none, null.
fn documents(message: &Value) -> Vec<Value> {
    match message["documents"].as_array() {
        Some(documents) => documents.iter().map(|document| document["json"].clone()).collect(),
        None if !message["json"].is_null() => vec![message["json"].clone()],
        None => vec![serde_json::from_str(text(message)).unwrap_or_default()],
    }
}

fn request<'v>(events: &[&'v Value]) -> Option<&'v Value> {
    let handshake = events.iter().find(|event| event["event"] == "handshake");
    handshake.map(|handshake| &handshake["request"])
}

fn number(events: &[&Value]) -> u64 {
    events[0]["session"].as_u64().unwrap()
}

fn all(_: &[&Value]) -> bool {
    true
}

const CASES: &[Case] = &[
    Case {
        flags: &["--session", "1,3-4"],
        session: |events| matches!(number(events), 1 | 3 | 4),
        message: None,
    },
    Case {
        flags: &["--path", "/*s*"],
        session: |events| {
            request(events).is_some_and(|request| {
                let target = request["target"].as_str().unwrap().split('?').next().unwrap();
                target.starts_with('/') && target.contains('s')
            })
        },
        message: None,
    },
    Case {
        flags: &["--host", "127.0.0.1"],
        session: |events| {
            let header = request(events).and_then(|request| {
                let headers = request["headers"].as_array().unwrap().iter();
                let mut hosts = headers.filter(|header| {
                    let name = header[0].as_str().unwrap();
                    name.eq_ignore_ascii_case("host") || name == ":authority"
                });
                hosts.next().map(|header| header[1].as_str().unwrap())
            });
            let server = events[0]["server"].as_str().unwrap();
            header.unwrap_or(server).split(':').next() == Some("127.0.0.1")
        },
        message: None,
    },
    Case {
        flags: &["--abnormal"],
        session: |events| events.iter().any(|event| event["abnormal"] == true),
        message: None,
    },
    Case {
        flags: &["--user", "mynick"],
        session: |events| {
            events.iter().any(|event| {
                event["direction"] == "client-to-server"
                    && event["meaning"]["protocol"] == "chat"
                    && event["meaning"]["action"] == "login"
                    && event["meaning"]["name"] == "mynick"
            })
        },
        message: None,
    },
    Case {
        flags: &["--opcode", "ping,close"],
        session: all,
        message: Some(|message| message["opcode"] == "ping" || message["opcode"] == "close"),
    },
    Case {
        flags: &["--from", "server", "--no-control"],
        session: all,
        message: Some(|message| {
            message["direction"] == "server-to-client"
                && !matches!(message["opcode"].as_str(), Some("ping" | "pong" | "close"))
                && !message["opcode"]
                    .as_str()
                    .is_some_and(|opcode| opcode.starts_with("reserved-1"))
        }),
    },
    Case {
        flags: &["--where", ".type == \"say\" and length > 90"],
        session: all,
        message: Some(|message| {
            let say = documents(message).iter().any(|document| document["type"] == "say");
            say && message["length"].as_u64() > Some(90)
        }),
    },
    Case {
        flags: &["--where", "opcode == \"text\" and not .type exists", "--session", "1"],
        session: |events| number(events) == 1,
        message: Some(|message| {
            let untyped = documents(message).iter().any(|document| document.get("type").is_none());
            untyped && message["opcode"] == "text"
        }),
    },
    Case {
        flags: &["--subprotocol", "*stomp*"],
        session: |events| {
            events.iter().any(|event| {
                event["subprotocol"]
                    .as_str()
                    .is_some_and(|subprotocol| subprotocol.contains("stomp"))
            })
        },
        message: None,
    },
    Case {
        flags: &["--slower", "1ms"],
        session: all,
        message: Some(|message| {
            let one = [message["meaning"].clone()];
            let several = message["documents"].as_array().map(Vec::as_slice).unwrap_or_default();
            let meanings = several.iter().map(|document| &document["meaning"]).chain(&one);
            meanings
                .filter_map(|meaning| meaning["answers"]["after_ms"].as_f64())
                .any(|after| after >= 1.0)
        }),
    },
    Case {
        flags: &["--invert", "--grep", "login", "--opcode", "text"],
        session: all,
        message: Some(|message| {
            let said = [&message["text"], &message["known"]].map(Value::to_string).concat();
            message["opcode"] == "text" && !said.contains("login")
        }),
    },
    Case {
        flags: &["--grep", "no such words anywhere"],
        session: all,
        message: Some(|_| false),
    },
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn from_file(path: &Path, flags: &[&str]) -> String {
    let mut arguments = vec!["-r", path.to_str().unwrap()];
    arguments.extend(flags);
    let output = run(&arguments);
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{arguments:?}: {}",
        stderr(&output)
    );
    stdout(&output)
}

fn from_pipe(path: &Path, flags: &[&str]) -> String {
    stdout(&piped(path, flags))
}

fn piped(path: &Path, flags: &[&str]) -> std::process::Output {
    let mut child = command()
        .args(["-r", "-"])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes = fs::read(path).unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || drop(input.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// What tells a message from every other.
fn id(message: &Value) -> (u64, u64, String, u64, String) {
    (
        message["session"].as_u64().unwrap(),
        message["packets"][1].as_u64().unwrap(),
        message["direction"].to_string(),
        message["length"].as_u64().unwrap(),
        text(message).to_owned(),
    )
}

/// The sessions that hold a selected message (or are selected), and the selected messages in order.
fn wanted<'v>(events: &'v [Value], case: &Case) -> (BTreeSet<u64>, Vec<&'v Value>) {
    let numbers: BTreeSet<u64> = events.iter().filter_map(|event| event["session"].as_u64()).collect();
    let mut sessions = BTreeSet::new();
    for number in numbers {
        let own: Vec<&Value> = events.iter().filter(|event| event["session"] == number).collect();
        if (case.session)(&own) {
            sessions.insert(number);
        }
    }
    let messages: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"] == "message" && sessions.contains(&event["session"].as_u64().unwrap()))
        .filter(|event| case.message.is_none_or(|fits| fits(event)))
        .collect();
    if case.message.is_some() {
        sessions = messages
            .iter()
            .map(|message| message["session"].as_u64().unwrap())
            .collect();
    }
    (sessions, messages)
}

#[test]
fn the_same_is_selected_in_every_view_from_files_and_pipes() {
    let mut selected = 0;
    for name in FIXTURES {
        let path = fixture(name);
        let events = lines(&from_file(&path, &["--format", "json"]));
        for case in CASES {
            let (sessions, messages) = wanted(&events, case);
            let with = |flags: &[&'static str]| [flags, case.flags].concat();
            let at = format!("{name} {:?}", case.flags);
            selected += messages.len();

            let json = from_file(&path, &with(&["--format", "json"]));
            let told: Vec<Value> = lines(&json);
            let told_messages: Vec<_> = told
                .iter()
                .filter(|event| event["event"] == "message")
                .map(id)
                .collect();
            assert_eq!(
                told_messages,
                messages.iter().map(|message| id(message)).collect::<Vec<_>>(),
                "{at}"
            );
            if case.message.is_none() {
                let all_of_them = events.iter().filter(|event| {
                    event["session"]
                        .as_u64()
                        .is_some_and(|number| sessions.contains(&number))
                });
                assert_eq!(told, all_of_them.cloned().collect::<Vec<_>>(), "{at}");
            }
            assert_eq!(from_pipe(&path, &with(&["--format", "json"])), json, "{at}");

            let shown = from_file(&path, &with(&["--format", "messages"]));
            let numbers = |text: &str| {
                let numbers = text
                    .lines()
                    .map(|line| line.split(" #").nth(1).unwrap().split(' ').next().unwrap());
                numbers.map(|number| number.parse().unwrap()).collect::<BTreeSet<u64>>()
            };
            assert!(numbers(&shown).is_subset(&sessions), "{at}: {shown}");
            assert_eq!(from_pipe(&path, &with(&["--format", "messages"])), shown, "{at}");

            // In a pipe: a head, and a line a session.
            let table = from_file(&path, &with(&["--format", "sessions"]));
            let listed: BTreeSet<u64> = table
                .lines()
                .skip(1)
                .map(|line| line.split('\t').next().unwrap().parse().unwrap())
                .collect();
            assert_eq!(listed, sessions, "{at}");
            assert_eq!(from_pipe(&path, &with(&["--format", "sessions"])), table, "{at}");

            let summary = lines(&from_file(&path, &with(&["--format", "json", "--summary"])))
                .pop()
                .unwrap();
            assert_eq!(summary["sessions"].as_u64(), Some(sessions.len() as u64), "{at}");
            let counted: u64 = ["client-to-server", "server-to-client"]
                .iter()
                .flat_map(|direction| summary["messages"][direction].as_object().unwrap().values())
                .map(|count| count.as_u64().unwrap())
                .sum();
            assert_eq!(counted, messages.len() as u64, "{at}");

            let violations = events.iter().filter(|event| {
                event["event"] == "violation"
                    && event["session"]
                        .as_u64()
                        .is_some_and(|number| sessions.contains(&number))
            });
            let checked = from_file(&path, &with(&["--check"]));
            assert_eq!(checked.lines().count(), violations.count(), "{at}: {checked}");
            assert_eq!(from_pipe(&path, &with(&["--check"])), checked, "{at}");

            // One line a packet.
            let lines = from_file(&path, &with(&["--format", "tcpdump"]));
            let plural = if lines.lines().count() == 1 { "" } else { "s" };
            let count = format!("{} packet{plural}\n", lines.lines().count());
            assert_eq!(from_file(&path, &with(&["--count"])), count, "{at}");
            let trace = from_file(&path, &with(&["--format", "trace"]));
            let missing = lines.lines().find(|line| !trace.contains(line));
            assert_eq!(missing, None, "{at}");
            // Which session the first fragment of a datagram serves is known only from its last.
            if !name.contains("fragments") {
                assert_eq!(from_pipe(&path, &with(&["--format", "tcpdump"])), lines, "{at}");
                assert_eq!(from_pipe(&path, &with(&["--format", "trace"])), trace, "{at}");
            }
        }
    }
    assert!(selected > 500, "{selected}");
}

#[test]
fn what_is_written_decodes_alone_to_the_selected_sessions_and_no_others() {
    let folder = open_folder();
    for name in FIXTURES {
        let path = fixture(name);
        let events = lines(&from_file(&path, &["--format", "json"]));
        for (index, case) in CASES.iter().enumerate() {
            let (sessions, _) = wanted(&events, case);
            let written = folder.path().join(format!("{index}.pcap"));
            let user: &[&str] = if is_root() { &["-Z", "root"] } else { &[] };
            let flags = [&["-w", written.to_str().unwrap()], case.flags, user].concat();
            from_file(&path, &flags);
            let again = lines(&from_file(&written, &["--format", "json"]));
            let at = format!("{name} {:?}", case.flags);
            // Over HTTP/2 all sessions of the connection come along.
            let connections: BTreeSet<u64> = events
                .iter()
                .filter(|event| {
                    event["session"]
                        .as_u64()
                        .is_some_and(|number| sessions.contains(&number))
                })
                .map(|event| event["connection"].as_u64().unwrap())
                .collect();
            let content = |event: &Value| {
                (
                    event["client"].to_string(),
                    event["direction"].to_string(),
                    text(event).to_owned(),
                )
            };
            let whole = events.iter().filter(|event| {
                event["event"] == "message" && connections.contains(&event["connection"].as_u64().unwrap())
            });
            let replayed = again.iter().filter(|event| event["event"] == "message");
            assert_eq!(
                replayed.map(content).collect::<Vec<_>>(),
                whole.map(content).collect::<Vec<_>>(),
                "{at}"
            );
            // Live the same is written, as soon as it is known.
            let piped = folder.path().join("piped.pcap");
            from_pipe(&path, &[&["-w", piped.to_str().unwrap()], case.flags, user].concat());
            if !name.contains("fragments") && !name.contains("http2") {
                assert!(fs::read(&piped).unwrap() == fs::read(&written).unwrap(), "{at}");
            }
            fs::remove_file(&piped).unwrap();
        }
    }
}

#[test]
fn context_and_follow_add_messages_of_the_session() {
    let path = fixture("two-browsers-new/capture.pcap");
    let events = lines(&from_file(&path, &["--format", "json"]));
    let messages: Vec<&Value> = events.iter().filter(|event| event["event"] == "message").collect();
    let is_hit = |message: &Value| text(message).contains("悄悄话") && message["direction"] == "client-to-server";
    let hit = messages.iter().position(|message| is_hit(message)).unwrap();
    let session = &messages[hit]["session"];
    let own: Vec<usize> = (0..messages.len())
        .filter(|at| messages[*at]["session"] == *session)
        .collect();
    let place = own.iter().position(|at| *at == hit).unwrap();
    let wanted = |range: std::ops::Range<usize>| -> Vec<_> { own[range].iter().map(|at| id(messages[*at])).collect() };
    let grep: &[&str] = &["--format", "json", "--grep", "悄悄话", "--from", "client"];
    for (flags, range) in [
        (&["--context", "2"][..], place - 2..place + 3),
        (&["--follow"], place..own.len()),
        (&["--follow", "--context", "1"], place - 1..own.len()),
    ] {
        let flags = [grep, flags].concat();
        for told in [from_file(&path, &flags), from_pipe(&path, &flags)] {
            let told = lines(&told);
            let told: Vec<_> = told
                .iter()
                .filter(|event| event["event"] == "message")
                .map(id)
                .collect();
            assert_eq!(told, wanted(range.clone()), "{flags:?}");
        }
    }
    let packets = |flags: &[&str]| {
        from_file(&path, flags)
            .lines()
            .filter(|line| line.contains("Flags ["))
            .count()
    };
    assert_eq!(packets(&["--grep", "悄悄话", "--from", "client", "--context", "2"]), 5);
}

#[test]
fn times_select_by_the_clock_the_day_and_the_first_packet() {
    let path = fixture("two-browsers-new/capture.pcap");
    let events = lines(&from_file(&path, &["--format", "json"]));
    let packets = from_file(&path, &["--format", "tcpdump", "-tt", "-c", "1"]);
    let first: f64 = packets.split(' ').next().unwrap().parse().unwrap();
    let count = |flags: &[&str]| lines(&from_file(&path, &[&["--format", "json"], flags].concat())).len();
    let until = |after: f64| {
        let times = events.iter().map(|event| event["ts"].as_f64().unwrap());
        times.filter(|time| *time <= first + after).count()
    };
    assert_eq!(count(&["--until", "+8s"]), until(8.0));
    assert_eq!(count(&["--since", "+8s"]), events.len() - until(8.0));
    // What is the first packet's is not the first event's.
    let handshake = events[0]["ts"].as_f64().unwrap() - first;
    assert!(handshake > 0.0001, "{handshake}");
    assert_eq!(count(&["--until", &format!("+{:.6}s", handshake / 2.0)]), 0);
    let zoned = command()
        .env("TZ", "Asia/Shanghai")
        .args([
            "-r",
            path.to_str().unwrap(),
            "--format",
            "messages",
            "--since",
            "20:41",
            "-tttt",
        ])
        .output()
        .unwrap();
    let zoned = stdout(&zoned);
    assert!(
        zoned.is_empty()
            || zoned
                .lines()
                .all(|line| line.split(' ').nth(1).unwrap() >= "20:41" || line.contains(" open "))
    );
}

#[test]
fn a_selection_that_finds_nothing_says_so() {
    let path = fixture("two-browsers-new/capture.pcap");
    for flags in [
        &["--host", "nobody.example"][..],
        &["--grep", "no such words"],
        &["--since", "2199-01-01T00:00:00Z"],
        &["--where", ".type==\"nothing\"", "--summary", "--format", "none"],
    ] {
        let output = run([&["-r", path.to_str().unwrap()], flags].concat());
        assert!(
            output.status.success() && stderr(&output).contains("is selected"),
            "{flags:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn fragments_that_are_left_out_are_counted_where_their_connection_is_selected() {
    let folder = open_folder();
    let path = fixture("transcripts/ipv4-fragments.pcap");
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let packets = |name: &str| {
        let count = stdout(&run(["-r", &at(name), "--count"]));
        count.split(' ').next().unwrap().parse::<usize>().unwrap()
    };
    let (file, pipe) = (at("file.pcap"), at("pipe.pcap"));
    let selection = ["--session", "1"];
    let whole = run([&["-r", path.to_str().unwrap(), "-w", &file], &selection[..]].concat());
    assert!(!stderr(&whole).contains("left out"), "{}", stderr(&whole));
    let some = stderr(&piped(&path, &[&["-w", &pipe], &selection[..]].concat()));
    let missing = packets("file.pcap") - packets("pipe.pcap");
    assert!(
        missing > 1 && some.contains(&format!("{missing} packets with IP fragments left out")),
        "{some}"
    );
    let summary = stderr(&piped(
        &path,
        &[&["--format", "none", "--summary"], &selection[..]].concat(),
    ));
    assert!(
        summary.contains(&format!("{missing} packets with IP fragments left out")),
        "{summary}"
    );
    // Of whom nobody wants nothing is left out, and a view that shows single packets leaves none out.
    for flags in [
        &["-w", &at("none.pcap"), "--abnormal"][..],
        &["--format", "messages", "--session", "1"],
    ] {
        let said = stderr(&piped(&path, flags));
        assert!(!said.contains("left out"), "{flags:?}: {said}");
    }
}

#[test]
fn what_can_not_be_held_is_named() {
    let path = fixture("two-browsers-new/capture.pcap");
    let flags = ["--format", "messages", "--user", "mynick", "--max-held"];
    let some = piped(&path, &[&flags[..], &["3000"]].concat());
    let error = stderr(&some);
    assert!(
        error.contains("--max-held (3000 bytes)") && error.contains("raise --max-held, or read a file without a pipe"),
        "{error}"
    );
    assert_eq!(error.matches("session 1 (127.0.0.1:37642)").count(), 1, "{error}");
    // One loss is named once, whether packets, messages or the session wait.
    for views in [
        &["--summary"][..],
        &["--check", "--format", "sessions"],
        &["--format", "trace", "--summary"],
    ] {
        let error = stderr(&piped(&path, &[views, &["--abnormal", "--max-held", "3000"]].concat()));
        assert_eq!(error.matches("--max-held (").count(), 2, "{views:?}: {error}");
    }
    let all = piped(&path, &[&flags[..], &["300000"]].concat());
    assert!(!stderr(&all).contains("--max-held") && stdout(&all).contains("#2 "));
}

/// The capture with its secrets, packed, and the secrets behind two thirds of the packets: sessions are numbered as they can be read.
fn secrets_come_late(folder: &Path) -> PathBuf {
    let bytes = fs::read(fixture("tls/secrets-in-capture.pcapng")).unwrap();
    let mut rest = &bytes[..];
    let (mut secrets, mut others) = (Vec::new(), Vec::new());
    while let Some(header) = rest.get(..8) {
        let field = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        let (block, behind) = rest.split_at(field(4) as usize);
        if field(0) == 0x0a { &mut secrets } else { &mut others }.push(block);
        rest = behind;
    }
    assert!(!secrets.is_empty());
    let late = others.split_off(others.len() * 2 / 3);
    let all: Vec<u8> = [others, secrets, late].concat().concat();
    let path = folder.join("late.pcapng.gz");
    let mut packed = flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
    packed.write_all(&all).unwrap();
    packed.finish().unwrap();
    path
}

#[test]
fn a_file_that_is_read_twice_numbers_its_sessions_alike() {
    let folder = open_folder();
    let path = secrets_come_late(folder.path());
    let whole = lines(&from_file(&path, &["--format", "json"]));
    for number in 1..=3 {
        let wanted: BTreeSet<_> = whole
            .iter()
            .filter(|event| event["event"] == "message" && event["session"] == number)
            .map(id)
            .collect();
        assert!(wanted.len() > 5);
        let number = number.to_string();
        let flags = [
            "--format",
            "json",
            "--session",
            &number,
            "--opcode",
            "text,binary,ping,pong,close",
        ];
        let once = lines(&from_file(&path, &flags));
        let twice = lines(&from_file(&path, &[&flags[..], &["--context", "1"]].concat()));
        assert_eq!(once.iter().map(id).collect::<BTreeSet<_>>(), wanted);
        assert_eq!(twice.iter().map(id).collect::<BTreeSet<_>>(), wanted);
    }
}
