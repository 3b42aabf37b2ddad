//! Real conversations against what their two ends wrote down: every message that the capture holds, in order, and no other.
//!
//! Also whole conversations whose capture begins later and later: nothing false is told of any of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Opcode, length and SHA-256 of the application's bytes.
type Message = (String, u64, String);

/// By client port and direction, in wire order.
type Conversations<T> = BTreeMap<(u64, String), Vec<T>>;

#[test]
fn what_the_ends_said_is_what_is_read() {
    let mut captures = 0;
    for file in fixtures("transcripts").into_iter().chain(fixtures("tls")) {
        if file
            .extension()
            .is_none_or(|kind| kind == "ndjson" || kind == "md" || kind == "keylog")
        {
            continue;
        }
        captures += 1;
        let written = written(&file.with_extension("ndjson"));
        let read = read(&file);
        let unknown: Vec<_> = read.keys().filter(|key| !written.contains_key(*key)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", file.display());
        for (key, written) in &written {
            let read = read.get(key).map_or(&[][..], Vec::as_slice);
            if let Err(message) = agree(written, read) {
                panic!("{}, {key:?}: {message}", file.display());
            }
        }
    }
    assert!(captures >= 10, "only {captures} captures");
}

#[test]
fn both_ends_of_a_lossy_link_show_the_same_messages() {
    let folder = folder();
    let [client, server] = ["client", "server"].map(|end| read(&folder.join(format!("lossy-link-{end}.pcap"))));
    assert_eq!(client, server);
}

#[test]
fn nothing_false_is_told_of_a_capture_that_begins_anywhere() {
    for name in [
        "lossy-link-client",
        "chromium-deflate",
        "ipv4-fragments",
        "tungstenite-vlan",
    ] {
        let file = folder().join(name).with_extension("pcap");
        let mut written = written(&file.with_extension("ndjson"));
        for (_, must) in written.values_mut().flatten() {
            *must = false;
        }
        let bytes = std::fs::read(&file).unwrap();
        let late = tempfile::Builder::new().suffix(".pcap").tempfile().unwrap();
        for start in packets(&bytes).into_iter().step_by(9) {
            std::fs::write(late.path(), [&bytes[..24], &bytes[start..]].concat()).unwrap();
            for (key, read) in read(late.path()) {
                if let Err(message) = agree(&written[&key], &read) {
                    panic!("{name} from byte {start} on, {key:?}: {message}");
                }
            }
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts")
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Where each packet of a little-endian savefile begins.
fn packets(bytes: &[u8]) -> Vec<usize> {
    let mut at = 24;
    let mut starts = Vec::new();
    while let Some(length) = bytes.get(at + 8..at + 12) {
        starts.push(at);
        at += 16 + u32::from_le_bytes(length.try_into().unwrap()) as usize;
    }
    starts
}

/// What the ends wrote down, and whether the capture holds it.
fn written(transcript: &Path) -> Conversations<(Message, bool)> {
    let mut conversations = Conversations::new();
    for line in std::fs::read_to_string(transcript).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["opcode"].is_null() {
            continue;
        }
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let said = (text("opcode"), line["len"].as_u64().unwrap(), text("sha256"));
        let held = line.get("before_capture").is_none()
            && line.get("incomplete").is_none()
            && line.get("wire_complete") != Some(&Value::Bool(false));
        conversations
            .entry((line["client_port"].as_u64().unwrap(), text("dir")))
            .or_default()
            .push((said, held));
    }
    conversations
}

/// The whole messages that our program reads, with the key log beside the capture, if there is one.
fn read(capture: &Path) -> Conversations<Message> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"));
    let log = capture.with_extension("keylog");
    if log.exists() {
        command.arg("--keylog").arg(log);
    }
    let output = command
        .args(["--format", "json", "-r"])
        .arg(capture)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut conversations = Conversations::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["event"] != "message" || event["complete"] == false {
            continue;
        }
        let bytes = match (&event["text"], &event["base64"]) {
            (Value::String(text), _) => text.clone().into_bytes(),
            (_, Value::String(text)) => STANDARD.decode(text).unwrap(),
            _ => panic!("a whole message without content: {line}"),
        };
        let digest = Sha256::digest(&bytes);
        let message = (
            event["opcode"].as_str().unwrap().to_owned(),
            event["length"].as_u64().unwrap(),
            digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        );
        let port = event["client"].as_str().unwrap().rsplit_once(':').unwrap().1;
        let direction = match event["direction"].as_str() {
            Some("client-to-server") => "c2s",
            _ => "s2c",
        };
        conversations
            .entry((port.parse().unwrap(), direction.to_owned()))
            .or_default()
            .push(message);
    }
    conversations
}

/// Whether `read` is what was `written`, in its order, perhaps without what the capture does not hold.
fn agree(written: &[(Message, bool)], read: &[Message]) -> Result<(), String> {
    // How much of `read` may be explained so far: more than one answer when the same is said twice.
    let mut explained = BTreeSet::from([0]);
    for (place, (said, held)) in written.iter().enumerate() {
        let next: BTreeSet<_> = explained
            .iter()
            .flat_map(|&n| [(!held).then_some(n), (read.get(n) == Some(said)).then_some(n + 1)])
            .flatten()
            .collect();
        if next.is_empty() {
            let n = explained.last().copied().unwrap_or_default();
            return Err(format!(
                "message {place}, {said:?}, is not read; instead: {:?}",
                read.get(n)
            ));
        }
        explained = next;
    }
    let most = explained.last().copied().unwrap_or_default();
    match explained.contains(&read.len()) {
        true => Ok(()),
        false => Err(format!("nobody said {:?}", read.get(most))),
    }
}

#[test]
fn agreeing_is_to_the_letter() {
    let message = |content: &str| ("text".to_owned(), content.len() as u64, content.to_owned());
    let written = [("a", true), ("b", false), ("a", true)].map(|(content, held)| (message(content), held));
    let read = |contents: &[&str]| contents.iter().map(|content| message(content)).collect::<Vec<_>>();
    for good in [&["a", "a"][..], &["a", "b", "a"]] {
        assert_eq!(agree(&written, &read(good)), Ok(()));
    }
    for bad in [
        &["a"][..],
        &["a", "b"],
        &["b", "a", "a"],
        &["a", "a", "a"],
        &["a", "c", "a"],
        &[],
    ] {
        assert!(agree(&written, &read(bad)).is_err(), "{bad:?}");
    }
}
