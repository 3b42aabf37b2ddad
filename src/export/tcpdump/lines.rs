//! The view as a listener: when messages are selected or checked, the engine runs beside it.

use std::ops::ControlFlow;

use super::{Options, Printer};
use crate::export::View;
use crate::record::{Record, Sink};
use crate::wire::Packet;

/// A printer and what it has printed.
pub struct Lines {
    printer: Printer,
    out: Vec<u8>,
}

impl Lines {
    /// A view that has seen nothing.
    pub fn new(options: Options) -> Self {
        Self {
            printer: Printer::new(options),
            out: Vec::new(),
        }
    }
}

impl Sink for Lines {
    fn record(&mut self, _: &Record<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.printer.print(packet, &mut self.out);
        ControlFlow::Continue(())
    }
}

impl View for Lines {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn hide(&mut self, packet: &Packet<'_>, goes_on: bool) {
        if goes_on {
            self.printer.pass(packet);
        }
    }
}
