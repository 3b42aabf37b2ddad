//! The one TCP option that the streams need: the window scale (RFC 7323 §2.2).

/// The shift count of a SYN's window scale option. More than 14 counts as 14 (RFC 7323 §2.3).
pub(super) fn window_scale(mut options: &[u8]) -> Option<u8> {
    loop {
        options = match options {
            // End of the list, or nothing left.
            [] | [0, ..] => return None,
            // No operation.
            [1, rest @ ..] => rest,
            [3, 3, shift, ..] => return Some((*shift).min(14)),
            [_, length, ..] => options.get(usize::from(*length).max(2)..)?,
            [_] => return None,
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
    fn malformed_options_end() {
        for bytes in [&[3][..], &[3, 3], &[5, 0, 5, 0], &[5, 1, 9], &[5, 200, 0], &[1, 1, 1]] {
            assert_eq!(window_scale(bytes), None);
        }
    }
}
