//! Captures in which somebody forged packets: what the receiver read is told, and where two copies differ that is told as well.

use std::path::Path;
use std::process::Command;

/// What the program prints of `fixtures/attacks/NAME.pcap`.
fn output(name: &str, flags: &[&str]) -> String {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/attacks/{name}.pcap"));
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["-n", "-r"])
        .arg(capture)
        .args(flags)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The texts of all messages in order, from `json`.
fn messages(name: &str) -> Vec<String> {
    let lines = output(name, &["--format", "json"]);
    let records = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    records
        .filter(|record| record["event"] == "message")
        .map(|record| record["text"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The rules that were broken, from `json`; `--check` and `--summary` must agree.
fn broken(name: &str) -> Vec<String> {
    let lines = output(name, &["--format", "json"]);
    let records = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let rules: Vec<String> = records
        .filter(|record| record["event"] == "violation")
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    for flags in [&["--check"][..], &["--format", "messages", "--summary"]] {
        let told = output(name, flags);
        for rule in &rules {
            assert!(told.contains(rule), "{rule} is not in {flags:?}:\n{told}");
        }
    }
    rules
}

#[test]
fn four_blind_segments_silence_nobody() {
    let said = messages("blind-data");
    let from_client = said
        .iter()
        .filter(|text| text.starts_with("msg") || !text.is_empty())
        .count();
    assert!(from_client >= 200, "{from_client} of 200");
}

#[test]
fn a_spoofed_syn_and_its_segment_do_not_end_a_session() {
    let said = messages("spoofed-syn");
    assert!(
        said.iter().any(|text| text.contains("two")) && said.iter().any(|text| text.contains("srv")),
        "{said:?}"
    );
    assert!(
        !said.iter().any(|text| text.to_lowercase().contains("forged")),
        "{said:?}"
    );
    assert!(!output("spoofed-syn", &["--format", "json"]).contains(r#""session":2"#));
}

#[test]
fn a_forged_fin_does_not_hide_what_follows() {
    assert_eq!(messages("forged-fin").len(), 7, "{:?}", messages("forged-fin"));
}

#[test]
fn a_packet_from_2106_ends_no_session() {
    let lines = output("packet-from-2106", &["--format", "json"]);
    assert!(!lines.contains(r#""how":"idle""#), "{lines}");
    assert_eq!(messages("packet-from-2106").len(), 4);
}

#[test]
fn of_two_copies_the_receivers_is_told_and_the_difference() {
    for name in ["beyond-window", "wrong-checksum", "short-ttl", "overlap", "syn-data"] {
        let said = messages(name);
        let rules = broken(name);
        assert!(
            !rules.is_empty() && rules.iter().all(|rule| rule == "tcp.different-bytes"),
            "{name}: {rules:?}"
        );
        // Of bytes that were in order and overlap what came before, every receiver has taken the first.
        let forged = said.iter().any(|text| text.contains("EVIL"));
        assert_eq!(forged, name == "overlap", "{name}: {said:?}");
    }
}

#[test]
fn an_urgent_byte_is_told() {
    assert_eq!(broken("urgent"), ["tcp.urgent-data"]);
}

#[test]
fn of_packets_captured_twice_each_second_one_is_a_copy() {
    let told = output("dup-fin", &["--lang", "en"]);
    assert_eq!(
        told.matches("This very packet was captured before").count(),
        16,
        "{told}"
    );
}
