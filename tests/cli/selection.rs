//! Which packets the `trace` view shows when messages or a session are selected, and how much it tells of them.

use std::path::Path;

use super::program::{fixture, run, stdout};

/// What `--format trace` prints of the two browsers with these flags.
fn trace(flags: &[&str]) -> String {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/two-browsers-new/capture.pcap");
    let mut arguments = vec!["-r", capture.to_str().unwrap()];
    arguments.extend(flags);
    let output = run(arguments);
    assert!(output.status.success(), "{flags:?}");
    stdout(&output)
}

/// The lines of tcpdump: one a packet.
fn packets(told: &str) -> usize {
    told.lines().filter(|line| line.contains(": Flags [")).count()
}

/// The second line of each block: what the packet does.
fn deeds(told: &str) -> Vec<&str> {
    told.split("/*\n")
        .skip(1)
        .filter_map(|block| block.lines().nth(1))
        .collect()
}

#[test]
fn a_session_alone_shows_all_its_packets_and_no_others() {
    let whole = trace(&[]);
    let [first, second] = [trace(&["--session", "1"]), trace(&["--session", "2"])];
    assert_eq!(packets(&first) + packets(&second), packets(&whole));
    assert!(!deeds(&first).is_empty() && !first.contains("Session 2,"));
    assert!(second.contains(" * Session 2, the browser of \"mynick\""));
    // The names of the other session's users are known all the same.
    assert!(second.contains("\"猪猪\" and \"mynick\""));
}

#[test]
fn the_end_of_a_session_that_is_not_selected_is_not_told() {
    // Both are open when ten packets have come.
    let told = trace(&["--session", "1", "-c", "20"]);
    assert!(
        told.contains(" * Session 1,") && !told.contains(" * Session 2,"),
        "{told}"
    );
    assert!(!trace(&["--opcode", "ping", "-c", "20"]).contains("Session"));
}

#[test]
fn an_opcode_selects_the_packets_that_complete_such_messages() {
    let told = trace(&["--opcode", "close"]);
    assert_eq!(packets(&told), 4);
    assert!(deeds(&told).iter().all(|deed| deed.contains("close frame")), "{told}");
}

#[test]
fn blank_lines_stand_only_between_what_is_shown() {
    for flags in [
        &["--opcode", "close"][..],
        &["--session", "2"],
        &["--grep", "for mynick"],
    ] {
        let told = trace(flags);
        assert!(told.starts_with("/*\n"), "{flags:?}: {told}");
        assert!(
            told.contains("\n\n/*\n") && !told.contains("\n\n\n/*"),
            "{flags:?}: {told}"
        );
    }
}

#[test]
fn no_control_leaves_the_data_messages() {
    let told = trace(&["--no-control"]);
    assert!(packets(&told) > 20 && !told.contains("close,"));
    let deeds = deeds(&told);
    assert!(deeds.iter().all(|deed| !deed.contains("close frame")), "{deeds:?}");
}

#[test]
fn words_and_senders_select_messages() {
    let told = trace(&["--grep", "悄悄话", "--from", "client"]);
    assert_eq!(
        deeds(&told),
        [
            r#" * The browser of "猪猪" (port 37642) says "悄悄话 for mynick <b>" to "mynick" alone, over WebSocket through port 7272."#
        ]
    );
    // The server writes what is not ASCII as escapes.
    let both = trace(&["--grep", "悄悄话"]);
    assert_eq!(packets(&both), 3, "{both}");
}

#[test]
fn less_or_more_is_told() {
    let lines = |flags: &[&str]| trace(flags).lines().filter(|line| line.starts_with(" * ")).count();
    let (brief, normal) = (trace(&["-q"]), trace(&[]));
    for what in [
        "WebSocket masks what a client sends",
        "It goes to browser",
        "The same packet acknowledges",
    ] {
        assert!(normal.contains(what) && !brief.contains(what), "{what}");
    }
    assert!(brief.contains("/* Chat message from \"mynick\" */\n"), "{brief}");
    assert!(lines(&["-q"]) < lines(&[]) && lines(&[]) < lines(&["-v"]));
}

#[test]
fn the_time_since_the_packet_before_is_since_the_one_that_is_shown() {
    let lines = trace(&["--format", "tcpdump", "--opcode", "text", "-ttt"]);
    let shown = trace(&["--format", "tcpdump", "--opcode", "text", "-tt"]);
    let time = |text: &str| -> f64 { text.trim_start().split(' ').next().unwrap().parse().unwrap() };
    let mut before = None;
    for (line, shown) in lines.lines().zip(shown.lines()) {
        let now = time(shown);
        let since = time(line.trim_start().trim_start_matches("00:00:"));
        assert!((since - (now - before.unwrap_or(now))).abs() < 2e-6, "{line}\n{shown}");
        before = Some(now);
    }
    assert!(before.is_some() && lines.lines().count() == shown.lines().count());
}

#[test]
fn of_a_packet_with_several_messages_those_that_are_asked_for_are_laid_out() {
    let path = fixture("transcripts/tungstenite-vlan.pcap");
    let output = run(["-r", path.to_str().unwrap(), "--where", ".uid==870014673"]);
    let told = stdout(&output);
    assert_eq!(packets(&told), 1);
    // Another one, with another name, is in the same packet.
    assert!(
        told.contains("\"uid\": 870014673") && !told.contains("\"uid\": 873864257"),
        "{told}"
    );
}
