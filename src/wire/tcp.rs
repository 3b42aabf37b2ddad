//! The TCP header (RFC 9293 §3.1), read as far as it was captured.

use crate::wire::ip::Ip;
use crate::wire::reader::{Listener, Read, Reader};

/// The fixed part of the header, in bytes.
pub(crate) const HEADER: u32 = 20;

/// What was captured of a TCP header.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tcp {
    /// Not even the ports.
    Nothing,
    /// The ports only.
    Ports(u16, u16),
    /// The fixed part.
    Header(Header),
}

/// The fixed part of a header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    /// How long the header says it is, in bytes. May be less than there is, or more than the segment.
    pub(crate) length: u32,
    /// The control bits, AE (0x100) included.
    pub(crate) flags: u16,
    pub(crate) window: u16,
    pub(crate) checksum: u16,
    pub(crate) urgent: u16,
}

impl Header {
    /// Whether its length can be right in a segment of so many bytes.
    pub(crate) fn fits(&self, segment: u32) -> bool {
        (HEADER..=segment).contains(&self.length)
    }
}

/// Reads a segment's header.
#[inline]
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip) -> Read {
    reader.protocol = "tcp";
    let tcp = match reader.array::<20>(ip.at) {
        Ok(bytes) => {
            let u16_at = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
            let u32_at = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            Tcp::Header(Header {
                source_port: u16_at(0),
                destination_port: u16_at(2),
                seq: u32_at(4),
                ack: u32_at(8),
                length: u32::from(bytes[12] >> 4) * 4,
                flags: u16_at(12) & 0x01ff,
                window: u16_at(14),
                checksum: u16_at(16),
                urgent: u16_at(18),
            })
        }
        Err(_) => match reader.u32(ip.at) {
            Ok(ports) => Tcp::Ports((ports >> 16) as u16, ports as u16),
            Err(_) => Tcp::Nothing,
        },
    };
    L::tcp(reader, ip, &tcp)
}
