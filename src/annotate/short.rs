//! A few captured words kept by value: remembering them allocates nothing.

/// At most `N` bytes (`N` is below 256) of a text, and whether there were more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short<const N: usize> {
    bytes: [u8; N],
    length: u8,
    cut: bool,
}

impl<const N: usize> Short<N> {
    /// As much of `text` as fits, no character of UTF-8 cut in two; `cut` when something is missing already.
    pub(super) fn new(text: &[u8], cut: bool) -> Self {
        let mut end = text.len().min(N);
        while end < text.len() && end > 0 && text[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        let mut bytes = [0; N];
        bytes[..end].copy_from_slice(&text[..end]);
        Self {
            bytes,
            length: end as u8,
            cut: cut || end < text.len(),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// There were more.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }
}

impl<const N: usize> Default for Short<N> {
    fn default() -> Self {
        Self {
            bytes: [0; N],
            length: 0,
            cut: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let short = Short::<5>::new("猪猪".as_bytes(), false);
        assert_eq!((short.bytes(), short.is_cut()), ("猪".as_bytes(), true));
        let whole = Short::<6>::new("猪猪".as_bytes(), false);
        assert_eq!((whole.bytes(), whole.is_cut()), ("猪猪".as_bytes(), false));
        assert!(Short::<6>::new(b"x", true).is_cut());
    }
}
