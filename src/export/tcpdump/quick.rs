//! The usual packet without detours: an unfragmented IPv4 datagram with a whole TCP header, printed in one go.
//!
//! Nine packets of ten are like that, and following them through the printers of each layer takes three times as long. What
//! comes out is what these would print; whatever is unusual is left to them, before anything was written or remembered.

use super::http;
use super::line::Memory;
use super::number::{OCTETS, PAIRS};
use super::options::Options;
use super::seq_table::Ends;
use super::tcp::{ACK, FIN, FLAGS, RST, SYN, URG};

const IP_HEADER: usize = 20;
const TCP_HEADER: usize = 20;

/// Prints the IP packet that begins at `start` in `bytes` and had `length` bytes on the wire; `false` when it is not the usual
/// one.
#[inline]
pub(super) fn print(
    options: &Options,
    memory: &mut Memory,
    bytes: &[u8],
    start: usize,
    length: usize,
    out: &mut Vec<u8>,
) -> bool {
    if options.verbose > 0 || options.quiet > 0 || options.link_header || options.names.is_some() {
        return false;
    }
    let Some(packet) = Usual::read(bytes.get(start..).unwrap_or_default(), length) else {
        return false;
    };
    packet.print(options, memory, out);
    true
}

/// What is printed of a usual packet.
struct Usual {
    ends: Ends<4>,
    seq: u32,
    ack: u32,
    flags: u8,
    window: u16,
    urgent: u16,
    /// Value and echo of the timestamps option, when it is there as everybody sends it; there are no others then.
    timestamps: Option<(u32, u32)>,
    length: u32,
}

impl Usual {
    #[inline]
    fn read(bytes: &[u8], length: usize) -> Option<Self> {
        let (ip, rest) = bytes.split_first_chunk::<IP_HEADER>()?;
        let (tcp, rest) = rest.split_first_chunk::<TCP_HEADER>()?;
        let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let header = usize::from(tcp[12] >> 4) * 4;
        let first_fragment = ip[6] & 0x1f == 0 && ip[7] == 0;
        if ip[0] != 0x45 || ip[9] != 6 || !first_fragment || length < total || total < IP_HEADER + header {
            return None;
        }
        let timestamps = match header {
            20 => None,
            32 => {
                let option = rest.first_chunk::<12>()?;
                let [1, 1, 8, 10, v0, v1, v2, v3, e0, e1, e2, e3] = *option else {
                    return None;
                };
                Some((
                    u32::from_be_bytes([v0, v1, v2, v3]),
                    u32::from_be_bytes([e0, e1, e2, e3]),
                ))
            }
            _ => return None,
        };
        let payload = (total - IP_HEADER - header) as u32;
        let ends = Ends {
            source: [ip[12], ip[13], ip[14], ip[15]],
            destination: [ip[16], ip[17], ip[18], ip[19]],
            source_port: u16::from_be_bytes([tcp[0], tcp[1]]),
            destination_port: u16::from_be_bytes([tcp[2], tcp[3]]),
        };
        let text = http::PORTS.contains(&ends.source_port) || http::PORTS.contains(&ends.destination_port);
        if text && payload > 0 {
            return None;
        }
        Some(Self {
            ends,
            seq: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
            ack: u32::from_be_bytes([tcp[8], tcp[9], tcp[10], tcp[11]]),
            flags: tcp[13],
            window: u16::from_be_bytes([tcp[14], tcp[15]]),
            urgent: u16::from_be_bytes([tcp[18], tcp[19]]),
            timestamps,
            length: payload,
        })
    }

    #[inline]
    fn print(&self, options: &Options, memory: &mut Memory, out: &mut Vec<u8>) {
        let flags = self.flags;
        let (mut seq, mut ack) = (self.seq, self.ack);
        if !options.absolute_sequence && flags & ACK != 0 {
            let relative = memory.sequence.v4(self.ends, seq, ack, flags & SYN != 0);
            (seq, ack) = (relative.seq, relative.ack);
        }
        let mut text = Text::new();
        text.put(b"IP ");
        text.address(self.ends.source);
        text.dec(self.ends.source_port.into());
        text.put(b" > ");
        text.address(self.ends.destination);
        text.dec(self.ends.destination_port.into());
        text.put(b": Flags [");
        text.flags(flags);
        if self.length > 0 || flags & (SYN | FIN | RST) != 0 {
            text.put(b"], seq ");
            text.dec(seq);
            if self.length > 0 {
                text.put(b":");
                text.dec(seq.wrapping_add(self.length));
            }
        } else {
            text.put(b"]");
        }
        if flags & ACK != 0 {
            text.put(b", ack ");
            text.dec(ack);
        }
        text.put(b", win ");
        text.dec(self.window.into());
        if flags & URG != 0 {
            text.put(b", urg ");
            text.dec(self.urgent.into());
        }
        if let Some((value, echo)) = self.timestamps {
            text.put(b", options [nop,nop,TS val ");
            text.dec(value);
            text.put(b" ecr ");
            text.dec(echo);
            text.put(b"]");
        }
        text.put(b", length ");
        text.dec(self.length);
        out.extend_from_slice(text.as_bytes());
    }
}

/// A line in the making. There is room for the longest one, and for what is written beyond the end of a number to spare a
/// look at its length.
struct Text {
    bytes: [u8; 256],
    at: usize,
}

impl Text {
    #[inline]
    fn new() -> Self {
        Self { bytes: [0; 256], at: 0 }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    #[inline]
    fn put<const N: usize>(&mut self, text: &[u8; N]) {
        self.over(text, N);
    }

    /// Writes all of `text`, of which `length` bytes count.
    #[inline]
    fn over<const N: usize>(&mut self, text: &[u8; N], length: usize) {
        if let Some(room) = self.bytes.get_mut(self.at..self.at + N) {
            room.copy_from_slice(text);
        }
        self.at += length;
    }

    /// An IPv4 address with a dot behind it.
    #[inline]
    fn address(&mut self, address: [u8; 4]) {
        for octet in address {
            let (text, length) = &OCTETS[usize::from(octet)];
            self.over(text, usize::from(*length));
        }
    }

    #[inline]
    fn flags(&mut self, flags: u8) {
        let (text, length) = &FLAG_TEXTS[usize::from(flags)];
        self.over(text, usize::from(*length));
    }

    #[inline]
    fn dec(&mut self, n: u32) {
        match n {
            0..10_000 => self.few(n),
            10_000..100_000_000 => {
                self.few(n / 10_000);
                self.four(n % 10_000);
            }
            _ => {
                self.few(n / 100_000_000);
                self.four(n / 10_000 % 10_000);
                self.four(n % 10_000);
            }
        }
    }

    /// Up to four digits.
    #[inline]
    fn few(&mut self, n: u32) {
        let (high, low) = (PAIRS[(n / 100 % 100) as usize], PAIRS[(n % 100) as usize]);
        match n {
            0..10 => self.put(&[low[1]]),
            10..100 => self.put(&low),
            100..1000 => self.put(&[high[1], low[0], low[1]]),
            _ => self.put(&[high[0], high[1], low[0], low[1]]),
        }
    }

    /// Four digits, zeros before the number.
    #[inline]
    fn four(&mut self, n: u32) {
        let (high, low) = (PAIRS[(n / 100 % 100) as usize], PAIRS[(n % 100) as usize]);
        self.put(&[high[0], high[1], low[0], low[1]]);
    }
}

/// The letters of each combination of flags, and how many they are.
const FLAG_TEXTS: [([u8; 8], u8); 256] = {
    let mut texts = [(*b"none    ", 4); 256];
    let mut flags = 1;
    while flags < 256 {
        let (mut text, mut length, mut bit) = ([0; 8], 0, 0);
        while bit < 8 {
            if flags >> bit & 1 != 0 {
                text[length] = FLAGS[bit];
                length += 1;
            }
            bit += 1;
        }
        texts[flags] = (text, length as u8);
        flags += 1;
    }
    texts
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::tcpdump::interfaces::Interfaces;
    use crate::export::tcpdump::ip4;
    use crate::export::tcpdump::line::Line;
    use crate::export::tcpdump::seq_table::SeqTable;

    fn memory() -> Memory {
        Memory {
            sequence: SeqTable::new(),
            interfaces: Interfaces::default(),
            ends: Vec::new(),
        }
    }

    /// A packet that is usual, with the chance to be not: every field that decides may be another one.
    fn packet() -> impl Strategy<Value = Vec<u8>> {
        let odd = |usual: u8| prop_oneof![9 => Just(usual), 1 => any::<u8>()];
        let ports = prop_oneof![Just(80u16), Just(7272), Just(9), any::<u16>()];
        let number = prop_oneof![Just(0u32), Just(u32::MAX), 0..2000u32, any::<u32>()];
        let header = (odd(0x45), odd(6), odd(0x40), odd(0), odd(0x80), any::<u8>());
        let tcp = (
            ports.clone(),
            ports,
            number.clone(),
            number.clone(),
            any::<u16>(),
            any::<u16>(),
        );
        let stamps = (odd(8), number.clone(), number);
        (header, tcp, stamps, 0..200usize, odd(0), 0..4u8).prop_map(|(ip, tcp, stamps, payload, cut, host)| {
            let mut bytes = vec![
                ip.0, 0, 0, 0, 0, 0, ip.2, ip.3, 64, ip.1, 0, 0, 10, 0, 0, host, 10, 0, 99, 200,
            ];
            bytes.extend(tcp.0.to_be_bytes());
            bytes.extend(tcp.1.to_be_bytes());
            bytes.extend(tcp.2.to_be_bytes());
            bytes.extend(tcp.3.to_be_bytes());
            bytes.extend([ip.4, ip.5]);
            bytes.extend(tcp.4.to_be_bytes());
            bytes.extend([0, 0]);
            bytes.extend(tcp.5.to_be_bytes());
            bytes.extend([1, 1, stamps.0, 10]);
            bytes.extend(stamps.1.to_be_bytes());
            bytes.extend(stamps.2.to_be_bytes());
            bytes.extend(vec![b'x'; payload]);
            let total = (bytes.len() as u16).wrapping_sub(cut.into());
            bytes[2..4].copy_from_slice(&total.to_be_bytes());
            bytes
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_what_the_layers_print(
            packets in proptest::collection::vec((packet(), 0..300usize, 0..4usize), 1..20),
            absolute_sequence: bool,
        ) {
            let options = Options { absolute_sequence, ..Options::default() };
            let (mut quick, mut slow) = (memory(), memory());
            for (packet, cut, surplus) in packets {
                let bytes = &packet[..packet.len().saturating_sub(cut / 3)];
                let length = packet.len() + surplus;
                let mut out = Vec::new();
                let usual = print(&options, &mut quick, bytes, 0, length, &mut out);
                let mut expected = Vec::new();
                let mut line = Line::new(&options, bytes, if usual { &mut slow } else { &mut quick }, &mut expected);
                let printed = ip4::print(&mut line, 0, length as u32);
                if usual {
                    prop_assert!(printed.is_ok());
                    prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected));
                } else {
                    prop_assert!(out.is_empty());
                    // Both remember the same.
                    _ = ip4::print(&mut Line::new(&options, bytes, &mut slow, &mut Vec::new()), 0, length as u32);
                }
            }
        }
    }

    #[test]
    fn every_number_of_digits() {
        for n in [
            0,
            9,
            10,
            99,
            100,
            999,
            1000,
            9999,
            10_000,
            99_999_999,
            100_000_000,
            1_000_000_007,
            u32::MAX,
        ] {
            let mut text = Text::new();
            text.dec(n);
            assert_eq!(text.as_bytes(), n.to_string().as_bytes());
        }
    }
}
