//! The `tcpdump` view against tcpdump itself: no difference, whatever the flags.

mod support;

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use support::savefile::Savefile;
use support::{cases, damage, oracle};
use wschat_sniff::export::tcpdump::{Options, Printer};

/// Flags that are tried on every capture.
const FLAGS: [&str; 28] = [
    "",
    "-v",
    "-vv",
    "-vvv",
    "-e",
    "-ev",
    "-q",
    "-qe",
    "-qv",
    "-qq",
    "-S",
    "-Svv",
    "-A",
    "-AA",
    "-Ave",
    "-x",
    "-xx",
    "-X",
    "-XX",
    "-XAe",
    "-t",
    "-tt",
    "-ttt",
    "-tttt",
    "-ttttt --nano",
    "-#",
    "-Kv",
    "-qX",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn the_documented_session_prints_as_tcpdump_printed_it() {
    let case = fixtures().join("workerman-chat-2014");
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

#[test]
#[ignore = "needs tcpdump"]
fn every_case_with_every_flag() {
    for (name, file) in cases::all() {
        for flags in FLAGS {
            compare(name, flags, &file);
        }
    }
}

#[test]
#[ignore = "needs tcpdump"]
fn every_fixture_with_every_flag() {
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path().join("capture.pcap");
        if path.exists() {
            let file = Savefile::read(&path);
            for flags in FLAGS {
                compare(&path.display().to_string(), flags, &file);
            }
        }
    }
}

/// Fails with the first line that differs.
fn compare(name: &str, flags: &str, file: &Savefile) {
    let theirs = oracle::tcpdump(flags, file);
    let ours = oracle::ours(flags, file);
    if theirs == ours {
        return;
    }
    let (theirs, ours) = (String::from_utf8_lossy(&theirs), String::from_utf8_lossy(&ours));
    for (n, (their, our)) in theirs.lines().zip(ours.lines()).enumerate() {
        assert_eq!(their, our, "{name}, flags '{flags}', line {}", n + 1);
    }
    panic!(
        "{name}, flags '{flags}': {} lines, not {}",
        ours.lines().count(),
        theirs.lines().count()
    );
}

#[test]
#[ignore = "needs tcpdump"]
fn the_program_prints_the_same() {
    for (name, file) in cases::all() {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("parity {name}.pcap"));
        file.write(&path);
        for flags in ["-n", "-Anvve", "-nXttt#", "-nSqtttt"] {
            let ours = std::process::Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
                .args([flags, "--format", "tcpdump", "-r"])
                .arg(&path)
                .env("TZ", oracle::ZONE)
                .output()
                .unwrap();
            let theirs = oracle::tcpdump(flags, &file);
            assert!(ours.stdout == theirs, "{name}, flags '{flags}'");
        }
    }
}

#[test]
#[ignore = "needs tcpdump"]
fn damaged_packets() {
    // Thousands a run; `DAMAGE=100000` looks longer.
    let rounds = std::env::var("DAMAGE").map_or(6, |n| n.parse().unwrap());
    for round in 0..rounds {
        for (n, (name, file)) in cases::all().into_iter().enumerate() {
            let seed = round * 1000 + n as u64;
            let flags = DAMAGE_FLAGS[(round as usize * 7 + n) % DAMAGE_FLAGS.len()];
            compare_damaged(name, flags, &damage::damaged(&file, 200, seed), seed);
        }
    }
}

/// Each with the packet's number, which tells the packets' lines apart.
const DAMAGE_FLAGS: [&str; 15] = [
    "-#tt",
    "-#ttv",
    "-#ttvv",
    "-#tte",
    "-#ttev",
    "-#ttq",
    "-#ttqe",
    "-#ttqv",
    "-#ttS",
    "-#ttA",
    "-#ttX",
    "-#ttxe",
    "-#ttXXvve",
    "-#ttvvvK",
    "-#ttAvve",
];

/// Fails with the first packet that differs although TCP is what tcpdump sees last in it; damage makes packets of protocols
/// that have a short form here.
fn compare_damaged(name: &str, flags: &str, file: &Savefile, seed: u64) {
    let count = file.records.len() as u32;
    let theirs = oracle::tcpdump(flags, file);
    let ours = oracle::ours(flags, file);
    let packets = damage::by_packet(&theirs, count)
        .into_iter()
        .zip(damage::by_packet(&ours, count));
    for (packet, (their, our)) in packets.enumerate() {
        let (their, our) = (String::from_utf8_lossy(their), String::from_utf8_lossy(our));
        if (ends_in_tcp(&their) || ends_in_tcp(&our)) && !on_told_port(&our) {
            let bytes = &file.records[packet].bytes;
            assert_eq!(
                their, our,
                "{name}, flags '{flags}', seed {seed}, packet {packet}: {bytes:02x?}"
            );
        }
    }
}

fn ends_in_tcp(text: &str) -> bool {
    // LLC's frames have flags too.
    if text.contains(", rcv seq ") || text.contains("Unnumbered, ") {
        return false;
    }
    [
        "Flags [.", "Flags [F", "Flags [S", "Flags [R", "Flags [P", "Flags [U", "Flags [E", "Flags [W", " [|tcp]",
        ": tcp ",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}

/// Whether damage made a port one for which tcpdump has an application printer, whose part we leave off.
fn on_told_port(text: &str) -> bool {
    const PORTS: [u16; 20] = [
        21, 22, 23, 25, 43, 53, 139, 179, 323, 445, 554, 639, 646, 1723, 2049, 6379, 6633, 6653, 8554, 10288,
    ];
    PORTS
        .iter()
        .any(|port| text.contains(&format!(".{port} > ")) || text.contains(&format!(".{port}: ")))
}
