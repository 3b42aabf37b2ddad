//! Our frames against tshark's, one by one: packet, sender, opcode, FIN, length, masking key.
//!
//! tshark is told to reassemble out of order, and decodes what a handshake announced. What differs by design: an empty continuation
//! and control frames are frames to both; a frame that never became whole is none to tshark, and ours is told with its message only.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use wschat_sniff::base::{Captured, Limits, Timestamp};
use wschat_sniff::engine::Engine;
use wschat_sniff::record::{Record, RecordKind, Sink};
use wschat_sniff::wire::{LinkType, Packet};

/// One frame: number of the packet that completed it, sender's port, opcode, FIN, payload length, masking key.
type Frame = (u64, u16, u8, bool, u64, Option<String>);

#[test]
#[ignore = "needs tshark"]
fn frames_are_those_of_tshark() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for case in [
        "ws-oddities/capture",
        "workerman-chat-2014/capture",
        "two-browsers-2014/capture",
        "two-browsers-new/capture",
        "transcripts/lossy-link-client",
        "transcripts/lossy-link-server",
        "transcripts/chromium-deflate",
        "transcripts/undici-null-loopback",
        "transcripts/tungstenite-vlan",
        "transcripts/ipv4-fragments",
        "transcripts/ipv6-fragments",
    ] {
        let capture = fixtures.join(case).with_extension("pcap");
        let theirs = tshark(&capture);
        assert!(!theirs.is_empty(), "tshark finds no frame in {case}");
        assert_eq!(ours(&capture), theirs, "{case}");
    }
}

fn tshark(capture: &PathBuf) -> Vec<Frame> {
    let fields = [
        "frame.number",
        "tcp.srcport",
        "websocket.opcode",
        "websocket.fin",
        "websocket.mask",
        "websocket.payload_length",
        "websocket.payload_length_ext_16",
        "websocket.payload_length_ext_64",
        "websocket.masking_key",
    ];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture).args([
        "-o",
        "tcp.reassemble_out_of_order:TRUE",
        "-Y",
        "websocket",
        "-T",
        "fields",
    ]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut frames = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let columns: Vec<Vec<&str>> = line
            .split('\t')
            .map(|c| c.split(',').filter(|v| !v.is_empty()).collect())
            .collect();
        let [number, port, opcodes, fins, masks, lengths, lengths16, lengths64, keys] = &columns[..] else {
            panic!("{line}");
        };
        let (mut lengths16, mut lengths64, mut keys) = (lengths16.iter(), lengths64.iter(), keys.iter());
        for (i, opcode) in opcodes.iter().enumerate() {
            let length = match lengths[i] {
                "126" => lengths16.next().unwrap(),
                "127" => lengths64.next().unwrap(),
                short => short,
            };
            let yes = |value: &str| value == "1" || value == "True";
            let key = yes(masks[i]).then(|| keys.next().unwrap().replace(':', ""));
            let (number, port) = (number[0].parse().unwrap(), port[0].parse().unwrap());
            frames.push((
                number,
                port,
                opcode.parse().unwrap(),
                yes(fins[i]),
                length.parse().unwrap(),
                key,
            ));
        }
    }
    frames
}

struct Frames(Vec<Frame>);

impl Sink for Frames {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if let RecordKind::Frame(frame) = record.kind {
            let key = frame
                .masking_key
                .map(|key| key.iter().map(|b| format!("{b:02x}")).collect());
            let port = record.source.sender(frame.direction).port;
            self.0.push((
                record.at.packet,
                port,
                frame.opcode.bits(),
                frame.fin,
                frame.length,
                key,
            ));
        }
        ControlFlow::Continue(())
    }
}

fn ours(capture: &PathBuf) -> Vec<Frame> {
    let file = std::fs::read(capture).unwrap();
    let field = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let link = LinkType(i32::try_from(field(20)).unwrap());
    let mut engine = Engine::new(Limits::default()).with_frames(true);
    let mut frames = Frames(Vec::new());
    let (mut at, mut number) = (24, 0);
    while at < file.len() {
        number += 1;
        let (captured, on_wire) = (field(at + 8) as usize, field(at + 12) as usize);
        let packet = Packet {
            number,
            time: Timestamp::from_parts(field(at).into(), i64::from(field(at + 4)) * 1000),
            link,
            data: Captured::new(&file[at + 16..at + 16 + captured], on_wire),
        };
        at += 16 + captured;
        assert!(engine.packet(&packet, &mut frames).is_continue());
    }
    assert!(engine.finish(&mut frames).is_continue());
    frames.0
}
