//! How far a long run over files is: one line on standard error that overwrites itself, for a person who waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::capture::offline::Offline;

/// Runs shorter than this show nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line changes.
const PERIOD: Duration = Duration::from_millis(250);

/// Packets between two looks at the clock: no cost that could be measured.
const PACKETS: u32 = 1 << 14;

/// The line.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    shown: Option<Instant>,
    /// Packets until the next look at the clock; not counted down when nobody is to see anything.
    countdown: u32,
    wanted: bool,
}

impl Progress {
    /// Shown when standard error is a terminal and the view does not go to one as well.
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            shown: None,
            countdown: PACKETS,
            wanted: io::stderr().is_terminal() && !io::stdout().is_terminal(),
        }
    }

    /// A packet was read.
    #[inline]
    pub(super) fn packet(&mut self, input: &Offline) {
        if self.wanted {
            self.countdown -= 1;
            if self.countdown == 0 {
                self.countdown = PACKETS;
                self.look(input);
            }
        }
    }

    #[cold]
    fn look(&mut self, input: &Offline) {
        let now = Instant::now();
        let due = match self.shown {
            Some(shown) => now - shown >= PERIOD,
            None => now - self.began >= PATIENCE,
        };
        if due {
            self.shown = Some(now);
            let (read, size) = input.progress();
            let line = line(read, size, (now - self.began).as_secs_f64());
            let _ = write!(io::stderr(), "\r{}: {line}\x1b[K", input.path().display());
        }
    }

    /// The line disappears. The next file begins anew.
    pub(super) fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        self.began = Instant::now();
    }
}

/// `120 of 500 MB, 24 %, 240 MB/s, 2 s left`.
fn line(read: u64, size: Option<u64>, seconds: f64) -> String {
    let mega = |bytes: u64| bytes / 1_000_000;
    let rate = read as f64 / seconds.max(0.001);
    match size {
        Some(size) if size > 0 => format!(
            "{} of {} MB, {} %, {} MB/s, {} s left",
            mega(read),
            mega(size),
            read * 100 / size,
            mega(rate as u64),
            (size.saturating_sub(read) as f64 / rate.max(1.0)).ceil()
        ),
        _ => format!("{} MB, {} MB/s", mega(read), mega(rate as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_far_how_fast_and_how_long() {
        assert_eq!(
            line(120_000_000, Some(500_000_000), 0.5),
            "120 of 500 MB, 24 %, 240 MB/s, 2 s left"
        );
        assert_eq!(line(5_000_000, None, 1.0), "5 MB, 5 MB/s");
        assert_eq!(line(0, Some(0), 0.0), "0 MB, 0 MB/s");
    }
}
