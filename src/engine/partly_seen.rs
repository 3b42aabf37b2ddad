//! Captures that hold only a part of what was said: begun late, cut, with gaps.

use super::tests::{ACK, CLIENT, Heard, SERVER, Talk, frame, hear, hear_cut, request, response, text};

fn say(n: usize) -> String {
    format!("{{\"type\":\"say\",\"content\":\"number {n} of many\"}}")
}

#[test]
fn a_late_capture_is_judged_once_more_when_it_ends() {
    let mut talk = Talk::upgraded();
    // In the middle of a large frame, with a gap in it, and a few small ones at the end.
    talk.data(CLIENT, &frame(CLIENT, 0x82, &[0xa5; 30_000]), 1000);
    for n in 0..2 {
        talk.data(CLIENT, &text(CLIENT, &say(n)), 1460);
    }
    let late = || talk.packets[20..].iter();
    assert_eq!(hear(late(), 250_000).texts(), [say(0), say(1)]);
    let gap = late()
        .enumerate()
        .filter(|(at, _)| !(6..8).contains(at))
        .map(|(_, p)| p);
    assert_eq!(hear(gap, 250_000).texts(), [say(0), say(1)]);
}

#[test]
fn what_stands_between_two_gaps_is_read() {
    let mut talk = Talk::upgraded();
    // Of each segment only the middle frame is whole: the first has its header in another one, the last its end.
    let mut stream = frame(CLIENT, 0x82, &[7; 1900]);
    for n in 0..3 {
        stream.extend(text(CLIENT, &say(n)));
        stream.extend(frame(CLIENT, 0x8a, b"pong"));
        stream.extend(frame(CLIENT, 0x82, &[n as u8 ^ 0x77; 1900]));
    }
    talk.data(CLIENT, &stream, 1000);
    let cut = hear_cut(talk.packets.iter(), 250_000, 1032);
    assert_eq!(cut.texts().len(), 6, "{:?}", cut.texts());
}

#[test]
fn heads_cut_in_their_first_lines_and_the_frame_behind_them() {
    let mut talk = Talk::new();
    talk.data(CLIENT, request("").as_bytes(), 1460);
    talk.data(SERVER, response("").as_bytes(), 1460);
    talk.data(CLIENT, &text(CLIENT, "hi"), 1460);
    talk.data(SERVER, &text(SERVER, "ho"), 1460);
    talk.packet(CLIENT, ACK, &[]);
    // `HTTP/1.1 101 Sw` is all that there is of the response.
    for snaplen in [40 + 12, 40 + 15, 40 + 40, 40 + 100] {
        let heard = hear_cut(talk.packets.iter(), 250_000, snaplen);
        assert_eq!(heard.texts(), ["hi", "ho"], "{snaplen}");
        assert_eq!(heard.rules, [""; 0]);
    }
}

#[test]
fn a_connection_of_which_the_client_s_syn_was_seen_and_little_more_of_its_beginning() {
    let mut talk = Talk::upgraded();
    let mut said = Vec::new();
    for n in 0..6 {
        for side in [CLIENT, SERVER] {
            talk.data(side, &text(side, &say(n)), 1460);
            said.push(say(n));
        }
    }
    // SYN, SYN with ACK, ACK, the request, its ACK, the response, its ACK.
    for missing in [&[1, 2, 3, 4, 5, 6][..], &[1, 2, 5, 6], &[1, 2, 4, 5], &[0, 1, 2, 5]] {
        let seen = talk.packets.iter().enumerate();
        let seen = seen.filter(|(at, _)| !missing.contains(at)).map(|(_, packet)| packet);
        // What waits for a gap is told after what the other side has said meanwhile.
        let mut texts = hear(seen, 250_000).texts();
        texts.sort();
        assert_eq!(texts, said, "{missing:?}");
    }
}

#[test]
fn other_upgrades_are_not_taken_for_websocket_when_their_heads_are_cut() {
    let mut talk = Talk::new();
    talk.data(CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n", 1460);
    talk.data(
        SERVER,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        1460,
    );
    talk.data(SERVER, &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100], 1460);
    talk.data(CLIENT, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 1460);
    for n in 0..20 {
        talk.data(SERVER, &[&[0, 0, 30, 0, 0, 0, 0, 0, n][..], &[b'a'; 30]].concat(), 1460);
    }
    for snaplen in [40 + 2, 40 + 12, 40 + 20, 40 + 60] {
        let heard = hear_cut(talk.packets.iter(), 250_000, snaplen);
        assert!(heard.messages.is_empty(), "{snaplen}: {:?}", heard.messages);
    }
}

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % n) as usize
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.below(256) as u8).collect()
    }
}

/// A piece of a conversation that is no WebSocket.
fn other(kind: usize, random: &mut Random) -> Vec<u8> {
    let n = 1 + random.below(300);
    let words = |n: usize| "{\"日本\":\"ü 😀 words\"}, ".repeat(1 + n / 20).into_bytes();
    match kind {
        0 => random.bytes(n),
        // TLS application data, its records' heads anywhere in the segments.
        1 => [&[0x17, 3, 3, (n >> 8) as u8, n as u8], &random.bytes(n)[..]].concat(),
        2 => words(n),
        3 => format!("*2\r\n$3\r\nGET\r\n${n}\r\n{}\r\n", "k".repeat(n)).into_bytes(),
        // A length in two or four bytes before text: empty continuations, and others.
        4 => [&(n as u32).to_be_bytes()[..], &words(n)[..n.min(20)]].concat(),
        5 => (0..n).flat_map(|_| (random.below(260) as u16).to_be_bytes()).collect(),
        // MQTT's SUBSCRIBE and PUBLISH.
        6 => [&[0x82, 9, 0, 1, 0, 4][..], b"a/b/", &[0, 0x30, 12, 0, 4], b"a/b/value1"].concat(),
        _ => [&[0; 4], &random.bytes(n % 8)[..]].concat(),
    }
}

#[test]
fn other_protocols_begun_late_are_not_taken_for_websocket() {
    let mut random = Random(0x5eed);
    for round in 0..160 {
        let kind = round % 8;
        let mut talk = Talk::new();
        let one_sided = round % 3 == 0;
        for _ in 0..30 {
            let side = if one_sided || random.below(2) == 0 {
                CLIENT
            } else {
                SERVER
            };
            let data: Vec<u8> = (0..1 + random.below(4))
                .flat_map(|_| other(kind, &mut random))
                .collect();
            let size = [100, 536, 1460][random.below(3)];
            for piece in data.chunks(size) {
                talk.packet(side, ACK, piece);
            }
        }
        let late = talk.packets.iter().skip(5 + random.below(20));
        let lossy = late.filter(|_| round % 2 == 0 || random.below(20) != 0);
        let snaplen = [usize::MAX, 40 + 200, 40 + 60][round / 8 % 3];
        let heard: Heard = hear_cut(lossy, 50_000, snaplen);
        assert!(heard.messages.is_empty(), "{kind}: {:?}", heard.messages);
    }
}
