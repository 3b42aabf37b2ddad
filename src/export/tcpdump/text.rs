//! A line in the making.

use super::number::{self, PAIRS};

/// More than most lines are long.
const ROOM: usize = 256;

/// What is written gathers in an array, so that writing a few bytes is a comparison with a constant and a store.
pub(super) struct Text<'l> {
    out: &'l mut Vec<u8>,
    gathered: [u8; ROOM],
    at: usize,
}

impl<'l> Text<'l> {
    #[inline]
    pub(super) fn new(out: &'l mut Vec<u8>) -> Self {
        Self {
            out,
            gathered: [0; ROOM],
            at: 0,
        }
    }

    /// Gives the buffer back, with all that was written.
    #[inline]
    pub(super) fn finish(mut self) -> &'l mut Vec<u8> {
        self.flush();
        self.out
    }

    /// Drops all that was written, and what stood in the buffer before.
    pub(super) fn clear(&mut self) {
        self.out.clear();
        self.at = 0;
    }

    #[inline]
    fn flush(&mut self) {
        self.out
            .extend_from_slice(self.gathered.get(..self.at).unwrap_or_default());
        self.at = 0;
    }

    #[inline(always)]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        match self.gathered.get_mut(self.at..self.at + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.at += bytes.len();
            }
            None => self.put_all(bytes),
        }
    }

    #[cold]
    fn put_all(&mut self, bytes: &[u8]) {
        self.flush();
        self.out.extend_from_slice(bytes);
    }

    /// Writes all of `bytes`, of which the first `length` count.
    #[inline(always)]
    pub(super) fn put_first<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        match self.gathered.get_mut(self.at..self.at + N) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.at += length;
            }
            None => self.put_all(bytes.get(..length).unwrap_or(bytes)),
        }
    }

    /// Lets somebody else write, who knows of vectors.
    pub(super) fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.flush();
        write(self.out);
    }

    /// `10.0.0.1`
    #[inline]
    pub(super) fn v4(&mut self, octets: [u8; 4]) {
        let (text, length) = number::v4(octets);
        self.put_first(&text, length);
    }

    /// A number in decimal.
    #[inline]
    pub(super) fn dec(&mut self, n: u64) {
        match n {
            0..1000 => {
                let (text, length) = group(n as u32);
                self.put_first(&text, length);
            }
            1000..=0xffff_ffff => self.groups(n as u32),
            _ => self.with(|out| number::push_dec(out, n)),
        }
    }

    /// A number of more than three digits, in groups of three.
    fn groups(&mut self, n: u32) {
        let pair = |n: u32| PAIRS[(n % 100) as usize];
        match n {
            0..1_000_000 => {
                let (text, length) = group(n / 1000);
                self.put_first(&text, length);
                self.put(&PADDED[(n % 1000) as usize]);
            }
            1_000_000..100_000_000 => {
                let ([a, b], [c, d], [e, f]) = (pair(n / 10_000), pair(n / 100), pair(n));
                let (text, length) = group(n / 1_000_000);
                self.put_first(&text, length);
                self.put(&[a, b, c, d, e, f]);
            }
            _ => {
                let ([a, b], [c, d], [e, f], [g, h]) = (pair(n / 1_000_000), pair(n / 10_000), pair(n / 100), pair(n));
                let (text, length) = group(n / 100_000_000);
                self.put_first(&text, length);
                self.put(&[a, b, c, d, e, f, g, h]);
            }
        }
    }
}

/// The digits of a number below 1000, and how many they are.
#[inline]
fn group(n: u32) -> ([u8; 3], usize) {
    let [a, b, c] = PADDED[n as usize % 1000];
    match n {
        0..10 => ([c, 0, 0], 1),
        10..100 => ([b, c, 0], 2),
        _ => ([a, b, c], 3),
    }
}

/// Three decimal digits of each number below 1000.
const PADDED: [[u8; 3]; 1000] = {
    let mut texts = [[0; 3]; 1000];
    let mut n = 0;
    while n < 1000 {
        texts[n] = [
            b'0' + (n / 100) as u8,
            b'0' + (n / 10 % 10) as u8,
            b'0' + (n % 10) as u8,
        ];
        n += 1;
    }
    texts
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_digits() {
        let powers = (0..20).map(|n| 10u64.pow(n));
        for n in powers
            .flat_map(|n| [n - 1, n, n + 7])
            .chain([u32::MAX.into(), u64::MAX])
        {
            let mut out = b"> ".to_vec();
            let mut text = Text::new(&mut out);
            text.dec(n);
            text.put(b".");
            text.finish();
            assert_eq!(String::from_utf8_lossy(&out), format!("> {n}."));
        }
    }

    #[test]
    fn what_is_longer_than_the_room_is_written_whole() {
        let mut out = Vec::new();
        let mut text = Text::new(&mut out);
        for _ in 0..100 {
            text.put(b"0123456789");
            text.v4([1, 20, 255, 0]);
        }
        text.put(&[b'x'; 1000]);
        text.finish();
        assert_eq!(
            out,
            ["01234567891.20.255.0".repeat(100), "x".repeat(1000)]
                .concat()
                .into_bytes()
        );
    }
}
