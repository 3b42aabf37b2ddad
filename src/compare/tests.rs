//! Captures made up message by message: what no proxy at hand does on demand.

use proptest::prelude::*;

use super::capture::{Capture, End, Kept, Session};
use super::{Comparison, Evidence, Who, Why, compare};
use crate::base::{Direction, Endpoint, PacketRef, PerDirection, Timestamp};
use crate::record::{How, Opcode, Scheme};

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// A capture whose clock is ahead by `offset` microseconds.
struct Made {
    offset: i64,
    packet: u64,
    capture: Capture,
}

impl Made {
    fn new(offset: i64) -> Self {
        Self {
            offset,
            packet: 0,
            capture: Capture::default(),
        }
    }

    fn at(&mut self, micros: i64) -> PacketRef {
        self.packet += 1;
        let time = Timestamp::from_nanos((micros + self.offset) * 1000);
        let (first, last) = self.capture.times.unwrap_or((time, time));
        self.capture.times = Some((first.min(time), last.max(time)));
        self.capture.packets = self.packet;
        PacketRef {
            packet: self.packet,
            time,
        }
    }

    /// A session whose request came then; `None`: it was not captured.
    fn open(&mut self, target: &str, key: Option<&str>, micros: Option<i64>) -> usize {
        let request = micros.map(|micros| self.at(micros));
        let number = self.capture.sessions.len() as u64 + 1;
        let endpoint = |port: u64| Endpoint::new([10, 0, 0, 1].into(), port as u16);
        self.capture.sessions.push(Session {
            number,
            connection: number,
            // Both sides of a proxy have their own ports.
            client: endpoint(10_000 + number + if self.offset == 0 { 0 } else { 20_000 }),
            server: endpoint(80),
            proxied: None,
            scheme: Scheme::Ws,
            stream: None,
            inferred: request.is_none(),
            target: request.map(|_| target.into()),
            key: key.filter(|_| request.is_some()).map(Into::into),
            headers: Vec::new(),
            forwarded_for: None,
            request,
            response: request,
            refused: None,
            deflate: false,
            messages: PerDirection::default(),
            gaps: PerDirection::default(),
            unacknowledged: PerDirection::default(),
            end: None,
            active: None,
        });
        number as usize - 1
    }

    fn say(&mut self, session: usize, direction: Direction, text: &str, micros: i64) {
        self.send(session, direction, Opcode::Text, text, micros);
    }

    fn send(&mut self, session: usize, direction: Direction, opcode: Opcode, text: &str, micros: i64) {
        let at = self.at(micros);
        let mut hash = [0; 16];
        for (n, byte) in text.bytes().enumerate() {
            hash[n % 16] ^= byte.rotate_left((n / 16) as u32);
        }
        let mut kept = Kept::new(opcode, at, text.len() as u64, hash);
        kept.close = (opcode == Opcode::Close).then_some(1000);
        self.capture.sessions[session].messages[direction].push(kept);
    }

    fn end(&mut self, session: usize, by: Direction, how: How, micros: i64) {
        let at = self.at(micros);
        self.capture.sessions[session].end = Some(End {
            at,
            by,
            how,
            code: None,
        });
    }
}

/// What a proxy between the two does to the messages of one direction.
fn only(found: &Comparison, at_edge: bool, direction: Direction) -> Vec<(u32, Why)> {
    let all = found.sessions.iter().flat_map(|session| {
        let only = if at_edge { &session.only_edge } else { &session.only_app };
        only[direction].iter().map(|only| (only.place, only.why))
    });
    all.collect()
}

fn reordered(found: &Comparison) -> Vec<(u32, u32)> {
    let all = found.sessions.iter().flat_map(|session| session.reordered());
    all.map(|(_, pair)| (pair.edge, pair.app)).collect()
}

const SHIFT: i64 = 3_000_000;

/// A session with a talk of its own, from which the clocks are known.
fn talk(edge: &mut Made, app: &mut Made) {
    let (e, a) = (
        edge.open("/talk", Some("talk"), Some(0)),
        app.open("/talk", Some("talk"), Some(300)),
    );
    for n in 1..40 {
        let at = n * 250_000;
        edge.say(e, UP, &format!("question {n}"), at);
        app.say(a, UP, &format!("question {n}"), at + 200 + n % 7 * 10);
        app.say(a, DOWN, &format!("answer {n}"), at + 5_000);
        edge.say(e, DOWN, &format!("answer {n}"), at + 5_200 + n % 5 * 10);
    }
}

#[test]
fn a_heartbeat_that_was_dropped_among_equal_ones_is_found_by_its_time() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    let (e, a) = (
        edge.open("/hb", Some("hb"), Some(1000)),
        app.open("/hb", Some("hb"), Some(1300)),
    );
    for n in 0..10 {
        edge.say(e, UP, "tick", 100_000 + n * 1_000_000);
        if n != 4 {
            app.say(a, UP, "tick", 100_250 + n * 1_000_000);
        }
    }
    let found = compare(&edge.capture, &app.capture);
    assert_eq!(only(&found, true, UP), [(4, Why::Dropped)]);
    assert_eq!(only(&found, false, UP), []);
}

#[test]
fn the_handshake_tells_the_clocks_where_nothing_else_does() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    let (e, a) = (
        edge.open("/hb", Some("hb"), Some(1000)),
        app.open("/hb", Some("hb"), Some(1300)),
    );
    app.capture.sessions[a].response = Some(app.at(2000));
    edge.capture.sessions[e].response = Some(edge.at(2300));
    for n in 0..10 {
        edge.say(e, UP, "tick", 100_000 + n * 1_000_000);
        if n != 7 {
            app.say(a, UP, "tick", 100_250 + n * 1_000_000);
        }
    }
    let found = compare(&edge.capture, &app.capture);
    assert_eq!(only(&found, true, UP), [(7, Why::Dropped)]);
}

#[test]
fn who_was_held_back_is_who_was_reordered() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    let (e, a) = (
        edge.open("/x", Some("x"), Some(1000)),
        app.open("/x", Some("x"), Some(1300)),
    );
    for n in 0..10 {
        edge.say(e, UP, &format!("up {n}"), 100_000 + n * 10_000);
        edge.say(
            e,
            DOWN,
            &format!("down {}", [0, 1, 3, 4, 5, 2, 6, 7, 8, 9][n as usize]),
            100_500 + n * 10_000,
        );
    }
    for (place, n) in [0, 1, 2, 4, 3, 5, 6, 7, 8, 9].into_iter().enumerate() {
        // 3 waits until 4 has gone.
        let at = 100_200 + i64::max(n, place as i64) * 10_000;
        app.say(a, UP, &format!("up {n}"), at + i64::from(n == 3));
        app.say(a, DOWN, &format!("down {place}"), 100_300 + place as i64 * 10_000);
    }
    let found = compare(&edge.capture, &app.capture);
    assert_eq!(reordered(&found), [(3, 4), (5, 2)]);
    assert_eq!(only(&found, true, UP), []);
}

#[test]
fn what_a_proxy_writes_itself_is_told_from_what_it_sends_twice() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    let (e, a) = (
        edge.open("/x", Some("x"), Some(1000)),
        app.open("/x", Some("x"), Some(1300)),
    );
    for n in 0..10i64 {
        let text = format!("say {n}");
        edge.say(e, UP, &text, 100_000 + n * 10_000);
        app.say(a, UP, &text, 100_200 + n * 10_000);
        if n == 5 {
            app.say(a, UP, &text, 100_210 + n * 10_000);
        }
        app.say(a, DOWN, &text, 101_000 + n * 10_000);
        edge.say(e, DOWN, &text, 101_200 + n * 10_000);
        if n == 7 {
            edge.say(e, DOWN, "the proxy says hello", 101_300 + n * 10_000);
        }
    }
    let found = compare(&edge.capture, &app.capture);
    let twice = only(&found, false, UP);
    assert!(
        twice == [(6, Why::SentTwice)] || twice == [(5, Why::SentTwice)],
        "{twice:?}"
    );
    assert_eq!(only(&found, true, DOWN), [(8, Why::Inserted)]);
    assert_eq!((only(&found, true, UP), only(&found, false, DOWN)), (vec![], vec![]));
}

#[test]
fn what_was_changed_beside_what_was_dropped_is_told_apart() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    let (e, a) = (
        edge.open("/x", Some("x"), Some(1000)),
        app.open("/x", Some("x"), Some(1300)),
    );
    for n in 0..10i64 {
        edge.say(
            e,
            UP,
            &format!("a message of the client, number {n}"),
            100_000 + n * 100_000,
        );
        let text = match n {
            4 => continue,
            5 => "a message of the proxy, number five".to_owned(),
            _ => format!("a message of the client, number {n}"),
        };
        app.say(a, UP, &text, 100_200 + n * 100_000);
    }
    let found = compare(&edge.capture, &app.capture);
    let changed: Vec<_> = found.sessions[1].changed(&edge.capture, &app.capture).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0].1.edge, changed[0].1.app), (5, 4));
    assert_eq!(only(&found, true, UP), [(4, Why::Dropped)]);
}

#[test]
fn equal_sessions_are_told_apart_by_when_they_began() {
    let begins = [0, 700_000, 1_100_000, 2_900_000, 3_050_000, 5_000_000];
    for missing in [0, 2] {
        let (mut edge, mut app) = (Made::new(0), Made::new(100_000_000));
        for begin in begins {
            let session = edge.open("/same", None, Some(begin));
            for n in 0..5 {
                edge.say(session, UP, "ping", begin + 10_000 + n * 1_000_000);
                edge.say(session, DOWN, "pong", begin + 11_000 + n * 1_000_000);
            }
        }
        for begin in &begins[missing..] {
            let session = app.open("/same", None, Some(begin + 300));
            for n in 0..5 {
                app.say(session, UP, "ping", begin + 10_200 + n * 1_000_000);
                app.say(session, DOWN, "pong", begin + 10_700 + n * 1_000_000);
            }
        }
        let found = compare(&edge.capture, &app.capture);
        let joined: Vec<_> = found
            .sessions
            .iter()
            .map(|session| (session.edge, session.app))
            .collect();
        let wanted: Vec<_> = (0..begins.len())
            .map(|at| (Some(at), at.checked_sub(missing)))
            .collect();
        assert_eq!(joined, wanted, "{missing} sessions are missing");
    }
}

#[test]
fn hundreds_of_equal_sessions_are_told_apart_by_when_they_began() {
    let (mut edge, mut app) = (Made::new(0), Made::new(100_000_000));
    for n in 0..200i64 {
        let begin = n * 130_000 + n * n * 17 % 90_000;
        let (e, a) = (
            edge.open("/same", None, Some(begin)),
            app.open("/same", None, Some(begin + 300)),
        );
        for n in 0..3 {
            edge.say(e, UP, "ping", begin + 10_000 + n * 1_000_000);
            app.say(a, UP, "ping", begin + 10_200 + n * 1_000_000);
        }
    }
    let found = compare(&edge.capture, &app.capture);
    assert!(
        found
            .sessions
            .iter()
            .all(|session| session.edge.is_some() && session.edge == session.app)
    );
}

#[test]
fn a_proxy_that_closes_both_sides_is_not_passed_through() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    // The proxy sends the same close frame both ways, and both are answered.
    let at = 11_000_000;
    edge.send(0, DOWN, Opcode::Close, "bye", at);
    app.send(0, UP, Opcode::Close, "bye", at + 50);
    edge.send(0, UP, Opcode::Close, "bye", at + 20_000);
    app.send(0, DOWN, Opcode::Close, "bye", at + 1_000);
    edge.end(0, DOWN, How::Close, at);
    app.end(0, UP, How::Close, at + 50);
    let found = compare(&edge.capture, &app.capture);
    assert_eq!(found.sessions[0].closed.and_then(|closed| closed.who), Some(Who::Proxy));
    assert_eq!(found.by_opcode.get(&Opcode::Close), None);
    assert_eq!(only(&found, true, UP), [(39, Why::Dropped)]);
    assert_eq!(only(&found, true, DOWN), [(39, Why::Inserted)]);
}

#[test]
fn pings_of_the_proxy_are_not_those_of_the_client() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    for n in 0..8 {
        edge.send(0, UP, Opcode::Ping, "", 500_000 + n * 1_000_000);
        app.send(0, UP, Opcode::Ping, "", 900_000 + n * 1_000_000);
    }
    for made in [&mut edge, &mut app] {
        made.capture.sessions[0].messages[UP].sort_by_key(|kept| kept.time);
    }
    let found = compare(&edge.capture, &app.capture);
    assert_eq!(found.by_opcode.get(&Opcode::Ping), None);
    assert!(only(&found, true, UP).iter().all(|(_, why)| *why == Why::Dropped));
    assert!(only(&found, false, UP).iter().all(|(_, why)| *why == Why::Inserted));
}

#[test]
fn a_capture_that_begins_late_or_ends_early_is_no_loss() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    // The second capture holds the middle only, and no handshake.
    let late = &mut app.capture.sessions[0];
    (late.request, late.response, late.target, late.key) = (None, None, None, None);
    for direction in Direction::BOTH {
        late.messages[direction].retain(|kept| (4_000_000..8_000_000).contains(&(kept.time.nanos() / 1000 - SHIFT)));
    }
    app.capture.times = Some((
        Timestamp::from_nanos((4_000_000 + SHIFT) * 1000),
        Timestamp::from_nanos((8_000_000 + SHIFT) * 1000),
    ));
    let found = compare(&edge.capture, &app.capture);
    assert_eq!(found.sessions.len(), 1);
    assert_eq!(found.sessions[0].by, Some(Evidence::Messages));
    assert_eq!(found.by_opcode[&Opcode::Text], 32);
    for direction in Direction::BOTH {
        assert_eq!(only(&found, false, direction), []);
        let lost = only(&found, true, direction);
        assert_eq!(lost.len(), 23);
        assert!(lost.iter().all(|(_, why)| *why == Why::OutsideTime), "{lost:?}");
    }
}

#[test]
fn sessions_that_share_nothing_are_not_joined() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    let (e, a) = (edge.open("/x", None, Some(1000)), app.open("/x", None, Some(1300)));
    for n in 0..5 {
        edge.say(e, UP, &format!("one {n}"), 100_000 + n * 10_000);
        app.say(a, UP, &format!("another {n}"), 100_000 + n * 10_000);
    }
    let found = compare(&edge.capture, &app.capture);
    let joined: Vec<_> = found
        .sessions
        .iter()
        .map(|session| (session.edge, session.app))
        .collect();
    assert_eq!(joined, [(Some(0), Some(0)), (Some(1), None), (None, Some(1))]);
    assert!(only(&found, true, UP).iter().all(|(_, why)| *why == Why::Session));
}

#[test]
fn a_broadcast_in_common_makes_no_session_of_two() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    // Everybody hears the same; the third session was captured on one side, the fourth on the other.
    for n in 1..=4i64 {
        let captured = (n != 4).then(|| edge.open("/chat", None, Some(n * 1000)));
        let behind = (n != 3).then(|| app.open("/chat", None, Some(n * 1000 + 300)));
        for at in 0..6i64 {
            if let Some(e) = captured {
                edge.say(e, UP, &format!("{n} says {at}"), 100_000 + n * 1000 + at * 50_000);
                edge.say(e, DOWN, &format!("all hear {at}"), 120_500 + n * 1000 + at * 50_000);
            }
            if let Some(a) = behind {
                app.say(a, UP, &format!("{n} says {at}"), 100_300 + n * 1000 + at * 50_000);
                app.say(a, DOWN, &format!("all hear {at}"), 120_200 + n * 1000 + at * 50_000);
            }
        }
    }
    let found = compare(&edge.capture, &app.capture);
    let joined: Vec<_> = found
        .sessions
        .iter()
        .map(|session| (session.edge, session.app))
        .collect();
    assert_eq!(
        joined,
        [
            (Some(0), Some(0)),
            (Some(1), Some(1)),
            (Some(2), Some(2)),
            (Some(3), None),
            (None, Some(3))
        ]
    );
}

proptest! {
    /// Whatever times and contents: nothing panics, and every message is in one pair or alone.
    #[test]
    fn every_message_is_accounted_for_once(
        sides in proptest::collection::vec(
            (any::<bool>(), 0usize..3, any::<bool>(), 0u8..5, prop_oneof![0i64..1_000_000, Just(i64::MAX / 4000), Just(i64::MIN / 4000)]),
            0..60,
        ),
    ) {
        let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
        for made in [&mut edge, &mut app] {
            for n in 0..3 {
                made.open("/x", (n == 0).then_some("key"), (n != 2).then_some(n));
            }
        }
        for (at_edge, session, up, text, at) in sides {
            let made = if at_edge { &mut edge } else { &mut app };
            made.say(session, if up { UP } else { DOWN }, &text.to_string(), at);
        }
        let found = compare(&edge.capture, &app.capture);
        for way in Direction::BOTH {
            let count = |capture: &Capture| capture.sessions.iter().map(|of| of.messages[way].len()).sum::<usize>();
            let told = |at_edge: bool| {
                found.sessions.iter().map(|of| of.pairs[way].len()).sum::<usize>() + only(&found, at_edge, way).len()
            };
            prop_assert_eq!((told(true), told(false)), (count(&edge.capture), count(&app.capture)));
        }
    }
}

#[test]
fn nothing_at_all_compares() {
    let found = compare(&Capture::default(), &Capture::default());
    assert!(found.sessions.is_empty() && found.clock.is_none());
}

/// Thousands of equal messages on each side, of which some are missing: many windows.
#[test]
fn a_long_stream_of_equal_messages_is_paired_window_by_window() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    talk(&mut edge, &mut app);
    let (e, a) = (
        edge.open("/hb", Some("hb"), Some(1000)),
        app.open("/hb", Some("hb"), Some(1300)),
    );
    for n in 0..4_000 {
        edge.say(e, UP, "tick", n * 50_000);
        if n % 1000 != 77 {
            app.say(a, UP, "tick", 250 + n * 50_000);
        }
    }
    let found = compare(&edge.capture, &app.capture);
    let places: Vec<u32> = only(&found, true, UP).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, [77, 1077, 2077, 3077]);
}

/// A burst over HTTP/2: thousands of sessions begin at once, each is the one beside it, and those of other paths are not.
#[test]
fn thousands_of_sessions_begun_at_once_are_joined_by_time() {
    let (mut edge, mut app) = (Made::new(0), Made::new(SHIFT));
    for n in 0..6_000i64 {
        let path = ["/even", "/odd"][n as usize % 2];
        for (made, later) in [(&mut edge, 0), (&mut app, 1)] {
            let session = made.open(path, None, Some(n * 4 + later));
            made.say(session, UP, "tick", 60_000 + n * 4 + later);
        }
    }
    // Of these nothing but the end was captured on one side.
    let (e, a) = (edge.open("/late", None, Some(1_000_000)), app.open("/late", None, None));
    edge.end(e, UP, How::Fin, 2_000_000);
    app.end(a, UP, How::Fin, 2_000_001);
    let found = compare(&edge.capture, &app.capture);
    assert_eq!(found.sessions.len(), 6_001);
    let is_joined = |of: &super::Compared| of.edge == of.app && of.by == Some(Evidence::Order);
    assert!(found.sessions.iter().all(is_joined));
}
