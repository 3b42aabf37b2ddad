//! `--format pdu` and `--format pcapng`: what tshark, capinfos and tcpdump make of them, over all fixtures.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::conversation::{Conversation, frame};
use super::program::{capture, code, open_folder, run, stderr, stdout};

/// All captures among the fixtures, each with the flags that it needs.
pub(crate) fn fixtures() -> Vec<(PathBuf, Vec<String>)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if kind.starts_with("pcap") {
                let keys = path.with_extension("keylog");
                let mut flags = vec!["-r".to_owned(), path.to_str().unwrap().to_owned()];
                if keys.exists() {
                    flags.extend(["--keylog".to_owned(), keys.to_str().unwrap().to_owned()]);
                }
                found.push((path, flags));
            }
        }
    }
    found.sort();
    assert!(found.len() > 50);
    found
}

/// The events of a capture.
pub(crate) fn events(flags: &[String]) -> Vec<Value> {
    let output = run(flags.iter().map(String::as_str).chain(["--format", "json"]));
    let lines = stdout(&output);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The complete messages among them.
pub(crate) fn complete(events: &[Value]) -> Vec<&Value> {
    let is = |event: &&Value| event["event"] == "message" && event["complete"] == true;
    events.iter().filter(is).collect()
}

/// Writes an export of a capture.
fn export(format: &str, flags: &[String], to: &Path) {
    let to = to.to_str().unwrap();
    let output = run(flags
        .iter()
        .map(String::as_str)
        .chain(["--format", format, "--force", "--output", to]));
    assert!(stderr(&output).contains("passwords"), "{flags:?}: {}", stderr(&output));
}

/// What tshark says, a line a packet, of those that `filter` lets through.
pub(crate) fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command
        .arg("-n")
        .arg("-r")
        .arg(file)
        .args(["-Y", filter, "-T", "fields"]);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}: {}", file.display(), stderr(&output));
    let text = stdout(&output);
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect();
    text.lines().map(columns).collect()
}

fn says(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "say",
        Value::Array(items) => items.iter().any(says),
        Value::Object(members) => members.values().any(says),
        _ => false,
    }
}

#[test]
#[ignore = "needs tshark"]
fn tshark_finds_every_complete_say_in_the_pdus() {
    let folder = open_folder();
    let file = folder.path().join("x.pcapng");
    let mut found = BTreeMap::new();
    for (capture, flags) in fixtures() {
        let events = events(&flags);
        let complete = complete(&events);
        if complete.is_empty() {
            continue;
        }
        export("pdu", &flags, &file);
        let packets = tshark(&file, "frame", &["exported_pdu.orig_fno", "ip.src", "ipv6.src"]);
        let numbers: Vec<&str> = packets.iter().map(|packet| packet[0].as_str()).collect();
        let wanted: Vec<String> = complete.iter().map(|event| event["packet"].to_string()).collect();
        assert_eq!(numbers, wanted, "{}", capture.display());
        let wanted: Vec<String> = complete
            .iter()
            .filter(|event| event.get("json").is_some_and(says))
            .map(|event| event["packet"].to_string())
            .collect();
        let said = tshark(&file, "json.value.string == \"say\"", &["exported_pdu.orig_fno"]);
        assert_eq!(said.concat(), wanted, "{}", capture.display());
        let parts: Vec<_> = capture
            .iter()
            .rev()
            .take(2)
            .map(|part| part.to_str().unwrap())
            .collect();
        found.insert(format!("{}/{}", parts[1], parts[0]), wanted.len());
    }
    // Late, lossy, compressed.
    for name in ["begun-late.pcap", "lossy-link-client.pcap", "chromium-deflate.pcap"] {
        assert!(found[&format!("transcripts/{name}")] > 0, "no say in {name}: {found:?}");
    }
    // Of these, only other messages are JSON.
    for name in ["tls/gnutls.pcap", "http2/h2c-four-streams.pcap"] {
        assert!(found.contains_key(name), "no message in {name}: {found:?}");
    }
}

/// Packets, bytes, and the times of the first and the last packet.
fn capinfos(file: &Path) -> Vec<String> {
    let output = Command::new("capinfos")
        .args(["-T", "-r", "-c", "-d", "-S", "-a", "-e"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    // A file of microseconds is written with nanoseconds.
    let time = |field: &str| field.trim_end_matches('0').to_owned();
    stdout(&output).trim().split('\t').skip(1).map(time).collect()
}

#[test]
#[ignore = "needs tshark and tcpdump"]
fn the_pcapng_is_the_capture_with_comments() {
    let folder = open_folder();
    let file = folder.path().join("x.pcapng");
    let mut comments = 0;
    for (capture, flags) in fixtures() {
        export("pcapng", &flags, &file);
        // tshark takes the seconds for unsigned, tcpdump does not.
        if !capture.ends_with("packet-from-2106.pcap") {
            assert_eq!(capinfos(&file), capinfos(&capture), "{}", capture.display());
        }
        let lines = |file: &Path| {
            let output = Command::new("tcpdump")
                .args(["-n", "-vv", "-e", "-X", "-tttt", "-r"])
                .arg(file)
                .output();
            stdout(&output.unwrap())
        };
        assert_eq!(lines(&file), lines(&capture), "{}", capture.display());
        let commented: BTreeMap<String, String> = tshark(&file, "frame.comment", &["frame.number", "frame.comment"])
            .into_iter()
            .map(|mut packet| (packet.remove(0), packet.join("\t")))
            .collect();
        let events = events(&flags);
        for message in complete(&events) {
            let Some(text) = message["text"].as_str() else { continue };
            let plain = text.chars().all(|ch| matches!(ch, ' '..='~') && ch != '\\');
            if message["opcode"] == "text" && plain && text.len() < 40_000 {
                let comment = commented.get(&message["packet"].to_string());
                assert!(
                    comment.is_some_and(|comment| comment.contains(text)),
                    "{}: {message}",
                    capture.display()
                );
                comments += 1;
            }
        }
    }
    assert!(comments > 500, "{comments}");
}

#[test]
#[ignore = "needs tshark"]
fn a_comment_is_found_by_what_was_said() {
    let folder = open_folder();
    let file = folder.path().join("x.pcapng");
    let capture = capture();
    export(
        "pcapng",
        &["-r".to_owned(), capture.to_str().unwrap().to_owned()],
        &file,
    );
    let numbers = tshark(&file, "frame.comment contains \"hi,  all !\"", &["frame.number"]);
    assert_eq!(numbers.concat(), ["29", "30", "32"]);
    let told = tshark(&file, "frame.comment contains \"says \\\"hi,\"", &["frame.number"]);
    assert_eq!(told.concat(), ["29"]);
}

#[test]
#[ignore = "needs tshark"]
fn a_pdu_that_is_too_long_is_cut_and_says_so() {
    let folder = open_folder();
    let file = folder.path().join("x.pcapng");
    let mut long = Conversation::open(40_000, "/", "", "");
    let message = frame(0x81, None, &[b'a'; 300_000]);
    message.chunks(60_000).for_each(|part| long.send(false, part));
    let capture = long.write(folder.path(), "long.pcap");
    export("pdu", &["-r".to_owned(), capture.to_str().unwrap().to_owned()], &file);
    let packets = tshark(
        &file,
        "frame.comment contains \"cut: \"",
        &["frame.cap_len", "frame.len", "frame.comment"],
    );
    assert_eq!(packets.len(), 1, "{packets:?}");
    assert_eq!(packets[0][0], "262144");
    let tags = packets[0][1].parse::<usize>().unwrap() - 300_000;
    let left_out = 300_000 + tags - 262_144;
    assert_eq!(
        packets[0][2],
        format!("cut: {left_out} of the message's 300000 bytes are left out")
    );
}

#[test]
#[ignore = "needs tshark"]
fn secrets_in_the_capture_are_kept_only_when_they_are_wanted() {
    let folder = open_folder();
    let file = folder.path().join("x.pcapng");
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls/secrets-in-capture.pcapng");
    let decrypted = |file: &Path| tshark(file, "websocket", &["frame.number"]).len();
    let write = |more: &[&str]| {
        let all = ["-r", capture.to_str().unwrap()]
            .into_iter()
            .chain(more.iter().copied());
        let output = run(all);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stderr(&output).contains("Decryption Secrets Blocks")
    };
    let to = ["--force", "--output", file.to_str().unwrap()];
    assert!(write(&[&["--format", "pcapng"], &to[..]].concat()));
    assert_eq!(decrypted(&file), 0);
    assert!(!write(&[&["--format", "pcapng", "--with-secrets"], &to[..]].concat()));
    assert!(decrypted(&file) > 0);
    assert!(write(&["-w", folder.path().join("w.pcap").to_str().unwrap()]));
}

/// A refused upgrade with credentials in every place that a handshake has.
#[test]
fn har_and_html_hold_no_credential_of_a_handshake() {
    let secret = "pLanted-s3cret";
    let folder = open_folder();
    let body = format!("no such session: {secret}");
    let mut refused = Conversation::new(40_000);
    let asked = format!(
        "GET http://me:{secret}@h.test/token/{secret}?next=%2F%3Ftoken%3D{secret}&user%5Bpassword%5D={secret} HTTP/1.0\r\n\
         Host: me:{secret}@h.test\r\nOrigin: https://me:{secret}@h.test\r\nReferer: https://h.test/#id_token={secret}\r\n\
         Cookie: a=b; sid={secret}\r\nAuthorization: Bearer {secret}\r\nX-Auth-Key: {secret}\r\nX-Other: Bearer {secret}\r\n\
         Ocp-Apim-Subscription-Key: {secret}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: bearer, {secret}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    refused.send(true, asked.as_bytes());
    let answered = format!(
        "HTTP/1.1 403 No {secret}\r\nSet-Cookie: sid={secret}\r\nLocation: /#access_token={secret}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    refused.send(false, answered.as_bytes());
    refused.end();
    let capture = refused.write(folder.path(), "refused.pcap");
    for format in ["har", "html"] {
        let all = ["-r", capture.to_str().unwrap(), "--format", format];
        let output = run(all);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let text = stdout(&output);
        assert!(
            text.contains("403") && text.contains("REDACTED") && !text.contains("s3cret"),
            "{text}"
        );
        assert!(text.contains("HTTP/1.0"), "{text}");
        let kept = stdout(&run(all.into_iter().chain(["--with-secrets"])));
        assert!(kept.matches(secret).count() > 10, "{kept}");
    }
}
