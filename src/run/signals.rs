//! Signals: SIGINT, SIGTERM and SIGHUP end a run, SIGUSR1 asks for the counters, SIGUSR2 flushes `-w`.
//!
//! A handler sets a flag, and writes a byte into a socket so that whoever waits for packets wakes up.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::{flag, low_level};

/// What came.
#[derive(Debug)]
pub(super) struct Signals {
    end: Arc<AtomicBool>,
    counters: Arc<AtomicBool>,
    flush: Arc<AtomicBool>,
    wake: UnixStream,
}

impl Signals {
    /// Catches them from now on.
    pub(super) fn catch() -> io::Result<Self> {
        let (wake, bell) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        let signals = Self {
            end: Arc::default(),
            counters: Arc::default(),
            flush: Arc::default(),
            wake,
        };
        for (signal, flag) in [
            (SIGINT, &signals.end),
            (SIGTERM, &signals.end),
            (SIGHUP, &signals.end),
            (SIGUSR1, &signals.counters),
            (SIGUSR2, &signals.flush),
        ] {
            // `nohup` means it.
            if signal == SIGHUP && hangup_is_ignored() {
                continue;
            }
            flag::register(signal, Arc::clone(flag))?;
            low_level::pipe::register(signal, bell.try_clone()?)?;
        }
        Ok(signals)
    }

    /// The run is to end.
    #[inline]
    pub(super) fn end(&self) -> bool {
        self.end.load(Ordering::Relaxed)
    }

    /// The counters are wanted; asks once for each time.
    pub(super) fn counters_wanted(&self) -> bool {
        self.counters.load(Ordering::Relaxed) && self.counters.swap(false, Ordering::Relaxed)
    }

    /// `-w` is to be flushed; asks once for each time.
    pub(super) fn flush_wanted(&self) -> bool {
        self.flush.load(Ordering::Relaxed) && self.flush.swap(false, Ordering::Relaxed)
    }

    /// Becomes readable when a signal comes.
    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Takes the bytes out, so that the next wait waits again.
    pub(super) fn rest(&self) {
        let mut bytes = [0; 64];
        while matches!((&self.wake).read(&mut bytes), Ok(1..)) {}
    }
}

/// `SigIgn` of this process has the bit of SIGHUP, the lowest one (proc(5)).
fn hangup_is_ignored() -> bool {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        })
        .is_some_and(|mask| mask & 1 != 0)
}
