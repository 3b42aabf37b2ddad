//! Reads key logs in the NSS format (RFC 9850): one secret a line, `LABEL client-random secret`, the latter two in hex.
//!
//! Lines may come in pieces and in any order, end with CR LF, and be other people's: what is none is counted and left alone.

use zeroize::{Zeroize, Zeroizing};

use super::secrets::{KeySource, Label, Random, Secret, Secrets};

/// The longest line that can have a secret: the longest label, 32 bytes and 48 in hex, blanks. Of a longer one its beginning says what it is.
const LONGEST_LINE: usize = 512;

/// Reads one key log, piece by piece.
#[derive(Debug)]
pub struct KeyLogReader {
    source: KeySource,
    /// The beginning of a line whose end has not come. Never grows, so that no copy of it stays behind.
    line: Zeroizing<Vec<u8>>,
    /// More of it has come than is kept.
    too_long: bool,
    lines: Lines,
}

/// What was in a key log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// Lines with a secret that is of use to us.
    pub used: u64,
    /// Comments, empty lines, and lines with labels that we have no use for.
    pub other: u64,
    /// Lines that are none of a key log.
    pub broken: u64,
}

impl KeyLogReader {
    /// At the beginning of a log.
    pub fn new(source: KeySource) -> Self {
        Self {
            source,
            line: Zeroizing::new(Vec::with_capacity(LONGEST_LINE)),
            too_long: false,
            lines: Lines::default(),
        }
    }

    /// What there was so far.
    pub fn lines(&self) -> Lines {
        self.lines
    }

    /// The next bytes of it.
    pub fn push(&mut self, mut bytes: &[u8], secrets: &mut Secrets) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            if self.line.is_empty() && line.len() <= LONGEST_LINE {
                read_line(line, self.source, secrets, &mut self.lines);
            } else {
                self.keep(line);
                self.end_line(secrets);
            }
        }
        self.keep(bytes);
    }

    /// Nothing more will come: what stands behind the last end of a line is a line.
    pub fn finish(&mut self, secrets: &mut Secrets) {
        if !self.line.is_empty() {
            self.end_line(secrets);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE - self.line.len();
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.too_long |= bytes.len() > room;
    }

    fn end_line(&mut self, secrets: &mut Secrets) {
        if std::mem::take(&mut self.too_long) {
            let is_comment = self.line.trim_ascii_start().starts_with(b"#");
            self.lines.other += u64::from(is_comment);
            self.lines.broken += u64::from(!is_comment);
        } else {
            read_line(&self.line, self.source, secrets, &mut self.lines);
        }
        self.line.zeroize();
    }
}

fn read_line(line: &[u8], source: KeySource, secrets: &mut Secrets, lines: &mut Lines) {
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(b"#") {
        lines.other += 1;
        return;
    }
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (Some(label), Some(random), Some(secret), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        lines.broken += 1;
        return;
    };
    let Some(label) = Label::named(label) else {
        let is_label = label
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
        let count = if is_label { &mut lines.other } else { &mut lines.broken };
        *count += 1;
        return;
    };
    let mut client_random: Random = [0; 32];
    let mut bytes = Zeroizing::new([0; 48]);
    let lengths: &[usize] = if label == Label::Master { &[48] } else { &[32, 48] };
    match (unhex(random, &mut client_random), unhex(secret, &mut *bytes)) {
        (Some(32), Some(length)) if lengths.contains(&length) => {
            if let Some(secret) = Secret::new(&bytes[..length]) {
                secrets.add(client_random, label, secret, source);
            }
            lines.used += 1;
        }
        _ => lines.broken += 1,
    }
}

/// How many bytes the digits stand for.
fn unhex(digits: &[u8], out: &mut [u8]) -> Option<usize> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let digit = |b: u8| char::from(b).to_digit(16);
    for (n, &[high, low]) in pairs.iter().enumerate() {
        *out.get_mut(n)? = (digit(high)? << 4 | digit(low)?) as u8;
    }
    Some(pairs.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &[u8], piece: usize) -> (Secrets, Lines) {
        let mut secrets = Secrets::new(false);
        let mut reader = KeyLogReader::new(KeySource::KeyLog);
        for piece in log.chunks(piece) {
            reader.push(piece, &mut secrets);
        }
        reader.finish(&mut secrets);
        (secrets, reader.lines())
    }

    fn line(label: &str, secret: &str) -> String {
        format!("{label} {} {secret}", "0A".repeat(32))
    }

    #[test]
    fn other_peoples_lines_crlf_and_any_pieces() {
        let log = [
            "# a comment".into(),
            line("CLIENT_RANDOM", &"ab".repeat(48)) + "\r",
            line("CLIENT_TRAFFIC_SECRET_0", &"CD".repeat(32)) + "  \t",
            line("EXPORTER_SECRET", &"cd".repeat(32)),
            "RSA 49d711a0cfe19f65 03033d4226489ea63066df7f13".into(),
            line("CLIENT_RANDOM", &"ab".repeat(47)),
            line("SERVER_TRAFFIC_SECRET_0", &"ab".repeat(31)) + "a",
            "x".repeat(5000),
            format!(" # {}", "x".repeat(5000)),
            String::new(),
            line("SERVER_TRAFFIC_SECRET_0", &"ef".repeat(48)),
        ]
        .join("\n");
        for piece in [1, 7, 100, 10_000] {
            let (secrets, lines) = read(log.as_bytes(), piece);
            assert_eq!(
                (secrets.len(), lines.used, lines.other, lines.broken),
                (3, 3, 5, 3),
                "{piece}"
            );
            let random = [0x0a; 32];
            let known = secrets.of(&random, Label::Master).next().unwrap();
            assert_eq!(known.secret.bytes(), [0xab; 48]);
            assert_eq!(
                secrets.of(&random, Label::ServerTraffic).next().unwrap().secret.bytes(),
                [0xef; 48]
            );
        }
    }

    #[test]
    fn half_a_line_waits_for_its_end() {
        let mut secrets = Secrets::new(true);
        let mut reader = KeyLogReader::new(KeySource::KeyLog);
        let whole = line("CLIENT_TRAFFIC_SECRET_0", &"ab".repeat(48));
        let (first, rest) = whole.split_at(whole.len() - 32);
        reader.push(first.as_bytes(), &mut secrets);
        assert!(secrets.is_empty());
        reader.push(rest.as_bytes(), &mut secrets);
        reader.push(b"\n", &mut secrets);
        assert_eq!(secrets.len(), 1);
        assert!(!format!("{reader:?}").contains("171"));
    }
}
