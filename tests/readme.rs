//! What the README shows is what the program prints.

use std::process::Command;

const CAPTURE: &str = "fixtures/workerman-chat-2014/capture.pcap";

fn printed(flags: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["-r", CAPTURE, "--lang", "en"])
        .args(flags)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TZ", "Asia/Shanghai")
        .output()
        .expect("the program runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("the views are UTF-8")
}

/// What stands in the README's fence below the command that contains `command`, up to the next command.
fn shown(command: &str) -> String {
    let readme = include_str!("../README.md");
    let start = readme.find(command).expect("the README shows the command");
    let lines = readme[start..].lines().skip(1);
    lines
        .take_while(|l| !l.starts_with("```") && !l.starts_with("$ "))
        .map(|l| format!("{l}\n"))
        .collect()
}

#[test]
fn the_session_is_real() {
    let session = shown("$ wschat-sniff -Ans 4096 -iany port 7272");
    assert!(session.lines().count() > 50, "the session was found");
    assert!(
        printed(&["-Ans", "4096"]).contains(&session),
        "the README shows an old session:\n{session}"
    );
}

#[test]
fn the_messages_are_real() {
    let lines = shown(&format!("$ wschat-sniff -r {CAPTURE} --format messages\n"));
    assert!(lines.lines().count() > 2, "the lines were found");
    assert!(
        printed(&["--format", "messages"]).ends_with(&lines),
        "the README shows old messages:\n{lines}"
    );
}

#[test]
fn the_comparison_is_real() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/find");
    for side in ["edge", "app"] {
        let name = format!("{side}.pcap");
        std::fs::copy(fixtures.join(format!("hap_idle2s_lo_{name}")), folder.path().join(name)).expect("it is there");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["-r", "edge.pcap", "--compare", "app.pcap", "--lang", "en"])
        .current_dir(folder.path())
        .output()
        .expect("the program runs");
    let lines = shown("$ wschat-sniff -r edge.pcap --compare app.pcap\n");
    assert!(
        lines.contains("the proxy closed it after 2.0 s of silence"),
        "the lines were found"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), lines);
}

/// The commands of the README that read a file, without the comments behind them.
fn commands() -> Vec<&'static str> {
    let lines = include_str!("../README.md").lines();
    let commands = lines.filter_map(|line| {
        line.strip_prefix("$ ")
            .filter(|command| command.contains(" -r fixtures/"))
    });
    commands
        .map(|command| command.split("    #").next().unwrap_or_default())
        .collect()
}

/// Types a command into a shell; gives what it prints.
fn typed(command: &str) -> String {
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", path)
        .env("TZ", "Asia/Shanghai")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("there is a shell");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {complaint}");
    String::from_utf8(output.stdout).expect("the views are UTF-8")
}

/// What is printed ends with what the README shows below the command, if it shows anything.
fn same(command: &str) {
    assert!(typed(command).ends_with(&shown(command)), "{command}");
}

#[test]
fn every_command_on_a_file_runs_and_prints_what_is_shown() {
    let commands = commands();
    assert!(commands.len() >= 5, "{commands:?}");
    commands
        .into_iter()
        .filter(|command| !command.contains('|'))
        .for_each(same);
}

#[test]
#[ignore = "needs jq"]
fn every_command_with_jq_runs_and_prints_what_is_shown() {
    commands()
        .into_iter()
        .filter(|command| command.contains("| jq"))
        .for_each(same);
}
