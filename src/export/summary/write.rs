//! The summary as an event of the JSON view, and as text, with the same content.

use std::io::Write as _;

use unicode_width::UnicodeWidthStr;

use super::Summary;
use super::latencies::{Latency, Method};
use super::times::Times;
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
        let mut utc = Utc::new(nano);
        if line.key(Field::Time) {
            match self.times {
                Some((_, last)) => {
                    put(line.out, "\"");
                    utc.write(line.out, last);
                    put(line.out, "\"");
                }
                None => put(line.out, "null"),
            }
        }
        if line.key(Field::Ts) {
            match self.times {
                Some((_, last)) => utc.write_seconds(line.out, last),
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
            match self.chat.delivery.count {
                0 => put(line.out, "null"),
                _ => times(line.out, "{", &self.chat.delivery),
            }
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
        if line.key(Field::Latencies) {
            let latencies: Vec<_> = self.latencies.iter().collect();
            list(line.out, &latencies, |out, (method, latency)| {
                self::latency(out, *method, latency)
            });
        }
        line.number(Field::ForgottenRequests, self.given_up.forgotten_requests);
        line.number(Field::Dropped, self.dropped);
        line.number(Field::IncompleteDatagrams, self.given_up.incomplete_datagrams);
        line.number(Field::EvictedHistories, self.given_up.evicted_histories);
        line.number(Field::LimitedInflations, self.given_up.limited_inflations);
        line.number(Field::UnlistedViolations, self.given_up.unlisted_violations);
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
        let mut lines = Lines { out, palette, catalog };
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
        if self.chat.delivery.count > 0 {
            lines.line(catalog.s_delivery, |words| {
                percentiles(words, catalog, &self.chat.delivery, &[])
            });
        }
        if self.narrator.missed() > 0 {
            lines.line(catalog.s_missed, |words| {
                words.put(Arg::Num(self.narrator.missed()));
                words.items(self.narrator.missed_words().iter(), |words, (content, packet)| {
                    quoted(words, catalog, content, *packet);
                });
            });
        }
        for (method, latency) in self.latencies.iter() {
            lines.latency(method, latency);
        }
        lines.number(catalog.s_forgotten, self.given_up.forgotten_requests);
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
                words.beside(|words| words.plain(rule.id()));
            });
        }
        lines.number(catalog.s_gaps, self.gaps);
        lines.number(catalog.s_incomplete, self.given_up.incomplete_datagrams);
        lines.number(catalog.s_evicted_histories, self.given_up.evicted_histories);
        lines.number(catalog.s_limited_inflations, self.given_up.limited_inflations);
        lines.number(catalog.s_unlisted, self.given_up.unlisted_violations);
        lines.number(catalog.s_dropped, self.dropped);
    }
}

/// Captured words in quotation marks, and the packet that brought them unless that is 0.
fn quoted(words: &mut Words<'_>, catalog: &Catalog, text: &[u8], packet: u64) {
    words.plain(catalog.quotes[0]);
    words.with(|out| quoting::name(out, text, escape::line));
    words.plain(catalog.quotes[1]);
    if packet > 0 {
        words.beside(|words| words.put(Arg::Num(packet)));
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
}

impl Lines<'_> {
    fn line(&mut self, label: &str, rest: impl FnOnce(&mut Words<'_>)) {
        put(self.out, "  ");
        put(self.out, self.palette.faint);
        put(self.out, label);
        put(self.out, self.palette.reset);
        let padding = LABEL.saturating_sub(label.width()).max(2);
        self.out.resize(self.out.len() + padding, b' ');
        rest(&mut Language::of(self.catalog).words(Story::EMPTY, self.out, escape::line));
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

    fn latency(&mut self, method: Option<&Method>, latency: &Latency) {
        let catalog = self.catalog;
        let label = match method.is_some_and(|method| method.is_ping) {
            true => catalog.s_pong,
            false => catalog.s_answers,
        };
        self.line(label, |words| {
            match method {
                Some(method) => {
                    words.plain(method.protocol);
                    if let Some(name) = method.name() {
                        words.plain(" ");
                        quoted(words, catalog, name.as_bytes(), 0);
                    }
                }
                None => words.s_other_methods(),
            }
            words.plain(catalog.colon);
            percentiles(
                words,
                catalog,
                &latency.times,
                &[
                    (latency.errors, Words::s_errors),
                    (latency.twice, Words::s_twice),
                    (latency.never, Words::s_never),
                ],
            );
        });
    }
}

/// Writes how many there were of something.
type Count<'w> = fn(&mut Words<'w>, Arg<'_>);

/// `2.0 ms / 4.0 ms / 6.0 ms / 6.0 ms (p50 / p90 / p99 / max, n = 9)`, and what else there was any of.
fn percentiles<'w>(words: &mut Words<'w>, catalog: &Catalog, times: &Times, counts: &[(u64, Count<'w>)]) {
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let Some(nanos) = times.nanos() else {
        for (i, (count, write)) in counts.enumerate() {
            words.plain(if i > 0 { catalog.comma } else { "" });
            write(words, Arg::Num(*count));
        }
        return;
    };
    for (i, nanos) in nanos.into_iter().enumerate() {
        words.plain(if i > 0 { " / " } else { "" });
        words.put(Arg::Time(nanos));
    }
    words.beside(|words| {
        words.plain("p50 / p90 / p99 / ");
        words.s_max();
        words.plain(catalog.comma);
        words.s_count(Arg::Num(times.count));
        for (count, write) in counts {
            words.plain(catalog.comma);
            write(words, Arg::Num(*count));
        }
    });
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

fn latency(out: &mut Vec<u8>, method: Option<&Method>, latency: &Latency) {
    put(out, "{\"protocol\":");
    optional(out, method.map(|method| method.protocol));
    put(out, ",\"method\":");
    optional(out, method.and_then(Method::name));
    for (name, count) in [
        ("errors", latency.errors),
        ("twice", latency.twice),
        ("never", latency.never),
    ] {
        field(out, ",", name, count);
    }
    times(out, ",", &latency.times);
}

fn optional(out: &mut Vec<u8>, words: Option<&str>) {
    match words {
        Some(words) => text(out, words.as_bytes()),
        None => put(out, "null"),
    }
}

/// The last fields of an object: how many, and percentiles in milliseconds; these are null when there was nothing to measure.
fn times(out: &mut Vec<u8>, before: &str, times: &Times) {
    field(out, before, "count", times.count);
    let nanos = times.nanos();
    for (i, name) in ["p50_ms", "p90_ms", "p99_ms", "max_ms"].into_iter().enumerate() {
        // Writing into a vector cannot fail.
        let _ = match nanos {
            Some(nanos) => write!(out, ",\"{name}\":{:.3}", nanos[i] as f64 / 1e6),
            None => write!(out, ",\"{name}\":null"),
        };
    }
    put(out, "}");
}
