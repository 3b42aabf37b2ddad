//! Sequence numbers (RFC 9293 §3.4) as offsets in a stream that does not wrap.

/// No two bytes in flight are further apart: the largest window (RFC 7323 §2.3).
pub(super) const LARGEST_WINDOW: i64 = 1 << 30;

/// The offset of sequence number `seq`, in a stream whose offset 0 has sequence number `start`, as near to the offset
/// `near` as there is one. Negative before the stream's beginning.
#[inline]
pub(super) fn offset(start: u32, near: u64, seq: u32) -> i64 {
    // Streams are shorter than 2^63 bytes, and sequence numbers are offsets modulo 2^32.
    let distance = seq.wrapping_sub(start.wrapping_add(near as u32)) as i32;
    near as i64 + i64::from(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_go_on_where_sequence_numbers_wrap() {
        assert_eq!(offset(0xffff_fff0, 0, 0xffff_fff0), 0);
        assert_eq!(offset(0xffff_fff0, 0, 0x10), 0x20);
        assert_eq!(offset(0xffff_fff0, 0x20, 0xffff_ffff), 0xf);
        assert_eq!(offset(5, 0, 4), -1);
        assert_eq!(offset(5, 0x5_0000_0000, 6), 0x5_0000_0001);
        assert_eq!(offset(5, 0x5_0000_0000, 4), 0x4_ffff_ffff);
    }
}
