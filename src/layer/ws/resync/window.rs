//! What was collected, as runs of bytes between gaps, with the offsets at which segments begin.

use crate::layer::ws::{ChunkBuffer, Held};

/// Bytes of one direction.
#[derive(Debug)]
pub(super) struct Window<'a> {
    /// Ascending; between them are gaps.
    pub(super) runs: Vec<Run<'a>>,
    /// Where segments begin, ascending.
    borders: Vec<u64>,
    /// No more will come.
    pub(super) ended: bool,
}

/// Bytes without a gap.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    /// Where they begin in the stream.
    pub(super) offset: u64,
    /// How many bytes of earlier runs there are.
    pub(super) index: usize,
    pub(super) bytes: &'a [u8],
}

impl Run<'_> {
    pub(super) fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

impl<'a> Window<'a> {
    pub(super) fn new(buffer: &'a ChunkBuffer, ended: bool) -> Self {
        let mut window = Self {
            runs: Vec::new(),
            borders: Vec::new(),
            ended,
        };
        let mut taken = 0;
        for held in buffer.iter() {
            let Held::Data(chunk) = held else { continue };
            window.borders.push(chunk.offset);
            let from = taken;
            taken += chunk.bytes.len();
            match window.runs.last_mut() {
                Some(run) if run.end() == chunk.offset => run.bytes = &buffer.bytes()[run.index..taken],
                _ => window.runs.push(Run {
                    offset: chunk.offset,
                    index: from,
                    bytes: chunk.bytes,
                }),
            }
        }
        window
    }

    /// Offset behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.runs.last().map_or(0, Run::end)
    }

    /// The run in which `offset` lies, and where in it; `None` in a gap and behind the end.
    pub(super) fn find(&self, offset: u64) -> Option<(&Run<'a>, usize)> {
        let run = self
            .runs
            .get(self.runs.partition_point(|run| run.offset <= offset).checked_sub(1)?)?;
        let at = usize::try_from(offset - run.offset).ok()?;
        (at < run.bytes.len()).then_some((run, at))
    }

    /// A segment begins at `offset`, or the last one ends there.
    pub(super) fn is_border(&self, offset: u64) -> bool {
        offset == self.end() || self.borders.binary_search(&offset).is_ok()
    }

    /// Where segments begin.
    pub(super) fn borders(&self) -> &[u64] {
        &self.borders
    }
}
