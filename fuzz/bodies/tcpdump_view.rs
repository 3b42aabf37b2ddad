//! Packets of any kind through the `tcpdump` view with any flags. Beside not panicking: each packet gets whole lines, the same ones
//! from another printer, and not more of them than its bytes can explain.
//!
//! The first byte picks the link type, the next two the flags. Then come packets: two bytes of length, one that says how much
//! more it had on the wire (less, from 0xf0 on), one that says how much time has gone by, the bytes.

use wschat_sniff::base::{Captured, Timestamp};
use wschat_sniff::export::tcpdump::{Options, Precision, Printer, TimeFormat};
use wschat_sniff::wire::{LinkType, Packet};

/// The link type whose number ends in this byte, else one of the others.
fn link_type(byte: u8) -> LinkType {
    let all = LinkType::TABLE;
    let found = all.iter().find(|link| link.0 as u8 == byte);
    *found.unwrap_or(&all[usize::from(byte) % all.len()])
}

/// One input.
pub fn run(data: &[u8]) {
    let [link, low, high, rest @ ..] = data else {
        return;
    };
    let link = link_type(*link);
    let options = options(u16::from_be_bytes([*high, *low]));
    let (mut printer, mut again) = (Printer::new(options.clone()), Printer::new(options));
    let (mut out, mut same) = (Vec::new(), Vec::new());
    let mut rest = rest;
    let mut time = 0i64;
    let mut number = 0;
    while let [high, low, more, pause, bytes @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(bytes.len());
        let (bytes, behind) = bytes.split_at(length);
        rest = behind;
        number += 1;
        // Back by a second, or forth by up to two minutes.
        time += if *pause == 255 {
            -1_000_000_000
        } else {
            1 << (*pause % 37)
        };
        let wire_len = match *more {
            0xf0.. => length.saturating_sub(usize::from(*more) - 0xf0),
            more => length + usize::from(more),
        };
        let packet = Packet {
            number,
            time: Timestamp::from_nanos(time),
            link,
            data: Captured { bytes, wire_len },
        };
        out.clear();
        same.clear();
        printer.print(&packet, &mut out);
        again.print(&packet, &mut same);
        assert_eq!(out, same);
        assert_eq!(out.last(), Some(&b'\n'));
        assert!(out.len() <= 2_000 + length * 60, "{} bytes for {length}", out.len());
    }
}

fn options(bits: u16) -> Options {
    let bit = |n: u16| bits >> n & 1 != 0;
    let two = |n: u16| (bits >> n & 3) as u8;
    Options {
        time: [
            TimeFormat::TimeOfDay,
            TimeFormat::None,
            TimeFormat::SincePrevious,
            TimeFormat::DateTime,
        ][usize::from(two(0))],
        precision: if bit(2) { Precision::Nano } else { Precision::Micro },
        number: bit(3),
        lengths: bit(4),
        link_header: bit(5),
        quiet: two(6) / 2,
        verbose: two(8),
        absolute_sequence: bit(10),
        unverified: bit(11),
        ascii: two(12),
        hex: u8::from(bit(14)) * 2,
        hex_ascii: u8::from(bit(15)),
        ..Options::default()
    }
}
