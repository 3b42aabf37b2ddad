//! pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, any number of interfaces.

use super::blocks::Blocks;
use super::{Fault, max_packet};
use zeroize::Zeroizing;

use crate::base::{Captured, Timestamp};
use crate::capture::{Raw, link_types};
use crate::wire::LinkType;

/// The first four bytes of a file: the type of a section header block, the same in both byte orders.
pub(super) const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// A Decryption Secrets Block.
const SECRETS: u32 = 10;

/// libpcap's bound for a block.
const MAX_BLOCK: u32 = 16 << 20;

/// The table of interfaces may take this part of the memory, and twice as much when it grows.
const INTERFACES: usize = 32;

/// The secrets between two packets may take this part of it.
const SECRETS_PART: usize = 8;

/// Where we are in the file.
#[derive(Debug)]
pub(super) struct Pcapng {
    big_endian: bool,
    /// Of the current section.
    interfaces: Vec<Interface>,
    /// Of the file's first interface.
    link: LinkType,
    snaplen: u32,
    nano: bool,
    /// TLS secrets that were met and not taken yet.
    secrets: Vec<Zeroizing<Vec<u8>>>,
    /// How many bytes they have.
    secret_bytes: usize,
    max_secret_bytes: usize,
    max_interfaces: usize,
}

/// An interface description block.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    snaplen: u32,
    resolution: Resolution,
    /// Seconds to be added to every time (option `if_tsoffset`).
    offset: i64,
}

/// Units of a timestamp in one second (option `if_tsresol`).
#[derive(Debug, Clone, Copy)]
enum Resolution {
    /// 10 to the power of this.
    Decimal(u32),
    /// 2 to the power of this.
    Binary(u32),
}

/// The key log in a whole Decryption Secrets Block, if it holds one (`TLSK`).
pub(super) fn tls_secrets(big_endian: bool, block: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let word = |at: usize| {
        let bytes = *block.get(at..)?.first_chunk()?;
        Some(if big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let length = word(12)? as usize;
    let secrets = block.get(16..block.len().saturating_sub(4))?;
    (word(8)? == 0x544c_534b).then(|| Zeroizing::new(secrets[..length.min(secrets.len())].to_vec()))
}

impl Pcapng {
    /// Reads as far as the first interface.
    pub(super) fn new(blocks: &mut Blocks, nano: bool, memory: usize) -> Result<Self, Fault> {
        let mut pcapng = Self {
            big_endian: false,
            interfaces: Vec::new(),
            link: LinkType(1),
            snaplen: 0,
            nano,
            secrets: Vec::new(),
            secret_bytes: 0,
            max_secret_bytes: memory / SECRETS_PART,
            max_interfaces: memory / INTERFACES / size_of::<Interface>(),
        };
        loop {
            let Some((kind, length)) = pcapng.block(blocks)? else {
                return Err(Fault::Damaged("is a pcapng file without an interface".to_owned()));
            };
            match kind {
                0x0a0d_0d0a | 1 => {
                    let body = blocks.take(length);
                    pcapng.describe(kind, body)?;
                }
                2 | 3 | 6 => {
                    return Err(Fault::Damaged(
                        "is a damaged pcapng file: a packet comes before any interface".to_owned(),
                    ));
                }
                SECRETS => pcapng.keep_secrets(blocks.take(length))?,
                _ => {
                    blocks.take(length);
                }
            }
            if let Some(first) = pcapng.interfaces.first() {
                pcapng.link = first.link;
                pcapng.snaplen = first.snaplen;
                return Ok(pcapng);
            }
        }
    }

    /// The secrets that were met since the last call.
    pub(super) fn take_secrets(&mut self) -> Vec<Zeroizing<Vec<u8>>> {
        self.secret_bytes = 0;
        std::mem::take(&mut self.secrets)
    }

    fn keep_secrets(&mut self, block: &[u8]) -> Result<(), Fault> {
        self.secret_bytes += block.len();
        if self.secret_bytes > self.max_secret_bytes {
            return Err(Fault::Damaged(format!(
                "the file holds more than {} bytes of TLS secrets before a packet, which is what --max-memory has room for",
                self.max_secret_bytes
            )));
        }
        self.secrets.extend(tls_secrets(self.big_endian, block));
        Ok(())
    }

    pub(super) fn link(&self) -> LinkType {
        self.link
    }

    pub(super) fn swapped(&self) -> bool {
        self.big_endian != cfg!(target_endian = "big")
    }

    pub(super) fn snaplen(&self) -> u32 {
        self.snaplen
    }

    /// The next block is in the window.
    pub(super) fn is_here(&self, blocks: &Blocks) -> bool {
        let window = blocks.window();
        window.len() >= 8 && window.len() >= self.u32(&window[4..]) as usize
    }

    pub(super) fn next<'b>(&mut self, blocks: &'b mut Blocks) -> Result<Option<Raw<'b>>, Fault> {
        loop {
            let Some((kind, length)) = self.block(blocks)? else {
                return Ok(None);
            };
            match kind {
                2 | 3 | 6 => return self.packet(kind, blocks.take(length)).map(Some),
                0x0a0d_0d0a | 1 => {
                    let body = blocks.take(length);
                    self.describe(kind, body)?;
                }
                SECRETS => self.keep_secrets(blocks.take(length))?,
                // Name resolution, statistics, custom blocks: nothing to print.
                _ => {
                    blocks.take(length);
                }
            }
        }
    }

    /// Brings the next block into the window: its type and its whole length. `None` at the end of the file.
    fn block(&mut self, blocks: &mut Blocks) -> Result<Option<(u32, usize)>, Fault> {
        let Some(head) = blocks.peek(8)? else {
            return match blocks.available() {
                0 => Ok(None),
                some => Err(Fault::Damaged(format!(
                    "the file is cut off inside a block's header ({some} bytes of 8)"
                ))),
            };
        };
        if head[..4] == SECTION_HEADER {
            // The byte order is that of the section that begins here.
            let Some(head) = blocks.peek(12)? else {
                return Err(Fault::Damaged("the file is cut off inside a section header".to_owned()));
            };
            self.big_endian = match head[8..12] {
                [0x1a, 0x2b, 0x3c, 0x4d] => true,
                [0x4d, 0x3c, 0x2b, 0x1a] => false,
                _ => {
                    return Err(Fault::Damaged(
                        "the file is damaged: a section header without its byte-order magic".to_owned(),
                    ));
                }
            };
        }
        let head = blocks.window();
        let (kind, length) = (self.u32(head), self.u32(&head[4..]));
        if !(12..=MAX_BLOCK).contains(&length) || !length.is_multiple_of(4) {
            return Err(Fault::Damaged(format!(
                "the file is damaged: a block claims a length of {length} bytes"
            )));
        }
        let length = length as usize;
        let Some(block) = blocks.peek(length)? else {
            return Err(Fault::Damaged(format!(
                "the file is cut off inside a block ({} bytes of {length})",
                blocks.available()
            )));
        };
        let trailer = self.u32(&block[length - 4..]) as usize;
        if trailer != length {
            return Err(Fault::Damaged(format!(
                "the file is damaged: a block's length is {length} at its beginning and {trailer} at its end"
            )));
        }
        Ok(Some((kind, length)))
    }

    /// A section header or an interface description.
    fn describe(&mut self, kind: u32, block: &[u8]) -> Result<(), Fault> {
        let short = || Fault::Damaged(format!("the file is damaged: a block of type {kind} is too short"));
        if kind != 1 {
            let version = block.get(12..16).ok_or_else(short)?;
            let (major, minor) = (self.u16(version), self.u16(&version[2..]));
            if major != 1 || !matches!(minor, 0 | 2) {
                return Err(Fault::Damaged(format!(
                    "is a pcapng file of version {major}.{minor}; versions 1.0 and 1.2 are read"
                )));
            }
            self.interfaces.clear();
            return Ok(());
        }
        if self.interfaces.len() >= self.max_interfaces {
            return Err(Fault::Damaged(format!(
                "the file describes more interfaces than {}, which is what --max-memory has room for",
                self.max_interfaces
            )));
        }
        let fixed = block.get(8..16).ok_or_else(short)?;
        let link = link_types::from_file(self.u16(fixed).into());
        let snaplen = match self.u32(&fixed[4..]) {
            0 => max_packet(link),
            some if some > i32::MAX as u32 => max_packet(link),
            some => some,
        };
        let mut interface = Interface {
            link,
            snaplen,
            resolution: Resolution::Decimal(6),
            offset: 0,
        };
        let mut options = block.get(16..block.len() - 4).ok_or_else(short)?;
        while let Some((head, rest)) = options.split_at_checked(4) {
            let (code, length) = (self.u16(head), usize::from(self.u16(&head[2..])));
            let Some(value) = rest.get(..length) else {
                return Err(Fault::Damaged(
                    "the file is damaged: an option is longer than its block".to_owned(),
                ));
            };
            match (code, value) {
                (0, _) => break,
                (9, &[resolution]) => {
                    interface.resolution = resolution_of(resolution).ok_or_else(|| {
                        Fault::Damaged(format!(
                            "the file's times have a resolution ({resolution:#04x}) that is not read"
                        ))
                    })?;
                }
                (14, &[a, b, c, d, e, f, g, h]) => {
                    let eight = [a, b, c, d, e, f, g, h];
                    interface.offset = if self.big_endian {
                        i64::from_be_bytes(eight)
                    } else {
                        i64::from_le_bytes(eight)
                    };
                }
                _ => {}
            }
            options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// A packet block (obsolete), simple packet block or enhanced packet block.
    fn packet<'b>(&self, kind: u32, block: &'b [u8]) -> Result<Raw<'b>, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("the file is damaged: {what}"));
        let fixed = match kind {
            3 => 4,
            _ => 20,
        };
        let body = &block[8..block.len() - 4];
        let Some((head, data)) = body.split_at_checked(fixed) else {
            return Err(damaged("a packet's block is too short"));
        };
        let number = match kind {
            3 => 0,
            2 => u32::from(self.u16(head)),
            _ => self.u32(head),
        };
        let Some(interface) = self.interfaces.get(number as usize) else {
            return Err(damaged("a packet comes from an interface that is not described"));
        };
        let (captured, length, time) = if kind == 3 {
            let length = self.u32(head);
            (
                length.min(interface.snaplen).min(data.len() as u32),
                length,
                Timestamp::default(),
            )
        } else {
            let stamp = u64::from(self.u32(&head[4..])) << 32 | u64::from(self.u32(&head[8..]));
            (
                self.u32(&head[12..]),
                self.u32(&head[16..]),
                interface.time(stamp, self.nano),
            )
        };
        if captured > max_packet(interface.link) {
            return Err(damaged(&format!(
                "a packet claims {captured} captured bytes, and {} are the most that can be",
                max_packet(interface.link)
            )));
        }
        let Some(bytes) = data.get(..captured as usize) else {
            return Err(damaged("a packet is longer than its block"));
        };
        Ok(Raw {
            time,
            link: interface.link,
            swapped: self.swapped(),
            // Not `Captured::new`: the `tcpdump` view says what it thinks of a packet that is longer than itself.
            data: Captured {
                bytes,
                wire_len: length as usize,
            },
        })
    }

    fn u32(&self, bytes: &[u8]) -> u32 {
        let four = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big_endian {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        }
    }

    fn u16(&self, bytes: &[u8]) -> u16 {
        let two = [bytes[0], bytes[1]];
        if self.big_endian {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        }
    }
}

impl Interface {
    fn time(&self, stamp: u64, nano: bool) -> Timestamp {
        let per_second: u64 = match self.resolution {
            Resolution::Decimal(power) => 10u64.pow(power),
            Resolution::Binary(power) => 1 << power,
        };
        let seconds = stamp / per_second;
        let fraction = u128::from(stamp % per_second);
        let nanos = (fraction * 1_000_000_000 / u128::from(per_second)) as i64;
        let nanos = if nano { nanos } else { nanos - nanos % 1_000 };
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_add(self.offset);
        Timestamp::from_parts(seconds, nanos)
    }
}

/// 19 is the most that a power of ten can be in 64 bits, 63 of two.
fn resolution_of(byte: u8) -> Option<Resolution> {
    let power = u32::from(byte & 0x7f);
    match byte & 0x80 {
        0 if power <= 19 => Some(Resolution::Decimal(power)),
        0x80 if power <= 63 => Some(Resolution::Binary(power)),
        _ => None,
    }
}
