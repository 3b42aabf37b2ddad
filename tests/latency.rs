//! Requests and their answers, against what real callers wrote down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What the program prints as JSON about a capture, and its exit code.
fn told(capture: &Path, flags: &[&str]) -> (Vec<Value>, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--format", "json", "-r"])
        .arg(capture)
        .args(flags)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (events, output.status.code().unwrap())
}

/// Each capture, and the calls as their callers saw them.
fn captures() -> Vec<(PathBuf, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/find");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "ndjson") {
            let text = std::fs::read_to_string(&path).unwrap();
            let calls: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert!(calls.len() >= 40, "{}", path.display());
            all.push((path.with_extension("pcap"), calls));
        }
    }
    assert_eq!(all.len(), 5);
    all
}

/// Packet of the request, packet of the answer, microseconds between them, and whether the answer is an error: of each answer.
type Answers = BTreeSet<(u64, u64, u64, bool)>;

fn micros(millis: &Value) -> u64 {
    (millis.as_f64().unwrap() * 1000.0).round() as u64
}

#[test]
fn every_call_has_the_answer_that_its_caller_got_and_nothing_else_is_answered() {
    for (capture, calls) in captures() {
        let mut wanted = Answers::new();
        for call in &calls {
            let packet = |name: &str| call[name].as_u64().unwrap();
            let error = call["outcome"] == "error";
            if call["outcome"] != "never" {
                wanted.insert((
                    packet("request_packet"),
                    packet("answer_packet"),
                    micros(&call["wire_ms"]),
                    error,
                ));
            }
            if call["outcome"] == "twice" {
                let second = (
                    packet("request_packet"),
                    packet("second_answer_packet"),
                    micros(&call["second_wire_ms"]),
                    error,
                );
                wanted.insert(second);
            }
        }
        let mut found = Answers::new();
        let (events, _) = told(&capture, &[]);
        for event in events.iter().filter(|event| event["event"] == "message") {
            let documents = event["documents"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|document| &document["meaning"]);
            for meaning in documents.chain([&event["meaning"]]) {
                let answers = &meaning["answers"];
                if answers.is_object() {
                    let packet = event["packet"].as_u64().unwrap();
                    let request = answers["packet"].as_u64().unwrap();
                    let is_new = found.insert((
                        request,
                        packet,
                        micros(&answers["after_ms"]),
                        meaning["action"] == "error",
                    ));
                    assert!(is_new, "{event}");
                }
            }
        }
        assert_eq!(found, wanted, "{}", capture.display());
    }
}

#[test]
fn the_summary_counts_outcomes_and_tells_percentiles_by_method() {
    for (capture, calls) in captures() {
        let mut methods: BTreeMap<Option<&str>, Vec<&Value>> = BTreeMap::new();
        for call in &calls {
            methods.entry(call["method"].as_str()).or_default().push(call);
        }
        let (events, _) = told(&capture, &["--summary"]);
        let summary = events.last().unwrap();
        let told = summary["latencies"].as_array().unwrap();
        assert_eq!(told.len(), methods.len(), "{}: {told:?}", capture.display());
        for latency in told {
            let calls = &methods[&latency["method"].as_str()];
            for (name, outcome) in [("never", "never"), ("twice", "twice"), ("errors", "error")] {
                let count = calls.iter().filter(|call| call["outcome"] == outcome).count();
                assert_eq!(latency[name], count, "{}: {latency}", capture.display());
            }
            let mut times: Vec<f64> = calls.iter().filter_map(|call| call["wire_ms"].as_f64()).collect();
            percentiles(latency, &mut times);
        }
        let mut deliveries: Vec<f64> = calls
            .iter()
            .flat_map(|call| call["deliveries"].as_array().into_iter().flatten())
            .map(|delivery| delivery["wire_ms"].as_f64().unwrap())
            .collect();
        if !deliveries.is_empty() {
            percentiles(&summary["deliveries"], &mut deliveries);
        }
    }
}

/// They are those of the nearest rank, within 0.4 % and what the truth is rounded by.
fn percentiles(told: &Value, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    assert_eq!(told["count"], times.len());
    for (name, percent) in [("p50_ms", 50), ("p90_ms", 90), ("p99_ms", 99), ("max_ms", 100)] {
        let exact = times[(times.len() * percent).div_ceil(100) - 1];
        let told = told[name].as_f64().unwrap();
        assert!(
            (told - exact).abs() <= exact * 0.004 + 0.002,
            "{name}: {told}, not {exact}"
        );
    }
}

#[test]
fn answers_that_come_later_than_allowed_or_never_are_violations() {
    for (capture, calls) in captures() {
        let late = |call: &&Value| call["wire_ms"].as_f64().is_some_and(|millis| millis > 200.0);
        let packets = |calls: &mut dyn Iterator<Item = &Value>, name: &str| -> BTreeSet<u64> {
            calls.map(|call| call[name].as_u64().unwrap()).collect()
        };
        let (events, code) = told(&capture, &["--check", "--max-answer", "200ms", "--summary"]);
        let of = |id: &str| packets(&mut events.iter().filter(|event| event["id"] == id), "packet");
        let wanted_late = packets(&mut calls.iter().filter(late), "answer_packet");
        let never = |call: &&Value| call["outcome"] == "never";
        let wanted_never = packets(&mut calls.iter().filter(never), "request_packet");
        assert_eq!(of("app.late-answer"), wanted_late, "{}", capture.display());
        assert_eq!(of("app.no-answer"), wanted_never, "{}", capture.display());
        let all = wanted_late.len() + wanted_never.len();
        assert_eq!(code, if all > 0 { 3 } else { 0 });
        let counted = events.last().unwrap()["violations"].as_object().unwrap();
        assert_eq!(
            counted.values().map(|count| count.as_u64().unwrap()).sum::<u64>(),
            all as u64
        );
        for event in events.iter().filter(|event| event["event"] == "violation") {
            assert!(event["rfc"].is_null(), "{event}");
        }
    }
}
