//! The secrets of TLS for a run: key logs and what capture files bring.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use zeroize::Zeroizing;

use super::signals::Signals;
use super::{Error, report, setup};
use crate::base::counted;
use crate::capture::Outputs;
use crate::capture::key_log_file::KeyLogFile;
use crate::layer::tls::{KeyLogReader, KeySource, Report, Secrets, Unread};

/// Key logs are looked at so often.
pub(super) const EVERY: Duration = Duration::from_millis(50);

/// The key logs of a run.
#[derive(Debug, Default)]
pub(super) struct Keys {
    logs: Vec<KeyLogFile>,
    looked: Option<Instant>,
}

impl Keys {
    /// Opens them; `wait`: one that is not there may come.
    pub(super) fn open(paths: &[PathBuf], wait: bool) -> Result<Self, Error> {
        let logs = paths
            .iter()
            .map(|path| KeyLogFile::open(path, wait))
            .collect::<Result<_, _>>()?;
        Ok(Self { logs, looked: None })
    }

    /// Nothing is to be written to them.
    pub(super) fn keep_from(&self, outputs: &mut Outputs) -> Result<(), Error> {
        for log in &self.logs {
            if let Some(file) = log.file() {
                setup::reading(outputs, file, log.path())?;
            }
        }
        Ok(())
    }

    /// There is something to look at.
    pub(super) fn any(&self) -> bool {
        !self.logs.is_empty()
    }

    /// It is time to look again.
    pub(super) fn are_due(&mut self) -> bool {
        let now = Instant::now();
        let due = self.any() && self.looked.is_none_or(|looked| now.duration_since(looked) >= EVERY);
        if due {
            self.looked = Some(now);
        }
        due
    }

    /// Reads what has come. What cannot be read is told on standard error, once.
    pub(super) fn look(&mut self, secrets: &mut Secrets) {
        for log in &mut self.logs {
            if let Err(error) = log.look(secrets) {
                report(&format!("wschat-sniff: {error}"));
            }
        }
    }

    /// Reads all that there is before a run over files; what cannot be read ends it. `wait`: for what FIFOs bring, until their writers
    /// have ended.
    pub(super) fn read_all(&mut self, wait: Option<&Signals>, secrets: &mut Secrets) -> Result<(), Error> {
        for log in &mut self.logs {
            if let Some(signals) = wait {
                read_fifo(log, signals, secrets)?;
            }
            let mut before = None;
            // A large log takes more than one look.
            while before != Some(log.lines()) {
                before = Some(log.lines());
                log.look(secrets)?;
            }
        }
        Ok(())
    }

    /// Nothing more will come. Logs without a secret are told.
    pub(super) fn finish(&mut self, secrets: &mut Secrets) {
        for log in &mut self.logs {
            log.finish(secrets);
            let lines = log.lines();
            if lines.used == 0 {
                let count = lines.other + lines.broken;
                report(&format!(
                    "wschat-sniff: --keylog {}: no TLS secrets in it ({}); expected the file that SSLKEYLOGFILE names",
                    log.path().display(),
                    counted(count, "line")
                ));
            }
        }
    }
}

/// Reads a key log that is a FIFO, until nobody writes to it any more.
fn read_fifo(log: &mut KeyLogFile, signals: &Signals, secrets: &mut Secrets) -> Result<(), Error> {
    let mut timeout = PollTimeout::from(1000_u16);
    while let Some((fifo, before)) = log.fifo() {
        let mut polled = [
            PollFd::new(fifo, PollFlags::POLLIN),
            PollFd::new(signals.wake(), PollFlags::POLLIN),
        ];
        match poll(&mut polled, timeout) {
            Ok(0) => {
                report(&format!(
                    "wschat-sniff: --keylog {}: waiting until its writer has ended",
                    log.path().display()
                ));
                timeout = PollTimeout::NONE;
            }
            Ok(_) if polled[0].any().unwrap_or(true) => {
                log.look(secrets)?;
                if log.fifo().is_none_or(|(_, read)| read == before) {
                    return Ok(());
                }
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(Error::new(format!("{}: {}", log.path().display(), error.desc()))),
        }
        if signals.end() {
            return Ok(());
        }
        signals.rest();
    }
    Ok(())
}

/// Takes in what a capture file brought.
pub(super) fn from_capture(logs: &[Zeroizing<Vec<u8>>], secrets: &mut Secrets) {
    for log in logs {
        let mut reader = KeyLogReader::new(KeySource::Capture);
        reader.push(log, secrets);
        reader.finish(secrets);
    }
}

/// The line about TLS connections that stayed closed; `None` when all were read.
pub(super) fn closed(of: &Report, given: bool) -> Option<String> {
    if of.unread.is_empty() && of.trials_exhausted == 0 && of.secrets_refused == 0 {
        return None;
    }
    let connections = |count: u64| counted(count, "TLS connection");
    let mut line = format!("{}, {} decrypted", connections(of.connections), of.decrypted);
    for (unread, (count, names)) in &of.unread {
        let why = match unread {
            Unread::NoClientHello => "no ClientHello captured and no key that fits",
            Unread::NoServerHello => "their ServerHello was not captured",
            Unread::NoKeys => "no keys",
            Unread::WrongKey => "keys that do not fit, perhaps of another run of the program,",
            Unread::Version => "a version older than TLS 1.2",
            Unread::Suite => "a cipher suite that is not read",
            Unread::Cut => "all records cut (capture with -s 0)",
        };
        line.push_str(&format!("; {why} for {count}"));
        if !names.is_empty() {
            let mut shown: Vec<String> = names.iter().take(3).map(|name| escaped(name)).collect();
            if names.len() > 3 {
                shown.push("…".to_owned());
            }
            line.push_str(&format!(" ({})", shown.join(", ")));
        }
        if *unread == Unread::NoKeys {
            line.push_str(if given {
                ": not in the key log"
            } else {
                ": --keylog FILE"
            });
        }
    }
    if of.trials_exhausted > 0 {
        line.push_str(&format!("; --max-tls-trials was reached in {}", of.trials_exhausted));
    }
    if of.secrets_refused > 0 {
        line.push_str(&format!(
            "; {} secrets did not fit into --max-memory",
            of.secrets_refused
        ));
    }
    Some(line)
}

/// What was captured reaches no terminal as it is.
fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    crate::export::escape::text_line(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}
