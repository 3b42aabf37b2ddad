//! Masking (RFC 6455 §5.3): byte `i` of a payload is XORed with byte `i mod 4` of its key, both to mask and to unmask.
//!
//! Plain code over chunks of 32 bytes, which the compiler turns into the widest instructions that the target has: it runs
//! as fast as memory, in one pass that copies and unmasks.

/// Appends `bytes`, unmasked, to `out`. `phase` is how many bytes of the payload went before them.
pub fn unmask_into(out: &mut Vec<u8>, bytes: &[u8], key: [u8; 4], phase: u64) {
    let start = out.len();
    out.extend_from_slice(bytes);
    // The copy is still in the cache for all but huge chunks, and `extend` needs no zeroing beforehand.
    unmask(&mut out[start..], key, phase);
}

/// Unmasks `source` into the first bytes of `out`, which grows if it must and never shrinks. Returns those bytes.
///
/// One pass: this is the way of a masked frame that came whole.
pub fn unmask_to<'o>(out: &'o mut Vec<u8>, source: &[u8], key: [u8; 4]) -> &'o [u8] {
    if out.len() < source.len() {
        out.resize(source.len().next_power_of_two().max(256), 0);
    }
    let target = &mut out[..source.len()];
    let wide = wide(key, 0);
    let mut blocks = target.chunks_exact_mut(WIDTH);
    let mut from = source.chunks_exact(WIDTH);
    for (to, from) in blocks.by_ref().zip(from.by_ref()) {
        for i in 0..WIDTH {
            to[i] = from[i] ^ wide[i];
        }
    }
    for ((to, from), key) in blocks.into_remainder().iter_mut().zip(from.remainder()).zip(wide) {
        *to = from ^ key;
    }
    target
}

/// Unmasks `bytes` in place. `phase` is how many bytes of the payload went before them.
pub fn unmask(bytes: &mut [u8], key: [u8; 4], phase: u64) {
    let wide = wide(key, phase);
    let mut blocks = bytes.chunks_exact_mut(WIDTH);
    for block in blocks.by_ref() {
        for i in 0..WIDTH {
            block[i] ^= wide[i];
        }
    }
    for (byte, key) in blocks.into_remainder().iter_mut().zip(wide) {
        *byte ^= key;
    }
}

const WIDTH: usize = 32;

/// The key, turned to `phase` and repeated.
fn wide(key: [u8; 4], phase: u64) -> [u8; WIDTH] {
    let turn = (phase % 4) as usize;
    std::array::from_fn(|i| key[(i + turn) % 4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_way_agrees_with_the_definition(bytes: Vec<u8>, key: [u8; 4], phase in 0u64..9, before in 0usize..80) {
            let plain = |phase: u64| -> Vec<u8> {
                bytes.iter().enumerate().map(|(i, b)| b ^ key[((i as u64 + phase) % 4) as usize]).collect()
            };
            let mut in_place = bytes.clone();
            unmask(&mut in_place, key, phase);
            prop_assert_eq!(&in_place, &plain(phase));
            let mut appended = vec![7; before];
            unmask_into(&mut appended, &bytes, key, phase);
            prop_assert_eq!(&appended[before..], &plain(phase)[..]);
            let mut reused = vec![7; before];
            prop_assert_eq!(unmask_to(&mut reused, &bytes, key), &plain(0)[..]);
        }
    }

    #[test]
    fn the_masked_hello_of_rfc_6455_5_7() {
        let mut out = Vec::new();
        let hello = unmask_to(&mut out, &[0x7f, 0x9f, 0x4d, 0x51, 0x58], [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(hello, b"Hello");
    }
}
