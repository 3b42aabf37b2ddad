//! The ladder: time runs downwards, each column is one end of a session, and arrows say who sent what to whom.
//!
//! What a server sends to several clients at once is one row with several heads, so that a broadcast is seen as one.

use std::hash::{Hash as _, Hasher as _};

use super::is_control;
use super::markup::{beginning, line, put};
use crate::base::{Direction, Endpoint, Timestamp};
use crate::export::put::{endpoint, number};
use crate::export::utc::Utc;
use crate::record::{Message, Opcode, Record, Source};

/// Rows that are drawn.
pub(super) const MAX_ROWS: usize = 500;
/// Sessions that are drawn.
pub(super) const MAX_SESSIONS: usize = 12;
/// Bytes of a message beside its arrow.
const LABEL: usize = 64;
/// Messages of a broadcast come within this time, in nanoseconds.
const BROADCAST: i64 = 1_000_000_000;

const ROW: usize = 22;
const TOP: usize = 44;
const TIMES: usize = 130;
const COLUMN: usize = 92;
const LABELS: usize = 660;

/// What is to be drawn.
#[derive(Default)]
pub(super) struct Ladder {
    rows: Vec<Row>,
    /// In the order of their first rows.
    sessions: Vec<(u64, Endpoint)>,
    /// Something was left out.
    pub(super) cut: bool,
}

struct Row {
    time: Timestamp,
    /// Places in [`Ladder::sessions`].
    sessions: Vec<usize>,
    what: What,
    label: Vec<u8>,
    hash: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Opened,
    Sent(Direction, bool),
    Ended,
}

impl Ladder {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A handshake.
    pub(super) fn opened(&mut self, time: Timestamp, source: &Source, what: &str) {
        self.add(time, source, What::Opened, what.as_bytes().to_vec(), 0);
    }

    /// A session has ended; `how` it did.
    pub(super) fn ended(&mut self, record: &Record<'_>, how: &str) {
        self.add(record.at.time, record.source, What::Ended, how.as_bytes().to_vec(), 0);
    }

    /// A message.
    pub(super) fn message(&mut self, record: &Record<'_>, message: &Message<'_>) {
        let bytes = message.payload.bytes;
        let mut hasher = std::hash::DefaultHasher::new();
        (bytes, message.opcode.bits()).hash(&mut hasher);
        let hash = hasher.finish();
        let what = What::Sent(message.direction, is_control(message.opcode));
        let Some(place) = self.place(record.source) else { return };
        if let Some(last) = self.rows.last_mut()
            && (last.what, last.hash) == (what, hash)
            && message.direction == Direction::ServerToClient
            && (0..BROADCAST).contains(&record.at.time.since(last.time))
            && !last.sessions.contains(&place)
            && last
                .sessions
                .iter()
                .all(|other| self.sessions[*other].1 == self.sessions[place].1)
        {
            last.sessions.push(place);
            return;
        }
        let mut label = format!("{} {} ", message.opcode.name(), message.payload.length()).into_bytes();
        if let Some(close) = message.close {
            label.extend_from_slice(format!("{} {}", close.code, close.reason).as_bytes());
        } else if message.opcode != Opcode::Binary && message.payload.holes.is_empty() {
            let (begin, all) = beginning(bytes, LABEL);
            label.extend_from_slice(begin);
            if !all {
                label.extend_from_slice("…".as_bytes());
            }
        }
        self.add(record.at.time, record.source, what, label, hash);
    }

    fn add(&mut self, time: Timestamp, source: &Source, what: What, label: Vec<u8>, hash: u64) {
        let Some(place) = self.place(source) else { return };
        if self.rows.len() >= MAX_ROWS {
            self.cut = true;
            return;
        }
        self.rows.push(Row {
            time,
            sessions: vec![place],
            what,
            label,
            hash,
        });
    }

    /// The place of a session in [`Ladder::sessions`], as long as there is one for it.
    fn place(&mut self, source: &Source) -> Option<usize> {
        let number = source.number();
        if let Some(place) = self.sessions.iter().position(|(known, _)| *known == number) {
            return Some(place);
        }
        if self.sessions.len() >= MAX_SESSIONS || self.rows.len() >= MAX_ROWS {
            self.cut = true;
            return None;
        }
        self.sessions.push((number, source.server));
        Some(self.sessions.len() - 1)
    }

    /// Draws it; `name` appends what stands above a session.
    pub(super) fn draw(&self, out: &mut Vec<u8>, utc: &mut Utc, title: &str, mut name: impl FnMut(&mut Vec<u8>, u64)) {
        let mut servers: Vec<Endpoint> = Vec::new();
        for (_, server) in &self.sessions {
            if !servers.contains(server) {
                servers.push(*server);
            }
        }
        // Each server and, to its right, its clients.
        let mut columns = vec![0; self.sessions.len()];
        let mut server_columns = Vec::new();
        let mut next = 0;
        for server in &servers {
            server_columns.push(next);
            next += 1;
            for (place, (_, of)) in self.sessions.iter().enumerate() {
                if of == server {
                    columns[place] = next;
                    next += 1;
                }
            }
        }
        let x = |column: usize| TIMES + column * COLUMN + COLUMN / 2;
        let server_of = |place: usize| {
            let at = servers.iter().position(|server| *server == self.sessions[place].1);
            x(server_columns[at.unwrap_or(0)])
        };
        let (width, height) = (TIMES + next * COLUMN + LABELS, TOP + (self.rows.len() + 1) * ROW);
        put(
            out,
            &format!("<svg role=img width={width} height={height} viewBox=\"0 0 {width} {height}\" aria-label=\""),
        );
        line(out, title.as_bytes());
        put(out, "\">\n");
        for (server, column) in servers.iter().zip(&server_columns) {
            let mut shown = Vec::new();
            endpoint(&mut shown, server);
            // An IPv4 address and its port have room.
            let shown = match shown.len() {
                ..=21 => shown,
                long => [b"\xe2\x80\xa6", &shown[long - 20..]].concat(),
            };
            head(out, x(*column), height, "server", |out| out.extend_from_slice(&shown));
        }
        for (place, (session, _)) in self.sessions.iter().enumerate() {
            head(out, x(columns[place]), height, "client", |out| {
                put(out, "#");
                number(out, *session);
                put(out, "</text><text y=32 x=");
                number(out, x(columns[place]) as u64);
                put(out, ">");
                name(out, *session);
            });
        }
        for (number_of_row, row) in self.rows.iter().enumerate() {
            let y = TOP + number_of_row * ROW + ROW / 2;
            self.row(out, row, y, width - LABELS + 12, utc, |place| {
                (server_of(place), x(columns[place]))
            });
        }
        put(out, "</svg>\n");
    }

    fn row(
        &self,
        out: &mut Vec<u8>,
        row: &Row,
        y: usize,
        label: usize,
        utc: &mut Utc,
        ends: impl Fn(usize) -> (usize, usize),
    ) {
        let class = match row.what {
            What::Opened => "open",
            What::Ended => "end",
            What::Sent(_, true) => "control",
            What::Sent(Direction::ClientToServer, _) => "up",
            What::Sent(Direction::ServerToClient, _) => "down",
        };
        put(out, &format!("<g class={class}><text class=time x=4 y={}>", y + 4));
        let begin = out.len();
        utc.write(out, row.time);
        out.drain(begin..(begin + 11).min(out.len()));
        out.pop();
        put(out, "</text>");
        let clients: Vec<(usize, usize)> = row.sessions.iter().map(|place| ends(*place)).collect();
        match row.what {
            What::Ended => {
                for (_, x) in &clients {
                    put(out, &format!("<path d=\"M{0} {1}l8 8m0-8l-8 8\"/>", x - 4, y - 4));
                }
            }
            What::Opened | What::Sent(Direction::ClientToServer, _) => {
                for (server, x) in &clients {
                    put(out, &format!("<path d=\"M{x} {y}H{server}l7-4m-7 4l7 4\"/>"));
                }
            }
            What::Sent(Direction::ServerToClient, _) => {
                // One line as far as the last of them, and a head for each.
                let last = clients.iter().map(|(_, x)| *x).max();
                for (server, x) in &clients {
                    let line = match last == Some(*x) {
                        true => format!("M{server} {y}H{x}"),
                        false => format!("M{x} {y}"),
                    };
                    put(out, &format!("<path d=\"{line}l-7-4m7 4l-7 4\"/>"));
                }
            }
        }
        put(out, &format!("<text class=label x={label} y={}>", y + 4));
        if row.sessions.len() > 1 {
            put(out, &format!("{}× ", row.sessions.len()));
        }
        // A verdict or a URL may be longer.
        let (begin, all) = beginning(&row.label, LABEL + 24);
        line(out, begin);
        put(out, if all { "</text></g>\n" } else { "…</text></g>\n" });
    }
}

/// The head of a column and the line below it.
fn head(out: &mut Vec<u8>, x: usize, height: usize, class: &str, text: impl FnOnce(&mut Vec<u8>)) {
    put(
        out,
        &format!(
            "<g class={class}><path class=life d=\"M{x} {}V{height}\"/><text x={x} y=16>",
            TOP - 6
        ),
    );
    text(out);
    put(out, "</text></g>\n");
}
