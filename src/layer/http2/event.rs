//! What a connection tells.

use crate::base::{Gap, PacketRef, Side, Violation};
use crate::layer::Chunk;
use crate::record::{Http2Frame, Request, Response};

/// What happened on a connection.
#[derive(Debug)]
pub enum Event<'a> {
    /// A stream asks to become a WebSocket (RFC 8441 §4).
    Request {
        /// Which.
        stream: u32,
        /// Who asks.
        client: Side,
        /// How. Its headers are all its fields, pseudo-fields included.
        request: &'a Request,
    },
    /// The server has agreed: what the stream carries from now on are WebSocket's frames. The request is an empty one when it is not known.
    Agreed {
        /// Which stream.
        stream: u32,
        /// Who asked.
        client: Side,
        /// What the client asked.
        request: Request,
        /// What the server answered: some 2xx.
        response: Response,
    },
    /// The server has not agreed, and has said all that it says about it.
    Refused {
        /// Which stream.
        stream: u32,
        /// What the client asked.
        request: Request,
        /// What the server answered.
        response: Response,
        /// The first bytes of the response's content, at most [`MAX_BODY`](super::MAX_BODY).
        body: &'a [u8],
        /// How long the content was; what is missing of it in the capture is counted where that is known.
        body_length: u64,
    },
    /// The stream ends, or the capture, and the server has not answered. [`Event::End`] may follow.
    Unanswered {
        /// Which stream.
        stream: u32,
        /// What the client asked.
        request: Request,
    },
    /// A stream carries data of which nobody knows what it is, as its request or response is not in the capture or cannot be read: it may be a WebSocket.
    Unknown {
        /// Which stream.
        stream: u32,
        /// Who sends the requests, if that is known.
        client: Option<Side>,
        /// As much as there is of its request.
        request: Option<Request>,
        /// As much as there is of its response.
        response: Option<Response>,
    },
    /// The next bytes of one direction of a stream for which there was one of the events above. When it was [`Event::Request`], nobody knows yet what they are.
    Data {
        /// Which stream.
        stream: u32,
        /// Who sent them.
        side: Side,
        /// The bytes, at offsets of the stream's own.
        chunk: Chunk<'a>,
    },
    /// Bytes of such a stream are missing.
    Gap {
        /// Which stream.
        stream: u32,
        /// Who sent them.
        side: Side,
        /// Where, and how many.
        gap: Gap,
        /// Its length is what is missing. Otherwise frames were lost whole: it is the most that can be missing, and perhaps it was none of this stream.
        exact: bool,
    },
    /// Such a stream has ended, in one direction or both.
    End {
        /// Which stream.
        stream: u32,
        /// Who ended it.
        side: Side,
        /// How.
        end: StreamEnd,
    },
    /// A frame, for narration. Told before what it brings for a stream, when all that it says has come.
    Frame {
        /// Who sent it.
        side: Side,
        /// On which stream; 0 is the connection itself.
        stream: u32,
        /// What it says.
        frame: Http2Frame,
    },
    /// A rule was broken, or a bound reached.
    Violation {
        /// On which stream; 0 is the connection itself.
        stream: u32,
        /// By whom.
        side: Side,
        /// Which, and how.
        violation: Violation,
    },
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// END_STREAM: this side sends nothing more.
    EndStream,
    /// RST_STREAM (RFC 9113 §6.4); its code (§7) when the capture holds it.
    Reset(Option<u32>),
    /// GOAWAY, and the stream is beyond the last one that its sender deals with (§6.8).
    GoAway(u32),
}

/// Takes what a connection tells.
pub trait Output {
    /// Found out with the packet `at`.
    fn event(&mut self, at: PacketRef, event: Event<'_>);
}
