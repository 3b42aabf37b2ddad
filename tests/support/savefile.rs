//! Classic pcap savefiles, read and written without libpcap, so that a test owns every byte of them.

use std::path::Path;

use wschat_sniff::base::{Captured, Timestamp};
use wschat_sniff::wire::{LinkType, Packet};

/// A savefile in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Savefile {
    /// The link type, as the file has it.
    pub link: u32,
    /// Whether its times have nanoseconds.
    pub nano: bool,
    /// Its packets.
    pub records: Vec<Record>,
}

/// One packet of a savefile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Seconds since the epoch.
    pub seconds: u32,
    /// Micro- or nanoseconds, as the file says.
    pub fraction: u32,
    /// How long the packet was on the wire.
    pub wire_len: u32,
    /// What was captured of it.
    pub bytes: Vec<u8>,
}

impl Record {
    /// A packet captured whole.
    pub fn whole(seconds: u32, fraction: u32, bytes: Vec<u8>) -> Self {
        Self {
            seconds,
            fraction,
            wire_len: bytes.len() as u32,
            bytes,
        }
    }
}

impl Savefile {
    /// Without packets, in microseconds.
    pub fn new(link: u32) -> Self {
        Self {
            link,
            nano: false,
            records: Vec::new(),
        }
    }

    /// Reads a file of this machine's byte order or the other.
    pub fn read(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self::parse(&bytes)
    }

    /// The same from bytes.
    pub fn parse(bytes: &[u8]) -> Self {
        let magic = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        let (big, nano) = match magic {
            0xa1b2_c3d4 => (false, false),
            0xa1b2_3c4d => (false, true),
            0xd4c3_b2a1 => (true, false),
            0x4d3c_b2a1 => (true, true),
            other => panic!("no classic pcap file: it begins with {other:08x}"),
        };
        let number = |at: usize| {
            let four = bytes[at..at + 4].try_into().unwrap();
            if big {
                u32::from_be_bytes(four)
            } else {
                u32::from_le_bytes(four)
            }
        };
        let mut records = Vec::new();
        let mut at = 24;
        while at + 16 <= bytes.len() {
            let captured = number(at + 8) as usize;
            let Some(data) = bytes.get(at + 16..at + 16 + captured) else {
                break;
            };
            records.push(Record {
                seconds: number(at),
                fraction: number(at + 4),
                wire_len: number(at + 12),
                bytes: data.to_vec(),
            });
            at += 16 + captured;
        }
        Self {
            link: number(20) & 0x0fff_ffff,
            nano,
            records,
        }
    }

    /// The bytes of the file, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let magic: u32 = if self.nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        out.extend(magic.to_le_bytes());
        out.extend([2, 0, 4, 0]);
        out.extend([0; 8]);
        out.extend(262_144u32.to_le_bytes());
        out.extend(self.link.to_le_bytes());
        for record in &self.records {
            out.extend(record.seconds.to_le_bytes());
            out.extend(record.fraction.to_le_bytes());
            out.extend((record.bytes.len() as u32).to_le_bytes());
            out.extend(record.wire_len.to_le_bytes());
            out.extend(&record.bytes);
        }
        out
    }

    /// Writes the file.
    pub fn write(&self, path: impl AsRef<Path>) {
        std::fs::write(path, self.to_bytes()).unwrap();
    }

    /// The packets, as the capture floor hands them on.
    pub fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        let unit = if self.nano { 1 } else { 1000 };
        self.records.iter().zip(1..).map(move |(record, number)| Packet {
            number,
            // libpcap reads the seconds as a signed number.
            time: Timestamp::from_parts(i64::from(record.seconds as i32), i64::from(record.fraction) * unit),
            link: LinkType(self.link as i32),
            data: Captured {
                bytes: &record.bytes,
                wire_len: record.wire_len as usize,
            },
        })
    }
}
