//! What may be shown of one direction of a connection, by its place in the stream.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::words::FILL;
use crate::layer::ws::unmask;
use crate::record::{FrameInfo, Message};

/// So many bytes are remembered for packets that come again.
const HISTORY: u64 = 128 << 10;

/// What is forged and lies so far ahead is not waited for.
const FAR: u64 = 1 << 20;

/// Frames of one message; those of a longer one are blank.
const MAX_FRAMES: usize = 1 << 16;

/// Bytes as they will stand in packets.
#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    /// So many zeros, masked with this key.
    Zeros(u64, Option<[u8; 4]>),
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Zeros(length, _) => *length,
        }
    }

    fn cost(&self) -> usize {
        size_of::<(u64, Self)>()
            + match self {
                Piece::Bytes(bytes) => bytes.len(),
                Piece::Zeros(..) => 0,
            }
    }
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pieces: BTreeMap<u64, Piece>,
    cost: usize,
    /// Of the bytes before it, all is known that will ever be.
    decided: u64,
    /// Where the data of packets begins that are held, and of how many.
    waiting: BTreeMap<i64, u32>,
    /// Frames of the message that has not ended, and of one that ends now, as they lie in the stream.
    data: VecDeque<FrameInfo>,
    /// Control frames, which may stand between those, until their messages are told.
    control: VecDeque<FrameInfo>,
    /// Some frames of the message are blank already.
    too_many: bool,
}

impl Stream {
    /// Bytes of memory.
    pub(super) fn cost(&self) -> usize {
        let frames = self.data.len() + self.control.len();
        self.cost + frames * size_of::<FrameInfo>() + self.waiting.len() * size_of::<(i64, u32)>()
    }

    pub(super) fn add(&mut self, at: u64, bytes: Vec<u8>) {
        self.put(at, Piece::Bytes(bytes));
    }

    /// So many bytes of which nothing is shown.
    pub(super) fn blank(&mut self, at: u64, length: u64) {
        self.put(at, Piece::Zeros(length, Some([FILL; 4])));
    }

    fn put(&mut self, at: u64, piece: Piece) {
        if piece.length() > 0 {
            self.cost += piece.cost();
            if let Some(old) = self.pieces.insert(at, piece) {
                self.cost -= old.cost();
            }
        }
    }

    pub(super) fn decide(&mut self, end: u64) {
        self.decided = self.decided.max(end);
    }

    pub(super) fn is_decided(&self, end: i64) -> bool {
        u64::try_from(end).is_ok_and(|end| end <= self.decided) || end <= 0
    }

    /// Nobody has come near `offset` yet.
    pub(super) fn is_far(&self, offset: i64) -> bool {
        u64::try_from(offset).is_ok_and(|offset| offset > self.decided + FAR)
    }

    /// A packet is held whose data begins there.
    pub(super) fn wait(&mut self, offset: i64) {
        *self.waiting.entry(offset).or_default() += 1;
    }

    /// It is written. What nobody waits for is forgotten.
    pub(super) fn served(&mut self, offset: i64) {
        if let Entry::Occupied(mut packets) = self.waiting.entry(offset) {
            *packets.get_mut() -= 1;
            if *packets.get() == 0 {
                packets.remove();
            }
        }
        let next = self
            .waiting
            .first_key_value()
            .map_or(offset, |(first, _)| offset.min(*first));
        self.forget_before(next);
    }

    /// All that is held lies further behind.
    pub(super) fn move_by(&mut self, further: i64) {
        self.waiting = self
            .waiting
            .iter()
            .map(|(offset, packets)| (offset + further, *packets))
            .collect();
    }

    /// A frame is complete; what its message says is still to come.
    pub(super) fn frame(&mut self, frame: &FrameInfo) {
        if self.data.len() + self.control.len() >= MAX_FRAMES {
            self.too_many = true;
            let frames = [std::mem::take(&mut self.data), std::mem::take(&mut self.control)];
            for frame in frames.iter().flatten() {
                self.show(frame, None);
            }
        }
        self.frames(frame.opcode.is_control()).push_back(*frame);
    }

    fn frames(&mut self, control: bool) -> &mut VecDeque<FrameInfo> {
        match control {
            true => &mut self.control,
            false => &mut self.data,
        }
    }

    /// A message has ended: `payload` is what may be shown of it, `None` nothing.
    pub(super) fn message(&mut self, message: &Message<'_>, payload: Option<&[u8]>) {
        let frames = self.take_frames(message);
        let known: u64 = frames.iter().map(|frame| frame.length).sum();
        let mut rest = payload.filter(|payload| payload.len() as u64 == known && !self.too_many);
        for frame in &frames {
            let piece = rest.and_then(|rest| rest.split_at_checked(frame.length as usize));
            rest = piece.map(|(_, rest)| rest);
            self.show(frame, piece.map(|(piece, _)| piece));
        }
        if !message.complete {
            self.unfinished(message, &frames, known);
        }
        self.pass_over(message, &frames);
    }

    /// A message has ended of which nothing is shown here.
    pub(super) fn pass(&mut self, message: &Message<'_>) {
        let frames = self.take_frames(message);
        self.pass_over(message, &frames);
    }

    /// The frames of a message.
    fn take_frames(&mut self, message: &Message<'_>) -> Vec<FrameInfo> {
        let end = message.range.end;
        let frames = self.frames(message.opcode.is_control());
        let own = frames.partition_point(|frame| frame.offset < end);
        frames.drain(..own).collect()
    }

    fn pass_over(&mut self, message: &Message<'_>, frames: &[FrameInfo]) {
        if !message.opcode.is_control() {
            self.too_many = false;
        }
        let end = frames.last().map_or(0, end).max(message.range.end);
        // A control frame may stand between the frames of a message that goes on.
        let open = [self.data.front(), self.control.front()];
        let open = open.into_iter().flatten().map(|frame| frame.offset).min();
        self.decide(open.map_or(end, |open| open.min(end)));
    }

    /// A frame with this payload, or zeros.
    fn show(&mut self, frame: &FrameInfo, payload: Option<&[u8]>) {
        self.put(frame.offset, Piece::Bytes(header(frame)));
        let at = frame.offset + u64::from(frame.header);
        match payload {
            Some(payload) => {
                let mut bytes = payload.to_vec();
                if let Some(key) = frame.masking_key {
                    unmask(&mut bytes, key, 0);
                }
                self.put(at, Piece::Bytes(bytes));
            }
            None => self.put(at, Piece::Zeros(frame.length, frame.masking_key)),
        }
    }

    /// The last frame of a message that never became whole, so that who reads it knows where the next one begins.
    fn unfinished(&mut self, message: &Message<'_>, frames: &[FrameInfo], known: u64) {
        let holes = message.payload.holes;
        let headless = holes
            .first()
            .is_some_and(|hole| hole.offset == 0 && hole.length.is_none());
        if headless || !message.payload.length_known() || frames.len() as u64 >= u64::from(message.frames) {
            return;
        }
        // All its other frames are known.
        let (true, Some(length)) = (
            frames.len() as u64 + 1 == u64::from(message.frames),
            message.wire_length.checked_sub(known),
        ) else {
            return;
        };
        let mut at = frames.last().map_or(message.range.start, end);
        while let Some(piece) = self.pieces.get(&at) {
            at += piece.length();
        }
        let first = frames.is_empty();
        // The key of a later frame is not told; zeros may be masked with any.
        let key = message
            .masked
            .then(|| message.masking_key.filter(|_| first).unwrap_or_default());
        let mut frame = FrameInfo {
            direction: message.direction,
            opcode: if first {
                message.opcode
            } else {
                crate::record::Opcode::Continuation
            },
            fin: true,
            rsv: [false; 3],
            masking_key: key,
            header: 0,
            length,
            span: message.span,
            offset: at,
        };
        frame.header = frame.least_header();
        self.show(&frame, None);
    }

    /// What may be shown of so many bytes at `offset`: runs of bytes, each with its place among them.
    pub(super) fn runs(&self, offset: i64, length: usize) -> Vec<(usize, Vec<u8>)> {
        let end = offset + length as i64;
        let mut runs: Vec<(usize, Vec<u8>)> = Vec::new();
        let Some(last) = u64::try_from(end).ok().filter(|end| *end > 0) else {
            return runs;
        };
        let mut at = offset.max(0) as u64;
        let before = self.pieces.range(..=at).next_back().map_or(at, |(begin, _)| *begin);
        for (&begin, piece) in self.pieces.range(before..last) {
            let (from, to) = (begin.max(at), (begin + piece.length()).min(last));
            if from >= to {
                continue;
            }
            let place = (from as i64 - offset) as usize;
            if runs.last().is_none_or(|(at, bytes)| at + bytes.len() != place) {
                runs.push((place, Vec::new()));
            }
            if let Some((_, run)) = runs.last_mut() {
                let (from, to) = ((from - begin) as usize, (to - begin) as usize);
                match piece {
                    Piece::Bytes(bytes) => run.extend_from_slice(&bytes[from..to]),
                    Piece::Zeros(_, key) => {
                        let key = key.unwrap_or_default();
                        run.extend((from..to).map(|at| key[at % 4]));
                    }
                }
            }
            at = to;
        }
        runs
    }

    /// What lies far before `offset` is not asked for again.
    fn forget_before(&mut self, offset: i64) {
        let before = u64::try_from(offset)
            .unwrap_or(0)
            .min(self.decided)
            .saturating_sub(HISTORY);
        while let Some(first) = self.pieces.first_entry()
            && first.key() + first.get().length() < before
        {
            self.cost -= first.remove().cost();
        }
    }
}

/// Where a frame ends.
fn end(frame: &FrameInfo) -> u64 {
    frame
        .offset
        .saturating_add(u64::from(frame.header))
        .saturating_add(frame.length)
}

/// The header of a frame as it was (RFC 6455 §5.2).
pub(super) fn header(frame: &FrameInfo) -> Vec<u8> {
    let mut first = frame.opcode.bits();
    for (bit, set) in [0x80, 0x40, 0x20, 0x10]
        .into_iter()
        .zip([&[frame.fin][..], &frame.rsv].concat())
    {
        first |= if set { bit } else { 0 };
    }
    let masked = if frame.masking_key.is_some() { 0x80 } else { 0 };
    let mut out = vec![first];
    match frame.header - if masked > 0 { 4 } else { 0 } {
        2 => out.push(masked | frame.length as u8),
        4 => {
            out.push(masked | 126);
            out.extend((frame.length as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend(frame.length.to_be_bytes());
        }
    }
    out.extend(frame.masking_key.into_iter().flatten());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;
    use crate::record::{Opcode, StreamRange};

    /// A masked frame without a payload that begins there, and the message that it ends.
    fn frame(offset: u64, opcode: Opcode, fin: bool) -> (FrameInfo, Message<'static>) {
        let mut message = samples::message(opcode, b"");
        message.range = StreamRange {
            start: offset,
            end: offset + 6,
        };
        let frame = FrameInfo {
            direction: message.direction,
            opcode,
            fin,
            rsv: [false; 3],
            masking_key: message.masking_key,
            header: 6,
            length: 0,
            span: message.span,
            offset,
        };
        (frame, message)
    }

    /// However many frames of a message wait, a ping between them touches none of them.
    #[test]
    fn control_frames_lie_apart_from_the_message_around_them() {
        let mut stream = Stream::default();
        stream.decide(12);
        let (first, _) = frame(12, Opcode::Text, false);
        stream.frame(&first);
        for at in 1..=50 {
            let (ping, message) = frame(24 * at, Opcode::Ping, true);
            stream.frame(&ping);
            assert_eq!((stream.data.len(), stream.control.len()), (at as usize, 1));
            stream.message(&message, Some(b""));
            assert_eq!((stream.data.len(), stream.control.len()), (at as usize, 0));
            assert!(stream.is_decided(12) && !stream.is_decided(13));
            let (next, _) = frame(24 * at + 6, Opcode::Continuation, false);
            stream.frame(&next);
        }
        let (last, mut message) = frame(2000, Opcode::Continuation, true);
        stream.frame(&last);
        let (ping, _) = frame(2006, Opcode::Ping, true);
        stream.frame(&ping);
        message.opcode = Opcode::Text;
        stream.message(&message, Some(b""));
        assert!(stream.data.is_empty() && stream.is_decided(2006) && !stream.is_decided(2007));
        let headers = stream.runs(12, 2000);
        assert_eq!(headers.iter().map(|(_, bytes)| bytes.len()).sum::<usize>(), 102 * 6);
    }
}
