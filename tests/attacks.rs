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
    let from_client = messages("blind-data").iter().filter(|text| !text.is_empty()).count();
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
fn fragments_that_contradict_each_other_are_told() {
    assert_eq!(broken("overlapping-fragments"), ["tcp.different-bytes"]);
    let said = messages("overlapping-fragments");
    assert_eq!(said.len(), 1, "{said:?}");
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

/// Every line of the JSON view is read by Python's `json` when that is there, by ours in any case; the events.
fn events_that_readers_take(name: &str) -> Vec<serde_json::Value> {
    let lines = output(name, &["--format", "json"]);
    let python = "import json, sys\nfor line in sys.stdin: json.loads(line)";
    if let Ok(mut reader) = Command::new("python3")
        .args(["-c", python])
        .stdin(std::process::Stdio::piped())
        .spawn()
    {
        use std::io::Write;
        let _ = reader.stdin.take().unwrap().write_all(lines.as_bytes());
        assert!(reader.wait().unwrap().success(), "{name}");
    }
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn json_that_readers_refuse_is_left_to_the_text() {
    for name in ["half-a-surrogate-pair", "long-integer"] {
        let events = events_that_readers_take(name);
        let messages: Vec<_> = events.iter().filter(|event| event["event"] == "message").collect();
        let without = messages
            .iter()
            .filter(|message| {
                message["text"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(['{', '[']))
            })
            .filter(|message| message.get("json").is_none());
        assert_eq!(without.count(), 1, "{name}");
        assert_eq!(events.last().unwrap()["event"], "session-end", "{name}");
    }
}

#[test]
fn deep_nesting_does_not_make_gigabytes_of_blanks() {
    let told = output("deep-nesting", &["--full"]);
    assert!(told.len() < 17 << 20, "{} bytes", told.len());
    assert!(told.contains("End of sessions"));
}

#[test]
fn a_text_of_control_characters_is_not_written_as_escapes() {
    let events = events_that_readers_take("delete-characters");
    let large = |event: &&serde_json::Value| event["length"].as_u64().is_some_and(|length| length > 1 << 20);
    let message = events.iter().find(large).unwrap();
    assert!(message["base64"].is_string() && message.get("json").is_none() && message.get("text").is_none());
    assert!(output("delete-characters", &["--format", "messages"]).len() < 1 << 20);
}
