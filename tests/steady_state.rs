//! On the way of a packet nothing is allocated once buffers have grown to their size: not by the engine, not by a view.

#[path = "../benches/traffic/mod.rs"]
#[allow(dead_code, reason = "only the chat is wanted")]
mod traffic;

use wschat_sniff::annotate::Detail;
use wschat_sniff::annotate::texts;
use wschat_sniff::base::{Captured, Limits, Timestamp};
use wschat_sniff::engine::Engine;
use wschat_sniff::export::View;
use wschat_sniff::export::json::Json;
use wschat_sniff::export::palette::Palette;
use wschat_sniff::export::tcpdump::Options;
use wschat_sniff::export::trace::{self, Trace};
use wschat_sniff::wire::{LinkType, Packet};

/// Packets until everything has its size: the handshakes, and enough talk that nearly everybody has said something.
const WARM: usize = 110_000;

#[test]
fn the_json_view_allocates_nothing_a_packet() {
    let english = texts::by_tag("en").expect("English is there");
    check(Json::new(false, false, english));
}

#[test]
fn narration_allocates_nothing_a_packet() {
    check(Trace::new(trace::Options {
        catalog: texts::by_tag("en").expect("English is there"),
        detail: Detail::Normal,
        palette: Palette::new(false),
        width: None,
        full: false,
        tcpdump: Options {
            ascii: 1,
            ..Options::default()
        },
    }));
}

fn check(mut view: impl View) {
    let mut capture = traffic::Capture::new(Vec::new()).expect("a vector takes all");
    traffic::chat(&mut capture, 24 << 20, false).expect("a vector takes all");
    let savefile = std::mem::take(capture.finish().expect("a vector takes all"));
    let mut engine = Engine::new(Limits::default());
    let mut packets = Savefile {
        bytes: &savefile,
        at: 24,
        number: 0,
    };
    let mut pass = |packet: Packet<'_>| {
        let _ = engine.packet(&packet, &mut view);
        view.output().clear();
    };
    packets.by_ref().take(WARM).for_each(&mut pass);
    let mut count = 0_u64;
    let allocated = allocation_counter::measure(|| {
        for packet in packets.by_ref() {
            pass(packet);
            count += 1;
        }
    });
    assert!(count > 20_000, "there were packets to measure");
    assert!(
        allocated.count_total == 0,
        "{} allocations in {count} packets",
        allocated.count_total
    );
}

/// The packets of a classic pcap file in memory.
struct Savefile<'f> {
    bytes: &'f [u8],
    at: usize,
    number: u64,
}

impl<'f> Iterator for Savefile<'f> {
    type Item = Packet<'f>;

    fn next(&mut self) -> Option<Packet<'f>> {
        let header = self.bytes.get(self.at..self.at + 16)?;
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let data = self.bytes.get(self.at + 16..self.at + 16 + word(8) as usize)?;
        self.at += 16 + data.len();
        self.number += 1;
        Some(Packet {
            number: self.number,
            time: Timestamp::from_parts(i64::from(word(0)), i64::from(word(4)) * 1000),
            link: LinkType::ETHERNET,
            data: Captured::whole(data),
        })
    }
}
