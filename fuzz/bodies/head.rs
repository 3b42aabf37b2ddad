//! Both sides of an HTTP exchange in pieces. The first byte of each piece is its length (of up to 127), its top bit the side;
//! a length of 0 is a gap. Beside not panicking: progress is made with every call.

use wschat_sniff::base::{Gap, GapCause, Limits, Side};
use wschat_sniff::layer::http1::{Exchange, Handshake, HeadStore, Step, judge_request};

/// One input.
pub(crate) fn run(data: &[u8]) {
    let mut heads = HeadStore::new(&Limits {
        head_bytes: 1 << 10,
        ..Limits::default()
    });
    let mut exchange = Exchange::default();
    let mut offsets = [0u64; 2];
    let mut rest = data;
    while let [first, behind @ ..] = rest {
        let side = if first & 0x80 == 0 { Side::A } else { Side::B };
        let length = usize::from(first & 0x7f).min(behind.len());
        let (mut piece, next) = behind.split_at(length);
        rest = next;
        let offset = &mut offsets[side.index()];
        if length == 0 {
            let gap = Gap {
                offset: *offset,
                length: 9,
                cause: GapCause::Lost,
            };
            *offset += 9;
            if let Some(step) = exchange.gap(side, gap, &mut heads)
                && !look(step)
            {
                return;
            }
            continue;
        }
        let mut idle = 0;
        while !piece.is_empty() {
            let (used, step) = exchange.push(side, *offset, piece, &mut heads);
            *offset += used as u64;
            piece = &piece[used..];
            idle = if used == 0 { idle + 1 } else { 0 };
            match step {
                Some(Step::Hold) => break,
                // Its caller goes elsewhere with the rest.
                Some(Step::NotHttp) => return,
                Some(step) => {
                    if !look(step) {
                        return;
                    }
                }
                None => assert!(idle < 3),
            }
        }
    }
}

/// `false` when the exchange is over.
fn look(step: Step) -> bool {
    match step {
        Step::Asked(request) | Step::TooLong(Some(request)) => {
            judge_request(&request, |violation| assert!(violation.detail.is_ascii()));
            true
        }
        Step::Upgraded(request, response) | Step::Refused(request, response) => {
            let handshake = Handshake::judge(request, Some(response), |_, violation| {
                assert!(violation.detail.is_ascii());
            });
            !handshake.upgraded()
        }
        Step::Presumed(_) | Step::Perhaps(..) | Step::Astray | Step::NotHttp | Step::Http2 => false,
        Step::Hold | Step::TooLong(None) | Step::GaveWay(_) => true,
    }
}
