//! What attacks cost: `make bench`, or `cargo bench --bench attacks -- [KIND…]`.
//!
//! A row an attack of `benches/traffic/hostile.rs`: the instructions that a byte of it costs in the JSON view, as callgrind counts them,
//! beside those that a byte of chat costs. Counts do not depend on how busy the machine is.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

mod captures;

use captures::capture;

/// Beyond this ratio a row is marked.
const MOST: f64 = 20.0;

/// The kinds with their numbers: captures of some megabytes.
const ATTACKS: &[(&str, u64)] = &[
    ("flood", 20),
    ("garbage", 4),
    ("holes", 3),
    ("crumbs", 20),
    ("torn", 20),
    ("bomb", 3),
    ("fragmented-bomb", 3),
    ("bombs", 3),
    ("endless-bombs", 3),
    ("late-bombs", 3),
    ("lost-bombs", 3),
    ("states", 10),
    ("zeros", 10),
    ("histories", 2),
    ("heads", 3),
    ("lines", 3),
    ("fragments", 3),
    ("empty-fragments", 5),
    ("datagrams", 10),
    ("datagrams-6", 10),
    ("unfinished", 3),
    ("records", 3),
    ("cut-records", 2),
    ("hellos", 3),
    ("requests", 2),
    ("refusals", 3),
    ("field-blocks", 3),
    ("early-data", 3),
    ("violations", 1),
    ("pings", 20),
    ("logins", 10),
    ("rooms", 10),
    ("crowd", 1),
    ("lost-0", 2),
    ("lost-1", 2),
    ("lost-2", 2),
    ("lost-3", 2),
    ("lost-4", 2),
    ("unknown-0", 2),
    ("unknown-1", 2),
    ("unknown-2", 2),
    ("unknown-3", 2),
    ("unknown-4", 2),
];

fn main() -> io::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    fs::create_dir_all(&folder)?;
    // What starting costs is no matter of any capture.
    let nothing = folder.join("nothing.pcap");
    fs::write(
        &nothing,
        [
            0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
        ],
    )?;
    let start = instructions(&nothing)?;
    let a_byte = |path: &Path| -> io::Result<f64> {
        let spent = instructions(path)?.saturating_sub(start);
        Ok(spent as f64 / fs::metadata(path)?.len() as f64)
    };
    let chat = a_byte(&capture(&folder, "chat", 4)?)?;
    println!("\n| attack | instructions a byte | beside chat ({chat:.0}) | at most |");
    println!("| --- | --- | --- | --- |");
    for (kind, count) in ATTACKS {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == kind) {
            continue;
        }
        let cost = a_byte(&capture(&folder, kind, *count)?)?;
        let ratio = cost / chat;
        let mark = if ratio > MOST { " (more)" } else { "" };
        println!("| {kind} | {cost:.0} | {ratio:.1}{mark} | {MOST:.0} |");
    }
    Ok(())
}

/// What the program executes for a capture.
fn instructions(path: &Path) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args([
            "-Z",
            "root",
            "--format",
            "json",
            "--output",
            "/dev/null",
            "--force",
            "-r",
        ])
        .arg(path)
        .output()
        .map_err(|error| io::Error::other(format!("valgrind: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "{}: {}\n{said}",
            path.display(),
            output.status
        )));
    }
    let count = said
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.ok_or_else(|| io::Error::other(format!("{}: nothing was counted:\n{said}", path.display())))
}
