//! `--format sessions`.

use super::program::{capture, code, fixture, run, stderr, stdout};

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
    assert!(stderr(&output).contains("--max-answer goes with --check"));
    let output = run(["--check", "--max-answer", "soon"]);
    assert!(stderr(&output).contains("expected a length of time, such as 500ms"));
    for flags in [&["--sort", "bytes"][..], &["--all"]] {
        let output = run(flags);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains("goes with --format sessions"));
    }
}
