//! A request that waits for its response.

use std::ops::Range;

use super::Request;
use super::head::{self, Head, Outcome};
use super::head_store::{HeadStore, Kept};

/// A request without its final response yet.
#[derive(Debug)]
pub(super) struct Pending {
    /// Kept as it was sent when it asks for an upgrade, or may have asked.
    kept: Option<Kept>,
    /// Where its head lies in the stream; empty while its end is not known.
    range: Range<u64>,
    /// Only the beginning is kept, or was captured.
    pub(super) cut: bool,
    /// It asks for an upgrade.
    pub(super) asks: bool,
    /// Its method is HEAD.
    pub(super) head: bool,
    /// Its method is CONNECT.
    pub(super) connect: bool,
}

impl Pending {
    /// `request`, of which the head is in `bytes`.
    pub(super) fn new(request: &Request, asks: bool, bytes: &[u8], heads: &mut HeadStore) -> Self {
        Self {
            kept: (asks || request.cut).then(|| heads.keep(bytes)),
            range: request.range.clone(),
            cut: request.cut,
            asks,
            head: request.method == "HEAD",
            connect: request.method == "CONNECT",
        }
    }

    /// Where the head ends is not known, or is known now.
    pub(super) fn set_end(&mut self, end: Option<u64>) {
        self.range.end = end.unwrap_or(self.range.start);
    }

    /// The request, if it was kept; an empty one, but for its place, when it has had to give way since.
    pub(super) fn request(self, heads: &mut HeadStore) -> Option<Request> {
        let bytes = heads.take(&self.kept?).unwrap_or_default();
        let head = match head::read(&bytes, self.range.start) {
            Outcome::Head(head, _) => Some(head),
            Outcome::Partial | Outcome::TooMany | Outcome::NotHttp => head::read_cut(&bytes, self.range.start),
        };
        let request = match head {
            Some(Head::Request(request)) => request,
            Some(Head::Response(_)) | None => Request::default(),
        };
        Some(Request {
            range: if self.range.is_empty() { 0..0 } else { self.range },
            ..request
        })
    }

    /// Gives back the room that it takes.
    pub(super) fn discard(self, heads: &mut HeadStore) {
        if let Some(kept) = self.kept {
            heads.take(&kept);
        }
    }
}
