//! What goes wrong on the way is told: segments made by hand, and the words that their blocks must hold.

#[path = "support/builder.rs"]
#[allow(dead_code, unreachable_pub, reason = "others need more of it")]
mod builder;

use builder::{ACK, FIN, Ip4, PSH, RST, SYN, Tcp};
use wschat_sniff::annotate::Detail;
use wschat_sniff::annotate::texts;
use wschat_sniff::base::{Captured, Limits, Timestamp};
use wschat_sniff::engine::Engine;
use wschat_sniff::export::View;
use wschat_sniff::export::palette::Palette;
use wschat_sniff::export::tcpdump;
use wschat_sniff::export::trace::{Options, Trace};
use wschat_sniff::wire::{LinkType, Packet};

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    User-Agent: Python/3.11 websockets/17.0\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// One connection, with what each of its segments is told to do.
struct Wire {
    engine: Engine,
    view: Trace,
    number: u64,
    port: u16,
    /// What each side has sent.
    sent: [u32; 2],
    /// What the next segment acknowledges, and the edges of its SACK block; all that was sent, without a block, when not set.
    sack: Option<[u32; 3]>,
}

const CLIENT: usize = 0;
const SERVER: usize = 1;

impl Wire {
    fn new() -> Self {
        let view = Trace::new(Options {
            catalog: texts::by_tag("en").unwrap(),
            detail: Detail::Verbose,
            palette: &Palette::PLAIN,
            width: None,
            full: false,
            tcpdump: tcpdump::Options::default(),
        });
        Self {
            engine: Engine::new(Limits::default()),
            view,
            number: 0,
            port: 40000,
            sent: [0; 2],
            sack: None,
        }
    }

    /// A segment `at` so many bytes before (or behind) what its side has sent. Gives what is told of it.
    fn segment(&mut self, side: usize, flags: u8, at: i32, payload: &[u8], window: u16) -> String {
        let isn = [1000_u32, 5000];
        let seq = isn[side] + self.sent[side].wrapping_add_signed(at);
        let [ack, edges @ ..] = self
            .sack
            .unwrap_or([self.sent[1 - side], 0, 0])
            .map(|at| isn[1 - side] + at);
        let options = match self.sack.take() {
            Some(_) => [&[1, 1, 5, 10][..], &edges.map(u32::to_be_bytes).concat()].concat(),
            None => Vec::new(),
        };
        let (sport, dport) = if side == CLIENT {
            (self.port, 7272)
        } else {
            (7272, self.port)
        };
        let ip = Ip4 {
            id: self.number as u16,
            ..Ip4::default()
        };
        let ip = if side == CLIENT { ip } else { ip.back() };
        let tcp = Tcp {
            sport,
            dport,
            seq,
            ack: if flags & ACK == 0 { 0 } else { ack },
            flags,
            window,
            options,
            payload: payload.to_vec(),
            ..Tcp::default()
        };
        let length = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        let end = self.sent[side].wrapping_add_signed(at) + length;
        self.sent[side] = self.sent[side].max(end);
        self.number += 1;
        let bytes = tcp.over4(&ip);
        let packet = Packet {
            number: self.number,
            time: Timestamp::from_nanos(self.number as i64 * 1_000_000),
            link: LinkType(12),
            data: Captured::whole(&bytes),
        };
        let begin = self.view.output().len();
        assert!(self.engine.packet(&packet, &mut self.view).is_continue());
        String::from_utf8(self.view.output()[begin..].to_vec()).unwrap()
    }

    /// The same, right behind what was sent before.
    fn next(&mut self, side: usize, flags: u8, payload: &[u8]) -> String {
        self.segment(side, flags, 0, payload, 512)
    }

    /// One that is open, after its handshakes.
    fn open() -> Self {
        let mut wire = Self::new();
        assert!(wire.next(CLIENT, SYN, b"").contains("step 1 of 3"));
        assert!(wire.next(SERVER, SYN | ACK, b"").contains("step 2 of 3"));
        assert!(wire.next(CLIENT, ACK, b"").contains("step 3 of 3"));
        let request = wire.next(CLIENT, ACK | PSH, REQUEST);
        assert!(
            request.contains("The client sends the WebSocket handshake request for \"/chat\""),
            "{request}"
        );
        let response = wire.next(SERVER, ACK | PSH, RESPONSE);
        assert!(response.contains("the handshake is successful"), "{response}");
        let ack = wire.next(CLIENT, ACK, b"");
        assert!(
            ack.contains("it has received the WebSocket handshake response"),
            "{ack}"
        );
        wire
    }
}

/// A text frame of the server.
fn text(words: &str) -> Vec<u8> {
    [&[0x81, words.len() as u8], words.as_bytes()].concat()
}

#[track_caller]
fn tells(told: &str, words: &str) {
    assert!(told.contains(words), "{words:?} is not in:\n{told}");
}

#[test]
fn a_syn_without_answer_comes_again() {
    let mut wire = Wire::new();
    wire.next(CLIENT, SYN, b"");
    tells(&wire.segment(CLIENT, SYN, -1, b"", 512), "The same SYN was sent before");
    wire.next(SERVER, SYN | ACK, b"");
    let again = wire.segment(SERVER, SYN | ACK, -1, b"", 512);
    tells(&again, "The same SYN+ACK was sent before");
}

#[test]
fn a_reset_that_may_not_be_accepted_is_told_as_that() {
    let mut wire = Wire::open();
    let ahead = wire.segment(SERVER, RST, 100, b"", 512);
    tells(&ahead, "an RST that");
    tells(&ahead, "may not accept");
    assert!(!ahead.contains("resets the TCP connection"), "{ahead}");
    wire.sent[SERVER] -= 100;
    // The challenge of who does not accept it, and what goes on.
    wire.next(CLIENT, ACK, b"");
    tells(&wire.next(SERVER, ACK, &text("hello")), "hello");
    let exact = wire.next(SERVER, RST, b"");
    tells(&exact, "resets the TCP connection");
}

#[test]
fn what_is_sent_again_is_told_from_what_was_captured_twice() {
    let mut wire = Wire::open();
    let frame = text("hello");
    wire.next(SERVER, ACK, &frame);
    let back = -(frame.len() as i32);
    let again = wire.segment(SERVER, ACK | PSH, back, &frame, 512);
    tells(&again, "sends again what was already sent");
    wire.number -= 1;
    let twice = wire.segment(SERVER, ACK | PSH, back, &frame, 512);
    tells(&twice, "This very packet was captured before");
    let other = wire.segment(SERVER, ACK | PSH, back, &text("hullo"), 512);
    tells(&other, "but with different bytes; the bytes sent first are used");
}

#[test]
fn a_segment_that_comes_too_early_waits_for_the_one_that_fills_the_gap() {
    let mut wire = Wire::open();
    let frame = text("hello");
    let early = wire.segment(SERVER, ACK, 3, &frame[3..], 512);
    tells(&early, "arrives ahead of 3 bytes not seen yet");
    let end = wire.sent[SERVER];
    wire.sack = Some([end - 7, end - 4, end]);
    let selective = wire.next(CLIENT, ACK, b"");
    tells(&selective, &format!("it has bytes {} to {} (SACK)", end - 4, end - 1));
    let late = wire.segment(SERVER, ACK, -(frame.len() as i32), &frame[..3], 512);
    tells(
        &late,
        "It brings bytes that were missing, and releases 4 bytes held back until now.",
    );
    tells(&late, "sends the client (port 40000 at");
}

/// A connection in which bytes wait behind a gap and whose time is over, and the next packet is of another one.
fn beside_what_waits() -> Wire {
    let mut wire = Wire::open();
    let frame = text("hello world");
    wire.next(SERVER, ACK, &frame[..5]);
    wire.segment(SERVER, ACK, 3, &frame[8..], 512);
    wire.next(CLIENT, ACK | RST, b"");
    wire.number += 3000;
    wire.port = 40001;
    wire
}

#[test]
fn what_a_packet_lets_be_told_of_another_connection_names_that_one() {
    let mut wire = beside_what_waits();
    let other = wire.next(CLIENT, SYN, b"");
    tells(&other, "/*\n * TCP handshake, step 1 of 3: SYN\n");
    let gap = other
        .find(" * The capture lacks 3 bytes from the server")
        .expect(&other);
    let named = other.find(" * What follows is of the connection between the client (port 40000 ");
    assert!(named.is_some_and(|named| named < gap), "{other}");
}

#[test]
fn what_a_packet_does_is_told_before_what_it_lets_be_told_of_another_connection() {
    let mut wire = beside_what_waits();
    let other = wire.next(CLIENT, ACK | FIN, b"data");
    tells(&other, "/*\n * TCP connection: FIN\n");
    let [sends, finishes, named] = [
        "(port 40001 at 10.0.0.1) sends 4 bytes",
        "it has finished sending",
        "What follows is of the connection between the client (port 40000 ",
    ]
    .map(|words| other.find(words).expect(&other));
    assert!(sends < named && finishes < named, "{other}");
}

#[test]
fn keep_alives_and_windows_are_told() {
    let mut wire = Wire::open();
    tells(&wire.segment(CLIENT, ACK, -1, b"", 512), "TCP keep-alive, no new data");
    let closed = wire.segment(CLIENT, ACK, 0, b"", 0);
    tells(&closed, "its receive window is closed (win 0)");
    let probe = wire.segment(SERVER, ACK, -1, b"", 512);
    tells(&probe, "probes whether the receive window of");
    let open = wire.segment(CLIENT, ACK, 0, b"", 100);
    tells(&open, "can take data again: its receive window is 100 bytes");
    let wider = wire.segment(CLIENT, ACK, 0, b"", 300);
    tells(&wider, "changes its receive window to 300 bytes");
}

#[test]
fn a_reset_in_the_middle_of_a_conversation_is_told() {
    let mut wire = Wire::open();
    wire.next(SERVER, ACK, &text("hello"));
    let reset = wire.next(CLIENT, RST | ACK, b"");
    tells(&reset, "resets the TCP connection to");
    tells(&reset, "what was still in flight may be lost");
    tells(&reset, "Session 1,");
}

#[test]
fn a_fin_without_a_close_frame_is_what_browsers_call_1006() {
    let mut wire = Wire::open();
    tells(&wire.next(CLIENT, FIN | ACK, b""), "code 1006");
    let second = wire.next(SERVER, FIN | ACK, b"");
    tells(&second, "sends its FIN as well");
    tells(&wire.next(CLIENT, ACK, b""), "the TCP connection is closed");
}

#[test]
fn one_ack_for_two_messages_names_both() {
    let mut wire = Wire::open();
    wire.next(SERVER, ACK, &[0x89, 0]);
    wire.next(SERVER, ACK, &text("hello"));
    tells(
        &wire.next(CLIENT, ACK, b""),
        "it has received the ping and the text message of 5 bytes.",
    );
    for word in ["a", "bc", "def"] {
        wire.next(SERVER, ACK, &text(word));
    }
    tells(
        &wire.next(CLIENT, ACK, b""),
        "the text message of 3 bytes and the 2 messages before it.",
    );
}
