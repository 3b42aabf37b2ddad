//! Captures in files.
//!
//! In: a file or standard input, perhaps compressed. Out: its packets, borrowed from one buffer, in order.
//!
//! The formats are read by ourselves, not by libpcap: the packets stay in big blocks without a call into C and a copy each;
//! compressed files and pipes need no detour; interfaces of different link types may share a file. What libpcap refuses is
//! refused, with its limits.

mod ahead;
mod blocks;
mod classic;
mod gzip;
mod pcapng;
mod secrets;
mod unpack;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Error, Raw};
use crate::base::Limits;
use crate::wire::LinkType;
use blocks::Blocks;

/// libpcap's bound for a packet (`MAXIMUM_SNAPLEN`), and the one for D-Bus and USB, whose packets are larger.
pub(super) fn max_packet(link: LinkType) -> u32 {
    match link.0 {
        // DBUS; USB_LINUX, USB_LINUX_MMAPPED, USBPCAP
        231 | 189 | 220 | 249 => 128 << 20,
        // EBHSCR
        279 => 8 << 20,
        _ => 262_144,
    }
}

/// A capture that is being read.
#[derive(Debug)]
pub struct Offline {
    path: PathBuf,
    blocks: Blocks,
    format: Format,
    packets: u64,
    /// The pipe that it comes from, if it comes from one as it is.
    pipe: Option<OwnedFd>,
    /// The file, if it is a regular one.
    file: Option<File>,
}

#[derive(Debug)]
enum Format {
    Classic(classic::Classic),
    Pcapng(pcapng::Pcapng),
}

/// Why the next packet cannot be had: the two formats' readers say it, [`Offline`] adds the file's name.
#[derive(Debug)]
pub(super) enum Fault {
    /// It cannot be read.
    Io(io::Error),
    /// It is damaged, in this way.
    Damaged(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

/// A file that is open and of which nothing was read yet: that waits until privileges are given up.
#[derive(Debug)]
pub struct Unread {
    path: PathBuf,
    file: File,
    /// Its size, if it is a regular file.
    size: Option<u64>,
}

impl Unread {
    /// Opens `path`; `-` is standard input.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or is a directory.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file_error = |error| Error::File {
            path: path.to_owned(),
            error,
        };
        // Not `io::stdin()`, whose buffer would hide from `wait` what has come.
        let file = if path.as_os_str() == "-" {
            io::stdin().as_fd().try_clone_to_owned().map(File::from)
        } else {
            File::open(path)
        };
        let file = file.map_err(file_error)?;
        let metadata = file.metadata().map_err(file_error)?;
        if metadata.is_dir() {
            return Err(Error::NotACapture {
                path: path.to_owned(),
                reason: "is a directory; expected a capture file".to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            size: metadata.is_file().then_some(metadata.len()),
        })
    }

    /// What it is called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same file, opened once more: it can be read independently of the first. `None`: it is no regular file.
    pub fn again(&self) -> Option<Self> {
        self.size?;
        // By what is open, not by its name, which may be another file's by now, and with the rights it was opened with.
        let path = format!("/proc/self/fd/{}", self.file.as_fd().as_raw_fd());
        Some(Self {
            path: self.path.clone(),
            file: File::open(path).ok()?,
            size: self.size,
        })
    }
}

impl AsFd for Unread {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Offline {
    /// Reads the header of a file that was opened. Without `nano`, times are cut to microseconds. `memory` is what may be kept of
    /// the file at most, in bytes.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is no capture.
    pub fn new(input: Unread, nano: bool, memory: usize) -> Result<Self, Error> {
        let Unread { path, file, size } = input;
        if size.is_some() {
            let again = file.try_clone().ok();
            let mut offline = Self::read(&path, Box::new(file), size, nano, memory)?;
            offline.file = again;
            return Ok(offline);
        }
        let pipe = file.as_fd().try_clone_to_owned().map_err(|error| Error::File {
            path: path.clone(),
            error,
        })?;
        let mut offline = Self::read(&path, Box::new(file), None, nano, memory)?;
        offline.pipe = Some(pipe).filter(|_| !offline.blocks.unpacks());
        Ok(offline)
    }

    /// Opens `path` and reads its header.
    ///
    /// # Errors
    ///
    /// It cannot be opened or read, or is no capture.
    pub fn open(path: &Path, nano: bool) -> Result<Self, Error> {
        Self::new(Unread::open(path)?, nano, Limits::default().memory_bytes)
    }

    /// Reads a capture from `source`; `path` is what errors call it, `size` how large it is, if known. `memory` is what may be kept of
    /// it at most, in bytes.
    pub fn read(
        path: &Path,
        source: Box<dyn Read + Send>,
        size: Option<u64>,
        nano: bool,
        memory: usize,
    ) -> Result<Self, Error> {
        let not = |reason: String| Error::NotACapture {
            path: path.to_owned(),
            reason,
        };
        let fault = |fault| match fault {
            Fault::Io(error) => Error::File {
                path: path.to_owned(),
                error,
            },
            Fault::Damaged(reason) => Error::NotACapture {
                path: path.to_owned(),
                reason,
            },
        };
        let mut blocks = unpack::open(source, size, memory).map_err(fault)?;
        let magic = match blocks.peek(4).map_err(Fault::Io).map_err(fault)? {
            Some(magic) => [magic[0], magic[1], magic[2], magic[3]],
            None => {
                return Err(not(match blocks.available() {
                    0 => "is empty; expected a pcap or pcapng file, as `-w` makes them".to_owned(),
                    some => format!("is no capture: it ends after {some} bytes"),
                }));
            }
        };
        let format = if magic == pcapng::SECTION_HEADER {
            Format::Pcapng(pcapng::Pcapng::new(&mut blocks, nano, memory).map_err(fault)?)
        } else if let Some(classic) = classic::Classic::new(magic, &mut blocks, nano).map_err(fault)? {
            Format::Classic(classic)
        } else {
            // It was perhaps opened as root: not even its first bytes are quoted.
            return Err(not(
                "is no capture: expected a pcap or pcapng file, as `-w` makes them".to_owned()
            ));
        };
        Ok(Self {
            path: path.to_owned(),
            blocks,
            format,
            packets: 0,
            pipe: None,
            file: None,
        })
    }

    /// What it is called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The link type of its packets; in a pcapng file that of its first interface.
    pub fn link_type(&self) -> LinkType {
        match &self.format {
            Format::Classic(classic) => classic.link(),
            Format::Pcapng(pcapng) => pcapng.link(),
        }
    }

    /// The snapshot length that its header gives.
    pub fn snaplen(&self) -> u32 {
        match &self.format {
            Format::Classic(classic) => classic.snaplen(),
            Format::Pcapng(pcapng) => pcapng.snaplen(),
        }
    }

    /// It was written in the other byte order than this machine's.
    pub fn swapped(&self) -> bool {
        match &self.format {
            Format::Classic(classic) => classic.swapped(),
            Format::Pcapng(pcapng) => pcapng.swapped(),
        }
    }

    /// Its packets may have other link types than the first.
    pub fn may_have_more_link_types(&self) -> bool {
        matches!(self.format, Format::Pcapng(_))
    }

    /// Packets come next. When the file is large, a thread of its own reads ahead if it is compressed, or if a processor is `spare`.
    pub fn read_ahead(&mut self, spare: bool) {
        self.blocks.begin(spare);
    }

    /// TLS secrets that stood in the capture before the packet that was read last, since the last call: key logs in the NSS format.
    pub fn take_secrets(&mut self) -> Vec<Zeroizing<Vec<u8>>> {
        match &mut self.format {
            Format::Classic(_) => Vec::new(),
            Format::Pcapng(pcapng) => pcapng.take_secrets(),
        }
    }

    /// Gives the TLS secrets that stand anywhere in it block by block, if it is a pcapng file that lies on a disk as it is.
    pub fn each_secrets(&self, mut take: impl FnMut(Zeroizing<Vec<u8>>)) {
        if let (Format::Pcapng(_), Some(file)) = (&self.format, &self.file)
            && !self.blocks.unpacks()
        {
            secrets::each(file, &mut take);
        }
    }

    /// [`Self::each_secrets`] cannot tell the secrets in it, and some may come.
    pub fn may_bring_secrets(&self) -> bool {
        matches!(self.format, Format::Pcapng(_)) && (self.pipe.is_some() || self.blocks.unpacks())
    }

    /// It comes from a pipe as it is: reading may have to wait.
    pub fn is_pipe(&self) -> bool {
        self.pipe.is_some()
    }

    /// The pipe to wait for, when reading the next packet might have to wait: `None` when it is here already, or comes from a file.
    #[inline]
    pub fn pipe_to_wait_for(&self) -> Option<BorrowedFd<'_>> {
        let pipe = self.pipe.as_ref()?;
        let here = match &self.format {
            Format::Classic(classic) => classic.is_here(&self.blocks),
            Format::Pcapng(pcapng) => pcapng.is_here(&self.blocks),
        };
        (!here).then(|| pipe.as_fd())
    }

    /// How many bytes of the file were read so far, and how many it has, if that is known.
    pub fn progress(&self) -> (u64, Option<u64>) {
        self.blocks.progress()
    }

    /// The next packet; `None` at the end.
    #[inline]
    pub fn next_packet(&mut self) -> Result<Option<Raw<'_>>, Error> {
        let next = match &mut self.format {
            Format::Classic(classic) => classic.next(&mut self.blocks),
            Format::Pcapng(pcapng) => pcapng.next(&mut self.blocks),
        };
        match next {
            Ok(Some(raw)) => {
                self.packets += 1;
                Ok(Some(raw))
            }
            Ok(None) => Ok(None),
            Err(Fault::Io(error)) => Err(Error::File {
                path: self.path.clone(),
                error,
            }),
            Err(Fault::Damaged(reason)) => Err(Error::Damaged {
                path: self.path.clone(),
                reason,
                packets: self.packets,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::capture::link_types;
    use proptest::prelude::*;

    type Packets = Vec<(Timestamp, LinkType, Vec<u8>, usize)>;

    fn all(bytes: &[u8], nano: bool) -> (Packets, Option<Error>) {
        let source = Box::new(io::Cursor::new(bytes.to_vec()));
        let mut packets = Packets::new();
        let mut offline = match Offline::read(Path::new("test"), source, None, nano, 1 << 20) {
            Ok(offline) => offline,
            Err(error) => return (packets, Some(error)),
        };
        loop {
            match offline.next_packet() {
                Ok(Some(raw)) => packets.push((raw.time, raw.link, raw.data.bytes.to_vec(), raw.data.wire_len)),
                Ok(None) => return (packets, None),
                Err(error) => return (packets, Some(error)),
            }
        }
    }

    /// A classic file of one packet of 3 bytes, with a header of `header` words behind its first 24 bytes.
    fn classic(magic: u32, words: &[u32]) -> Vec<u8> {
        let mut file = Vec::new();
        for word in [magic, 0x0004_0002, 0, 0, 65_535, 1] {
            file.extend(word.to_le_bytes());
        }
        for word in words {
            file.extend(word.to_le_bytes());
        }
        file.extend([1, 2, 3]);
        file
    }

    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let length = (12 + body.len()) as u32;
        [
            &kind.to_le_bytes()[..],
            &length.to_le_bytes(),
            body,
            &length.to_le_bytes(),
        ]
        .concat()
    }

    /// A pcapng file: two interfaces (Ethernet; raw IP in nanoseconds, an hour ahead), a packet block of each kind.
    fn pcapng() -> Vec<u8> {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let mut options = words(&[1 << 16 | 9, 9, 8 << 16 | 14]);
        options.extend(3600i64.to_le_bytes());
        [
            block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX])),
            block(1, &words(&[1, 65_535])),
            block(1, &[words(&[101, 100]), options].concat()),
            block(6, &words(&[1, 0, 1_500, 4, 9, 0x0403_0201])),
            block(5, &words(&[7])),
            block(3, &words(&[4, 0x0403_0201])),
            block(2, &words(&[0, 0, 2_000_001, 2, 2, 0x0000_0201])),
        ]
        .concat()
    }

    #[test]
    fn kuznetzovs_headers_and_old_versions_are_read() {
        let (packets, error) = all(&classic(0xa1b2_cd34, &[5, 6, 3, 9, 7, 8]), false);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(
            packets,
            [(Timestamp::from_parts(5, 6_000), LinkType(1), vec![1, 2, 3], 9)]
        );
        // Version 2.2: the whole length comes first.
        let mut old = classic(0xa1b2_c3d4, &[5, 6, 9, 3]);
        old[6] = 2;
        assert_eq!(all(&old, false).0[0].3, 9);
        old[6] = 9;
        assert!(all(&old, false).1.unwrap().to_string().contains("version 2.9"));
    }

    #[test]
    fn nanoseconds_are_cut_unless_they_are_wanted() {
        let file = classic(0xa1b2_3c4d, &[5, 1_234_567, 3, 3]);
        assert_eq!(all(&file, true).0[0].0, Timestamp::from_parts(5, 1_234_567));
        assert_eq!(all(&file, false).0[0].0, Timestamp::from_parts(5, 1_234_000));
    }

    #[test]
    fn every_kind_of_packet_block_is_read_with_its_own_interface() {
        let (packets, error) = all(&pcapng(), true);
        assert!(error.is_none(), "{error:?}");
        let raw = link_types::from_file(101);
        assert_eq!(
            packets,
            [
                (Timestamp::from_parts(3_600, 1_500), raw, vec![1, 2, 3, 4], 9),
                (Timestamp::default(), LinkType(1), vec![1, 2, 3, 4], 4),
                (Timestamp::from_parts(2, 1_000), LinkType(1), vec![1, 2], 2),
            ]
        );
    }

    /// A megabyte of packed interfaces was a third of a gigabyte of ours.
    #[test]
    fn interfaces_are_bounded() {
        let mut file = pcapng();
        let one = block(1, &[1, 0, 0, 0, 0, 0, 1, 0]);
        for _ in 0..10_000 {
            file.extend_from_slice(&one);
        }
        let (packets, error) = all(&file, false);
        assert_eq!(packets.len(), 3);
        assert!(error.unwrap().to_string().contains("--max-memory"));
    }

    #[test]
    fn secrets_before_a_packet_are_bounded() {
        let secrets = block(
            10,
            &[&b"KLST"[..], &(32u32 << 10).to_le_bytes(), &vec![b'#'; 32 << 10]].concat(),
        );
        let file = |blocks| [pcapng(), secrets.repeat(blocks), pcapng()].concat();
        assert!(all(&file(3), false).1.is_none());
        let (packets, error) = all(&file(4), false);
        assert_eq!(packets.len(), 3);
        let error = error.unwrap().to_string();
        assert!(
            error.contains("TLS secrets before a packet") && error.contains("--max-memory"),
            "{error}"
        );
    }

    #[test]
    fn a_zstd_window_is_bounded() {
        // A frame's header (RFC 8878 §3.1.1.1): no single segment, a window of 2^29 bytes.
        let (packets, error) = all(&[0x28, 0xb5, 0x2f, 0xfd, 0, 19 << 3, 1, 0, 0], false);
        assert!(packets.is_empty() && error.unwrap().to_string().contains("window of 536870912 bytes"));
    }

    proptest! {
        #[test]
        fn no_damage_panics_and_what_comes_before_it_is_delivered(
            ng: bool,
            changes in prop::collection::vec((0usize..200, any::<u8>()), 1..6),
            cut in 0usize..300,
        ) {
            let good = if ng { pcapng() } else { classic(0xa1b2_c3d4, &[5, 6, 3, 3]) };
            let mut bad = good.clone();
            for (at, value) in changes {
                let at = at % bad.len();
                bad[at] = value;
            }
            bad.truncate(cut);
            let _ = all(&bad, true);
            // Cut only: a prefix of the packets, and an error unless it is cut between two.
            let (whole, _) = all(&good, true);
            let (some, _) = all(&good[..cut.min(good.len())], true);
            prop_assert_eq!(&whole[..some.len()], &some[..]);
        }
    }
}
