//! The bytes of a packet below its line: `-A`, `-x`, `-X`.

use super::number::{HEX_PAIRS, push_hex_padded};

/// What the right side of `-X` prints for each byte: itself when it is a graphic character, which a blank is not, else a dot.
const GRAPHIC: [u8; 256] = {
    let mut map = [b'.'; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        map[byte] = byte as u8;
        byte += 1;
    }
    map
};

/// `-A`: a line feed, then the bytes as text. A carriage return is left out before a line feed, and at the end.
pub(super) fn ascii(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 1);
    out.push(b'\n');
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\r', rest) {
        push_ascii(&rest[..at], out);
        rest = &rest[at + 1..];
        // A carriage return that is the last byte, or the last but one, is never shown.
        if rest.len() > 1 && rest[0] != b'\n' {
            out.push(b'.');
        }
    }
    push_ascii(rest, out);
}

/// Itself when it is graphic, a blank, a tab or a line feed, else a dot.
fn push_ascii(bytes: &[u8], out: &mut Vec<u8>) {
    // Compared, not looked up: so the compiler does many bytes at once.
    out.extend(bytes.iter().map(|&b| {
        let shown = (0x20..0x7f).contains(&b) | (b == b'\n') | (b == b'\t');
        if shown { b } else { b'.' }
    }));
}

/// `-x`: lines of sixteen bytes in hexadecimal, each after a line feed and a tab.
pub(super) fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 4);
    for (n, row) in bytes.chunks(ROW).enumerate() {
        push_row_start(n, out);
        push_pairs(row, out);
    }
}

/// `-X`: the same with the bytes as text beside.
pub(super) fn hex_ascii(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 5);
    for (n, row) in bytes.chunks(ROW).enumerate() {
        push_row_start(n, out);
        let start = out.len();
        push_pairs(row, out);
        // The left side is 40 wide: eight times a blank and four digits.
        out.resize(start + ROW / 2 * 5, b' ');
        out.extend_from_slice(b"  ");
        out.extend(row.iter().map(|&b| GRAPHIC[usize::from(b)]));
    }
}

const ROW: usize = 16;

fn push_row_start(row: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n\t0x");
    push_hex_padded(out, (row * ROW) as u64, 4);
    out.extend_from_slice(b": ");
}

fn push_pairs(row: &[u8], out: &mut Vec<u8>) {
    for pair in row.chunks(2) {
        out.push(b' ');
        for &byte in pair {
            out.extend_from_slice(&HEX_PAIRS[usize::from(byte)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dumped(dump: impl FnOnce(&[u8], &mut Vec<u8>), bytes: &[u8]) -> String {
        let mut out = Vec::new();
        dump(bytes, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn carriage_returns_before_line_feeds_and_at_the_end_are_left_out() {
        assert_eq!(dumped(ascii, b"a\r\nb\rc\t\x07\r\r\n\r"), "\na\nb.c\t..\n");
        assert_eq!(dumped(ascii, b"a\rb"), "\nab");
        assert_eq!(dumped(ascii, b""), "\n");
    }

    #[test]
    fn an_odd_row() {
        assert_eq!(dumped(hex, b"abc"), "\n\t0x0000:  6162 63");
        let expected = "\n\t0x0000:  6120 63                                  a.c";
        assert_eq!(dumped(hex_ascii, b"a c"), expected);
    }

    #[test]
    fn a_second_row() {
        let text = dumped(hex_ascii, b"0123456789abcdefg");
        assert!(
            text.ends_with("0123456789abcdef\n\t0x0010:  67                                       g"),
            "{text}"
        );
    }
}
