//! What is typed: forms of flags, wrong ones, helps, exit codes.

use super::program::{capture, code, command, run, stderr, stdout, tcpdump};

/// Runs both programs over the capture with `arguments`; the lines must be the same.
fn same_lines(arguments: &[&str]) {
    let file = capture();
    let file = file.to_str().unwrap();
    let theirs = tcpdump(["-r", file].iter().chain(arguments));
    let ours = run(["--format=tcpdump", "-r", file].iter().chain(arguments));
    assert_eq!(stdout(&ours), stdout(&theirs), "{arguments:?}");
    assert_eq!((code(&ours), code(&theirs)), (0, 0), "{arguments:?}: {}", stderr(&ours));
}

#[test]
#[ignore = "needs tcpdump"]
fn flags_combine_and_permute_as_in_tcpdump() {
    for arguments in [
        &["-Ans", "4096"][..],
        &["-XAnnvvvs0"],
        &["-nns96", "-c5"],
        &["port", "7272", "-n", "-c", "3"],
        &["-n", "tcp[13]", "&", "8", "!=", "0", "-q"],
        &["-n", "-t", "-t", "-t", "-t"],
        &["-nttt"],
        &["-n#"],
        &["-n", "--number"],
        &["-n", "--num"],
        &["-c", "3", "-n", "-c", "7"],
        &["-n", "--snapshot-length=100"],
        &["-n", "--absolute-tcp-sequence-numbers"],
        &["-nKN"],
        &["-n", "--", "port", "7272"],
        &["-n", "port 7272", "and", "greater 200"],
        &["--nano", "-n"],
        &["--nano", "--micro", "-n"],
        &["--nano", "--time-stamp-precision=micro", "-n"],
        &["-n", "-i", "nonsense", "-B", "16", "-p"],
        &["-nnlU", "--immediate-mode"],
        &["-na"],
    ] {
        same_lines(arguments);
    }
}

#[test]
fn the_documents_command_line_works_as_typed() {
    let file = capture();
    let ours = run(["-Ans", "4096", "-r", file.to_str().unwrap(), "port 7272"]);
    assert_eq!(code(&ours), 0);
    assert!(stdout(&ours).starts_with("/*\n"));
}

#[test]
#[ignore = "needs tcpdump"]
fn names_are_looked_up_only_when_they_are_wanted() {
    let file = capture();
    let file = file.to_str().unwrap();
    // Loopback has its name from /etc/hosts, everywhere.
    for flags in ["-q", "-N", "-vv", "-q"] {
        let ours = run(["--format=tcpdump", "--resolve", flags, "-r", file]);
        assert_eq!(stdout(&ours), stdout(&tcpdump([flags, "-r", file])), "{flags}");
    }
    let ours = run(["--format=tcpdump", "-r", file]);
    assert_eq!(stdout(&ours), stdout(&tcpdump(["-n", "-r", file])));
    let both = run(["--format=tcpdump", "--resolve", "-n", "-r", file]);
    assert_eq!(both.stdout, ours.stdout);
}

#[test]
#[ignore = "needs tcpdump"]
fn count_prints_as_tcpdump() {
    let file = capture();
    let file = file.to_str().unwrap();
    for filter in ["", "port 60584", "tcp[tcpflags] & tcp-syn != 0", "udp"] {
        let ours = run(["--count", "-r", file, filter]);
        let theirs = tcpdump(["--count", "-r", file, filter]);
        assert_eq!(stdout(&ours), stdout(&theirs), "{filter}");
    }
    assert_eq!(stdout(&run(["--count", "-c1", "-r", file])), "1 packet\n");
}

#[test]
fn skip_and_limit_keep_the_numbers_of_the_packets() {
    let file = capture();
    let all = stdout(&run(["-n#", "--format", "tcpdump", "-r", file.to_str().unwrap()]));
    let some = run([
        "-n#",
        "--format",
        "tcpdump",
        "--skip",
        "3",
        "-c",
        "2",
        "-r",
        file.to_str().unwrap(),
    ]);
    let numbers = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split_whitespace().next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(numbers(&stdout(&some)), numbers(&all)[3..5]);
}

#[test]
fn wrong_usage_is_one_line_that_says_what_is_right_and_exit_code_2() {
    for (arguments, wanted) in [
        (&["--nonsense"][..], &["--nonsense", "-h"][..]),
        (&["-7"], &["-7", "no such flag"]),
        (&["--forma", "json", "--lan"], &["--lang", "missing"]),
        (&["-r"], &["-r, --read-file", "missing"]),
        (&["-Z"], &["-Z, --relinquish-privileges", "missing"]),
        (&["-c", "x"], &["-c x", "number of packets"]),
        (&["-c", "0"], &["-c 0", "1 or more"]),
        (&["-s", "-1"], &["-s -1", "0 to 262144"]),
        (&["-s", "262145"], &["0 to 262144"]),
        (&["-B", "0"], &["KiB"]),
        (&["-Q", "up"], &["in, out or inout"]),
        (
            &["--format", "xml"],
            &["trace, tcpdump, messages, sessions, json, har, html, pcapng, pdu or none"],
        ),
        (&["--lang", "fr"], &["en, zh-CN, zh-TW, ja or es"]),
        (&["--color", "blue"], &["auto, always or never"]),
        (&["--opcode", "text,nonsense"], &["nonsense", "text"]),
        (&["--grep", "("], &["--grep (", "regular expression"]),
        (&["--from", "me"], &["client or server"]),
        (&["--session", "0"], &["--session 0"]),
        (&["--time-stamp-precision", "pico"], &["micro or nano"]),
        (&["-tttttt"], &["-ttttt"]),
        (&["-dddd"], &["-ddd"]),
        (&["-r", "a", "-V", "b"], &["-V and -r"]),
        (&["-r", "-", "-r", "-"], &["only once"]),
        (&["--with-secrets"], &["--with-secrets", "har, html or pcapng"]),
        (&["--extract-text"], &["--extract-text", "goes with --extract"]),
        (
            &["--max-extract-files", "1"],
            &["--max-extract-files", "goes with --extract"],
        ),
        (
            &["--max-extract-bytes", "1"],
            &["--max-extract-bytes", "goes with --extract"],
        ),
        (&["--extract", "x", "--max-extract-files", "0"], &["1 or more"]),
        (&["-w", "-", "--print"], &["-w -", "--print"]),
        (&["-C", "1"], &["-w"]),
        (&["-G", "1"], &["-w"]),
        (&["-w", "x", "-C", "0"], &["-C 0", "such as"]),
        (&["-w", "x", "-G", "x"], &["-G x"]),
        (&["-w", "x", "-W", "-3"], &["-W -3"]),
        (&["--max-flows", "many"], &["--max-flows many", "connections"]),
        (&["--session", "4-2"], &["--session 4-2", "1,4-7"]),
        (&["--where", ".a=1"], &["--where .a=1", "at character 3", "=="]),
        (&["--slower", "soon"], &["--slower soon", "500ms"]),
        (&["--since", "then"], &["--since then", "+90s"]),
        (&["--invert"], &["--invert", "--grep", "--where"]),
        (&["--context", "2"], &["--context", "--grep"]),
        (&["--follow"], &["--follow", "--grep"]),
        (&["--context", "many", "--grep", "x"], &["--context many", "messages"]),
        (&["--abnormal"], &["--abnormal", "--summary"]),
        (&["--max-held", "x"], &["--max-held x", "bytes"]),
        (
            &["--max-held", "200000000"],
            &["more than --max-memory (268435456)", "at most 134217728"],
        ),
        (&["--force"], &["--force", "--output"]),
        (&["--compare", "x"], &["--compare x", "-r FILE"]),
        (&["-r", "-", "--compare", "-"], &["--compare -", "only once"]),
        (&["-r", "a", "--compare", "b", "-w", "c"], &["-w", "--compare"]),
        (&["-r", "a", "--compare", "b", "--grep", "c"], &["--grep", "--compare"]),
        (&["-r", "a", "--compare", "b", "--check"], &["--check", "--compare"]),
        (
            &["-r", "a", "--compare", "b", "--format", "messages"],
            &["--format messages", "expected --format json"],
        ),
        (
            &["-r", "a", "--compare", "b", "--format", "none"],
            &["--format none", "expected --format json"],
        ),
        (&["--redact", "-"], &["--redact -", "name of a file"]),
        (
            &["--redact", "x", "--redact-value", "("],
            &["--redact-value (", "regular expression"],
        ),
        (&["--redact", "x", "--redact-key", "_"], &["--redact-key _", "name"]),
        (&["--redact-key", "x"], &["--redact-key", "--redact"]),
        (&["--redact-value", "x"], &["--redact-value", "--redact"]),
        (&["--redact-addresses"], &["--redact-addresses", "--redact"]),
        (&["--tag", "a=b"], &["--tag", "--format json"]),
        (&["--format", "json", "--tag", "web1"], &["--tag web1", "NAME=VALUE"]),
        (
            &["--format", "json", "--tag", "text=1"],
            &["--tag text=1", "another name"],
        ),
        (&["--json-fields", "text"], &["--json-fields", "--format json"]),
        (
            &["--format", "json", "--json-fields", "text,txt"],
            &["txt", "such as time"],
        ),
        (
            &["--format", "json", "--json-fields", "session_uid"],
            &["session_uid", "--tag"],
        ),
        (&["--max-tls-trials", "x"], &["--max-tls-trials x", "trials"]),
        (&["-b"], &["-b", "BGP"]),
        (&["-E", "x"], &["-E", "IPsec"]),
        (&["-f"], &["-f"]),
        (&["-H"], &["-H"]),
        (&["-I"], &["-I", "monitor"]),
        (&["-m", "x"], &["-m", "SNMP"]),
        (&["-M", "x"], &["-M", "MD5"]),
        (&["-T", "rtp"], &["-T"]),
        (&["-u"], &["-u", "NFS"]),
    ] {
        let output = run(arguments);
        let line = stderr(&output);
        assert_eq!(code(&output), 2, "{arguments:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{arguments:?}: {line}");
        assert!(line.starts_with("wschat-sniff: "), "{line}");
        assert!(output.stdout.is_empty());
        for part in wanted {
            assert!(line.contains(part), "{arguments:?}: {line:?} lacks {part:?}");
        }
    }
}

#[test]
fn nothing_that_was_typed_reaches_the_terminal_raw() {
    let nasty = "a\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m";
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().join(nasty);
    std::fs::copy(capture(), &named).unwrap();
    let (named, file) = (named.to_str().unwrap(), capture());
    for arguments in [
        &["-r", nasty][..],
        &["-r", named],
        &["-V", nasty],
        &["-F", nasty, "-r", named],
        &["-w", nasty, "-C", "1", "-Z", nasty, "-r", named],
        &["--format", nasty],
        &["--grep", &format!("({nasty}")],
        &[&format!("--{nasty}")],
        &["-y", nasty, "-r", named],
        &["-i", nasty],
        &["-r", file.to_str().unwrap(), nasty],
        &[
            "-r",
            file.to_str().unwrap(),
            "--output",
            &format!("/nonexistent/{nasty}"),
        ],
    ] {
        let output = run(arguments);
        let told = stderr(&output);
        assert!(told.contains("owned"), "{arguments:?}: {told:?}");
        let raw = |ch: char| ch.is_control() && ch != '\n' || ch == '\u{202e}';
        assert!(!told.contains(raw), "{arguments:?}: {told:?}");
    }
}

#[test]
fn a_help_that_cannot_be_written_is_an_error() {
    for argument in ["-h", "--help", "--version", "-d"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = command().arg(argument).stdout(full).output().unwrap();
        assert_eq!(code(&output), 1, "{argument}");
        assert!(
            stderr(&output).contains("standard output"),
            "{argument}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_file_without_r_is_pointed_out() {
    let file = capture();
    let output = run([file.to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains(&format!("expected -r {}", file.display())),
        "{}",
        stderr(&output)
    );
}

#[test]
fn both_helps_and_the_version_go_to_standard_output() {
    let short = run(["-h"]);
    let long = run(["--help"]);
    assert_eq!((code(&short), code(&long)), (0, 0));
    assert!(stdout(&short).lines().count() <= 40);
    assert!(stdout(&long).contains("Examples:"));
    for flag in wschat_sniff::cli::command()
        .get_arguments()
        .filter(|flag| !flag.is_hide_set())
    {
        if let Some(name) = flag.get_long() {
            assert!(stdout(&long).contains(&format!("--{name}")), "--{name}");
        }
    }
    let version = stdout(&run(["--version"]));
    assert!(
        version.starts_with(concat!("wschat-sniff ", env!("CARGO_PKG_VERSION"))),
        "{version}"
    );
    assert!(version.contains("libpcap version"), "{version}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::io::Read as _;
    use std::process::Stdio;
    let folder = tempfile::tempdir().unwrap();
    let file = super::program::large(folder.path(), 4_000_000);
    for format in ["tcpdump", "trace", "json"] {
        let mut child = command()
            .args(["-nvv", "--format", format, "-r", file.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut some = [0; 100];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 0, "{format}: {}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{format}: {}", stderr(&output));
    }
}

#[test]
fn check_finds_nothing_in_a_good_capture() {
    let file = capture();
    let output = run(["--check", "-r", file.to_str().unwrap()]);
    assert_eq!(
        (code(&output), stdout(&output)),
        (0, String::new()),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("no violations in 11 messages of 2 sessions, in 33 packets"));
}

#[test]
#[ignore = "needs tcpdump"]
fn names_of_link_types_and_time_stamps_are_checked_with_a_file_too() {
    let file = capture();
    let file = file.to_str().unwrap();
    for flags in [["-y", "NOPE"], ["-j", "nope"]] {
        let ours = run(flags.into_iter().chain(["-r", file]));
        assert_eq!((stdout(&ours), code(&ours)), (String::new(), 1), "{flags:?}");
        assert!(
            stderr(&ours).contains(flags[1]) && stderr(&ours).lines().count() == 1,
            "{flags:?}"
        );
    }
    same_lines(&["-n", "-y", "EN10MB", "-j", "host"]);
}

#[test]
fn standard_output_is_not_rotated() {
    let file = capture();
    let ours = run(["-r", file.to_str().unwrap(), "-C", "1", "-w", "-"]);
    assert_eq!((stdout(&ours), code(&ours)), (String::new(), 2));
    assert!(stderr(&ours).contains("-w -"));
}

#[test]
fn the_short_help_fits_a_terminal_of_80_columns() {
    let help = stdout(&run(["-h"]));
    assert!(help.lines().all(|line| line.len() <= 80), "{help}");
    assert!(help.lines().count() <= 40, "{help}");
}

#[test]
fn a_flag_without_effect_is_wrong_usage_and_says_with_what_it_goes() {
    for (arguments, wanted) in [
        (
            &["--frames"][..],
            "--frames has no effect here: it goes with --format json",
        ),
        (
            &["--full", "--format", "json"],
            "--format trace, messages, html or pcapng",
        ),
        (&["--lang", "es", "--format", "json"], "--check and --summary"),
        (&["--keylog", "keys", "--format", "tcpdump"], "a view that decodes"),
        (&["--keylog", "keys", "--count"], "a view that decodes"),
        (&["--count", "--summary"], "not with --count"),
        (&["--count", "--check"], "not with --count"),
        (&["--check", "--full"], "--format trace, messages, html or pcapng"),
        (&["--check", "-A"], "--format trace or tcpdump"),
        (&["-A", "--format", "messages"], "--format trace or tcpdump"),
        (&["-xx", "--format", "json"], "--format trace or tcpdump"),
        (
            &["-tttt", "--format", "json"],
            "--format trace, tcpdump, messages or sessions",
        ),
        (
            &["-#", "--format", "none", "--summary"],
            "--format trace, tcpdump or messages",
        ),
    ] {
        let ours = run(["-r", "none.pcap"].iter().chain(arguments));
        assert_eq!(code(&ours), 2, "{arguments:?}: {}", stderr(&ours));
        assert!(stderr(&ours).contains(wanted), "{}", stderr(&ours));
        assert_eq!(stderr(&ours).lines().count(), 1);
    }
    // What tcpdump ignores is ignored, and what has an effect is none of these.
    let file = capture();
    for arguments in [
        &["-s", "100", "-p", "-B", "16"][..],
        &["--lang", "es", "--format", "json", "--summary"],
        &["-#", "-tttt", "--format", "messages"],
        &["-A", "-e", "-S", "--lengths", "--full"],
        &["-N", "--format", "tcpdump"],
    ] {
        let ours = run(["-r", file.to_str().unwrap()].iter().chain(arguments));
        assert_eq!(code(&ours), 0, "{arguments:?}: {}", stderr(&ours));
    }
}
