//! `--check`: violations of the protocol, one a line.

use std::io::Write as _;
use std::ops::ControlFlow;

use jiff::tz::TimeZone;

use crate::annotate::texts::Catalog;
use crate::base::{Timestamp, counted};
use crate::record::{Record, RecordKind, Sink};

/// Writes a line for each violation, and counts them.
pub(super) struct Check {
    /// Lines that were not taken yet.
    pub(super) out: Vec<u8>,
    /// Violations so far.
    pub(super) found: u64,
    sessions: u64,
    messages: u64,
    /// The view has them already.
    quiet: bool,
    timezone: TimeZone,
    catalog: &'static Catalog,
}

impl Check {
    /// `quiet`: only counts.
    pub(super) fn new(quiet: bool, catalog: &'static Catalog) -> Self {
        Self {
            out: Vec::new(),
            found: 0,
            sessions: 0,
            messages: 0,
            quiet,
            timezone: TimeZone::system(),
            catalog,
        }
    }

    /// What was looked at, for a check of so many packets that has found nothing.
    pub(super) fn looked_at(&self, packets: u64) -> String {
        format!(
            "no violations in {} of {}, in {}",
            counted(self.messages, "message"),
            counted(self.sessions, "session"),
            counted(packets, "packet")
        )
    }

    fn time(&self, time: Timestamp) -> String {
        match jiff::Timestamp::from_nanosecond(time.nanos().into()) {
            Ok(time) => time
                .to_zoned(self.timezone.clone())
                .strftime("%H:%M:%S%.6f")
                .to_string(),
            Err(_) => time.seconds().to_string(),
        }
    }
}

impl Sink for Check {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        let (direction, violation) = match record.kind {
            RecordKind::Violation { direction, violation } => (direction, violation),
            other => {
                self.messages += u64::from(matches!(other, RecordKind::Message(_)));
                self.sessions += u64::from(matches!(other, RecordKind::SessionEnd(_)));
                return ControlFlow::Continue(());
            }
        };
        self.found += 1;
        if !self.quiet {
            let session = record.source;
            let time = self.time(record.at.time);
            // A vector takes every write.
            let _ = write!(
                self.out,
                "{time} #{} {} → {} packet {}: {}",
                session.number(),
                session.sender(direction),
                session.sender(direction.other()),
                record.at.packet,
                violation.rule.id(),
            );
            if let Some(rfc) = violation.rule.rfc() {
                let _ = write!(self.out, " ({rfc})");
            }
            self.out.extend_from_slice(b": ");
            self.catalog.violation(violation, &mut self.out);
            self.out.push(b'\n');
        }
        ControlFlow::Continue(())
    }
}
