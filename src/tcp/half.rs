//! One direction of a connection: its segments in any order become one stream, with gaps where bytes will not come.

use std::num::NonZeroU64;
use std::ops::Range;

use crate::base::PacketRef;
use crate::base::{Captured, Gap, GapCause, Timestamp};
use crate::tcp::beginning::Beginning;
use crate::tcp::elsewhere::Elsewhere;
use crate::tcp::history::History;
use crate::tcp::seq;
use crate::tcp::waiting::Waiting;
use crate::tcp::{DataFact, StreamEvent};
use crate::wire::{Checksum, Segment, TTL_CHANGE};

/// How long a gap waits that the receiver has acknowledged, at least: the sender will not send those bytes again, but the capture may
/// show the ACK before the data.
const PATIENCE_NANOS: i64 = 20_000_000;

/// The same where all packets stand in the order of their times: one that was overtaken is not far behind, and what the other side
/// says next may answer what waits here.
const SHORT_PATIENCE_NANOS: i64 = 5_000_000;

/// Else, until so many packets have come since that ACK, a gap waits [`LONG_PATIENCE_NANOS`] instead.
const PATIENCE_PACKETS: u8 = 48;

/// How long an acknowledged gap waits while only a few packets come.
pub(super) const LONG_PATIENCE_NANOS: i64 = 1_000_000_000;

/// Without any acknowledgment a gap is given up after this time: TCP would have sent the bytes again.
const LONGEST_WAIT_NANOS: i64 = 120_000_000_000;

/// The same, when nothing has been seen of the other side, so that nothing will tell.
const LONE_WAIT_NANOS: i64 = 2_000_000_000;

/// How far an acknowledgment may be ahead of everything seen.
pub(super) const FARTHEST_ACK: i64 = 1 << 26;

/// So many segments beyond the window, one behind the other, show that the window is not known.
const IN_ORDER_SUSPECTS: usize = 4;

/// For so long after the last segment of a receiver its window counts as the one that it has.
const WINDOW_HOLDS_NANOS: i64 = 500_000_000;

/// Bytes that were sent again so often without an answer tell that nobody is there (R1 of RFC 9293 §3.8.3).
const UNANSWERED_REPEATS: u16 = 3;

/// After so many right checksums more than wrong ones a wrong one is a reason for doubt.
const TRUSTED_CHECKSUMS: i8 = 1;

/// Checksums of this direction say nothing: they are computed behind where it was captured.
const NO_CHECKSUMS: i8 = -8;

/// What has so few hops left, where its neighbours have more, may die before it reaches its receiver.
const FEW_HOPS: u8 = 4;

/// State of one direction. All offsets count from the byte after the SYN, else from the first one seen.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// Sequence number of offset 0.
    pub(super) start: u32,
    pub(super) beginning: Beginning,
    /// Its SYN has been seen.
    pub(super) syn: bool,
    /// Something that it sent has been seen.
    pub(super) heard: bool,
    /// All before it has been delivered.
    pub(super) next: u64,
    /// No byte behind it has been seen.
    pub(super) high: u64,
    /// The other side has acknowledged all before it.
    pub(super) acked: u64,
    /// Where its FIN is, and one more, once that has been seen.
    fin: Option<NonZeroU64>,
    /// The FIN has been delivered.
    pub(super) finished: bool,
    /// The other side has acknowledged the FIN.
    pub(super) fin_acked: bool,
    /// The window that it last told, scaled: at most 2^30.
    pub(super) window: Option<u32>,
    /// When that became 0, in [`Timestamp::nanos`]; `None` while it is open, or was closed already when it was first seen.
    pub(super) window_closed_at: Option<i64>,
    /// The shift count that its SYN offered.
    pub(super) scale: Option<u8>,
    pub(super) waiting: Option<Box<Waiting>>,
    /// Segments that the receiver may not have accepted.
    pub(super) suspects: Option<Box<Suspects>>,
    /// Where the window ends that the other side told last; 0 while that is not known.
    pub(super) edge: u64,
    /// The time to live of its segments; 0 while it is not known.
    ttl: u8,
    /// How many more right checksums it has sent than wrong ones, from [`NO_CHECKSUMS`] to [`TRUSTED_CHECKSUMS`].
    checksums: i8,
    /// The other side has acknowledged bytes that were seen: so this is where the stream is.
    pub(super) confirmed: bool,
    /// Where it goes on otherwise.
    pub(super) elsewhere: Option<Box<Elsewhere>>,
    /// The other side has acknowledged the FIN, or will not tell any more.
    pub(super) fin_believed: bool,
    /// How often the oldest bytes that are not acknowledged were sent again.
    pub(super) repeats: u16,
    /// When those were sent, and when anything was sent last, in [`Timestamp::nanos`].
    pub(super) unacked_since: i64,
    pub(super) heard_at: i64,
    /// The first block of the last SACK option for it.
    pub(super) sack: (u32, u32),
    /// When it was acknowledged to where nothing has been seen yet, in [`Timestamp::nanos`]. There are many of these.
    pub(super) acked_at: i64,
    /// Since when the other side has acknowledged what has not been delivered, or what comes waits for what may have
    /// been before it, in the same; and how many packets ago that was.
    doubted_since: i64,
    doubted_packets: u8,
    pub(super) doubted: bool,
}

/// Segments that the receiver may not have accepted: they count when it acknowledges them and nothing else has come for
/// their place.
#[derive(Debug)]
pub(super) struct Suspects {
    bytes: Waiting,
    fin: Option<u64>,
    /// Some may be somebody else's.
    foreign: bool,
}

/// What speaks against a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Nothing.
    None,
    /// The receiver may not want its bytes.
    Bytes,
    /// Perhaps it is somebody else's: nothing that it says counts.
    Sender,
}

/// What a segment's data is to its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// First offset of its payload on the wire; 0 when it lies before the stream's beginning.
    pub(super) start: u64,
    /// First offset behind it.
    pub(super) end: u64,
    /// How many of its bytes lie before the stream's beginning.
    pub(super) before: usize,
    pub(super) fact: DataFact,
    /// Why it is [`DataFact::Doubtful`].
    pub(super) doubt: Doubt,
}

impl Placed {
    /// Of a segment whose bytes are not the stream's.
    pub(super) const NOWHERE: Self = Self {
        start: 0,
        end: 0,
        before: 0,
        fact: DataFact::None,
        doubt: Doubt::None,
    };
}

impl Half {
    /// The offset of a sequence number; negative before the stream's beginning.
    #[inline]
    pub(super) fn offset(&self, seq: u32) -> i64 {
        seq::offset(self.start, self.next, seq)
    }

    /// Where `length` bytes from `seq` on belong, and what they are to the stream. Changes nothing.
    #[inline]
    pub(super) fn place(&self, seq: u32, length: usize) -> Placed {
        let at = self.offset(seq);
        let end = at + length as i64;
        let start = at.max(0) as u64;
        let outside = Placed {
            start: 0,
            end: 0,
            before: 0,
            fact: DataFact::OutOfWindow,
            doubt: Doubt::None,
        };
        let next = self.next as i64;
        if (at - next).abs() > seq::LARGEST_WINDOW || end - next > seq::LARGEST_WINDOW {
            return outside;
        }
        if at == next && self.fin().is_none() && self.waiting.is_none() {
            return Placed {
                start,
                end: end as u64,
                before: 0,
                fact: DataFact::InOrder,
                doubt: Doubt::None,
            };
        }
        if self.fin().is_some_and(|fin| self.finished && end > fin as i64) {
            return outside;
        }
        let end = end.max(0) as u64;
        let fact = if end <= self.next {
            DataFact::Retransmission { different: false }
        } else if at < next {
            DataFact::PartlyRetransmitted { new: end - self.next }
        } else {
            match &self.waiting {
                None if at == next && self.fin().is_some_and(|fin| fin > self.next) => {
                    DataFact::FillsGap { released: 0 }
                }
                None if at == next => DataFact::InOrder,
                Some(_) if at == next => DataFact::FillsGap { released: 0 },
                Some(waiting) if waiting.covers(start, end) => DataFact::Retransmission { different: false },
                waiting => {
                    let kept = waiting.as_ref();
                    match kept.map_or(start - self.next, |w| w.missing(self.next, start)) {
                        // It waits for what may have been before the first bytes seen.
                        0 if self.beginning == Beginning::Seen => DataFact::InOrder,
                        missing => DataFact::OutOfOrder {
                            missing,
                            acknowledged: self.acked >= start,
                        },
                    }
                }
            }
        };
        let before = (-at).clamp(0, length as i64) as usize;
        Placed {
            start,
            end,
            before,
            fact,
            doubt: Doubt::None,
        }
    }

    /// How many bytes wait that follow right behind what ends at `end`.
    pub(super) fn released_by(&self, end: u64) -> u64 {
        match &self.waiting {
            Some(waiting) if waiting.first().is_some_and(|first| first <= end) => waiting.follows(end),
            _ => 0,
        }
    }

    /// Takes the bytes of a segment that [`Half::place`] has placed: delivers those that are next and what had waited
    /// for them, keeps those that are early.
    #[inline]
    pub(super) fn accept(
        &mut self,
        placed: Placed,
        payload: Captured<'_>,
        at: PacketRef,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let Placed { start, end, before, .. } = placed;
        if end <= self.next {
            return;
        }
        let payload = Captured {
            bytes: payload.bytes.get(before..).unwrap_or_default(),
            wire_len: payload.wire_len - before,
        };
        self.high = self.high.max(end);
        if start == self.next && self.waiting.is_none() && self.beginning != Beginning::Seen {
            return self.deliver(end, payload.bytes, at, emit);
        }
        self.accept_with_others(start, payload, at, emit);
    }

    fn accept_with_others(
        &mut self,
        start: u64,
        payload: Captured<'_>,
        at: PacketRef,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let end = start + payload.wire_len as u64;
        if start > self.next || self.beginning == Beginning::Seen {
            let waiting = self.waiting.get_or_insert_with(|| Box::new(Waiting::new(at.time)));
            return waiting.insert(start, payload, at);
        }
        // What waits came first, so between it only the rest of this segment is new.
        while self.next < end {
            let first = self.waiting.as_ref().and_then(|waiting| waiting.first());
            let until = first.map_or(end, |first| first.min(end));
            if self.next < until {
                let bytes = payload.bytes.get((self.next - start) as usize..).unwrap_or_default();
                let bytes = &bytes[..bytes.len().min((until - self.next) as usize)];
                self.deliver(until, bytes, at, emit);
            }
            self.release(at.time, emit);
        }
    }

    /// `bytes` are the next ones, and all that was captured before `end`.
    #[inline]
    fn deliver(&mut self, end: u64, bytes: &[u8], from: PacketRef, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let offset = self.next;
        self.advance(end);
        // Doubts are about what is next.
        self.doubted = false;
        if !bytes.is_empty() {
            emit(StreamEvent::Data { offset, bytes, from });
        }
        let captured = offset + bytes.len() as u64;
        if captured < end {
            emit(StreamEvent::Gap(Gap {
                offset: captured,
                length: end - captured,
                cause: GapCause::Snaplen,
            }));
        }
    }

    /// All before `end` has been delivered, or nobody wants to have it any more. Where the stream begins is settled with that.
    pub(super) fn advance(&mut self, end: u64) {
        self.next = end;
        self.high = self.high.max(end);
        if end > 0 {
            self.beginning = Beginning::Known;
        }
    }

    /// Delivers what waited and is next now.
    pub(super) fn release(&mut self, now: Timestamp, emit: &mut impl FnMut(StreamEvent<'_>)) {
        if self.beginning == Beginning::Seen {
            return;
        }
        while let Some(waiting) = &mut self.waiting {
            match waiting.first() {
                Some(first) if first <= self.next => {
                    if let Some((start, chunk)) = waiting.pop() {
                        // Chunks neither overlap nor lie before what has been delivered, but for a FIN's sake.
                        let skip = (self.next - start) as usize;
                        if let (Some(bytes), true) = (chunk.bytes.get(skip..), chunk.end > self.next) {
                            self.deliver(chunk.end, bytes, chunk.from, emit);
                        }
                        // The next hole has waited from now on only.
                        if let Some(waiting) = &mut self.waiting {
                            waiting.since = now;
                        }
                    }
                }
                Some(_) => return,
                None => self.waiting = None,
            }
        }
    }

    /// What speaks against a segment with data or a FIN. Counts its checksum. The byte with which it `probes` a closed window is refused
    /// however long ago that was told, and another may come in its place. So is what lies apart from all that was seen; what goes on
    /// right behind that is not, when its receiver has been silent and may have told another window since.
    #[inline]
    pub(super) fn doubt(
        &mut self,
        other: &Half,
        segment: &Segment<'_>,
        placed: Placed,
        probes: bool,
        is_open: bool,
        now: Timestamp,
    ) -> Doubt {
        let flags = segment.flags;
        let Placed { start, end, .. } = placed;
        let unlike = self.is_unlike_its_neighbours(segment);
        let foreign = is_open && other.confirmed && !(flags.ack() && other.may_acknowledge(segment.ack));
        let refused = probes || start > self.high || other.was_heard_lately(now);
        let behind_fin = self.fin().is_some_and(|fin| fin <= self.next && end > fin) && !self.finished;
        if flags.syn() && segment.payload.wire_len > 0 {
            // It is taken when the answer acknowledges it (RFC 7413 §4.1.2).
            Doubt::Bytes
        } else if !other.heard {
            // Nobody is there who would tell what it accepts.
            Doubt::None
        } else if foreign || unlike {
            Doubt::Sender
        } else if behind_fin || self.edge > 0 && end > self.edge && refused {
            Doubt::Bytes
        } else {
            Doubt::None
        }
    }

    /// What it said of its window still holds: one that is not captured any more has told another since.
    fn was_heard_lately(&self, now: Timestamp) -> bool {
        now.nanos().saturating_sub(self.heard_at) < WINDOW_HOLDS_NANOS
    }

    /// A receiver discards it as damaged, or it is not like its neighbours: its checksum or its time to live.
    #[inline]
    pub(super) fn is_unlike_its_neighbours(&mut self, segment: &Segment<'_>) -> bool {
        if segment.is_short || segment.fragments_differ {
            return true;
        }
        match segment.checksum() {
            Checksum::Right => self.checksums = (self.checksums + 1).min(TRUSTED_CHECKSUMS),
            Checksum::Wrong if self.checksums == TRUSTED_CHECKSUMS => return true,
            Checksum::Wrong => self.checksums = (self.checksums - 1).max(NO_CHECKSUMS),
            Checksum::Partial | Checksum::Unknown => {}
        }
        // Who answers for somebody else at the beginning is not yet the one who sends.
        if self.next == 0 || self.ttl == 0 {
            self.ttl = segment.ttl;
        }
        self.ttl.abs_diff(segment.ttl) > TTL_CHANGE
    }

    /// An ACK without data that its receiver may never see, or discards: it is damaged or does not get there, or acknowledges (RFC 5961
    /// §5.2) what `other` has not sent.
    #[inline]
    pub(super) fn ack_is_void(&self, other: &Half, segment: &Segment<'_>, is_open: bool) -> bool {
        other.heard
            && (is_open && other.confirmed && !other.may_acknowledge(segment.ack)
                || segment.ttl <= FEW_HOPS && segment.ttl + TTL_CHANGE < self.ttl
                || self.checksums == TRUSTED_CHECKSUMS && segment.checksum() == Checksum::Wrong)
    }

    /// Whether what the other side acknowledges is not far from what this one sends (RFC 5961 §5.2).
    #[inline]
    fn may_acknowledge(&self, ack: u32) -> bool {
        if self.beginning == Beginning::Unknown {
            return true;
        }
        let at = seq::offset(self.start, self.acked, ack);
        (self.acked as i64 - FARTHEST_ACK..=self.high.max(self.acked) as i64 + FARTHEST_ACK).contains(&at)
    }

    /// Holds a segment that the receiver may not have accepted, within `limit` bytes of memory.
    #[cold]
    pub(super) fn suspect(&mut self, placed: Placed, payload: Captured<'_>, fin: bool, at: PacketRef, limit: usize) {
        let Placed {
            start,
            end,
            before,
            doubt,
            ..
        } = placed;
        let suspects = self.suspects.get_or_insert_with(|| {
            Box::new(Suspects {
                bytes: Waiting::new(at.time),
                fin: None,
                foreign: false,
            })
        });
        suspects.foreign |= doubt == Doubt::Sender;
        if fin {
            suspects.fin = Some(end);
        }
        if end > self.next {
            let payload = Captured {
                bytes: payload.bytes.get(before..).unwrap_or_default(),
                wire_len: payload.wire_len - before,
            };
            suspects.bytes.insert(start, payload, at);
        }
        while suspects.bytes.cost() > limit && suspects.bytes.pop().is_some() {}
    }

    /// Whether suspects go on in order, segment after segment: so the other side has a larger window than it was seen to tell.
    pub(super) fn goes_on_beyond_the_window(&self) -> bool {
        let suspects = self.suspects.as_ref();
        suspects
            .is_some_and(|suspects| !suspects.foreign && suspects.bytes.in_order_from(self.next) >= IN_ORDER_SUSPECTS)
    }

    /// The receiver has acknowledged suspects, or nobody will tell: they are the stream's.
    #[cold]
    pub(super) fn believe_suspects(&mut self, all: bool, now: Timestamp, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let Some(mut suspects) = self.suspects.take() else {
            return;
        };
        while let Some(end) = suspects.bytes.first_end() {
            if !all && end > self.acked.max(self.next) {
                break;
            }
            let Some((start, chunk)) = suspects.bytes.pop() else {
                break;
            };
            // Behind a FIN that still counts is nothing.
            if end > self.next && self.fin().is_none_or(|fin| end <= fin) {
                // So that is how its segments look from now on.
                (self.ttl, self.checksums) = (0, NO_CHECKSUMS);
                self.high = self.high.max(end);
                let payload = Captured::new(&chunk.bytes, (end - start) as usize);
                self.accept_with_others(start, payload, chunk.from, emit);
            }
        }
        self.release(now, emit);
        if suspects.bytes.first_end().is_some() || suspects.fin.is_some_and(|fin| fin >= self.next) {
            self.suspects = Some(suspects);
        }
    }

    /// The other side acknowledges `offset`: is that the FIN of a suspect, or does it show that a FIN was none?
    #[inline]
    pub(super) fn revise_fin(&mut self, offset: u64) {
        if let Some(fin) = self.fin()
            && !self.finished
            && fin <= self.next
            && offset > fin + 1
        {
            self.set_fin(None);
        }
        if self.fin().is_none()
            && offset > self.high
            && let Some(suspects) = &mut self.suspects
            && suspects.fin.is_some_and(|fin| offset == fin + 1)
        {
            let fin = suspects.fin.take();
            self.set_fin(fin);
        }
    }

    /// Where the last byte is that was seen, accepted or not.
    pub(super) fn seen(&self) -> u64 {
        let suspects = self.suspects.as_ref().and_then(|suspects| suspects.bytes.end());
        self.high.max(suspects.unwrap_or(0))
    }

    /// Which bytes of a segment, which begin at `offset`, are not those that were seen there before.
    #[cold]
    pub(super) fn differing(&self, offset: i64, bytes: &[u8], history: &History) -> Option<Range<u64>> {
        let before = offset.min(0).unsigned_abs() as usize;
        let (bytes, offset) = (bytes.get(before..)?, offset.max(0) as u64);
        let waiting = self
            .waiting
            .as_ref()
            .and_then(|waiting| waiting.differing(offset, bytes));
        let delivered = history.differing(offset, bytes);
        let suspects = self.suspects.as_ref();
        let join = |a: Range<u64>, b: Range<u64>| a.start.min(b.start)..a.end.max(b.end);
        [
            waiting,
            delivered,
            suspects.and_then(|suspects| suspects.bytes.differing(offset, bytes)),
        ]
        .into_iter()
        .flatten()
        .reduce(join)
    }

    /// Delivers the FIN, if all before it has been delivered.
    #[inline]
    pub(super) fn finish(&mut self, emit: &mut impl FnMut(StreamEvent<'_>)) {
        if self.fin_believed && self.fin() == Some(self.next) && !self.finished && self.beginning != Beginning::Seen {
            (self.finished, self.beginning) = (true, Beginning::Known);
            emit(StreamEvent::Fin);
        }
    }

    /// Bytes are known to be missing.
    pub(super) fn misses(&self) -> bool {
        self.waiting.is_some() || self.acked > self.next
    }

    /// It has ended, and the other side says that it has got all of it.
    #[inline]
    pub(super) fn is_acknowledged_to_its_fin(&self) -> bool {
        self.fin().is_some_and(|fin| self.acked >= fin)
    }

    /// Where the first hole ends: at bytes that wait, or at the FIN.
    pub(super) fn hole_end(&self) -> Option<u64> {
        match &self.waiting {
            Some(waiting) => waiting.first(),
            None => self.fin().filter(|&fin| fin > self.next),
        }
    }

    /// Something has come, in whatever direction: gives up the first holes if they will not be filled any more.
    #[cold]
    pub(super) fn give_up_lost(
        &mut self,
        other_heard: bool,
        in_order: bool,
        now: Timestamp,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        self.release(now, emit);
        let doubted = self.acked > self.next || self.beginning == Beginning::Seen;
        // An acknowledgment that was sent later than what comes now tells nothing yet: the two directions were captured
        // apart, and the other one stands first in the file.
        if now.nanos() < self.acked_at {
            (self.doubted_packets, self.doubted_since) = (0, self.acked_at);
        } else if doubted && !self.doubted {
            (self.doubted_packets, self.doubted_since) = (0, now.nanos());
        }
        self.doubted_packets = self.doubted_packets.saturating_add(1);
        let few = self.doubted_packets <= PATIENCE_PACKETS;
        let patience = match self.beginning {
            // Perhaps nothing was before it.
            Beginning::Seen if few => PATIENCE_NANOS,
            Beginning::Seen => i64::MIN,
            _ if in_order => SHORT_PATIENCE_NANOS,
            _ if few => LONG_PATIENCE_NANOS,
            _ => PATIENCE_NANOS,
        };
        let patient = now.nanos().saturating_sub(self.doubted_since) < patience;
        let longest = if other_heard {
            LONGEST_WAIT_NANOS
        } else {
            LONE_WAIT_NANOS
        };
        if !other_heard && self.suspects.is_some() && self.waiting.is_some() {
            self.believe_suspects(true, now, emit);
        }
        while let Some(end) = self.hole_end() {
            let given_up = doubted && !patient && (self.acked >= end || self.beginning == Beginning::Seen);
            let waited = self
                .waiting
                .as_ref()
                .is_some_and(|waiting| now.since(waiting.since) > longest);
            if !given_up && !waited {
                break;
            }
            self.give_up_hole(GapCause::Lost, now, emit);
        }
        // What has been delivered now does not make the doubt about the rest any younger.
        self.doubted = self.acked > self.next || self.beginning == Beginning::Seen;
    }

    /// Gives up the first hole and delivers what waited behind it. `false` when there is none.
    pub(super) fn give_up_hole(
        &mut self,
        cause: GapCause,
        now: Timestamp,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) -> bool {
        let Some(end) = self.hole_end() else {
            return false;
        };
        match &self.waiting {
            // What came before the capture began is not missing.
            Some(_) if self.beginning != Beginning::Known => self.settle(),
            _ => {
                let offset = self.next;
                self.advance(end);
                emit(StreamEvent::Gap(Gap {
                    offset,
                    length: end - offset,
                    cause,
                }));
            }
        }
        self.release(now, emit);
        self.finish(emit);
        true
    }

    /// Nothing more will come: delivers what waits, and tells what is missing at the end.
    pub(super) fn flush(
        &mut self,
        cause: GapCause,
        other_heard: bool,
        now: Timestamp,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        self.fin_believed = true;
        self.believe_suspects(!other_heard, now, emit);
        if self.beginning == Beginning::Seen {
            self.settle();
            self.release(now, emit);
            self.finish(emit);
        }
        while self.give_up_hole(cause, now, emit) {}
        // One number alone may as well have been the FIN's.
        let missing = self.acked.saturating_sub(self.next);
        if self.fin().is_none() && missing > 1 && self.beginning == Beginning::Known {
            let offset = self.next;
            self.advance(self.acked);
            emit(StreamEvent::Gap(Gap {
                offset,
                length: missing,
                cause: GapCause::Lost,
            }));
        }
    }

    /// Where its FIN is, once that has been seen.
    #[inline]
    pub(super) fn fin(&self) -> Option<u64> {
        self.fin.map(|behind| behind.get() - 1)
    }

    pub(super) fn set_fin(&mut self, at: Option<u64>) {
        self.fin = at.and_then(|at| NonZeroU64::new(at.saturating_add(1)));
    }

    /// Notes where the FIN is. Answers whether it is news.
    pub(super) fn note_fin(&mut self, at: u64) -> bool {
        if self.fin().is_some() || at < self.high {
            return false;
        }
        self.set_fin(Some(at));
        true
    }

    /// Bytes beyond a FIN that has not been reached yet prove it wrong.
    pub(super) fn doubt_fin(&mut self, end: u64) {
        if !self.finished && self.fin().is_some_and(|fin| end > fin) {
            self.set_fin(None);
        }
    }

    /// The offset that the other side acknowledges with `ack`, if that is plausible.
    #[inline]
    pub(super) fn acknowledged(&self, ack: u32) -> Option<i64> {
        let offset = seq::offset(self.start, self.acked, ack);
        (offset <= self.high.max(self.acked) as i64 + FARTHEST_ACK).then_some(offset)
    }

    /// What waits here, in bytes of memory.
    #[inline]
    pub(super) fn waiting_cost(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.cost())
            + self.suspects.as_ref().map_or(0, |suspects| suspects.bytes.cost())
            + self.elsewhere.as_ref().map_or(0, |elsewhere| elsewhere.cost())
    }

    /// Its last bytes were sent again and again, and nothing was heard of the other side since they were sent first.
    pub(super) fn is_unanswered(&self, other: &Half) -> bool {
        self.acked < self.high
            && self.repeats >= UNANSWERED_REPEATS
            && other.heard
            && other.heard_at <= self.unacked_since
    }
}
