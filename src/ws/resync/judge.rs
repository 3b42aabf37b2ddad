//! The questions that the decoder and the engine ask, answered from what they hold back.

use super::chain::Window;
use super::search::{Expect, Found, Purpose, Resync};
use crate::ws::{Backlog, Held};

/// What is known of the direction whose next frame is sought.
#[derive(Debug, Clone, Copy)]
pub struct Clues {
    /// Its frames are masked, as a client's are.
    pub masked: bool,
    /// RSV1 may be set: permessage-deflate was agreed on, or nobody knows.
    pub deflate: bool,
    /// No more bytes will come: decide with those that there are.
    pub ended: bool,
}

/// Where the next frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A header begins at this stream offset, which lies in the backlog's bytes: sure enough that no garbage comes out.
    Header(u64),
    /// More bytes are needed.
    NotYet,
}

/// Finds the first frame header in `backlog`: bytes and gaps of one direction, from somewhere in the middle of a frame on. Each
/// [`Held::Data`] is a segment's data: frames like to begin and end where segments do. A gap's length is exact: a
/// frame may reach over it, and the next header lie behind.
///
/// Looks at all of it, so ask again when the backlog has grown by a part of its size. To ask with every byte, keep a [`Resync`].
pub fn find(backlog: &Backlog, clues: Clues) -> Next {
    let expect = Expect {
        purpose: Purpose::Regain,
        masked: Some(clues.masked),
        deflate: if clues.deflate { None } else { Some(false) },
    };
    match search(backlog, expect, clues.ended) {
        Some((offset, _)) => Next::Header(offset),
        None => Next::NotYet,
    }
}

/// What a connection is whose beginning was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// WebSocket, surely. The one of the two directions (0 or 1) with this index is masked: it is the client's.
    WebSocket {
        /// 0 or 1.
        masked: usize,
    },
    /// Not decided yet.
    NotYet,
    /// Surely something else.
    Other,
}

/// How much a connection may carry until it is taken for something else: more than a large frame in whose middle the capture began.
const PATIENCE: usize = 512 << 10;

/// Judges a connection from what its two directions carried, from anywhere on. It must not take TLS, SSH, HTTP, Redis, HTTP/2, databases or
/// random bytes for WebSocket; one direction may be empty.
pub fn judge(directions: [&Backlog; 2]) -> Verdict {
    if directions.iter().any(|backlog| is_well_known(backlog.bytes())) {
        return Verdict::Other;
    }
    let expect = Expect {
        purpose: Purpose::Infer,
        masked: None,
        deflate: None,
    };
    let found = directions.map(|backlog| search(backlog, expect, false).map(|(_, masked)| masked));
    match found {
        [Some(one), Some(other)] if one != other => Verdict::WebSocket {
            masked: usize::from(other),
        },
        [Some(_), Some(_)] => Verdict::Other,
        // The other one is silent, in the middle of a large frame, or a frame too few.
        [Some(one), None] => Verdict::WebSocket {
            masked: usize::from(!one),
        },
        [None, Some(other)] => Verdict::WebSocket {
            masked: usize::from(other),
        },
        [None, None] if directions.iter().map(|backlog| backlog.bytes().len()).sum::<usize>() > PATIENCE => {
            Verdict::Other
        }
        [None, None] => Verdict::NotYet,
    }
}

fn search(backlog: &Backlog, expect: Expect, ended: bool) -> Option<(u64, bool)> {
    let mut runs: Vec<(u64, &[u8])> = Vec::new();
    let mut borders = Vec::new();
    let mut taken = 0;
    for held in backlog.iter() {
        let Held::Data(chunk) = held else { continue };
        let from = taken;
        taken += chunk.bytes.len();
        borders.push(chunk.offset);
        match runs.last_mut() {
            Some((offset, bytes)) if *offset + bytes.len() as u64 == chunk.offset => {
                *bytes = &backlog.bytes()[from - bytes.len()..taken];
            }
            _ => runs.push((chunk.offset, chunk.bytes)),
        }
    }
    let base = runs.first()?.0;
    match Resync::from(expect, base).look_at(Window {
        runs: &runs,
        borders: &borders,
        ended,
    }) {
        Found::Header(start) => Some((base + start.offset as u64, start.masked)),
        Found::More { .. } => None,
    }
}

/// The first bytes of protocols that are met often: there is no need to wait for more.
fn is_well_known(bytes: &[u8]) -> bool {
    let tls = |bytes: &[u8]| match *bytes {
        [0x14..=0x17, 3, 0..=4, high, low, ..] => u16::from_be_bytes([high, low]) <= (1 << 14) + 2048,
        _ => false,
    };
    const STARTS: [&[u8]; 4] = [b"SSH-", b"GET ", b"PRI * HTTP/2.0", b"*3\r\n$"];
    let answer =
        |bytes: &[u8]| bytes.starts_with(b"HTTP/1.") && bytes.get(9..12).is_some_and(|status| status != b"101");
    tls(bytes) || answer(bytes) || STARTS.iter().any(|start| bytes.starts_with(start))
}
