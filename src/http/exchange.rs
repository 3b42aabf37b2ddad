//! A connection while it speaks HTTP/1.1 (RFC 9112): the bytes of both sides in, until one upgrade succeeds.
//!
//! Requests and responses are told apart, their bodies skipped (RFC 9112 §6), responses paired with their requests, interim
//! ones passed over. What the capture does not hold is worked around: half a head says what its whole lines say.

use std::collections::VecDeque;

use super::body::{Body, Chunked, Phase, body};
use super::head::{self, Head, Outcome, has_token};
use super::heads::{Heads, Kept};
use super::{Request, Response, upgrade};
use crate::base::{Gap, Side, Violation};

/// Both sides of a connection that speaks HTTP/1.1.
#[derive(Debug, Default)]
pub struct Exchange {
    client: Option<Side>,
    readers: [Reader; 2],
    /// Requests without their final response yet, oldest first.
    pending: VecDeque<Pending>,
    /// The response to the oldest one is (at least partly) lost.
    response_lost: bool,
}

/// What some bytes brought.
#[derive(Debug)]
pub enum Step {
    /// An upgrade request is complete. What the client sends from now on is to be held until the response has come.
    Asked(Request),
    /// The server agreed: frames follow. The request is an empty one when it was not seen.
    Upgraded(Request, Response),
    /// The server did not agree; HTTP goes on.
    Refused(Request, Response),
    /// The capture lost the response, and what follows is no HTTP: the server must have agreed.
    Presumed(Request),
    /// These bytes can be read only when the response has come.
    Hold,
    /// The connection does not speak HTTP (any more).
    NotHttp,
}

#[derive(Debug, Default)]
struct Reader {
    mode: Mode,
    /// The beginning of a head.
    head: Option<Kept>,
    /// How much of it was there when it was read in vain.
    read: usize,
    /// Where it lies in the stream.
    start: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    #[default]
    Head,
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

/// A request that waits for its response.
#[derive(Debug)]
struct Pending {
    /// Kept when it asks for an upgrade, or may have asked, and where it lies in the stream.
    request: Option<(Kept, u64)>,
    /// Only the beginning is kept: the capture does not hold the rest.
    cut: bool,
    asks: bool,
    head: bool,
    connect: bool,
}

/// More requests than this in a row without a response are no real traffic.
const MAX_PENDING: usize = 64;

impl Exchange {
    /// Whether a stream that begins with `bytes` may be one side of an exchange.
    pub fn may_begin(bytes: &[u8]) -> bool {
        head::may_begin(bytes)
    }

    /// Whether a segment of a stream that has been something else so far begins an exchange: no guess, a whole first line.
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.len() >= 16
            && head::may_begin(bytes)
            && memchr::memchr(b'\n', bytes).is_some_and(|end| memchr::memmem::find(&bytes[..end], b"HTTP/1.").is_some())
    }

    /// Who sends the requests, once that is known.
    pub fn client(&self) -> Option<Side> {
        self.client
    }

    /// The next bytes that `side` sends. Returns how many of them were used; to be called again with the others.
    pub fn push(&mut self, side: Side, offset: u64, bytes: &[u8], heads: &mut Heads) -> (usize, Option<Step>) {
        let reader = &mut self.readers[side.index()];
        match &mut reader.mode {
            Mode::Head => self.head(side, offset, bytes, heads),
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
                if head::may_begin(bytes) && bytes.len() >= 8 {
                    reader.mode = Mode::Head;
                    return (0, None);
                }
                if self.client == Some(side.other()) && self.response_lost {
                    return self.presume(heads);
                }
                (bytes.len(), None)
            }
        }
    }

    /// Bytes that `side` sent and that will not come.
    pub fn gap(&mut self, side: Side, gap: Gap, heads: &mut Heads) -> Option<Step> {
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
                let head = reader
                    .head
                    .take()
                    .and_then(|kept| heads.take(&kept))
                    .unwrap_or_default();
                let start = reader.start;
                reader.mode = Mode::Lost;
                match head::read_cut(&head, start) {
                    Some(Head::Request(request)) => self.request(side, request, &head, heads),
                    Some(Head::Response(response)) => self.response(side, response, heads),
                    None => {
                        self.lost(side);
                        None
                    }
                }
            }
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
    pub fn presumed(&mut self, heads: &mut Heads) -> Option<Step> {
        let place = self.pending.iter().position(|p| p.asks)?;
        let request = self.pending.remove(place)?.request(heads)?;
        Some(Step::Presumed(request))
    }

    /// What the request asked for that is still without a response.
    pub fn unanswered(&mut self, heads: &mut Heads) -> Option<Request> {
        let place = self.pending.iter().position(|p| p.asks)?;
        self.pending.remove(place)?.request(heads)
    }

    /// Gives the room back that its heads take.
    pub fn discard(&mut self, heads: &mut Heads) {
        let begun = self.readers.iter_mut().filter_map(|reader| reader.head.take());
        let waiting = self.pending.drain(..).filter_map(|p| Some(p.request?.0));
        for kept in begun.chain(waiting) {
            heads.take(&kept);
        }
    }

    /// The client said goodbye before the server answered: whatever it held back was HTTP.
    fn head(&mut self, side: Side, offset: u64, bytes: &[u8], heads: &mut Heads) -> (usize, Option<Step>) {
        let reader = &mut self.readers[side.index()];
        let Some(kept) = &reader.head else {
            // The common case: the whole head in one segment, read where it lies.
            let outcome = head::read(bytes, offset);
            if matches!(outcome, Outcome::Partial) {
                if bytes.len() > heads.head_bytes {
                    reader.mode = Mode::Lost;
                    return (bytes.len(), Some(Step::NotHttp));
                }
                (reader.start, reader.read) = (offset, bytes.len());
                reader.head = Some(heads.keep(bytes));
                return (bytes.len(), None);
            }
            return self.complete(side, outcome, 0, bytes, heads);
        };
        let before = heads.length(kept);
        let Some(head) = heads.append(kept, bytes) else {
            // It had to give way to younger ones.
            reader.head = None;
            reader.mode = Mode::Lost;
            return (bytes.len(), Some(Step::NotHttp));
        };
        // Parsing again is worth it only when the head may have ended, or has doubled: one in many pieces stays cheap.
        let outcome = if before < 16 || head.len() / 2 >= reader.read || ends(&head[before.saturating_sub(3)..]) {
            reader.read = head.len();
            head::read(head, reader.start)
        } else {
            Outcome::Partial
        };
        if matches!(outcome, Outcome::Partial) && head.len() <= heads.head_bytes {
            return (bytes.len(), None);
        }
        let head = reader
            .head
            .take()
            .and_then(|kept| heads.take(&kept))
            .unwrap_or_default();
        self.complete(side, outcome, before, &head, heads)
    }

    /// A head has ended, or it will not: `bytes` begin with it, and the first `before` of them had come before.
    fn complete(
        &mut self,
        side: Side,
        outcome: Outcome,
        before: usize,
        bytes: &[u8],
        heads: &mut Heads,
    ) -> (usize, Option<Step>) {
        match outcome {
            Outcome::Partial => {
                self.readers[side.index()].mode = Mode::Lost;
                (bytes.len() - before, Some(Step::NotHttp))
            }
            Outcome::NotHttp => {
                self.readers[side.index()].mode = Mode::Lost;
                (0, Some(Step::NotHttp))
            }
            Outcome::Head(head, size) => {
                let step = match head {
                    Head::Request(request) => self.request(side, request, &bytes[..size], heads),
                    Head::Response(response) => self.response(side, response, heads),
                };
                (size.saturating_sub(before), step)
            }
        }
    }

    fn request(&mut self, side: Side, request: Request, bytes: &[u8], heads: &mut Heads) -> Option<Step> {
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
        self.pending.push_back(Pending {
            asks,
            head: request.method == "HEAD",
            connect: request.method == "CONNECT",
            request: (asks || request.cut).then(|| (heads.keep(bytes), request.range.start)),
            cut: request.cut,
        });
        asks.then_some(Step::Asked(request))
    }

    fn response(&mut self, side: Side, response: Response, heads: &mut Heads) -> Option<Step> {
        if self.client == Some(side) {
            return Some(Step::NotHttp);
        }
        self.client = Some(side.other());
        self.response_lost = false;
        let reader = &mut self.readers[side.index()];
        if response.status != 101 && response.status < 200 {
            reader.mode = if response.cut { Mode::Lost } else { Mode::Head };
            return None;
        }
        let pending = self.pending.pop_front();
        let (asks, head, connect, cut) = pending
            .as_ref()
            .map_or((false, false, false, false), |p| (p.asks, p.head, p.connect, p.cut));
        let request = pending.and_then(|p| p.request(heads));
        if response.status == 101 {
            let says = has_token(response.header_values("upgrade"), "websocket");
            let silent = response.header("upgrade").is_none();
            if says || silent && (asks || response.cut) {
                return Some(Step::Upgraded(request.unwrap_or_default(), response));
            }
            return Some(Step::NotHttp);
        }
        reader.mode = match body(&response.headers) {
            _ if response.cut => Mode::Lost,
            _ if head || matches!(response.status, 204 | 304) => Mode::Head,
            _ if connect && response.status < 300 => Mode::Head,
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

    fn presume(&mut self, heads: &mut Heads) -> (usize, Option<Step>) {
        let request = self
            .pending
            .pop_front()
            .and_then(|p| p.request(heads))
            .unwrap_or_default();
        (0, Some(Step::Presumed(request)))
    }
}

impl Pending {
    /// The request, if it was kept; an empty one when it has had to give way since.
    fn request(self, heads: &mut Heads) -> Option<Request> {
        let (kept, start) = self.request?;
        let bytes = heads.take(&kept).unwrap_or_default();
        let head = match head::read(&bytes, start) {
            Outcome::Head(head, _) => Some(head),
            Outcome::Partial | Outcome::NotHttp => head::read_cut(&bytes, start),
        };
        match head {
            Some(Head::Request(request)) => Some(request),
            Some(Head::Response(_)) | None => Some(Request::default()),
        }
    }
}

/// Whether a head may end in `bytes`: an empty line (RFC 9112 §2.1, and §2.2 on lines that end without CR).
fn ends(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).any(|end| matches!(bytes[end + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

/// Judges an upgrade request; what breaks a rule goes to `violation`.
pub fn judge_request(request: &Request, violation: impl FnMut(Violation)) {
    upgrade::judge_request(request, violation);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{GapCause, Limits};

    const ASK: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const YES: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    /// Feeds `(side, bytes)` in pieces of `size` and returns the steps and the bytes that were left over by each.
    fn run(script: &[(Side, &str)], size: usize) -> Vec<(String, String)> {
        let mut exchange = Exchange::default();
        let mut heads = Heads::new(&Limits::default());
        let mut steps = Vec::new();
        let mut offsets = [0u64; 2];
        for (side, text) in script {
            let mut upgraded = false;
            for piece in text.as_bytes().chunks(size) {
                let mut rest = piece;
                while !rest.is_empty() {
                    if upgraded {
                        let (_, read): &mut (String, String) = steps.last_mut().unwrap();
                        read.push_str(std::str::from_utf8(rest).unwrap());
                        break;
                    }
                    let (used, step) = exchange.push(*side, offsets[side.index()], rest, &mut heads);
                    offsets[side.index()] += used as u64;
                    rest = &rest[used..];
                    let name = match step {
                        None => continue,
                        Some(Step::Asked(r)) => format!("asked {}", r.target),
                        Some(Step::Upgraded(r, _)) => {
                            upgraded = true;
                            format!("upgraded {}", r.target)
                        }
                        Some(Step::Refused(_, r)) => format!("refused {}", r.status),
                        Some(Step::Presumed(_)) => "presumed".into(),
                        Some(Step::Hold) => {
                            steps.push(("hold".into(), String::from_utf8(rest.to_vec()).unwrap()));
                            break;
                        }
                        Some(Step::NotHttp) => {
                            steps.push(("no".into(), String::new()));
                            return steps;
                        }
                    };
                    steps.push((name, String::new()));
                }
            }
        }
        steps
    }

    fn names(script: &[(Side, &str)], size: usize) -> Vec<String> {
        run(script, size).into_iter().map(|(n, _)| n).collect()
    }

    #[test]
    fn any_segmentation_finds_the_upgrade_and_what_follows() {
        let answer = format!("{YES}frames");
        for size in 1..400 {
            let steps = run(&[(Side::A, ASK), (Side::B, &answer)], size);
            let expected = [
                ("asked /chat".into(), String::new()),
                ("upgraded /chat".into(), "frames".into()),
            ];
            assert_eq!(steps, expected, "{size}");
        }
    }

    #[test]
    fn requests_with_bodies_come_first() {
        let post = "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /";
        let ok = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\nHTTP/1\r\n0\r\nT: x\r\n\r\n";
        let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
        let yes = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
        for size in [1, 2, 3, 7, 1000] {
            let script = [
                (Side::B, post),
                (Side::A, ok),
                (Side::B, head),
                (Side::A, yes),
                (Side::B, ASK),
                (Side::A, YES),
            ];
            assert_eq!(names(&script, size), ["asked /chat", "upgraded /chat"]);
        }
    }

    #[test]
    fn a_refused_upgrade_may_be_tried_again() {
        let no = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno";
        let script = [(Side::A, ASK), (Side::B, no), (Side::A, ASK), (Side::B, YES)];
        let expected = ["asked /chat", "refused 401", "asked /chat", "upgraded /chat"];
        assert_eq!(names(&script, 1000), expected);
        assert_eq!(names(&script, 5), expected);
    }

    #[test]
    fn what_the_client_sends_early_is_held() {
        let early = format!("{ASK}early");
        let steps = run(&[(Side::A, &early), (Side::B, YES)], 4000);
        assert_eq!(steps[1], ("hold".into(), "early".into()));
    }

    #[test]
    fn a_response_alone_is_enough() {
        assert_eq!(names(&[(Side::A, YES)], 4000), ["upgraded "]);
    }

    #[test]
    fn another_upgrade_is_none_of_ours() {
        let h2c = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n";
        assert_eq!(names(&[(Side::A, h2c)], 4000), ["no"]);
    }

    #[test]
    fn heads_cut_by_the_snaplen() {
        let mut exchange = Exchange::default();
        let mut heads = Heads::new(&Limits::default());
        let gap = |offset| Gap {
            offset,
            length: 100,
            cause: GapCause::Snaplen,
        };
        assert!(exchange.push(Side::A, 0, &ASK.as_bytes()[..60], &mut heads).1.is_none());
        assert!(
            matches!(exchange.gap(Side::A, gap(60), &mut heads), Some(Step::Asked(r)) if r.cut && r.headers.len() == 2)
        );
        assert!(exchange.push(Side::B, 0, &YES.as_bytes()[..40], &mut heads).1.is_none());
        assert!(
            matches!(exchange.gap(Side::B, gap(40), &mut heads), Some(Step::Upgraded(r, s)) if r.target == "/chat" && s.cut)
        );
    }

    #[test]
    fn a_lost_response_is_presumed_when_no_http_follows() {
        let mut exchange = Exchange::default();
        let mut heads = Heads::new(&Limits::default());
        exchange.push(Side::A, 0, ASK.as_bytes(), &mut heads);
        let lost = Gap {
            offset: 0,
            length: 129,
            cause: GapCause::Lost,
        };
        assert!(exchange.gap(Side::B, lost, &mut heads).is_none());
        let (used, step) = exchange.push(Side::B, 129, b"\x81\x05Hello", &mut heads);
        assert!(used == 0 && matches!(step, Some(Step::Presumed(r)) if r.target == "/chat"));
    }
}
