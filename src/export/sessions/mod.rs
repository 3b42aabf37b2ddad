//! The `sessions` view: one line a session, written when there is nothing more to come, or when somebody asks.
//!
//! A row is kept for each session, of bounded size, and no payload is rendered. With `--all` TCP connections that carry no WebSocket
//! have rows as well.

mod column;
mod row;
mod table;
mod writer;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use foldhash::quality::RandomState;

use super::View;
use super::palette::Palette;
use super::tcpdump;
use crate::annotate::texts::Catalog;
use crate::record::{Record, RecordKind, SegmentView, Sink, Source};
use crate::wire::Packet;
pub use column::Column;
use row::Row;

/// How the table looks.
#[derive(Debug, Clone)]
pub struct Options {
    /// In which language.
    pub catalog: &'static Catalog,
    /// The form of the times; what else is in there is for tcpdump's lines.
    pub tcpdump: tcpdump::Options,
    /// In which colours.
    pub palette: &'static Palette,
    /// Columns of the terminal; `None` when it is none.
    pub width: Option<usize>,
    /// By what the rows are sorted.
    pub sort: Column,
    /// Connections without WebSocket have rows, too.
    pub all: bool,
    /// Bytes that the rows may take.
    pub memory: usize,
}

/// The view.
pub struct Sessions {
    out: Vec<u8>,
    options: Options,
    rows: HashMap<Key, Row, RandomState>,
    /// Bytes that the rows take.
    kept: usize,
    /// Sessions and connections for which there was no room.
    left_out: u64,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Session(u64),
    /// A TCP connection, by its number.
    Connection(u64),
}

impl Sessions {
    /// The view in this look.
    pub fn new(options: Options) -> Self {
        Self {
            out: Vec::new(),
            options,
            rows: HashMap::default(),
            kept: 0,
            left_out: 0,
        }
    }

    /// The row of `key`, which begins with `new` unless it is there; `None` when there is no room for it.
    fn row(&mut self, key: Key, new: impl FnOnce() -> Row) -> Option<&mut Row> {
        match self.rows.entry(key) {
            Entry::Occupied(row) => Some(row.into_mut()),
            Entry::Vacant(_) if self.kept >= self.options.memory => None,
            Entry::Vacant(none) => {
                self.kept += Row::BYTES;
                Some(none.insert(new()))
            }
        }
    }

    fn hear(&mut self, record: &Record<'_>, selected: bool) {
        let source = record.source;
        let Some(session) = source.session else {
            return self.connection(record, selected);
        };
        if self.options.all {
            self.carries_sessions(source);
        }
        let Some(row) = self.row(Key::Session(session.0), || Row::new(source, record.at.time)) else {
            // All that is counted of a session for which there is no room is that it was there.
            self.left_out += u64::from(selected && matches!(record.kind, RecordKind::SessionEnd(_)));
            return;
        };
        let before = row.text_bytes();
        row.hear(record);
        row.selected |= selected;
        let grown = row.text_bytes() - before;
        self.kept += grown;
    }

    /// What TLS or HTTP/2 say of a connection that need not carry a session.
    fn connection(&mut self, record: &Record<'_>, selected: bool) {
        if !self.options.all {
            return;
        }
        let source = record.source;
        if let Some(row) = self.row(Key::Connection(source.connection.0), || {
            Row::new(source, record.at.time)
        }) {
            let before = row.text_bytes();
            row.hear_connection(record);
            row.selected |= selected;
            let grown = row.text_bytes() - before;
            self.kept += grown;
        }
    }

    /// The connection of `source` has no row of its own: its sessions have.
    fn carries_sessions(&mut self, source: &Source) {
        if let Some(row) = self.rows.get_mut(&Key::Connection(source.connection.0)) {
            row.carries_sessions = true;
        }
    }

    /// Appends the table as it is now.
    fn write(&mut self) {
        let mut rows: Vec<(&Key, &Row)> = self.rows.iter().filter(|(_, row)| row.is_shown()).collect();
        let sort = self.options.sort;
        rows.sort_unstable_by(|(a, one), (b, other)| sort.order(one, other).then(a.cmp(b)));
        table::write(&mut self.out, &rows, &self.options);
    }
}

impl Sink for Sessions {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        if self.options.all
            && let Some(view) = segment
        {
            let key = Key::Connection(view.connection.number);
            match self.row(key, || Row::of_connection(&view, packet.time)) {
                Some(row) => row.segment(&view, packet.time),
                None => self.left_out += u64::from(view.segment.flags.syn() && !view.segment.flags.ack()),
            }
        }
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.hear(record, true);
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl View for Sessions {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn unselected(&mut self, record: &Record<'_>) {
        self.hear(record, false);
    }

    fn so_far(&mut self) {
        self.write();
    }

    fn notes(&self) -> Vec<String> {
        let left_out = (self.left_out > 0).then(|| {
            format!(
                "--format sessions: {} more than there was memory for are not listed; --max-memory allows more",
                self.left_out
            )
        });
        left_out.into_iter().collect()
    }

    fn finish(&mut self) {
        self.write();
    }
}

#[cfg(test)]
mod tests;
