//! pcap savefiles (draft-ietf-opsawg-pcap): both byte orders, microseconds, nanoseconds, and Kuznetzov's packet headers.

use super::blocks::Blocks;
use super::{Fault, max_packet};
use crate::base::{Captured, Timestamp};
use crate::capture::{Raw, link_types};
use crate::wire::LinkType;

/// A savefile's header is as long as this.
const FILE_HEADER: usize = 24;

/// What the file's header says.
#[derive(Debug)]
pub(super) struct Classic {
    link: LinkType,
    snaplen: u32,
    /// The most that a packet may claim to have captured.
    max: u32,
    order: Order,
    /// Length of a packet's header.
    header: usize,
    /// Nanoseconds of one unit of the time's fraction.
    unit: i64,
    /// Cut times to microseconds.
    cut: bool,
    /// Captured and whole length change places (files older than version 2.3), or perhaps do (2.3 itself).
    lengths: Lengths,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    AsTheyAre,
    PerhapsSwapped,
    Swapped,
}

impl Order {
    #[inline]
    fn u32(self, bytes: &[u8]) -> u32 {
        let four = [bytes[0], bytes[1], bytes[2], bytes[3]];
        match self {
            Order::Little => u32::from_le_bytes(four),
            Order::Big => u32::from_be_bytes(four),
        }
    }

    fn u16(self, bytes: &[u8]) -> u16 {
        match self {
            Order::Little => u16::from_le_bytes([bytes[0], bytes[1]]),
            Order::Big => u16::from_be_bytes([bytes[0], bytes[1]]),
        }
    }
}

impl Classic {
    /// Reads the file's header, of which `magic` is the beginning; `None` when it is not one of a savefile.
    pub(super) fn new(magic: [u8; 4], blocks: &mut Blocks, nano: bool) -> Result<Option<Self>, Fault> {
        let (order, magic) = match magic {
            [0xa1, 0xb2, _, _] => (Order::Big, u32::from_be_bytes(magic)),
            [_, _, 0xb2, 0xa1] => (Order::Little, u32::from_le_bytes(magic)),
            _ => return Ok(None),
        };
        let (header, unit) = match magic {
            0xa1b2_c3d4 => (16, 1_000),
            0xa1b2_3c4d => (16, 1),
            // Alexey Kuznetzov's: interface, protocol and packet type behind the lengths.
            0xa1b2_cd34 => (24, 1_000),
            _ => return Ok(None),
        };
        if blocks.peek(FILE_HEADER)?.is_none() {
            return Err(Fault::Damaged(format!(
                "is cut off inside its header: {} bytes of {FILE_HEADER}",
                blocks.available()
            )));
        }
        let bytes = blocks.take(FILE_HEADER);
        let (major, minor) = (order.u16(&bytes[4..]), order.u16(&bytes[6..]));
        // 543.0 is what some versions of a router's firmware write; libpcap takes it, too.
        let lengths = match (major, minor) {
            (2, 0..=2) => Lengths::Swapped,
            (2, 3) => Lengths::PerhapsSwapped,
            (2, 4) => Lengths::AsTheyAre,
            (543, 0) => Lengths::Swapped,
            _ => {
                return Err(Fault::Damaged(format!(
                    "is a pcap file of version {major}.{minor}; versions 2.0 to 2.4 are read"
                )));
            }
        };
        let link = link_types::from_file(order.u32(&bytes[20..]) & 0x03ff_ffff);
        let snaplen = match order.u32(&bytes[16..]) {
            0 => max_packet(link),
            some if some > i32::MAX as u32 => max_packet(link),
            some => some,
        };
        Ok(Some(Self {
            link,
            snaplen,
            max: max_packet(link),
            order,
            header,
            unit,
            cut: !nano && unit == 1,
            lengths,
        }))
    }

    pub(super) fn link(&self) -> LinkType {
        self.link
    }

    pub(super) fn swapped(&self) -> bool {
        (self.order == Order::Big) != cfg!(target_endian = "big")
    }

    pub(super) fn snaplen(&self) -> u32 {
        self.snaplen
    }

    /// The next packet is in the window.
    pub(super) fn is_here(&self, blocks: &Blocks) -> bool {
        let window = blocks.window();
        window.len() >= self.header && {
            let captured = self.order.u32(&window[8..]);
            window.len() - self.header >= captured as usize
        }
    }

    #[inline]
    pub(super) fn next<'b>(&mut self, blocks: &'b mut Blocks) -> Result<Option<Raw<'b>>, Fault> {
        let order = self.order;
        let Some(header) = blocks.peek(self.header)? else {
            return match blocks.available() {
                0 => Ok(None),
                some => Err(Fault::Damaged(format!(
                    "the file is cut off inside a packet's header ({some} bytes of {})",
                    self.header
                ))),
            };
        };
        let seconds = i64::from(order.u32(header));
        let mut nanos = i64::from(order.u32(&header[4..])) * self.unit;
        if self.cut {
            nanos -= nanos % 1_000;
        }
        let (mut captured, mut length) = (order.u32(&header[8..]), order.u32(&header[12..]));
        if self.lengths != Lengths::AsTheyAre && (self.lengths == Lengths::Swapped || captured > length) {
            std::mem::swap(&mut captured, &mut length);
        }
        if captured > self.max {
            return Err(Fault::Damaged(format!(
                "the file is damaged: a packet claims {captured} captured bytes, and {} are the most that can be",
                self.max
            )));
        }
        let whole = self.header + captured as usize;
        if blocks.available() < whole && blocks.peek(whole)?.is_none() {
            return Err(Fault::Damaged(format!(
                "the file is cut off inside a packet ({} bytes of {captured})",
                blocks.available() - self.header
            )));
        }
        let bytes = &blocks.take(whole)[self.header..];
        // Longer than the file's own snapshot length: libpcap delivers as much as that.
        let bytes = &bytes[..bytes.len().min(self.snaplen as usize)];
        Ok(Some(Raw {
            time: Timestamp::from_parts(seconds, nanos),
            link: self.link,
            swapped: self.swapped(),
            // Not `Captured::new`: the `tcpdump` view says what it thinks of a packet that is longer than itself.
            data: Captured {
                bytes,
                wire_len: length as usize,
            },
        }))
    }
}
