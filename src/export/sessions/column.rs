//! The columns: what stands in them, and how rows are sorted by them.

use std::cmp::{Ordering, Reverse};

use super::row::{End, Mean, Row};
use super::writer::Writer;
use super::{Key, Options};
use crate::annotate::texts::{Arg, Catalog, quoting};
use crate::base::{Direction, PerDirection};
use crate::export::escape;
use crate::export::put::{endpoint, number};
use crate::record::Verdict;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The session's number.
    Number,
    /// Who asked.
    Client,
    /// Who was asked.
    Server,
    /// Scheme, host and path.
    Url,
    /// The subprotocol agreed upon.
    Subprotocol,
    /// Who logged in.
    User,
    /// When it began.
    Start,
    /// How long it was.
    Duration,
    /// Messages each way.
    Messages,
    /// Application bytes each way.
    Bytes,
    /// Mean time from ping to pong, by who pinged.
    Pong,
    /// The answer that took longest.
    Slowest,
    /// Close codes each way.
    Codes,
    /// What is to be made of its end.
    Verdict,
    /// Rules that were broken.
    Violations,
}

impl Column {
    /// All, as they stand in a line.
    pub const ALL: &'static [Column] = &[
        Column::Number,
        Column::Client,
        Column::Server,
        Column::Url,
        Column::Subprotocol,
        Column::User,
        Column::Start,
        Column::Duration,
        Column::Messages,
        Column::Bytes,
        Column::Pong,
        Column::Slowest,
        Column::Codes,
        Column::Verdict,
        Column::Violations,
    ];

    /// Those that a narrow terminal has no room for, the least telling first. The others are always there.
    pub(super) const OPTIONAL: &'static [Column] = &[
        Column::Subprotocol,
        Column::Pong,
        Column::Server,
        Column::Bytes,
        Column::Slowest,
        Column::Start,
        Column::Codes,
        Column::User,
        Column::Violations,
        Column::Client,
        Column::Messages,
        Column::Duration,
    ];

    /// As on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Column::Number => "number",
            Column::Client => "client",
            Column::Server => "server",
            Column::Url => "url",
            Column::Subprotocol => "subprotocol",
            Column::User => "user",
            Column::Start => "start",
            Column::Duration => "duration",
            Column::Messages => "messages",
            Column::Bytes => "bytes",
            Column::Pong => "pong",
            Column::Slowest => "slowest",
            Column::Codes => "codes",
            Column::Verdict => "verdict",
            Column::Violations => "violations",
        }
    }

    /// What stands above it.
    pub(super) const fn head(self, catalog: &Catalog) -> &'static str {
        match self {
            Column::Number => "#",
            Column::Client => catalog.c_client,
            Column::Server => catalog.c_server,
            Column::Url => catalog.c_target,
            Column::Subprotocol => catalog.c_subprotocol,
            Column::User => catalog.c_user,
            Column::Start => catalog.c_start,
            Column::Duration => catalog.c_duration,
            Column::Messages => catalog.c_messages,
            Column::Bytes => catalog.c_bytes,
            Column::Pong => catalog.c_pong,
            Column::Slowest => catalog.c_slowest,
            Column::Codes => catalog.c_codes,
            Column::Verdict => catalog.c_verdict,
            Column::Violations => catalog.c_violations,
        }
    }

    /// It is cut rather than left out where there is no room for all of it: to so many columns at least.
    pub(super) const fn least(self) -> Option<usize> {
        match self {
            Column::Url => Some(20),
            Column::Subprotocol | Column::User => Some(8),
            Column::Verdict => Some(24),
            _ => None,
        }
    }

    /// It stands at the right of its place.
    pub(super) const fn is_number(self) -> bool {
        matches!(
            self,
            Column::Number
                | Column::Duration
                | Column::Messages
                | Column::Bytes
                | Column::Pong
                | Column::Slowest
                | Column::Violations
        )
    }

    /// Which of the two comes first: texts and times from the first on, sizes from the largest on, ends from the worst on.
    pub(super) fn order(self, a: &Row, b: &Row) -> Ordering {
        let sum = |both: &PerDirection<u64>| Reverse(both.iter().fold(0, |sum: u64, n| sum.saturating_add(*n)));
        let slowest = |both: &PerDirection<Mean>| Reverse(both.iter().filter_map(|mean| mean.nanos()).max());
        let code = |row: &Row| Reverse(row.codes.iter().flatten().flatten().max().copied());
        match self {
            Column::Number => Ordering::Equal,
            Column::Client => a.client.cmp(&b.client),
            Column::Server => a.server.cmp(&b.server),
            Column::Url => a.url.cmp(&b.url),
            Column::Subprotocol => a.subprotocol.cmp(&b.subprotocol),
            Column::User => a.user.cmp(&b.user),
            Column::Start => a.start.cmp(&b.start),
            Column::Duration => b.duration().cmp(&a.duration()),
            Column::Messages => sum(&a.messages).cmp(&sum(&b.messages)),
            Column::Bytes => sum(&a.bytes).cmp(&sum(&b.bytes)),
            Column::Pong => slowest(&a.pong).cmp(&slowest(&b.pong)),
            Column::Slowest => b.slowest.cmp(&a.slowest),
            Column::Codes => code(a).cmp(&code(b)),
            Column::Verdict => worst(a).cmp(&worst(b)),
            Column::Violations => b.violations.cmp(&a.violations),
        }
    }

    /// Appends what stands in the line of `row`: nothing, when there is nothing to say.
    pub(super) fn cell(self, key: Key, row: &Row, options: &Options, writer: &mut Writer<'_>) {
        let is_session = matches!(key, Key::Session(_));
        match self {
            Column::Number => {
                if let Key::Session(session) = key {
                    number(writer.out, session);
                }
            }
            Column::Client => endpoint(writer.out, &row.client),
            Column::Server => endpoint(writer.out, &row.server),
            Column::Url if row.url.is_empty() => writer.out.extend_from_slice(row.scheme.name().as_bytes()),
            Column::Url => escape::text_line(writer.out, &row.url),
            Column::Subprotocol => escape::text_line(writer.out, &row.subprotocol),
            Column::User => quoting::name(writer.out, row.user.as_bytes(), escape::line),
            Column::Start => {
                writer.clock.print(row.start, writer.out);
                writer.out.pop_if(|last| *last == b' ');
            }
            Column::Duration => writer.time(row.duration(), options),
            Column::Messages if !is_session => {}
            Column::Messages => both(writer, |writer, direction| {
                number(writer.out, row.messages[direction]);
            }),
            Column::Bytes => both(writer, |writer, direction| number(writer.out, row.bytes[direction])),
            Column::Pong if row.pong.iter().all(|mean| mean.nanos().is_none()) => {}
            Column::Pong => both(writer, |writer, direction| match row.pong[direction].nanos() {
                Some(mean) => writer.time(mean, options),
                None => writer.out.push(b'-'),
            }),
            Column::Slowest => {
                if let Some(slowest) = row.slowest {
                    writer.time(slowest, options);
                }
            }
            Column::Codes if row.codes.iter().all(Option::is_none) => {}
            Column::Codes => both(writer, |writer, direction| match row.codes[direction].flatten() {
                Some(code) => number(writer.out, code.into()),
                None => writer.out.push(b'-'),
            }),
            Column::Verdict => {
                if row.is_abnormal() {
                    writer.out.extend_from_slice(b"! ");
                }
                let mut words = writer.words(options);
                match row.end {
                    End::Verdict(verdict) => words.plain(options.catalog.verdict_name(verdict)),
                    End::Alert(by, name) => words.c_alert(Arg::Side(by), Arg::Raw(name)),
                    End::Undecrypted(reason) => words.c_undecrypted(Arg::Raw(reason)),
                    End::NoWebSocket => words.c_no_websocket(),
                }
            }
            Column::Violations if row.violations == 0 => {}
            Column::Violations => number(writer.out, row.violations),
        }
    }
}

/// `12/34`: from the client, from the server.
fn both(writer: &mut Writer<'_>, mut write: impl FnMut(&mut Writer<'_>, Direction)) {
    write(writer, Direction::ClientToServer);
    writer.out.push(b'/');
    write(writer, Direction::ServerToClient);
}

/// Abnormal ends before others, and what is open last.
fn worst(row: &Row) -> (bool, bool, Verdict) {
    let verdict = match row.end {
        End::Verdict(verdict) => verdict,
        End::Alert(..) => Verdict::Refused,
        End::Undecrypted(_) | End::NoWebSocket => Verdict::NotSeen,
    };
    (!row.is_abnormal(), verdict == Verdict::StillOpen, verdict)
}
