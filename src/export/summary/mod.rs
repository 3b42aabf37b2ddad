//! `--summary`: what there was in all, counted while it went by.
//!
//! It listens like a view, to everything and not only to what is selected, and writes at the end: as an event of the JSON view, or
//! as a block of text. Whatever strangers choose (names, contents, pings, codes) is counted in tables of bounded size.

mod chat;
mod latencies;
mod times;
mod write;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::annotate::Narrator;
use crate::base::{Direction, PacketRef, Rule, Timestamp};
use crate::record::{GivenUp, Message, Opcode, Record, RecordKind, SegmentView, SessionEnd, Sink, Source, Verdict};
use crate::wire::Packet;
use chat::Chat;
use latencies::Latencies;

/// Counts what goes by.
#[derive(Default)]
pub struct Summary {
    packets: u64,
    bytes: u64,
    /// Time of the first and of the last packet.
    times: Option<(Timestamp, Timestamp)>,
    sessions: u64,
    /// By direction and opcode.
    messages: [[u64; 16]; 2],
    /// Application bytes, both ways.
    message_bytes: u64,
    violations: BTreeMap<Rule, u64>,
    gaps: u64,
    dropped: u64,
    given_up: GivenUp,
    ends: Vec<(Verdict, u64)>,
    chat: Chat,
    latencies: Latencies,
    /// Keeps the books of who has got what was said.
    narrator: Narrator,
    in_packet: bool,
}

impl Summary {
    /// Nothing was counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the bounds have made the engine give up, in all.
    pub fn given_up(&mut self, given_up: GivenUp) {
        self.given_up = given_up;
    }

    /// So many packets were dropped by the kernel, in all.
    pub fn dropped(&mut self, packets: u64) {
        self.dropped = packets;
    }

    fn message(&mut self, session: &Source, message: &Message<'_>, at: PacketRef) {
        let opcode = usize::from(message.opcode.bits() & 0x0f);
        self.messages[message.direction.index()][opcode] += 1;
        self.message_bytes += message.payload.length();
        if message.opcode == Opcode::Text {
            self.chat.hear(session, message, at.time);
        }
        for read in message.meaning {
            if let Some(answers) = &read.answers {
                self.latencies.answered(read, answers);
            }
        }
    }

    fn ended(&mut self, end: &SessionEnd) {
        match self.ends.iter_mut().find(|(known, _)| *known == end.verdict) {
            Some((_, count)) => *count += 1,
            None => self.ends.push((end.verdict, 1)),
        }
    }

    /// The rules that were broken, in the order of the RFCs, and how often.
    fn broken(&self) -> impl Iterator<Item = (Rule, u64)> + '_ {
        self.violations.iter().map(|(rule, count)| (*rule, *count))
    }

    /// The opcodes that `direction` carried, and how often.
    fn carried(&self, direction: Direction) -> impl Iterator<Item = (Opcode, u64)> + '_ {
        let counts = self.messages[direction.index()].into_iter().enumerate();
        counts.filter(|(_, count)| *count > 0).map(|(bits, count)| match bits {
            // No message is a continuation.
            0 => (Opcode::Unknown, count),
            _ => (Opcode::from_bits(bits as u8), count),
        })
    }
}

impl Sink for Summary {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.in_packet = true;
        self.narrator.packet(packet, segment);
        self.packets += 1;
        self.bytes += packet.data.wire_len as u64;
        let (first, _) = self.times.unwrap_or((packet.time, packet.time));
        self.times = Some((first, packet.time));
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.narrator.record(record);
        if !self.in_packet {
            // Nobody reads the story, and all sessions that are open may end at once.
            self.narrator.packet_end();
            self.narrator.clear();
        }
        match record.kind {
            RecordKind::Message(message) => self.message(record.source, message, record.at),
            RecordKind::Violation { violation, .. } => {
                *self.violations.entry(violation.rule).or_default() += 1;
            }
            RecordKind::Gap { .. } => self.gaps += 1,
            RecordKind::Unanswered(request) => self.latencies.unanswered(request),
            RecordKind::SessionEnd(end) => {
                self.sessions += u64::from(record.source.session.is_some());
                self.ended(end);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
        self.narrator.packet_end();
        self.narrator.clear();
        self.in_packet = false;
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
