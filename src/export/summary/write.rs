//! The summary as an event of the JSON view, and as text.

use std::io::Write as _;

use unicode_width::UnicodeWidthStr;

use super::Summary;
use super::spread::Spread;
use crate::annotate::texts::{Catalog, quoting};
use crate::base::Direction;
use crate::export::escape;
use crate::export::palette::Palette;
use crate::export::put::number;
use crate::export::utc::Utc;

const DIRECTIONS: [Direction; 2] = [Direction::ClientToServer, Direction::ServerToClient];

impl Summary {
    /// Appends the `summary` event. Its time is that of the last packet, with nine digits when `nano`; null when there was none.
    pub fn json(&self, out: &mut Vec<u8>, nano: bool) {
        put(out, "{\"event\":\"summary\",\"time\":");
        match self.times {
            Some((_, last)) => {
                put(out, "\"");
                Utc::new(nano).write(out, last);
                put(out, "\"");
            }
            None => put(out, "null"),
        }
        for (name, count) in [
            ("packets", self.packets),
            ("bytes", self.bytes),
            ("sessions", self.sessions),
        ] {
            field(out, ",", name, count);
        }
        put(out, ",\"messages\":{");
        for (direction, comma) in DIRECTIONS.into_iter().zip(["", ","]) {
            put(out, comma);
            put(out, "\"");
            put(out, direction.name());
            put(out, "\":{");
            let mut comma = "";
            for (opcode, count) in self.carried(direction) {
                field(out, comma, opcode.name(), count);
                comma = ",";
            }
            put(out, "}");
        }
        put(out, "},\"violations\":{");
        let mut comma = "";
        for (rule, count) in self.broken() {
            field(out, comma, rule.id(), count);
            comma = ",";
        }
        put(out, "}");
        field(out, ",", "gaps", self.gaps);
        field(out, ",", "dropped", self.dropped);
        field(out, ",", "incomplete_datagrams", self.incomplete);
        field(out, ",", "evicted_histories", self.evicted_histories);
        put(out, "}\n");
    }

    /// Appends the summary as a block of text, in the language of `catalog`.
    pub fn text(&self, out: &mut Vec<u8>, catalog: &Catalog, palette: &Palette) {
        let words = catalog.summary();
        let seconds = self.times.map_or(0.0, |(first, last)| last.since(first) as f64 / 1e9);
        put(out, "\n");
        put(out, palette.title);
        put(out, words.title);
        put(out, palette.reset);
        put(out, "\n");
        let mut lines = Lines { out, palette };
        lines.line(words.packets, |out| {
            // Writing into a vector cannot fail, here and below.
            let _ = write!(out, "{} ({} {}, {seconds:.6} s)", self.packets, self.bytes, words.bytes);
        });
        lines.line(words.sessions, |out| number(out, self.sessions));
        if self.chat.users() > 0 {
            lines.line(words.users, |out| self.users(out, catalog.quotes));
        }
        for (direction, label) in DIRECTIONS.into_iter().zip([words.from_clients, words.from_servers]) {
            let counts = self
                .carried(direction)
                .map(|(opcode, count)| (opcode.name().to_owned(), count));
            lines.counts(label, counts);
        }
        let messages: u64 = self.messages.iter().flatten().sum();
        if messages > 0 && seconds > 0.0 {
            lines.line(words.rates, |out| {
                let (messages, bytes) = (messages as f64 / seconds, self.message_bytes as f64 / seconds);
                let _ = write!(
                    out,
                    "{messages:.1} {}, {bytes:.0} {}",
                    words.messages_a_second, words.bytes_a_second
                );
            });
        }
        lines.spread(words.delivery, &self.chat.delivery, words.spread);
        if self.narrator.missed() > 0 {
            lines.line(words.missed, |out| number(out, self.narrator.missed()));
        }
        lines.spread(words.round_trip, &self.pings.round_trip, words.spread);
        if self.unanswered > 0 {
            lines.line(words.unanswered, |out| number(out, self.unanswered));
        }
        let ends = self.ends.iter().map(|((how, code), count)| match code {
            Some(code) => (format!("{} {code}", how.name()), *count),
            None => (how.name().to_owned(), *count),
        });
        lines.counts(words.ends, ends);
        lines.counts(
            words.violations,
            self.broken().map(|(rule, count)| (rule.id().to_owned(), count)),
        );
        if self.gaps > 0 {
            lines.line(words.gaps, |out| number(out, self.gaps));
        }
        if self.incomplete > 0 {
            lines.line(words.incomplete, |out| number(out, self.incomplete));
        }
        if self.evicted_histories > 0 {
            lines.line(words.evicted_histories, |out| number(out, self.evicted_histories));
        }
        if self.dropped > 0 {
            lines.line(words.dropped, |out| number(out, self.dropped));
        }
    }

    /// How many names, and the first of them.
    fn users(&self, out: &mut Vec<u8>, [open, close]: [&str; 2]) {
        number(out, self.chat.users() as u64);
        for (i, name) in self.chat.names.iter().enumerate() {
            put(out, if i == 0 { ": " } else { ", " });
            put(out, open);
            quoting::name(out, name, escape::line);
            put(out, close);
        }
        if self.chat.users() > self.chat.names.len() {
            put(out, ", …");
        }
    }
}

/// Columns of the labels.
const LABEL: usize = 22;

/// Lines of a label and what belongs to it.
struct Lines<'o> {
    out: &'o mut Vec<u8>,
    palette: &'o Palette,
}

impl Lines<'_> {
    fn line(&mut self, label: &str, rest: impl FnOnce(&mut Vec<u8>)) {
        put(self.out, "  ");
        put(self.out, self.palette.faint);
        put(self.out, label);
        put(self.out, self.palette.reset);
        let padding = LABEL.saturating_sub(label.width()).max(1);
        self.out.resize(self.out.len() + padding, b' ');
        rest(self.out);
        put(self.out, "\n");
    }

    /// `text 12, ping 3`; no line when there is nothing.
    fn counts(&mut self, label: &str, counts: impl Iterator<Item = (String, u64)>) {
        let items: Vec<String> = counts.map(|(name, count)| format!("{name}: {count}")).collect();
        if !items.is_empty() {
            self.line(label, |out| put(out, &items.join(", ")));
        }
    }

    fn spread(&mut self, label: &str, spread: &Spread, columns: &str) {
        if let Some([min, mean, max]) = spread.millis() {
            self.line(label, |out| {
                let _ = write!(
                    out,
                    "{min:.3} / {mean:.3} / {max:.3} ms ({columns}, n = {})",
                    spread.count
                );
            });
        }
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn field(out: &mut Vec<u8>, comma: &str, name: &str, count: u64) {
    put(out, comma);
    put(out, "\"");
    put(out, name);
    put(out, "\":");
    number(out, count);
}
