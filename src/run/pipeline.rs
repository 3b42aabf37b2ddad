//! What is done with each packet: counted, passed over, filtered, written, shown.

use std::ops::ControlFlow;

use super::Error;
use super::output::Output;
use crate::capture::Raw;
use crate::capture::filter::Filter;
use crate::cli::Options;
use crate::net::Packet;

/// The way of the packets of one run.
pub(super) struct Pipeline {
    filter: Filter,
    /// Packets that matched and were not passed over.
    packets: u64,
    skip: u64,
    limit: u64,
    count: bool,
    pub(super) output: Output,
}

impl Pipeline {
    pub(super) fn new(options: &Options, filter: Filter) -> Result<Self, Error> {
        Ok(Self {
            filter,
            packets: 0,
            skip: options.skip,
            limit: options.count_limit.unwrap_or(u64::MAX),
            count: options.count,
            output: Output::stdout().map_err(|error| Error::new(format!("standard output: {error}")))?,
        })
    }

    /// One packet. Stop means: no more are wanted.
    #[inline]
    pub(super) fn packet(&mut self, raw: &Raw<'_>) -> Result<ControlFlow<()>, Error> {
        if !self.filter.matches(raw)? {
            return Ok(ControlFlow::Continue(()));
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(ControlFlow::Continue(()));
        }
        self.packets += 1;
        let _packet = Packet {
            number: self.packets,
            time: raw.time,
            link: raw.link,
            data: raw.data,
        };
        if self.packets >= self.limit {
            return Ok(ControlFlow::Break(()));
        }
        Ok(self.output.flush_if_full())
    }

    /// The end of the capture.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        if self.count {
            let plural = if self.packets == 1 { "" } else { "s" };
            self.output
                .buffer
                .extend_from_slice(format!("{} packet{plural}\n", self.packets).as_bytes());
        }
        self.output
            .finish()
            .map_err(|error| Error::new(format!("standard output: {error}")))
    }
}
