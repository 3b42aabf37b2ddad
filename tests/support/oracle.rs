//! The installed tcpdump, and the `tcpdump` view with the same flags.

use std::io::Write;
use std::process::{Command, Stdio};

use jiff::tz::TimeZone;
use wschat_sniff::export::tcpdump::{Options, Precision, Printer, TimeFormat};

use super::savefile::Savefile;

/// The time zone of both, as `TZ` has it: a half-hour offset, and summer time in the south.
pub const ZONE: &str = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0";

/// What tcpdump prints of a savefile with these flags (and `-n`), or why it could not be asked.
pub fn tcpdump(flags: &str, file: &Savefile) -> Vec<u8> {
    let mut child = Command::new("tcpdump")
        .args(["-n", "-r", "-"])
        .args(flags.split_whitespace())
        .env("TZ", ZONE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("tcpdump is installed");
    let bytes = file.to_bytes();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // Writing fails when tcpdump gives the file up before its end: its output says enough.
        scope.spawn(move || _ = stdin.write_all(&bytes));
        child.wait_with_output().expect("tcpdump ran").stdout
    })
}

/// What our view prints of it with the same flags.
pub fn ours(flags: &str, file: &Savefile) -> Vec<u8> {
    let mut printer = Printer::new(options(flags));
    let mut out = Vec::new();
    for packet in file.packets() {
        printer.print(&packet, &mut out);
    }
    out
}

/// Flags as typed.
pub fn options(flags: &str) -> Options {
    let mut options = Options {
        timezone: TimeZone::posix(ZONE).unwrap(),
        ..Options::default()
    };
    let mut times = 0;
    for word in flags.split_whitespace() {
        if word == "--nano" {
            options.precision = Precision::Nano;
            continue;
        }
        for letter in word.trim_start_matches('-').chars() {
            match letter {
                'A' => options.ascii += 1,
                'x' => options.hex += 1,
                'X' => options.hex_ascii += 1,
                'e' => options.link_header = true,
                'q' => options.quiet += 1,
                'v' => options.verbose += 1,
                'S' => options.absolute_sequence = true,
                'K' => options.unverified = true,
                '#' => options.number = true,
                't' => times += 1,
                'n' => {}
                other => panic!("no such flag: {other}"),
            }
        }
    }
    options.time = [
        TimeFormat::TimeOfDay,
        TimeFormat::None,
        TimeFormat::Unix,
        TimeFormat::SincePrevious,
        TimeFormat::DateTime,
        TimeFormat::SinceFirst,
    ][times];
    options
}
