//! `--format sessions`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::program::{capture, code, command, fixture, run, stderr, stdout};

/// The cells of each line behind the head.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect()).collect()
}

#[test]
fn one_line_a_session() {
    let file = capture();
    let output = run(["--format", "sessions", "-r", file.to_str().unwrap()]);
    let table = stdout(&output);
    let rows = rows(&table);
    assert_eq!(rows.len(), 2, "{table}");
    assert_eq!(
        &rows[1][..6],
        [
            "2",
            "127.0.0.1:60653",
            "127.0.0.1:7272",
            "ws://127.0.0.1:7272/",
            "-",
            "mynick"
        ]
    );
    assert_eq!((rows[1][13], rows[1][14]), ("still open", "-"));
}

#[test]
fn other_connections_have_lines_when_all_is_wanted() {
    let file = fixture("tls/chromium-tls12.pcap");
    let table = |arguments: &[&str]| {
        let arguments = ["--format", "sessions", "-r", file.to_str().unwrap()]
            .into_iter()
            .chain(arguments.iter().copied());
        stdout(&run(arguments))
    };
    assert_eq!(table(&[]), "");
    let all = table(&["--all"]);
    let rows = rows(&all);
    assert_eq!(rows[0][0], "-");
    assert_eq!(
        rows[0][13], "! the client ended TLS with alert certificate_unknown",
        "{all}"
    );
    assert_eq!(rows[1][13], "not decrypted (no-keys)", "{all}");
    let keys = fixture("tls/chromium-tls12.keylog");
    let all = table(&["--all", "--keylog", keys.to_str().unwrap()]);
    // What carries a session is not listed twice.
    assert!(all.lines().nth(1).unwrap().starts_with("1\t"), "{all}");
    assert_eq!(all.lines().count(), 3, "{all}");
}

#[test]
fn an_alert_that_answers_a_fin_ends_nothing() {
    let (file, keys) = (fixture("tls/cut-off.pcap"), fixture("tls/cut-off.keylog"));
    let printed = |arguments: &[&str]| {
        let input = ["-r", file.to_str().unwrap(), "--keylog", keys.to_str().unwrap()];
        stdout(&run(arguments.iter().copied().chain(input)))
    };
    let all = printed(&["--format", "sessions", "--all"]);
    let outcomes: Vec<_> = rows(&all).iter().map(|row| row[13]).collect();
    assert_eq!(outcomes, ["! ended without close"; 2], "{all}");
    let events = printed(&["--format", "json"]);
    let events: Vec<serde_json::Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &'static str| events.iter().filter(move |event| event["event"] == kind);
    let end = of("session-end").next().unwrap();
    assert_eq!((&end["how"], &end["by"]), (&"fin".into(), &"server".into()), "{end}");
    // It was seen all the same.
    assert!(of("tls-end").all(|end| end["alert"] == "decode_error" && end["alert_by"] == "client"));
}

#[test]
fn columns_to_sort_by_are_named_when_there_is_no_such_one() {
    let output = run(["--format", "sessions", "--sort", "age"]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("expected number, client, server, url,"),
        "{}",
        stderr(&output)
    );
    let output = run(["--max-answer", "2s"]);
    assert_eq!((code(&output), stdout(&output)), (2, String::new()));
    assert!(stderr(&output).contains("--max-answer has no effect here: it goes with --check"));
    let output = run(["--check", "--max-answer", "soon"]);
    assert!(stderr(&output).contains("expected a length of time, such as 500ms"));
    for flags in [&["--sort", "bytes"][..], &["--all"]] {
        let output = run(flags);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains("goes with --format sessions"));
    }
}

#[test]
fn the_table_so_far_is_shown_when_it_is_asked_for() {
    let bytes = std::fs::read(capture()).unwrap();
    let mut program = command()
        .args(["--format", "sessions", "-r", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    stdin.write_all(&bytes).unwrap();
    let mut announced = String::new();
    BufReader::new(program.stderr.take().unwrap())
        .read_line(&mut announced)
        .unwrap();
    // From here on signals are caught. It is asked until all that was written is read.
    let pid = Pid::from_raw(program.id().cast_signed());
    let (seen, is_seen) = channel::<()>();
    let asking = thread::spawn(move || {
        while is_seen.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
            kill(pid, Signal::SIGUSR1).unwrap();
        }
    });
    let mut lines = BufReader::new(program.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.starts_with("2\t127.0.0.1:60653\t")));
    drop(seen);
    asking.join().unwrap();
    drop(stdin);
    let rest: Vec<String> = lines.collect();
    let [head, first, second] = &rest[rest.len() - 3..] else {
        panic!()
    };
    assert!(
        head.starts_with("#\t") && first.starts_with("1\t") && second.starts_with("2\t"),
        "{rest:?}"
    );
    assert!(program.wait().unwrap().success());
}
