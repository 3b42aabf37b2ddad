//! The `pcapng` export: the captured packets, and on each that completes messages a comment with what `trace` says of it and the
//! decoded text.
//!
//! A session may be recognised, and keys may come, when the packets that completed its first messages have gone by: packets are held
//! for a while, so that what is known late still gets to its packet. Behind that it goes to the current one, which names the other.

use std::collections::VecDeque;
use std::mem;
use std::ops::ControlFlow;

use super::View;
use super::pcapng::{MAX_COMMENT, Pcapng};
use super::trace::{self, BARE, Teller};
use crate::base::{Captured, Timestamp};
use crate::record::{Record, RecordKind, SegmentView, Sink};
use crate::wire::{LinkType, Packet};

/// Bytes of packets and their comments that are held.
const HELD: usize = 4 << 20;

/// Bytes of one message in a comment, so that what is said of it has room as well.
const TEXT: usize = 48 << 10;

/// Bytes of comments that one packet has at most.
const COMMENTS: usize = 1 << 20;

/// The export.
pub struct Annotated {
    file: Pcapng,
    teller: Teller,
    /// The oldest first.
    held: VecDeque<Held>,
    held_bytes: usize,
    /// So many bytes are held.
    limit: usize,
    out: Vec<u8>,
    /// Of the current packet, or of the next one.
    comments: Comments,
    /// The messages that come behind what is told next.
    texts: Comments,
    /// A message was completed.
    message: bool,
    in_packet: bool,
}

struct Held {
    number: u64,
    link: LinkType,
    time: Timestamp,
    bytes: Vec<u8>,
    wire_len: usize,
    comments: Comments,
}

impl Held {
    fn cost(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + self.comments.bytes()
    }
}

/// What is said of a packet: as few comments as their size allows.
#[derive(Default)]
struct Comments(Vec<Vec<u8>>);

impl Comments {
    fn bytes(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    fn add(&mut self, text: &[u8]) {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        if text.is_empty() || self.bytes() > COMMENTS {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.len() + 1 + text.len() <= MAX_COMMENT => {
                last.push(b'\n');
                last.extend_from_slice(text);
            }
            _ => self.0.push(text.to_vec()),
        }
    }
}

impl Annotated {
    /// `live`: nothing is held.
    pub fn new(options: trace::Options, live: bool) -> Self {
        let mut out = Vec::new();
        Self {
            file: Pcapng::begin(&mut out, true),
            teller: Teller::new(options).verbatim(TEXT),
            held: VecDeque::new(),
            held_bytes: 0,
            limit: if live { 0 } else { HELD },
            out,
            comments: Comments::default(),
            texts: Comments::default(),
            message: false,
            in_packet: false,
        }
    }

    /// Packets that need not be held any more are written.
    fn release(&mut self, limit: usize) {
        while self.held_bytes > limit
            && let Some(held) = self.held.pop_front()
        {
            self.held_bytes -= held.cost();
            self.file.packet(
                &mut self.out,
                held.link,
                held.time,
                Captured {
                    bytes: &held.bytes,
                    wire_len: held.wire_len,
                },
                held.comments.0.iter().map(Vec::as_slice),
            );
        }
    }

    /// What is told of the current packet, or of none.
    fn tell(&mut self) {
        self.teller.packet_end();
        if mem::take(&mut self.message) && !self.teller.is_silent() {
            let mut told = Vec::new();
            self.teller.block(&mut told, &BARE);
            self.comments.add(&told);
        }
        for text in mem::take(&mut self.texts).0 {
            self.comments.add(&text);
        }
        self.teller.clear();
    }
}

impl Sink for Annotated {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.in_packet = true;
        self.teller.packet(packet, segment);
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.teller.record(record);
        if let RecordKind::Message(_) = record.kind {
            self.message = true;
            let mut said = Vec::new();
            self.teller.take_payloads(&mut said);
            let own = self.held.binary_search_by_key(&record.at.packet, |held| held.number);
            match own.ok().and_then(|at| self.held.get_mut(at)) {
                Some(held) => {
                    let before = held.cost();
                    held.comments.add(&said);
                    self.held_bytes += held.cost() - before;
                }
                None => self.texts.add(&said),
            }
        }
        if !self.in_packet {
            self.tell();
        }
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.in_packet = false;
        self.tell();
        let held = Held {
            number: packet.number,
            link: packet.link,
            time: packet.time,
            bytes: packet.data.bytes.to_vec(),
            wire_len: packet.data.wire_len,
            comments: mem::take(&mut self.comments),
        };
        self.held_bytes += held.cost();
        self.held.push_back(held);
        ControlFlow::Continue(())
    }
}

impl View for Annotated {
    fn output(&mut self) -> &mut Vec<u8> {
        self.release(self.limit);
        &mut self.out
    }

    fn unselected(&mut self, record: &Record<'_>) {
        self.teller.hear(record);
    }

    fn hide(&mut self, _: &Packet<'_>, _: bool) {
        self.in_packet = false;
        self.message = false;
        self.teller.hide();
        self.comments = Comments::default();
        self.texts = Comments::default();
    }

    fn secrets(&mut self, key_log: &[u8]) {
        self.file.secrets(&mut self.out, key_log);
    }

    fn finish(&mut self) {
        self.tell();
        if let Some(last) = self.held.back_mut() {
            let before = last.cost();
            let left = mem::take(&mut self.comments);
            left.0.iter().for_each(|text| last.comments.add(text));
            self.held_bytes += last.cost() - before;
        }
        self.release(0);
        if self.file.is_empty() {
            // A file without an interface is none to libpcap.
            self.file.interface(&mut self.out, LinkType::ETHERNET, false);
        }
    }
}
