//! Real HTTP/2 connections with several WebSockets in each, in the clear and in TLS 1.3, against what their two ends wrote down: whole, with any one
//! packet missing, and begun late.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use wschat_sniff::base::{Direction, Limits};
use wschat_sniff::capture::offline::Offline;
use wschat_sniff::engine::Engine;
use wschat_sniff::layer::tls::{KeyLogReader, KeySource};
use wschat_sniff::record::{Deflate, How, Message, Record, RecordKind, Sink, Verdict};
use wschat_sniff::wire::{Decoder, Packet};

/// Opcode, length and SHA-256 of the application's bytes.
type Said = (String, u64, String);

/// By stream and direction, in order.
type Streams = BTreeMap<(u32, String), Vec<Said>>;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/http2");
    std::fs::read(folder.join(name)).unwrap()
}

fn written(name: &str) -> Streams {
    let mut streams = Streams::new();
    for line in String::from_utf8(fixture(&format!("{name}.ndjson"))).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let stream = line["stream"].as_u64().unwrap() as u32;
        let said = (text("opcode"), line["len"].as_u64().unwrap(), text("sha256"));
        streams.entry((stream, text("dir"))).or_default().push(said);
    }
    streams
}

/// The packets that carried a message, and whether it was compressed.
type Carried = ((u64, u64), bool);

/// What was told.
#[derive(Default)]
struct Heard {
    messages: Streams,
    /// Of each of them.
    carried: BTreeMap<(u32, String), Vec<Carried>>,
    /// By stream.
    deflate: BTreeMap<u32, Deflate>,
    /// Who sent each packet: `c2s` or `s2c`.
    senders: Vec<String>,
    /// By stream: method, target, status, deflate, subprotocol.
    handshakes: BTreeMap<u32, (String, String, u16, bool, Option<String>)>,
    ends: BTreeMap<u32, (How, Verdict)>,
    /// By session: its stream.
    sessions: BTreeMap<u64, u32>,
    violations: Vec<&'static str>,
    /// That of all sessions.
    connection: Option<u64>,
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
        let key = (stream, direction.to_owned());
        let carried = (message.span.packets(), message.compressed);
        self.carried.entry(key.clone()).or_default().push(carried);
        self.messages.entry(key).or_default().push(said);
    }
}

impl Sink for Heard {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        let source = record.source;
        let stream = source.stream.unwrap_or(0);
        if let Some(session) = source.session {
            assert_eq!(*self.connection.get_or_insert(source.connection.0), source.connection.0);
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
                self.deflate.extend(handshake.deflate.map(|deflate| (stream, deflate)));
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
fn hear(name: &str, capture: &[u8], keep: impl Fn(usize) -> bool) -> Heard {
    let mut heard = Heard::default();
    let source = Box::new(std::io::Cursor::new(capture.to_vec()));
    let mut packets = Offline::read(Path::new("capture"), source, None, false, 1 << 28).unwrap();
    let mut engine = Engine::new(Limits::default());
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/http2/{name}.keylog"));
    if let Ok(log) = std::fs::read(log) {
        KeyLogReader::new(KeySource::KeyLog).push(&log, engine.secrets().unwrap());
    }
    let mut decoder = Decoder::new(&Limits::default());
    while let Some(raw) = packets.next_packet().unwrap() {
        heard.packets += 1;
        let packet = Packet {
            number: heard.packets as u64,
            time: raw.time,
            data: raw.data,
            link: raw.link,
        };
        // Servers have the lower ports in both captures.
        let from_client = decoder
            .decode(&packet)
            .is_some_and(|segment| segment.source.port > segment.destination.port);
        heard.senders.push(if from_client { "c2s" } else { "s2c" }.to_owned());
        if keep(heard.packets) {
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
    let heard = hear("h2c-four-streams", &fixture("h2c-four-streams.pcap"), |_| true);
    assert_eq!(heard.messages, written("h2c-four-streams"));
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

/// A message that was heard of all packets, and what can be known of it.
struct Known {
    key: (u32, String),
    said: Said,
    /// The packets that carried it.
    packets: (u64, u64),
    /// It needs what was compressed before it in its direction.
    needs_history: bool,
}

/// `needs_history` is right only when all of `heard` is.
fn known(heard: &Heard) -> Vec<Known> {
    let streams = heard.messages.iter();
    streams
        .flat_map(|(key, all)| {
            let deflate = heard.deflate.get(&key.0);
            let takeover = deflate.is_some_and(|deflate| match key.1.as_str() {
                "c2s" => !deflate.client_no_context_takeover,
                _ => !deflate.server_no_context_takeover,
            });
            all.iter()
                .zip(&heard.carried[key])
                .map(move |(said, &(packets, compressed))| Known {
                    key: key.clone(),
                    said: said.clone(),
                    packets,
                    needs_history: compressed && takeover,
                })
        })
        .collect()
}

/// Of the messages of `must`, in order, none is missing in `heard`.
fn none_is_missing<'k>(must: impl Iterator<Item = &'k Known>, heard: &Heard, what: &str) {
    let mut left = heard.messages.clone();
    for one in must {
        let said = left.get_mut(&one.key);
        let at = said
            .as_ref()
            .and_then(|said| said.iter().position(|said| *said == one.said));
        let Some(at) = at else {
            panic!(
                "{what}: {:?} of packets {:?} is missing: {:?}",
                one.key, one.packets, one.said
            );
        };
        said.unwrap().remove(at);
    }
}

/// Without each `step`-th packet, every message is heard whose packets are there, unless it was compressed with what came before it in its direction,
/// of which the packet may have held something: a lost frame may have been any stream's. Nothing false is.
fn one_packet_is_missing(name: &str, step: usize) {
    let (capture, written) = (fixture(&format!("{name}.pcap")), written(name));
    let whole = hear(name, &capture, |_| true);
    let known = known(&whole);
    for gone in (1..=whole.packets).step_by(step) {
        let what = format!("{name} without packet {gone}");
        let heard = hear(name, &capture, |number| number != gone);
        missing(&heard, &written, &what);
        let packet = gone as u64;
        let sender = &whole.senders[gone - 1];
        let must = known.iter().filter(|one| {
            let is_touched = (one.packets.0..=one.packets.1).contains(&packet);
            let history_is_touched = one.needs_history && one.key.1 == *sender && packet < one.packets.0;
            !is_touched && !history_is_touched
        });
        none_is_missing(must, &heard, &what);
    }
}

/// Begun at each `step`-th packet, every message is heard whose packets are there, unless it needs what was compressed before, or is all that is left
/// of its stream: then nothing says that it is a WebSocket's. Nothing false is.
fn begun_late(name: &str, step: usize) {
    let (capture, written) = (fixture(&format!("{name}.pcap")), written(name));
    let whole = hear(name, &capture, |_| true);
    let known = known(&whole);
    for first in (2..=whole.packets).step_by(step) {
        let what = format!("{name} from packet {first} on");
        let heard = hear(name, &capture, |number| number >= first);
        missing(&heard, &written, &what);
        let is_there = |one: &Known| one.packets.0 >= first as u64;
        let must = known.iter().filter(|one| {
            let of_stream = |other: &&Known| other.key.0 == one.key.0 && is_there(other);
            let history_is_there = !known
                .iter()
                .any(|other| other.key == one.key && other.needs_history && !is_there(other));
            is_there(one) && (history_is_there || !one.needs_history) && known.iter().filter(of_stream).nth(1).is_some()
        });
        none_is_missing(must, &heard, &what);
    }
}

/// Both captures.
const CAPTURES: [&str; 2] = ["h2c-four-streams", "chromium-tls13"];

#[test]
fn without_one_packet_every_message_is_read_that_it_did_not_touch() {
    CAPTURES.iter().for_each(|name| one_packet_is_missing(name, 7));
    // A frame of two bytes, and a ping in a DATA frame of its own, behind what is lost of other streams.
    for (gone, stream, opcode) in [(70, 9, "binary"), (78, 11, "ping")] {
        let heard = hear("chromium-tls13", &fixture("chromium-tls13.pcap"), |number| {
            number != gone
        });
        let said = &heard.messages[&(stream, "s2c".to_owned())];
        assert!(said.iter().any(|said| said.0 == opcode && said.1 < 7), "{said:?}");
    }
}

#[test]
fn begun_at_any_packet_every_message_is_read_that_can_be_told_from_something_else() {
    CAPTURES.iter().for_each(|name| begun_late(name, 7));
}

#[test]
#[ignore = "long: make soak"]
fn soak_losses_and_late_beginnings_at_every_packet_of_http2() {
    for name in CAPTURES {
        one_packet_is_missing(name, 1);
        begun_late(name, 1);
    }
}

#[test]
fn an_extended_connect_is_told_without_the_proof_that_it_does_not_need() {
    let key_log = ["--keylog", "chromium-tls13.keylog"];
    let view = |format: &str| view(format, "chromium-tls13.pcap", &key_log);
    let trace = view("trace");
    assert_eq!(
        trace
            .matches("with an extended CONNECT over HTTP/2 (status 200)")
            .count(),
        3
    );
    assert!(
        !trace.contains("(101)") && !trace.contains("Sec-WebSocket-Accept"),
        "{trace}"
    );
    let hosts = |view: &str| -> Vec<String> {
        let urls = view.split("wss://").skip(1);
        urls.map(|url| url.split('/').next().unwrap().to_owned()).collect()
    };
    let (messages, sessions) = (view("messages"), view("sessions"));
    assert_eq!(hosts(&messages).len(), 4, "{messages}");
    assert_eq!(hosts(&messages), hosts(&sessions));
}

#[test]
fn an_empty_frame_that_ends_a_stream_is_told_as_its_end() {
    let trace = view("trace", "h2c-four-streams.pcap", &[]);
    assert!(
        trace.contains(" has finished sending on HTTP/2 stream 3 (END_STREAM).\n"),
        "{trace}"
    );
    assert!(!trace.contains("sends 0 bytes"), "{trace}");
}

/// What the program prints of a capture of HTTP/2.
fn view(format: &str, name: &str, flags: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["-n", "--lang", "en", "--format", format, "-r", name])
        .args(flags)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/http2"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}
