//! Both sides of an HTTP/2 connection in pieces. The first byte says whether its beginning is seen. Of each piece the first byte is its length (of up to
//! 127), its top bit the side; a length of 0 is a gap. Beside not panicking: offsets of a stream go on without a break, nothing comes of a stream that
//! was not told of, nor behind its end, and memory keeps to its bounds.

use std::collections::BTreeMap;

use wschat_sniff::base::{Gap, GapCause, PacketRef, Side};
use wschat_sniff::layer::Chunk;
use wschat_sniff::layer::http2::{Bounds, Connection, Event, MAX_BODY, Output, StreamEnd};

#[derive(Default)]
struct Streams(BTreeMap<u32, [(u64, bool); 2]>);

impl Streams {
    fn more(&mut self, stream: u32, side: Side, offset: u64, length: u64) {
        let stream = self.0.get_mut(&stream).expect("a stream that was told of");
        let (next, ended) = &mut stream[side.index()];
        assert!(!*ended && *next == offset && length > 0);
        *next += length;
    }
}

impl Output for Streams {
    fn event(&mut self, _: PacketRef, event: Event<'_>) {
        match event {
            Event::Request { stream, .. } | Event::Unknown { stream, .. } | Event::Agreed { stream, .. } => {
                self.0.entry(stream).or_default();
            }
            Event::Refused { stream, body, .. } => {
                assert!(body.len() <= MAX_BODY);
                self.0.remove(&stream);
            }
            Event::Data { stream, side, chunk } => self.more(stream, side, chunk.offset, chunk.bytes.len() as u64),
            Event::Gap { stream, side, gap, .. } => self.more(stream, side, gap.offset, gap.length),
            Event::End { stream, side, end } => match end {
                StreamEnd::EndStream => {
                    let sides = self.0.get_mut(&stream).expect("a stream that was told of");
                    assert!(!std::mem::replace(&mut sides[side.index()].1, true));
                    if sides.iter().all(|(_, ended)| *ended) {
                        self.0.remove(&stream);
                    }
                }
                StreamEnd::Reset(_) | StreamEnd::GoAway(_) => {
                    self.0.remove(&stream).expect("a stream that was told of");
                }
            },
            Event::Unanswered { stream, .. } => assert!(self.0.contains_key(&stream)),
            Event::Frame { .. } => {}
            Event::Violation { violation, .. } => assert!(violation.detail.is_ascii()),
        }
    }
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let Some((&first, mut rest)) = data.split_first() else {
        return;
    };
    let bounds = Bounds {
        field_block: 1 << 10,
        continuations: 4,
        table: 1 << 10,
        streams: 8,
        kept: 8 << 10,
    };
    let narrate = first & 2 != 0;
    let mut connection = match first & 1 {
        0 => Connection::new(Side::A, bounds, narrate),
        _ => Connection::late(bounds, narrate),
    };
    let at = PacketRef {
        packet: 1,
        time: Default::default(),
    };
    let mut streams = Streams::default();
    let mut offsets = [0u64; 2];
    while let [first, behind @ ..] = rest {
        let side = if first & 0x80 == 0 { Side::A } else { Side::B };
        let length = usize::from(first & 0x7f).min(behind.len());
        let (piece, next) = behind.split_at(length);
        rest = next;
        let offset = &mut offsets[side.index()];
        if length == 0 {
            // As long as the next byte says.
            let length = u64::from(rest.first().copied().unwrap_or(0)) + 1;
            let cause = GapCause::Lost;
            connection.gap(
                side,
                Gap {
                    offset: *offset,
                    length,
                    cause,
                },
                at,
                &mut streams,
            );
            *offset += length;
        } else {
            connection.data(side, Chunk::tcp(*offset, piece, at, at), &mut streams);
            *offset += length as u64;
        }
        assert!(connection.cost() < 64 << 10, "{}", connection.cost());
    }
    connection.shed();
    connection.finish(at, &mut streams);
}
