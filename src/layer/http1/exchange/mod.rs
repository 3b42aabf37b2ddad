//! A connection while it speaks HTTP/1.1 (RFC 9112): the bytes of both sides in, until one upgrade succeeds.
//!
//! Requests and responses are told apart, their bodies skipped (RFC 9112 §6), responses paired with their requests, interim
//! ones passed over. What the capture does not hold is worked around: half a head says what its whole lines say.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::base::{Gap, GapCause, Side, Violation};
use crate::layer::http1::body::{Body, Chunked, Phase, body};
use crate::layer::http1::head::{self, Head};
use crate::layer::http1::head_store::HeadStore;
use crate::layer::http1::pending::Pending;
use crate::layer::http1::reader::{Headed, Mode, Reader};
use crate::layer::http1::{Request, Response, upgrade};

/// Both sides of a connection that speaks HTTP/1.1.
#[derive(Debug, Default)]
pub struct Exchange {
    client: Option<Side>,
    readers: [Reader; 2],
    /// Requests without their final response yet, oldest first.
    pending: VecDeque<Pending>,
    /// The response to the oldest one is (at least partly) lost.
    response_lost: bool,
    /// A server has opened a tunnel (CONNECT, RFC 9110 §9.3.6): what follows may be anything.
    tunnel: bool,
}

/// What some bytes brought.
#[derive(Debug)]
pub enum Step {
    /// An upgrade request is complete. What the client sends from now on is to be held until the response has come.
    Asked(Request),
    /// The server agreed: frames follow. The request is an empty one when it was not seen.
    Upgraded(Request, Response),
    /// The server agreed to something, and both heads are cut before they say to what.
    Perhaps(Request, Response),
    /// The server agreed to HTTP/2 (RFC 7540 §3.2): its frames follow, and the client's preface.
    Http2,
    /// The server did not agree; HTTP goes on.
    Refused(Request, Response),
    /// The capture lost the response, and what follows is no HTTP: the server must have agreed.
    Presumed(Request),
    /// A head is longer than [`crate::base::Limits::head_bytes`], or has hundreds of lines: only its beginning counts, and its end is looked for. When that
    /// asks for an upgrade, this is [`Step::Asked`] as well.
    TooLong(Option<Request>),
    /// The beginning of a head had to make room for those of others.
    GaveWay(Gap),
    /// These bytes can be read only when the response has come.
    Hold,
    /// After something that was lost there is no telling any more what these bytes are.
    Astray,
    /// The connection does not speak HTTP (any more).
    NotHttp,
}

/// More requests than this in a row without a response are no real traffic.
const MAX_PENDING: usize = 64;

impl Exchange {
    /// Behind a CONNECT that a server has granted.
    pub fn is_in_tunnel(&self) -> bool {
        self.tunnel
    }

    /// Whether a stream that begins with `bytes` may be one side of an exchange.
    pub fn may_begin(bytes: &[u8]) -> bool {
        head::may_begin(bytes)
    }

    /// Whether a segment of a stream that has been something else so far begins an exchange: no guess, a whole first line.
    pub fn begins(bytes: &[u8]) -> bool {
        let bytes = &bytes[head::empty_lines(bytes)..];
        bytes.len() >= 16
            && head::may_begin(bytes)
            && memchr::memchr(b'\n', bytes).is_some_and(|end| memchr::memmem::find(&bytes[..end], b"HTTP/1.").is_some())
    }

    /// Whether the next bytes of `side` belong to a body.
    pub(crate) fn is_in_body(&self, side: Side) -> bool {
        matches!(
            self.readers[side.index()].mode,
            Mode::Body(_) | Mode::Chunked(_) | Mode::ToEnd
        )
    }

    /// Whether `side` is not in the middle of a head, and its next bytes may begin one.
    pub(crate) fn is_between_heads(&self, side: Side) -> bool {
        self.readers[side.index()].is_between_heads()
    }

    /// Bytes of memory that it takes beside the heads that are kept.
    pub(crate) fn cost(&self) -> usize {
        self.pending.len() * size_of::<Pending>()
    }

    /// Who sends the requests, once that is known.
    pub fn client(&self) -> Option<Side> {
        self.client
    }

    /// The next bytes that `side` sends. Returns how many of them were used; to be called again with the others.
    pub fn push(&mut self, side: Side, offset: u64, bytes: &[u8], heads: &mut HeadStore) -> (usize, Option<Step>) {
        let reader = &mut self.readers[side.index()];
        match &mut reader.mode {
            Mode::Head => self.head(side, offset, bytes, heads),
            Mode::TooLong(ending) => match ending.find(bytes) {
                Some(used) => (used, self.long_head_ends(side, offset + used as u64, heads)),
                None => (bytes.len(), None),
            },
            Mode::Body(left) => {
                let used = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= used as u64;
                if *left == 0 {
                    self.body_done(side);
                }
                (used, None)
            }
            Mode::Chunked(chunked) => match chunked.push(bytes) {
                Some(used) => {
                    if chunked.phase == Phase::Done {
                        self.body_done(side);
                    }
                    (used, None)
                }
                None => {
                    reader.mode = Mode::Lost;
                    (bytes.len(), None)
                }
            },
            Mode::ToEnd => (bytes.len(), None),
            Mode::Waiting if self.response_lost => self.presume(heads),
            Mode::Waiting => (0, Some(Step::Hold)),
            Mode::Lost => {
                if head::may_begin(bytes) && bytes.len() - head::empty_lines(bytes) >= 8 {
                    reader.mode = Mode::Head;
                    return (0, None);
                }
                if self.client == Some(side.other()) && self.response_lost {
                    return self.presume(heads);
                }
                if self.pending.iter().any(|p| p.asks) {
                    return (bytes.len(), None);
                }
                (0, Some(Step::Astray))
            }
        }
    }

    /// Bytes that `side` sent and that will not come.
    pub fn gap(&mut self, side: Side, gap: Gap, heads: &mut HeadStore) -> Option<Step> {
        let reader = &mut self.readers[side.index()];
        match &mut reader.mode {
            Mode::Body(left) if gap.length <= *left => {
                *left -= gap.length;
                if *left == 0 {
                    self.body_done(side);
                }
                None
            }
            Mode::Chunked(chunked) if chunked.phase == Phase::Data && gap.length < chunked.size => {
                chunked.size -= gap.length;
                None
            }
            Mode::ToEnd | Mode::Waiting => None,
            Mode::Head => {
                let head = reader.take(heads);
                let cut = reader.cut(&head);
                reader.mode = Mode::Lost;
                match cut {
                    Some(Head::Request(request)) => self.request(side, request, &head, heads),
                    Some(Head::Response(response)) => self.response(side, response, heads),
                    None => {
                        self.lost(side);
                        None
                    }
                }
            }
            // Perhaps its end is among what is lost, perhaps not.
            Mode::TooLong(_) => self.long_head_ends(side, gap.offset, heads),
            Mode::Body(_) | Mode::Chunked(_) | Mode::Lost => {
                reader.mode = Mode::Lost;
                self.lost(side);
                None
            }
        }
    }

    /// Whether the response to an upgrade request is lost: what the client has sent since may be read as frames, if it looks like them.
    pub fn response_lost(&self) -> bool {
        self.response_lost
    }

    /// Takes the upgrade for agreed to, though no response was seen.
    pub fn presumed(&mut self, heads: &mut HeadStore) -> Option<Step> {
        let place = self.pending.iter().position(|p| p.asks)?;
        let request = self.pending.remove(place)?.request(heads)?;
        Some(Step::Presumed(request))
    }

    /// What the request asked for that is still without a response.
    pub fn unanswered(&mut self, heads: &mut HeadStore) -> Option<Request> {
        let place = self.pending.iter().position(|p| p.asks)?;
        self.pending.remove(place)?.request(heads)
    }

    /// Gives the room back that its heads take.
    pub fn discard(&mut self, heads: &mut HeadStore) {
        for reader in &mut self.readers {
            reader.take(heads);
        }
        for pending in self.pending.drain(..) {
            pending.discard(heads);
        }
    }

    fn head(&mut self, side: Side, offset: u64, bytes: &[u8], heads: &mut HeadStore) -> (usize, Option<Step>) {
        let reader = &mut self.readers[side.index()];
        let (used, headed) = reader.head(offset, bytes, heads);
        let step = match headed {
            Headed::Partial => None,
            Headed::NotHttp => Some(Step::NotHttp),
            Headed::Whole(Head::Request(request), bytes) => self.request(side, request, &bytes, heads),
            Headed::Whole(Head::Response(response), _) => self.response(side, response, heads),
            Headed::TooLong(bytes) => self.too_long(side, &bytes, heads),
            Headed::GaveWay(offset, end) => {
                reader.mode = Mode::Lost;
                self.lost(side);
                Some(Step::GaveWay(Gap {
                    offset,
                    length: end - offset,
                    cause: GapCause::Evicted,
                }))
            }
        };
        (used, step)
    }

    /// A head begins with `bytes` and goes on, too long to be kept.
    fn too_long(&mut self, side: Side, bytes: &[u8], heads: &mut HeadStore) -> Option<Step> {
        let reader = &mut self.readers[side.index()];
        let mode = reader.mode;
        match reader.cut(bytes) {
            Some(Head::Request(request)) => {
                let asked = match self.request(side, request, bytes, heads) {
                    Some(Step::Asked(request)) => Some(request),
                    None => None,
                    other => return other,
                };
                if let Some(pending) = self.pending.back_mut() {
                    pending.set_end(None);
                }
                self.readers[side.index()].mode = mode;
                Some(Step::TooLong(asked))
            }
            Some(Head::Response(_)) => {
                reader.keep(bytes, heads);
                Some(Step::TooLong(None))
            }
            None => {
                reader.mode = Mode::Lost;
                self.lost(side);
                Some(Step::NotHttp)
            }
        }
    }

    /// A head of which only the beginning is kept has ended.
    fn long_head_ends(&mut self, side: Side, end: u64, heads: &mut HeadStore) -> Option<Step> {
        let reader = &mut self.readers[side.index()];
        if self.client == Some(side) {
            reader.mode = Mode::Waiting;
            if let Some(pending) = self.pending.back_mut() {
                pending.set_end(Some(end));
            }
            return None;
        }
        reader.mode = Mode::Lost;
        let bytes = reader.take(heads);
        match reader.cut(&bytes) {
            Some(Head::Response(mut response)) => {
                response.range.end = end;
                self.response(side, response, heads)
            }
            // It had to give way.
            _ => {
                self.lost(side);
                None
            }
        }
    }

    fn request(&mut self, side: Side, request: Request, bytes: &[u8], heads: &mut HeadStore) -> Option<Step> {
        if self.client == Some(side.other()) || self.pending.len() >= MAX_PENDING {
            return Some(Step::NotHttp);
        }
        self.client = Some(side);
        let asks = upgrade::asks(&request);
        let reader = &mut self.readers[side.index()];
        let after = if asks || request.cut { Mode::Waiting } else { Mode::Head };
        reader.mode = match body(&request.headers) {
            _ if request.cut => after,
            Body::None | Body::Unsaid | Body::Length(0) => after,
            Body::Length(length) => Mode::Body(length),
            Body::Chunked => Mode::Chunked(Chunked::default()),
        };
        self.pending.push_back(Pending::new(&request, asks, bytes, heads));
        asks.then_some(Step::Asked(request))
    }

    fn response(&mut self, side: Side, response: Response, heads: &mut HeadStore) -> Option<Step> {
        if self.client == Some(side) {
            return Some(Step::NotHttp);
        }
        self.client = Some(side.other());
        self.response_lost = false;
        if response.status != 101 && response.status < 200 {
            self.readers[side.index()].mode = if response.cut { Mode::Lost } else { Mode::Head };
            return None;
        }
        let pending = match response.status {
            101 => self.asked(heads),
            _ => self.pending.pop_front(),
        };
        let (asks, head, connect, cut) = pending
            .as_ref()
            .map_or((false, false, false, false), |p| (p.asks, p.head, p.connect, p.cut));
        let mut request = pending.and_then(|p| p.request(heads));
        if response.status == 101 {
            if request.is_none() {
                request = self.begun_request(side.other(), heads);
            }
            if !asks && head::has_token(response.header_values("upgrade"), "h2c") {
                return Some(Step::Http2);
            }
            let silent = response.header("upgrade").is_none();
            let proven = request
                .as_ref()
                .is_some_and(|request| upgrade::is_proven(request, &response));
            if proven || upgrade::is_agreement(&response) && (!silent || asks) {
                return Some(Step::Upgraded(request.unwrap_or_default(), response));
            }
            let unsaid = |request: &Request| request.cut && request.header("upgrade").is_none();
            if silent && response.cut && request.as_ref().is_none_or(unsaid) {
                return Some(Step::Perhaps(request.unwrap_or_default(), response));
            }
            if let Some(request) = request.filter(|_| asks) {
                // To something else than the client asked for, or to a protocol that came to nothing.
                for reader in &mut self.readers {
                    reader.mode = Mode::ToEnd;
                }
                return Some(Step::Refused(request, response));
            }
            return Some(Step::NotHttp);
        }
        self.readers[side.index()].mode = match body(&response.headers) {
            _ if response.cut => Mode::Lost,
            _ if head || matches!(response.status, 204 | 304) => Mode::Head,
            _ if connect && response.status < 300 => {
                self.tunnel = true;
                Mode::Head
            }
            Body::Chunked => Mode::Chunked(Chunked::default()),
            Body::None | Body::Length(0) => Mode::Head,
            Body::Length(length) => Mode::Body(length),
            Body::Unsaid => Mode::ToEnd,
        };
        let client = &mut self.readers[side.other().index()];
        if client.mode == Mode::Waiting {
            client.mode = match request.as_ref() {
                Some(_) if !cut => Mode::Head,
                _ => Mode::Lost,
            };
        }
        match request {
            Some(request) if asks => Some(Step::Refused(request, response)),
            _ => None,
        }
    }

    /// The request that a 101 response answers: the responses to those before it are lost.
    fn asked(&mut self, heads: &mut HeadStore) -> Option<Pending> {
        let place = self.pending.iter().position(|p| p.asks).unwrap_or(0);
        for earlier in self.pending.drain(..place) {
            earlier.discard(heads);
        }
        self.pending.pop_front()
    }

    /// What is there of a request of which the rest is missing when its response comes.
    fn begun_request(&mut self, client: Side, heads: &mut HeadStore) -> Option<Request> {
        let reader = &mut self.readers[client.index()];
        let bytes = reader.take(heads);
        match reader.cut(&bytes) {
            // Where it ends is not known: the rest may come yet.
            Some(Head::Request(request)) => Some(Request { range: 0..0, ..request }),
            Some(Head::Response(_)) | None => None,
        }
    }

    fn body_done(&mut self, side: Side) {
        let waiting = self.client == Some(side) && self.pending.back().is_some_and(|p| p.asks);
        self.readers[side.index()].mode = if waiting { Mode::Waiting } else { Mode::Head };
    }

    /// Something that `side` sent is lost, perhaps a whole head.
    fn lost(&mut self, side: Side) {
        if self.client == Some(side.other()) && self.pending.front().is_some_and(|p| p.asks) {
            self.response_lost = true;
        }
    }

    fn presume(&mut self, heads: &mut HeadStore) -> (usize, Option<Step>) {
        let request = self
            .pending
            .pop_front()
            .and_then(|p| p.request(heads))
            .unwrap_or_default();
        (0, Some(Step::Presumed(request)))
    }
}

/// Judges an upgrade request; what breaks a rule goes to `violation`.
pub fn judge_request(request: &Request, violation: impl FnMut(Violation)) {
    upgrade::judge_request(request, violation);
}
