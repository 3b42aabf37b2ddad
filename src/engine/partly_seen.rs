//! Captures that hold only a part of what was said: begun late, cut, with gaps.

use super::tests::{ACK, CLIENT, SERVER, Talk, frame, hear, hear_cut, request, response, text};

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
    assert_eq!(hear(late(), 250).texts(), [say(0), say(1)]);
    let gap = late()
        .enumerate()
        .filter(|(at, _)| !(6..8).contains(at))
        .map(|(_, p)| p);
    assert_eq!(hear(gap, 250).texts(), [say(0), say(1)]);
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
    let cut = hear_cut(talk.packets.iter(), 250, 1032);
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
    for snaplen in [40 + 15, 40 + 40, 40 + 100] {
        let heard = hear_cut(talk.packets.iter(), 250, snaplen);
        assert_eq!(heard.texts(), ["hi", "ho"], "{snaplen}");
        assert_eq!(heard.rules, [""; 0]);
    }
}
