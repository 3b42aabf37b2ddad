//! From a packet to its lines.

use super::interfaces::Interfaces;
use super::line::{Line, Memory};
use super::link;
use super::number::push_dec;
use super::options::Options;
use super::quick;
use super::seq_table::SeqTable;
use super::time::Clock;
use super::{cooked, dump};
use crate::wire::{LinkType, Packet};

/// The ethertype of IPv4.
const IPV4: [u8; 2] = [8, 0];

/// The longest packet that tcpdump believes in.
const LONGEST: usize = 262_144;

/// Prints packets as tcpdump does; remembers what relative numbers and times count from.
#[derive(Debug)]
pub struct Printer {
    options: Options,
    clock: Clock,
    memory: Memory,
}

impl Printer {
    /// A printer that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        Self {
            clock: Clock::new(&options),
            memory: Memory {
                sequence: SeqTable::new(),
                interfaces: Interfaces::default(),
                ends: Vec::new(),
            },
            options,
        }
    }

    /// Appends the packet's lines, each with its line feed.
    pub fn print(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        let bytes = packet.data.bytes;
        if self.options.number {
            let start = out.len();
            push_dec(out, packet.number);
            pad_left(start, 5, out);
            out.extend_from_slice(b"  ");
        }
        if self.options.lengths {
            out.extend_from_slice(b"caplen ");
            push_dec(out, bytes.len());
            out.extend_from_slice(b", len ");
            push_dec(out, packet.data.wire_len);
            out.extend_from_slice(b", ");
        }
        if refuse(bytes.len(), packet.data.wire_len, out) {
            return;
        }
        self.clock.print(packet.time, out);
        if let Some(header) = self.quick(packet, out) {
            self.dump(bytes, header, out);
            out.push(b'\n');
            return;
        }
        let mut line = Line::new(&self.options, bytes, &mut self.memory, out);
        if link::print(&mut line, packet.link, packet.data.wire_len as u32).is_err() {
            // Everything is dumped of a packet that could not be told to its end.
            line.link_length = 0;
            line.truncated();
        }
        line.restore_end();
        let header = line.link_length;
        self.dump(bytes, header, out);
        out.push(b'\n');
    }

    /// Prints a packet of the usual kind, and returns how long its link header is.
    #[inline]
    fn quick(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) -> Option<usize> {
        let bytes = packet.data.bytes;
        let start = out.len();
        let header = match packet.link {
            LinkType::ETHERNET if bytes.get(12..14)? == IPV4 => 14,
            LinkType::LINUX_SLL if bytes.get(14..16)? == IPV4 && bytes[2..4] != cooked::RADIOTAP => 16,
            LinkType::LINUX_SLL2 if bytes.get(..2)? == IPV4 && bytes.get(8..10)? != cooked::RADIOTAP => {
                cooked::way_in(&mut self.memory, bytes, out);
                20
            }
            LinkType::RAW | LinkType::LINKTYPE_RAW => 0,
            LinkType::NULL | LinkType::LOOP if matches!(bytes.get(..4)?, [2, 0, 0, 0] | [0, 0, 0, 2]) => 4,
            _ => return None,
        };
        let length = packet.data.wire_len.checked_sub(header)?;
        let shown = quick::print(&self.options, &mut self.memory, bytes, header, length, out);
        if !shown {
            out.truncate(start);
        }
        shown.then_some(header)
    }

    fn dump(&self, bytes: &[u8], header: usize, out: &mut Vec<u8>) {
        let options = &self.options;
        let (count, dump): (u8, Dump) = match () {
            () if options.hex_ascii > 0 => (options.hex_ascii, dump::hex_ascii),
            () if options.hex > 0 => (options.hex, dump::hex),
            () if options.ascii > 0 => (options.ascii, dump::ascii),
            () => return,
        };
        let shown = if count > 1 {
            bytes
        } else {
            bytes.get(header..).unwrap_or_default()
        };
        if !shown.is_empty() {
            dump(shown, out);
        }
    }
}

type Dump = fn(&[u8], &mut Vec<u8>);

/// Whether the record's header makes no sense, and says so.
fn refuse(captured: usize, length: usize, out: &mut Vec<u8>) -> bool {
    if captured != 0 && length >= captured && length <= LONGEST {
        return false;
    }
    let start = out.len();
    let say = |out: &mut Vec<u8>, parts: &[&str], numbers: &[usize]| {
        let before: &[u8] = if out.len() > start { b"," } else { b"[Invalid header:" };
        out.extend_from_slice(before);
        for (n, part) in parts.iter().enumerate() {
            out.extend_from_slice(part.as_bytes());
            if let Some(&number) = numbers.get(n) {
                push_dec(out, number);
            }
        }
    };
    if captured == 0 {
        say(out, &[" caplen==0"], &[]);
    }
    if length == 0 {
        say(out, &[" len==0"], &[]);
    } else if length < captured {
        say(out, &[" len(", ") < caplen(", ")"], &[length, captured]);
    }
    if captured > LONGEST {
        say(out, &[" caplen(", ") > ", ""], &[captured, LONGEST]);
    }
    if length > LONGEST {
        say(out, &[" len(", ") > ", ""], &[length, LONGEST]);
    }
    out.extend_from_slice(b"]\n");
    true
}

/// Puts blanks before what was appended from `start`, up to `width`.
pub(super) fn pad_left(start: usize, width: usize, out: &mut Vec<u8>) {
    let length = out.len() - start;
    if length < width {
        out.resize(start + width, b' ');
        out.copy_within(start..start + length, start + width - length);
        out[start..start + width - length].fill(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Captured, Timestamp};

    fn printed(link: LinkType, bytes: &[u8]) -> String {
        let options = Options {
            time: crate::export::tcpdump::TimeFormat::None,
            verbose: 1,
            ..Options::default()
        };
        let packet = Packet {
            number: 1,
            time: Timestamp::default(),
            link,
            data: Captured::whole(bytes),
        };
        let mut out = Vec::new();
        Printer::new(options).print(&packet, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn headers_nested_without_end_do_not_exhaust_the_stack() {
        // Each says that the rest is IPv4 again; the tests' threads have the smallest stack of all.
        let mut bytes = Vec::new();
        for n in (0..3000u16).rev() {
            let [high, low] = (n * 20 + 20).to_be_bytes();
            bytes.extend([0x45, 0, high, low, 0, 0, 0, 0, 64, 4, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        }
        let text = printed(LinkType::RAW, &bytes);
        assert!(text.lines().count() > 100);
        // Enhanced GRE with PPP, and in that the same.
        let mut bytes = Vec::new();
        for n in (0..1800u16).rev() {
            let [high, low] = (n * 36 + 36).to_be_bytes();
            bytes.extend([0x45, 0, high, low, 0, 0, 0, 0, 64, 47, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
            bytes.extend([0x30, 1, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0x21]);
        }
        let text = printed(LinkType::RAW, &bytes);
        assert!(text.lines().count() > 100);
    }

    #[test]
    fn a_record_that_contradicts_itself_is_only_named() {
        let packet = |captured: usize, length: usize| {
            let bytes = vec![0; captured];
            let data = Captured {
                bytes: &bytes,
                wire_len: length,
            };
            let mut out = Vec::new();
            let packet = Packet {
                number: 1,
                time: Timestamp::default(),
                link: LinkType::ETHERNET,
                data,
            };
            Printer::new(Options::default()).print(&packet, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(packet(0, 0), "[Invalid header: caplen==0, len==0]\n");
        assert_eq!(packet(9, 5), "[Invalid header: len(5) < caplen(9)]\n");
        assert_eq!(
            packet(262_145, 262_146),
            "[Invalid header: caplen(262145) > 262144, len(262146) > 262144]\n"
        );
    }
}
