//! What somebody can do who sends packets into a connection that he does not see, or that he sees and forges.

use crate::base::{Captured, Limits, Side};
use crate::tcp::testing::{ACK, FIN, Line, RST, SYN, URG, Wire, handshake, line};
use crate::tcp::{DataFact, TcpEnd};

/// A connection that is open and has said "one".
fn open() -> Wire {
    open_with(|line| line)
}

fn open_with(change: impl Fn(Line) -> Line) -> Wire {
    let mut wire = Wire::new(&Limits::default());
    wire.send_all(&handshake().map(&change));
    wire.send(&change(a(0, b"one")));
    wire.send(&change(b(3)));
    wire
}

fn a(at: i64, payload: &[u8]) -> Line {
    line(Side::A, ACK, at, 0, payload)
}

/// The receiver acknowledges all before `at`.
fn b(at: i64) -> Line {
    line(Side::B, ACK, 0, at, b"")
}

fn said(wire: &Wire) -> String {
    String::from_utf8_lossy(&wire.stream(1, Side::A).bytes).replace('\0', "_")
}

/// Whatever `forged` is, the two real segments that follow are read, and nothing of it.
#[track_caller]
fn goes_on_after(forged: &[Line]) -> Wire {
    let mut wire = open();
    wire.send_all(forged);
    wire.send(&a(3, b" two"));
    wire.send(&b(7));
    wire.millis += 130_000;
    wire.send(&a(7, b" three"));
    wire.send(&b(13));
    wire.millis += 130_000;
    wire.send(&a(13, b" four"));
    wire.send(&b(18));
    assert_eq!(said(&wire), "one two three four");
    assert!(wire.stream(1, Side::A).gaps.is_empty());
    assert_eq!(wire.upper.ends, []);
    assert_eq!(wire.upper.told.len(), 1);
    wire
}

#[test]
fn rfc5961_5_blind_data_all_over_the_sequence_space_does_not_silence_a_direction() {
    let blind = |quarter: i64| line(Side::A, ACK, 600_000_000 + (quarter << 30), 1_400_000_000, b"x");
    goes_on_after(&[0, 1, 2, 3].map(blind));
    // The same by somebody who knows what was acknowledged.
    goes_on_after(&[0, 1, 2, 3].map(|quarter| a(600_000_000 + (quarter << 30), b"x")));
}

#[test]
fn rfc5961_4_a_spoofed_syn_and_what_follows_it_end_nothing() {
    let era = 77_000_000;
    let syn = Line {
        era,
        ..line(Side::A, SYN, -1, 0, b"")
    };
    let forged = line(Side::A, ACK, era.into(), 0, b"forged");
    goes_on_after(&[syn, forged]);
    let answer = Line {
        era,
        ..line(Side::B, SYN | ACK, -1, 500, b"")
    };
    goes_on_after(&[answer]);
}

#[test]
fn rfc5961_3_a_spoofed_rst_in_the_window_ends_nothing() {
    let mut wire = goes_on_after(&[line(Side::A, RST, 9000, 0, b""), b(3)]);
    let facts = wire.send(&line(Side::A, RST, 1_000_000_000, 0, b""));
    assert!(!facts.reset && facts.data == DataFact::OutOfWindow);
    wire.send(&line(Side::A, RST, 18, 0, b""));
    assert_eq!(
        wire.upper.ends,
        [(1, TcpEnd::Reset { by: Side::A })],
        "the right number ends it"
    );
}

#[test]
fn a_forged_fin_with_the_right_number_is_refuted_by_what_is_acknowledged_behind_it() {
    let mut wire = goes_on_after(&[line(Side::A, ACK | FIN, 3, 0, b"")]);
    wire.send(&line(Side::A, ACK | FIN, 18, 0, b""));
    wire.send(&line(Side::B, ACK | FIN, 0, 19, b""));
    assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
}

#[test]
fn data_behind_a_fin_that_is_acknowledged_is_not_the_streams() {
    let mut wire = open();
    wire.send(&line(Side::A, ACK | FIN, 3, 0, b""));
    assert_eq!(wire.send(&a(3, b"forged")).data, DataFact::Doubtful);
    wire.send(&b(4));
    wire.finish();
    assert!(wire.stream(1, Side::A).fin);
    assert_eq!(said(&wire), "one");
}

#[test]
fn bytes_beyond_the_window_give_way_to_those_that_come_when_it_is_open() {
    let narrow = |at| Line { window: 10, ..b(at) };
    let mut handshake = handshake();
    handshake[1].window = 10;
    let mut narrowed = Wire::new(&Limits::default());
    narrowed.send_all(&handshake);
    narrowed.send(&a(0, b"one"));
    narrowed.send(&narrow(3));
    assert_eq!(narrowed.send(&a(12, b"forged")).data, DataFact::Doubtful);
    narrowed.send(&a(3, b" two and t"));
    narrowed.send(&narrow(13));
    let facts = narrowed.send(&a(13, b"three"));
    assert_eq!(facts.different, Some(13..18));
    narrowed.send(&b(18));
    assert_eq!(said(&narrowed), "one two and tthree");
}

#[test]
fn a_window_whose_scale_is_not_known_casts_no_doubt() {
    // No handshake: the window may be scaled.
    let mut wire = Wire::new(&Limits::default());
    wire.send(&a(0, b"one"));
    wire.send(&Line { window: 2, ..b(3) });
    assert_eq!(wire.send(&a(3, b" two")).data, DataFact::InOrder);
    assert_eq!(said(&wire), "one two");
}

#[test]
fn rfc7323_2_3_a_segment_longer_than_any_window_is_outside_of_it() {
    let mut wire = open();
    for at in [3, 1000] {
        let facts = wire.send_with(&a(at, b""), Captured::new(b"x", (1 << 30) + 1));
        assert_eq!(facts.data, DataFact::OutOfWindow);
    }
    wire.send(&a(3, b" two"));
    wire.send(&b(7));
    assert_eq!(said(&wire), "one two");
}

#[test]
fn a_wrong_checksum_among_right_ones_gives_way() {
    let mut wire = open_with(|line| Line { checked: true, ..line });
    assert_eq!(wire.send(&a(3, b" bad")).data, DataFact::Doubtful);
    let facts = wire.send(&Line {
        checked: true,
        ..a(3, b" two")
    });
    assert_eq!(facts.different, Some(4..7));
    wire.send(&b(7));
    assert_eq!(said(&wire), "one two");
}

#[test]
fn checksums_that_are_all_wrong_say_nothing() {
    let mut wire = open();
    assert_eq!(wire.send(&a(3, b" two")).data, DataFact::InOrder);
    let mut wire = open_with(|line| Line { checked: true, ..line });
    // From here on the card computes them: the receiver has got what we see.
    wire.send(&a(3, b" two"));
    wire.send(&Line { checked: true, ..b(7) });
    assert_eq!(wire.send(&a(7, b" three")).data, DataFact::InOrder);
    assert_eq!(said(&wire), "one two three");
}

#[test]
fn what_dies_on_the_way_gives_way() {
    let mut wire = open();
    assert_eq!(
        wire.send(&Line {
            ttl: 1,
            ..a(3, b" bad")
        })
        .data,
        DataFact::Doubtful
    );
    let facts = wire.send(&a(3, b" two"));
    assert_eq!(facts.different, Some(4..7));
    wire.send(&b(7));
    assert_eq!(said(&wire), "one two");
}

#[test]
fn a_packet_that_is_shorter_than_it_says_gives_way() {
    let short = Line {
        short: true,
        ..a(3, b" bad, and more")
    };
    let mut wire = open();
    assert_eq!(wire.send_cut(&short, 4).data, DataFact::Doubtful);
    wire.send(&a(3, b" two"));
    wire.send(&b(7));
    assert_eq!(said(&wire), "one two");
    // What the receiver acknowledges was cut by a program that has changed the lengths in the file.
    let mut wire = open();
    wire.send_cut(&short, 4);
    wire.send(&b(17));
    assert_eq!(said(&wire), "one bad__________");
    assert_eq!(wire.stream(1, Side::A).gaps.len(), 1);
}

#[test]
fn doubtful_bytes_are_given_up_before_those_that_wait() {
    let limits = Limits {
        waiting_bytes: 4000,
        ..Limits::default()
    };
    let mut wire = Wire::new(&limits);
    wire.send_all(&handshake());
    wire.send(&a(0, b"one"));
    wire.send(&b(3));
    for at in 0..3 {
        let forged = Line {
            ttl: 1,
            ..a(10_000 + at * 1000, &[b'x'; 1000])
        };
        assert_eq!(wire.send(&forged).data, DataFact::Doubtful);
    }
    wire.send(&a(7, &[b'.'; 1000]));
    wire.send(&a(3, b" two"));
    assert_eq!(said(&wire), format!("one two{}", ".".repeat(1000)));
    assert!(wire.stream(1, Side::A).gaps.is_empty());
}

#[test]
fn doubtful_bytes_go_when_memory_is_short() {
    let limits = Limits {
        memory_bytes: 40_000,
        ..Limits::default()
    };
    let mut wire = Wire::new(&limits);
    wire.send_all(&handshake());
    wire.send(&a(0, b"one"));
    wire.send(&b(3));
    for at in 0..100 {
        let forged = Line {
            ttl: 1,
            ..a(10_000 + at * 1000, &[b'x'; 1000])
        };
        wire.send(&forged);
        assert!(wire.table.memory() <= limits.memory_bytes);
    }
    wire.send(&a(3, b" two"));
    assert_eq!(said(&wire), "one two");
}

#[test]
fn another_way_through_the_network_costs_nothing() {
    let mut wire = open();
    let far = |line: Line| Line { ttl: 50, ..line };
    wire.send(&far(a(3, b" two")));
    assert_eq!(said(&wire), "one");
    wire.send(&b(7));
    assert_eq!(said(&wire), "one two", "the receiver has it");
    assert_eq!(wire.send(&far(a(7, b" three"))).data, DataFact::InOrder);
}

#[test]
fn of_bytes_that_overlap_those_that_came_first_count_and_the_others_are_told() {
    let mut wire = open();
    wire.send(&a(3, b" two and"));
    let facts = wire.send(&a(7, b" END three"));
    assert_eq!(facts.different, Some(8..11));
    assert_eq!(said(&wire), "one two and three");
    // The same among what waits.
    wire.send(&a(20, b"67890"));
    assert_eq!(wire.send(&a(19, b"5x78")).different, Some(20..21));
}

#[test]
fn other_bytes_behind_a_gap_that_was_given_up_are_told() {
    let mut wire = open();
    wire.send(&a(7, b" three"));
    wire.send(&b(13));
    wire.millis += 2000;
    wire.send(&b(13));
    assert_eq!(said(&wire), "one____ three");
    assert_eq!(wire.send(&a(7, b" THREE")).different, Some(8..13));
}

#[test]
fn rfc7413_data_of_a_syn_that_is_not_acknowledged_gives_way() {
    let mut wire = Wire::new(&Limits::default());
    wire.send(&line(Side::A, SYN, -1, 0, b"EVIL"));
    wire.send(&line(Side::B, SYN | ACK, -1, 0, b""));
    let facts = wire.send(&a(0, b"GET "));
    assert_eq!((facts.data, facts.different), (DataFact::InOrder, Some(0..4)));
    wire.send(&b(4));
    assert_eq!(said(&wire), "GET ");
}

#[test]
fn rfc9293_3_8_5_urgent_bytes_are_told() {
    let mut wire = open();
    let urgent = |pointer| Line {
        flags: ACK | URG,
        urgent: pointer,
        ..a(3, b" two")
    };
    assert_eq!(wire.send(&urgent(2)).urgent, Some(4));
    assert_eq!(wire.send(&a(7, b"!")).urgent, None);
}

#[test]
fn one_packet_from_the_future_ends_nothing() {
    let mut wire = open();
    let now = wire.millis;
    wire.millis = 4_290_000_000_000;
    wire.send(&Line {
        port: 9,
        ..line(Side::A, SYN, -1, 0, b"")
    });
    wire.millis = now;
    wire.send(&a(3, b" two"));
    // A clock that is set, forward and back.
    for step in [400_000_000_i64, -400_000_000] {
        wire.millis += step;
        wire.send(&b(7));
        wire.send(&b(7));
    }
    wire.send(&a(7, b" three"));
    assert_eq!(said(&wire), "one two three");
    assert_eq!(wire.upper.ends, []);
}

#[test]
fn copies_of_packets_that_acknowledge_a_fin_are_copies() {
    let mut wire = open();
    let lines = [
        line(Side::A, ACK | FIN, 3, 0, b""),
        line(Side::B, ACK | FIN, 0, 4, b""),
        line(Side::A, ACK, 4, 1, b""),
    ];
    for (id, line) in lines.into_iter().enumerate() {
        let line = Line {
            id: 1 + id as u16,
            ..line
        };
        assert_ne!(wire.send(&line).data, DataFact::Duplicate);
        assert_eq!(wire.send(&line).data, DataFact::Duplicate, "{line:?}");
    }
}

#[test]
fn rfc9293_3_10_7_4_an_ack_that_was_overtaken_says_nothing() {
    let mut wire = open();
    wire.send(&a(3, b" two"));
    wire.send(&b(7));
    let facts = wire.send(&Line { window: 99, ..b(3) });
    assert!(facts.ack.overtaken && !facts.ack.duplicate && !facts.window.update_only);
    let window = wire.send(&b(7)).window;
    assert!(!window.update_only, "no window was taken from it");
}

#[test]
fn rfc2018_a_sack_block_is_told_once() {
    let mut wire = open();
    wire.send(&a(7, b"later"));
    let number = |at: u32| crate::tcp::testing::START[0].wrapping_add(at).to_be_bytes();
    let options = [&[1, 1, 5, 10][..], &number(7), &number(12)].concat();
    let ack = Line { options, ..b(3) };
    assert_eq!(wire.send(&ack).ack.sacked, 7..12);
    assert!(wire.send(&ack).ack.sacked.is_empty());
}

#[test]
fn a_hole_that_the_receiver_has_acknowledged_is_one_of_the_capture() {
    let mut wire = open();
    wire.send(&b(7));
    let missing = DataFact::OutOfOrder {
        missing: 4,
        acknowledged: true,
    };
    assert_eq!(wire.send(&a(7, b" three")).data, missing);
}

#[test]
fn a_byte_at_the_end_that_was_not_acknowledged_is_no_keep_alive() {
    let mut wire = open();
    wire.send(&a(3, b"!"));
    assert_eq!(wire.send(&a(3, b"?")).different, Some(3..4));
    wire.send(&b(4));
    assert_eq!(wire.send(&a(3, b"\0")).data, DataFact::KeepAlive);
    assert_eq!(wire.upper.told[&1].facts.last().unwrap().different, None);
}

#[test]
fn keep_alives_before_the_first_byte_move_nothing() {
    let mut wire = Wire::new(&Limits::default());
    wire.send_all(&handshake());
    for _ in 0..3 {
        wire.millis += 45_000;
        wire.send(&a(-1, b"\0"));
        wire.send(&b(0));
    }
    wire.send(&a(0, b"one"));
    assert_eq!(said(&wire), "one");
    assert!(wire.stream(1, Side::A).gaps.is_empty());
}

#[test]
fn a_stream_that_has_ended_is_not_elsewhere() {
    let mut wire = Wire::new(&Limits::default());
    wire.send_all(&handshake());
    wire.send(&line(Side::A, ACK | FIN, 0, 0, b""));
    wire.send(&b(1));
    assert!(wire.stream(1, Side::A).fin);
    for at in [-60, -57, -54] {
        wire.send(&a(at, b"old"));
    }
    assert_eq!(said(&wire), "");
}

/// A connection that was open before the capture began, behind what `forged` brings.
#[track_caller]
fn is_found_behind(forged: &[Line]) {
    let mut wire = Wire::new(&Limits::default());
    wire.send_all(forged);
    let mut at = 0;
    for words in ["one", " two", " three", " four"] {
        let end = at + words.len() as i64;
        wire.send(&line(Side::A, ACK, at, at, words.as_bytes()));
        wire.send(&line(Side::B, ACK, at, end, words.as_bytes()));
        wire.send(&line(Side::A, ACK, end, end, b""));
        at = end;
    }
    wire.finish();
    let last = *wire.upper.told.keys().last().unwrap();
    for side in Side::BOTH {
        let said = String::from_utf8_lossy(&wire.stream(last, side).bytes).into_owned();
        assert!(said.contains("one two three four"), "after {forged:?}: {said:?}");
    }
}

#[test]
fn a_stream_is_found_wherever_somebody_else_has_said_that_it_is() {
    for far in [900_000_000, 1_300_000_000, 2_000_000_000, -800_000_000, -1_500_000_000] {
        let forged = [
            vec![line(Side::A, ACK, far, -far, b"x")],
            vec![
                line(Side::A, ACK, far, -far, b""),
                line(Side::B, ACK, far, far / 2, b""),
            ],
            vec![line(Side::B, ACK, far, -far, b"x"), line(Side::A, ACK, -far, far, b"y")],
        ];
        for forged in &forged {
            is_found_behind(forged);
        }
    }
    is_found_behind(&[line(Side::A, SYN, 1_300_000_000, 0, b"")]);
    is_found_behind(&[line(Side::A, SYN, -700_000_000, 0, b"")]);
}

#[test]
fn of_two_answers_to_a_syn_the_one_that_is_acknowledged_counts() {
    for (far, ack) in [(772_777, 0), (-772_777, 0), (1_500_000_000, 0), (900_000_000, 77_777)] {
        let mut wire = Wire::new(&Limits::default());
        let [syn, answer, last] = handshake();
        wire.send(&syn);
        wire.send(&line(Side::B, SYN | ACK, far, ack, b""));
        wire.send_all(&[answer, last]);
        wire.send(&a(0, b"ask"));
        wire.send(&line(Side::B, ACK, 0, 3, b"answer"));
        wire.send(&line(Side::A, ACK, 3, 6, b""));
        let last = *wire.upper.told.keys().last().unwrap();
        assert_eq!(wire.stream(last, Side::B).bytes, b"answer", "{far} {ack}");
        assert!(wire.stream(last, Side::B).gaps.is_empty());
        assert_eq!(wire.stream(last, Side::A).bytes, b"ask");
    }
}

#[test]
fn a_forged_ack_without_data_says_nothing() {
    let mut wire = open_with(|line| Line { checked: true, ..line });
    for forged in [
        Line { window: 0, ..b(3) },
        Line {
            window: 0,
            ttl: 1,
            checked: true,
            ..b(3)
        },
        Line {
            window: 0,
            checked: true,
            ..b(1_000_000_000)
        },
    ] {
        assert_eq!(wire.send(&forged).data, DataFact::Doubtful, "{forged:?}");
    }
    let real = Line {
        checked: true,
        ..a(3, b" two")
    };
    assert_eq!(wire.send(&real).data, DataFact::InOrder);
}

#[test]
fn one_wrong_checksum_does_not_make_others_believed() {
    let checked = |line: Line| Line { checked: true, ..line };
    let mut wire = Wire::new(&Limits::default());
    wire.send_all(&handshake().map(checked));
    wire.send(&a(0, b"bad"));
    for at in [0, 3, 6, 9] {
        wire.send(&checked(a(at, b"one")));
        wire.send(&checked(b(at + 3)));
    }
    assert_eq!(wire.send(&a(12, b"bad")).data, DataFact::Doubtful);
    assert_eq!(said(&wire), "oneoneoneone");
}

#[test]
fn segments_that_look_like_somebody_elses_are_not_believed_because_they_are_many() {
    for change in [
        |line: Line| Line {
            ttl: 1,
            checked: true,
            ..line
        },
        |line: Line| Line { checked: false, ..line },
    ] {
        let mut wire = open_with(|line| Line { checked: true, ..line });
        for at in 0..6 {
            wire.send(&change(a(3 + at, b"x")));
        }
        wire.send(&Line {
            checked: true,
            ..a(3, b" two")
        });
        wire.send(&Line { checked: true, ..b(7) });
        assert_eq!(said(&wire), "one two");
    }
}

#[test]
fn rfc5961_3_resets_that_their_receiver_drops_end_nothing() {
    let checked = |line: Line| Line { checked: true, ..line };
    let rst = |at| line(Side::A, RST, at, 0, b"");
    for forged in [
        rst(3),
        Line {
            ttl: 1,
            checked: true,
            ..rst(3)
        },
        checked(rst(2)),
        checked(rst(500_000)),
    ] {
        let mut wire = open_with(checked);
        wire.send(&forged);
        // Silence, while others speak.
        for port in 0..4 {
            wire.millis += 1000;
            wire.send(&Line {
                port,
                ..line(Side::A, SYN, -1, 0, b"")
            });
        }
        wire.send(&checked(a(3, b" two")));
        wire.send(&checked(b(7)));
        assert_eq!(said(&wire), "one two", "{forged:?}");
        assert_eq!(wire.upper.ends, []);
    }
    let mut wire = open_with(checked);
    wire.send(&checked(a(3, b" two")));
    let facts = wire.send(&line(Side::B, RST | ACK, 0, 7, b""));
    assert!(
        facts.reset_doubtful && facts.ack.newly.is_empty(),
        "its ACK says nothing either"
    );
    let mut opening = Wire::new(&Limits::default());
    let [syn, ..] = handshake();
    opening.send(&syn);
    assert!(!opening.send(&line(Side::B, RST | ACK, 0, 77, b"")).reset);
}

#[test]
fn a_fin_beyond_the_window_and_a_syn_behind_it_end_nothing() {
    let mut wire = open();
    wire.millis += 2000;
    for quarter in [100_000_000, 1_000_000_000] {
        wire.send(&line(Side::A, ACK | FIN, quarter, 0, b""));
    }
    wire.send(&Line {
        era: 77_000_000,
        ..line(Side::A, SYN, -1, 0, b"")
    });
    wire.send(&a(3, b" two"));
    wire.send(&b(7));
    assert_eq!(said(&wire), "one two");
    assert_eq!(wire.upper.ends, []);
    assert_eq!(wire.upper.told.len(), 1);
    assert_eq!(wire.upper.told[&1].facts.iter().filter(|facts| facts.fin).count(), 0);
}

#[test]
fn bytes_beyond_the_window_do_not_push_out_what_is_missing() {
    let limits = Limits {
        waiting_bytes: 100_000,
        ..Limits::default()
    };
    let mut wire = Wire::new(&limits);
    wire.send_all(&handshake());
    wire.send(&a(0, b"one"));
    wire.send(&b(3));
    wire.millis += 1000;
    for segment in 0..300 {
        wire.send(&a(100_000 + 1000 * segment, &[b'x'; 1000]));
    }
    wire.send(&a(3, b" two"));
    wire.send(&b(7));
    assert_eq!(said(&wire), "one two");
}

#[test]
fn a_connection_whose_successor_was_forged_is_found_again() {
    let era = 77_000_000;
    for answer in [
        Line {
            era,
            ..line(Side::B, ACK, 500_000_000, 0, b"")
        },
        Line {
            era,
            ..line(Side::B, SYN | ACK, 500_000_000, 0, b"")
        },
    ] {
        let mut wire = open();
        wire.send(&Line {
            era,
            ..line(Side::A, SYN, -1, 0, b"")
        });
        wire.send(&answer);
        wire.send(&a(3, b" two"));
        wire.send(&line(Side::B, ACK, 0, 7, b"ok"));
        wire.send(&line(Side::A, ACK, 7, 2, b""));
        let last = *wire.upper.told.keys().last().unwrap();
        // The answer came first, so its sender is side A now.
        assert!(wire.stream(last, Side::B).bytes.ends_with(b" two"), "{answer:?}");
        assert!(wire.stream(last, Side::A).bytes.ends_with(b"ok"), "{answer:?}");
    }
}
