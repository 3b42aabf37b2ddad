//! `--extract`: payloads in files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::program::{capture, code, open_folder, run, stderr, stdout};

/// A capture with text and binary messages.
fn binary() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts/chromium-deflate.pcap")
}

fn extract(capture: &Path, folder: &Path, more: &[&str]) -> std::process::Output {
    let arguments = ["--extract", folder.to_str().unwrap(), "-r", capture.to_str().unwrap()];
    run(arguments.iter().chain(more))
}

/// The index, by the names of the files.
fn index(folder: &Path) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(folder.join("index.ndjson")).unwrap();
    let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries
        .map(|entry| (entry["file"].as_str().unwrap().to_owned(), entry))
        .collect()
}

/// The complete messages that the `json` view tells of, of these opcodes.
fn told(capture: &Path, opcodes: &[&str]) -> Vec<Value> {
    let output = run(["--format", "json", "-r", capture.to_str().unwrap()]);
    let events = stdout(&output);
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .filter(|event| event["event"] == "message" && event["complete"] == true)
        .filter(|event| opcodes.contains(&event["opcode"].as_str().unwrap()))
        .collect()
}

#[test]
#[ignore = "needs sha256sum"]
fn every_payload_is_a_file_with_the_sha_256_of_the_index() {
    let folder = open_folder();
    for (name, flags, opcodes) in [
        ("binary", &[][..], &["binary"][..]),
        ("all", &["--extract-text"], &["binary", "text"]),
    ] {
        let folder = folder.path().join(name);
        let output = extract(&binary(), &folder, flags);
        assert_eq!(
            (code(&output), stdout(&output).as_str()),
            (0, ""),
            "{}",
            stderr(&output)
        );
        let (index, told) = (index(&folder), told(&binary(), opcodes));
        assert!(index.len() > 2, "{index:?}");
        let mut lengths: Vec<u64> = index.values().map(|entry| entry["length"].as_u64().unwrap()).collect();
        let mut wanted: Vec<u64> = told.iter().map(|event| event["length"].as_u64().unwrap()).collect();
        lengths.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(lengths, wanted, "{name}");
        for (file, entry) in index {
            let sum = Command::new("sha256sum").arg(folder.join(&file)).output().unwrap();
            let sum = String::from_utf8(sum.stdout).unwrap();
            assert_eq!(sum.split(' ').next(), entry["sha256"].as_str(), "{file}");
        }
    }
}

#[test]
fn the_view_is_silent_unless_it_is_asked_for_and_the_selection_counts() {
    let folder = open_folder();
    let said = folder.path().join("said");
    let flags = ["--extract-text", "--print", "--format=messages", "--grep=hi,  all"];
    let output = extract(&capture(), &said, &flags);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let index = index(&said);
    let shown = stdout(&output);
    assert_eq!(
        index.len(),
        shown.lines().filter(|line| line.contains(" text ")).count()
    );
    assert!(!index.is_empty());
    assert!(index.keys().all(|file| file.ends_with("-text.json")), "{index:?}");
    assert!(stderr(&output).contains("payloads"), "{}", stderr(&output));
}

#[test]
fn nothing_is_written_through_a_link_or_twice_or_without_end() {
    let folder = open_folder();
    let real = folder.path().join("real");
    let output = extract(&binary(), &real, &["--max-extract-files", "2"]);
    assert_eq!((code(&output), index(&real).len()), (0, 2));
    assert!(
        stderr(&output).contains("left out beyond --max-extract-files 2"),
        "{}",
        stderr(&output)
    );
    let again = extract(&binary(), &real, &[]);
    assert_eq!(code(&again), 1);
    assert!(
        stderr(&again).contains("index.ndjson in it already"),
        "{}",
        stderr(&again)
    );
    let link = folder.path().join("link");
    symlink(&real, &link).unwrap();
    let through = extract(&binary(), &link, &[]);
    assert_eq!(code(&through), 1);
    assert!(stderr(&through).contains("symbolic link"), "{}", stderr(&through));
    let small = folder.path().join("small");
    extract(&binary(), &small, &["--extract-text", "--max-extract-bytes", "100"]);
    let bytes: u64 = index(&small)
        .values()
        .map(|entry| entry["length"].as_u64().unwrap())
        .sum();
    assert!(bytes > 0 && bytes <= 100, "{bytes}");
}
