//! The `tcpdump` view against tcpdump itself: no difference, whatever the flags.

mod support;

use std::path::Path;

use jiff::tz::TimeZone;
use support::savefile::Savefile;
use wschat_sniff::render::tcpdump::{Options, Printer};

#[test]
fn the_documented_session_prints_as_tcpdump_printed_it() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/workerman-chat-2014");
    let options = Options {
        ascii: 1,
        timezone: TimeZone::posix("CST-8").unwrap(),
        ..Options::default()
    };
    let mut printer = Printer::new(options);
    let mut printed = Vec::new();
    for packet in Savefile::read(case.join("capture.pcap")).packets() {
        printer.print(&packet, &mut printed);
    }
    let expected = std::fs::read(case.join("tcpdump-Ans4096.txt")).unwrap();
    assert_eq!(String::from_utf8_lossy(&printed), String::from_utf8_lossy(&expected));
}
