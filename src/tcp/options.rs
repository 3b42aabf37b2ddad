//! The TCP options that the streams need: the window scale (RFC 7323 §2.2) and SACK (RFC 2018 §3).

/// The shift count of a SYN's window scale option. More than 14 counts as 14 (RFC 7323 §2.3).
pub(super) fn window_scale(options: &[u8]) -> Option<u8> {
    match option(options, 3)? {
        [shift] => Some((*shift).min(14)),
        _ => None,
    }
}

/// The sequence numbers of the first block of a SACK option: what came last (RFC 2018 §4).
#[inline]
pub(super) fn first_sack(options: &[u8]) -> Option<(u32, u32)> {
    // Most segments have a timestamp at most.
    if options.len() <= 12 && !matches!(options, [1, 1, 5, ..]) {
        return None;
    }
    let block: &[u8; 8] = option(options, 5)?.first_chunk()?;
    let [a, b, c, d, e, f, g, h] = *block;
    Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
}

/// What the first option of this kind says.
fn option(mut options: &[u8], kind: u8) -> Option<&[u8]> {
    loop {
        options = match options {
            // End of the list, or nothing left.
            [] | [0, ..] | [_] => return None,
            // No operation.
            [1, rest @ ..] => rest,
            [found, length, ..] if *found == kind => return options.get(2..usize::from(*length)),
            [_, length, ..] => options.get(usize::from(*length).max(2)..)?,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shift_is_found_among_other_options() {
        assert_eq!(window_scale(&[2, 4, 5, 0xb4, 1, 3, 3, 7]), Some(7));
        assert_eq!(window_scale(&[3, 3, 200]), Some(14));
        assert_eq!(window_scale(&[2, 4, 5, 0xb4]), None);
        assert_eq!(window_scale(&[0, 3, 3, 7]), None);
    }

    #[test]
    fn rfc2018_3_the_first_sack_block_is_what_came_last() {
        let block = [1, 1, 5, 18, 0, 0, 0, 9, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 2];
        assert_eq!(first_sack(&block), Some((9, 20)));
        assert_eq!(first_sack(&block[..10]), None);
        assert_eq!(first_sack(&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]), None);
    }

    #[test]
    fn malformed_options_end() {
        for bytes in [&[3][..], &[3, 3], &[5, 0, 5, 0], &[5, 1, 9], &[5, 200, 0], &[1, 1, 1]] {
            assert_eq!(window_scale(bytes), None);
        }
    }
}
