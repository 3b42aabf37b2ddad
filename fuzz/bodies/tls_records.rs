//! Both directions of a TLS connection. The first byte says which of them begin at their beginning, the next two how long the key log
//! is that follows. Then pieces: a byte whose lowest bit is the side, two of length, bytes; a length of 0 is a gap. Beside not
//! panicking: plaintext is contiguous, memory is bounded, and nothing is read twice, whether the keys are there or come at the end.

use wschat_sniff::base::{Gap, GapCause, PacketRef, Side, Timestamp};
use wschat_sniff::layer::Chunk;
use wschat_sniff::layer::tls::{Fact, KeyLogReader, KeySource, Output, PlainGap, Secrets, Shared, Tls};

#[derive(Default)]
struct Check {
    /// Where the plaintext goes on, by side, and how much of it was read.
    reached: [u64; 2],
    read: [u64; 2],
    ended: [bool; 2],
    agreed: bool,
    over: bool,
}

impl Output for Check {
    fn data(&mut self, side: Side, chunk: Chunk<'_>) {
        assert!(self.agreed && !self.over && !self.ended[side.index()] && !chunk.bytes.is_empty());
        assert_eq!(chunk.offset, self.reached[side.index()]);
        assert!(chunk.span.first.packet > 0 && chunk.span.last.packet <= chunk.at.packet);
        self.reached[side.index()] = chunk.end();
        self.read[side.index()] += chunk.bytes.len() as u64;
    }

    fn gap(&mut self, side: Side, gap: PlainGap, _: PacketRef) {
        assert!(gap.length != Some(0) && gap.offset == self.reached[side.index()]);
        self.reached[side.index()] += gap.length.unwrap_or(0);
    }

    fn end(&mut self, side: Side, _: bool, _: PacketRef) {
        assert!(!std::mem::replace(&mut self.ended[side.index()], true));
    }

    fn fact(&mut self, _: Side, _: PacketRef, fact: Fact<'_>) {
        match fact {
            Fact::Agreed(_) => assert!(!std::mem::replace(&mut self.agreed, true)),
            Fact::End(_) => assert!(!std::mem::replace(&mut self.over, true)),
            _ => {}
        }
    }
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let [flags, high, low, data @ ..] = data else {
        return;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low])).min(data.len());
    let (log, pieces) = data.split_at(length);
    play(*flags, log, pieces, false);
    play(*flags, log, pieces, true);
}

fn play(flags: u8, log: &[u8], mut pieces: &[u8], late: bool) {
    let mut shared = Shared::new(Secrets::new(late), 2_000);
    let mut reader = KeyLogReader::new(KeySource::KeyLog);
    if !late {
        reader.push(log, &mut shared.secrets);
    }
    let mut tls = Tls::new([flags & 1 == 0, flags & 2 == 0], &shared);
    let mut check = Check::default();
    let (mut offsets, mut sent) = ([0; 2], [0; 2]);
    let mut at = PacketRef {
        packet: 1,
        time: Timestamp::default(),
    };
    while let [side, high, low, behind @ ..] = pieces {
        let side = if side & 1 == 0 { Side::A } else { Side::B };
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (bytes, rest) = behind.split_at(length);
        pieces = rest;
        let offset = &mut offsets[side.index()];
        if bytes.is_empty() {
            let gap = Gap {
                offset: *offset,
                length: 700,
                cause: GapCause::Lost,
            };
            *offset += 700;
            tls.gap(side, gap, &mut shared, &mut check);
        } else {
            tls.data(side, Chunk::tcp(*offset, bytes, at, at), &mut shared, &mut check);
            *offset += bytes.len() as u64;
            sent[side.index()] += bytes.len() as u64;
        }
        assert!(tls.cost() < 700 << 10);
        at.packet += 1;
    }
    if late {
        reader.push(log, &mut shared.secrets);
        tls.keys_changed(at, &mut shared, &mut check);
    }
    tls.end(Side::A, false, at, &mut shared, &mut check);
    tls.finish(at, &mut shared, &mut check);
    assert!(check.over && check.ended[0] && tls.cost() < 100 << 10);
    assert!(check.read.iter().zip(sent).all(|(read, sent)| *read <= sent));
}
