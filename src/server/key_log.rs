//! The file of `--keylog`: the secrets of every TLS connection, in the NSS key log format (RFC 9850).

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use tokio_rustls::rustls::KeyLog;

use super::log::Log;

/// A key log that is appended to.
#[derive(Debug)]
pub(super) struct KeyLogFile {
    state: Mutex<State>,
    log: Log,
}

#[derive(Debug)]
struct State {
    file: File,
    /// The last line could not be written, or only in part.
    failed: bool,
}

impl KeyLogFile {
    /// Opens the file at `path`; one that is not there is created, for nobody else to read.
    pub(super) fn open(path: &Path, log: Log) -> io::Result<Self> {
        let irregular = || io::Error::other("expected a regular file");
        let opened = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            // Of a FIFO: not to wait here for somebody who reads it.
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(path);
        let file = opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENXIO) => irregular(),
            _ => error,
        })?;
        // Whoever reads a FIFO slowly would hold up the chat.
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(irregular());
        }
        if metadata.mode() & 0o077 != 0 {
            let what = format!("others may read the secrets in it: chmod 600 {}", path.display());
            drop(log.event("warning").text("what", &what));
        }
        let failed = false;
        Ok(Self {
            state: Mutex::new(State { file, failed }),
            log,
        })
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = String::with_capacity(256);
        if state.failed {
            // What was written of the last line does not take this one with it.
            line.push('\n');
        }
        line.push_str(label);
        for bytes in [client_random, secret] {
            line.push(' ');
            for byte in bytes {
                let _ = write!(line, "{byte:02x}");
            }
        }
        line.push('\n');
        // In one call: another server may append to the same file.
        match state.file.write_all(line.as_bytes()) {
            Ok(()) => state.failed = false,
            Err(error) if !state.failed => {
                state.failed = true;
                self.log.event("keylog-failed").text("why", &error.to_string());
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_appended_to_a_file_that_only_we_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.log");
        for _ in 0..2 {
            let (log, _writer) = Log::start().unwrap();
            let keys = KeyLogFile::open(&path, log).unwrap();
            keys.log("CLIENT_RANDOM", &[0xab, 1], &[0xff, 0]);
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "CLIENT_RANDOM ab01 ff00\n".repeat(2)
        );
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn only_a_regular_file_can_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [fifo.as_path(), folder.path(), Path::new("/dev/null")] {
            let (log, _writer) = Log::start().unwrap();
            assert!(KeyLogFile::open(path, log).is_err(), "{}", path.display());
        }
    }
}
