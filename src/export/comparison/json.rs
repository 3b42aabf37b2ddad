//! The event `comparison`: all that was found, in one object.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::{Compared, Drain, FULL};
use crate::base::{Direction, PerDirection, Timestamp};
use crate::compare::{self, Capture, Evidence, Kept, Known, Only, Session, Spread};
use crate::export::escape;
use crate::export::hidden::is_hidden_at;
use crate::export::utc::Utc;

pub(super) fn write(of: &Compared<'_>, nano: bool, drain: Drain<'_>) {
    let mut writer = Writer {
        of,
        utc: Utc::new(nano),
        out: Vec::new(),
        drain,
        first: true,
    };
    writer.all();
}

struct Writer<'w> {
    of: &'w Compared<'w>,
    utc: Utc,
    out: Vec<u8>,
    drain: Drain<'w>,
    /// The next item is the first one of its list.
    first: bool,
}

impl Writer<'_> {
    fn all(&mut self) {
        let of = self.of;
        let last = [of.edge, of.app]
            .iter()
            .filter_map(|capture| capture.times)
            .map(|times| times.1)
            .max();
        let mut head = Map::new();
        head.insert("event".into(), json!("comparison"));
        head.insert("time".into(), self.time(last));
        head.insert("ts".into(), seconds(last.map(Timestamp::nanos)));
        head.insert("edge".into(), self.capture(of.names[0], of.edge));
        head.insert("app".into(), self.capture(of.names[1], of.app));
        self.clock(&mut head);
        let mut pairs = PerDirection::<u64>::default();
        let mut not_whole = 0;
        for session in &of.found.sessions {
            for direction in Direction::BOTH {
                pairs[direction] += session.pairs[direction].len() as u64;
            }
            not_whole += session.not_whole(of.edge, of.app);
        }
        head.insert("pairs".into(), json!(pairs.client_to_server + pairs.server_to_client));
        let by_opcode = of.found.by_opcode.iter();
        let by_opcode: Map<String, Value> = by_opcode.map(|(of, count)| (of.name().into(), json!(count))).collect();
        head.insert("pairs_by_opcode".into(), by_opcode.into());
        head.insert("pairs_not_whole".into(), json!(not_whole));
        head.insert("delay_ms".into(), ways(|way| spread(of.found.delays[way])));
        head.insert("round_trip_ms".into(), spread(of.found.round_trips));
        let text = Value::from(head).to_string();
        // The lists follow in the same object.
        self.put(text.strip_suffix('}').unwrap_or(&text));
        self.list("sessions", |writer| {
            for session in &of.found.sessions {
                let value = writer.session(session);
                writer.item(value);
            }
        });
        self.list("closes", |writer| {
            for session in &of.found.sessions {
                let value = writer.close(session);
                writer.item(value);
            }
        });
        self.list("only_edge", |writer| writer.alone(true));
        self.list("only_app", |writer| writer.alone(false));
        self.list("changed", |writer| {
            for session in &of.found.sessions {
                for (direction, pair) in session.changed(of.edge, of.app) {
                    let value = writer.pair(session, direction, pair);
                    writer.item(value);
                }
            }
        });
        self.list("reordered", |writer| {
            for session in &of.found.sessions {
                for (direction, pair) in session.reordered() {
                    let value = writer.pair(session, direction, pair);
                    writer.item(value);
                }
            }
        });
        self.list("never_acknowledged", |writer| writer.never_acknowledged());
        self.put("}\n");
        (self.drain)(&mut self.out);
    }

    /// Appends JSON, what a terminal obeys escaped: outside of strings there is nothing of the kind.
    fn put(&mut self, json: &str) {
        let mut done = 0;
        for (at, ch) in json.char_indices() {
            if ch as u32 >= 0x7f && is_hidden_at(json, at, ch) {
                self.out.extend_from_slice(&json.as_bytes()[done..at]);
                let mut buffer = [0; 12];
                self.out.extend_from_slice(escape::json_escape(&mut buffer, ch));
                done = at + ch.len_utf8();
            }
        }
        self.out.extend_from_slice(&json.as_bytes()[done..]);
        if self.out.len() >= FULL {
            (self.drain)(&mut self.out);
        }
    }

    fn list(&mut self, name: &str, items: impl FnOnce(&mut Self)) {
        self.put(&format!(",\"{name}\":["));
        self.first = true;
        items(self);
        self.put("]");
    }

    fn item(&mut self, value: Value) {
        if !std::mem::take(&mut self.first) {
            self.put(",");
        }
        self.put(&value.to_string());
    }

    fn time(&mut self, time: Option<Timestamp>) -> Value {
        let Some(time) = time else { return Value::Null };
        let mut text = Vec::new();
        self.utc.write(&mut text, time);
        String::from_utf8_lossy(&text).into()
    }

    fn capture(&mut self, name: &str, capture: &Capture) -> Value {
        json!({
            "file": name,
            "packets": capture.packets,
            "sessions": capture.sessions.len(),
            "first": self.time(capture.times.map(|times| times.0)),
            "last": self.time(capture.times.map(|times| times.1)),
            "max_memory_at_packet": capture.full_at,
        })
    }

    fn clock(&self, head: &mut Map<String, Value>) {
        let found = self.of.found;
        let both = found.clock.filter(|clock| clock.known == Known::Both);
        let ends = self.of.app.times.map(|(first, last)| [first, last]);
        let offsets = both
            .zip(ends)
            .map(|(clock, ends)| ends.map(|at| clock.offset(clock.edge_time(at))));
        let (first, last) = (offsets.map(|all| all[0]), offsets.map(|all| all[1]));
        let traffic = found.clock.map(|clock| match clock.known {
            Known::Both => "both",
            Known::OneWay(direction) => direction.name(),
        });
        head.insert("traffic".into(), json!(traffic));
        head.insert("offset_s".into(), seconds(first));
        head.insert("offset_uncertainty_s".into(), seconds(both.map(|_| found.unsure[0])));
        head.insert("offset_at_end_s".into(), seconds(last));
        head.insert(
            "offset_at_end_uncertainty_s".into(),
            seconds(both.map(|_| found.unsure[1])),
        );
        let ppm = |drift: f64| (drift * 1e9).round() / 1e3;
        head.insert("drift_ppm".into(), json!(both.map(|clock| ppm(clock.drift()))));
        let range = both.map(|clock| [ppm(clock.drifts.0), ppm(clock.drifts.1)]);
        head.insert("drift_range_ppm".into(), json!(range));
        head.insert("clocks_even".into(), json!(both.map(|clock| !clock.uneven)));
        head.insert("delays_relative".into(), json!(found.clock.is_some() && both.is_none()));
    }

    /// What every item begins with: the session's numbers in both captures.
    fn numbers(&self, session: &compare::Compared) -> Map<String, Value> {
        let (edge, app) = self.of.sides(session);
        let mut map = Map::new();
        map.insert("session".into(), json!(edge.map(|session| session.number)));
        map.insert("session_app".into(), json!(app.map(|session| session.number)));
        map
    }

    fn session(&mut self, session: &compare::Compared) -> Value {
        let (edge, app) = self.of.sides(session);
        let mut map = self.numbers(session);
        let target = |of: Option<&Session>| of.and_then(|session| session.target.clone());
        let proxied = app.or(edge).and_then(|session| session.proxied.as_ref());
        let fields = [
            ("joined_by", json!(session.by.map(evidence))),
            ("target", json!(target(edge).or_else(|| target(app)))),
            ("target_app", json!(target(app))),
            ("client", json!(edge.map(|session| session.client.to_string()))),
            ("edge_server", json!(edge.map(|session| session.server.to_string()))),
            ("app_client", json!(app.map(|session| session.client.to_string()))),
            ("app_server", json!(app.map(|session| session.server.to_string()))),
            (
                "proxied",
                json!(proxied.map(|of| json!({"client": of.client, "server": of.server, "by": of.by}))),
            ),
            ("scheme", json!(edge.map(|session| session.scheme.name()))),
            ("scheme_app", json!(app.map(|session| session.scheme.name()))),
            ("deflate", json!(edge.map(|session| session.deflate))),
            ("deflate_app", json!(app.map(|session| session.deflate))),
            ("refused", json!(edge.and_then(|session| session.refused))),
            ("refused_app", json!(app.and_then(|session| session.refused))),
            ("messages_edge", counts(edge)),
            ("messages_app", counts(app)),
            ("pairs", ways(|way| json!(session.pairs[way].len()))),
        ];
        map.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        map.into()
    }

    fn close(&mut self, session: &compare::Compared) -> Value {
        let (edge, app) = self.of.sides(session);
        let mut map = self.numbers(session);
        let closed = session.closed;
        let side = |writer: &mut Self, of: Option<&Session>| {
            let Some((end, silence)) = of.and_then(|of| Some((of.end?, of.silence()))) else {
                return Value::Null;
            };
            json!({
                "by": end.by.sender(),
                "how": end.how.name(),
                "code": end.code,
                "after_silence_s": seconds(silence),
                "packet": end.at.packet,
                "time": writer.time(Some(end.at.time)),
            })
        };
        let fields = [
            (
                "who",
                json!(closed.and_then(|closed| closed.who).map(compare::Who::name)),
            ),
            ("how", json!(closed.map(|closed| closed.end.how.name()))),
            ("after_silence_s", seconds(closed.and_then(|closed| closed.silence))),
            ("code", json!(closed.and_then(|closed| closed.end.code))),
            ("edge", side(self, edge)),
            ("app", side(self, app)),
        ];
        map.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        map.into()
    }

    fn alone(&mut self, at_edge: bool) {
        let of = self.of;
        for session in &of.found.sessions {
            let (edge, app) = of.sides(session);
            let (own, only, capture) = if at_edge {
                (edge, &session.only_edge, of.edge)
            } else {
                (app, &session.only_app, of.app)
            };
            let Some(own) = own else { continue };
            for direction in Direction::BOTH {
                for &Only { place, why } in &only[direction] {
                    let kept = &own.messages[direction][place as usize];
                    let mut map = self.numbers(session);
                    let fields = [
                        ("direction", json!(direction.name())),
                        ("index", json!(place)),
                        ("why", json!(why.name())),
                    ];
                    map.extend(fields.map(|(name, value)| (name.to_owned(), value)));
                    self.message(&mut map, "", capture, kept);
                    self.item(map.into());
                }
            }
        }
    }

    fn pair(&mut self, session: &compare::Compared, direction: Direction, pair: compare::Pair) -> Value {
        let of = self.of;
        let mut map = self.numbers(session);
        map.insert("direction".into(), json!(direction.name()));
        map.insert("index_edge".into(), json!(pair.edge));
        map.insert("index_app".into(), json!(pair.app));
        let (Some(edge), Some(app)) = of.sides(session) else {
            return map.into();
        };
        let edge = &edge.messages[direction][pair.edge as usize];
        let app = &app.messages[direction][pair.app as usize];
        let delay = of.found.clock.map(|clock| clock.delay(direction, edge.time, app.time));
        map.insert("delay_ms".into(), json!(delay.map(millis)));
        self.message(&mut map, "_edge", of.edge, edge);
        self.message(&mut map, "_app", of.app, app);
        map.into()
    }

    /// What is known of a message; the names end with `suffix`.
    fn message(&mut self, map: &mut Map<String, Value>, suffix: &str, capture: &Capture, kept: &Kept) {
        let excerpt = capture.excerpt(kept);
        let (name, excerpt) = match std::str::from_utf8(excerpt) {
            Ok(text) => ("text", json!(text)),
            Err(_) => ("base64", json!(BASE64_STANDARD.encode(excerpt))),
        };
        let fields = [
            ("opcode", json!(kept.opcode.name())),
            ("length", json!(kept.length)),
            ("packet", json!(kept.packet)),
            ("time", self.time(Some(kept.time))),
            ("code", json!(kept.close)),
            (name, excerpt),
        ];
        let wanted = fields
            .into_iter()
            .filter(|(name, value)| *name != "code" || !value.is_null());
        map.extend(wanted.map(|(name, value)| (format!("{name}{suffix}"), value)));
    }

    fn never_acknowledged(&mut self) {
        let of = self.of;
        for session in &of.found.sessions {
            let (edge, app) = of.sides(session);
            for (name, side, capture) in [("edge", edge, of.edge), ("app", app, of.app)] {
                let Some(side) = side else { continue };
                for direction in Direction::BOTH {
                    for &place in &side.unacknowledged[direction] {
                        let mut map = self.numbers(session);
                        map.insert("side".into(), json!(name));
                        map.insert("direction".into(), json!(direction.name()));
                        map.insert("index".into(), json!(place));
                        self.message(&mut map, "", capture, &side.messages[direction][place as usize]);
                        self.item(map.into());
                    }
                }
            }
        }
    }
}

fn evidence(by: Evidence) -> &'static str {
    match by {
        Evidence::Address => "address",
        Evidence::Key => "key",
        Evidence::Messages => "messages",
        Evidence::Order => "order",
    }
}

fn ways(of: impl Fn(Direction) -> Value) -> Value {
    let all = Direction::BOTH.map(|way| (way.name().to_owned(), of(way)));
    Map::from_iter(all).into()
}

fn counts(session: Option<&Session>) -> Value {
    session.map_or(Value::Null, |session| ways(|way| json!(session.messages[way].len())))
}

fn seconds(nanos: Option<i64>) -> Value {
    json!(nanos.map(|nanos| (nanos as f64 / 1e3).round() / 1e6))
}

fn millis(nanos: i64) -> f64 {
    (nanos as f64 / 1e3).round() / 1e3
}

fn spread(spread: Option<Spread>) -> Value {
    json!(spread.map(|spread| json!({
        "n": spread.count,
        "min": millis(spread.min),
        "p50": millis(spread.p50),
        "p90": millis(spread.p90),
        "p99": millis(spread.p99),
        "max": millis(spread.max),
    })))
}
