//! From a packet to its lines.

use super::dump;
use super::interfaces::Interfaces;
use super::line::{Line, Memory, Reader};
use super::number::push_dec;
use super::options::Options;
use super::seq_table::SeqTable;
use super::text::Text;
use super::time::Clock;
use crate::wire::{Packet, link};

/// The longest packet that tcpdump believes in.
const LONGEST: usize = 262_144;

/// Prints packets as tcpdump does; remembers what relative numbers and times count from.
#[derive(Debug)]
pub struct Printer {
    options: Options,
    clock: Clock,
    memory: Memory,
    /// The packet printed last has a tunnel that tcpdump does not open.
    closed_tunnel: bool,
    /// Where what is not needed of a line goes.
    unused: Vec<u8>,
}

impl Printer {
    /// A printer that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        Self {
            clock: Clock::new(&options),
            memory: Memory {
                sequence: SeqTable::new(options.memory_bytes),
                interfaces: Interfaces::default(),
            },
            options,
            closed_tunnel: false,
            unused: Vec::new(),
        }
    }

    /// Appends the packet's lines, each with its line feed.
    pub fn print(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        self.closed_tunnel = false;
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
        let line = Line {
            options: &self.options,
            text: Text::new(out),
            memory: &mut self.memory,
            has_tcp: false,
            tunnel: "",
        };
        let mut reader = Reader::new(bytes, line);
        if link::read(&mut reader, packet.link, packet.data.wire_len as u32).is_err() {
            // Everything is dumped of a packet that could not be told to its end.
            reader.link_length = 0;
            reader.truncated();
        }
        let header = reader.link_length;
        self.closed_tunnel = reader.has_closed_tunnel();
        let out = reader.to.text.finish();
        dump_packet(&self.options, bytes, header, out);
        out.push(b'\n');
    }

    /// A packet that is not printed: relative numbers of those behind it may count from its own.
    pub fn pass(&mut self, packet: &Packet<'_>) {
        self.read_unprinted(packet);
    }

    /// Reads the packet; what that says is not printed.
    fn read_unprinted<'p>(&'p mut self, packet: &Packet<'p>) -> Reader<'p, 'p> {
        self.unused.clear();
        let line = Line {
            options: &self.options,
            text: Text::new(&mut self.unused),
            memory: &mut self.memory,
            has_tcp: false,
            tunnel: "",
        };
        let mut reader = Reader::new(packet.data.bytes, line);
        // What cannot be read to its end is read as far as it goes.
        _ = link::read(&mut reader, packet.link, packet.data.wire_len as u32);
        reader
    }

    /// Appends the line of the TCP segment that the packet, printed just before, has in a tunnel that tcpdump does not open;
    /// nothing when there is none. The line begins with `inside` and the tunnel's name.
    pub fn print_inside(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        if !self.closed_tunnel {
            return;
        }
        // Up to the tunnel once more.
        let mut reader = self.read_unprinted(packet);
        reader.to.text.clear();
        reader.to.has_tcp = false;
        if let Some(Err(_)) = reader.open() {
            reader.truncated();
        }
        let Line {
            text, has_tcp, tunnel, ..
        } = reader.to;
        let inside = text.finish();
        if has_tcp {
            out.extend_from_slice(b"    inside ");
            out.extend_from_slice(tunnel.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(inside);
            out.push(b'\n');
        }
    }
}

type Dump = fn(&[u8], &mut Vec<u8>);

/// `-A`, `-x`, `-X`: the packet's bytes, from behind the link layer's header on unless the flag is given twice.
fn dump_packet(options: &Options, bytes: &[u8], header: usize, out: &mut Vec<u8>) {
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
    use crate::wire::LinkType;

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
        // Authentication headers.
        let mut bytes = vec![0x45, 0, 0xff, 0xff, 0, 0, 0, 0, 64, 51, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        while bytes.len() < 65_535 - 12 {
            bytes.extend([51, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        assert!(printed(LinkType::RAW, &bytes).matches("AH(").count() > 100);
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
