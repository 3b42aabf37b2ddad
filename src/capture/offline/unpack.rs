//! Compressed captures: gzip (RFC 1952) and Zstandard (RFC 8878), recognised by their first bytes.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::FrameDecoderError;

use super::Fault;
use super::blocks::Blocks;
use super::gzip::Gzip;

/// A window over what `source` holds, unpacked when it is packed.
///
/// `memory` is what may be kept of it at most, in bytes: a zstd window has a quarter.
pub(super) fn open(source: Box<dyn Read + Send>, size: Option<u64>, memory: usize) -> Result<Blocks, Fault> {
    let read = Arc::new(AtomicU64::new(0));
    let mut source = Counting {
        source,
        read: Arc::clone(&read),
    };
    // Only as many bytes as it takes to know; a live pipe may have no more than a header for now.
    let mut head = Vec::with_capacity(6);
    (&mut source).take(4).read_to_end(&mut head)?;
    let kind = match head.as_slice() {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd] => Some("zstd"),
        // A skippable frame first (RFC 8878 §3.1.2): pzstd begins so.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some("zstd"),
        [0xfd, b'7', b'z', b'X'] => return Err(packed("xz", "xz -dc")),
        [b'B', b'Z', b'h', _] => return Err(packed("bzip2", "bzip2 -dc")),
        [0x04, 0x22, 0x4d, 0x18] => return Err(packed("lz4", "lz4 -dc")),
        [b'P', b'K', 3, 4] => return Err(packed("zip", "unzip -p")),
        _ => None,
    };
    let whole = io::Cursor::new(head).chain(source);
    let source: Box<dyn Read + Send> = match kind {
        Some("gzip") => Box::new(Gzip::new(BufReader::with_capacity(1 << 16, whole))),
        Some(_) => Box::new(Zstd {
            source: Some(BufReader::with_capacity(1 << 16, whole)),
            frame: None,
            window: (memory / 4) as u64,
        }),
        None => Box::new(whole),
    };
    Ok(Blocks::new(source, read, size, kind.is_some()))
}

fn packed(with: &str, tool: &str) -> Fault {
    Fault::Damaged(format!(
        "is packed with {with}; gzip and zstd are read as they are, unpack this one: {tool} FILE | wschat-sniff -r -"
    ))
}

/// Counts what was read, for the progress line.
struct Counting {
    source: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Zstandard frames one after the other; the decoder itself knows only one.
struct Zstd<R: BufRead> {
    source: Option<R>,
    frame: Option<Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>>,
    /// The largest window, in bytes.
    window: u64,
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
            }
            if let Some(frame) = self.frame.take() {
                self.source = Some(frame.into_inner());
            }
            let Some(mut source) = self.source.take() else {
                return Ok(0);
            };
            if !next_frame(&mut source)? {
                self.source = Some(source);
                return Ok(0);
            }
            let frame = StreamingDecoder::new_with_max_window_size(source, self.window).map_err(|error| {
                let what = match error {
                    FrameDecoderError::WindowSizeTooBig { requested, .. } => format!(
                        "it was packed with a window of {requested} bytes; a quarter of --max-memory is the most that is kept"
                    ),
                    error => error.to_string(),
                };
                io::Error::new(io::ErrorKind::InvalidData, format!("zstd: {what}"))
            })?;
            self.frame = Some(Box::new(frame));
        }
    }
}

/// Passes over skippable frames; `false` at the end.
fn next_frame(source: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let ahead = source.fill_buf()?;
        if ahead.is_empty() {
            return Ok(false);
        }
        // The buffer may end within the magic number; then the first byte decides, and the decoder says what is wrong.
        if !(0x50..=0x5f).contains(&ahead[0]) {
            return Ok(true);
        }
        let mut head = [0; 8];
        source.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        io::copy(&mut source.take(length.into()), &mut io::sink())?;
    }
}
