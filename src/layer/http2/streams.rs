//! The streams of a connection that are, or may be, WebSockets. Of the others nothing is kept where all requests are known.

use std::collections::BTreeMap;

use super::MAX_BODY;
use crate::base::{Gap, Side};
use crate::record::{Request, Response};

#[derive(Debug)]
pub(super) struct Streams {
    streams: BTreeMap<u32, Stream>,
    /// What their requests, responses and bodies take, in bytes of memory.
    kept: usize,
    /// What they may take, and how many there may be.
    max_kept: usize,
    max_streams: usize,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) state: State,
    /// Offset of the next byte of DATA, by side.
    pub(super) offsets: [u64; 2],
    /// END_STREAM has come, by side.
    pub(super) ended: [bool; 2],
    /// The response, if it has not come, may be lost.
    pub(super) response_lost: bool,
    /// What may be missing of it from before it was known what it is, at most, by side.
    pub(super) lost: [Option<Gap>; 2],
    /// What its state took when it was set, in bytes of memory: parts of it may have been taken out since.
    cost: usize,
}

#[derive(Debug)]
pub(super) enum State {
    /// It asks to become a WebSocket.
    Asked(Request),
    /// It is one.
    Open,
    /// It was told that it may be one.
    Unknown,
    /// Nobody knows what it is, and it has carried no data yet.
    Silent(Option<Request>, Option<Response>),
    /// The server has not agreed, and may send a body.
    Refused(Box<Refusal>),
    /// It is something else.
    Ordinary,
}

#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) request: Request,
    pub(super) response: Response,
    pub(super) body: Vec<u8>,
    pub(super) length: u64,
}

/// There is no room for it.
#[derive(Debug)]
pub(super) struct Full;

impl Streams {
    pub(super) fn new(max_streams: usize, max_kept: usize) -> Self {
        Self {
            streams: BTreeMap::new(),
            kept: 0,
            max_kept,
            max_streams,
        }
    }

    pub(super) fn get(&mut self, stream: u32) -> Option<&mut Stream> {
        self.streams.get_mut(&stream)
    }

    /// Whether frames of this stream say that it is no chance.
    pub(super) fn is_followed(&self, stream: u32) -> bool {
        self.streams.contains_key(&stream)
    }

    /// Begins to follow a stream. One that is known to be something else makes room for it.
    pub(super) fn insert(&mut self, stream: u32, state: State) -> Result<(), Full> {
        if self.streams.len() >= self.max_streams {
            let mut all = self.streams.iter();
            let of_no_use = all.find(|(_, stream)| matches!(stream.state, State::Ordinary | State::Silent(..)));
            let number = *of_no_use.ok_or(Full)?.0;
            self.remove(number);
        }
        let cost = state.cost();
        if self.kept + cost > self.max_kept {
            return Err(Full);
        }
        self.kept += cost;
        let stream_state = Stream {
            state,
            offsets: [0; 2],
            ended: [false; 2],
            response_lost: false,
            lost: [None; 2],
            cost,
        };
        self.streams.insert(stream, stream_state);
        Ok(())
    }

    /// Whether they take more than they may.
    pub(super) fn are_too_large(&self) -> bool {
        self.kept > self.max_kept
    }

    /// What it was until now; it becomes `state`.
    pub(super) fn replace(&mut self, stream: u32, state: State) -> Option<State> {
        let entry = self.streams.get_mut(&stream)?;
        let cost = state.cost();
        self.kept = self.kept + cost - std::mem::replace(&mut entry.cost, cost);
        Some(std::mem::replace(&mut entry.state, state))
    }

    pub(super) fn remove(&mut self, stream: u32) -> Option<Stream> {
        let stream = self.streams.remove(&stream)?;
        self.kept -= stream.cost;
        Some(stream)
    }

    /// More of the body of a refused stream; `bytes` may be fewer than have come.
    pub(super) fn add_body(&mut self, stream: u32, bytes: &[u8], length: u64) {
        if let Some(stream) = self.streams.get_mut(&stream)
            && let State::Refused(refusal) = &mut stream.state
        {
            let room = MAX_BODY - refusal.body.len();
            // What stands behind a hole is not the body's beginning.
            if refusal.body.len() as u64 == refusal.length {
                refusal.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            refusal.length += length;
        }
    }

    /// The numbers of all that there are, or of those above `last`.
    pub(super) fn numbers(&self, last: u32) -> Vec<u32> {
        self.streams
            .range(last.saturating_add(1)..)
            .map(|(number, _)| *number)
            .collect()
    }

    /// Those that carry data in the direction of `side`, which has lost some of it.
    pub(super) fn receiving(&mut self, side: Side) -> impl Iterator<Item = (u32, &mut Stream)> {
        let streams = self.streams.iter_mut().map(|(number, stream)| (*number, stream));
        streams.filter(move |(_, stream)| !stream.ended[side.index()])
    }

    /// Forgets what is known to be something else, and what nobody knows.
    pub(super) fn shed(&mut self) {
        for number in self.numbers(0) {
            if let Some(Stream {
                state: State::Ordinary | State::Silent(..),
                ..
            }) = self.get(number)
            {
                self.remove(number);
            }
        }
    }

    /// How much memory they take, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.kept + self.streams.len() * (size_of::<Stream>() + 16)
    }
}

impl State {
    /// What it takes beside itself, in bytes of memory.
    fn cost(&self) -> usize {
        let headers = |headers: &[(String, String)]| {
            headers
                .iter()
                .map(|(name, value)| size_of::<(String, String)>() + 32 + name.len() + value.len())
                .sum::<usize>()
        };
        let request = |request: &Request| request.target.len() + headers(&request.headers);
        match self {
            State::Asked(asked) => request(asked),
            State::Silent(asked, response) => {
                asked.as_ref().map_or(0, request) + response.as_ref().map_or(0, |r| headers(&r.headers))
            }
            // The body is counted as what it may become.
            State::Refused(refusal) => {
                size_of::<Refusal>() + request(&refusal.request) + headers(&refusal.response.headers) + MAX_BODY
            }
            State::Open | State::Unknown | State::Ordinary => 0,
        }
    }
}
