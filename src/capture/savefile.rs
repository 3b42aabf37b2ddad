//! pcap savefiles (draft-ietf-opsawg-pcap), written: one, or a series of them (`-C`, `-G`, `-W`).
//!
//! In: packets. Out: files that libpcap reads, in this machine's byte order, with the link type, the snapshot length and the
//! precision of the capture.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::error::reason;
use super::{Error, Outputs, Raw};
use crate::base::Timestamp;
use crate::wire::LinkType;

/// When this much has gathered, it is written.
const FULL: usize = 128 << 10;

/// What is to be written, and where to.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name as typed; `-` is standard output.
    pub name: String,
    /// `-C`: a new file when one is larger than this.
    pub rotate_bytes: Option<u64>,
    /// `-G`: a new file when one is as old as this.
    pub rotate_seconds: Option<u64>,
    /// `-W`: how many files.
    pub files: Option<u32>,
    /// `-z`: run on each finished file.
    pub post_rotate: Option<String>,
    /// `-U`: every packet is written out at once.
    pub packet_buffered: bool,
    /// Fractions of a second have nine digits.
    pub nano: bool,
    /// The largest packet.
    pub snaplen: u32,
    /// What the packets' first byte is.
    pub link: LinkType,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is in a file.
    Yes,
    /// It is not: the last file that `-G` and `-W` allow is finished.
    LastFileIsFull,
    /// Nobody reads standard output any more.
    Closed,
}

/// The file that is being written, and which one comes next.
#[derive(Debug)]
pub struct Savefile {
    plan: Plan,
    outputs: Outputs,
    file: File,
    /// Its name on disk, for `-z` and for errors.
    path: PathBuf,
    buffer: Vec<u8>,
    /// Bytes in the file, the buffer's included.
    size: u64,
    /// Of the current series: how many were begun before this file.
    count: u32,
    /// When the current file of `-G` began, in seconds since 1970.
    began: i64,
    /// How many times `-G` has rotated.
    rotations: u32,
    closed: bool,
    children: Vec<Child>,
}

impl Savefile {
    /// Creates the first file.
    ///
    /// # Errors
    ///
    /// It cannot be created, or `outputs` says that it is read.
    pub fn create(plan: Plan, outputs: Outputs, now: Timestamp) -> Result<Self, Error> {
        let began = now.seconds();
        let name = first_name(&plan, began);
        let (file, path) = if plan.name == "-" {
            let stdout = io::stdout()
                .as_fd()
                .try_clone_to_owned()
                .and_then(|stdout| outputs.allow(&stdout).map(|()| stdout))
                .map_err(|error| failed(Path::new("-"), &error))?;
            (File::from(stdout), PathBuf::from("-"))
        } else {
            (open(&outputs, &name)?, name)
        };
        let mut savefile = Self {
            plan,
            outputs,
            file,
            path,
            buffer: Vec::with_capacity(FULL + (64 << 10)),
            size: 0,
            count: 0,
            began,
            rotations: 0,
            closed: false,
            children: Vec::new(),
        };
        savefile.header();
        // The header is there even if no packet ever comes.
        savefile.flush()?;
        Ok(savefile)
    }

    /// Writes one packet, beginning a new file first when it is time. `now` is the clock's time, which `-G` goes by.
    pub fn write(&mut self, packet: &Raw<'_>, now: impl FnOnce() -> Timestamp) -> Result<Written, Error> {
        if let Some(seconds) = self.plan.rotate_seconds {
            let now = now().seconds();
            if now.saturating_sub(self.began) >= i64::try_from(seconds).unwrap_or(i64::MAX) {
                self.rotations = self.rotations.saturating_add(1);
                self.began = now;
                self.count = 0;
                if self
                    .plan
                    .files
                    .is_some_and(|most| self.plan.rotate_bytes.is_none() && self.rotations >= most)
                {
                    self.flush()?;
                    self.finished()?;
                    return Ok(Written::LastFileIsFull);
                }
                let name = first_name(&self.plan, self.began);
                self.next(name)?;
            }
        }
        if self.plan.rotate_bytes.is_some_and(|most| self.size > most) {
            self.count += 1;
            if let Some(files) = self.plan.files
                && self.count >= files
            {
                self.count = 0;
            }
            let base = match self.plan.rotate_seconds {
                Some(_) => timed(&self.plan.name, self.began),
                None => self.plan.name.clone(),
            };
            let name = numbered(&base, self.count, digits(&self.plan));
            self.next(name)?;
        }
        self.packet(packet);
        if self.plan.packet_buffered || self.buffer.len() >= FULL {
            self.flush()?;
        }
        Ok(if self.closed { Written::Closed } else { Written::Yes })
    }

    /// Writes what has gathered.
    pub fn flush(&mut self) -> Result<(), Error> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(failed(&self.path, &error)),
            Ok(()) => Ok(()),
        }
    }

    /// The end: everything is written. (As in tcpdump, `-z` runs on files that were rotated away, not on this one.)
    pub fn finish(&mut self) -> Result<(), Error> {
        self.flush()?;
        for child in &mut self.children {
            let _ = child.wait();
        }
        Ok(())
    }

    fn next(&mut self, name: PathBuf) -> Result<(), Error> {
        self.flush()?;
        self.finished()?;
        self.file = open(&self.outputs, &name)?;
        self.path = name;
        self.size = 0;
        self.header();
        // As the first one: the header is there at once.
        self.flush()
    }

    /// `-z`, on the file that is finished; it runs beside us.
    fn finished(&mut self) -> Result<(), Error> {
        self.children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let Some(command) = &self.plan.post_rotate else {
            return Ok(());
        };
        let child = Command::new(command)
            .arg(&self.path)
            .spawn()
            .map_err(|error| Error::Other(format!("-z {command}: cannot be run: {}", reason(&error))))?;
        self.children.push(child);
        Ok(())
    }

    fn header(&mut self) {
        let magic: u32 = if self.plan.nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        self.buffer.extend_from_slice(&magic.to_ne_bytes());
        self.buffer.extend_from_slice(&2u16.to_ne_bytes());
        self.buffer.extend_from_slice(&4u16.to_ne_bytes());
        self.buffer.extend_from_slice(&[0; 8]);
        self.buffer.extend_from_slice(&self.plan.snaplen.to_ne_bytes());
        self.buffer.extend_from_slice(&self.plan.link.to_file().to_ne_bytes());
        self.size += 24;
    }

    fn packet(&mut self, packet: &Raw<'_>) {
        let fraction = packet.time.subsec_nanos();
        let fraction = if self.plan.nano { fraction } else { fraction / 1_000 };
        let bytes = packet.data.bytes;
        let mut header = [0; 16];
        header[..4].copy_from_slice(&(packet.time.seconds() as u32).to_ne_bytes());
        header[4..8].copy_from_slice(&fraction.to_ne_bytes());
        header[8..12].copy_from_slice(&(bytes.len() as u32).to_ne_bytes());
        header[12..].copy_from_slice(&(packet.data.wire_len as u32).to_ne_bytes());
        self.buffer.extend_from_slice(&header);
        self.buffer.extend_from_slice(bytes);
        self.size += header.len() as u64 + bytes.len() as u64;
    }
}

impl Savefile {
    /// Where rotation will create its files; `None` when there is no rotation.
    pub fn rotates_in(&self) -> Option<PathBuf> {
        self.plan.rotates_in()
    }
}

impl Plan {
    /// Where rotation will create its files; `None` when there is no rotation.
    pub fn rotates_in(&self) -> Option<PathBuf> {
        if self.name == "-" || (self.rotate_bytes.is_none() && self.rotate_seconds.is_none()) {
            return None;
        }
        // What strftime(3) makes of the name of a folder is not known yet.
        let folder = Path::new(&self.name)
            .ancestors()
            .skip(1)
            .find(|folder| self.rotate_seconds.is_none() || !folder.as_os_str().as_encoded_bytes().contains(&b'%'));
        match folder {
            Some(folder) if !folder.as_os_str().is_empty() => Some(folder.to_owned()),
            _ => Some(PathBuf::from(".")),
        }
    }
}

fn first_name(plan: &Plan, began: i64) -> PathBuf {
    let base = match plan.rotate_seconds {
        Some(_) => timed(&plan.name, began),
        None => plan.name.clone(),
    };
    match plan.rotate_bytes {
        // tcpdump numbers the first file too when `-W` says how many there are, else it is the bare name.
        Some(_) => numbered(&base, 0, digits(plan)),
        None => PathBuf::from(base),
    }
}

/// How many digits the number in a name has: as many as the largest number needs (`-W`), so that names sort; else 0.
fn digits(plan: &Plan) -> usize {
    let largest = plan.files.map_or(0, |files| files.saturating_sub(1));
    largest.checked_ilog10().map_or(0, |log| log as usize + 1)
}

/// `base` with its number behind it. Without `-W` (`digits` is 0), the first has none.
fn numbered(base: &str, number: u32, digits: usize) -> PathBuf {
    PathBuf::from(match (digits, number) {
        (0, 0) => base.to_owned(),
        (digits, number) => format!("{base}{number:0digits$}"),
    })
}

/// strftime(3) over the name. What is no conversion stays as it is, as in C.
fn timed(name: &str, seconds: i64) -> String {
    let Ok(time) = jiff::Timestamp::from_second(seconds) else {
        return name.to_owned();
    };
    let time: Zoned = time.to_zoned(TimeZone::system());
    jiff::fmt::strtime::format(name, &time).unwrap_or_else(|_| name.to_owned())
}

fn open(outputs: &Outputs, path: &Path) -> Result<File, Error> {
    outputs.create(path).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::Other(format!("-w {}: cannot be written: {}", path.display(), reason(error)))
}
