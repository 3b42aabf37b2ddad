//! The symbols of a DEFLATE stream (RFC 1951 §3.2): literals and matches, without the history that the matches copy from.
//!
//! In: one whole compressed message, or its beginning. Out: its [`Symbol`]s, in order, and how it [`End`]s.
//!
//! Block codes travel in the stream and do not depend on what was inflated before, so a stream can be read into symbols when
//! its history is unknown. `flate2` inflates every message whose history is known (and is the oracle of the tests here), but
//! it gives bytes only: this reader serves what it cannot, a history with unknown bytes in it and a message that breaks off.
//!
//! It decodes a bit at a time from counts of code lengths: a few nanoseconds a symbol, no tables to build for each block, and
//! therefore linear time for hostile input too.

use std::ops::ControlFlow;

use crate::layer::ws::Hole;

/// One step of the decompressor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::layer::ws) enum Symbol {
    /// This byte.
    Literal(u8),
    /// `length` (1 to 258) bytes from `distance` (1 to 32768) bytes back. RFC 1951 §3.2.5.
    Match {
        /// How many bytes to copy.
        length: u16,
        /// From how far back.
        distance: u16,
    },
    /// A byte that is not there.
    Missing,
    /// A block is over.
    EndOfBlock,
}

/// Why the reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::layer::ws) enum End {
    /// The input is used up, and it ended between two blocks.
    Boundary,
    /// The input is used up in the middle of a block.
    Inside,
    /// No DEFLATE stream has these bits.
    Invalid,
    /// The listener wants no more.
    Stopped,
}

/// Reads `input` to its end and hands every symbol that is wholly in it to `each`.
///
/// A block with BFINAL set does not end a message (RFC 7692 §7.2.3.5): the next one begins at the next byte boundary.
pub(in crate::layer::ws) fn read(input: &[u8], each: impl FnMut(Symbol) -> ControlFlow<()>) -> End {
    read_around(input, &[], each).0
}

/// As [`read`], with `holes` in the input, or behind it. What is in a stored block goes on behind a hole; any other code ends there, for
/// the position in it is lost. Also how many bytes the rest may hold, inflated, at most; none is known where the input's end is not.
pub(in crate::layer::ws) fn read_around(
    input: &[u8],
    holes: &[Hole],
    mut each: impl FnMut(Symbol) -> ControlFlow<()>,
) -> (End, Option<u64>) {
    let mut bits = Bits::new(input, holes);
    let end = blocks(&mut bits, &mut each);
    let rest = match holes.last() {
        Some(Hole { length: None, .. }) => None,
        Some(Hole {
            offset,
            length: Some(length),
        }) => Some(offset.saturating_add(*length)),
        None => Some(0),
    };
    (end, rest.map(|rest| bits.most(rest.max(input.len() as u64))))
}

fn blocks(bits: &mut Bits<'_>, each: &mut impl FnMut(Symbol) -> ControlFlow<()>) -> End {
    loop {
        if bits.only_padding_left() {
            return if bits.hole.is_some() {
                End::Inside
            } else {
                End::Boundary
            };
        }
        bits.rest = Rest::InHeader;
        let header = match bits.take(3) {
            Ok(header) => header,
            Err(end) => return end,
        };
        let block = match header >> 1 {
            0 => stored(bits, each),
            1 => Codes::fixed().and_then(|codes| codes.block(bits, each)),
            2 => Codes::dynamic(bits).and_then(|codes| codes.block(bits, each)),
            _ => Err(End::Invalid),
        };
        if let Err(end) = block {
            return end;
        }
        bits.rest = Rest::Blocks;
        if each(Symbol::EndOfBlock).is_break() {
            return End::Stopped;
        }
        if header & 1 == 1 {
            bits.align();
            // Who finishes the stream adds a byte 00 for the tail to complete; who forgets to has still ended here.
            if bits.rest().is_empty() || bits.rest() == super::TAIL {
                return End::Boundary;
            }
        }
    }
}

fn stored(bits: &mut Bits<'_>, each: &mut impl FnMut(Symbol) -> ControlFlow<()>) -> Result<(), End> {
    bits.align();
    let length = bits.take(16)?;
    let complement = bits.take(16)?;
    if length != !complement & 0xffff {
        return Err(End::Invalid);
    }
    let mut left = length as usize;
    loop {
        let rest = bits.rest();
        let here = rest.len().min(left);
        for &byte in &rest[..here] {
            if each(Symbol::Literal(byte)).is_break() {
                return Err(End::Stopped);
            }
        }
        bits.skip(here);
        left -= here;
        if left == 0 {
            return Ok(());
        }
        let Some(missing) = bits.hole else {
            return Err(End::Inside);
        };
        if missing == 0 {
            return Err(End::Inside);
        }
        let missing = missing.min(left as u64);
        for _ in 0..missing {
            if each(Symbol::Missing).is_break() {
                return Err(End::Stopped);
            }
        }
        left -= missing as usize;
        bits.pass(missing);
        if left == 0 && bits.only_the_end_is_missing() {
            return Err(End::Boundary);
        }
    }
}

/// Bits, least significant first (RFC 1951 §3.1.1).
struct Bits<'a> {
    /// Up to the next hole.
    input: &'a [u8],
    /// The input behind the next hole, and where in all of the input that begins.
    behind: &'a [u8],
    behind_at: u64,
    /// How much is missing at the end of `input`, 0 when nobody knows; `None` where the input ends.
    hole: Option<u64>,
    /// The holes after that.
    holes: &'a [Hole],
    /// Bytes of `input` that are in `held` or behind it.
    next: usize,
    held: u64,
    count: u32,
    /// What the bits from `mark` on are.
    rest: Rest,
    /// Where the last whole symbol ended: the same as `next` and `count` then.
    mark: (usize, u32),
}

/// What the rest of a stream can begin with.
#[derive(Debug, Clone, Copy)]
enum Rest {
    /// Blocks.
    Blocks,
    /// The rest of the header of a block.
    InHeader,
    /// Symbols of which none gives more than so many bytes for so many bits.
    Symbols { bytes: u32, bits: u32 },
}

impl<'a> Bits<'a> {
    fn new(input: &'a [u8], holes: &'a [Hole]) -> Self {
        let mut bits = Self {
            input: &[],
            behind: input,
            behind_at: 0,
            hole: None,
            holes,
            next: 0,
            held: 0,
            count: 0,
            rest: Rest::Blocks,
            mark: (0, 0),
        };
        bits.next_run();
        bits
    }

    /// How many bytes may come, inflated, from where the reading ended up to byte `end` of the input.
    fn most(&self, end: u64) -> u64 {
        /// A match of 258 bytes takes 13 bits with the fixed codes, and a block 3 bits before and 7 behind (RFC 1951 §3.2.6).
        const FIXED: u64 = 20;
        /// With codes of its own it takes 2. To say those takes 17 bits, 18 lengths of 3 bits for the code lengths (the length 1 comes that late in
        /// their order), and 27 bits at least for which literals, lengths and distances have none or one of 1 bit (RFC 1951 §3.2.7).
        const OWN: u64 = 129;
        const CODES: u64 = 98;

        let (next, count) = match self.rest {
            Rest::Symbols { .. } => self.mark,
            _ => (self.next, self.count),
        };
        let at = (self.behind_at - self.input.len() as u64 + next as u64).saturating_mul(8) - u64::from(count);
        let left = end.saturating_mul(8).saturating_sub(at);
        let anew = OWN.saturating_mul(left.saturating_sub(CODES));
        let fixed = if left > 13 { FIXED.saturating_mul(left) } else { 0 };
        match self.rest {
            Rest::Blocks => anew.max(fixed),
            Rest::InHeader => OWN.saturating_mul(left),
            Rest::Symbols { bytes, bits } => {
                let here = left.saturating_mul(u64::from(bytes)) / u64::from(bits.max(1));
                // Each is linear in the bits that it takes, so sharing them gives no more.
                here.max(anew).max(fixed)
            }
        }
    }

    /// What comes up to the next hole.
    fn next_run(&mut self) {
        let run = match self.holes {
            [] => self.behind.len(),
            [hole, ..] => usize::try_from(hole.offset.saturating_sub(self.behind_at))
                .map_or(self.behind.len(), |run| run.min(self.behind.len())),
        };
        (self.input, self.behind) = self.behind.split_at(run);
        self.behind_at += run as u64;
        (self.next, self.held, self.count) = (0, 0, 0);
        self.hole = self.holes.split_off_first().map(|hole| hole.length.unwrap_or(0));
    }

    /// At the end of a run, byte-aligned: goes on `missing` bytes into the hole there.
    fn pass(&mut self, missing: u64) {
        let Some(hole) = &mut self.hole else { return };
        *hole -= missing.min(*hole);
        let filler = usize::try_from(missing).map_or(self.behind.len(), |missing| missing.min(self.behind.len()));
        self.behind = &self.behind[filler..];
        self.behind_at += missing;
        (self.input, self.next) = (&[], 0);
        if *hole == 0 {
            self.next_run();
        }
    }

    /// Between two blocks, in a hole that reaches to the end of the message, with room for no more than the empty block to
    /// which the tail belongs: no block with anything in it takes less than 18 bits, and the empty one takes 3 more.
    fn only_the_end_is_missing(&self) -> bool {
        self.behind.is_empty() && self.holes.is_empty() && self.input.is_empty() && matches!(self.hole, Some(1..=2))
    }

    /// Holds at least 32 bits, or all there are.
    fn fill(&mut self) {
        while self.count <= 56 && self.next < self.input.len() {
            self.held |= u64::from(self.input[self.next]) << self.count;
            self.next += 1;
            self.count += 8;
        }
    }

    /// The next `n` bits, at most 32.
    fn take(&mut self, n: u32) -> Result<u32, End> {
        if self.count < n {
            self.fill();
            if self.count < n {
                return Err(End::Inside);
            }
        }
        let value = (self.held & ((1u64 << n) - 1)) as u32;
        self.held >>= n;
        self.count -= n;
        Ok(value)
    }

    /// Leaves off the rest of a byte of which some bits were taken.
    fn align(&mut self) {
        let odd = self.count % 8;
        self.held >>= odd;
        self.count -= odd;
    }

    /// Whole bytes behind an [`align`](Self::align)ed position.
    fn rest(&self) -> &'a [u8] {
        &self.input[self.next - (self.count / 8) as usize..]
    }

    fn skip(&mut self, bytes: usize) {
        self.next = self.next - (self.count / 8) as usize + bytes;
        self.held = 0;
        self.count = 0;
    }

    /// Fewer than three bits are left: no block header fits.
    fn only_padding_left(&mut self) -> bool {
        self.fill();
        self.count < 3
    }
}

/// A canonical Huffman code (RFC 1951 §3.2.2).
struct Code<const N: usize> {
    /// How many symbols have a code of this many bits.
    counts: [u16; 16],
    /// The symbols, by code.
    symbols: [u16; N],
}

impl<const N: usize> Code<N> {
    /// From the code length of each symbol, 0 for a symbol without code. Over-subscribed sets are invalid, and so are incomplete ones,
    /// but for a single code of one bit (or none at all) when `lone` allows it (RFC 1951 §3.2.7).
    fn new(lengths: &[u8], lone: bool) -> Result<Self, End> {
        let mut code = Self {
            counts: [0; 16],
            symbols: [0; N],
        };
        for &length in lengths {
            code.counts[usize::from(length & 15)] += 1;
        }
        let unused = code.counts[0];
        code.counts[0] = 0;
        let mut left = 1i32;
        for &count in &code.counts[1..] {
            left = (left << 1) - i32::from(count);
            if left < 0 {
                return Err(End::Invalid);
            }
        }
        let used = lengths.len() - usize::from(unused);
        if left > 0 && !(lone && (used == 0 || used == 1 && code.counts[1] == 1)) {
            return Err(End::Invalid);
        }
        let mut offsets = [0u16; 16];
        for bits in 1..15 {
            offsets[bits + 1] = offsets[bits] + code.counts[bits];
        }
        for (symbol, &length) in lengths.iter().enumerate() {
            if length != 0 {
                let offset = &mut offsets[usize::from(length & 15)];
                code.symbols[usize::from(*offset)] = symbol as u16;
                *offset += 1;
            }
        }
        Ok(code)
    }

    /// The symbols that have a code, and of how many bits.
    fn lengths(&self) -> impl Iterator<Item = (u16, u32)> {
        let widths = self
            .counts
            .iter()
            .enumerate()
            .flat_map(|(bits, &count)| std::iter::repeat_n(bits as u32, usize::from(count)));
        self.symbols.iter().copied().zip(widths)
    }

    fn decode(&self, bits: &mut Bits<'_>) -> Result<u16, End> {
        if bits.count < 15 {
            bits.fill();
        }
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        let mut held = bits.held;
        for length in 1..16u32 {
            if length > bits.count {
                return Err(End::Inside);
            }
            code |= (held & 1) as u32;
            held >>= 1;
            let count = u32::from(self.counts[length as usize]);
            if code < first + count {
                bits.held = held;
                bits.count -= length;
                return Ok(self.symbols[(index + code - first) as usize]);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(End::Invalid)
    }
}

/// The lengths of matches, from symbol 257 on: the least, and how many bits more (RFC 1951 §3.2.5).
const LENGTH: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// The two codes of a compressed block.
struct Codes {
    literal: Code<288>,
    distance: Code<32>,
}

impl Codes {
    /// RFC 1951 §3.2.6.
    fn fixed() -> Result<Self, End> {
        let mut lengths = [8u8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        Ok(Self {
            literal: Code::new(&lengths, false)?,
            distance: Code::new(&[5; 32], false)?,
        })
    }

    /// RFC 1951 §3.2.7.
    fn dynamic(bits: &mut Bits<'_>) -> Result<Self, End> {
        /// In which order the lengths of the code length code are sent.
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

        let literals = bits.take(5)? as usize + 257;
        let distances = bits.take(5)? as usize + 1;
        let code_lengths = bits.take(4)? as usize + 4;
        if literals > 286 || distances > 30 {
            return Err(End::Invalid);
        }
        let mut lengths = [0u8; 19];
        for &symbol in &ORDER[..code_lengths] {
            lengths[symbol] = bits.take(3)? as u8;
        }
        let code = Code::<19>::new(&lengths, false)?;
        let mut lengths = [0u8; 286 + 30];
        let total = literals + distances;
        let mut at = 0;
        while at < total {
            let symbol = code.decode(bits)?;
            let (value, repeat) = match symbol {
                0..16 => (symbol as u8, 1),
                16 if at == 0 => return Err(End::Invalid),
                16 => (lengths[at - 1], 3 + bits.take(2)? as usize),
                17 => (0, 3 + bits.take(3)? as usize),
                _ => (0, 11 + bits.take(7)? as usize),
            };
            lengths
                .get_mut(at..at + repeat)
                .filter(|_| at + repeat <= total)
                .ok_or(End::Invalid)?
                .fill(value);
            at += repeat;
        }
        if lengths[256] == 0 {
            return Err(End::Invalid); // a block that could never end
        }
        Ok(Self {
            literal: Code::new(&lengths[..literals], true)?,
            distance: Code::new(&lengths[literals..total], true)?,
        })
    }

    /// RFC 1951 §3.2.5, up to and with the end-of-block code.
    fn block(&self, bits: &mut Bits<'_>, each: &mut impl FnMut(Symbol) -> ControlFlow<()>) -> Result<(), End> {
        let end = self.symbols(bits, each);
        if end == Err(End::Inside) {
            let (bytes, width) = self.best();
            bits.rest = Rest::Symbols { bytes, bits: width };
        }
        end
    }

    /// The most bytes for the fewest bits that one symbol gives.
    fn best(&self) -> (u32, u32) {
        let distance = self.distance.lengths().map(|(_, bits)| bits).min();
        let mut best = (0, 1);
        for (symbol, bits) in self.literal.lengths() {
            let (bytes, bits) = match (symbol, distance) {
                (0..=255, _) => (1, bits),
                (257.., Some(distance)) => match LENGTH.get(usize::from(symbol - 257)) {
                    Some(&(base, extra)) => {
                        let most = (u32::from(base) + (1 << extra) - 1).min(258);
                        (most, bits + u32::from(extra) + distance)
                    }
                    None => continue,
                },
                _ => continue,
            };
            if bytes * best.1 > best.0 * bits {
                best = (bytes, bits);
            }
        }
        best
    }

    fn symbols(&self, bits: &mut Bits<'_>, each: &mut impl FnMut(Symbol) -> ControlFlow<()>) -> Result<(), End> {
        const DISTANCE_BASE: [u16; 30] = [
            1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
            4097, 6145, 8193, 12289, 16385, 24577,
        ];
        const DISTANCE_EXTRA: [u8; 30] = [
            0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
        ];

        loop {
            bits.mark = (bits.next, bits.count);
            let symbol = match self.literal.decode(bits)? {
                byte @ 0..256 => Symbol::Literal(byte as u8),
                256 => return Ok(()),
                length => {
                    let row = usize::from(length - 257);
                    let (base, extra) = *LENGTH.get(row).ok_or(End::Invalid)?;
                    let length = base + bits.take(u32::from(extra))? as u16;
                    let row = usize::from(self.distance.decode(bits)?);
                    let base = *DISTANCE_BASE.get(row).ok_or(End::Invalid)?;
                    let distance = base + bits.take(u32::from(DISTANCE_EXTRA[row]))? as u16;
                    Symbol::Match { length, distance }
                }
            };
            if each(symbol).is_break() {
                return Err(End::Stopped);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
    use proptest::prelude::*;

    use super::*;

    fn inflate(input: &[u8]) -> (Vec<u8>, End) {
        let mut out: Vec<u8> = Vec::new();
        let mut too_far = false;
        let end = read(input, |symbol| {
            match symbol {
                Symbol::Missing => too_far = true,
                Symbol::EndOfBlock => {}
                Symbol::Literal(byte) => out.push(byte),
                Symbol::Match { length, distance } => {
                    for _ in 0..length {
                        let Some(from) = out.len().checked_sub(usize::from(distance)) else {
                            too_far = true;
                            return ControlFlow::Break(());
                        };
                        out.push(out[from]);
                    }
                }
            }
            if out.len() > 1 << 20 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        (out, if too_far { End::Invalid } else { end })
    }

    /// What `flate2` makes of it, until its first BFINAL.
    fn oracle(input: &[u8]) -> (Vec<u8>, bool) {
        let mut decompress = Decompress::new(false);
        let mut out = Vec::with_capacity(1 << 21);
        let valid = decompress
            .decompress_vec(input, &mut out, FlushDecompress::Sync)
            .is_ok();
        (out, valid)
    }

    fn around(input: &[u8], holes: &[Hole]) -> (Vec<Option<u8>>, End) {
        let mut out = Vec::new();
        let (end, _) = read_around(input, holes, |symbol| {
            match symbol {
                Symbol::Literal(byte) => out.push(Some(byte)),
                Symbol::Missing => out.push(None),
                Symbol::EndOfBlock => {}
                Symbol::Match { .. } => unreachable!(),
            }
            ControlFlow::Continue(())
        });
        (out, end)
    }

    #[test]
    fn a_stored_block_goes_on_behind_a_hole() {
        let hole = |offset, length| Hole { offset, length };
        let stored = [
            0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00, 0x00, 0x00, 0xff, 0xff,
        ];
        let h = |text: &str| text.bytes().map(|b| (b != b'?').then_some(b)).collect::<Vec<_>>();
        assert_eq!(around(&stored, &[hole(6, Some(2))]), (h("H??lo"), End::Boundary));
        assert_eq!(
            around(&stored, &[hole(5, Some(1)), hole(7, Some(2))]),
            (h("?e??o"), End::Boundary)
        );
        assert_eq!(around(&stored[..6], &[hole(6, Some(5))]), (h("H????"), End::Boundary));
        assert_eq!(around(&stored[..6], &[hole(6, Some(6))]), (h("H????"), End::Boundary));
        // something may be in the other blocks
        assert_eq!(around(&stored[..6], &[hole(6, Some(7))]), (h("H????"), End::Inside));
        assert_eq!(around(&stored[..6], &[hole(6, Some(3))]), (h("H???"), End::Inside));
        assert_eq!(around(&stored, &[hole(6, None)]), (h("H"), End::Inside));
        assert_eq!(around(&stored, &[hole(8, Some(3))]), (h("Hel??"), End::Inside));
        assert_eq!(around(&stored, &[hole(0, None)]), (h(""), End::Inside));
        assert_eq!(around(&stored, &[hole(2, Some(1))]), (h(""), End::Inside));
    }

    proptest! {
        #[test]
        fn holes_anywhere_hide_no_more_than_themselves_and_what_follows(
            bits in prop::collection::vec(any::<u8>(), 0..100),
            holes in prop::collection::vec((0u64..120, prop::option::of(0u64..90)), 0..4),
        ) {
            let mut at = 0;
            let holes: Vec<_> = holes.into_iter().map(|(from, length)| {
                let offset = at + from;
                at = offset + length.unwrap_or(0);
                Hole { offset, length }
            }).collect();
            let mut symbols = Vec::new();
            read_around(&bits, &holes, |symbol| { symbols.push(symbol); ControlFlow::Continue(()) });
            let mut all = Vec::new();
            read(&bits, |symbol| { all.push(symbol); ControlFlow::Continue(()) });
            if bits.len() as u64 >= at {
                prop_assert!(symbols.len() <= all.len());
                prop_assert!(symbols.iter().zip(&all).all(|(a, b)| a == b || *a == Symbol::Missing));
            }
        }

        #[test]
        fn whatever_a_compressor_writes_is_read(
            pieces in prop::collection::vec(prop::collection::vec(prop_oneof![4 => 97u8..101, 1 => any::<u8>()], 0..600), 1..6),
            level in 0u32..10,
        ) {
            let mut compress = Compress::new(Compression::new(level), false);
            let mut stream = Vec::with_capacity(1 << 16);
            for piece in &pieces {
                compress.compress_vec(piece, &mut stream, FlushCompress::Sync).unwrap();
            }
            prop_assert_eq!(inflate(&stream), (pieces.concat(), End::Boundary));
            // broken off anywhere, the beginning is read
            for cut in (0..stream.len()).step_by(7) {
                let (out, end) = inflate(&stream[..cut]);
                prop_assert!(pieces.concat().starts_with(&out));
                prop_assert!(matches!(end, End::Inside | End::Boundary), "{end:?}");
                // and of the rest, no more comes than is said
                let (offset, missing) = (cut as u64, (stream.len() - cut) as u64);
                let (_, most) = read_around(&stream[..cut], &[Hole { offset, length: Some(missing) }], |_| ControlFlow::Continue(()));
                prop_assert!(most.unwrap() >= (pieces.concat().len() - out.len()) as u64);
            }
        }

        #[test]
        fn arbitrary_bits_are_read_as_flate2_reads_them(mut bits in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some(first) = bits.first_mut() {
                *first &= !1; // one block after the other: flate2 ends at BFINAL
            }
            let (ours, end) = inflate(&bits);
            let (theirs, valid) = oracle(&bits);
            prop_assert!(theirs.starts_with(&ours) || ours.starts_with(&theirs));
            if end == End::Invalid {
                prop_assert!(!valid || theirs.len() <= ours.len());
            }
        }

        #[test]
        fn damaged_streams_are_refused_where_flate2_refuses_them(
            text in prop::collection::vec(97u8..110, 200..500), at in 0usize..100, bit in 0u8..8,
        ) {
            let mut compress = Compress::new(Compression::new(9), false);
            let mut stream = Vec::with_capacity(1 << 12);
            compress.compress_vec(&text, &mut stream, FlushCompress::Sync).unwrap();
            let at = at % stream.len();
            stream[at] ^= 1 << bit;
            if stream[0] & 1 == 0 {
                let (ours, end) = inflate(&stream);
                let (theirs, valid) = oracle(&stream);
                if valid && decompress_ended_inside(&stream) {
                    prop_assert_eq!(ours, theirs);
                } else if !valid {
                    prop_assert_eq!(end, End::Invalid);
                    prop_assert_eq!(ours, theirs);
                }
            }
        }
    }

    /// No later block has BFINAL: then `flate2` saw all that we saw.
    fn decompress_ended_inside(stream: &[u8]) -> bool {
        let mut decompress = Decompress::new(false);
        let mut out = Vec::with_capacity(1 << 21);
        let status = decompress.decompress_vec(stream, &mut out, FlushDecompress::Sync);
        !matches!(status, Ok(flate2::Status::StreamEnd)) && decompress.total_in() == stream.len() as u64
    }
}
