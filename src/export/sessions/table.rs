//! Rows in lines: tab-separated for programs, in columns that fit for a terminal.

use super::column::Column;
use super::row::Row;
use super::writer::Writer;
use super::{Key, Options};
use crate::annotate::Story;
use crate::export::columns::{columns, cut};
use crate::export::tcpdump::Clock;

/// Blanks between two columns.
const GAP: usize = 2;

/// Appends the table of `rows`, in their order; nothing when there are none.
pub(super) fn write(out: &mut Vec<u8>, rows: &[(&Key, &Row)], options: &Options) {
    if rows.is_empty() {
        return;
    }
    let mut table = Table {
        options,
        clock: Clock::new(&options.tcpdump),
        story: Story::default(),
        cell: Vec::new(),
    };
    match options.width {
        Some(width) => table.aligned(out, rows, width),
        None => table.separated(out, rows),
    }
}

struct Table<'t> {
    options: &'t Options,
    clock: Clock,
    /// Words of this view need no story.
    story: Story,
    /// The current cell.
    cell: Vec<u8>,
}

impl Table<'_> {
    /// Renders a cell; what is empty stands as `-`.
    fn cell(&mut self, column: Column, key: Key, row: &Row) -> &mut Vec<u8> {
        self.cell.clear();
        let mut writer = Writer {
            out: &mut self.cell,
            clock: &mut self.clock,
            story: &self.story,
        };
        column.cell(key, row, self.options, &mut writer);
        if self.cell.is_empty() {
            self.cell.push(b'-');
        }
        &mut self.cell
    }

    fn separated(&mut self, out: &mut Vec<u8>, rows: &[(&Key, &Row)]) {
        for (i, column) in Column::ALL.iter().enumerate() {
            if i > 0 {
                out.push(b'\t');
            }
            out.extend_from_slice(column.head(self.options.catalog).as_bytes());
        }
        out.push(b'\n');
        for (key, row) in rows {
            for (i, column) in Column::ALL.iter().enumerate() {
                if i > 0 {
                    out.push(b'\t');
                }
                let colour = self.colour(*column, row);
                out.extend_from_slice(colour.as_bytes());
                out.extend_from_slice(self.cell(*column, **key, row));
                if !colour.is_empty() {
                    out.extend_from_slice(self.options.palette.reset.as_bytes());
                }
            }
            out.push(b'\n');
        }
    }

    fn aligned(&mut self, out: &mut Vec<u8>, rows: &[(&Key, &Row)], width: usize) {
        let columns = self.fitting(rows, width);
        self.clock = Clock::new(&self.options.tcpdump);
        let palette = self.options.palette;
        out.extend_from_slice(palette.title.as_bytes());
        for (i, (column, width)) in columns.iter().enumerate() {
            let head = column.head(self.options.catalog).as_bytes().to_vec();
            put(out, head, *column, *width, "", i == 0, i + 1 == columns.len());
        }
        out.extend_from_slice(palette.reset.as_bytes());
        out.push(b'\n');
        for (key, row) in rows {
            for (i, (column, width)) in columns.iter().enumerate() {
                let colour = self.colour(*column, row);
                let cell = self.cell(*column, **key, row).clone();
                put(out, cell, *column, *width, colour, i == 0, i + 1 == columns.len());
                if !colour.is_empty() {
                    out.extend_from_slice(palette.reset.as_bytes());
                }
            }
            out.push(b'\n');
        }
    }

    /// The columns that there is room for, and how wide they are. One in which nothing stands takes no room.
    fn fitting(&mut self, rows: &[(&Key, &Row)], width: usize) -> Vec<(Column, usize)> {
        let mut wanted: Vec<(Column, usize)> = Vec::new();
        for column in Column::ALL {
            let cells = rows.iter().map(|(key, row)| {
                let cell = self.cell(*column, **key, row);
                (columns(cell), *cell != b"-")
            });
            let (widest, told) = cells.fold((0, false), |(widest, told), (cell, tells)| {
                (widest.max(cell), told || tells)
            });
            let head = columns(column.head(self.options.catalog).as_bytes());
            if told {
                wanted.push((*column, widest.max(head)));
            }
        }
        let least = |&(column, wide): &(Column, usize)| column.least().map_or(wide, |least| least.min(wide)) + GAP;
        let room = width + GAP;
        for column in Column::OPTIONAL {
            if wanted.iter().map(least).sum::<usize>() <= room {
                break;
            }
            wanted.retain(|(known, _)| known != column);
        }
        // What can be cut is cut to what the others leave, the widest first.
        while let Some(over) = wanted
            .iter()
            .map(|(_, wide)| wide + GAP)
            .sum::<usize>()
            .checked_sub(room + 1)
        {
            let can_be_cut = |(column, wide): &&mut (Column, usize)| column.least().is_some_and(|least| least < *wide);
            let Some((column, widest)) = wanted.iter_mut().filter(can_be_cut).max_by_key(|(_, wide)| *wide) else {
                break;
            };
            let least = column.least().unwrap_or(*widest);
            *widest = widest.saturating_sub(over + 1).max(least);
        }
        wanted
    }

    fn colour(&self, column: Column, row: &Row) -> &'static str {
        let palette = self.options.palette;
        match column {
            Column::Client => palette.client,
            Column::Server => palette.server,
            Column::Verdict if row.is_abnormal() => palette.abnormal,
            Column::Violations if row.violations > 0 => palette.wrong,
            Column::Number | Column::Start => palette.faint,
            _ => "",
        }
    }
}

/// Appends a cell to its line, filled up to its width unless it is the last.
fn put(out: &mut Vec<u8>, mut cell: Vec<u8>, column: Column, width: usize, colour: &str, first: bool, last: bool) {
    if !first {
        out.resize(out.len() + GAP, b' ');
    }
    cut(&mut cell, 0, width);
    let padding = width.saturating_sub(columns(&cell));
    if column.is_number() {
        out.resize(out.len() + padding, b' ');
    }
    out.extend_from_slice(colour.as_bytes());
    out.extend_from_slice(&cell);
    if !column.is_number() && !last {
        out.resize(out.len() + padding, b' ');
    }
}
