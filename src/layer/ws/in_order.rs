//! What two decoders find in bytes that were held for long, told in the order of the capture.

use crate::base::{Direction, Gap, PacketRef, Violation};
use crate::record::{Close, FrameInfo, Hole, Message, Payload};

/// Bytes of messages that wait to be put in order; with more, what there is is told first.
const MAX_BYTES: usize = 4 << 20;

/// So many more chunks are waited for.
const MAX_WAITS: u8 = 4;

/// What was found and not told yet.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    found: Vec<(PacketRef, Direction, Found)>,
    bytes: usize,
    waits: u8,
}

/// What a decoder finds.
#[derive(Debug)]
pub(super) enum Found {
    Frame(FrameInfo),
    Message(Box<Kept>),
    Violation(Violation),
    Gap(Gap),
}

/// A message by value.
#[derive(Debug)]
pub(super) struct Kept {
    /// Without what is borrowed.
    message: Message<'static>,
    bytes: Vec<u8>,
    holes: Vec<Hole>,
    is_text: bool,
    close: Option<(u16, String)>,
}

impl Kept {
    pub(super) fn new(message: &Message<'_>) -> Self {
        Self {
            message: Message {
                payload: Payload::whole(&[]),
                text: None,
                told_late: false,
                meaning: &[],
                close: None,
                ..*message
            },
            bytes: message.payload.bytes.to_vec(),
            holes: message.payload.holes.to_vec(),
            is_text: message.text.is_some(),
            close: message.close.map(|close| (close.code, close.reason.to_owned())),
        }
    }

    pub(super) fn message(&self) -> Message<'_> {
        Message {
            payload: Payload {
                bytes: &self.bytes,
                holes: &self.holes,
            },
            text: std::str::from_utf8(&self.bytes).ok().filter(|_| self.is_text),
            close: self.close.as_ref().map(|(code, reason)| Close { code: *code, reason }),
            ..self.message
        }
    }
}

impl InOrder {
    /// Keeps something; `false` when so much is kept that it should be told.
    pub(super) fn push(&mut self, at: PacketRef, direction: Direction, found: Found) -> bool {
        self.bytes += size_of::<(PacketRef, Direction, Found)>();
        if let Found::Message(kept) = &found {
            self.bytes += size_of::<Kept>() + kept.bytes.len() + kept.holes.len() * size_of::<Hole>();
        }
        self.found.push((at, direction, found));
        self.bytes < MAX_BYTES
    }

    /// Whether to wait for one chunk more.
    pub(super) fn wait(&mut self) -> bool {
        self.waits += 1;
        self.waits <= MAX_WAITS
    }

    /// All that is kept, in the order of the capture; what one direction says stays in its order, whatever was lost and came later.
    pub(super) fn take(&mut self) -> Vec<(PacketRef, Direction, Found)> {
        let found = std::mem::take(self).found;
        let mut all = Vec::with_capacity(found.len());
        let (client, server): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|&(_, direction, _)| direction == Direction::ClientToServer);
        let mut sides = [client, server].map(|side| side.into_iter().peekable());
        loop {
            let heads = sides.each_mut().map(|side| side.peek().map(|(at, ..)| at.packet));
            let next = match heads {
                [Some(client), Some(server)] => usize::from(server < client),
                [Some(_), None] => 0,
                [None, Some(_)] => 1,
                [None, None] => return all,
            };
            all.extend(sides[next].next());
        }
    }
}
