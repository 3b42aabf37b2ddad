//! One side of an exchange: where it is, and a head that comes in pieces or that is too long.

use super::body::Chunked;
use super::head::{self, Head, Outcome};
use super::head_store::{HeadStore, Kept};

/// What one side sends.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) mode: Mode,
    /// The beginning of a head.
    head: Option<Kept>,
    /// How much of it was there when it was read in vain.
    read: usize,
    /// Where it lies in the stream.
    start: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Head,
    /// In a head of which no more is kept.
    TooLong(Ending),
    /// So many bytes of a body are left.
    Body(u64),
    Chunked(Chunked),
    /// The body ends with the connection.
    ToEnd,
    /// The client asked for an upgrade, and nobody knows yet what its next bytes are.
    Waiting,
    /// In the middle of something unknown.
    Lost,
}

/// Looks for the empty line that ends a head (RFC 9112 §2.1, and §2.2 on lines that end without CR).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    /// Nothing has come of the line, but perhaps its CR.
    empty: bool,
}

/// What bytes of a head brought.
#[derive(Debug)]
pub(super) enum Headed<'b> {
    /// It goes on.
    Partial,
    /// It is none.
    NotHttp,
    /// It is complete, and these are its bytes.
    Whole(Head, Bytes<'b>),
    /// It is longer than is kept; this is its beginning. Its end is to be looked for.
    TooLong(Bytes<'b>),
    /// What was kept of it had to make room for younger ones: so many bytes from there.
    GaveWay(u64, u64),
}

/// Bytes of a head, where they came or as they were kept.
#[derive(Debug)]
pub(super) enum Bytes<'b> {
    Here(&'b [u8]),
    Kept(Vec<u8>),
}

impl std::ops::Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Here(bytes) => bytes,
            Bytes::Kept(bytes) => bytes,
        }
    }
}

impl Bytes<'_> {
    fn truncate(&mut self, length: usize) {
        match self {
            Bytes::Here(bytes) => *bytes = &bytes[..length.min(bytes.len())],
            Bytes::Kept(bytes) => bytes.truncate(length),
        }
    }
}

impl Reader {
    /// More bytes of a head, or the first ones. How many of them were used, and what they brought.
    pub(super) fn head<'b>(&mut self, offset: u64, bytes: &'b [u8], heads: &mut HeadStore) -> (usize, Headed<'b>) {
        let Some(kept) = &self.head else {
            // However many empty lines come before a head, they are ignored (RFC 9112 §2.2) and not kept.
            let empty = head::empty_lines(bytes);
            if empty > 0 {
                return (empty, Headed::Partial);
            }
            // The common case: the whole head in one segment, read where it lies.
            let outcome = head::read(bytes, offset);
            self.start = offset;
            if matches!(outcome, Outcome::Partial) && bytes.len() <= heads.head_bytes {
                self.read = bytes.len();
                self.head = Some(heads.keep(bytes));
                return (bytes.len(), Headed::Partial);
            }
            return self.complete(outcome, 0, Bytes::Here(bytes), heads);
        };
        let before = heads.length(kept);
        let Some(head) = heads.append(kept, bytes) else {
            self.head = None;
            let end = offset + bytes.len() as u64;
            return (bytes.len(), Headed::GaveWay(self.start, end));
        };
        // Parsing again is worth it only when the head may have ended, or has doubled: one in many pieces stays cheap.
        let outcome = if before < 16 || head.len() / 2 >= self.read || ends(&head[before.saturating_sub(3)..]) {
            self.read = head.len();
            head::read(head, self.start)
        } else {
            Outcome::Partial
        };
        if matches!(outcome, Outcome::Partial) && head.len() <= heads.head_bytes {
            return (bytes.len(), Headed::Partial);
        }
        let head = self.take(heads);
        self.complete(outcome, before, Bytes::Kept(head), heads)
    }

    /// A head has ended, or it will not: `bytes` begin with it, and the first `before` of them had come before.
    fn complete<'b>(
        &mut self,
        outcome: Outcome,
        before: usize,
        mut bytes: Bytes<'b>,
        heads: &HeadStore,
    ) -> (usize, Headed<'b>) {
        match outcome {
            Outcome::Partial | Outcome::TooMany => {
                let lines = match outcome {
                    Outcome::TooMany => head::lines_read(&bytes),
                    _ => bytes.len(),
                };
                // The rest is passed over. No head has ended before it, or it would have been read to its end.
                let passed = lines.max(before);
                let mut ending = Ending::default();
                ending.find(&bytes[passed.saturating_sub(3)..passed]);
                self.mode = Mode::TooLong(ending);
                bytes.truncate(lines.min(heads.head_bytes));
                (passed - before, Headed::TooLong(bytes))
            }
            Outcome::NotHttp => {
                self.mode = Mode::Lost;
                (0, Headed::NotHttp)
            }
            Outcome::Head(head, size) => {
                bytes.truncate(size);
                (size.saturating_sub(before), Headed::Whole(head, bytes))
            }
        }
    }

    /// No head has begun, and the next one may.
    pub(super) fn is_between_heads(&self) -> bool {
        self.mode == Mode::Head && self.head.is_none()
    }

    /// Keeps the beginning of a head.
    pub(super) fn keep(&mut self, bytes: &[u8], heads: &mut HeadStore) {
        self.head = Some(heads.keep(bytes));
    }

    /// The beginning of a head that was kept, no longer kept.
    pub(super) fn take(&mut self, heads: &mut HeadStore) -> Vec<u8> {
        let kept = self.head.take();
        kept.and_then(|kept| heads.take(&kept)).unwrap_or_default()
    }

    /// What the beginning of a head says that will not come whole.
    pub(super) fn cut(&self, bytes: &[u8]) -> Option<Head> {
        head::read_cut(bytes, self.start)
    }
}

impl Ending {
    /// How many of the bytes belong to the head when it ends among them.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if !self.empty {
                // To the end of the line.
                at += memchr::memchr(b'\n', &bytes[at..])? + 1;
                self.empty = true;
                continue;
            }
            at += 1;
            match byte {
                b'\n' => return Some(at),
                b'\r' => {}
                _ => self.empty = false,
            }
        }
        None
    }
}

/// Whether a head may end in `bytes`.
fn ends(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).any(|end| matches!(bytes[end + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_in_any_pieces() {
        for (text, end) in [
            ("a: b\r\n\r\nframes", Some(8)),
            ("a\n\nframes", Some(3)),
            ("\r\n\r\n", Some(4)),
            ("a\r\nb\r\r\n", None),
        ] {
            for size in 1..=text.len() {
                let mut ending = Ending::default();
                let mut found = None;
                for (n, piece) in text.as_bytes().chunks(size).enumerate() {
                    found = found.or_else(|| Some(n * size + ending.find(piece)?));
                }
                assert_eq!(found, end, "{text:?} in pieces of {size}");
            }
        }
    }
}
