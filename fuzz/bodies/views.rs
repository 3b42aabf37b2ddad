//! A capture file through the engine and all views together. Beside not panicking: the `trace` view has each packet's lines of the
//! `tcpdump` view in it, together and unchanged, below one comment block at most; lines of `json` are JSON; nothing hidden comes out.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use wschat_sniff::annotate::Detail;
use wschat_sniff::annotate::texts::CATALOGS;
use wschat_sniff::base::Limits;
use wschat_sniff::capture::offline::Offline;
use wschat_sniff::engine::Engine;
use wschat_sniff::export::hidden::is_hidden_at;
use wschat_sniff::export::palette::Palette;
use wschat_sniff::export::tcpdump::{self, Printer};
use wschat_sniff::export::trace::{self, Trace};
use wschat_sniff::export::{Json, Messages, View, messages};
use wschat_sniff::record::{Record, RecordKind, SegmentView, Sink};
use wschat_sniff::wire::Packet;

/// A file may be compressed; this many packets will do.
const PACKETS: u64 = 2_000;

struct Views {
    trace: Trace,
    json: Json,
    messages: Messages,
    printer: Printer,
    lines: Vec<u8>,
    /// Messages that came and are not in the `messages` view yet.
    told: usize,
}

impl Sink for Views {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        let _ = self.trace.packet(packet, segment);
        let _ = self.json.packet(packet, segment);
        self.messages.packet(packet, segment)
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.told += usize::from(matches!(record.kind, RecordKind::Message(_)));
        let _ = self.trace.record(record);
        let _ = self.json.record(record);
        self.messages.record(record)
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        let _ = self.trace.packet_end(packet);
        let _ = self.json.packet_end(packet);
        let _ = self.messages.packet_end(packet);
        self.lines.clear();
        self.printer.print(packet, &mut self.lines);
        self.look();
        ControlFlow::Continue(())
    }
}

impl Views {
    /// Looks at what has been written, and takes it away.
    fn look(&mut self) {
        let told = std::mem::take(self.trace.output());
        let at = told
            .windows(self.lines.len().max(1))
            .position(|lines| lines == self.lines);
        let at = if self.lines.is_empty() {
            told.len()
        } else {
            at.expect("tcpdump's lines stand together")
        };
        let (block, payload) = (&told[..at], &told[at + self.lines.len()..]);
        harmless(block);
        harmless(payload);
        if !self.lines.is_empty() {
            one_block(block);
        }
        let json = std::mem::take(self.json.output());
        harmless(&json);
        for line in json.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let object: serde_json::Value = serde_json::from_slice(line).expect("a line of JSON");
            let event = object["event"].as_str().expect("an event");
            let of_no_session = ["tls", "tls-end", "violation", "gap"].contains(&event) && object["session"].is_null();
            assert!(object["time"].is_string() && (object["session"].is_u64() || of_no_session));
        }
        let lines = std::mem::take(self.messages.output());
        harmless(&lines);
        // Sessions have lines of their own besides.
        assert!(lines.iter().filter(|&&byte| byte == b'\n').count() >= std::mem::take(&mut self.told));
    }
}

/// Nothing, or a comment: it ends once. Comments do not nest, so that what is quoted in it may hold a beginning.
fn one_block(block: &[u8]) {
    let block = block.strip_prefix(b"\n").unwrap_or(block);
    if block.is_empty() {
        return;
    }
    let brief = block.starts_with(b"/* ") && block.iter().filter(|&&byte| byte == b'\n').count() == 1;
    assert!(brief || block.starts_with(b"/*\n") && block.ends_with(b"\n */\n"));
    assert_eq!(block.windows(2).filter(|pair| pair == b"*/").count(), 1);
}

/// `out` can be shown.
fn harmless(out: &[u8]) {
    let text = std::str::from_utf8(out).expect("what is shown is UTF-8");
    for (at, ch) in text.char_indices() {
        assert!(ch == '\n' || !is_hidden_at(text, at, ch), "{text:?}");
    }
}

/// One input. Its length picks the language and how much is told.
pub(crate) fn run(data: &[u8]) {
    let Ok(mut offline) = Offline::read(
        Path::new("fuzzed"),
        Box::new(io::Cursor::new(data.to_vec())),
        None,
        true,
        64 << 20,
    ) else {
        return;
    };
    let lines = tcpdump::Options {
        precision: tcpdump::Precision::Nano,
        timezone: jiff::tz::TimeZone::UTC,
        ..tcpdump::Options::default()
    };
    let catalog = CATALOGS[data.len() % CATALOGS.len()];
    let mut views = Views {
        trace: Trace::new(trace::Options {
            catalog,
            detail: [Detail::Brief, Detail::Normal, Detail::Verbose][data.len() / 8 % 3],
            palette: &Palette::PLAIN,
            width: [None, Some(40)][data.len() / 4 % 2],
            full: data.len() % 16 > 7,
            tcpdump: lines.clone(),
        }),
        json: Json::new(true, true, catalog),
        messages: Messages::new(&messages::Options {
            catalog,
            grep: None,
            tcpdump: lines.clone(),
            palette: &Palette::PLAIN,
            width: None,
            full: false,
        }),
        printer: Printer::new(lines),
        lines: Vec::new(),
        told: 0,
    };
    let limits = Limits {
        flows: 16,
        message_bytes: 16 << 10,
        inflated_bytes: 32 << 10,
        ..Limits::default()
    };
    let mut engine = Engine::new(limits).with_frames(true);
    for number in 1..=PACKETS {
        let Ok(Some(raw)) = offline.next_packet() else { break };
        let packet = Packet {
            number,
            time: raw.time,
            link: raw.link,
            data: raw.data,
        };
        let _ = engine.packet(&packet, &mut views);
    }
    let _ = engine.finish(&mut views);
    views.trace.finish();
    views.lines.clear();
    views.look();
}
