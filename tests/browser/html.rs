//! The page of `--format html`, with what nobody wants in a page.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::axe;
use crate::packets::builder::{ACK, FIN, Ip4, PSH, SYN, Tcp};
use crate::packets::cases::{RAW, file};
use crate::pages::driver;
use crate::webdriver::Browser;

/// What is planted in the handshake and is to be in no page.
const SECRETS: [&str; 4] = [
    "planted-in-a-cookie",
    "planted-in-a-header",
    "planted-in-the-query",
    "planted-in-a-subprotocol",
];

/// One connection: who sends next, and what was sent.
struct Wire {
    packets: Vec<Vec<u8>>,
    client: Tcp,
    server: Tcp,
}

impl Wire {
    fn new(port: u16) -> Self {
        let client = Tcp {
            sport: port,
            ..Tcp::default()
        };
        let server = Tcp {
            sport: client.dport,
            dport: port,
            seq: client.ack,
            ack: client.seq,
            ..Tcp::default()
        };
        let mut wire = Self {
            packets: Vec::new(),
            client,
            server,
        };
        wire.send(true, SYN, b"");
        wire.send(false, SYN | ACK, b"");
        wire.send(true, ACK, b"");
        wire
    }

    fn send(&mut self, client: bool, flags: u8, payload: &[u8]) {
        let (from, to) = match client {
            true => (&mut self.client, &mut self.server),
            false => (&mut self.server, &mut self.client),
        };
        let segment = Tcp {
            flags,
            payload: payload.to_vec(),
            ..from.clone()
        };
        let ip = Ip4::default();
        self.packets.push(segment.over4(&if client { ip } else { ip.back() }));
        let used = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        from.seq = from.seq.wrapping_add(used);
        to.ack = from.seq;
    }

    /// A whole message in one unmasked frame of the server, in packets of at most 60,000 bytes.
    fn message(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ ..126 => frame.push(short as u8),
            medium @ ..65_536 => {
                frame.push(126);
                frame.extend((medium as u16).to_be_bytes());
            }
            long => {
                frame.push(127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        for part in frame.chunks(60_000) {
            self.send(false, PSH | ACK, part);
        }
    }

    fn upgrade(&mut self) {
        let [cookie, header, query, subprotocol] = SECRETS;
        let request = format!(
            "GET /chat?room=%3C/script%3E&token={query} HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Cookie: sid={cookie}\r\nAuthorization: Bearer {header}\r\n\
             Sec-WebSocket-Protocol: chat, base64url.bearer.authorization.k8s.io.{subprotocol}\r\n\
             User-Agent: </script><img src=//example.test/x onerror=alert(1)>\r\n\r\n"
        );
        self.send(true, PSH | ACK, request.as_bytes());
        self.send(
            false,
            PSH | ACK,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
        );
    }
}

const NASTY: [&str; 6] = [
    "</script><script>document.title = 'taken'</script>",
    "<img src=http://example.test/pixel onerror=\"document.title = 'taken'\">",
    "{\"html\":\"</pre></li></ol><iframe src=http://example.test/></iframe>\",\"n\":[1,{\"a\":null}]}",
    "<!--<script>",
    "moc.elpmaxe \u{202e}\u{2066}//:ptth\u{200b} \u{1b}[2J",
    "' onclick=alert(1) \" ]]> &lt; &amp;#60;",
];

/// 10,000 messages, nasty ones and one of a megabyte among them.
fn hostile(path: &Path) {
    let mut wire = Wire::new(60_653);
    wire.upgrade();
    for nasty in NASTY {
        wire.message(1, nasty.as_bytes());
    }
    wire.message(1, "猪</pre>".repeat(120_000).as_bytes());
    wire.message(2, &[0xff; 5_000]);
    for number in 8..9_999 {
        wire.message(
            1,
            format!("{{\"type\":\"tick\",\"number\":{number},\"bid\":[1.25,\"<b>\"]}}").as_bytes(),
        );
    }
    let mut reason = vec![0x03, 0xf1];
    reason.extend(b"</script>");
    wire.message(8, &reason);
    wire.send(false, FIN | ACK, b"");
    file(RAW, wire.packets).write(path);
}

fn page(capture: &Path, page: &Path, flags: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--format", "html", "-r"])
        .arg(capture)
        .args(flags)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    std::fs::write(page, &output.stdout).unwrap();
    stderr
}

fn url(page: &Path) -> String {
    format!("file://{}", page.display())
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// What the page asked for since the log was last read.
fn requests(browser: &Browser<'_>) -> Vec<String> {
    let log = browser.log("performance");
    let events = log
        .iter()
        .filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok());
    events
        .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
        .map(|event| event["message"]["params"]["request"]["url"].to_string())
        .collect()
}

#[test]
#[ignore = "needs ChromeDriver"]
fn a_hostile_capture_opens_quickly_and_asks_for_nothing() {
    let Some(driver) = driver() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (capture, file) = (folder.path().join("hostile.pcap"), folder.path().join("page.html"));
    hostile(&capture);
    let stderr = page(&capture, &file, &[]);
    assert!(stderr.contains("credentials left out"), "{stderr}");
    let text = std::fs::read_to_string(&file).unwrap();
    let har = crate::har::shown(&capture, "har");
    for secret in SECRETS {
        assert!(!text.contains(secret) && !har.contains(secret), "{secret}");
    }
    let kept = folder.path().join("kept.html");
    page(&capture, &kept, &["--with-secrets"]);
    let kept = std::fs::read_to_string(&kept).unwrap();
    assert!(SECRETS.iter().all(|secret| kept.contains(secret)));
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.go("about:blank");
    browser.devtools("Performance.enable", json!({"timeDomain": "threadTicks"}));
    requests(&browser);
    let start = Instant::now();
    browser.go(&url(&file));
    let opened = start.elapsed();
    println!("{} bytes open in {opened:?}", text.len());
    let shown = browser.run(
        "return [document.title, document.querySelectorAll('#list > li').length >= 200, document.scripts.length, \
         document.querySelectorAll('iframe, img').length, document.getElementById('count').textContent]",
    );
    assert_eq!(
        shown,
        json!(["WebSocket sessions", true, 1, 0, "10000 of 10000 messages"])
    );
    assert_eq!(requests(&browser), [format!("\"{}\"", url(&file))]);
    assert!(browser.log("browser").is_empty());
    // On a busy machine only what the page itself takes can be judged.
    let metrics = browser.devtools("Performance.getMetrics", json!({}));
    let of_page = |name: &str| {
        let found = metrics["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .find(|metric| metric["name"] == name);
        found.unwrap()["value"].as_f64().unwrap()
    };
    println!("{} s of processor time", of_page("TaskDuration"));
    assert!(of_page("TaskDuration") < 2.0, "{metrics}");
    // What was sent is there, and nothing in it is hidden.
    let third = browser.run("return document.querySelector('#m3 pre').textContent");
    assert!(
        third
            .as_str()
            .unwrap()
            .starts_with("{\n  \"html\": \"</pre></li></ol><iframe "),
        "{third}"
    );
    let fifth = browser.run("return document.querySelector('#m5 pre').textContent");
    assert!(fifth.as_str().unwrap().contains(r"\u{202e}"), "{fifth}");
    browser.run(
        "const s = document.getElementById('search'); s.value = 'NUMBER\": 4321'; s.dispatchEvent(new Event('input'))",
    );
    browser.wait_until("document.getElementById('count').textContent === '1 of 10000 messages'");
    // All of them come into sight.
    browser.run("const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input'))");
    browser.wait_until("document.getElementById('count').textContent === '10000 of 10000 messages'");
    browser.wait_until("(scrollTo(0, 1e9), document.querySelectorAll('#list > li').length === 10000)");
}

#[test]
#[ignore = "needs ChromeDriver"]
fn axe_finds_nothing_and_everything_can_be_read_without_the_script() {
    let Some(driver) = driver() else { return };
    let script = match axe::script() {
        Ok(script) => script,
        Err(why) => return println!("SKIPPED: no axe-core: {why}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    let mut found = String::new();
    for (capture, language) in [
        ("two-browsers-new/capture.pcap", "zh-TW"),
        ("workerman-chat-2014/capture.pcap", "ja"),
        ("ws-oddities/capture.pcap", "es"),
        ("reports/refusal-body.pcap", "en"),
    ] {
        page(&fixture(capture), &file, &["--lang", language]);
        browser.go(&url(&file));
        browser.run("for (const details of document.querySelectorAll('details')) details.open = true");
        for (width, height) in [(1280, 800), (360, 640)] {
            for (scheme, forced) in [("light", false), ("dark", false), ("dark", true)] {
                browser.resize(width, height);
                browser.scheme(scheme, forced);
                let violations = axe::violations(&browser, &script);
                if !violations.is_empty() {
                    found += &format!("{capture}, {width} px, {scheme}, forced {forced}:\n{violations}\n");
                }
                let overflow = browser.run("return document.documentElement.scrollWidth > innerWidth");
                assert_eq!(overflow, false, "{capture}, {width} px");
            }
        }
    }
    assert_eq!(found, "");
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    page(&fixture("two-browsers-new/capture.pcap"), &file, &[]);
    browser.go(&url(&file));
    // Read by the driver, not by the page.
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": false}));
    let shown = browser.run(
        "return [document.getElementById('controls').hidden, document.querySelectorAll('svg path').length > 10, \
         document.querySelectorAll('noscript li').length > 10]",
    );
    assert_eq!(shown, json!([true, true, true]));
}

#[test]
#[ignore = "needs ChromeDriver"]
fn pictures_of_the_page() {
    let (Ok(folder), Some(driver)) = (std::env::var("PICTURES"), driver()) else {
        return;
    };
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("page.html");
    for (name, capture) in [
        ("two-browsers", "two-browsers-new/capture.pcap"),
        ("oddities", "ws-oddities/capture.pcap"),
    ] {
        page(&fixture(capture), &file, &[]);
        browser.go(&url(&file));
        browser.run("document.querySelector('#list details').open = true");
        for (width, height) in [(390, 1600), (1280, 1600)] {
            for scheme in ["light", "dark"] {
                browser.resize(width, height);
                browser.scheme(scheme, false);
                use base64::Engine as _;
                let png = base64::prelude::BASE64_STANDARD.decode(browser.screenshot()).unwrap();
                std::fs::write(format!("{folder}/{name}-{width}-{scheme}.png"), png).unwrap();
            }
        }
    }
}
