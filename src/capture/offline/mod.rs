//! Captures in files.
//!
//! In: a file or standard input, perhaps compressed. Out: its packets, borrowed from one buffer, in order.
//!
//! The formats are read by ourselves, not by libpcap: the packets stay in big blocks without a call into C and a copy each;
//! compressed files and pipes need no detour; interfaces of different link types may share a file. What libpcap refuses is
//! refused, with its limits.

mod blocks;
mod classic;
mod pcapng;
mod unpack;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::{Error, Raw};
use crate::net::LinkType;
use blocks::Blocks;

/// libpcap's bound for a packet (`MAXIMUM_SNAPLEN`), and the one for D-Bus and USB, whose packets are larger.
pub(super) fn max_packet(link: LinkType) -> u32 {
    match link.0 {
        231 => 128 << 20,                   // DBUS
        242 => 128 << 20,                   // EBHSCR and friends come below
        249 | 189 | 220 | 288 => 128 << 20, // USB
        279 => 8 << 20,                     // EBHSCR
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

impl Offline {
    /// Opens `path` (`-` is standard input) and reads its header. Without `nano`, times are cut to microseconds.
    pub fn open(path: &Path, nano: bool) -> Result<Self, Error> {
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
                reason: "is a directory; -r wants a capture file".to_owned(),
            });
        }
        if metadata.is_file() {
            return Self::read(path, Box::new(file), Some(metadata.len()), nano);
        }
        let pipe = file.as_fd().try_clone_to_owned().map_err(file_error)?;
        let mut offline = Self::read(path, Box::new(file), None, nano)?;
        offline.pipe = Some(pipe).filter(|_| !offline.blocks.unpacks());
        Ok(offline)
    }

    /// Reads a capture from `source`; `path` is what errors call it, `size` how large it is, if known.
    pub fn read(path: &Path, source: Box<dyn Read + Send>, size: Option<u64>, nano: bool) -> Result<Self, Error> {
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
        let mut blocks = unpack::open(source, size).map_err(fault)?;
        let magic = match blocks.peek(4).map_err(Fault::Io).map_err(fault)? {
            Some(magic) => [magic[0], magic[1], magic[2], magic[3]],
            None => {
                return Err(not(match blocks.available() {
                    0 => "is empty; right is a pcap or pcapng file, as `-w` makes them".to_owned(),
                    some => format!("is no capture: it ends after {some} bytes"),
                }));
            }
        };
        let format = if magic == pcapng::SECTION_HEADER {
            Format::Pcapng(pcapng::Pcapng::new(&mut blocks, nano).map_err(fault)?)
        } else if let Some(classic) = classic::Classic::new(magic, &mut blocks, nano).map_err(fault)? {
            Format::Classic(classic)
        } else {
            return Err(not(format!(
                "is no capture: it begins with {:02x} {:02x} {:02x} {:02x}; right is a pcap or pcapng file, as `-w` makes them",
                magic[0], magic[1], magic[2], magic[3]
            )));
        };
        Ok(Self {
            path: path.to_owned(),
            blocks,
            format,
            packets: 0,
            pipe: None,
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
