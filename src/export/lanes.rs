//! Looking at 64 bytes at once: which of them does an escaper have to stop at?
//!
//! Each function gives a mask: bit i tells of byte i. The bytes are compared in plain loops over arrays, which compilers turn into
//! vector instructions, and the 64 answers are gathered into a mask by eight multiplications.

use super::hidden;

/// How many bytes one mask tells about.
pub(super) const BLOCK: usize = 64;

/// The block of `bytes` that begins at `pos`, filled up with blanks (which no escaper stops at) at the end.
#[inline]
pub(super) fn block(bytes: &[u8], pos: usize) -> [u8; BLOCK] {
    let rest = &bytes[pos..];
    match rest.first_chunk::<BLOCK>() {
        Some(block) => *block,
        None => {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            block
        }
    }
}

/// The bytes with which a hidden character may begin: C0, DEL, and some lead bytes of UTF-8.
#[inline]
pub(super) fn suspects(block: &[u8; BLOCK]) -> u64 {
    let odd = mask(block, |b| u8::from(b < 0x20) | u8::from(b >= 0x7f));
    // Nearly always there is nothing, or nothing but ASCII.
    if odd == 0 {
        0
    } else {
        odd & (mask(block, |b| u8::from(b <= 0x7f)) | leads(block))
    }
}

/// The quotation marks and backslashes.
#[inline]
pub(super) fn quotes(block: &[u8; BLOCK]) -> u64 {
    mask(block, |b| u8::from(b == b'"') | u8::from(b == b'\\'))
}

/// Whether nothing in `bytes` is a backslash or may begin a hidden character.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let stops = |b: u8| {
        let ascii = u8::from(b < 0x20) | u8::from(b == 0x7f) | u8::from(b == b'\\');
        hidden::LEADS
            .iter()
            .fold(ascii, |found, lead| found | u8::from(b == *lead))
    };
    (0..bytes.len())
        .step_by(BLOCK)
        .all(|at| block(bytes, at).iter().fold(0, |found, &b| found | stops(b)) == 0)
}

fn leads(block: &[u8; BLOCK]) -> u64 {
    mask(block, |b| {
        hidden::LEADS.iter().fold(0, |found, lead| found | u8::from(b == *lead))
    })
}

/// Bit i is `test(block[i])`, which is 0 or 1.
#[inline(always)]
fn mask(block: &[u8; BLOCK], test: impl Fn(u8) -> u8) -> u64 {
    let answers: [u8; BLOCK] = std::array::from_fn(|i| test(block[i]));
    let (words, _) = answers.as_chunks::<8>();
    let mut mask = 0;
    for (i, word) in words.iter().enumerate() {
        // Eight bytes of 0 or 1: the multiplication moves byte j's bit to bit 56 + j, and no two of them meet.
        let bits = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= bits << (8 * i);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_in_every_lane_is_judged_alone() {
        for byte in 0..=255 {
            for lane in 0..BLOCK {
                let mut block = [b'x'; BLOCK];
                block[lane] = byte;
                block[(lane + 7) % BLOCK] = 0x80;
                let suspect = matches!(byte, 0..=0x1f | 0x7f) || hidden::LEADS.contains(&byte);
                let suspect = u64::from(suspect) << lane;
                let quote = u64::from(byte == b'"' || byte == b'\\') << lane;
                assert_eq!(suspects(&block), suspect, "{byte:#x} in lane {lane}");
                let plain = suspect == 0 && byte != b'\\';
                assert_eq!(is_plain(&block), plain, "{byte:#x} in lane {lane}");
                assert_eq!(is_plain(&block[..=lane]), plain, "{byte:#x} in lane {lane}");
                assert_eq!(quotes(&block), quote, "{byte:#x} in lane {lane}");
            }
        }
    }

    #[test]
    fn a_short_block_is_filled_up_with_bytes_that_nobody_stops_at() {
        let block = block(b"ab\"cd\n", 1);
        assert_eq!((quotes(&block), suspects(&block)), (0b10, 0b1_0000));
    }
}
