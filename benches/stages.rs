//! What a packet costs, stage by stage: `cargo bench --bench stages`. Each figure is for all packets of a chat of a few MB;
//! criterion's throughput is packets a second.

#[allow(dead_code, reason = "each bench uses some of it")]
mod traffic;

use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use wschat_sniff::annotate::Detail;
use wschat_sniff::annotate::texts;
use wschat_sniff::base::PacketRef;
use wschat_sniff::base::{Captured, Limits, Timestamp};
use wschat_sniff::engine::Engine;
use wschat_sniff::export::View;
use wschat_sniff::export::json::Json;
use wschat_sniff::export::palette::Palette;
use wschat_sniff::export::tcpdump::{Options, Printer};
use wschat_sniff::export::trace::{self, Trace};
use wschat_sniff::record::{Record, Sink};
use wschat_sniff::tcp::{Connection, SegmentFacts, StreamEvent, StreamHandler, Table, TcpEnd};
use wschat_sniff::wire::{Decoder, LinkType, Packet};

criterion_group!(benches, stages);
criterion_main!(benches);

fn stages(criterion: &mut Criterion) {
    let bytes = chat();
    let packets = packets(&bytes);
    let mut group = criterion.benchmark_group("packets");
    group
        .throughput(Throughput::Elements(packets.len() as u64))
        .sample_size(20);

    group.bench_function("net: to the segment", |b| {
        b.iter(|| {
            let mut decoder = Decoder::new(&Limits::default());
            let mut length = 0;
            for packet in &packets {
                length += decoder.decode(packet).map_or(0, |segment| segment.payload.wire_len);
            }
            length
        });
    });
    group.bench_function("net, tcp: to the streams", |b| {
        b.iter(|| {
            let mut decoder = Decoder::new(&Limits::default());
            let mut table = Table::new(&Limits::default());
            for packet in &packets {
                if let Some(segment) = decoder.decode(packet) {
                    table.segment(
                        &segment,
                        PacketRef {
                            packet: packet.number,
                            time: packet.time,
                        },
                        &mut Ignore,
                    );
                }
            }
        });
    });
    group.bench_function("net, tcp, http, ws: to the events", |b| {
        b.iter(|| {
            let mut engine = Engine::new(Limits::default());
            for packet in &packets {
                let _ = engine.packet(packet, &mut Ignore);
            }
        });
    });
    for (name, options) in [
        ("tcpdump view", Options::default()),
        (
            "tcpdump view, -A",
            Options {
                ascii: 1,
                ..Options::default()
            },
        ),
    ] {
        group.bench_function(name, |b| {
            let mut out = Vec::with_capacity(1 << 20);
            b.iter(|| {
                let mut printer = Printer::new(options.clone());
                for packet in &packets {
                    printer.print(packet, &mut out);
                    if out.len() > 1 << 18 {
                        black_box(&out);
                        out.clear();
                    }
                }
            });
        });
    }
    views(&mut group, &packets);
    group.finish();
}

/// The views that need the engine: what it costs is in these figures.
fn views(group: &mut BenchmarkGroup<'_, WallTime>, packets: &[Packet<'_>]) {
    let english = texts::by_tag("en").expect("English is there");
    let ascii = Options {
        ascii: 1,
        ..Options::default()
    };
    group.bench_function("engine, json view", |b| {
        b.iter(|| render(Json::new(false, false, english), packets))
    });
    group.bench_function("engine, narration, trace view, -A", |b| {
        b.iter(|| {
            let options = trace::Options {
                catalog: english,
                detail: Detail::Normal,
                palette: Palette::new(false),
                width: None,
                full: false,
                tcpdump: ascii.clone(),
            };
            render(Trace::new(options), packets)
        });
    });
}

/// All packets through the engine into the view; what it writes is thrown away.
fn render(mut view: impl View, packets: &[Packet<'_>]) -> usize {
    let mut engine = Engine::new(Limits::default());
    let mut written = 0;
    for packet in packets {
        let _ = engine.packet(packet, &mut view);
        if view.output().len() > 1 << 17 {
            written += view.output().len();
            view.output().clear();
        }
    }
    written
}

/// A chat of 1,000 connections as a savefile.
fn chat() -> Vec<u8> {
    let mut capture = traffic::Capture::new(Vec::new()).expect("a vector takes all");
    traffic::chat(&mut capture, 8 << 20, false).expect("a vector takes all");
    std::mem::take(capture.finish().expect("a vector takes all"))
}

fn packets(savefile: &[u8]) -> Vec<Packet<'_>> {
    let word = |at: usize| u32::from_le_bytes([savefile[at], savefile[at + 1], savefile[at + 2], savefile[at + 3]]);
    let mut packets = Vec::new();
    let mut at = 24;
    while at < savefile.len() {
        let length = word(at + 8) as usize;
        packets.push(Packet {
            number: packets.len() as u64 + 1,
            time: Timestamp::from_parts(i64::from(word(at)), i64::from(word(at + 4)) * 1000),
            link: LinkType::ETHERNET,
            data: Captured::whole(&savefile[at + 16..at + 16 + length]),
        });
        at += 16 + length;
    }
    packets
}

/// Listens to everything and does nothing.
struct Ignore;

impl StreamHandler for Ignore {
    type State = ();
    fn segment(&mut self, (): &mut (), _: &Connection, facts: &SegmentFacts, _: PacketRef) {
        black_box(facts);
    }
    fn stream(
        &mut self,
        (): &mut (),
        _: &Connection,
        _: wschat_sniff::base::Side,
        event: StreamEvent<'_>,
        _: PacketRef,
    ) {
        black_box(&event);
    }
    fn end(&mut self, (): &mut (), _: &Connection, _: TcpEnd, _: PacketRef) {}
}

impl Sink for Ignore {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        black_box(record);
        ControlFlow::Continue(())
    }
}
