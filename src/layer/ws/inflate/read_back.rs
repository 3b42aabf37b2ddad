//! The window of a decompressor, asked for in its own language.

use flate2::{Decompress, FlushDecompress};

/// The longest match (RFC 1951 §3.2.5).
const MATCH: usize = 258;

/// The last `length` bytes that `decompress` gave, 1 to 32,768 of them. It must stand between two blocks, at a byte, and is of no use afterwards.
/// `None` when it does not hold so many.
///
/// `flate2` has no call for this. A block that is nothing but matches of the distance `length` makes the decompressor say it all again.
pub(super) fn read_back(decompress: &mut Decompress, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length.next_multiple_of(MATCH)];
    let before = decompress.total_out();
    let block = repeating(length as u32, bytes.len() / MATCH);
    decompress.decompress(&block, &mut bytes, FlushDecompress::Sync).ok()?;
    let given = decompress.total_out() - before;
    bytes.truncate(length);
    (given >= length as u64).then_some(bytes)
}

/// A block with fixed codes (RFC 1951 §3.2.6) of `count` longest matches.
fn repeating(distance: u32, count: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.number(0, 1); // BFINAL
    bits.number(1, 2); // BTYPE
    let (code, extra, extra_bits) = distance_code(distance);
    for _ in 0..count {
        bits.code(0b1100_0101, 8); // 285: length 258
        bits.code(code, 5);
        bits.number(extra, extra_bits);
    }
    bits.code(0, 7); // 256: end of block
    bits.bytes
}

/// The code of a distance, its extra bits, and how many (RFC 1951 §3.2.5).
fn distance_code(distance: u32) -> (u32, u32, u32) {
    let from_zero = distance - 1;
    if from_zero < 4 {
        return (from_zero, 0, 0);
    }
    let top = from_zero.ilog2();
    let extra_bits = top - 1;
    let half = from_zero >> extra_bits & 1;
    (2 * top + half, from_zero & ((1 << extra_bits) - 1), extra_bits)
}

/// Bits packed as RFC 1951 §3.1.1 says: from the least significant on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    /// Numbers begin with their least significant bit.
    fn number(&mut self, value: u32, width: u32) {
        for bit in 0..width {
            self.bit(value >> bit & 1);
        }
    }

    /// Huffman codes begin with their most significant bit.
    fn code(&mut self, value: u32, width: u32) {
        for bit in (0..width).rev() {
            self.bit(value >> bit & 1);
        }
    }

    fn bit(&mut self, bit: u32) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= (bit as u8) << (self.used % 8);
        }
        self.used += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::ws::inflate::TAIL;
    use crate::layer::ws::inflate::tests::Sender;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_says_all_again(
            messages in prop::collection::vec(prop::collection::vec(0u8..8, 1..9000), 1..8),
            dictionary in prop::collection::vec(any::<u8>(), 0..40_000),
        ) {
            let mut decompress = Decompress::new(false);
            let mut all = dictionary.clone();
            if !dictionary.is_empty() {
                decompress.set_dictionary(&dictionary).unwrap();
            }
            let mut sender = Sender::new(true, 15, 6);
            for message in &messages {
                let mut payload = sender.message(message);
                payload.extend(TAIL);
                let mut out = Vec::with_capacity(message.len() + 1);
                decompress.decompress_vec(&payload, &mut out, FlushDecompress::Sync).unwrap();
                prop_assert_eq!(&out, message);
                all.extend(out);
            }
            let length = all.len().min(32_768);
            prop_assert_eq!(read_back(&mut decompress, length).unwrap(), &all[all.len() - length..]);
        }
    }

    #[test]
    fn not_more_than_there_is() {
        for length in [1, 4, 5, 300, 32_768] {
            assert_eq!(read_back(&mut Decompress::new(false), length), None);
        }
    }
}
