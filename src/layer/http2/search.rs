//! Where the next frame begins when nobody said so: behind a gap, or where the capture begins late.
//!
//! A header (RFC 9113 §4.1) is 72 bits, of which most are the same in nearly all frames; one that names a stream that is open is no chance. What is less
//! certain counts with the headers that its length leads to.

use super::frame::{FrameHeader, HEADER};

/// What is known of a direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expect<F> {
    /// The largest payload that its receiver allows.
    pub(super) max_length: u32,
    /// Which streams are open.
    pub(super) is_open: F,
    /// So many bits make a header certain.
    pub(super) enough: u32,
}

/// It is known that frames follow: at the start of a segment nearly every header is enough, elsewhere one of an open stream, or two.
pub(super) const REGAIN: u32 = 30;

/// More is wanted of a header that is not at the start of a segment: so many places there are for one by chance.
pub(super) const INSIDE: u32 = 14;
/// A frame that ends where a segment ends.
const ENDS_WITH_SEGMENT: u32 = 10;
/// No more than this of one header: what imitates one imitates several.
const MOST: u32 = 40;
/// A chain is followed for so many frames.
const CHAIN: usize = 4;

/// The first frame in `bytes`, which may end anywhere in a frame. Of the first byte so many bits `more` are wanted: none where a segment begins.
pub(super) fn find<F: Fn(u32) -> bool>(bytes: &[u8], more: u32, expect: &Expect<F>) -> Option<usize> {
    (0..bytes.len().saturating_sub(HEADER - 1)).find(|&start| {
        let inside = if start == 0 { more } else { INSIDE };
        evidence(bytes, start, expect).is_some_and(|bits| bits >= expect.enough + inside)
    })
}

/// How certain it is that frames begin at `start`, in bits; `None` when they do not.
pub(super) fn evidence<F: Fn(u32) -> bool>(bytes: &[u8], start: usize, expect: &Expect<F>) -> Option<u32> {
    let (mut at, mut bits) = (start, 0);
    for _ in 0..CHAIN {
        let Some(header) = bytes.get(at..).and_then(FrameHeader::parse) else {
            break;
        };
        let header_bits = header.evidence(expect.max_length, &expect.is_open)?;
        // The first one counts in full: it may be all there is.
        bits += if at == start {
            header_bits
        } else {
            header_bits.min(MOST)
        };
        at += HEADER + header.length as usize;
        if at == bytes.len() && header_bits > 0 {
            bits += ENDS_WITH_SEGMENT;
        }
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::http2::frame::{DATA, DEFAULT_MAX_FRAME};

    fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
        [&[0, 0, payload.len() as u8, DATA, 0, 0, 0, 0, stream], payload].concat()
    }

    fn regain(bytes: &[u8]) -> Option<usize> {
        let expect = Expect {
            max_length: DEFAULT_MAX_FRAME,
            is_open: |stream| stream == 3,
            enough: REGAIN,
        };
        find(bytes, 0, &expect)
    }

    #[test]
    fn at_the_start_of_a_segment_or_behind_the_rest_of_a_frame() {
        assert_eq!(regain(&frame(1, b"whatever")), Some(0));
        assert_eq!(
            regain(&[b"rest of a frame".to_vec(), frame(3, b"text")].concat()),
            Some(15)
        );
        assert_eq!(
            regain(&[b"rest of a frame".to_vec(), frame(1, b"text"), frame(5, b"text")].concat()),
            Some(15)
        );
        // Nobody knows the stream, and nothing else speaks for it.
        let alone = [b"rest of a frame".to_vec(), frame(1, &[7; 100])].concat();
        assert_eq!(regain(&alone[..60]), None);
    }

    #[test]
    fn rows_of_numbers_are_no_frames() {
        let mut words: Vec<u8> = (0..2000_u32).flat_map(u32::to_be_bytes).collect();
        words.extend((0..2000_u64).flat_map(u64::to_be_bytes));
        words.extend((0..2000_u32).flat_map(u32::to_le_bytes));
        words.extend((0..200_u64).flat_map(u64::to_le_bytes));
        words.extend([0; 1000]);
        words.extend((0..2000_u16).flat_map(u16::to_be_bytes));
        for start in 0..9 {
            assert_eq!(regain(&words[start..]), None, "{start}");
        }
    }
}
