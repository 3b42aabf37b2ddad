//! What strangers do costs bounded memory and costs nobody else a message, and what had to be given up is told: the whole
//! program, with traffic of `benches/traffic/hostile.rs` on a small scale and bounds to match. On the large scale, with the bounds as
//! they are, the same is measured with `cargo bench --bench generate`.
#![cfg(target_os = "linux")]

#[path = "../benches/traffic/mod.rs"]
#[allow(dead_code, reason = "the benches want all of it")]
mod traffic;

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use traffic::hostile::{bomb, hostile};
use traffic::{Capture, Idle, idle};

/// What the program takes before it has read anything, a test's build included, and for its buffers.
const PROGRAM: u64 = 22 << 20;

/// Runs the program over such traffic: all messages of those who do no harm are there and whole, it takes no more than so much memory
/// (beside [`PROGRAM`]), and one line at least has `told`.
fn check(flags: &[&str], memory: u64, told: &str, write: impl FnOnce(&mut Capture<Vec<u8>>) -> io::Result<()>) {
    let mut capture = Capture::new(Vec::new()).unwrap();
    write(&mut capture).unwrap();
    let messages = capture.messages;
    let savefile = std::mem::take(capture.finish().unwrap());

    let mut program = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["-n", "-r", "-", "--format", "json", "--summary"])
        .args(flags)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(program.stdout.take().unwrap());
    let (lines, read) = channel();
    let reader = thread::spawn(move || {
        for line in output.split(b'\n') {
            let line = String::from_utf8(line.unwrap()).unwrap();
            let _ = lines.send((is_witness(&line), line));
        }
    });
    let mut input = program.stdin.take().unwrap();
    input.write_all(&savefile).unwrap();
    input.flush().unwrap();

    // A witness has the last word: when all of them were heard, all was read, and the program waits for more.
    let (mut heard, mut has_told) = (0, false);
    while heard < messages {
        match read.recv_timeout(Duration::from_secs(20)) {
            Ok((witness, line)) => {
                heard += u64::from(witness);
                has_told |= line.contains(told);
            }
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let peak = peak_memory(program.id());
    drop(input);
    for (witness, line) in read {
        heard += u64::from(witness);
        has_told |= line.contains(told);
    }
    reader.join().unwrap();
    assert!(program.wait().unwrap().success());
    assert_eq!(heard, messages, "messages of those who do no harm");
    assert!(has_told, "no line with {told}");
    let most = PROGRAM + memory;
    println!("{flags:?}: {} KB of {} KB", peak >> 10, most >> 10);
    assert!(peak <= most);
}

/// A whole message of somebody who does no harm.
fn is_witness(line: &str) -> bool {
    line.contains("from_uid") && line.contains(r#""complete":true"#)
}

/// The most memory that a process has had at once, in bytes.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes << 10
}

/// Traffic of that kind.
fn kind(kind: &str, count: u64) -> impl FnOnce(&mut Capture<Vec<u8>>) -> io::Result<()> {
    move |capture| hostile(capture, kind, count).expect("there is such a kind")
}

/// What the last 16,384 requests take that wait for their answers, pings too.
const REQUESTS: u64 = 3 << 20;

#[test]
fn a_flood_of_syns() {
    check(
        &["--max-flows", "1000"],
        4 << 20,
        r#""event":"summary""#,
        kind("flood", 40),
    );
}

#[test]
fn a_flood_of_connections_that_speak_something_else() {
    check(
        &["--max-flows", "500"],
        4 << 20,
        r#""event":"summary""#,
        kind("garbage", 5),
    );
}

#[test]
fn more_sessions_than_are_known_at_once() {
    let evicted = r#""how":"evicted""#;
    check(&["--max-flows", "500"], (4 << 20) + REQUESTS, evicted, |capture| {
        idle(capture, 3000, Idle::Upgraded)?;
        hostile(capture, "pings", 1).expect("there is such a kind")
    });
}

#[test]
fn idle_connections_take_a_kilobyte_and_a_half_each() {
    check(&[], (15_000 << 10) + REQUESTS, r#""event":"summary""#, |capture| {
        idle(capture, 10_000, Idle::Upgraded)?;
        hostile(capture, "pings", 1).expect("there is such a kind")
    });
}

#[test]
fn holes_that_nobody_fills() {
    let bounds = ["--max-waiting", "20000", "--max-memory", "12000000"];
    check(&bounds, 20 << 20, r#""cause":"evicted""#, kind("holes", 24));
}

#[test]
fn heads_that_never_end() {
    let bounds = ["--max-head", "1000", "--max-memory", "8000000"];
    for of in ["heads", "lines"] {
        // 5,000 connections take their kilobyte, too.
        check(&bounds, 12 << 20, "http.head-too-long", kind(of, 14));
    }
}

#[test]
fn a_bomb() {
    let bounds = ["--max-inflated", "1000000"];
    let cut = r#""missing":[[1000000,"#;
    check(&bounds, 12 << 20, cut, |capture| bomb(capture, 3, 1, 20 << 20, 60_000));
    check(&bounds, 12 << 20, cut, |capture| bomb(capture, 3, 2, 20 << 20, 1000));
}

#[test]
fn a_bomb_full_of_holes() {
    // Each hole takes its room, too: two million of them would be 50 MB here, and more where they are told.
    check(
        &["--max-inflated", "8000000"],
        48 << 20,
        r#""missing":[["#,
        kind("lost-bombs", 3),
    );
}

#[test]
fn messages_that_repeat_themselves() {
    // 2,000 of 30 KB each: all of them while there is an allowance, later a part.
    let bounds = ["--max-inflated", "1000000"];
    for of in ["states", "zeros"] {
        check(&bounds, 12 << 20, r#""limited_inflations":1"#, kind(of, 2));
    }
}

#[test]
fn messages_that_were_not_inflated_to_their_end_are_counted_in_every_view() {
    let mut capture = Capture::new(Vec::new()).unwrap();
    kind("zeros", 1)(&mut capture).unwrap();
    let savefile = std::mem::take(capture.finish().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zeros.pcap");
    fs::write(&path, savefile).unwrap();
    let run = |flags: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
            .args(["-n", "--max-inflated", "1000000"])
            .args(flags)
            .arg("-r")
            .arg(&path)
            .output()
            .unwrap();
        assert!(output.status.success());
        (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (events, said) = run(&["--format", "json"]);
    let incomplete = events
        .lines()
        .filter(|line| line.contains(r#""event":"message""#) && line.contains(r#""complete":false"#))
        .count();
    let line = format!("{incomplete} compressed messages not inflated to the end: ");
    assert!(incomplete > 500 && said.contains(&line), "{incomplete}: {said}");
    let (_, said) = run(&["--format", "messages"]);
    assert!(said.contains(&line), "{said}");
    // What its receiver has got is not as long as what is known of it.
    let (trace, said) = run(&[]);
    assert!(said.contains(&line), "{said}");
    let received = |words: &str| trace.lines().filter(|line| line.contains(words)).count();
    assert!(received("has received the binary message of 30000 bytes") > 0);
    assert_eq!(
        received("has received the binary message"),
        received("has received the binary message of 30000 bytes")
    );
    assert_eq!(received("has received a message"), incomplete);
}

#[test]
fn histories_that_cost_their_senders_nothing() {
    let told = r#""missing":"#;
    // 2,000 connections, of which each would take 46 KB; the decompressors that are shared take 10 MB.
    check(
        &["--max-memory", "11000000"],
        32 << 20,
        told,
        kind("histories-again", 2),
    );
    check(
        &["--max-memory", "11000000"],
        32 << 20,
        r#""evicted_histories":1"#,
        kind("histories", 2),
    );
}

#[test]
fn all_attacks_at_once_keep_to_the_memory_that_is_allowed() {
    // A bomb is read around what was lost, while connections hold all that they may.
    for (megabytes, told) in [(32, r#""cause":"lost""#), (64, r#""missing":[["#)] {
        let bound = (megabytes << 20).to_string();
        let most = ((megabytes + 32) << 20) - PROGRAM;
        check(&["--max-memory", &bound], most, told, kind("everything", 24));
    }
}

#[test]
#[ignore = "`make soak`"]
fn soak_all_attacks_at_once_keep_to_the_memory_for_twenty_times_as_long() {
    for megabytes in [64, 256] {
        let bound = (megabytes << 20).to_string();
        let most = ((megabytes + 32) << 20) - PROGRAM;
        check(
            &["--max-memory", &bound],
            most,
            r#""missing":[["#,
            kind("everything", 800),
        );
    }
}

#[test]
fn messages_that_never_end() {
    let bounds = ["--max-message", "1000000", "--max-memory", "16000000"];
    check(&bounds, 20 << 20, r#""complete":false"#, kind("unfinished", 16));
    check(&bounds, 16 << 20, r#""complete":false"#, kind("fragments", 16));
    check(&bounds, 12 << 20, r#""complete":false"#, kind("torn", 40));
}

#[test]
fn datagrams_that_never_come_whole() {
    for of in ["datagrams", "datagrams-6"] {
        let told = r#""incomplete_datagrams":15"#;
        check(&["--max-fragments", "1000000"], 4 << 20, told, kind(of, 15));
    }
}

#[test]
fn pings_and_logins_without_end() {
    check(&[], (5 << 20) + REQUESTS, r#""opcode":"ping""#, kind("pings", 20));
    check(&[], (8 << 20) + REQUESTS, r#""event":"message""#, kind("logins", 10));
    check(&[], (8 << 20) + REQUESTS, r#""event":"message""#, kind("rooms", 5));
}

#[test]
fn tls_whose_keys_never_come() {
    let told = r#""event":"tls-end""#;
    let bounds = ["--max-memory", "4000000"];
    check(&bounds, 12 << 20, told, kind("records", 16));
    check(&bounds, 12 << 20, told, kind("cut-records", 4));
    check(&bounds, 12 << 20, told, kind("hellos", 90));
}

#[test]
fn http2_that_never_becomes_a_websocket() {
    let bounds = ["--max-memory", "6000000"];
    let evicted = r#""how":"evicted""#;
    check(&bounds, 12 << 20, evicted, kind("requests", 12));
    check(&bounds, 12 << 20, evicted, kind("early-data", 12));
    check(&bounds, 12 << 20, r#""verdict":"refused""#, kind("refusals", 12));
    check(&bounds, 12 << 20, r#""event":"summary""#, kind("field-blocks", 12));
}
