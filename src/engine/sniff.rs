//! A connection whose beginning was not seen: its bytes are collected until it is clear whether they are WebSocket frames.

use crate::base::{Gap, Side};
use crate::tcp::At;
use crate::ws::resync::{self, Expect, Found, Purpose, Resync};
use crate::ws::{Backlog, Chunk, Shared};

/// What was collected of such a connection, by side.
#[derive(Debug)]
pub(super) struct Sniff {
    sides: [Half; 2],
    /// Bytes that came, kept or not.
    seen: usize,
}

#[derive(Debug)]
struct Half {
    backlog: Backlog,
    resync: Resync,
    /// With a gap in it the backlog is looked at anew: only when it has grown to so many bytes.
    enough: usize,
}

/// What the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// WebSocket, and this side is the client: it masks.
    WebSocket(Side),
    /// Nobody knows yet.
    NotYet,
    /// Something else.
    Other,
}

/// Memory that the backlog of a side takes at most.
const WINDOW: usize = 256 << 10;

/// A connection that has carried so many bytes without being recognised is something else.
const PATIENCE: usize = 1 << 20;

impl Default for Sniff {
    fn default() -> Self {
        Self {
            sides: [Half::new(), Half::new()],
            seen: 0,
        }
    }
}

impl Half {
    fn new() -> Self {
        Self {
            backlog: Backlog::default(),
            resync: Resync::new(Expect {
                purpose: Purpose::Infer,
                masked: None,
                deflate: None,
            }),
            enough: 0,
        }
    }

    fn drop_front(&mut self, count: usize) {
        self.backlog.drop_front(count);
        self.resync.drop_front(count);
        self.enough = 0;
    }

    /// Whether there are frames, and masked ones.
    fn look(&mut self) -> Option<bool> {
        if !self.backlog.has_gap() {
            return match self.resync.look(self.backlog.bytes(), false) {
                Found::Header(start) => Some(start.masked),
                Found::More { useless } => {
                    self.drop_front(useless);
                    None
                }
            };
        }
        let size = self.backlog.bytes().len();
        if size < self.enough {
            return None;
        }
        self.enough = size + size / 8;
        match resync::judge([&self.backlog, &Backlog::default()]) {
            resync::Verdict::WebSocket { masked } => Some(masked == 0),
            resync::Verdict::NotYet | resync::Verdict::Other => None,
        }
    }
}

impl Sniff {
    /// The next bytes of a side, and what the connection is.
    pub(super) fn data(&mut self, side: Side, chunk: Chunk<'_>, shared: &mut Shared) -> Verdict {
        self.seen += chunk.bytes.len();
        if self.seen > PATIENCE || is_tls(chunk.bytes) {
            return Verdict::Other;
        }
        let half = &mut self.sides[side.index()];
        shared.release(half.backlog.size());
        if !half.backlog.push(chunk, WINDOW) {
            half.drop_front(half.backlog.bytes().len().saturating_sub(WINDOW / 4));
            if !half.backlog.push(chunk, WINDOW) {
                *half = Half::new();
            }
        }
        let found = half.look();
        if !shared.hold(half.backlog.size()) {
            *half = Half::new();
            return Verdict::Other;
        }
        match found {
            Some(true) => Verdict::WebSocket(side),
            Some(false) => Verdict::WebSocket(side.other()),
            None => Verdict::NotYet,
        }
    }

    pub(super) fn gap(&mut self, side: Side, gap: Gap, at: At, shared: &mut Shared) {
        let half = &mut self.sides[side.index()];
        shared.release(half.backlog.size());
        half.backlog.push_gap(gap, at);
        if half.backlog.size() > WINDOW || !shared.hold(half.backlog.size()) {
            *half = Half::new();
        }
    }

    /// What was collected, for whoever can read it now.
    pub(super) fn take(&mut self, shared: &mut Shared) -> [Backlog; 2] {
        self.sides.each_mut().map(|half| {
            shared.release(half.backlog.size());
            std::mem::take(&mut half.backlog)
        })
    }
}

/// A TLS record (RFC 8446 §5.1) begins here: the one protocol that most connections of a capture speak, known at a glance.
fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 0x03, 0x00..=0x04, 0x00..=0x41, _, ..])
}
