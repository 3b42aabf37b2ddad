//! The summary as an event of the JSON view, and as text, with the same content.

use std::io::Write as _;

use unicode_width::UnicodeWidthStr;

use super::Summary;
use super::spread::Spread;
use crate::annotate::Story;
use crate::annotate::texts::{Arg, Catalog, Language, Words, quoting};
use crate::base::Direction;
use crate::export::escape;
use crate::export::json::{Field, Fields, Line, Tags};
use crate::export::palette::Palette;
use crate::export::put::number;
use crate::export::utc::Utc;

const DIRECTIONS: [Direction; 2] = [Direction::ClientToServer, Direction::ServerToClient];

impl Summary {
    /// Appends the `summary` event. Its time is that of the last packet, with nine digits when `nano`; null when there was none.
    pub fn json(&self, out: &mut Vec<u8>, nano: bool, fields: Fields, tags: &Tags) {
        let mut line = Line::begin(out, fields, "summary");
        if line.key(Field::Time) {
            match self.times {
                Some((_, last)) => {
                    put(line.out, "\"");
                    Utc::new(nano).write(line.out, last);
                    put(line.out, "\"");
                }
                None => put(line.out, "null"),
            }
        }
        tags.write(line.out);
        line.number(Field::Packets, self.packets);
        line.number(Field::Bytes, self.bytes);
        line.number(Field::Sessions, self.sessions);
        let (users, names) = self.narrator.logins();
        line.number(Field::Users, users as u64);
        if line.key(Field::Names) {
            list(line.out, names, |out, name| text(out, name));
        }
        if line.key(Field::Messages) {
            for (direction, comma) in DIRECTIONS.into_iter().zip(["{", ","]) {
                put(line.out, comma);
                put(line.out, "\"");
                put(line.out, direction.name());
                put(line.out, "\":");
                counts(
                    line.out,
                    self.carried(direction)
                        .map(|(opcode, count)| (opcode.name().to_string(), count)),
                );
            }
            put(line.out, "}");
        }
        line.number(Field::MessageBytes, self.message_bytes);
        if line.key(Field::Violations) {
            counts(
                line.out,
                self.broken().map(|(rule, count)| (rule.id().to_owned(), count)),
            );
        }
        if line.key(Field::Verdicts) {
            let ends = self.ends.iter();
            counts(
                line.out,
                ends.map(|(verdict, count)| (verdict.name().to_owned(), *count)),
            );
        }
        line.number(Field::Gaps, self.gaps);
        if line.key(Field::Deliveries) {
            spread(line.out, &self.chat.delivery);
        }
        line.number(Field::Undelivered, self.narrator.missed());
        if line.key(Field::UndeliveredMessages) {
            list(line.out, self.narrator.missed_words(), |out, (words, packet)| {
                put(out, "{\"packet\":");
                number(out, *packet);
                put(out, ",\"content\":");
                text(out, words);
                put(out, "}");
            });
        }
        if line.key(Field::PingToPong) {
            spread(line.out, &self.pong);
        }
        if line.key(Field::RequestToAnswer) {
            spread(line.out, &self.answers);
        }
        line.number(Field::UnansweredPings, self.unanswered);
        line.number(Field::Dropped, self.dropped);
        line.number(Field::IncompleteDatagrams, self.incomplete);
        line.number(Field::EvictedHistories, self.evicted_histories);
        put(out, "}\n");
    }

    /// Appends the summary as a block of text, in the language of `catalog`.
    pub fn text(&self, out: &mut Vec<u8>, catalog: &'static Catalog, palette: &Palette) {
        let seconds = self.times.map_or(0.0, |(first, last)| last.since(first) as f64 / 1e9);
        put(out, "\n");
        put(out, palette.title);
        put(out, catalog.s_title);
        put(out, palette.reset);
        put(out, "\n");
        let mut lines = Lines {
            out,
            palette,
            catalog,
            story: Story::default(),
        };
        lines.line(catalog.s_packets, |words| {
            words.put(Arg::Num(self.packets));
            words.plain(catalog.comma);
            words.put(Arg::Bytes(self.bytes));
            if let Some((first, last)) = self.times {
                words.plain(catalog.comma);
                words.put(Arg::Time(last.since(first)));
            }
        });
        lines.number(catalog.s_sessions, self.sessions);
        let (users, names) = self.narrator.logins();
        if users > 0 {
            lines.line(catalog.s_users, |words| {
                words.put(Arg::Num(users as u64));
                words.items(names.iter(), |words, name| quoted(words, catalog, name, 0));
                if users > names.len() {
                    words.plain(catalog.comma);
                    words.s_others(Arg::Num((users - names.len()) as u64));
                }
            });
        }
        for (direction, label) in DIRECTIONS
            .into_iter()
            .zip([catalog.s_from_clients, catalog.s_from_servers])
        {
            let counts: Vec<_> = self
                .carried(direction)
                .map(|(opcode, count)| (opcode.name().to_string(), count))
                .collect();
            lines.counts(label, &counts);
        }
        let messages: u64 = self.messages.iter().flatten().sum();
        if messages > 0 && seconds > 0.0 {
            let rate = |n: u64| decimal(n as f64 / seconds, catalog.decimal);
            lines.line(catalog.s_rates, |words| {
                words.s_messages_a_second(Arg::Raw(&rate(messages)));
                words.plain(catalog.comma);
                words.s_bytes_a_second(Arg::Raw(&rate(self.message_bytes)));
            });
        }
        lines.spread(catalog.s_delivery, &self.chat.delivery);
        if self.narrator.missed() > 0 {
            lines.line(catalog.s_missed, |words| {
                words.put(Arg::Num(self.narrator.missed()));
                words.items(self.narrator.missed_words().iter(), |words, (content, packet)| {
                    quoted(words, catalog, content, *packet);
                });
            });
        }
        lines.spread(catalog.s_pong, &self.pong);
        lines.spread(catalog.s_answers, &self.answers);
        lines.number(catalog.s_unanswered, self.unanswered);
        let ends: Vec<_> = self
            .ends
            .iter()
            .map(|(verdict, count)| (catalog.verdict_name(*verdict).to_owned(), *count))
            .collect();
        lines.counts(catalog.s_ends, &ends);
        for (rule, count) in self.broken() {
            lines.line(catalog.s_violations, |words| {
                words.put(Arg::Num(count));
                words.plain(" × ");
                words.put(Arg::Rule(rule));
                words.plain(" (");
                words.plain(rule.id());
                words.plain(")");
            });
        }
        lines.number(catalog.s_gaps, self.gaps);
        lines.number(catalog.s_incomplete, self.incomplete);
        lines.number(catalog.s_evicted_histories, self.evicted_histories);
        lines.number(catalog.s_dropped, self.dropped);
    }
}

/// Captured words in quotation marks, and the packet that brought them unless that is 0.
fn quoted(words: &mut Words<'_>, catalog: &Catalog, text: &[u8], packet: u64) {
    words.plain(catalog.quotes[0]);
    words.with(|out| quoting::name(out, text, escape::line));
    words.plain(catalog.quotes[1]);
    if packet > 0 {
        words.plain(" (");
        words.put(Arg::Num(packet));
        words.plain(")");
    }
}

/// One place behind the decimal mark.
fn decimal(n: f64, mark: &str) -> String {
    format!("{n:.1}").replace('.', mark)
}

/// Columns of the labels, at least.
const LABEL: usize = 22;

/// Lines of a label and what belongs to it.
struct Lines<'o> {
    out: &'o mut Vec<u8>,
    palette: &'o Palette,
    catalog: &'static Catalog,
    /// Words of a summary need no story.
    story: Story,
}

impl Lines<'_> {
    fn line(&mut self, label: &str, rest: impl FnOnce(&mut Words<'_>)) {
        put(self.out, "  ");
        put(self.out, self.palette.faint);
        put(self.out, label);
        put(self.out, self.palette.reset);
        let padding = LABEL.saturating_sub(label.width()).max(2);
        self.out.resize(self.out.len() + padding, b' ');
        rest(&mut Language::of(self.catalog).words(&self.story, self.out, escape::line));
        put(self.out, "\n");
    }

    /// No line when there is nothing.
    fn number(&mut self, label: &str, n: u64) {
        if n > 0 {
            self.line(label, |words| words.put(Arg::Num(n)));
        }
    }

    /// `text 12, ping 3`; no line when there is nothing.
    fn counts(&mut self, label: &str, counts: &[(String, u64)]) {
        if counts.is_empty() {
            return;
        }
        let comma = self.catalog.comma;
        self.line(label, |words| {
            for (i, (name, count)) in counts.iter().enumerate() {
                words.plain(if i > 0 { comma } else { "" });
                words.plain(name);
                words.plain(" ");
                words.put(Arg::Num(*count));
            }
        });
    }

    fn spread(&mut self, label: &str, spread: &Spread) {
        let Some(nanos) = spread.nanos() else { return };
        let catalog = self.catalog;
        self.line(label, |words| {
            for (i, nanos) in nanos.into_iter().enumerate() {
                words.plain(if i > 0 { " / " } else { "" });
                words.put(Arg::Time(nanos));
            }
            words.plain(" (");
            words.plain(catalog.s_spread);
            words.plain(catalog.comma);
            words.s_count(Arg::Num(spread.count));
            words.plain(")");
        });
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

/// A string of JSON; what is not UTF-8 stands as U+FFFD.
fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, "\"");
    escape::json(out, &String::from_utf8_lossy(bytes));
    put(out, "\"");
}

fn list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    put(out, "[");
    for (i, item) in items.iter().enumerate() {
        put(out, if i > 0 { "," } else { "" });
        write(out, item);
    }
    put(out, "]");
}

fn counts(out: &mut Vec<u8>, counts: impl Iterator<Item = (String, u64)>) {
    put(out, "{");
    for (i, (name, count)) in counts.enumerate() {
        field(out, if i > 0 { "," } else { "" }, &name, count);
    }
    put(out, "}");
}

/// Milliseconds; null when there was nothing to measure.
fn spread(out: &mut Vec<u8>, spread: &Spread) {
    match spread.nanos() {
        Some([min, mean, max]) => {
            let [min, mean, max] = [min, mean, max].map(|nanos| nanos as f64 / 1e6);
            // Writing into a vector cannot fail.
            let _ = write!(
                out,
                "{{\"count\":{},\"min_ms\":{min:.3},\"mean_ms\":{mean:.3},\"max_ms\":{max:.3}}}",
                spread.count
            );
        }
        None => put(out, "null"),
    }
}
