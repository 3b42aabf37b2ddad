//! Exchanges in any segmentation, refused and repeated upgrades, heads that are cut, lost or too long.

use proptest::prelude::*;

use super::*;
use crate::base::{GapCause, Limits};

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const YES: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Feeds `(side, bytes)` in pieces of `size` and returns the steps and the bytes that were left over by each.
fn run(script: &[(Side, &str)], size: usize) -> Vec<(String, String)> {
    let mut exchange = Exchange::default();
    let mut heads = HeadStore::new(&Limits::default());
    let mut steps = Vec::new();
    let mut offsets = [0u64; 2];
    for (side, text) in script {
        let mut upgraded = false;
        for piece in text.as_bytes().chunks(size) {
            let mut rest = piece;
            while !rest.is_empty() {
                if upgraded {
                    let (_, read): &mut (String, String) = steps.last_mut().unwrap();
                    read.push_str(std::str::from_utf8(rest).unwrap());
                    break;
                }
                let (used, step) = exchange.push(*side, offsets[side.index()], rest, &mut heads);
                offsets[side.index()] += used as u64;
                rest = &rest[used..];
                let name = match step {
                    None => continue,
                    Some(Step::Asked(r)) => format!("asked {}", r.target),
                    Some(Step::Upgraded(r, _)) => {
                        upgraded = true;
                        format!("upgraded {}", r.target)
                    }
                    Some(Step::Refused(_, r)) => format!("refused {}", r.status),
                    Some(Step::Presumed(_)) => "presumed".into(),
                    Some(Step::Perhaps(..)) => "perhaps".into(),
                    Some(Step::Astray) => "astray".into(),
                    Some(Step::Http2) => "http2".into(),
                    Some(Step::TooLong(r)) => format!("too long {}", r.map_or(String::new(), |r| r.target)),
                    Some(Step::GaveWay(_)) => "gave way".into(),
                    Some(Step::Hold) => {
                        steps.push(("hold".into(), String::from_utf8(rest.to_vec()).unwrap()));
                        break;
                    }
                    Some(Step::NotHttp) => {
                        steps.push(("no".into(), String::new()));
                        return steps;
                    }
                };
                steps.push((name, String::new()));
            }
        }
    }
    steps
}

fn names(script: &[(Side, &str)], size: usize) -> Vec<String> {
    run(script, size).into_iter().map(|(n, _)| n).collect()
}

#[test]
fn any_segmentation_finds_the_upgrade_and_what_follows() {
    let answer = format!("{YES}frames");
    for size in 1..400 {
        let steps = run(&[(Side::A, ASK), (Side::B, &answer)], size);
        let expected = [
            ("asked /chat".into(), String::new()),
            ("upgraded /chat".into(), "frames".into()),
        ];
        assert_eq!(steps, expected, "{size}");
    }
}

#[test]
fn rfc9112_2_2_empty_lines_before_a_head_are_not_kept_however_many_there_are() {
    let lines = "\r\n".repeat(20_000);
    let script = [(Side::A, lines.clone() + ASK), (Side::B, lines.clone() + YES)];
    let script = script.each_ref().map(|(side, text)| (*side, text.as_str()));
    for size in [1, 2, 3, 1400, 100_000] {
        assert_eq!(names(&script, size), ["asked /chat", "upgraded /chat"], "{size}");
    }
    let mut heads = HeadStore::new(&Limits::default());
    let (used, step) = Exchange::default().push(Side::A, 0, lines.as_bytes(), &mut heads);
    assert!(used == lines.len() && step.is_none() && heads.cost() == 0);
    assert!(Exchange::may_begin(lines.as_bytes()) && Exchange::begins((lines + ASK).as_bytes()));
}

#[test]
fn requests_with_bodies_come_first() {
    let post = "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /";
    let ok = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\nHTTP/1\r\n0\r\nT: x\r\n\r\n";
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    let yes = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    for size in [1, 2, 3, 7, 1000] {
        let script = [
            (Side::B, post),
            (Side::A, ok),
            (Side::B, head),
            (Side::A, yes),
            (Side::B, ASK),
            (Side::A, YES),
        ];
        assert_eq!(names(&script, size), ["asked /chat", "upgraded /chat"]);
    }
}

#[test]
fn a_refused_upgrade_may_be_tried_again() {
    let no = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno";
    let script = [(Side::A, ASK), (Side::B, no), (Side::A, ASK), (Side::B, YES)];
    let expected = ["asked /chat", "refused 401", "asked /chat", "upgraded /chat"];
    assert_eq!(names(&script, 1000), expected);
    assert_eq!(names(&script, 5), expected);
}

#[test]
fn what_the_client_sends_early_is_held() {
    let early = format!("{ASK}early");
    let steps = run(&[(Side::A, &early), (Side::B, YES)], 4000);
    assert_eq!(steps[1], ("hold".into(), "early".into()));
}

#[test]
fn a_response_alone_is_enough() {
    assert_eq!(names(&[(Side::A, YES)], 4000), ["upgraded "]);
}

#[test]
fn another_upgrade_is_none_of_ours() {
    let h2c = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n";
    assert_eq!(names(&[(Side::A, h2c)], 4000), ["http2"]);
    let tls = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.2\r\n\r\n";
    assert_eq!(names(&[(Side::A, tls)], 4000), ["no"]);
}

#[test]
fn a_101_that_is_not_to_websocket_refuses_it() {
    let h2c = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n";
    let draft =
        "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nSec-WebSocket-Location: ws://a/\r\n\r\n";
    for answer in [h2c, draft] {
        let early = format!("{ASK}8 bytes.");
        let script = [
            (Side::A, early.as_str()),
            (Side::B, answer),
            (Side::B, "PRI * HTTP/2.0"),
        ];
        assert_eq!(names(&script, 4000), ["asked /chat", "hold", "refused 101"]);
    }
}

#[test]
fn an_odd_head_is_no_reason_to_lose_what_follows() {
    let odd = ASK.replace("Host: a", "Host: a\r\nX : folded\r\n value");
    let answer = YES
        .replace("101 ", "101 \u{e9}")
        .replace("\r\n\r\n", "\r\nX: folded\r\n\tvalue\r\n\r\n");
    for size in [1, 7, 4000] {
        let steps = names(&[(Side::A, &odd), (Side::B, &answer)], size);
        assert_eq!(steps, ["asked /chat", "upgraded /chat"]);
    }
}

#[test]
fn a_101_finds_its_request_behind_unanswered_ones_and_half_of_it() {
    let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(
        names(&[(Side::A, get), (Side::A, get), (Side::A, ASK), (Side::B, YES)], 4000),
        ["asked /chat", "upgraded /chat"]
    );
    assert_eq!(
        names(&[(Side::A, &ASK[..60]), (Side::B, YES)], 4000),
        ["upgraded /chat"]
    );
}

#[test]
fn heads_cut_by_the_snaplen() {
    let mut exchange = Exchange::default();
    let mut heads = HeadStore::new(&Limits::default());
    let gap = |offset| Gap {
        offset,
        length: 100,
        cause: GapCause::Snaplen,
    };
    assert!(exchange.push(Side::A, 0, &ASK.as_bytes()[..60], &mut heads).1.is_none());
    assert!(
        matches!(exchange.gap(Side::A, gap(60), &mut heads), Some(Step::Asked(r)) if r.cut && r.headers.len() == 2)
    );
    assert!(exchange.push(Side::B, 0, &YES.as_bytes()[..40], &mut heads).1.is_none());
    assert!(
        matches!(exchange.gap(Side::B, gap(40), &mut heads), Some(Step::Upgraded(r, s)) if r.target == "/chat" && s.cut)
    );
}

#[test]
fn a_lost_response_is_presumed_when_no_http_follows() {
    let mut exchange = Exchange::default();
    let mut heads = HeadStore::new(&Limits::default());
    exchange.push(Side::A, 0, ASK.as_bytes(), &mut heads);
    let lost = Gap {
        offset: 0,
        length: 129,
        cause: GapCause::Lost,
    };
    assert!(exchange.gap(Side::B, lost, &mut heads).is_none());
    let (used, step) = exchange.push(Side::B, 129, b"\x81\x05Hello", &mut heads);
    assert!(used == 0 && matches!(step, Some(Step::Presumed(r)) if r.target == "/chat"));
}

/// A request with so many bytes of headers that nobody needs.
fn long(bytes: usize) -> String {
    let line = format!("X-Long: {}\r\n", "a".repeat(90));
    ASK.replacen(
        "\r\n\r\n",
        &format!("\r\n{}\r\n", line.repeat(bytes / line.len() + 1)),
        1,
    )
}

#[test]
fn a_head_that_is_too_long_is_passed_over_to_its_end() {
    let (ask, answer) = (long(100 << 10), format!("{YES}frames"));
    for size in [1, 7, 1448, 1 << 20] {
        let steps = run(&[(Side::A, &ask), (Side::B, &answer)], size);
        let expected = [
            ("too long /chat".into(), String::new()),
            ("upgraded /chat".into(), "frames".into()),
        ];
        assert_eq!(steps, expected, "{size}");
    }
    let answer = format!(
        "{}frames",
        YES.replacen("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "b".repeat(70_000)), 1)
    );
    for size in [1, 1448] {
        let steps = run(&[(Side::A, ASK), (Side::B, &answer)], size);
        let expected = [
            ("asked /chat".into(), String::new()),
            ("too long ".into(), String::new()),
            ("upgraded /chat".into(), "frames".into()),
        ];
        assert_eq!(steps, expected, "{size}");
    }
}

#[test]
fn where_a_long_request_ends_is_known_when_it_has_ended() {
    let mut exchange = Exchange::default();
    let mut heads = HeadStore::new(&Limits::default());
    let ask = long(100 << 10);
    let (first, rest) = ask.as_bytes().split_at(90 << 10);
    assert!(matches!(
        exchange.push(Side::A, 0, first, &mut heads).1,
        Some(Step::TooLong(Some(_)))
    ));
    assert_eq!(
        exchange.push(Side::A, first.len() as u64, rest, &mut heads).0,
        rest.len()
    );
    let (_, step) = exchange.push(Side::B, 0, YES.as_bytes(), &mut heads);
    assert!(matches!(step, Some(Step::Upgraded(request, _)) if request.range == (0..ask.len() as u64) && request.cut));
    assert_eq!(heads.cost(), 0);
}

#[test]
fn a_request_that_had_to_give_way_leaves_its_place() {
    let limits = Limits {
        memory_bytes: 8000,
        ..Limits::default()
    };
    let mut heads = HeadStore::new(&limits);
    let mut exchanges: Vec<_> = (0..10).map(|_| Exchange::default()).collect();
    for exchange in &mut exchanges {
        exchange.push(Side::A, 0, ASK.as_bytes(), &mut heads);
    }
    let (_, step) = exchanges[0].push(Side::B, 0, YES.as_bytes(), &mut heads);
    let Some(Step::Upgraded(request, _)) = step else {
        panic!("it was upgraded")
    };
    assert_eq!((request.method.as_str(), request.range), ("", 0..ASK.len() as u64));
}

proptest! {
    #[test]
    fn anything_makes_progress_and_gives_its_room_back(
        script in prop::collection::vec((any::<bool>(), 0usize..8, 1usize..3000), 1..30),
    ) {
        let limits = Limits { head_bytes: 500, memory_bytes: 16_000, ..Limits::default() };
        let mut heads = HeadStore::new(&limits);
        let mut exchange = Exchange::default();
        let (line, lines) = (format!("X: {}\r\n", "a".repeat(600)), "X: y\r\n".repeat(150));
        let texts = [ASK, YES, &ASK[..60], &YES[..40], "\r\n\r\n", &line, &lines, "\u{81}\u{5}Hello"];
        let mut offsets = [0u64; 2];
        'script: for (first, text, size) in script {
            let side = if first { Side::A } else { Side::B };
            let offset = &mut offsets[side.index()];
            if size > 2900 {
                let gap = Gap { offset: *offset, length: 7, cause: GapCause::Lost };
                *offset += 7;
                exchange.gap(side, gap, &mut heads);
            }
            for mut piece in texts[text].as_bytes().chunks(size) {
                let mut idle = 0;
                while !piece.is_empty() {
                    let (used, step) = exchange.push(side, *offset, piece, &mut heads);
                    *offset += used as u64;
                    piece = &piece[used..];
                    idle = if used > 0 || step.is_some() { 0 } else { idle + 1 };
                    prop_assert!(idle < 3 && heads.cost() <= limits.memory_bytes / 4);
                    match step {
                        Some(Step::Hold) => break,
                        // Its caller goes elsewhere with the rest.
                        Some(Step::NotHttp | Step::Upgraded(..) | Step::Presumed(_) | Step::Perhaps(..) | Step::Astray | Step::Http2) => break 'script,
                        _ => {}
                    }
                }
            }
        }
        exchange.discard(&mut heads);
        prop_assert_eq!(heads.cost(), 0);
    }
}
