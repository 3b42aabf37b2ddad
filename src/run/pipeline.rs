//! What is done with each packet: filtered, passed over, counted, written, shown.

use std::ops::ControlFlow;

use super::output::Output;
use super::{Error, Outcome, setup};
use crate::capture::Raw;
use crate::capture::filter::Filter;
use crate::capture::savefile::{Savefile, Written};
use crate::cli::{Format, Options};
use crate::net::Packet;
use crate::render::tcpdump::{self, Precision, Printer, TimeFormat};

/// The way of the packets of one run.
pub(super) struct Pipeline {
    filter: Filter,
    /// Packets that matched, those passed over included: the number of the last one.
    number: u64,
    skip: u64,
    /// The number of the last packet that is wanted.
    last: u64,
    savefile: Option<Savefile>,
    show: Show,
    count: bool,
    each: bool,
    output: Output,
}

/// What is shown of a packet.
enum Show {
    Nothing,
    Tcpdump(Printer),
}

impl Pipeline {
    pub(super) fn new(options: &Options, filter: Filter) -> Result<Self, Error> {
        let silent = options.count || options.write.as_ref().is_some_and(|write| !write.print);
        let show = match options.format {
            _ if silent => Show::Nothing,
            Format::Tcpdump => Show::Tcpdump(Printer::new(lines(options))),
            _ => return Err(Error::new("--format: this view is not built yet")),
        };
        Ok(Self {
            filter,
            number: 0,
            skip: options.skip,
            last: options
                .count_limit
                .map_or(u64::MAX, |count| count.saturating_add(options.skip)),
            savefile: None,
            show,
            count: options.count,
            each: options.line_buffered,
            output: Output::stdout().map_err(|error| Error::new(format!("standard output: {error}")))?,
        })
    }

    /// Packets are written there, too.
    pub(super) fn write_to(&mut self, savefile: Option<Savefile>) {
        self.savefile = savefile;
    }

    /// Packets are looked into.
    pub(super) fn shows_packets(&self) -> bool {
        !matches!(self.show, Show::Nothing)
    }

    /// How many packets were taken.
    pub(super) fn packets(&self) -> u64 {
        self.number.saturating_sub(self.skip)
    }

    /// One packet. Stop means: no more are wanted.
    #[inline]
    pub(super) fn packet(&mut self, raw: &Raw<'_>) -> Result<ControlFlow<()>, Error> {
        if !self.filter.matches(raw)? {
            return Ok(ControlFlow::Continue(()));
        }
        self.number += 1;
        if self.number <= self.skip {
            return Ok(ControlFlow::Continue(()));
        }
        if let Some(savefile) = &mut self.savefile
            && savefile.write(raw, setup::now)? != Written::Yes
        {
            return Ok(ControlFlow::Break(()));
        }
        let packet = Packet {
            number: self.number,
            time: raw.time,
            link: raw.link,
            data: raw.data,
        };
        let flow = match &mut self.show {
            Show::Nothing => ControlFlow::Continue(()),
            Show::Tcpdump(printer) => {
                printer.print(&packet, &mut self.output.buffer);
                if self.each {
                    self.output.flush()
                } else {
                    self.output.flush_if_full()
                }
            }
        };
        if self.number >= self.last {
            return Ok(ControlFlow::Break(()));
        }
        Ok(flow)
    }

    /// Nothing waits: what there is goes out. Stop means: nobody takes it.
    pub(super) fn flush(&mut self) -> ControlFlow<()> {
        self.output.flush()
    }

    /// SIGUSR2.
    pub(super) fn flush_savefile(&mut self) -> Result<(), Error> {
        match &mut self.savefile {
            Some(savefile) => Ok(savefile.flush()?),
            None => Ok(()),
        }
    }

    /// The end of the capture.
    pub(super) fn finish(&mut self) -> Result<Outcome, Error> {
        if self.count {
            let count = self.packets();
            let plural = if count == 1 { "" } else { "s" };
            self.output
                .buffer
                .extend_from_slice(format!("{count} packet{plural}\n").as_bytes());
        }
        if let Some(savefile) = &mut self.savefile {
            savefile.finish()?;
        }
        self.output
            .finish()
            .map_err(|error| Error::new(format!("standard output: {error}")))?;
        Ok(Outcome::Done)
    }
}

/// tcpdump's flags for its printer.
fn lines(options: &Options) -> tcpdump::Options {
    let lines = &options.lines;
    tcpdump::Options {
        time: match lines.time {
            0 => TimeFormat::TimeOfDay,
            1 => TimeFormat::None,
            2 => TimeFormat::Unix,
            3 => TimeFormat::SincePrevious,
            4 => TimeFormat::DateTime,
            _ => TimeFormat::SinceFirst,
        },
        precision: if options.nano {
            Precision::Nano
        } else {
            Precision::Micro
        },
        number: lines.number,
        lengths: lines.lengths,
        link_header: lines.link_header,
        quiet: lines.quick,
        verbose: lines.verbose,
        absolute_sequence: lines.absolute_sequence_numbers,
        unverified: lines.no_checksums,
        ascii: lines.ascii,
        hex: lines.hex,
        hex_ascii: lines.hex_ascii,
        ..tcpdump::Options::default()
    }
}
