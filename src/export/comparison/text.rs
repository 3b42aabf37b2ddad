//! The comparison for people: about a screen, the answer first.

use unicode_width::UnicodeWidthStr as _;

use super::{Compared, Drain, FULL};
use crate::annotate::Story;
use crate::annotate::texts::{Arg, Catalog, Language, Words};
use crate::base::{Direction, PerDirection};
use crate::compare::{self, Capture, Closed, Kept, Known, Session, Spread, Who, Why};
use crate::export::escape;
use crate::export::palette::Palette;
use crate::record::How;

/// Sessions that are shown one by one, and lines on the messages of each, unless all are wanted.
const SESSIONS: usize = 20;
const MESSAGES: usize = 5;

/// Ways of ending that are told at the top.
const ENDS: usize = 6;

/// Columns of the labels, at least.
const LABEL: usize = 22;

pub(super) fn write(of: &Compared<'_>, catalog: &'static Catalog, palette: &Palette, full: bool, drain: Drain<'_>) {
    let mut writer = Writer {
        of,
        catalog,
        palette,
        story: Story::default(),
        full,
        out: Vec::new(),
    };
    writer.head();
    writer.put("\n");
    let (mut shown, mut left_out) = (0, 0);
    for session in &of.found.sessions {
        if !full && shown == SESSIONS {
            left_out += 1;
            continue;
        }
        shown += 1;
        writer.session(session);
        if writer.out.len() >= FULL {
            drain(&mut writer.out);
        }
    }
    if left_out > 0 {
        writer.words(|words| words.two_more(Arg::Num(left_out)));
        writer.out.push(b'\n');
    }
    drain(&mut writer.out);
}

struct Writer<'w> {
    of: &'w Compared<'w>,
    catalog: &'static Catalog,
    palette: &'w Palette,
    /// Our words need no story.
    story: Story,
    full: bool,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn words(&mut self, write: impl FnOnce(&mut Words<'_>)) {
        write(&mut Language::of(self.catalog).words(&self.story, &mut self.out, escape::line));
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn colored(&mut self, color: &str, write: impl FnOnce(&mut Self)) {
        self.put(color);
        write(self);
        let reset = self.palette.reset;
        self.put(reset);
    }

    fn line(&mut self, label: &str, write: impl FnOnce(&mut Words<'_>)) {
        let faint = self.palette.faint;
        self.colored(faint, |writer| writer.put(label));
        let padding = LABEL.saturating_sub(label.width()).max(2);
        self.out.resize(self.out.len() + padding, b' ');
        self.words(write);
        self.put("\n");
    }

    fn head(&mut self) {
        let (of, catalog) = (self.of, self.catalog);
        for (label, name, capture) in [
            (catalog.two_before, of.names[0], of.edge),
            (catalog.two_behind, of.names[1], of.app),
        ] {
            self.line(label, |words| {
                words.with(|out| escape::line(out, name.as_bytes()));
                words.plain(catalog.colon);
                words.two_counts(Arg::Num(capture.packets), Arg::Num(capture.sessions.len() as u64));
                if let Some(packet) = capture.full_at {
                    words.plain(catalog.comma);
                    words.two_full_at(Arg::Num(packet));
                }
            });
        }
        self.ends();
        self.line(catalog.two_messages, |words| messages(words, catalog, of));
        self.line(catalog.two_differ, |words| differences(words, catalog, of));
        let relative = of.found.clock.is_some_and(|clock| clock.known != Known::Both);
        let delays = &of.found.delays;
        // With a drift it differs from the beginning to the end.
        let unsure = of.found.unsure[0].max(of.found.unsure[1]);
        for (label, spread, unsure) in [
            (catalog.two_up, delays.client_to_server, unsure),
            (catalog.two_down, delays.server_to_client, unsure),
            (catalog.two_round, of.found.round_trips, 0),
        ] {
            let Some(spread) = spread else { continue };
            self.line(label, |words| {
                write_spread(words, catalog, spread);
                if relative {
                    words.beside(Words::two_above_least);
                } else if unsure > 0 {
                    words.beside(|words| {
                        words.plain("± ");
                        words.put(Arg::Time(unsure));
                    });
                }
            });
        }
        self.line(catalog.two_clocks, |words| clocks(words, catalog, of));
    }

    /// Who closed, in how many sessions.
    fn ends(&mut self) {
        let mut groups: Vec<(Option<(Closed, i64)>, u64)> = Vec::new();
        for session in &self.of.found.sessions {
            // Silences count as the same up to a tenth of a second; those before the client or the server closed mean little.
            let key = session.closed.map(|closed| match (closed.who, closed.silence) {
                (Some(Who::Proxy), Some(silence)) => (closed, silence.saturating_add(50_000_000) / 100_000_000),
                _ => (closed, -1),
            });
            let same = |a: &(Closed, i64), b: &(Closed, i64)| {
                (a.0.who, a.0.end.how, a.0.end.code, a.1) == (b.0.who, b.0.end.how, b.0.end.code, b.1)
            };
            let known = groups.iter().position(|(group, _)| match (group, &key) {
                (Some(a), Some(b)) => same(a, b),
                (None, None) => true,
                _ => false,
            });
            match known {
                Some(at) => groups[at].1 += 1,
                None if groups.len() < MAX_GROUPS => groups.push((key, 1)),
                None => {}
            }
        }
        groups.sort_by_key(|(group, count)| {
            let by_proxy = group.as_ref().is_some_and(|(closed, _)| closed.who == Some(Who::Proxy));
            (!by_proxy, std::cmp::Reverse(*count))
        });
        let catalog = self.catalog;
        let more = groups.len().saturating_sub(ENDS);
        for (at, (group, count)) in groups.into_iter().take(ENDS).enumerate() {
            self.line(if at == 0 { catalog.two_ends } else { "" }, |words| {
                words.put(Arg::Num(count));
                words.plain(" × ");
                match group {
                    Some((closed, tenths)) => {
                        let silence = (tenths >= 0).then_some(closed.silence).flatten();
                        write_closed(words, catalog, Closed { silence, ..closed });
                    }
                    None => words.two_open(),
                }
            });
        }
        if more > 0 {
            self.line("", |words| words.two_more(Arg::Num(more as u64)));
        }
    }

    fn session(&mut self, session: &compare::Compared) {
        let (of, catalog) = (self.of, self.catalog);
        let (edge, app) = of.sides(session);
        let Some(any) = edge.or(app) else { return };
        let title = self.palette.title;
        self.colored(title, |writer| {
            writer.put(&format!("#{} ", any.number));
            let target = edge
                .and_then(|of| of.target.as_deref())
                .or(app.and_then(|of| of.target.as_deref()));
            let target = target.unwrap_or("?");
            escape::line(&mut writer.out, escape::prefix(target.as_bytes(), MAX_TARGET));
            if target.len() > MAX_TARGET {
                writer.put(catalog.ellipsis);
            }
        });
        self.put("  ");
        let faint = self.palette.faint;
        self.colored(faint, |writer| {
            for (at, side) in [edge, app].into_iter().flatten().enumerate() {
                writer.put(if at == 0 { "" } else { " | " });
                writer.put(&format!("{} → {}", side.client, side.server));
            }
        });
        match (edge, app) {
            (Some(_), None) => {
                self.put("  ");
                self.words(|words| words.two_only_before());
            }
            (None, Some(_)) => {
                self.put("  ");
                self.words(|words| words.two_only_behind());
            }
            _ => {}
        }
        self.put("\n    ");
        let refused = edge
            .and_then(|of| of.refused)
            .or(app.and_then(|of| of.refused))
            .filter(|status| *status > 0);
        self.words(|words| match (refused, session.closed) {
            (Some(status), _) => words.two_refused(Arg::Num(status.into())),
            (None, Some(closed)) => write_closed(words, catalog, closed),
            (None, None) => words.two_open(),
        });
        self.put("\n");
        self.messages(session, edge, app);
    }

    /// What became of messages that were not passed on as they were.
    fn messages(&mut self, session: &compare::Compared, edge: Option<&Session>, app: Option<&Session>) {
        let (of, catalog) = (self.of, self.catalog);
        let mut lines: Vec<Line<'_>> = Vec::new();
        let mut counted: Vec<(&'static str, u64)> = Vec::new();
        for (own, only, capture, label) in [
            (edge, &session.only_edge, of.edge, catalog.two_before),
            (app, &session.only_app, of.app, catalog.two_behind),
        ] {
            let Some(own) = own else { continue };
            for direction in Direction::BOTH {
                for only in &only[direction] {
                    let why = why(catalog, only.why);
                    // What nobody did is counted only.
                    if matches!(only.why, Why::OutsideTime | Why::Session | Why::Gap) {
                        match counted.iter_mut().find(|(known, _)| *known == why) {
                            Some((_, count)) => *count += 1,
                            None => counted.push((why, 1)),
                        }
                        continue;
                    }
                    let kept = &own.messages[direction][only.place as usize];
                    lines.push(Line {
                        what: why,
                        label,
                        direction,
                        kept,
                        capture,
                        other: None,
                    });
                }
            }
        }
        let both = edge.zip(app);
        let pairs = session
            .changed(of.edge, of.app)
            .map(|pair| (catalog.two_changed, pair))
            .chain(session.reordered().map(|pair| (catalog.two_reordered, pair)));
        for (what, (direction, pair)) in pairs {
            let Some((edge, app)) = both else { break };
            lines.push(Line {
                what,
                label: catalog.two_before,
                direction,
                kept: &edge.messages[direction][pair.edge as usize],
                capture: of.edge,
                other: Some(&app.messages[direction][pair.app as usize]),
            });
        }
        for (side, capture, label) in [(edge, of.edge, catalog.two_before), (app, of.app, catalog.two_behind)] {
            let Some(side) = side else { continue };
            for direction in Direction::BOTH {
                for &place in &side.unacknowledged[direction] {
                    lines.push(Line {
                        what: catalog.two_unacknowledged,
                        label,
                        direction,
                        kept: &side.messages[direction][place as usize],
                        capture,
                        other: None,
                    });
                }
            }
        }
        let most = if self.full { lines.len() } else { MESSAGES };
        for line in lines.iter().take(most) {
            self.message(line);
        }
        if lines.len() > most {
            let more = (lines.len() - most) as u64;
            self.put("    ");
            self.words(|words| words.two_more(Arg::Num(more)));
            self.put("\n");
        }
        for (why, count) in counted {
            self.put(&format!("    {count} × {why}\n"));
        }
    }

    fn message(&mut self, line: &Line<'_>) {
        let color = match line.direction {
            Direction::ClientToServer => self.palette.client,
            Direction::ServerToClient => self.palette.server,
        };
        let arrow = match line.direction {
            Direction::ClientToServer => "→",
            Direction::ServerToClient => "←",
        };
        self.put(&format!("    {}{}", line.what, self.catalog.colon));
        self.colored(color, |writer| writer.put(arrow));
        self.put(&format!(" {} {}", line.kept.opcode.name(), line.kept.length));
        self.place(line.label, line.kept);
        self.excerpt(line.capture, line.kept);
        self.put("\n");
        let Some(other) = line.other else { return };
        let label = self.catalog.two_behind;
        self.put(&format!("        {}", other.length));
        self.place(label, other);
        let app = self.of.app;
        self.excerpt(app, other);
        self.put("\n");
    }

    fn place(&mut self, label: &str, kept: &Kept) {
        self.words(|words| words.beside(|words| words.two_at(Arg::Raw(label), Arg::Num(kept.packet))));
        self.put(" ");
    }

    fn excerpt(&mut self, capture: &Capture, kept: &Kept) {
        if let Some(code) = kept.close {
            return self.put(&code.to_string());
        }
        let excerpt = capture.excerpt(kept);
        escape::line(&mut self.out, excerpt);
        if (excerpt.len() as u64) < kept.length {
            let ellipsis = self.catalog.ellipsis;
            self.put(ellipsis);
        }
    }
}

/// Kinds of endings that are told apart.
const MAX_GROUPS: usize = 256;

/// Bytes of a target that are shown.
const MAX_TARGET: usize = 120;

/// A message that was not passed on as it was.
struct Line<'a> {
    what: &'static str,
    label: &'static str,
    direction: Direction,
    kept: &'a Kept,
    capture: &'a Capture,
    /// What it became on the other side.
    other: Option<&'a Kept>,
}

fn why(catalog: &'static Catalog, why: Why) -> &'static str {
    match why {
        Why::Dropped => catalog.two_dropped,
        Why::Inserted => catalog.two_inserted,
        Why::SentTwice => catalog.two_twice,
        Why::OutsideTime => catalog.two_outside,
        Why::Gap => catalog.two_gap,
        Why::Session => catalog.two_alone,
    }
}

/// `the proxy closed it after 2.0 s of silence (FIN)`.
fn write_closed(words: &mut Words<'_>, catalog: &'static Catalog, closed: Closed) {
    let who = match closed.who {
        Some(Who::Client) => Arg::Side(Direction::ClientToServer),
        Some(Who::Server) => Arg::Side(Direction::ServerToClient),
        Some(Who::Proxy) => Arg::Raw(catalog.two_proxy),
        None => Arg::Raw(catalog.two_somebody),
    };
    let how = match (closed.end.how, closed.end.code) {
        (How::Close, Some(code)) => format!("close {code}"),
        (How::Fin, _) => "FIN".to_owned(),
        (How::Rst, _) => "RST".to_owned(),
        (How::EndStream, _) => "END_STREAM".to_owned(),
        (How::RstStream, _) => "RST_STREAM".to_owned(),
        (How::GoAway, _) => "GOAWAY".to_owned(),
        (how, _) => how.name().to_owned(),
    };
    match closed.silence {
        Some(silence) => words.two_closed_after(who, Arg::Time(silence), Arg::Raw(&how)),
        None => words.two_closed(who, Arg::Raw(&how)),
    }
}

fn messages(words: &mut Words<'_>, catalog: &'static Catalog, of: &Compared<'_>) {
    let pairs: u64 = of.found.by_opcode.values().sum();
    words.two_on_both(Arg::Num(pairs));
    if pairs == 0 {
        return;
    }
    words.beside(|words| {
        for (at, (opcode, count)) in of.found.by_opcode.iter().enumerate() {
            words.plain(if at == 0 { "" } else { catalog.comma });
            words.plain(opcode.name());
            words.plain(" ");
            words.put(Arg::Num(*count));
        }
    });
}

fn differences(words: &mut Words<'_>, catalog: &'static Catalog, of: &Compared<'_>) {
    let mut counts: Vec<(&'static str, u64)> = Vec::new();
    let mut add = |what: &'static str, count: usize| {
        if count == 0 {
            return;
        }
        match counts.iter_mut().find(|(known, _)| *known == what) {
            Some((_, known)) => *known += count as u64,
            None => counts.push((what, count as u64)),
        }
    };
    for session in &of.found.sessions {
        for only in [&session.only_edge, &session.only_app]
            .into_iter()
            .flat_map(PerDirection::iter)
            .flatten()
        {
            add(why(catalog, only.why), 1);
        }
        add(catalog.two_changed, session.changed(of.edge, of.app).count());
        add(catalog.two_reordered, session.reordered().count());
        add(catalog.two_not_whole, session.not_whole(of.edge, of.app));
        let (edge, app) = of.sides(session);
        for side in edge.into_iter().chain(app) {
            add(
                catalog.two_unacknowledged,
                side.unacknowledged.iter().map(Vec::len).sum(),
            );
        }
    }
    if counts.is_empty() {
        return words.two_none();
    }
    for (at, (what, count)) in counts.into_iter().enumerate() {
        words.plain(if at == 0 { "" } else { catalog.comma });
        words.put(Arg::Num(count));
        words.plain(" ");
        words.plain(what);
    }
}

fn write_spread(words: &mut Words<'_>, catalog: &'static Catalog, spread: Spread) {
    for (name, nanos, comma) in [
        ("p50", spread.p50, ""),
        ("p99", spread.p99, catalog.comma),
        (catalog.s_max, spread.max, catalog.comma),
    ] {
        words.plain(comma);
        words.plain(name);
        words.plain(" ");
        words.put(Arg::Time(nanos));
    }
}

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

fn clocks(words: &mut Words<'_>, catalog: &'static Catalog, of: &Compared<'_>) {
    let Some((clock, (first, _))) = of.found.clock.zip(of.app.times) else {
        return words.two_no_clock();
    };
    match clock.known {
        Known::OneWay(Direction::ClientToServer) => return words.two_one_way_up(),
        Known::OneWay(Direction::ServerToClient) => return words.two_one_way_down(),
        Known::Both => {}
    }
    let offset = clock.offset(clock.edge_time(first));
    let mut time = Vec::new();
    let story = Story::default();
    let mut own = Language::of(catalog).words(&story, &mut time, escape::line);
    match offset.unsigned_abs() {
        nanos @ SECOND.. => {
            let seconds = format!("{}.{:06}", nanos / SECOND, nanos % SECOND / 1000);
            own.seconds(Arg::Raw(&seconds.replace('.', catalog.decimal)));
        }
        _ => own.put(Arg::Time(offset.abs())),
    }
    let (time, unsure) = (String::from_utf8_lossy(&time), Arg::Time(of.found.unsure[0]));
    if offset >= 0 {
        words.two_ahead(Arg::Raw(&time), unsure);
    } else {
        words.two_late(Arg::Raw(&time), unsure);
    }
    if clock.drift() != 0.0 {
        let ppm = format!("{:.1}", clock.drift().abs() * 1e6).replace('.', catalog.decimal);
        words.plain(catalog.comma);
        if clock.drift() > 0.0 {
            words.two_fast(Arg::Raw(&ppm));
        } else {
            words.two_slow(Arg::Raw(&ppm));
        }
    }
    if clock.uneven {
        words.plain(catalog.clause);
        words.two_uneven();
    }
}
