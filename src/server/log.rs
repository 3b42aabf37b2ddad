//! One line an event, on stderr: `time=… event=… key=value …` (logfmt; text is quoted as in JSON).
//!
//! A thread of its own writes them, so that a stopped terminal or a full pipe does not stop the chat. Lines that do not fit into
//! its queue are counted, and the count is logged.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::clock;

/// Lines that may wait for the writer.
const MAX_WAITING_LINES: usize = 8192;

/// Where log lines go. Clones write to the same place.
#[derive(Debug, Clone)]
pub(super) struct Log {
    lines: SyncSender<String>,
    lost: Arc<AtomicU64>,
}

/// The thread that writes; to be joined at the end.
#[derive(Debug)]
pub(super) struct Writer(JoinHandle<()>);

impl Log {
    /// Starts the writing thread.
    pub(super) fn start() -> io::Result<(Self, Writer)> {
        let (lines, waiting) = sync_channel(MAX_WAITING_LINES);
        let lost = Arc::new(AtomicU64::new(0));
        let log = Self {
            lines,
            lost: Arc::clone(&lost),
        };
        let thread = std::thread::Builder::new().name("log".into());
        Ok((log, Writer(thread.spawn(move || write_lines(&waiting, &lost))?)))
    }

    /// Begins the line of an event; it is written when the [`Line`] is dropped.
    pub(super) fn event(&self, event: &str) -> Line<'_> {
        Line {
            log: self,
            text: format!("time={} event={event}", clock::log_time()),
        }
    }
}

impl Writer {
    /// Waits, not for ever, until everything has been written. All clones of the [`Log`] must have been dropped.
    pub(super) fn finish(self) {
        let end = Instant::now() + Duration::from_millis(500);
        while !self.0.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A line being written.
#[derive(Debug)]
pub(super) struct Line<'l> {
    log: &'l Log,
    text: String,
}

impl Line<'_> {
    /// Adds a value that needs no quotes: a number, an address, a stable word.
    pub(super) fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        let _ = write!(self.text, " {key}={value}");
        self
    }

    /// Adds text that comes from outside.
    pub(super) fn text(mut self, key: &str, value: &str) -> Self {
        let _ = write!(self.text, " {key}=");
        quote(value, &mut self.text);
        self
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.push('\n');
        if self.log.lines.try_send(text).is_err() {
            self.log.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// In quotes, with escapes for whatever could end the line, steer a terminal or turn text around.
fn quote(value: &str, out: &mut String) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            _ if c.is_control()
                || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn write_lines(lines: &Receiver<String>, lost: &AtomicU64) {
    loop {
        let line = lines.recv_timeout(Duration::from_secs(1));
        let lost = lost.swap(0, Ordering::Relaxed);
        let mut stderr = io::stderr().lock();
        // An error of stderr itself cannot be reported anywhere.
        if lost > 0 {
            let _ = writeln!(stderr, "time={} event=log-lines-lost count={lost}", clock::log_time());
        }
        match line {
            Ok(line) => drop(stderr.write_all(line.as_bytes())),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_a_line_or_steer_a_terminal() {
        let mut out = String::new();
        quote("a\"b\\ \n\u{1b}[2J\u{9b}\u{202e}猪", &mut out);
        assert_eq!(out, r#""a\"b\\ \u000a\u001b[2J\u009b\u202e猪""#);
    }
}
