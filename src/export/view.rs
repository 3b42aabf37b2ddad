//! What all views are to a run.

use crate::record::{Record, Sink};

/// A view: hears what the engine says and writes it into a buffer of its own, which the run drains.
///
/// No view writes anywhere else, so the run alone decides when output is flushed, and a test reads the buffer.
pub trait View: Sink {
    /// What has been rendered and was not taken yet: the run writes it out and clears it, and keeps its capacity.
    fn output(&mut self) -> &mut Vec<u8>;

    /// This was not selected: it is not to be shown on its own, but may go with what is (a session's first line with its messages).
    fn unselected(&mut self, _: &Record<'_>) {}

    /// The current packet is not shown: what it brought into the output, from `begin` on, goes away again.
    fn take_back(&mut self, begin: usize) {
        self.output().truncate(begin);
    }

    /// Nothing will come any more: whatever the view still holds goes into the output. Called once, after the engine has
    /// ended the open sessions.
    fn finish(&mut self) {}
}
