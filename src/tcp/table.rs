//! All connections: which one a segment belongs to, and how many are kept.

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use crate::base::PacketRef;
use crate::base::{Endpoint, Limits, Timestamp};
use crate::bounded::LruList;
use crate::tcp::belonging::Belongs;
use crate::tcp::flow::{Class, Flow};
use crate::tcp::half::LONG_PATIENCE_NANOS;
use crate::tcp::recent::Recents;
use crate::tcp::{StreamHandler, TcpEnd};
use crate::wire::Segment;

/// A connection that has begun and not got beyond its handshake is given up after this silence: SYNs are sent again for
/// about two minutes (RFC 9293 §3.8.3 asks for at least three, hardly anybody does).
const HALF_OPEN_NANOS: i64 = 180_000_000_000;

/// A connection that is over is kept so long, for late segments: TIME-WAIT as most systems have it (RFC 9293 §3.6.1).
const CLOSED_NANOS: i64 = 60_000_000_000;

/// How many connections that are over are kept.
const CLOSED_FLOWS: usize = 4096;

/// A connection moves to the end of its queue at most that often, so that a packet does not touch its neighbours.
const QUEUE_NANOS: i64 = 1_000_000_000;

/// Who has been silent for too long is looked for at most that often.
const SILENCE_NANOS: i64 = 10_000_000;

/// The connections of a capture.
///
/// Everything done for a segment takes constant time, whatever the number of connections: what is to be given up is at
/// the head of a queue.
#[derive(Debug)]
pub struct Table<U> {
    /// Slots by the hash of their endpoints.
    map: HashTable<u32>,
    hasher: RandomState,
    slots: Vec<Option<Slot<U>>>,
    free: Vec<u32>,
    /// The slots of each [`Class`], the longest silent first.
    queues: LruList<5>,
    /// The slots in which bytes wait, those that began to wait first in front.
    waiters: LruList<1>,
    /// What waits in all of them, in bytes of memory.
    waiting: usize,
    recents: Recents,
    /// How many connections there have been.
    numbers: u64,
    /// The latest time seen.
    now: Timestamp,
    /// When who is silent has been looked for.
    looked: Timestamp,
    limits: Limits,
}

#[derive(Debug)]
struct Slot<U> {
    flow: Flow<U>,
    hash: u64,
    /// When it was put at the end of its queue, in [`Timestamp::nanos`], and of which.
    queued: i64,
    queue: Class,
    /// What waits in it, as far as `Table::waiting` knows.
    waiting: usize,
}

impl<U: Default> Table<U> {
    /// A table that keeps to [`Limits::flows`], [`Limits::waiting_bytes`], [`Limits::waiting_total`] and
    /// [`Limits::idle_seconds`].
    pub fn new(limits: &Limits) -> Self {
        Self {
            map: HashTable::new(),
            hasher: RandomState::default(),
            slots: Vec::new(),
            free: Vec::new(),
            queues: LruList::new(),
            waiters: LruList::new(),
            waiting: 0,
            recents: Recents::default(),
            numbers: 0,
            now: Timestamp::from_nanos(i64::MIN),
            looked: Timestamp::from_nanos(i64::MIN),
            limits: *limits,
        }
    }

    /// How many connections are kept, those included that are over and may still get late segments.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the bytes that wait out of order cost, in bytes of memory.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Reads a segment: tells `upper` what it does, then what it brings, then of the connections that it has ended
    /// (its own, or others that had to go).
    #[inline]
    pub fn segment<P: StreamHandler<State = U>>(&mut self, segment: &Segment<'_>, at: PacketRef, upper: &mut P) {
        self.now = self.now.max(at.time);
        let hash = self.hash(segment);
        let found = self.map.find(hash, |&slot| {
            let entry = self.slots.get(slot as usize).and_then(Option::as_ref);
            entry.is_some_and(|entry| entry.hash == hash && is_between(&entry.flow.connection.endpoints, segment))
        });
        let index = match found.copied() {
            Some(index) => self.known(index, segment, at, upper),
            None => {
                let flow = self.begin(segment, at);
                let index = self.insert(flow, hash);
                self.read(index, segment, at, upper);
                index
            }
        };
        if self.waiting > self.limits.waiting_total || self.len() > self.limits.flows {
            self.make_room(index, at, upper);
        }
        let crowded = self.queues.len(Class::Closed as usize) > CLOSED_FLOWS;
        if self.now.since(self.looked) >= SILENCE_NANOS || crowded {
            self.give_up_silent(at, upper);
        }
    }

    /// The capture has ended: ends all connections, in the order in which they began.
    pub fn finish<P: StreamHandler<State = U>>(&mut self, at: PacketRef, upper: &mut P) {
        // Where they are is sorted, not the connections: those are large.
        let slots = self.slots.iter().enumerate();
        let mut order: Vec<_> = slots
            .filter_map(|(index, slot)| Some((slot.as_ref()?.flow.connection.number, index)))
            .collect();
        order.sort_unstable();
        for (_, index) in order {
            if let Some(mut entry) = self.slots.get_mut(index).and_then(Option::take) {
                entry.flow.end(TcpEnd::CaptureEnd, at, upper);
            }
        }
        *self = Self {
            numbers: self.numbers,
            ..Self::new(&self.limits)
        };
    }

    /// The same for both directions.
    #[inline]
    fn hash(&self, segment: &Segment<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        let (a, b) = (&segment.source, &segment.destination);
        match (a.addr, b.addr) {
            (IpAddr::V4(a_addr), IpAddr::V4(b_addr)) => {
                let pack = |addr: std::net::Ipv4Addr, port: u16| u64::from(addr.to_bits()) << 16 | u64::from(port);
                let (a, b) = (pack(a_addr, a.port), pack(b_addr, b.port));
                hasher.write_u64(a.min(b));
                hasher.write_u64(a.max(b));
            }
            _ => {
                let bits = |addr: IpAddr| match addr {
                    IpAddr::V4(addr) => u128::from(addr.to_bits()),
                    IpAddr::V6(addr) => addr.to_bits(),
                };
                let (a, b) = ((bits(a.addr), a.port), (bits(b.addr), b.port));
                for (bits, port) in [a.min(b), a.max(b)] {
                    hasher.write_u128(bits);
                    hasher.write_u16(port);
                }
            }
        }
        hasher.finish()
    }

    fn begin(&mut self, segment: &Segment<'_>, at: PacketRef) -> Flow<U> {
        self.numbers += 1;
        Flow::new(self.numbers, segment, at)
    }

    fn insert(&mut self, flow: Flow<U>, hash: u64) -> u32 {
        let entry = Some(Slot {
            flow,
            hash,
            queued: self.now.nanos(),
            queue: Class::HalfOpen,
            waiting: 0,
        });
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(None);
                // More than 2^32 connections are more than any memory holds, whatever the limit says.
                (self.slots.len() - 1) as u32
            }
        };
        if let Some(slot) = self.slots.get_mut(index as usize) {
            *slot = entry;
        }
        let slots = &self.slots;
        self.map.insert_unique(hash, index, |&slot| {
            slots
                .get(slot as usize)
                .and_then(Option::as_ref)
                .map_or(0, |entry| entry.hash)
        });
        self.queues.push(index, Class::HalfOpen as usize);
        index
    }

    /// A segment between endpoints that are known. Answers where its connection is.
    #[inline]
    fn known<P: StreamHandler<State = U>>(
        &mut self,
        index: u32,
        segment: &Segment<'_>,
        at: PacketRef,
        upper: &mut P,
    ) -> u32 {
        let Some(Some(entry)) = self.slots.get(index as usize) else {
            return index;
        };
        let side = entry.flow.side(segment);
        match entry.flow.belongs(segment, side) {
            Belongs::Here => {
                self.read(index, segment, at, upper);
                index
            }
            other => {
                let hash = entry.hash;
                let old = self.remove(index);
                let mut flow = self.begin(segment, at);
                if let Belongs::ToTheDoubtful(syn) = other {
                    flow = flow.with_syn(syn, side);
                }
                let index = self.insert(flow, hash);
                self.read(index, segment, at, upper);
                if let Some(mut old) = old {
                    old.flow.end(TcpEnd::Reused, at, upper);
                }
                index
            }
        }
    }

    #[inline]
    fn read<P: StreamHandler<State = U>>(&mut self, index: u32, segment: &Segment<'_>, at: PacketRef, upper: &mut P) {
        let Some(Some(entry)) = self.slots.get_mut(index as usize) else {
            return;
        };
        let side = entry.flow.side(segment);
        let limit = self.limits.waiting_bytes;
        entry.flow.segment(segment, side, at, limit, &mut self.recents, upper);
        entry.flow.last = self.now.nanos();
        let waiting = entry.flow.waiting_cost();
        let class = match entry.flow.class() {
            Class::Established if !P::is_wanted(&entry.flow.upper) => Class::Unwanted,
            class => class,
        };
        if entry.waiting != waiting {
            self.waiting = self.waiting - entry.waiting + waiting;
            entry.waiting = waiting;
            match (waiting, self.waiters.list_of(index)) {
                (0, _) => self.waiters.remove(index),
                (_, None) => self.waiters.push(index, 0),
                _ => {}
            }
        }
        if self.now.nanos().saturating_sub(entry.queued) > QUEUE_NANOS || entry.queue != class {
            (entry.queued, entry.queue) = (self.now.nanos(), class);
            self.queues.push(index, class as usize);
        }
    }

    fn remove(&mut self, index: u32) -> Option<Slot<U>> {
        let entry = self.slots.get_mut(index as usize)?.take()?;
        if let Ok(place) = self.map.find_entry(entry.hash, |&slot| slot == index) {
            place.remove();
        }
        self.free.push(index);
        self.queues.remove(index);
        self.waiters.remove(index);
        self.waiting -= entry.waiting;
        Some(entry)
    }

    /// A bound has been exceeded: something must go, but not the connection that has just begun.
    #[cold]
    fn make_room<P: StreamHandler<State = U>>(&mut self, current: u32, at: PacketRef, upper: &mut P) {
        while self.waiting > self.limits.waiting_total {
            let Some(index) = self.waiters.oldest(0) else {
                break;
            };
            self.waiters.remove(index);
            if let Some(Some(entry)) = self.slots.get_mut(index as usize) {
                self.waiting -= entry.waiting;
                entry.waiting = 0;
                entry.flow.give_up_waiting(at, upper);
            }
        }
        while self.len() > self.limits.flows.max(1) {
            let classes = [
                Class::HalfOpen,
                Class::Closed,
                Class::Closing,
                Class::Unwanted,
                Class::Established,
            ];
            let oldest = classes
                .iter()
                .filter_map(|&class| self.queues.oldest(class as usize))
                .find(|&index| index != current);
            let Some(mut entry) = oldest.and_then(|index| self.remove(index)) else {
                break;
            };
            entry.flow.end(TcpEnd::Evicted, at, upper);
        }
    }

    /// Gives up who has been silent for too long.
    #[cold]
    fn give_up_silent<P: StreamHandler<State = U>>(&mut self, at: PacketRef, upper: &mut P) {
        self.looked = self.now;
        let idle = i64::from(self.limits.idle_seconds) * 1_000_000_000;
        while let Some(index) = self.queues.oldest(Class::Closing as usize) {
            let Some(Some(entry)) = self.slots.get_mut(index as usize) else {
                break;
            };
            if self.now.nanos().saturating_sub(entry.queued) < LONG_PATIENCE_NANOS {
                break;
            }
            entry.flow.close(at, upper);
            (entry.queued, entry.queue) = (self.now.nanos(), Class::Closed);
            self.waiting -= std::mem::take(&mut entry.waiting);
            self.waiters.remove(index);
            self.queues.push(index, Class::Closed as usize);
        }
        let longest = [idle.min(HALF_OPEN_NANOS), idle, idle.min(CLOSED_NANOS), idle];
        for (class, longest) in longest.into_iter().enumerate() {
            while let Some(index) = self.queues.oldest(class) {
                let Some(Some(entry)) = self.slots.get(index as usize) else {
                    break;
                };
                let crowded = class == Class::Closed as usize && self.queues.len(class) > CLOSED_FLOWS;
                if self.now.nanos().saturating_sub(entry.flow.last) <= longest && !crowded {
                    break;
                }
                if let Some(mut entry) = self.remove(index) {
                    entry.flow.end(TcpEnd::Idle, at, upper);
                }
            }
        }
    }
}

/// Whether the segment goes from one of these endpoints to the other.
#[inline]
fn is_between(endpoints: &[Endpoint; 2], segment: &Segment<'_>) -> bool {
    let [a, b] = endpoints;
    (segment.source == *a && segment.destination == *b) || (segment.source == *b && segment.destination == *a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{GapCause, Side};
    use crate::tcp::testing::{ACK, FIN, SYN, Wire, handshake, line};

    #[test]
    fn in_order_reordered_and_repeated_segments_give_the_stream() {
        let mut wire = Wire::new(&Limits::default());
        wire.send_all(&handshake());
        wire.send(&line(Side::A, ACK, 0, 0, b"hello "));
        wire.send(&line(Side::A, ACK, 12, 0, b"there"));
        wire.send(&line(Side::A, ACK, 0, 0, b"hello "));
        wire.send(&line(Side::A, ACK, 6, 0, b"world "));
        wire.send(&line(Side::A, ACK | FIN, 17, 0, b""));
        wire.send(&line(Side::B, ACK | FIN, 0, 18, b"bye"));
        assert_eq!(wire.stream(1, Side::A).bytes, b"hello world there");
        assert_eq!(wire.stream(1, Side::B).bytes, b"bye");
        assert_eq!(wire.upper.ends, [(1, TcpEnd::Fin { by: Side::A })]);
        wire.send(&line(Side::A, ACK, 18, 4, b""));
        assert_eq!(wire.upper.told.len(), 1, "the last ACK belongs to the same connection");
        wire.finish();
        assert_eq!(wire.upper.ends.len(), 1);
    }

    #[test]
    fn what_was_acknowledged_unseen_is_a_gap() {
        let mut wire = Wire::new(&Limits::default());
        wire.send_all(&handshake());
        wire.send(&line(Side::A, ACK, 0, 0, b"one"));
        wire.send(&line(Side::A, ACK, 6, 0, b"three"));
        wire.send(&line(Side::B, ACK, 0, 11, b""));
        assert_eq!(wire.stream(1, Side::A).bytes, b"one", "it may still come");
        wire.millis += 1000;
        wire.send(&line(Side::B, ACK, 0, 11, b"x"));
        assert_eq!(wire.stream(1, Side::A).bytes, b"one\0\0\0three");
        let gaps = &wire.stream(1, Side::A).gaps;
        assert_eq!(
            gaps.iter().map(|g| (g.offset, g.length, g.cause)).collect::<Vec<_>>(),
            [(3, 3, GapCause::Lost)]
        );
    }

    #[test]
    fn a_connection_is_small() {
        // A kilobyte for all floors together is the promise; this one takes about a third of it.
        let size = size_of::<Option<Slot<()>>>();
        assert!(size <= 296, "{size} bytes");
    }

    #[test]
    fn a_flood_of_syns_evicts_only_syns() {
        let limits = Limits {
            flows: 100,
            ..Limits::default()
        };
        let mut wire = Wire::new(&limits);
        wire.send_all(&handshake());
        wire.send(&line(Side::A, ACK, 0, 0, b"hello"));
        for port in 2000..22_000 {
            wire.send(&crate::tcp::testing::Line {
                port,
                ..line(Side::A, SYN, -1, 0, b"")
            });
            assert!(wire.table.len() <= 100);
        }
        wire.send(&line(Side::A, ACK, 5, 0, b" again"));
        assert_eq!(wire.stream(1, Side::A).bytes, b"hello again");
        assert_eq!(wire.upper.told[&1].end, None);
        wire.finish();
    }
}
