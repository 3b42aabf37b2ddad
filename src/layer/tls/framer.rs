//! Where records begin and end (RFC 8446 §5.1, RFC 5246 §6.2.1): bytes and gaps in, records out, keys not needed.
//!
//! A record's header tells its length in the clear, so a gap inside a record costs that record alone. After a gap that takes a
//! header with it, the next one is looked for: three bytes that any header has, a length that one can have, and where it ends the
//! beginning of another header, or the end of what has come.

use crate::base::{Gap, GapCause, PacketRef};
use crate::layer::{Chunk, Span, StreamRange};

/// The longest body: 2^14 bytes and what encryption may add in TLS 1.2 (RFC 5246 §6.2.3).
pub(super) const LONGEST_BODY: usize = (1 << 14) + 2048;

/// Bytes of a header.
pub(super) const HEADER: usize = 5;

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// 20 ChangeCipherSpec, 21 alert, 22 handshake, 23 application data.
    pub(super) content: u8,
    /// Its version as sent: 3 and 1 to 3.
    pub(super) minor: u8,
    /// Bytes of its body.
    pub(super) length: u16,
}

impl Header {
    /// One of TLS 1.0 to 1.3, as far as `bytes` (five, or fewer) can tell.
    pub(super) fn is_plausible(bytes: &[u8]) -> bool {
        let is = |at: usize, test: fn(u8) -> bool| bytes.get(at).is_none_or(|&byte| test(byte));
        let length = match bytes {
            [_, _, _, high, low, ..] => Some(usize::from(u16::from_be_bytes([*high, *low]))),
            [_, _, _, high] => Some(usize::from(*high) << 8).filter(|&length| length != 0),
            _ => None,
        };
        is(0, |content| (20..=24).contains(&content))
            && is(1, |major| major == 3)
            && is(2, |minor| minor <= 3)
            && length.is_none_or(|length| (1..=LONGEST_BODY).contains(&length))
    }

    /// The header at the beginning of `bytes`, if one can be there.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[content, _, minor, high, low] = bytes.first_chunk()?;
        let header = Self {
            content,
            minor,
            length: u16::from_be_bytes([high, low]),
        };
        Self::is_plausible(bytes).then_some(header)
    }

    /// As it was sent.
    pub(super) fn bytes(self) -> [u8; HEADER] {
        self.with_length(self.length.into())
    }

    /// With another length, as MACs cover it.
    pub(super) fn with_length(self, length: usize) -> [u8; HEADER] {
        let [high, low] = (length as u16).to_be_bytes();
        [self.content, 3, self.minor, high, low]
    }

    /// Bytes of the whole record.
    pub(super) fn total(self) -> usize {
        HEADER + usize::from(self.length)
    }
}

/// What the framer finds.
#[derive(Debug)]
pub(super) enum Framed<'a> {
    /// A whole record.
    Record {
        header: Header,
        body: &'a [u8],
        span: Span,
        at: PacketRef,
    },
    /// A record of which the beginning was captured, `body`, and the rest was not.
    Cut {
        header: Header,
        body: &'a [u8],
        span: Span,
        at: PacketRef,
        cause: GapCause,
    },
    /// Bytes in which headers were: of how many records is not known.
    Hole {
        bytes: u64,
        /// Nobody knows how much was before them.
        late: bool,
        cause: GapCause,
    },
}

/// The framer of one direction.
#[derive(Debug, Default)]
pub(super) struct Framer {
    /// Bytes that are not used up: an incomplete record, or those in which a header is looked for.
    bytes: Vec<u8>,
    /// How many at their beginning are used up.
    used: usize,
    /// Offset in the stream of the first one.
    start: u64,
    /// Who carried them: the end of each chunk, and its span.
    carried: Vec<(u64, Span)>,
    /// How many bytes of a cut record are still to come.
    skip: u64,
    /// A header is looked for behind so many bytes.
    hole: Option<Hole>,
    /// Why bytes were missing last.
    cause: Option<GapCause>,
    at: Option<PacketRef>,
    /// What was sent before is not known.
    late: bool,
}

#[derive(Debug, Clone, Copy)]
struct Hole {
    /// Bytes before those that are kept.
    bytes: u64,
    /// Where the search goes on among those that are kept.
    searched: usize,
}

impl Framer {
    /// One that begins somewhere in a stream.
    pub(super) fn late() -> Self {
        Self {
            late: true,
            hole: Some(Hole { bytes: 0, searched: 0 }),
            ..Self::default()
        }
    }

    /// What comes first is known to begin a record, and to be the first one.
    pub(super) fn begin(&mut self) {
        let is_first = self.late && self.bytes.is_empty() && self.hole.is_some_and(|hole| hole.bytes == 0);
        if is_first {
            (self.late, self.hole) = (false, None);
        }
    }

    /// Bytes of memory that it keeps.
    pub(super) fn cost(&self) -> usize {
        self.bytes.capacity() + self.carried.capacity() * size_of::<(u64, Span)>()
    }

    /// Gives back memory that is not in use.
    pub(super) fn trim(&mut self) {
        self.bytes.shrink_to_fit();
        self.carried.shrink_to_fit();
    }

    /// The next thing in what has come, or `None` when all of `input` is used up. Asked until then.
    pub(super) fn next<'f, 'i: 'f>(&'f mut self, input: &mut Chunk<'i>) -> Option<Framed<'f>> {
        self.drop_used();
        self.skip_cut(input);
        if self.hole.is_some() {
            return self.search(input);
        }
        if self.bytes.is_empty() {
            let bytes = input.bytes;
            let header = match Header::read(bytes) {
                Some(header) => header,
                None if bytes.len() < HEADER && Header::is_plausible(bytes) => {
                    self.keep(input, bytes.len());
                    return None;
                }
                None => return self.lose_sync(input),
            };
            let Some(body) = bytes.get(HEADER..header.total()) else {
                self.keep(input, bytes.len());
                return None;
            };
            let record = input.slice(0..header.total());
            *input = input.skip(header.total());
            return Some(Framed::Record {
                header,
                body,
                span: record.span,
                at: record.at,
            });
        }
        self.keep(input, HEADER.saturating_sub(self.bytes.len()));
        if !Header::is_plausible(&self.bytes) {
            return self.lose_sync(input);
        }
        let header = Header::read(&self.bytes)?;
        self.keep(input, header.total().saturating_sub(self.bytes.len()));
        if self.bytes.len() < header.total() {
            return None;
        }
        self.used = header.total();
        Some(Framed::Record {
            header,
            span: self.span(0..header.total()),
            at: self.at?,
            body: self.bytes.get(HEADER..header.total())?,
        })
    }

    /// Bytes are missing. Asked after all before them have been used up.
    pub(super) fn gap(&mut self, gap: Gap) -> Option<Framed<'_>> {
        self.drop_used();
        self.cause = Some(gap.cause);
        let skipped = self.skip.min(gap.length);
        self.skip -= skipped;
        let mut left = gap.length - skipped;
        if let Some(hole) = &mut self.hole {
            hole.bytes += self.bytes.len() as u64 + left;
            hole.searched = 0;
            self.forget();
            return None;
        }
        if left == 0 {
            return None;
        }
        let cut = match Header::read(&self.bytes) {
            Some(header) if header.total() > self.bytes.len() => {
                let rest = (header.total() - self.bytes.len()) as u64;
                self.skip = rest.saturating_sub(left);
                left = left.saturating_sub(rest);
                Some(header)
            }
            _ => {
                left += self.bytes.len() as u64;
                None
            }
        };
        if left > 0 {
            self.hole = Some(Hole {
                bytes: left,
                searched: 0,
            });
        }
        self.used = self.bytes.len();
        let header = cut?;
        Some(Framed::Cut {
            header,
            span: self.span(0..self.used),
            at: self.at?,
            body: self.bytes.get(HEADER..self.used)?,
            cause: gap.cause,
        })
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self) -> Option<Framed<'_>> {
        self.drop_used();
        let header = Header::read(&self.bytes).filter(|_| self.hole.is_none());
        if let Some(header) = header {
            self.used = self.bytes.len();
            return Some(Framed::Cut {
                header,
                span: self.span(0..self.used),
                at: self.at?,
                body: self.bytes.get(HEADER..self.used)?,
                cause: GapCause::Lost,
            });
        }
        let hole = self.hole.take()?;
        let bytes = hole.bytes + self.bytes.len() as u64;
        self.forget();
        (bytes > 0).then(|| self.hole_of(bytes))
    }

    /// Looks for a header in what is kept and in what comes.
    fn search<'f, 'i: 'f>(&'f mut self, input: &mut Chunk<'i>) -> Option<Framed<'f>> {
        self.keep(input, input.bytes.len());
        let hole = self.hole.as_mut()?;
        while let Some(found) = memchr::memmem::find(self.bytes.get(hole.searched + 1..)?, b"\x03\x03") {
            let at = hole.searched + found;
            let candidate = self.bytes.get(at..)?;
            if !Header::is_plausible(candidate) {
                hole.searched = at + 1;
                continue;
            }
            hole.searched = at;
            let header = Header::read(candidate)?;
            let behind = candidate.get(header.total()..)?;
            if !Header::is_plausible(behind.get(..HEADER).unwrap_or(behind)) {
                hole.searched = at + 1;
                continue;
            }
            let bytes = hole.bytes + at as u64;
            self.hole = None;
            self.used = at;
            if bytes == 0 && !self.late {
                return self.next(input);
            }
            return Some(self.hole_of(bytes));
        }
        // The last two bytes may begin one.
        let useless = self.bytes.len().saturating_sub(2).max(hole.searched);
        hole.bytes += useless as u64;
        hole.searched = 0;
        self.used = useless;
        None
    }

    fn hole_of(&mut self, bytes: u64) -> Framed<'static> {
        Framed::Hole {
            bytes,
            late: std::mem::take(&mut self.late),
            cause: self.cause.unwrap_or(GapCause::Lost),
        }
    }

    /// What stands where a header should be is none: it is looked for from here on.
    fn lose_sync<'f, 'i: 'f>(&'f mut self, input: &mut Chunk<'i>) -> Option<Framed<'f>> {
        self.hole = Some(Hole { bytes: 0, searched: 0 });
        self.keep(input, 1);
        let first = 1.min(self.bytes.len());
        self.used = first;
        self.drop_used();
        if let Some(hole) = &mut self.hole {
            hole.bytes = first as u64;
        }
        self.search(input)
    }

    /// Takes up to `count` bytes of the input in.
    fn keep(&mut self, input: &mut Chunk<'_>, count: usize) {
        let count = count.min(input.bytes.len());
        if count == 0 {
            return;
        }
        let chunk = input.slice(0..count);
        if self.bytes.is_empty() {
            self.start = chunk.offset;
        }
        self.bytes.extend_from_slice(chunk.bytes);
        self.carried.push((chunk.end(), chunk.span));
        self.at = Some(chunk.at);
        *input = input.skip(count);
    }

    /// Lets go of what has been used up.
    fn drop_used(&mut self) {
        if self.used == 0 {
            return;
        }
        self.start += self.used as u64;
        if self.used == self.bytes.len() {
            self.forget();
            return;
        }
        self.bytes.drain(..self.used);
        self.carried.retain(|(end, _)| *end > self.start);
        self.used = 0;
    }

    fn forget(&mut self) {
        self.bytes.clear();
        self.carried.clear();
        self.used = 0;
    }

    /// Skips what comes of a cut record.
    fn skip_cut(&mut self, input: &mut Chunk<'_>) {
        let skipped = self.skip.min(input.bytes.len() as u64);
        self.skip -= skipped;
        if skipped > 0 {
            *input = input.skip(skipped as usize);
        }
    }

    /// The span of a range of what is kept.
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let (start, end) = (self.start + range.start as u64, self.start + range.end as u64);
        let mut chunk_start = self.start;
        let mut span: Option<Span> = None;
        for (chunk_end, of) in &self.carried {
            if *chunk_end > start && chunk_start < end {
                match &mut span {
                    Some(span) => span.join(of),
                    None => span = Some(*of),
                }
            }
            chunk_start = *chunk_end;
        }
        let mut span = span.unwrap_or(Span::packet(
            PacketRef {
                packet: 0,
                time: Default::default(),
            },
            StreamRange::default(),
        ));
        span.tcp = StreamRange { start, end };
        span
    }
}
