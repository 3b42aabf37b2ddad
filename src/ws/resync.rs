//! Where the next frame begins, when that is not known: after a gap over a header, or when the capture began late.
//!
//! (Questions and answers are settled with their callers, the decoder and the engine; the scoring is still to come.)

use super::Backlog;

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
pub enum Found {
    /// A header begins at this stream offset, which lies in the backlog's bytes: sure enough that no garbage comes out. The first such one.
    Header(u64),
    /// More bytes are needed.
    NotYet,
}

/// Finds the first frame header in `backlog`: bytes and gaps of one direction, from somewhere in the middle of a frame on. Each
/// [`Held::Data`](super::Held::Data) is a segment's data: frames like to begin and end where segments do. A gap's length is exact: a
/// frame may reach over it, and the next header lie behind.
pub fn find(_backlog: &Backlog, _clues: Clues) -> Found {
    Found::NotYet
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

/// Judges a connection from what its two directions carried, from anywhere on. It must not take TLS, SSH, HTTP, Redis, HTTP/2, databases or
/// random bytes for WebSocket; one direction may be empty.
pub fn judge(_directions: [&Backlog; 2]) -> Verdict {
    Verdict::NotYet
}
