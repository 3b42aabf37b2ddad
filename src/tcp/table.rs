//! All connections: which one a segment belongs to, and how many are kept.

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use crate::base::{Endpoint, Limits, PacketRef, Timestamp};
use crate::bounded::{Account, Budget, LruList, Victim};
use crate::tcp::belonging::Belongs;
use crate::tcp::clock::Clock;
use crate::tcp::flow::{Class, Context, Flow};
use crate::tcp::half::LONG_PATIENCE_NANOS;
use crate::tcp::recent::Recents;
use crate::tcp::{Connection, StreamHandler, TcpEnd};
use crate::wire::Segment;

/// A connection that has begun and not got beyond its handshake is given up after this silence: SYNs are sent again for
/// about two minutes (RFC 9293 §3.8.3 asks for at least three, hardly anybody does).
const HALF_OPEN_NANOS: i64 = 180_000_000_000;

/// A connection that is over is kept so long, for late segments: TIME-WAIT as most systems have it (RFC 9293 §3.6.1).
const CLOSED_NANOS: i64 = 60_000_000_000;

/// How many connections that are over are kept.
const CLOSED_FLOWS: usize = 4096;

/// A connection counts as used anew at most that often, so that a packet seldom touches other connections' memory.
const REFRESH_NANOS: i64 = 1_000_000_000;

/// Who has been silent for too long is looked for at most that often.
const SILENCE_NANOS: i64 = 10_000_000;

/// The connections of a capture.
///
/// Everything done for a segment takes constant time, whatever the number of connections: what is to be given up is at
/// the head of a list.
#[derive(Debug)]
pub struct Table<U> {
    /// Slots by the hash of their endpoints.
    map: HashTable<u32>,
    hasher: RandomState,
    slots: Vec<Option<Slot<U>>>,
    free: Vec<u32>,
    /// The slots of each [`Class`], the longest silent first.
    ages: LruList<4>,
    budget: Budget,
    /// What is kept elsewhere, as the owner says.
    other_bytes: usize,
    recents: Recents,
    /// How many connections there have been.
    numbers: u64,
    clock: Clock,
    /// The time of the current segment, as far as it is to be believed.
    time: Timestamp,
    /// When who is silent has been looked for, in [`Clock::elapsed`].
    looked: i64,
    limits: Limits,
}

#[derive(Debug)]
struct Slot<U> {
    flow: Flow<U>,
    hash: u64,
    /// When it was put at the end of its list, in [`Clock::elapsed`], and of which.
    listed: i64,
    class: Class,
    account: Account,
}

impl<U: Default> Table<U> {
    /// What one more connection costs, with its places in the map and the lists.
    const SLOT_BYTES: usize = size_of::<Option<Slot<U>>>() + 64;

    /// A table that keeps to [`Limits::flows`], [`Limits::waiting_bytes`], [`Limits::memory_bytes`] and
    /// [`Limits::idle_seconds`].
    pub fn new(limits: &Limits) -> Self {
        Self {
            map: HashTable::new(),
            hasher: RandomState::default(),
            slots: Vec::new(),
            free: Vec::new(),
            ages: LruList::new(),
            budget: Budget::new(limits.memory_bytes),
            other_bytes: 0,
            recents: Recents::new(limits.recent_total()),
            numbers: 0,
            clock: Clock::new(),
            time: Timestamp::default(),
            looked: 0,
            limits: Limits {
                // Those that wait for their turn must not leave the others no room.
                flows: limits
                    .flows
                    .clamp(1, (limits.memory_bytes / 2 / Self::SLOT_BYTES).max(1)),
                ..*limits
            },
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

    /// Bytes of memory that are kept for all connections, in the table, by those who read the streams
    /// ([`StreamHandler::cost`]) and elsewhere ([`Table::set_other_bytes`]).
    pub fn memory(&self) -> usize {
        self.budget.total()
    }

    /// The part of it that single connections hold.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.budget.entries()
    }

    /// So many bytes of memory are kept elsewhere and count in [`Limits::memory_bytes`]: fragments of datagrams, pools that
    /// connections share. To be called before [`Table::segment`] whenever it may have changed.
    #[inline]
    pub fn set_other_bytes(&mut self, bytes: usize) {
        self.other_bytes = bytes;
    }

    /// Reads a segment: tells `upper` what it does, then what it brings, then of the connections that it has ended
    /// (its own, or others that had to go).
    #[inline]
    pub fn segment<P: StreamHandler<State = U>>(&mut self, segment: &Segment<'_>, at: PacketRef, upper: &mut P) {
        self.time = self.clock.see(at.time);
        let hash = self.hash(segment);
        let found = self.map.find(hash, |&slot| {
            let entry = self.slots.get(slot as usize).and_then(Option::as_ref);
            entry.is_some_and(|entry| entry.hash == hash && is_between(&entry.flow.connection.endpoints, segment))
        });
        let index = match found.copied() {
            Some(index) => self.known(index, segment, at, upper),
            None => {
                let flow = self.begin(segment);
                let index = self.insert(flow, hash);
                self.read(index, segment, at, upper);
                index
            }
        };
        let shared = self.slots.len() * Self::SLOT_BYTES + self.recents.cost();
        self.budget.set_others(shared + self.other_bytes);
        if self.budget.is_exceeded() || self.len() > self.limits.flows {
            self.make_room(index, at, upper);
        }
        let crowded = self.ages.len(Class::Closed as usize) > CLOSED_FLOWS;
        if self.clock.elapsed() - self.looked >= SILENCE_NANOS || crowded {
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
                entry.flow.forget(TcpEnd::CaptureEnd, at, upper);
            }
        }
        *self = Self {
            numbers: self.numbers,
            ..Self::new(&self.limits)
        };
    }

    /// Calls `with` for each connection and what is kept for it.
    pub fn each(&mut self, mut with: impl FnMut(&Connection, &mut U)) {
        for entry in self.slots.iter_mut().flatten() {
            entry.flow.with_state(&mut with);
        }
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

    fn begin(&mut self, segment: &Segment<'_>) -> Flow<U> {
        self.numbers += 1;
        Flow::new(self.numbers, segment)
    }

    fn insert(&mut self, flow: Flow<U>, hash: u64) -> u32 {
        let entry = Some(Slot {
            flow,
            hash,
            listed: self.clock.elapsed(),
            class: Class::HalfOpen,
            account: Account::default(),
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
        self.ages.push(index, Class::HalfOpen as usize);
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
                let mut flow = self.begin(segment);
                if let Belongs::ToTheDoubtful(syn) = other {
                    flow = flow.with_syn(syn, side);
                }
                let index = self.insert(flow, hash);
                self.read(index, segment, at, upper);
                if let Some(mut old) = old {
                    old.flow.forget(TcpEnd::Reused, at, upper);
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
        let mut cx = Context {
            at,
            in_order: self.clock.in_order(),
            limit: self.limits.waiting_bytes,
            recents: &mut self.recents,
            upper,
        };
        entry.flow.segment(segment, side, self.time, &mut cx);
        let now = self.clock.elapsed();
        entry.flow.last = now;
        let class = entry.flow.class();
        let refresh = entry.class != class || now - entry.listed > REFRESH_NANOS;
        if refresh {
            (entry.listed, entry.class) = (now, class);
            self.ages.push(index, class as usize);
        }
        let cost = entry.flow.cost() + P::cost(&entry.flow.upper);
        let is_proven = class != Class::Closed && P::is_proven(&entry.flow.upper);
        self.budget.update(index, &mut entry.account, cost, is_proven, refresh);
    }

    fn remove(&mut self, index: u32) -> Option<Slot<U>> {
        let mut entry = self.slots.get_mut(index as usize)?.take()?;
        self.recents.release(&mut entry.flow.recent);
        if let Ok(place) = self.map.find_entry(entry.hash, |&slot| slot == index) {
            place.remove();
        }
        self.free.push(index);
        self.ages.remove(index);
        self.budget.remove(index, entry.account);
        Some(entry)
    }

    /// A bound has been exceeded: something must go, but not the connection that has just begun.
    #[cold]
    fn make_room<P: StreamHandler<State = U>>(&mut self, current: u32, at: PacketRef, upper: &mut P) {
        while self.len() > self.limits.flows {
            let Some(index) = self.budget.least(current).or_else(|| self.longest_silent(current)) else {
                break;
            };
            self.evict(index, at, upper);
        }
        while self.budget.is_exceeded() {
            match self.budget.victim() {
                Victim::Evict(index) => self.evict(index, at, upper),
                Victim::Shed(index) => self.shed(index, at, upper),
                Victim::LongestSilent => match self.longest_silent(current) {
                    Some(index) => self.evict(index, at, upper),
                    None => break,
                },
            }
        }
    }

    /// The connection that has been silent for longest, but for `current`.
    fn longest_silent(&self, current: u32) -> Option<u32> {
        let classes = [Class::HalfOpen, Class::Closed, Class::Closing, Class::Established];
        let oldest = classes.map(|class| self.ages.oldest(class as usize));
        oldest.into_iter().flatten().find(|&index| index != current)
    }

    fn evict<P: StreamHandler<State = U>>(&mut self, index: u32, at: PacketRef, upper: &mut P) {
        if let Some(mut entry) = self.remove(index) {
            entry.flow.forget(TcpEnd::Evicted, at, upper);
        }
    }

    fn shed<P: StreamHandler<State = U>>(&mut self, index: u32, at: PacketRef, upper: &mut P) {
        let Some(Some(entry)) = self.slots.get_mut(index as usize) else {
            return;
        };
        entry.flow.shed(&mut Context {
            at,
            in_order: self.clock.in_order(),
            limit: self.limits.waiting_bytes,
            recents: &mut self.recents,
            upper,
        });
        let cost = entry.flow.cost() + P::cost(&entry.flow.upper);
        self.budget.has_shed(index, &mut entry.account, cost);
    }

    /// Gives up who has been silent for too long.
    #[cold]
    fn give_up_silent<P: StreamHandler<State = U>>(&mut self, at: PacketRef, upper: &mut P) {
        let now = self.clock.elapsed();
        self.looked = now;
        let idle = i64::from(self.limits.idle_seconds) * 1_000_000_000;
        while let Some(index) = self.ages.oldest(Class::Closing as usize) {
            let Some(Some(entry)) = self.slots.get_mut(index as usize) else {
                break;
            };
            if now - entry.listed < LONG_PATIENCE_NANOS {
                break;
            }
            entry.flow.close(at, upper);
            (entry.listed, entry.class) = (now, Class::Closed);
            self.ages.push(index, Class::Closed as usize);
            let cost = entry.flow.cost() + P::cost(&entry.flow.upper);
            self.budget.update(index, &mut entry.account, cost, false, true);
        }
        for (class, longest) in [
            (Class::HalfOpen, idle.min(HALF_OPEN_NANOS)),
            (Class::Closed, idle.min(CLOSED_NANOS)),
            (Class::Established, idle),
        ] {
            while let Some(index) = self.ages.oldest(class as usize) {
                let Some(Some(entry)) = self.slots.get(index as usize) else {
                    break;
                };
                let crowded = class == Class::Closed && self.ages.len(class as usize) > CLOSED_FLOWS;
                if now - entry.flow.last <= longest && !crowded {
                    break;
                }
                if let Some(mut entry) = self.remove(index) {
                    entry.flow.forget(TcpEnd::Idle, at, upper);
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
        // A quiet connection takes at most a kilobyte in all layers; TCP's part is less than half of it.
        let size = size_of::<Option<Slot<()>>>();
        assert!(size <= 496, "{size} bytes");
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
