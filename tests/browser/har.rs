//! The HAR of every fixture, read by the importer of Chromium's own developer tools, and by the schema of HAR 1.2.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::npm::installed;
use crate::pages::driver;

/// Every capture among the fixtures.
fn captures() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "pcap" || end == "pcapng") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "{found:?}");
    found
}

pub fn shown(capture: &Path, format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"));
    command.args(["--format", format, "-r"]).arg(capture);
    let keys = capture.with_extension("keylog");
    if keys.exists() {
        command.arg("--keylog").arg(keys);
    }
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        capture.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Type, opcode, data and time of the messages that a HAR is to have, by session, as the `json` view tells of them.
fn wanted(capture: &Path) -> BTreeMap<u64, Vec<(String, u64, String, f64)>> {
    let mut sessions: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for line in shown(capture, "json").lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let Some(session) = event["session"].as_u64() else {
            continue;
        };
        let messages = sessions.entry(session).or_default();
        let mut opcode = match event["opcode"].as_str() {
            Some("text") => 1,
            Some("binary") => 2,
            _ => continue,
        };
        if event["event"] != "message" || event["complete"] != true {
            continue;
        }
        let kind = match event["direction"].as_str().unwrap() {
            "client-to-server" => "send",
            _ => "receive",
        };
        use base64::Engine as _;
        let base64 = base64::prelude::BASE64_STANDARD;
        let data = match (event["text"].as_str(), event["base64"].as_str()) {
            (Some(text), _) if opcode == 1 => text.to_owned(),
            (Some(text), _) => base64.encode(text),
            (None, Some(bytes)) if opcode == 1 => match String::from_utf8(base64.decode(bytes).unwrap()) {
                // Mostly control characters.
                Ok(_) => {
                    opcode = 2;
                    bytes.to_owned()
                }
                Err(garbled) => String::from_utf8_lossy(garbled.as_bytes()).into_owned(),
            },
            (None, bytes) => bytes.unwrap().to_owned(),
        };
        messages.push((kind.to_owned(), opcode, data, event["ts"].as_f64().unwrap()));
    }
    sessions
}

#[test]
#[ignore = "needs ChromeDriver"]
fn chromium_imports_every_message_of_every_fixture() {
    let Some(driver) = driver() else { return };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let profile = tempfile::tempdir().unwrap();
    // Its own developer tools are served at the port of the DevTools protocol.
    let flags = [
        format!("--remote-debugging-port={port}"),
        "--remote-allow-origins=*".to_owned(),
    ];
    let browser = driver.open_with(profile.path(), &flags).unwrap();
    browser.go(&format!("http://127.0.0.1:{port}/json/version"));
    let mut messages = 0;
    for capture in captures() {
        let har = shown(&capture, "har");
        browser.run("window.har = ''");
        // The driver takes no endless line.
        let characters: Vec<char> = har.chars().collect();
        for part in characters.chunks(4 << 20) {
            browser.run(&format!(
                "window.har += {}",
                Value::from(part.iter().collect::<String>())
            ));
        }
        let imported = browser.run(
            "const { HARFormat, Importer } = await import('/devtools/models/har/har.js');\
             const log = new HARFormat.HARRoot(JSON.parse(window.har)).log;\
             return Importer.Importer.requestsFromHARLog(log).map((request) => ({\
                 url: request.url(), socket: request.resourceType().name(), \
                 frames: request.frames().map((frame) => [frame.type, frame.opCode, frame.text, frame.time]) }))",
        );
        let imported = imported.as_array().unwrap();
        let wanted = wanted(&capture);
        assert_eq!(imported.len(), wanted.len(), "{}", capture.display());
        // Entries are in the order in which sessions end.
        let mut wanted: Vec<_> = wanted.into_values().collect();
        for request in imported {
            assert_eq!(request["socket"], "websocket", "{}", capture.display());
            let url = request["url"].as_str().unwrap();
            assert!(url.starts_with("ws://") || url.starts_with("wss://"), "{url}");
            let frames: Vec<(String, u64, String, f64)> = serde_json::from_value(request["frames"].clone()).unwrap();
            let same = wanted.iter().position(|messages| {
                messages.len() == frames.len()
                    && messages.iter().zip(&frames).all(|(wanted, frame)| {
                        (&wanted.0, wanted.1, &wanted.2) == (&frame.0, frame.1, &frame.2)
                            && (wanted.3 - frame.3).abs() <= 1e-6
                    })
            });
            let same = same.unwrap_or_else(|| panic!("{}: {frames:?}, expected one of {wanted:?}", capture.display()));
            messages += wanted.remove(same).len();
        }
    }
    println!("{messages} messages");
    assert!(messages > 500, "{messages}");
}

/// The schema as `har-validator` has it, which HTTP tools use.
#[test]
#[ignore = "needs Node"]
fn every_har_is_valid_against_the_schema() {
    let folder = match installed("har-validator@5") {
        Ok(folder) => folder,
        Err(why) => return println!("SKIPPED: no har-validator: {why}"),
    };
    let hars = tempfile::tempdir().unwrap();
    for (number, capture) in captures().iter().enumerate() {
        std::fs::write(hars.path().join(format!("{number}.har")), shown(capture, "har")).unwrap();
    }
    let script = "const fs = require('fs'); const validate = require('har-validator'); const folder = process.argv[1]; \
        (async () => { let entries = 0; for (const name of fs.readdirSync(folder)) { \
        const har = JSON.parse(fs.readFileSync(`${folder}/${name}`, 'utf8')); entries += har.log.entries.length; \
        await validate.har(har).catch((error) => { console.error(name, JSON.stringify(error.errors)); process.exit(1) }) } \
        if (entries < 50) { console.error(`only ${entries} entries`); process.exit(1) } })()";
    let output = Command::new("node")
        .args(["-e", script])
        .arg(hars.path())
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
