//! pcapng files (draft-ietf-opsawg-pcapng), written: one section in this machine's byte order, an interface for each link type.

use crate::base::{Captured, Timestamp};
use crate::wire::LinkType;

/// The most bytes that one comment may have.
pub(super) const MAX_COMMENT: usize = u16::MAX as usize;

/// libpcap's largest packet (`MAXIMUM_SNAPLEN`).
pub(super) const MAX_PACKET: usize = 262_144;

/// Added to times before 1970, which a file cannot hold; an interface of their own takes it away again.
const BEFORE_1970: i64 = 1 << 34;

const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;

/// A file that is being written, a block at a time.
pub(super) struct Pcapng {
    interfaces: Vec<(LinkType, bool)>,
    nano: bool,
}

impl Pcapng {
    /// Begins a file. Times have nanoseconds when `nano`, else microseconds.
    pub(super) fn begin(out: &mut Vec<u8>, nano: bool) -> Self {
        block(out, 0x0a0d_0d0a, |out| {
            out.extend(0x1a2b_3c4d_u32.to_ne_bytes());
            out.extend(1_u16.to_ne_bytes());
            out.extend(0_u16.to_ne_bytes());
            // How long the section is, is not known.
            out.extend(u64::MAX.to_ne_bytes());
            option(out, APPLICATION, b"wschat-sniff");
            option(out, 0, b"");
        });
        Self {
            interfaces: Vec::new(),
            nano,
        }
    }

    /// No packet has been written, and no interface described.
    pub(super) fn is_empty(&self) -> bool {
        self.interfaces.is_empty()
    }

    /// The number of the interface of that link type; it is described first when it is new.
    pub(super) fn interface(&mut self, out: &mut Vec<u8>, link: LinkType, before_1970: bool) -> u32 {
        let wanted = (link, before_1970);
        if let Some(at) = self.interfaces.iter().position(|known| *known == wanted) {
            return at as u32;
        }
        block(out, 1, |out| {
            out.extend((link.to_file() as u16).to_ne_bytes());
            out.extend([0; 2]);
            out.extend((MAX_PACKET as u32).to_ne_bytes());
            if self.nano {
                option(out, TIME_RESOLUTION, &[9]);
            }
            if before_1970 {
                option(out, TIME_OFFSET, &(-BEFORE_1970).to_ne_bytes());
            }
            option(out, 0, b"");
        });
        self.interfaces.push(wanted);
        self.interfaces.len() as u32 - 1
    }

    /// A packet, with its comments.
    pub(super) fn packet<'c>(
        &mut self,
        out: &mut Vec<u8>,
        link: LinkType,
        time: Timestamp,
        data: Captured<'_>,
        comments: impl IntoIterator<Item = &'c [u8]>,
    ) {
        let before_1970 = time.nanos() < 0;
        let interface = self.interface(out, link, before_1970);
        let offset = if before_1970 { BEFORE_1970 } else { 0 };
        let (unit, in_second) = if self.nano {
            (1, 1_000_000_000)
        } else {
            (1_000, 1_000_000)
        };
        let stamp = time.seconds().saturating_add(offset) as u64 * in_second + u64::from(time.subsec_nanos() / unit);
        block(out, 6, |out| {
            for word in [
                interface,
                (stamp >> 32) as u32,
                stamp as u32,
                data.bytes.len() as u32,
                data.wire_len as u32,
            ] {
                out.extend(word.to_ne_bytes());
            }
            padded(out, data.bytes);
            let before = out.len();
            for comment in comments {
                option(out, COMMENT, comment);
            }
            if out.len() > before {
                option(out, 0, b"");
            }
        });
    }

    /// TLS secrets, in the NSS key log format: a Decryption Secrets Block.
    pub(super) fn secrets(&mut self, out: &mut Vec<u8>, key_log: &[u8]) {
        block(out, 10, |out| {
            // `TLSK`.
            out.extend(0x544c_534b_u32.to_ne_bytes());
            out.extend((key_log.len() as u32).to_ne_bytes());
            padded(out, key_log);
        });
    }
}

/// A block with its length before and behind it.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    out.extend(kind.to_ne_bytes());
    out.extend([0; 4]);
    body(out);
    let length = ((out.len() - begin + 4) as u32).to_ne_bytes();
    out[begin + 4..begin + 8].copy_from_slice(&length);
    out.extend(length);
}

/// An option; one that is too long for its length field is cut.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = super::escape::prefix(value, MAX_COMMENT);
    out.extend(code.to_ne_bytes());
    out.extend((value.len() as u16).to_ne_bytes());
    padded(out, value);
}

fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.resize(out.len() + bytes.len().next_multiple_of(4) - bytes.len(), 0);
}
