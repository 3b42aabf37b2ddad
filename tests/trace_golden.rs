//! The `trace` view of whole captures, against golden files that were read line by line.
//!
//! `REGENERATE=1 cargo test --test trace_golden` writes the files anew; the difference is for a person to read.

use std::path::{Path, PathBuf};
use std::{env, fs};

use wschat_sniff::annotate::Detail;
use wschat_sniff::annotate::texts;
use wschat_sniff::base::{Captured, Limits, Timestamp};
use wschat_sniff::engine::Engine;
use wschat_sniff::export::palette::Palette;
use wschat_sniff::export::trace::{Options, Trace};
use wschat_sniff::export::{View, tcpdump};
use wschat_sniff::wire::{LinkType, Packet};

/// The packets of a classic savefile: time, captured bytes, length on the wire.
fn read(path: &Path) -> (LinkType, Vec<(Timestamp, Vec<u8>, usize)>) {
    let file = fs::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let fraction = match word(0) {
        0xa1b2_c3d4 => 1000,
        0xa1b2_3c4d => 1,
        magic => panic!("{}: magic {magic:x}", path.display()),
    };
    let mut packets = Vec::new();
    let mut at = 24;
    while at + 16 <= file.len() {
        let captured = word(at + 8) as usize;
        let time = Timestamp::from_parts(word(at).into(), i64::from(word(at + 4)) * fraction);
        packets.push((time, file[at + 16..at + 16 + captured].to_vec(), word(at + 12) as usize));
        at += 16 + captured;
    }
    // What libpcap calls LINKTYPE_RAW (101) in files is DLT_RAW (12) to programs.
    let link = match word(20) {
        101 => 12,
        other => other as i32,
    };
    (LinkType(link), packets)
}

fn trace(path: &Path, language: &str, ascii: u8) -> String {
    trace_of(path, language, ascii, |_| true)
}

/// The trace of the packets that `captured` lets through.
fn trace_of(path: &Path, language: &str, ascii: u8, captured: impl Fn(&[u8]) -> bool) -> String {
    let mut view = Trace::new(Options {
        catalog: texts::by_tag(language).unwrap(),
        detail: Detail::Normal,
        palette: &Palette::PLAIN,
        width: None,
        full: false,
        tcpdump: tcpdump::Options {
            ascii,
            timezone: jiff::tz::TimeZone::fixed(jiff::tz::offset(8)),
            ..tcpdump::Options::default()
        },
    });
    let mut engine = Engine::new(Limits::default());
    let (link, packets) = read(path);
    let packets = packets.iter().filter(|(_, bytes, _)| captured(bytes));
    for (index, (time, bytes, length)) in packets.enumerate() {
        let packet = Packet {
            number: index as u64 + 1,
            time: *time,
            link,
            data: Captured::new(bytes, *length),
        };
        assert!(engine.packet(&packet, &mut view).is_continue());
    }
    assert!(engine.finish(&mut view).is_continue());
    view.finish();
    String::from_utf8_lossy(view.output()).into_owned()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn check(case: &str, language: &str, ascii: u8) {
    let folder = fixture(case);
    let told = trace(&folder.join("capture.pcap"), language, ascii);
    let golden = folder.join(format!("trace.{language}.txt"));
    if env::var_os("REGENERATE").is_some() {
        fs::write(&golden, &told).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    for (number, (told, expected)) in told.lines().zip(expected.lines()).enumerate() {
        assert_eq!(told, expected, "{}:{}", golden.display(), number + 1);
    }
    assert_eq!(told.lines().count(), expected.lines().count(), "{}", golden.display());
}

#[test]
fn the_documents_session_is_told_in_five_languages() {
    for language in ["en", "zh-CN", "zh-TW", "ja", "es"] {
        check("workerman-chat-2014", language, 1);
    }
}

/// The packet with the user list is missing; what comes behind it waits until it is clear that it is lost.
#[test]
fn what_waited_for_a_lost_packet_was_known_to_be_websocket() {
    let path = fixture("workerman-chat-2014").join("capture.pcap");
    let (_, packets) = read(&path);
    let lost = &packets[8].1;
    let told = trace_of(&path, "en", 0, |bytes| bytes != &lost[..]);
    assert!(
        told.contains("Only now can this be read: what follows came with packet 10."),
        "{told}"
    );
    assert!(!told.contains("known to be WebSocket"), "{told}");
}

/// A capture at one browser does not show who else gets what is said; the user list tells that there is somebody.
#[test]
fn a_broadcast_is_not_called_complete_where_only_one_browser_is_captured() {
    let told = trace_of(&fixture("workerman-chat-2014").join("capture.pcap"), "en", 0, |bytes| {
        bytes.windows(2).any(|port| port == 60653_u16.to_be_bytes())
    });
    assert!(told.contains("forwards \"hi,  all !\" back to its author"), "{told}");
    assert!(told.contains(" * That is 1.6 ms after it was said."), "{told}");
    for claim in ["broadcast is complete", "The only browser", "1 of 1", "everyone has it"] {
        assert!(!told.contains(claim), "{claim}: {told}");
    }
}

#[test]
fn two_browsers_read_as_a_story() {
    for language in ["en", "zh-CN", "zh-TW", "ja", "es"] {
        check("two-browsers-2014", language, 0);
    }
}

#[test]
fn two_browsers_read_as_a_story_in_the_newer_dialect() {
    for language in ["en", "zh-CN", "zh-TW", "ja", "es"] {
        check("two-browsers-new", language, 0);
    }
}
