//! Bytes as a hex dump beside ASCII: sixteen a line, in the form of tcpdump's `-X`.

use super::escape::hex;

const PER_LINE: usize = 16;

/// Appends a dump of `bytes`, the first of which has this `offset`: each line begins with `indent` blanks and ends with a line
/// feed. A line has the offset in hex (four digits, more when it needs them), pairs of bytes, and the bytes that ASCII can print.
///
/// How much is dumped is the caller's choice: about 4.3 bytes go out for each that comes in.
pub fn hexdump(out: &mut Vec<u8>, bytes: &[u8], offset: u64, indent: usize) {
    for (i, chunk) in bytes.chunks(PER_LINE).enumerate() {
        out.resize(out.len() + indent, b' ');
        offset_field(out, offset.saturating_add((i * PER_LINE) as u64));
        // Two digits a byte and a blank before each pair: 40 columns, filled up when the line is short.
        let mut columns = [b' '; PER_LINE / 2 * 5];
        for (j, &byte) in chunk.iter().enumerate() {
            let column = j / 2 * 5 + 1 + j % 2 * 2;
            columns[column] = hex(byte >> 4);
            columns[column + 1] = hex(byte);
        }
        out.extend_from_slice(&columns);
        out.extend_from_slice(b"  ");
        out.extend(chunk.iter().map(|&b| if matches!(b, 0x20..=0x7e) { b } else { b'.' }));
        out.push(b'\n');
    }
}

fn offset_field(out: &mut Vec<u8>, offset: u64) {
    out.extend_from_slice(b"0x");
    let digits = (16 - offset.leading_zeros() as usize / 4).max(4);
    out.extend((0..digits).rev().map(|digit| hex((offset >> (4 * digit)) as u8)));
    out.push(b':');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(bytes: &[u8], offset: u64, indent: usize) -> String {
        let mut out = Vec::new();
        hexdump(&mut out, bytes, offset, indent);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sixteen_bytes_a_line_beside_ascii() {
        assert_eq!(
            dump(b"abcdefghijklmnop\x00\xffz", 0, 4),
            "    0x0000: 6162 6364 6566 6768 696a 6b6c 6d6e 6f70  abcdefghijklmnop\n    \
             0x0010: 00ff 7a                                  ..z\n"
        );
    }

    #[test]
    fn nothing_gives_no_line() {
        assert_eq!(dump(b"", 0, 4), "");
    }

    #[test]
    fn large_offsets_have_room() {
        assert_eq!(dump(b"a", 0x12_3456, 0), format!("0x123456: {:<39}  a\n", "61"));
    }

    #[test]
    fn an_escape_sequence_is_a_dot() {
        assert!(dump(b"\x1b[2J\r\n\x9b", 0, 0).ends_with("  .[2J...\n"));
    }
}
