//! A real HTTP/2 connection with four WebSockets in it, against what its two ends wrote down: whole, with any one packet missing, and begun late.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use wschat_sniff::base::{Direction, Limits};
use wschat_sniff::capture::offline::Offline;
use wschat_sniff::engine::Engine;
use wschat_sniff::record::{How, Message, Record, RecordKind, Sink, Verdict};
use wschat_sniff::wire::Packet;

/// Opcode, length and SHA-256 of the application's bytes.
type Said = (String, u64, String);

/// By stream and direction, in order.
type Streams = BTreeMap<(u32, String), Vec<Said>>;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/http2");
    std::fs::read(folder.join(name)).unwrap()
}

fn written() -> Streams {
    let mut streams = Streams::new();
    for line in String::from_utf8(fixture("h2c-four-streams.ndjson")).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let stream = line["stream"].as_u64().unwrap() as u32;
        let said = (text("opcode"), line["len"].as_u64().unwrap(), text("sha256"));
        streams.entry((stream, text("dir"))).or_default().push(said);
    }
    streams
}

/// What was told.
#[derive(Default)]
struct Heard {
    messages: Streams,
    /// By stream: method, target, status, deflate, subprotocol.
    handshakes: BTreeMap<u32, (String, String, u16, bool, Option<String>)>,
    ends: BTreeMap<u32, (How, Verdict)>,
    /// By session: its stream.
    sessions: BTreeMap<u64, u32>,
    violations: Vec<&'static str>,
    packets: usize,
}

impl Heard {
    fn message(&mut self, stream: u32, message: &Message<'_>) {
        if !message.complete {
            return;
        }
        let digest = Sha256::digest(message.payload.bytes);
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let said = (message.opcode.name().to_owned(), message.payload.length(), digest);
        let direction = match message.direction {
            Direction::ClientToServer => "c2s",
            Direction::ServerToClient => "s2c",
        };
        self.messages
            .entry((stream, direction.to_owned()))
            .or_default()
            .push(said);
    }
}

impl Sink for Heard {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        let source = record.source;
        assert_eq!(source.connection.0, 1);
        let stream = source.stream.unwrap_or(0);
        if let Some(session) = source.session {
            assert_eq!(*self.sessions.entry(session.0).or_insert(stream), stream);
        }
        match record.kind {
            RecordKind::Handshake(handshake) => {
                let told = (
                    handshake.request.method.clone(),
                    handshake.request.target.clone(),
                    handshake.response.as_ref().map_or(0, |response| response.status),
                    handshake.deflate.is_some(),
                    handshake.subprotocol.clone(),
                );
                self.handshakes.insert(stream, told);
            }
            RecordKind::Message(message) => self.message(stream, message),
            RecordKind::SessionEnd(end) => assert!(self.ends.insert(stream, (end.how, end.verdict)).is_none()),
            RecordKind::Violation { violation, .. } => self.violations.push(violation.rule.id()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// What is heard of the packets that `keep` lets through.
fn hear(capture: &[u8], keep: impl Fn(usize) -> bool) -> Heard {
    let mut heard = Heard::default();
    let source = Box::new(std::io::Cursor::new(capture.to_vec()));
    let mut packets = Offline::read(Path::new("capture"), source, None, false, 1 << 28).unwrap();
    let mut engine = Engine::new(Limits::default());
    while let Some(raw) = packets.next_packet().unwrap() {
        heard.packets += 1;
        if keep(heard.packets) {
            let packet = Packet {
                number: heard.packets as u64,
                time: raw.time,
                data: raw.data,
                link: raw.link,
            };
            let _ = engine.packet(&packet, &mut heard);
        }
    }
    let _ = engine.finish(&mut heard);
    heard
}

/// How many of the messages were not heard. What was heard was said, in this order.
fn missing(heard: &Heard, written: &Streams, what: &str) -> usize {
    for (key, heard) in &heard.messages {
        let mut said = written.get(key).map_or(&[][..], Vec::as_slice).iter();
        for message in heard {
            assert!(said.any(|said| said == message), "{what}, {key:?}: {message:?}");
        }
    }
    let count = |streams: &Streams| streams.values().map(Vec::len).sum::<usize>();
    count(written) - count(&heard.messages)
}

#[test]
fn every_message_of_every_stream() {
    let heard = hear(&fixture("h2c-four-streams.pcap"), |_| true);
    assert_eq!(heard.messages, written());
    assert_eq!(heard.violations, [""; 0]);
    assert_eq!(
        heard.sessions.into_iter().collect::<Vec<_>>(),
        [(1, 3), (2, 7), (3, 11), (4, 15)]
    );
    let agreed = |path: &str, deflate, subprotocol: Option<&str>| {
        (
            "CONNECT".to_owned(),
            path.to_owned(),
            200,
            deflate,
            subprotocol.map(str::to_owned),
        )
    };
    assert_eq!(
        heard.handshakes.into_values().collect::<Vec<_>>(),
        [
            agreed("/chat/1", true, Some("chat")),
            agreed("/chat/2snct", true, None),
            agreed("/chat/3plain", false, None),
            agreed("/chat/4srvclose", true, None),
        ]
    );
    assert_eq!(heard.ends.len(), 4);
    assert!(
        heard.ends.values().all(|end| *end == (How::Close, Verdict::Closed)),
        "{:?}",
        heard.ends
    );
}

/// Every so many packets are tried.
const STEP: usize = 7;

#[test]
fn with_one_packet_missing_nothing_false_is_said() {
    let (capture, written) = (fixture("h2c-four-streams.pcap"), written());
    let packets = hear(&capture, |_| true).packets;
    let (mut all, mut runs) = (0, 0);
    for gone in (1..=packets).step_by(STEP) {
        let heard = hear(&capture, |number| number != gone);
        let missing = missing(&heard, &written, &format!("without packet {gone}"));
        println!("without packet {gone}: {missing} missing, {:?}", heard.violations);
        all += missing;
        runs += 1;
    }
    println!("{all} missing in {runs} runs");
    assert!(all < 2 * runs);
}

#[test]
fn begun_at_any_packet_nothing_false_is_said() {
    let (capture, written) = (fixture("h2c-four-streams.pcap"), written());
    let packets = hear(&capture, |_| true).packets;
    for first in (2..=packets).step_by(STEP) {
        let heard = hear(&capture, |number| number >= first);
        let missing = missing(&heard, &written, &format!("from packet {first} on"));
        println!("from packet {first} on: {missing} missing");
        // The messages begin with packet 15.
        assert!(first > 15 || missing == 0, "from packet {first} on: {missing} missing");
    }
}
