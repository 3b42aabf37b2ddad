//! Putting IP fragments together (RFC 791 §3.2, RFC 8200 §4.5): in any order, what came first wins where they overlap,
//! bounded in bytes and in packet time.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use foldhash::quality::RandomState;

use crate::base::{Captured, Limits, Timestamp};
use crate::wire::ip::{Fragment, Ip};

/// No datagram is longer (RFC 791 §3.1; an IPv6 one that came in fragments neither).
const LONGEST: usize = 65_535;

/// What an incomplete datagram costs beside its bytes: map entries, vectors.
const OVERHEAD: usize = 256;

/// What a range costs beside its bytes.
const RANGE_OVERHEAD: usize = 16;

/// Datagrams that are not whole yet.
#[derive(Debug)]
pub(super) struct Fragments {
    incomplete: HashMap<Key, Incomplete, RandomState>,
    /// The keys of `incomplete` by age.
    by_age: BTreeMap<u64, Key>,
    next_age: u64,
    /// What all of them cost.
    bytes: usize,
    limit_bytes: usize,
    limit_nanos: i64,
    /// How many had to be given up.
    given_up: u64,
    /// The last datagram that became whole.
    whole: Vec<u8>,
    /// The packets that brought it.
    packets: Vec<u64>,
}

/// Which fragments belong together. An IPv4 identification counts per protocol, an IPv6 one does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    id: u32,
}

#[derive(Debug)]
struct Incomplete {
    age: u64,
    since: Timestamp,
    has_first: bool,
    /// What the first fragment (at offset 0) says is above.
    protocol: u8,
    /// Known once the last fragment has come.
    total: Option<usize>,
    data: Vec<u8>,
    /// What has come, on the wire: sorted, apart from each other.
    ranges: Vec<(usize, usize)>,
    /// From here on bytes may be missing because the fragment that held them was cut.
    captured: usize,
    /// A fragment held other bytes than those that had come.
    differs: bool,
    /// The packets that brought them.
    packets: Vec<u64>,
    cost: usize,
}

/// A datagram that has become whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) protocol: u8,
    pub(super) payload: Captured<'a>,
    /// The packets that brought its fragments.
    pub(super) packets: &'a [u64],
    /// Fragments that overlap held different bytes.
    pub(super) differs: bool,
}

impl Fragments {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            incomplete: HashMap::default(),
            by_age: BTreeMap::new(),
            next_age: 0,
            bytes: 0,
            limit_bytes: limits.fragment_bytes,
            limit_nanos: i64::from(limits.fragment_seconds) * 1_000_000_000,
            given_up: 0,
            whole: Vec::new(),
            packets: Vec::new(),
        }
    }

    /// How many datagrams have begun and not become whole, those included that had to be given up.
    pub(super) fn incomplete(&self) -> u64 {
        self.given_up + self.incomplete.len() as u64
    }

    /// Takes a fragment in; the datagram, if it is whole now.
    pub(super) fn add(&mut self, ip: &Ip, payload: Captured<'_>, packet: u64, time: Timestamp) -> Option<Whole<'_>> {
        let fragment = ip.fragment?;
        self.forget_old(time);
        let key = Key {
            source: ip.source,
            destination: ip.destination,
            protocol: if ip.id.is_some() { ip.protocol } else { 0 },
            id: fragment.id,
        };
        let entry = self.incomplete.entry(key).or_insert_with(|| {
            self.next_age += 1;
            self.by_age.insert(self.next_age, key);
            self.bytes += OVERHEAD;
            Incomplete::new(self.next_age, time, ip.protocol)
        });
        let before = entry.cost;
        entry.packets.push(packet);
        entry.add(ip.protocol, fragment, payload);
        entry.recount();
        self.bytes += entry.cost - before;
        if entry.is_whole() {
            let entry = self.incomplete.remove(&key)?;
            self.forgotten(&entry);
            let total = entry.total.unwrap_or_default();
            self.whole = entry.data;
            self.packets = entry.packets;
            return Some(Whole {
                protocol: entry.protocol,
                payload: Captured::new(&self.whole[..self.whole.len().min(entry.captured)], total),
                packets: &self.packets,
                differs: entry.differs,
            });
        }
        while self.bytes > self.limit_bytes && self.forget_oldest() {}
        None
    }

    /// What all incomplete datagrams cost, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.by_age.first_key_value() {
            let old = |entry: &Incomplete| now.since(entry.since) > self.limit_nanos;
            if !self.incomplete.get(key).is_none_or(old) {
                return;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((_, key)) = self.by_age.pop_first() else {
            return false;
        };
        if let Some(entry) = self.incomplete.remove(&key) {
            self.given_up += 1;
            self.forgotten(&entry);
        }
        true
    }

    fn forgotten(&mut self, entry: &Incomplete) {
        self.by_age.remove(&entry.age);
        self.bytes -= OVERHEAD + entry.cost;
    }
}

impl Incomplete {
    fn new(age: u64, since: Timestamp, protocol: u8) -> Self {
        Self {
            age,
            since,
            has_first: false,
            protocol,
            total: None,
            data: Vec::new(),
            ranges: Vec::new(),
            captured: usize::MAX,
            differs: false,
            packets: Vec::new(),
            cost: 0,
        }
    }

    fn add(&mut self, protocol: u8, fragment: Fragment, payload: Captured<'_>) {
        let start = fragment.offset;
        let end = start + payload.wire_len;
        // What contradicts the length that another fragment has told, or exceeds what IP can carry, is no part of it.
        let known_end = self.ranges.last().map_or(0, |range| range.1);
        let contradicts = match (self.total, fragment.more) {
            (Some(total), true) => end > total,
            (Some(total), false) => end != total,
            (None, true) => false,
            (None, false) => end < known_end,
        };
        if end > LONGEST || contradicts || (start == end && fragment.more) {
            return;
        }
        if !fragment.more {
            self.total = Some(end);
        }
        if start == 0 && !self.has_first {
            (self.has_first, self.protocol) = (true, protocol);
        }
        self.copy_new(start, end, payload.bytes);
    }

    fn recount(&mut self) {
        self.cost =
            self.data.capacity() + self.ranges.capacity() * RANGE_OVERHEAD + self.packets.capacity() * size_of::<u64>();
    }

    /// Copies those bytes of `start..end` that have not come yet, and marks the range as come.
    fn copy_new(&mut self, start: usize, end: usize, bytes: &[u8]) {
        self.differs |= self.contradicted_by(start, bytes);
        // The ranges that overlap or touch it.
        let from = self.ranges.partition_point(|range| range.1 < start);
        let to = from + self.ranges[from..].partition_point(|range| range.0 <= end);
        let mut at = start;
        for index in from..=to {
            // Between the ranges that had come before lies what is new.
            let until = if index < to { self.ranges[index].0 } else { end };
            if at < until {
                self.copy(at, until, bytes.get(at - start..).unwrap_or_default());
            }
            if index < to {
                at = at.max(self.ranges[index].1);
            }
        }
        let touched = &self.ranges[from..to];
        let joined = (
            touched.first().map_or(start, |range| range.0.min(start)),
            touched.last().map_or(end, |range| range.1.max(end)),
        );
        self.ranges.splice(from..to, [joined]);
    }

    /// Whether `bytes` at `start` differ from what had come for the same places.
    fn contradicted_by(&self, start: usize, bytes: &[u8]) -> bool {
        let end = (start + bytes.len()).min(self.captured);
        let first = self.ranges.partition_point(|range| range.1 <= start);
        let mut overlapping = self.ranges[first..].iter().take_while(|range| range.0 < end);
        overlapping.any(|&(from, to)| {
            let (from, to) = (from.max(start), to.min(end));
            from < to && self.data.get(from..to) != bytes.get(from - start..to - start)
        })
    }

    /// Copies `bytes`, as far as they reach, to `start..end`.
    fn copy(&mut self, start: usize, end: usize, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(end - start)];
        if bytes.len() < end - start {
            self.captured = self.captured.min(start + bytes.len());
        }
        if self.data.len() < start + bytes.len() {
            self.data.resize(start + bytes.len(), 0);
        }
        self.data[start..start + bytes.len()].copy_from_slice(bytes);
    }

    fn is_whole(&self) -> bool {
        self.total.is_some_and(|total| self.ranges.first() == Some(&(0, total)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn ip(fragment: Fragment) -> Ip {
        Ip {
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            destination: IpAddr::V4(Ipv4Addr::LOCALHOST),
            id: Some(7),
            ttl: 64,
            next: 6,
            header: 0,
            protocol: 6,
            at: 20,
            length: 0,
            fragment: Some(fragment),
        }
    }

    fn add(
        fragments: &mut Fragments,
        id: u32,
        offset: usize,
        more: bool,
        bytes: &[u8],
        seconds: i64,
    ) -> Option<Vec<u8>> {
        let fragment = Fragment { id, offset, more };
        fragments
            .add(
                &ip(fragment),
                Captured::whole(bytes),
                1,
                Timestamp::from_parts(seconds, 0),
            )
            .map(|whole| {
                assert_eq!(whole.payload.missing(), 0);
                whole.payload.bytes.to_vec()
            })
    }

    #[test]
    fn what_came_first_wins() {
        let mut fragments = Fragments::new(&Limits::default());
        assert_eq!(add(&mut fragments, 1, 8, true, b"BBBBBBBB", 0), None);
        assert_eq!(add(&mut fragments, 1, 0, true, b"aaaaaaaaaaaaaaaa", 0), None);
        assert_eq!(
            add(&mut fragments, 1, 8, false, b"ccccccccccc", 0).as_deref(),
            Some(&b"aaaaaaaaBBBBBBBBccc"[..])
        );
        assert_eq!(fragments.bytes(), 0);
    }

    #[test]
    fn whether_bytes_differ_is_seen_whichever_of_many_ranges_they_overlap() {
        for differs_at in [None, Some(0), Some(500), Some(999)] {
            let mut datagram = Incomplete::new(1, Timestamp::default(), 6);
            for at in 0..1000 {
                datagram.copy_new(at * 16, at * 16 + 8, b"abcdefgh");
            }
            let mut bytes = b"abcdefghABCDEFGH".repeat(1000);
            if let Some(at) = differs_at {
                bytes[at * 16 + 7] = b'x';
            }
            assert_eq!(datagram.contradicted_by(0, &bytes), differs_at.is_some());
            assert!(!datagram.contradicted_by(8, b"ABCDEFGH"), "nothing has come there");
        }
    }

    #[test]
    fn time_and_space_are_bounded() {
        let mut fragments = Fragments::new(&Limits::default());
        add(&mut fragments, 1, 0, true, b"aaaaaaaa", 0);
        assert_eq!(
            add(&mut fragments, 1, 8, false, b"b", 31),
            None,
            "half a minute is over"
        );
        for id in 0..100_000 {
            add(&mut fragments, id, 8, true, &[0; 800], 40);
            assert!(fragments.bytes() <= Limits::default().fragment_bytes);
        }
        assert!(fragments.incomplete.len() > 1000 && fragments.incomplete.len() == fragments.by_age.len());
        assert!(fragments.incomplete() >= 100_000);
    }

    #[test]
    fn a_cut_fragment_leaves_the_beginning() {
        let mut fragments = Fragments::new(&Limits::default());
        let cut = Captured::new(b"abcdef", 8);
        let first = Fragment {
            id: 1,
            offset: 0,
            more: true,
        };
        assert!(fragments.add(&ip(first), cut, 1, Timestamp::default()).is_none());
        let last = Fragment {
            id: 1,
            offset: 8,
            more: false,
        };
        let whole = fragments.add(&ip(last), Captured::whole(b"xyz"), 1, Timestamp::default());
        assert_eq!(whole.map(|w| w.payload), Some(Captured::new(b"abcdef", 11)));
    }

    proptest! {
        #[test]
        fn any_order_and_overlap_of_the_same_bytes_gives_them_back(
            length in 1usize..400,
            cuts in prop::collection::vec((0usize..50, 1usize..20), 0..20),
            order in any::<u64>(),
        ) {
            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            // The whole in eights, and some more parts that overlap it.
            let mut parts: Vec<(usize, usize)> = (0..length.div_ceil(8)).map(|i| (i * 8, (i * 8 + 8).min(length))).collect();
            parts.extend(cuts.iter().map(|&(at, eights)| (at * 8, (at + eights) * 8)).filter(|p| p.1 < length));
            let mut state = order | 1;
            parts.sort_by_cached_key(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 32
            });
            let mut fragments = Fragments::new(&Limits::default());
            let mut whole = Vec::new();
            for (start, end) in parts {
                let fragment = Fragment { id: 1, offset: start, more: end < length };
                if let Some(found) = fragments.add(&ip(fragment), Captured::whole(&bytes[start..end]), 1, Timestamp::default()) {
                    whole.push(found.payload.bytes.to_vec());
                }
            }
            // Parts that come again later may begin it anew and even make it whole again.
            prop_assert!(!whole.is_empty());
            for found in whole {
                prop_assert_eq!(&found, &bytes);
            }
        }

        #[test]
        fn garbage_stays_within_bounds(parts in prop::collection::vec((0u32..4, 0usize..8200, any::<bool>(), 0usize..2000, 0usize..2000), 0..200)) {
            let limits = Limits { fragment_bytes: 20_000, ..Limits::default() };
            let mut fragments = Fragments::new(&limits);
            let bytes = [0u8; 2000];
            for (id, eights, more, length, wire) in parts {
                let part = Captured::new(&bytes[..length], wire);
                let _ = fragments.add(&ip(Fragment { id, offset: eights * 8, more }), part, 1, Timestamp::default());
                prop_assert!(fragments.bytes() <= limits.fragment_bytes);
            }
        }
    }
}
