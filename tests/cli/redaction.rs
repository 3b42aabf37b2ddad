//! `--redact`: nothing secret is in the file, and it still decodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;

use super::conversation::{Conversation, frame};
use super::exports::{complete, events, fixtures, tshark};
use super::program::{capture, code, command, open_folder, run, stderr, stdout};

const SECRET: &str = "pLanted-s3cret";
const KEY: Option<[u8; 4]> = Some([0x3c, 0x31, 0x37, 0x44]);

/// Redacts a capture; gives what was said on standard error.
fn redact(flags: &[String], to: &Path, more: &[&str]) -> String {
    let output = run(flags
        .iter()
        .map(String::as_str)
        .chain(["--force", "--redact", to.to_str().unwrap()])
        .chain(more.iter().copied()));
    assert_eq!(stdout(&output), "", "{flags:?}");
    assert_eq!(code(&output), 0, "{flags:?}: {}", stderr(&output));
    stderr(&output)
}

fn read(path: &Path) -> Vec<String> {
    vec!["-r".to_owned(), path.to_str().unwrap().to_owned()]
}

/// How many complete messages of each kind each side sent.
fn counts(events: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for message in complete(events) {
        *counts
            .entry(format!("{} {}", message["direction"], message["opcode"]))
            .or_default() += 1;
    }
    counts
}

/// What `--check` finds, and how often.
fn violations(events: &[Value]) -> BTreeSet<String> {
    let broken = events.iter().filter(|event| event["event"] == "violation");
    broken.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// A session in which the secret stands in nearly every place where one can; the places are counted.
fn planted(folder: &Path) -> (Vec<PathBuf>, usize) {
    let json = |secret: &str| format!(r#"{{"type":"login","name":"me","password":"{secret}"}}"#);
    let mut plain = Conversation::open(
        40_001,
        &format!("/token/{SECRET}/chat?room=1&access_token={SECRET}"),
        &format!(
            "Cookie: sid={SECRET}\r\nX-Whatever: {SECRET}\r\nUser-Agent: {SECRET}\r\nOrigin: http://me:{SECRET}@h\r\nAuthorization: Bearer {SECRET}\r\nSec-WebSocket-Protocol: chat, {SECRET}\r\n"
        ),
        &format!("Sec-WebSocket-Protocol: chat\r\nSet-Cookie: sid={SECRET}\r\n"),
    );
    // Masked; in the clear.
    plain.send(true, &frame(0x81, KEY, json(SECRET).as_bytes()));
    plain.send(false, &frame(0x81, None, json(SECRET).as_bytes()));
    // In fragments, between which a ping stands.
    let text = json(SECRET);
    let (one, two) = text.as_bytes().split_at(45);
    plain.send(true, &frame(0x01, KEY, one));
    plain.send(true, &frame(0x89, KEY, SECRET.as_bytes()));
    plain.send(false, &frame(0x8a, None, SECRET.as_bytes()));
    plain.send(true, &frame(0x80, Some([1, 2, 3, 4]), two));
    // The name and the first letter escaped.
    let escaped = format!(r#"{{"\u0070assword":"\u0070{}"}}"#, &SECRET[1..]);
    plain.send(true, &frame(0x81, KEY, escaped.as_bytes()));
    // Over two packets.
    let long = frame(0x81, KEY, json(SECRET).as_bytes());
    plain.send(true, &long[..50]);
    plain.send(true, &long[50..]);
    // JSON in a string of JSON; a query in a text; binary.
    let nested = serde_json::json!(["x", serde_json::json!({ "token": SECRET }).to_string()]).to_string();
    plain.send(true, &frame(0x81, KEY, nested.as_bytes()));
    plain.send(true, &frame(0x81, KEY, format!("see /x?token={SECRET}&a=b").as_bytes()));
    plain.send(false, &frame(0x82, None, &[b"\x00\x01", SECRET.as_bytes()].concat()));
    // Written in other ways.
    let base = STANDARD.encode(SECRET);
    for text in [
        format!("go=%2F%3Faccess_token%3D{SECRET}"),
        format!("<password>{SECRET}</password>"),
        format!("&quot;password&quot;:&quot;{SECRET}&quot;"),
        format!(r#"["Authorization","Basic {base}"]"#),
        format!(r#"{{"name":"password","value":"{SECRET}"}}"#),
        format!(r#"{{"token":{{"a":["{SECRET}"#),
    ] {
        plain.send(true, &frame(0x81, KEY, text.as_bytes()));
    }
    // A close reason.
    let reason = [&1000_u16.to_be_bytes(), SECRET.as_bytes()].concat();
    plain.send(true, &frame(0x88, KEY, &reason));
    plain.send(false, &frame(0x88, None, &reason));
    plain.end();
    // Deflated.
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(json(SECRET).as_bytes()).unwrap();
    packed.flush().unwrap();
    let packed = packed.get_ref().strip_suffix(&[0, 0, 0xff, 0xff]).unwrap();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut deflated = Conversation::open(40_002, &format!("/?{SECRET}"), offer, offer);
    deflated.send(true, &frame(0xc1, KEY, packed));
    deflated.send(false, &frame(0xc1, None, packed));
    deflated.send(true, &frame(0x89, KEY, SECRET.as_bytes()));
    deflated.end();
    // Not whole: the rest never comes.
    let mut broken = Conversation::open(40_003, "/", "", "");
    broken.send(true, &long[..60]);
    // No WebSocket at all.
    let mut other = Conversation::new(40_004);
    other.send(
        true,
        format!("GET /?token={SECRET} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(),
    );
    other.send(
        false,
        format!("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{SECRET}").as_bytes(),
    );
    other.end();
    let pcap = plain
        .join(deflated)
        .join(broken)
        .join(other)
        .write(folder, "planted.pcap");
    // In comments of a pcapng file, the name of its interface and the names of its addresses.
    let commented = folder.join("commented.pcapng");
    let status = Command::new("editcap")
        .args([
            "-F",
            "pcapng",
            "-a",
            &format!("3:{SECRET}"),
            "--capture-comment",
            SECRET,
        ])
        .args([&pcap, &commented])
        .status()
        .unwrap();
    assert!(status.success());
    fs::write(&commented, named(&fs::read(&commented).unwrap())).unwrap();
    // All of it is in there.
    let bytes = fs::read(&commented).unwrap();
    assert!(
        bytes
            .windows(SECRET.len())
            .filter(|part| *part == SECRET.as_bytes())
            .count()
            > 10
    );
    (vec![pcap, commented], 20)
}

/// A pcapng file with the secret as the name of its interface and of an address.
fn named(file: &[u8]) -> Vec<u8> {
    let padded = |bytes: &[u8]| [bytes, &vec![0; bytes.len().wrapping_neg() % 4]].concat();
    let part = |kind: u16, value: &[u8]| {
        let head = [kind.to_le_bytes(), (value.len() as u16).to_le_bytes()].concat();
        [head, padded(value)].concat()
    };
    let block = |kind: u32, body: &[u8]| {
        let length = (body.len() as u32 + 12).to_le_bytes();
        [&kind.to_le_bytes(), &length, body, &length].concat()
    };
    let mut out = Vec::new();
    let mut rest = file;
    while let Some((head, _)) = rest.split_at_checked(8) {
        let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let (whole, behind) = rest.split_at(number(4) as usize);
        if number(0) == 1 {
            // Link type and snapshot length, and the name.
            out.extend(block(
                1,
                &[&whole[8..16], &part(2, SECRET.as_bytes()), &part(0, b"")].concat(),
            ));
            let address = [&[10, 0, 0, 1], SECRET.as_bytes(), b"\0"].concat();
            out.extend(block(4, &[part(1, &address), part(0, b"")].concat()));
        } else {
            out.extend_from_slice(whole);
        }
        rest = behind;
    }
    out
}

#[test]
#[ignore = "needs tshark"]
fn a_secret_is_nowhere_in_the_file_raw_or_decoded() {
    let folder = open_folder();
    let (captures, places) = planted(folder.path());
    let to = folder.path().join("redacted.pcapng");
    for capture in &captures {
        let before = events(&read(capture));
        let seen = before
            .iter()
            .map(|event| event.to_string().matches("s3cret").count())
            .sum::<usize>();
        assert!(seen >= places, "{seen}");
        redact(&read(capture), &to, &[]);
        let bytes = fs::read(&to).unwrap();
        let encoded = STANDARD.encode(SECRET);
        for secret in [SECRET, "s3cret", &encoded[..16]] {
            assert!(
                !bytes.windows(secret.len()).any(|part| part == secret.as_bytes()),
                "{secret}"
            );
        }
        let after = events(&read(&to));
        for event in &after {
            assert!(!event.to_string().contains("s3cret"), "{event}");
        }
        assert_eq!(counts(&after), counts(&before));
        assert_eq!(violations(&after).difference(&violations(&before)).count(), 0);
        // tshark unmasks by itself.
        let decoded = Command::new("tshark")
            .args(["-n", "-V", "-x", "-r"])
            .arg(&to)
            .output()
            .unwrap();
        assert!(!stdout(&decoded).contains("s3cret"));
        assert!(!stdout(&Command::new("capinfos").arg(&to).output().unwrap()).contains("s3cret"));
        assert!(stdout(&decoded).contains("\"type\":\"login\""));
    }
}

#[test]
fn a_plain_session_keeps_its_lengths_masks_and_numbers() {
    let folder = open_folder();
    let to = folder.path().join("redacted.pcapng");
    let capture = capture();
    let said = redact(&read(&capture), &to, &["--redact-value", "hi, +all"]);
    assert!(said.contains("2 sessions as captured"), "{said}");
    let lines = |path: &Path| {
        let output = run(["-n", "-S", "--format", "tcpdump", "-r", path.to_str().unwrap()]);
        stdout(&output)
    };
    // The link layer is gone, and with it the interface and the way.
    assert_eq!(lines(&to), lines(&capture));
    let (before, after) = (events(&read(&capture)), events(&read(&to)));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        for field in [
            "event",
            "time",
            "packet",
            "opcode",
            "length",
            "masking_key",
            "packets",
            "frames",
            "verdict",
            "subprotocol",
        ] {
            assert_eq!(before.get(field), after.get(field), "{field}");
        }
    }
    let text = after
        .iter()
        .filter_map(|event| event["text"].as_str())
        .collect::<String>();
    assert!(
        text.contains("\"content\":\"xxxxxxxx !\"") && !text.contains("hi,"),
        "{text}"
    );
}

#[test]
fn the_body_of_a_refusal_keeps_its_length_and_the_reasons_are_told_apart() {
    let folder = open_folder();
    let to = folder.path().join("redacted.pcapng");
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports/refusal-body.pcap");
    let said = redact(&read(&capture), &to, &[]);
    let bodies = |path: &Path| {
        let all = events(&read(path));
        let answers = all.iter().map(|event| event["response"].clone());
        answers.filter(|answer| answer["body"].is_string()).collect::<Vec<_>>()
    };
    let (before, after) = (bodies(&capture), bodies(&to));
    assert!(!before.is_empty() && before.len() == after.len(), "{after:?}");
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before["body_length"], after["body_length"]);
        assert!(
            after["body"].as_str().unwrap().bytes().all(|byte| byte == b'x'),
            "{after}"
        );
    }
    assert!(
        said.contains("body of a refusal replaced") || said.contains("bodies of refusals replaced"),
        "{said}"
    );
}

/// How many packets have a checksum of TCP or IPv4 that is wrong.
fn bad_checksums(file: &Path) -> usize {
    let output = Command::new("tshark")
        .args(["-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"])
        .args(["-Y", "tcp.checksum.status != 1 || ip.checksum.status != 1", "-r"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).lines().count()
}

#[test]
#[ignore = "needs tshark"]
fn every_fixture_gives_a_capture_with_the_same_messages() {
    let folder = open_folder();
    let to = folder.path().join("redacted.pcapng");
    let mut wrong = Vec::new();
    for (capture, flags) in fixtures() {
        let name = capture.file_name().unwrap().to_str().unwrap().to_owned();
        let before = events(&flags);
        let said = redact(&flags, &to, &[]);
        let after = events(&read(&to));
        if counts(&after) != counts(&before) {
            wrong.push(format!("{name}: {:?} became {:?}", counts(&before), counts(&after)));
        }
        let new: Vec<_> = violations(&after).difference(&violations(&before)).cloned().collect();
        if !new.is_empty() {
            wrong.push(format!("{name}: new violations {new:?}"));
        }
        let bad = bad_checksums(&to);
        let forged = match name.as_str() {
            "wrong-checksum.pcap" => 1,
            // The datagram comes again with the fragment that differs.
            "fragment-forged-unnoticed.pcap" => 2,
            _ => 0,
        };
        if bad > forged {
            wrong.push(format!("{name}: {bad} wrong checksums"));
        }
        // Where it cannot decode the capture itself, it need not decode one that is as captured.
        let decodes = !tshark(&to, "websocket", &["frame.number"]).is_empty();
        let could = || !tshark(&capture, "websocket", &["frame.number"]).is_empty();
        if !counts(&after).is_empty() && !decodes && (said.contains(" 0 sessions as captured") || could()) {
            wrong.push(format!("{name}: tshark decodes none of the messages"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn addresses_are_replaced_and_keep_what_they_share() {
    let folder = open_folder();
    let (one, two) = (folder.path().join("1.pcapng"), folder.path().join("2.pcapng"));
    let capture = Conversation::open(40_000, "/", "Origin: http://chat.example\r\n", "").write(folder.path(), "x.pcap");
    redact(&read(&capture), &one, &["--redact-addresses"]);
    redact(&read(&capture), &two, &["--redact-addresses"]);
    let ends = |path: &Path| {
        let event = &events(&read(path))[0];
        assert!(!event.to_string().contains("chat.example"), "{event}");
        [event["client"].clone(), event["server"].clone()]
    };
    assert_eq!(
        ends(&capture.with_file_name("1.pcapng"))[0]
            .as_str()
            .unwrap()
            .split(':')
            .nth(1),
        Some("40000")
    );
    for path in [&one, &two] {
        assert!(
            !ends(path)
                .iter()
                .any(|end| end.as_str().unwrap().starts_with("10.0.0.1:"))
        );
    }
    // Nobody can tell from one run what stands for what in another.
    assert_ne!(ends(&one), ends(&two));
}

#[test]
fn it_silences_the_view_unless_printed_and_spares_what_is_there() {
    let folder = open_folder();
    let to = folder.path().join("redacted.pcapng");
    let file = capture();
    let all = ["-r", file.to_str().unwrap(), "--redact", to.to_str().unwrap()];
    let printed = run(all.iter().chain(&["--print", "--format", "messages"]));
    assert_eq!(
        stdout(&printed),
        stdout(&run(["-r", file.to_str().unwrap(), "--format", "messages"]))
    );
    let before = fs::read(&to).unwrap();
    let again = run(all);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("--force"), "{}", stderr(&again));
    assert_eq!(fs::read(&to).unwrap(), before);
    let same = command()
        .args([
            "-r",
            file.to_str().unwrap(),
            "--force",
            "--redact",
            file.to_str().unwrap(),
        ])
        .output()
        .unwrap();
    assert_eq!(code(&same), 1);
}
