//! One test a thing that happens to connections.

use crate::base::{GapCause, Limits, Side};
use crate::tcp::testing::{ACK, FIN, Line, NO_ID, RST, SYN, Wire, handshake, line};
use crate::tcp::{DataFact, HandshakeStep, TcpEnd};

const SAME: DataFact = DataFact::Retransmission { different: false };
const OTHER: DataFact = DataFact::Retransmission { different: true };

/// A connection that is open.
fn open() -> Wire {
    let mut wire = Wire::new(&Limits::default());
    wire.send_all(&handshake());
    wire
}

fn a(at: i64, payload: &[u8]) -> Line {
    line(Side::A, ACK, at, 0, payload)
}

/// So many milliseconds later something happens on another connection.
fn elsewhere(wire: &mut Wire, millis: i64) {
    wire.millis += millis;
    wire.send(&Line {
        port: 2,
        ..line(Side::A, SYN, -1, 0, b"")
    });
}

fn gaps(wire: &Wire, side: Side) -> Vec<(u64, u64, GapCause)> {
    let gaps = wire.stream(1, side).gaps.iter();
    gaps.map(|gap| (gap.offset, gap.length, gap.cause)).collect()
}

#[test]
fn the_handshake_is_told_step_by_step() {
    let mut wire = Wire::new(&Limits::default());
    let scale = |line: Line, shift| Line {
        options: vec![3, 3, shift],
        window: 1000,
        ..line
    };
    let [syn, syn_ack, ack] = handshake();
    let facts = wire.send(&scale(syn, 7));
    assert_eq!((facts.handshake, facts.first), (Some(HandshakeStep::Syn), true));
    assert_eq!(
        (facts.window.bytes, facts.window.scaled),
        (1000, true),
        "a SYN's window is not scaled"
    );
    let facts = wire.send(&scale(syn_ack.clone(), 2));
    assert_eq!((facts.handshake, facts.first), (Some(HandshakeStep::SynAck), false));
    let facts = wire.send(&scale(syn_ack, 2));
    assert_eq!((facts.handshake, facts.syn_again), (Some(HandshakeStep::SynAck), true));
    let facts = wire.send(&Line { window: 1000, ..ack });
    assert_eq!(facts.handshake, Some(HandshakeStep::Ack));
    assert_eq!((facts.window.bytes, facts.window.scaled), (128_000, true));
    assert!(!facts.midstream && !facts.ack.duplicate);
    assert_eq!(wire.send(&a(0, b"x")).handshake, None);
    let ack = line(Side::B, ACK, 0, 1, b"");
    assert_eq!(wire.send(&Line { window: 1000, ..ack }).window.bytes, 4000);
}

#[test]
fn what_comes_again_is_told_from_what_is_other() {
    let mut wire = open();
    wire.send(&a(0, b"hello"));
    assert_eq!(wire.send(&a(0, b"hello")).data, SAME);
    let other = wire.send(&a(0, b"jello"));
    assert_eq!((other.data, other.different), (OTHER, Some(0..1)));
    assert_eq!(wire.send(&a(1, b"ello")).data, SAME);
    assert_eq!(
        wire.send(&a(3, b"XX world")).data,
        DataFact::PartlyRetransmitted { new: 6 }
    );
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello world", "what came first counts");
}

#[test]
fn what_came_first_counts_among_what_waits() {
    let mut wire = open();
    assert_eq!(
        wire.send(&a(4, b"EE")).data,
        DataFact::OutOfOrder {
            missing: 4,
            acknowledged: false
        }
    );
    assert_eq!(wire.send(&a(4, b"EE")).data, SAME);
    assert_eq!(
        wire.send(&a(2, b"cccccccc")).data,
        DataFact::OutOfOrder {
            missing: 2,
            acknowledged: false
        }
    );
    assert_eq!(
        wire.send(&a(0, b"aaaaaaaaaaaa")).data,
        DataFact::FillsGap { released: 8 }
    );
    assert_eq!(wire.stream(1, Side::A).bytes, b"aaccEEccccaa");
}

#[test]
fn a_packet_captured_twice_is_no_retransmission() {
    let mut wire = open();
    let twice = |id, line: Line| Line { id, ..line };
    for (id, sent) in [
        (1, a(0, b"hello")),
        (2, line(Side::B, ACK, 0, 5, b"")),
        (3, line(Side::B, ACK | FIN, 0, 5, b"")),
    ] {
        let first = wire.send(&twice(id, sent.clone()));
        assert_ne!(first.data, DataFact::Duplicate);
        assert_eq!(wire.send(&twice(id, sent.clone())).data, DataFact::Duplicate);
        assert_ne!(
            wire.send(&twice(id + 50, sent)).data,
            DataFact::Duplicate,
            "another packet"
        );
    }
    wire.millis += 5000;
    let [syn, ..] = handshake();
    let syn = Line { id: 9, port: 2, ..syn };
    wire.send(&syn);
    assert_eq!(wire.send(&syn).data, DataFact::Duplicate);
    wire.millis += 5000;
    assert!(
        wire.send(&syn).syn_again,
        "seconds later it is another packet, whatever its identification"
    );
}

#[test]
fn acknowledgments_tell_what_they_are_the_first_to_acknowledge() {
    let mut wire = open();
    wire.send(&a(0, b"hello"));
    wire.send(&a(5, b"world"));
    let ack = |number| line(Side::B, ACK, 0, number, b"");
    assert_eq!(wire.send(&ack(3)).ack.newly, 0..3);
    let facts = wire.send(&ack(3)).ack;
    assert!(facts.duplicate && facts.newly.is_empty());
    let facts = wire.send(&ack(10)).ack;
    assert_eq!((facts.newly, facts.duplicate, facts.unseen), (3..10, false, false));
    assert!(!wire.send(&ack(10)).ack.duplicate, "nothing is outstanding");
    assert!(wire.send(&ack(20)).ack.unseen);
    assert!(
        wire.send(&ack(2_000_000_000)).ack.newly.is_empty(),
        "nobody can have sent that much"
    );
    wire.send(&line(Side::A, ACK | FIN, 20, 0, b""));
    let facts = wire.send(&ack(21)).ack;
    assert!(facts.fin && facts.newly.is_empty());
    assert!(!wire.send(&ack(21)).ack.fin);
}

#[test]
fn keep_alives_and_window_probes() {
    let mut wire = open();
    wire.send(&a(0, b"hello"));
    wire.send(&line(Side::B, ACK, 0, 5, b""));
    assert_eq!(wire.send(&a(4, b"")).data, DataFact::KeepAlive);
    assert_eq!(wire.send(&a(4, b"\0")).data, DataFact::KeepAlive);
    assert_eq!(wire.send(&line(Side::B, ACK, -1, 5, b"")).data, DataFact::KeepAlive);
    let window = |window| Line {
        window,
        ..line(Side::B, ACK, 0, 5, b"")
    };
    let facts = wire.send(&window(0)).window;
    assert!(facts.closed && !facts.reopened && facts.update_only);
    assert_eq!(wire.send(&a(4, b"")).data, DataFact::WindowProbe);
    let probe = wire.send(&a(5, b"!"));
    assert_eq!((probe.data, probe.range), (DataFact::WindowProbe, 5..6));
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello", "it does not fit");
    assert!(!wire.send(&window(0)).window.closed, "it is closed already");
    let facts = wire.send(&window(9)).window;
    assert!(facts.reopened && facts.update_only);
    wire.send(&a(5, b"! again"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello! again");
}

#[test]
fn a_syn_may_carry_data() {
    let mut wire = Wire::new(&Limits::default());
    wire.send(&line(Side::A, SYN, -1, 0, b"GET "));
    assert!(wire.upper.told[&1].streams[0].bytes.is_empty(), "until it is accepted");
    wire.send(&line(Side::B, SYN | ACK, -1, 4, b""));
    assert_eq!(wire.stream(1, Side::A).bytes, b"GET ");
    let facts = wire.send(&a(0, b"GET /"));
    assert_eq!(facts.data, DataFact::PartlyRetransmitted { new: 1 });
    assert_eq!(wire.stream(1, Side::A).bytes, b"GET /");
}

#[test]
fn both_may_open_at_once() {
    let mut wire = Wire::new(&Limits::default());
    for side in [Side::A, Side::B] {
        assert_eq!(
            wire.send(&line(side, SYN, -1, 0, b"")).handshake,
            Some(HandshakeStep::Syn)
        );
    }
    for side in [Side::A, Side::B] {
        assert_eq!(
            wire.send(&line(side, SYN | ACK, -1, 0, b"")).handshake,
            Some(HandshakeStep::SynAck)
        );
    }
    wire.send(&line(Side::B, ACK, 0, 0, b"hello"));
    wire.send(&line(Side::A, ACK, 0, 5, b"you too"));
    assert_eq!(wire.upper.told.len(), 1);
    assert_eq!(wire.stream(1, Side::A).bytes, b"you too");
    assert_eq!(wire.stream(1, Side::B).bytes, b"hello");
}

#[test]
fn ports_are_used_again_after_a_close() {
    let mut wire = open();
    wire.send(&line(Side::A, ACK | FIN, 0, 0, b""));
    wire.send(&line(Side::B, ACK | FIN, 0, 1, b""));
    wire.send(&line(Side::A, ACK, 1, 1, b""));
    assert_eq!(wire.upper.told.len(), 1);
    let later = |line: Line| Line { era: 77_777, ..line };
    wire.send_all(&handshake().map(later));
    wire.send(&later(a(0, b"again")));
    assert_eq!(wire.stream(2, Side::A).bytes, b"again");
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
}

#[test]
fn ports_are_used_again_without_a_goodbye() {
    let mut wire = open();
    wire.send(&a(0, b"first"));
    wire.send(&line(Side::B, ACK, 0, 5, b"one"));
    // The sides change: who was connected to connects now.
    let later = |line: Line| Line {
        era: 1_000_000_000,
        side: line.side.other(),
        ..line
    };
    let [syn, syn_ack, ack] = handshake().map(later);
    assert_eq!(wire.send(&syn).data, DataFact::OutOfWindow, "it may be a stranger's");
    assert_eq!(wire.upper.ends, []);
    let facts = wire.send(&syn_ack);
    assert_eq!(facts.handshake, Some(HandshakeStep::SynAck));
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Reused)]);
    assert_eq!(wire.send(&ack).handshake, Some(HandshakeStep::Ack));
    wire.send(&later(a(0, b"second")));
    assert_eq!(wire.stream(1, Side::A).bytes, b"first");
    // `A` is who sent the segment that proved the new connection.
    assert_eq!(wire.stream(2, Side::B).bytes, b"second");
}

#[test]
fn a_live_connection_survives_a_strange_syn() {
    let mut wire = open();
    wire.send(&a(0, b"first"));
    wire.send(&Line {
        era: 1_000_000_000,
        ..line(Side::A, SYN, -1, 0, b"")
    });
    wire.send(&line(Side::B, ACK, 0, 5, b""));
    wire.send(&a(5, b" second"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"first second");
    assert_eq!(wire.upper.told.len(), 1);
}

#[test]
fn a_refused_connection() {
    let mut wire = Wire::new(&Limits::default());
    wire.send(&line(Side::A, SYN, -1, 0, b""));
    let refused = line(Side::B, RST | ACK, -99_999, 0, b"");
    let facts = wire.send(&refused);
    assert!(facts.reset && facts.refused);
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Reset { by: Side::B })]);
    assert!(wire.stream(1, Side::B).reset);
    // The port is used again at once, with other numbers.
    wire.send(&Line {
        era: 5,
        ..line(Side::A, SYN, -1, 0, b"")
    });
    assert_eq!(wire.upper.told.len(), 2);
}

#[test]
fn only_a_plausible_reset_ends_a_connection() {
    let mut wire = open();
    wire.send(&a(0, b"hello"));
    for at in [-1000, 100_000_000, -2_000_000_000] {
        let facts = wire.send(&line(Side::A, RST, at, 0, b""));
        assert!(!facts.reset && facts.data == DataFact::OutOfWindow);
    }
    assert!(wire.send(&line(Side::A, RST, 5, 0, b"")).reset);
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Reset { by: Side::A })]);
    wire.send(&line(Side::B, ACK, 0, 5, b"too late"));
    assert!(wire.stream(1, Side::B).bytes.is_empty());
}

#[test]
fn what_crosses_a_reset_is_in_order_and_each_of_it_is_answered_by_a_reset_of_its_own() {
    let mut wire = open();
    let reset = Line {
        id: NO_ID,
        ..line(Side::B, RST, 0, 0, b"")
    };
    assert!(wire.send(&reset).reset);
    for (at, payload) in [(0, &b"hello"[..]), (5, b"to "), (8, b"you")] {
        wire.millis -= 2;
        assert_eq!(wire.send(&a(at, payload)).data, DataFact::InOrder);
        assert_ne!(wire.send(&reset).data, DataFact::Duplicate);
    }
    wire.millis -= 1;
    assert_eq!(wire.send(&reset).data, DataFact::Duplicate);
}

#[test]
fn a_reset_releases_what_waits() {
    let mut wire = open();
    wire.send(&a(2, b"llo"));
    wire.send(&line(Side::B, RST, 0, 0, b""));
    assert_eq!(wire.upper.ends, [], "what is missing may have been overtaken");
    elsewhere(&mut wire, 1100);
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Reset { by: Side::B })]);
    assert_eq!(wire.stream(1, Side::A).bytes, b"\0\0llo");
    assert_eq!(gaps(&wire, Side::A), [(0, 2, GapCause::Lost)]);
}

#[test]
fn a_half_closed_connection_goes_on() {
    let mut wire = open();
    let facts = wire.send(&line(Side::A, ACK | FIN, 0, 0, b"bye"));
    assert!(facts.fin && !wire.stream(1, Side::A).fin, "it may be forged");
    assert!(!wire.send(&line(Side::A, ACK | FIN, 0, 0, b"bye")).fin);
    for at in 0..10 {
        wire.send(&line(Side::B, ACK, at, 4, b"x"));
    }
    assert_eq!(
        wire.send(&line(Side::A, ACK | FIN, 3, 10, b"")).data,
        SAME,
        "the FIN comes again"
    );
    wire.send(&line(Side::B, ACK | FIN, 10, 4, b""));
    assert_eq!(wire.stream(1, Side::B).bytes, b"xxxxxxxxxx");
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
}

#[test]
fn nothing_comes_behind_a_fin() {
    let mut wire = open();
    wire.send(&line(Side::A, ACK | FIN, 0, 0, b"bye"));
    assert_eq!(wire.send(&a(3, b"more")).data, DataFact::Doubtful);
    assert_eq!(wire.send(&a(4, b"more")).data, DataFact::Doubtful);
    wire.send(&line(Side::B, ACK, 0, 4, b""));
    assert_eq!(wire.send(&a(3, b"more")).data, DataFact::OutOfWindow);
    wire.finish();
    assert_eq!(wire.stream(1, Side::A).bytes, b"bye");
    assert_eq!(gaps(&wire, Side::A), []);
}

#[test]
fn a_fin_waits_for_what_is_before_it() {
    let mut wire = open();
    assert!(wire.send(&line(Side::A, ACK | FIN, 3, 0, b"")).fin);
    wire.send(&line(Side::B, ACK | FIN, 0, 0, b""));
    assert!(!wire.stream(1, Side::A).fin && wire.upper.ends.is_empty());
    assert_eq!(wire.send(&a(0, b"abc")).data, DataFact::FillsGap { released: 0 });
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
}

#[test]
fn a_lost_last_segment_is_told_when_all_is_over() {
    let mut wire = open();
    wire.send(&line(Side::A, ACK | FIN, 3, 0, b""));
    wire.send(&line(Side::B, ACK | FIN, 0, 4, b""));
    wire.send(&line(Side::A, ACK, 4, 1, b""));
    assert_eq!(wire.upper.ends, [], "it may have been overtaken");
    elsewhere(&mut wire, 1100);
    assert_eq!(
        gaps(&wire, Side::A),
        [(0, 3, GapCause::Lost)],
        "nothing will fill it any more"
    );
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
}

#[test]
fn a_last_segment_may_be_overtaken_by_both_goodbyes() {
    let mut wire = open();
    wire.send(&line(Side::A, ACK | FIN, 3, 0, b""));
    wire.send(&line(Side::B, ACK | FIN, 0, 4, b""));
    wire.send(&line(Side::A, ACK, 4, 1, b""));
    elsewhere(&mut wire, 900);
    wire.send(&a(0, b"bye"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"bye");
    assert_eq!(gaps(&wire, Side::A), []);
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
}

#[test]
fn a_reset_may_overtake_the_last_segments_of_both_sides() {
    let mut wire = open();
    wire.send(&line(Side::A, RST | ACK, 3, 6, b""));
    assert_eq!(wire.upper.ends, []);
    wire.send(&a(0, b"bye"));
    assert_eq!(wire.upper.ends, []);
    wire.send(&line(Side::B, ACK, 0, 0, b"answer"));
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Reset { by: Side::A })]);
    assert_eq!(wire.stream(1, Side::A).bytes, b"bye");
    assert_eq!(wire.stream(1, Side::B).bytes, b"answer");
    assert!(wire.stream(1, Side::A).reset && !wire.stream(1, Side::B).reset);
}

#[test]
fn a_reset_behind_a_fin_ends_at_once() {
    let mut wire = open();
    wire.send(&line(Side::A, ACK | FIN, 0, 0, b"bye"));
    wire.send(&line(Side::B, ACK, 0, 4, b"one more thing"));
    wire.send(&line(Side::A, RST, 4, 0, b""));
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Reset { by: Side::A })]);
}

#[test]
fn who_sends_on_has_not_reset() {
    let mut wire = open();
    wire.send(&a(0, b"hello"));
    // Somebody else has sent it, and knew the numbers.
    assert!(wire.send(&line(Side::A, RST, 5, 0, b"")).reset);
    wire.send(&a(0, b"hello"));
    assert_eq!(wire.upper.told.len(), 1, "it was on its way before");
    wire.send(&a(5, b" again"));
    wire.send(&line(Side::B, ACK, 0, 11, b"yes"));
    assert_eq!(wire.stream(2, Side::A).bytes, b" again");
    assert_eq!(wire.stream(2, Side::B).bytes, b"yes");
}

#[test]
fn a_reset_out_of_the_window_that_was_believed_is_told_when_nothing_follows() {
    let mut wire = open();
    wire.send(&line(Side::A, RST, 100, 0, b""));
    wire.send(&a(0, b"hello"));
    assert_eq!(wire.upper.ends, []);
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello");
    elsewhere(&mut wire, 1100);
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Reset { by: Side::A })]);
    assert_eq!(
        gaps(&wire, Side::A),
        [],
        "nobody says that the bytes between were ever sent"
    );
}

#[test]
fn a_cut_packet_is_a_gap_behind_what_was_captured() {
    let mut wire = open();
    wire.send_cut(&a(5, b"world"), 2);
    wire.send_cut(&a(0, b"hello"), 5);
    wire.send_cut(&a(10, b"unseen"), 0);
    assert_eq!(wire.stream(1, Side::A).bytes, b"hellowo\0\0\0\0\0\0\0\0\0");
    assert_eq!(
        gaps(&wire, Side::A),
        [(7, 3, GapCause::Snaplen), (10, 6, GapCause::Snaplen)]
    );
}

#[test]
fn a_gap_waits_for_its_retransmission() {
    let mut wire = open();
    wire.send(&a(0, b"one"));
    // The receiver says again and again what it lacks, for longer than any patience: it has not got it.
    for at in 0..50 {
        wire.send(&a(6 + at * 5, b"three"));
        wire.send(&line(Side::B, ACK, 0, 3, b""));
        wire.millis += 10;
    }
    assert_eq!(wire.send(&a(3, b"two")).data, DataFact::FillsGap { released: 250 });
    assert_eq!(gaps(&wire, Side::A), []);
    assert_eq!(&wire.stream(1, Side::A).bytes[..11], b"onetwothree");
}

#[test]
fn an_acknowledgment_captured_before_its_data_makes_no_gap() {
    let mut wire = open();
    wire.send(&line(Side::B, ACK, 0, 9, b""));
    wire.send(&a(6, b"ghi"));
    wire.send(&a(3, b"def"));
    wire.send(&a(0, b"abc"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"abcdefghi");
    assert_eq!(gaps(&wire, Side::A), []);
}

#[test]
fn what_waits_behind_an_acknowledged_gap_comes_before_the_answer_to_it() {
    let mut wire = open();
    wire.send(&a(0, b"one"));
    wire.send(&a(6, b"three"));
    wire.send(&line(Side::B, ACK, 0, 11, b""));
    wire.millis += 10;
    wire.send(&line(Side::B, ACK, 0, 11, b"answer"));
    assert_eq!(gaps(&wire, Side::A), [(3, 3, GapCause::Lost)]);
    assert_eq!(wire.stream(1, Side::A).bytes, b"one\0\0\0three");
}

#[test]
fn where_packets_are_out_of_order_an_acknowledged_gap_waits_for_longer() {
    let mut wire = open();
    // Elsewhere something comes that was captured earlier than what is known.
    elsewhere(&mut wire, 5);
    wire.millis -= 4;
    wire.send(&a(0, b"one"));
    wire.send(&a(6, b"three"));
    wire.send(&line(Side::B, ACK, 0, 11, b""));
    wire.millis += 10;
    wire.send(&line(Side::B, ACK, 0, 11, b"answer"));
    wire.send(&a(3, b"two"));
    assert_eq!(gaps(&wire, Side::A), []);
    assert_eq!(wire.stream(1, Side::A).bytes, b"onetwothree");
}

#[test]
fn a_window_probe_that_was_refused_is_not_the_streams() {
    let mut wire = open();
    wire.send(&a(0, b"hello"));
    let window = |ack, window| Line {
        window,
        ..line(Side::B, ACK, 0, ack, b"")
    };
    wire.send(&window(5, 0));
    // Longer than the window of somebody silent counts otherwise.
    wire.millis += 5000;
    assert_eq!(wire.send(&a(5, b"?")).data, DataFact::WindowProbe);
    wire.send(&window(5, 0));
    wire.send(&window(5, 9));
    wire.send(&a(5, b"! again"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello! again");
    // One that is taken is.
    wire.send(&window(12, 0));
    wire.millis += 5000;
    wire.send(&a(12, b"?"));
    wire.send(&window(13, 0));
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello! again?");
}

#[test]
fn without_the_other_side_a_gap_is_given_up_by_time() {
    let mut wire = Wire::new(&Limits::default());
    wire.send(&a(0, b"one"));
    wire.send(&a(6, b"three"));
    wire.millis += 1000;
    wire.send(&a(11, b"four"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"one");
    wire.millis += 2000;
    wire.send(&a(15, b"five"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"one\0\0\0threefourfive");
}

#[test]
fn who_leaves_gaps_for_ever_keeps_to_the_bound() {
    let limits = Limits {
        waiting_bytes: 10_000,
        ..Limits::default()
    };
    let mut wire = Wire::new(&limits);
    wire.send_all(&handshake());
    for at in 0..10_000 {
        wire.send(&a(1 + at * 2, b"x"));
        assert!(wire.table.held() <= limits.waiting_bytes);
    }
    let (_, _, cause) = gaps(&wire, Side::A)[0];
    assert_eq!(cause, GapCause::Evicted);
    assert!(wire.stream(1, Side::A).bytes.len() > 15_000);
}

#[test]
fn when_memory_is_short_those_that_hold_most_let_go_of_it_first() {
    let limits = Limits {
        memory_bytes: 59_400,
        ..Limits::default()
    };
    let mut wire = Wire::new(&limits);
    for port in 1..=30u16 {
        wire.send_all(&handshake().map(|line| Line { port, ..line }));
    }
    for port in 1..=30u16 {
        let payload = vec![7; if port % 3 == 0 { 2500 } else { 900 }];
        wire.send(&Line { port, ..a(1, &payload) });
        assert!(wire.table.memory() <= limits.memory_bytes);
    }
    let let_go = |port: &u16| !wire.stream(u64::from(*port), Side::A).bytes.is_empty();
    let gone: Vec<u16> = (1..=30).filter(let_go).collect();
    assert_eq!(gone, [3, 6, 9], "the largest, and of those who began first");
    assert_eq!(wire.table.len(), 30);
    assert_eq!(wire.stream(3, Side::A).gaps[0].cause, GapCause::Evicted);
    wire.send(&Line { port: 30, ..a(0, b"!") });
    assert_eq!(wire.stream(30, Side::A).bytes.len(), 2501);
    assert!(wire.stream(30, Side::A).gaps.is_empty());
}

#[test]
fn silence_ends_a_connection() {
    let limits = Limits {
        idle_seconds: 100,
        ..Limits::default()
    };
    let mut wire = Wire::new(&limits);
    wire.send_all(&handshake());
    let other = Line { port: 2, ..a(0, b"x") };
    let pause = |wire: &mut Wire, at, millis| {
        wire.millis += millis;
        wire.send(&Line { at, ..other.clone() });
    };
    pause(&mut wire, 0, 50_000);
    pause(&mut wire, 1, 40_000);
    wire.send(&a(0, b"still here"));
    pause(&mut wire, 2, 50_000);
    pause(&mut wire, 3, 45_000);
    assert_eq!(wire.upper.ends, []);
    pause(&mut wire, 4, 10_000);
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Idle)]);
    assert_eq!(wire.table.len(), 1);
}

#[test]
fn too_many_connections_end_the_longest_silent_one() {
    let limits = Limits {
        flows: 3,
        ..Limits::default()
    };
    let mut wire = Wire::new(&limits);
    for port in 1..=4 {
        wire.send_all(&handshake().map(|line| Line { port, ..line }));
        wire.millis += 2000;
        wire.send(&Line { port: 1, ..a(0, b"x") });
        wire.millis += 2000;
    }
    assert_eq!(wire.upper.ends, [(2, TcpEnd::Evicted)]);
    wire.finish();
    let rest = [1, 3, 4].map(|number| (number, TcpEnd::CaptureEnd));
    assert_eq!(wire.upper.ends[1..], rest, "in the order in which they began");
}

#[test]
fn connections_that_are_over_do_not_pile_up() {
    let mut wire = Wire::new(&Limits::default());
    for port in 1..10_000 {
        wire.send(&Line {
            port,
            ..line(Side::A, SYN, -1, 0, b"")
        });
        wire.send(&Line {
            port,
            ..line(Side::B, RST | ACK, -1, 0, b"")
        });
    }
    assert!(wire.table.len() < 5000);
    for at in 0..2 {
        wire.millis += 50_000;
        wire.send(&a(at, b"x"));
    }
    assert_eq!(wire.table.len(), 1);
}

#[test]
fn a_capture_may_begin_with_a_keep_alive_or_an_acknowledgment() {
    let mut wire = Wire::new(&Limits::default());
    let facts = wire.send(&a(999, b""));
    assert!(facts.midstream && facts.first);
    wire.send(&line(Side::B, ACK, 500, 1000, b""));
    wire.send(&line(Side::A, ACK, 1000, 500, b"hello"));
    wire.send(&line(
        Side::B,
        ACK,
        600,
        1005,
        b"what was sent before the capture began is no gap",
    ));
    wire.send(&line(Side::A, ACK, 1005, 648, b""));
    wire.millis += 1000;
    wire.send(&line(Side::A, ACK, 1005, 648, b" again"));
    wire.finish();
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello again");
    assert!(wire.stream(1, Side::B).bytes.starts_with(b"what was"));
    assert_eq!(gaps(&wire, Side::B), []);
}

#[test]
fn a_lost_syn_does_not_matter() {
    let [syn, syn_ack, ack] = handshake();
    for lines in [
        vec![syn.clone(), ack.clone()],
        vec![syn_ack.clone(), ack.clone()],
        vec![syn.clone(), syn_ack.clone()],
        // Captured in the wrong order.
        vec![syn_ack, syn, ack],
    ] {
        let mut wire = Wire::new(&Limits::default());
        wire.send_all(&lines);
        wire.send(&a(3, b"def"));
        wire.send(&a(0, b"abc"));
        wire.send(&line(Side::B, ACK, 0, 6, b"ok"));
        wire.finish();
        assert_eq!(wire.upper.told.len(), 1);
        let first = lines[0].side;
        let of = |side| {
            wire.stream(1, if side == first { Side::A } else { Side::B })
                .bytes
                .as_slice()
        };
        assert_eq!((of(Side::A), of(Side::B)), (&b"abcdef"[..], &b"ok"[..]));
    }
}

/// What is seen of a connection that has begun earlier, as the first bytes of `first`'s direction.
fn late(lines: &[Line]) -> Wire {
    let mut wire = Wire::new(&Limits::default());
    wire.send_all(lines);
    wire
}

#[test]
fn a_late_capture_delivers_at_once_what_others_acknowledge() {
    let mut wire = late(&[line(Side::A, ACK, 100, 50, b"hello")]);
    assert_eq!(wire.upper.told[&1].facts[0].data, DataFact::InOrder);
    assert!(
        wire.stream(1, Side::A).bytes.is_empty(),
        "older bytes may be on their way"
    );
    let facts = wire.send(&line(Side::B, ACK, 50, 105, b"hi"));
    assert_eq!((facts.data, facts.ack.newly), (DataFact::InOrder, 0..5));
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello");
    assert_eq!(wire.stream(1, Side::B).bytes, b"hi", "all before it was acknowledged");
    wire.send(&line(Side::A, ACK, 105, 52, b" again"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello again");
}

#[test]
fn a_late_capture_waits_for_what_was_overtaken() {
    for acknowledged in [true, false] {
        let mut wire = late(&[line(Side::A, ACK, 110, 50, b"third ")]);
        if acknowledged {
            // It says what it lacks, for as long as it takes to send that again.
            wire.send(&line(Side::B, ACK, 50, 100, b""));
            wire.millis += 300;
            wire.send(&line(Side::B, ACK, 50, 100, b""));
        }
        wire.send(&line(Side::A, ACK, 105, 50, b"secnd"));
        wire.send(&line(Side::A, ACK, 116, 50, b"fourth"));
        wire.send(&line(Side::A, ACK, 100, 50, b"first"));
        wire.send(&line(Side::B, ACK, 50, 122, b"ok"));
        assert_eq!(
            String::from_utf8_lossy(&wire.stream(1, Side::A).bytes),
            "firstsecndthird fourth"
        );
        assert_eq!(wire.stream(1, Side::B).bytes, b"ok");
        assert_eq!(gaps(&wire, Side::A), []);
    }
}

#[test]
fn a_late_capture_of_one_side_waits_a_moment() {
    let mut wire = late(&[
        line(Side::A, ACK, 105, 50, b"two"),
        line(Side::A, ACK, 100, 50, b"one: "),
    ]);
    assert!(wire.stream(1, Side::A).bytes.is_empty());
    wire.millis += 20;
    wire.send(&line(Side::A, ACK, 108, 50, b"three"));
    assert_eq!(wire.stream(1, Side::A).bytes, b"one: twothree");
    wire.send(&line(Side::A, ACK | FIN, 113, 50, b"."));
    assert!(wire.stream(1, Side::A).fin);
    // What it acknowledges has not come; the other side may be the rest of the file.
    wire.send(&line(Side::B, ACK | FIN, 50, 115, b""));
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
}

#[test]
fn a_late_capture_may_begin_with_a_fin_or_a_reset() {
    let mut wire = late(&[line(Side::A, ACK | FIN, 105, 50, b"")]);
    wire.send(&line(Side::A, ACK, 100, 50, b"hello"));
    wire.send(&line(Side::B, ACK | FIN, 50, 106, b""));
    assert_eq!(wire.stream(1, Side::A).bytes, b"hello");
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
    // What has ended does not begin anew further to the left.
    let mut wire = late(&[line(Side::A, ACK | FIN, 105, 50, b""), line(Side::B, ACK, 50, 105, b"")]);
    wire.send(&line(Side::A, ACK, 100, 50, b"hello"));
    assert!(wire.stream(1, Side::A).fin && wire.stream(1, Side::A).bytes.is_empty());
    let wire = late(&[line(Side::A, RST, 105, 50, b"")]);
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Reset { by: Side::A })]);
}

#[test]
fn a_syn_may_come_behind_its_data() {
    for answered in [false, true] {
        let mut wire = late(&[a(3, b"def")]);
        if answered {
            wire.send(&line(Side::B, SYN | ACK, -1, 0, b""));
        }
        wire.send(&line(Side::A, SYN, -1, 0, b""));
        wire.send(&a(0, b"abc"));
        assert_eq!(wire.stream(1, Side::A).bytes, b"abcdef");
        assert_eq!(wire.upper.told.len(), 1);
    }
}

#[test]
fn one_direction_may_stand_behind_the_other_in_the_file() {
    let mut wire = Wire::new(&Limits::default());
    let both = |index: i64| {
        [
            line(Side::A, ACK, index * 4, index * 4, &[b'a'; 4]),
            line(Side::B, ACK, index * 4, index * 4 + 4, &[b'b'; 4]),
        ]
    };
    let conversation: Vec<Line> = (0..100).flat_map(both).collect();
    for side in [Side::A, Side::B] {
        let mut lines: Vec<_> = conversation
            .iter()
            .enumerate()
            .filter(|(_, line)| line.side == side)
            .collect();
        // Neighbours in the wrong order, in the second one for once far apart in time.
        for pair in lines.chunks_mut(2) {
            pair.reverse();
        }
        for (index, line) in lines {
            wire.millis = 5 * index as i64;
            wire.send(line);
        }
    }
    for (side, byte) in [(Side::A, b'a'), (Side::B, b'b')] {
        assert_eq!(wire.stream(1, side).bytes, [byte; 400]);
        assert_eq!(gaps(&wire, side), []);
    }
}
