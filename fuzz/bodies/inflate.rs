//! Compressed messages of one direction. The first byte says the parameters; then messages: two bytes of length, one of flags.
//! Beside not panicking: the limit is kept, holes lie in what they are holes of.

use wschat_sniff::layer::ws::inflate::{Compressed, InflatePool, Inflated, Inflater};
use wschat_sniff::record::{Hole, StreamRange};

const LIMIT: usize = 64 << 10;

/// One input.
pub(crate) fn run(data: &[u8]) {
    let Some((&flags, mut rest)) = data.split_first() else {
        return;
    };
    let bits = 8 + (flags >> 4) % 8;
    let mut inflater = if flags & 1 == 0 {
        Inflater::new(flags & 2 == 0, bits)
    } else {
        Inflater::late(flags & 2 == 0, bits)
    };
    let mut pool = InflatePool::default();
    let (mut out, mut holes) = (Vec::new(), Vec::new());
    let mut range = StreamRange::default();
    while let [high, low, kind, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (payload, next) = behind.split_at(length);
        rest = next;
        if kind & 4 != 0 {
            inflater.lost();
            range.end += u64::from(kind >> 3) * 50;
        }
        range.start = range.end;
        range.end += 2 + length as u64;
        let hole = [Hole {
            offset: (length as u64).saturating_sub(u64::from(kind >> 4)),
            length: (kind & 8 == 0).then_some(u64::from(kind >> 5)),
        }];
        let message = Compressed {
            payload,
            holes: if kind & 1 == 0 { &[] } else { &hole },
            text: kind & 2 == 0,
            range,
        };
        let inflated = inflater.message(&mut pool, message, LIMIT, &mut out, &mut holes);
        assert!(out.len() <= LIMIT);
        assert_eq!(inflated == Inflated::Whole, holes.is_empty());
        let mut reached = 0;
        for (i, hole) in holes.iter().enumerate() {
            assert!(hole.offset >= reached && hole.offset <= out.len() as u64);
            assert!(hole.length.is_some() || i + 1 == holes.len());
            reached = hole.offset + hole.length.unwrap_or(0);
        }
    }
}
