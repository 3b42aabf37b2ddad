//! The file of a key log, read while it grows: it may appear later, be replaced, emptied, or be a FIFO.

use std::fs::{File, OpenOptions};
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use foldhash::fast::FixedState;
use zeroize::Zeroizing;

use super::error::{Error, reason};
use crate::layer::tls::{KeyLogReader, KeySource, Lines, Secrets};

/// Bytes read at once.
const BLOCK: usize = 64 << 10;

/// Bytes read in one look, so that a huge log does not hold packets up.
const LOOK: usize = 16 << 20;

/// So many bytes before the place that was read to must be what they were: else another log was written over this one.
const TAIL: usize = 64;

/// A key log, and how far it was read.
#[derive(Debug)]
pub struct KeyLogFile {
    path: PathBuf,
    open: Option<Open>,
    reader: KeyLogReader,
    /// What came of earlier files of this name.
    earlier: Lines,
    /// The error that was met last, to be told once.
    error: Option<io::ErrorKind>,
}

#[derive(Debug)]
struct Open {
    file: File,
    device: u64,
    inode: u64,
    fifo: bool,
    read: u64,
    tail: u64,
}

impl KeyLogFile {
    /// Opens `path`. Without `wait` it must be there.
    pub fn open(path: &Path, wait: bool) -> Result<Self, Error> {
        let mut log = Self {
            path: path.to_owned(),
            open: None,
            reader: KeyLogReader::new(KeySource::KeyLog),
            earlier: Lines::default(),
            error: None,
        };
        match Open::at(path) {
            Ok(open) => {
                open.refuse_private_key(path)?;
                log.open = Some(open);
            }
            Err(error) if wait && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(cannot(path, &error)),
        }
        Ok(log)
    }

    /// The file, if it is there.
    pub fn file(&self) -> Option<&File> {
        self.open.as_ref().map(|open| &open.file)
    }

    /// What a FIFO brings comes when its writer wants: to wait for it, and how many bytes have come so far.
    pub fn fifo(&self) -> Option<(BorrowedFd<'_>, u64)> {
        let open = self.open.as_ref().filter(|open| open.fifo)?;
        Some((open.file.as_fd(), open.read))
    }

    /// What errors call it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The lines that came so far.
    pub fn lines(&self) -> Lines {
        let lines = self.reader.lines();
        Lines {
            used: lines.used + self.earlier.used,
            other: lines.other + self.earlier.other,
            broken: lines.broken + self.earlier.broken,
        }
    }

    /// Reads what has come since the last look. An error that is new is given, and the next look goes on as if there were none.
    pub fn look(&mut self, secrets: &mut Secrets) -> Result<(), Error> {
        let result = self.look_again(secrets);
        let kind = result.as_ref().err().map(io::Error::kind);
        let news = kind.is_some() && kind != self.error;
        self.error = kind;
        match result {
            Err(error) if news => Err(cannot(&self.path, &error)),
            _ => Ok(()),
        }
    }

    /// Nothing more will come: a last line needs no end.
    pub fn finish(&mut self, secrets: &mut Secrets) {
        self.reader.finish(secrets);
    }

    fn look_again(&mut self, secrets: &mut Secrets) -> io::Result<()> {
        if let Some(open) = &mut self.open {
            open.read(&mut self.reader, secrets, &mut self.earlier)?;
            if open.fifo {
                return Ok(());
            }
        }
        match std::fs::metadata(&self.path) {
            Ok(now) if self.open.as_ref().is_some_and(|open| open.is(&now)) => Ok(()),
            Ok(_) => {
                let mut open = Open::at(&self.path)?;
                begin_again(&mut self.reader, &mut self.earlier);
                let read = open.read(&mut self.reader, secrets, &mut self.earlier);
                self.open = Some(open);
                read
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            // Whoever has given up root may not look into the folder any more, but read on what was opened before.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && self.open.is_some() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Another log begins.
fn begin_again(reader: &mut KeyLogReader, earlier: &mut Lines) {
    let lines = std::mem::replace(reader, KeyLogReader::new(KeySource::KeyLog)).lines();
    earlier.used += lines.used;
    earlier.other += lines.other;
    earlier.broken += lines.broken;
}

fn cannot(path: &Path, error: &io::Error) -> Error {
    Error::KeyLog {
        path: path.to_owned(),
        reason: format!("cannot be read: {}", reason(error)),
    }
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        // A FIFO without a writer must not hold us up.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NONBLOCK)
            .open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            fifo: metadata.file_type().is_fifo() || metadata.file_type().is_char_device(),
            file,
            read: 0,
            tail: hash(b""),
        })
    }

    fn is(&self, metadata: &std::fs::Metadata) -> bool {
        (self.device, self.inode) == (metadata.dev(), metadata.ino())
    }

    /// A server's private key opens nothing that has forward secrecy, and is often taken for a key log.
    fn refuse_private_key(&self, path: &Path) -> Result<(), Error> {
        let mut begin = Zeroizing::new([0; 4096]);
        if self.fifo {
            return Ok(());
        }
        let read = self.file.read_at(&mut *begin, 0).unwrap_or(0);
        let begin = &begin[..read];
        let has = |text: &[u8]| memchr::memmem::find(begin, text).is_some();
        if has(b"-----BEGIN") && has(b"PRIVATE KEY-----") {
            return Err(Error::KeyLog {
                path: path.to_owned(),
                reason:
                    "is a private key, which cannot decrypt sessions; expected a key log, as SSLKEYLOGFILE names one"
                        .to_owned(),
            });
        }
        Ok(())
    }

    /// Reads what has come. What was read before must be there still.
    fn read(&mut self, reader: &mut KeyLogReader, secrets: &mut Secrets, earlier: &mut Lines) -> io::Result<()> {
        let mut block = Zeroizing::new(vec![0; BLOCK]);
        if !self.fifo && self.read > 0 && self.tail()? != Some(self.tail) {
            self.read = 0;
            begin_again(reader, earlier);
        }
        let mut taken = 0;
        while taken < LOOK {
            let count = if self.fifo {
                match self.file.read(&mut block) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                    count => count?,
                }
            } else {
                self.file.read_at(&mut block, self.read)?
            };
            if count == 0 {
                break;
            }
            reader.push(&block[..count], secrets);
            self.read += count as u64;
            taken += count;
        }
        if taken > 0 && !self.fifo {
            self.tail = self.tail()?.unwrap_or(0);
        }
        Ok(())
    }

    /// A hash of the last bytes that were read; `None` when they are not there any more.
    fn tail(&self) -> io::Result<Option<u64>> {
        let mut tail = Zeroizing::new([0; TAIL]);
        let length = TAIL.min(self.read as usize);
        let read = self.file.read_at(&mut tail[..length], self.read - length as u64)?;
        Ok((read == length).then(|| hash(&tail[..length])))
    }
}

fn hash(bytes: &[u8]) -> u64 {
    FixedState::default().hash_one(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn line(n: u8) -> String {
        format!("CLIENT_RANDOM {} {}\n", format!("{n:02x}").repeat(32), "ab".repeat(48))
    }

    #[test]
    fn it_appears_grows_is_replaced_and_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(KeyLogFile::open(&path, false).is_err());
        let mut secrets = Secrets::new(true);
        let mut log = KeyLogFile::open(&path, true).unwrap();
        let mut look = |expected: usize| {
            log.look(&mut secrets).unwrap();
            assert_eq!(secrets.len(), expected);
        };
        look(0);
        let mut file = File::create(&path).unwrap();
        look(0);
        let first = line(1);
        file.write_all(&first.as_bytes()[..100]).unwrap();
        look(0);
        file.write_all(&first.as_bytes()[100..]).unwrap();
        look(1);
        look(1);
        let other = folder.path().join("other");
        std::fs::write(&other, line(1) + &line(2) + &line(3)).unwrap();
        std::fs::rename(&other, &path).unwrap();
        look(3);
        // Emptied, and longer again before the next look.
        std::fs::write(&path, "# another log\n".repeat(60) + &line(4)).unwrap();
        look(4);
        std::fs::write(&path, line(5)).unwrap();
        look(5);
        std::fs::remove_file(&path).unwrap();
        look(5);
        std::fs::write(&path, line(6)).unwrap();
        look(6);
    }

    #[test]
    fn a_private_key_is_no_key_log() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"-----BEGIN PRIVATE KEY-----\nMIIE\n").unwrap();
        let error = KeyLogFile::open(file.path(), true).unwrap_err().to_string();
        assert!(error.contains("private key") && error.lines().count() == 1, "{error}");
    }
}
