//! Segments are found behind every link layer and inside every tunnel, and `trace` shows them where tcpdump does not.

#[path = "support/savefile.rs"]
#[allow(dead_code, unreachable_pub, reason = "others need more of it")]
mod savefile;

use std::path::Path;

use savefile::Savefile;
use wschat_sniff::base::Limits;
use wschat_sniff::export::tcpdump::{Options, Printer, TimeFormat};
use wschat_sniff::wire::{Decoder, encapsulation};

fn file(name: &str) -> Savefile {
    Savefile::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/encapsulated")
            .join(name),
    )
}

/// What the client sends, joined.
fn sent_by_client(file: &Savefile) -> String {
    let mut decoder = Decoder::new(&Limits::default());
    let mut sent = Vec::new();
    for packet in file.packets() {
        let segment = decoder.decode(&packet).expect("each packet has a segment");
        if segment.source.port > segment.destination.port {
            sent.extend(segment.payload.bytes);
        }
    }
    String::from_utf8_lossy(&sent).into_owned()
}

#[test]
fn every_packet_leads_to_its_segment() {
    for name in [
        "erspan-1", "erspan-2", "geneve", "gtpu", "nflog", "pktap", "radiotap", "tzsp", "vxlan",
    ] {
        let sent = sent_by_client(&file(&format!("{name}.pcap")));
        assert!(sent.starts_with("GET /chat HTTP/1.1"), "{name}: {sent}");
        assert!(sent.len() > 200, "{name}: the frames follow");
    }
}

#[test]
fn address_families_of_other_systems_and_byte_orders_are_known() {
    for name in ["null-ipv6-macos.pcap", "null-ipv4-big-endian.pcap"] {
        assert!(sent_by_client(&file(name)).starts_with("GET "), "{name}");
    }
}

#[test]
fn tunnels_are_named() {
    for (name, tunnel) in [
        ("erspan-1", Some("GRE")),
        ("geneve", Some("Geneve")),
        ("gtpu", Some("GTP-U")),
        ("pktap", None),
        ("tzsp", Some("TZSP")),
        ("vxlan", Some("VXLAN")),
    ] {
        let file = file(&format!("{name}.pcap"));
        for packet in file.packets() {
            let found = encapsulation(&packet);
            assert_eq!(
                (found.tunnel, found.has_tcp, found.vlan),
                (tunnel, true, None),
                "{name}"
            );
        }
    }
}

#[test]
fn what_tcpdump_leaves_closed_follows_on_a_line_of_its_own() {
    let first = |name: &str| {
        let mut printer = Printer::new(Options {
            time: TimeFormat::None,
            ..Options::default()
        });
        let file = file(name);
        let mut out = Vec::new();
        for packet in file.packets().take(2) {
            printer.print(&packet, &mut out);
            printer.print_inside(&packet, &mut out);
        }
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        first("gtpu.pcap"),
        "IP 10.99.0.1.2152 > 10.99.0.2.2152: UDP, length 48\n    \
         inside GTP-U: IP 192.168.7.10.50123 > 192.168.7.20.8080: Flags [S], seq 1000, win 502, length 0\n\
         IP 10.99.0.1.2152 > 10.99.0.2.2152: UDP, length 48\n    \
         inside GTP-U: IP 192.168.7.20.8080 > 192.168.7.10.50123: Flags [S.], seq 5000, ack 1001, win 502, length 0\n"
    );
    assert!(first("erspan-2.pcap").contains("gre-proto-0x88be\n    inside ERSPAN: IP 192.168.7.10.50123 > "));
    assert!(first("tzsp.pcap").contains("    inside TZSP: IP 192.168.7.10.50123 > "));
    assert!(!first("vxlan.pcap").contains("inside"), "tcpdump opens it itself");
}
