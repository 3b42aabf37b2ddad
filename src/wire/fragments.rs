//! Putting IP fragments together (RFC 791 §3.2, RFC 8200 §4.5): in any order, what came first wins where they overlap,
//! bounded in bytes and in packet time. Fragments that came a way of another length are put together on their own: somebody else
//! may have sent them, and they may have reached nobody.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

use foldhash::quality::RandomState;

use crate::base::{Captured, Limits, Timestamp};
use crate::wire::TTL_CHANGE;
use crate::wire::ip::{Fragment, Ip};

/// No datagram is longer (RFC 791 §3.1; an IPv6 one that came in fragments neither).
const LONGEST: usize = 65_535;

/// What a datagram costs beside its bytes: map entries, vectors.
const OVERHEAD: usize = 320;

/// What a range costs beside its bytes.
const RANGE_OVERHEAD: usize = 16;

/// So many datagrams that became whole are kept, and for so long, to be compared with fragments that still come. Later the same
/// identification may be that of another datagram.
const RECENT: usize = 16;
const RECENT_NANOS: i64 = 1_000_000_000;

/// Datagrams that are not whole yet, and the last ones that became whole.
#[derive(Debug)]
pub(super) struct Fragments {
    /// Of one key there is one for each way that fragments came.
    incomplete: HashMap<Key, Vec<Datagram>, RandomState>,
    /// The keys of `incomplete` by age.
    by_age: BTreeMap<u64, Key>,
    next_age: u64,
    /// Those that became whole, the last one at the end.
    recent: VecDeque<(Key, Datagram)>,
    /// What all of them cost.
    bytes: usize,
    limit_bytes: usize,
    limit_nanos: i64,
    /// How many had to be given up.
    given_up: u64,
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
struct Datagram {
    age: u64,
    /// When its first fragment came; of a whole one, when its last did.
    since: Timestamp,
    /// The time to live of the fragment that came first.
    ttl: u8,
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
    /// A fragment held other bytes than those that had come, or another length.
    differs: bool,
    /// The packets that brought them.
    packets: Vec<u64>,
    cost: usize,
}

/// A datagram that has become whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) protocol: u8,
    pub(super) ttl: u8,
    pub(super) payload: Captured<'a>,
    /// The packets that brought its fragments.
    pub(super) packets: &'a [u64],
    /// Some of its fragments held different bytes.
    pub(super) differs: bool,
}

impl Fragments {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            incomplete: HashMap::default(),
            by_age: BTreeMap::new(),
            next_age: 0,
            recent: VecDeque::new(),
            bytes: 0,
            limit_bytes: limits.fragment_bytes,
            limit_nanos: i64::from(limits.fragment_seconds) * 1_000_000_000,
            given_up: 0,
        }
    }

    /// How many datagrams have begun and not become whole, those included that had to be given up.
    pub(super) fn incomplete(&self) -> u64 {
        self.given_up + self.by_age.len() as u64
    }

    /// Takes a fragment in; the datagram, if it is whole now. One that was whole comes again, once, with a fragment that differs from it.
    pub(super) fn add(&mut self, ip: &Ip, payload: Captured<'_>, packet: u64, time: Timestamp) -> Option<Whole<'_>> {
        let fragment = ip.fragment?;
        self.forget_old(time);
        let key = Key {
            source: ip.source,
            destination: ip.destination,
            protocol: if ip.id.is_some() { ip.protocol } else { 0 },
            id: fragment.id,
        };
        let mut of_key = self.recent.iter().filter(|(of, _)| *of == key);
        let mut differs = of_key.any(|(_, datagram)| datagram.disagrees(fragment, payload));
        let ways = self.incomplete.entry(key).or_insert_with(|| Vec::with_capacity(1));
        for other in ways.iter_mut().filter(|datagram| !datagram.came_like(ip)) {
            let disagrees = other.disagrees(fragment, payload);
            other.differs |= disagrees;
            differs |= disagrees;
        }
        let index = ways
            .iter()
            .position(|datagram| datagram.came_like(ip))
            .unwrap_or_else(|| {
                self.next_age += 1;
                self.by_age.insert(self.next_age, key);
                self.bytes += OVERHEAD;
                ways.push(Datagram::new(self.next_age, time, ip));
                ways.len() - 1
            });
        let datagram = &mut ways[index];
        let before = datagram.cost;
        datagram.packets.push(packet);
        datagram.differs |= differs;
        datagram.add(ip.protocol, fragment, payload);
        datagram.recount();
        self.bytes += datagram.cost - before;
        if datagram.is_whole() {
            let age = datagram.age;
            let mut datagram = self.remove(key, age)?;
            datagram.since = time;
            self.bytes += OVERHEAD + datagram.cost;
            self.recent.push_back((key, datagram));
            return Some(self.recent.back()?.1.whole());
        }
        while self.bytes > self.limit_bytes && (self.forget_recent() || self.forget_oldest()) {}
        let untold = |(of, datagram): &&mut (Key, Datagram)| {
            *of == key && !datagram.differs && datagram.disagrees(fragment, payload)
        };
        let (_, datagram) = self.recent.iter_mut().find(untold)?;
        datagram.differs = true;
        datagram.packets.push(packet);
        Some(datagram.whole())
    }

    /// What is kept of all datagrams costs so many bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some((_, datagram)) = self.recent.front()
            && (self.recent.len() > RECENT || now.since(datagram.since) > RECENT_NANOS || self.bytes > self.limit_bytes)
        {
            self.forget_recent();
        }
        while let Some((age, key)) = self.by_age.first_key_value() {
            let ways = self.incomplete.get(key).map_or(&[][..], Vec::as_slice);
            let oldest = ways.iter().find(|datagram| datagram.age == *age);
            if oldest.is_some_and(|datagram| now.since(datagram.since) <= self.limit_nanos) {
                return;
            }
            self.forget_oldest();
        }
    }

    fn forget_recent(&mut self) -> bool {
        let forgotten = self.recent.pop_front();
        self.bytes -= forgotten.as_ref().map_or(0, |(_, datagram)| OVERHEAD + datagram.cost);
        forgotten.is_some()
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((&age, &key)) = self.by_age.first_key_value() else {
            return false;
        };
        self.given_up += 1;
        self.remove(key, age).is_some()
    }

    /// Takes an incomplete datagram out.
    fn remove(&mut self, key: Key, age: u64) -> Option<Datagram> {
        self.by_age.remove(&age);
        let ways = self.incomplete.get_mut(&key)?;
        let index = ways.iter().position(|datagram| datagram.age == age)?;
        let datagram = ways.swap_remove(index);
        if ways.is_empty() {
            self.incomplete.remove(&key);
        }
        self.bytes -= OVERHEAD + datagram.cost;
        Some(datagram)
    }
}

impl Datagram {
    fn new(age: u64, since: Timestamp, ip: &Ip) -> Self {
        Self {
            age,
            since,
            ttl: ip.ttl,
            has_first: false,
            protocol: ip.protocol,
            total: None,
            data: Vec::new(),
            ranges: Vec::new(),
            captured: usize::MAX,
            differs: false,
            packets: Vec::new(),
            cost: 0,
        }
    }

    /// Whether the fragment of `ip` came by as many routers as the first one, more or less.
    fn came_like(&self, ip: &Ip) -> bool {
        self.ttl.abs_diff(ip.ttl) <= TTL_CHANGE
    }

    /// What it is, when it is whole.
    fn whole(&self) -> Whole<'_> {
        let captured = &self.data[..self.data.len().min(self.captured)];
        Whole {
            protocol: self.protocol,
            ttl: self.ttl,
            payload: Captured::new(captured, self.total.unwrap_or_default()),
            packets: &self.packets,
            differs: self.differs,
        }
    }

    fn add(&mut self, protocol: u8, fragment: Fragment, payload: Captured<'_>) {
        let start = fragment.offset;
        let end = start + payload.wire_len;
        // What contradicts the length that another fragment has told, or exceeds what IP can carry, is no part of it.
        let contradicts = self.has_other_length(end, fragment.more);
        self.differs |= contradicts;
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

    /// Whether a fragment that ends at `end` contradicts the length that others have told.
    fn has_other_length(&self, end: usize, more: bool) -> bool {
        let known_end = self.ranges.last().map_or(0, |range| range.1);
        match (self.total, more) {
            (Some(total), true) => end > total,
            (Some(total), false) => end != total,
            (None, true) => false,
            (None, false) => end < known_end,
        }
    }

    /// Whether a fragment has other bytes than those that have come, or another length.
    fn disagrees(&self, fragment: Fragment, payload: Captured<'_>) -> bool {
        self.has_other_length(fragment.offset + payload.wire_len, fragment.more)
            || self.contradicted_by(fragment.offset, payload.bytes)
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
        assert_eq!((fragments.incomplete(), fragments.by_age.len()), (0, 0));
    }

    #[test]
    fn whether_bytes_differ_is_seen_whichever_of_many_ranges_they_overlap() {
        for differs_at in [None, Some(0), Some(500), Some(999)] {
            let first = Fragment {
                id: 1,
                offset: 0,
                more: true,
            };
            let mut datagram = Datagram::new(1, Timestamp::default(), &ip(first));
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

    /// What becomes whole with the last of these `(ttl, offset, more, bytes)`, and whether some differed.
    fn whole(fragments: &mut Fragments, parts: &[(u8, usize, bool, &[u8])], seconds: i64) -> Option<(Vec<u8>, bool)> {
        let mut last = None;
        for &(ttl, offset, more, bytes) in parts {
            let ip = Ip {
                ttl,
                ..ip(Fragment { id: 1, offset, more })
            };
            let time = Timestamp::from_parts(seconds, 0);
            let whole = fragments.add(&ip, Captured::whole(bytes), 1, time);
            last = whole.map(|whole| (whole.payload.bytes.to_vec(), whole.differs));
        }
        last
    }

    #[test]
    fn fragments_that_came_another_way_are_no_part_of_a_datagram_but_are_told_when_they_differ() {
        let good: [(u8, usize, bool, &[u8]); 2] = [(64, 0, true, b"goodgood"), (62, 8, false, b"good")];
        let forged: [(u8, usize, bool, &[u8]); 3] =
            [(1, 8, false, b"evil"), (1, 8, false, b"e"), (1, 0, true, b"evilevil")];
        for forged in forged {
            let parts = [&[forged], &good[..]].concat();
            let found = whole(&mut Fragments::new(&Limits::default()), &parts, 0);
            assert_eq!(found, Some((b"goodgoodgood".to_vec(), true)), "{forged:?}");
        }
        let same = [(1, 8, false, &b"good"[..]), good[0], good[1]];
        let found = whole(&mut Fragments::new(&Limits::default()), &same, 0);
        assert_eq!(found, Some((b"goodgoodgood".to_vec(), false)));
    }

    #[test]
    fn a_datagram_comes_again_once_when_a_fragment_differs_that_comes_just_behind_it() {
        let parts: [(u8, usize, bool, &[u8]); 2] = [(64, 8, false, b"evil"), (64, 0, true, b"goodgood")];
        let other: [(u8, usize, bool, &[u8]); 3] = [
            (64, 8, false, b"good"),
            (64, 8, false, b"goodgood"),
            (64, 8, true, b"goodgood"),
        ];
        for other in other {
            let mut fragments = Fragments::new(&Limits::default());
            let first = whole(&mut fragments, &parts, 0);
            assert_eq!(first, Some((b"goodgoodevil".to_vec(), false)));
            let again = whole(&mut fragments, &[other], 0);
            assert_eq!(again, Some((b"goodgoodevil".to_vec(), true)), "{other:?}");
            assert_eq!(whole(&mut fragments, &[other], 0), None, "{other:?}");
        }
        let mut fragments = Fragments::new(&Limits::default());
        whole(&mut fragments, &parts, 0);
        assert_eq!(whole(&mut fragments, &parts[..1], 0), None, "the same bytes");
        assert_eq!(whole(&mut fragments, &other[..1], 2), None, "another datagram");
    }

    #[test]
    fn the_datagrams_that_became_whole_last_are_bounded() {
        let mut fragments = Fragments::new(&Limits::default());
        for id in 0..1000 {
            assert!(add(&mut fragments, id, 0, false, &[0; 800], 0).is_some());
            assert!(fragments.recent.len() <= RECENT + 1);
        }
        add(&mut fragments, 1, 0, true, &[0; 8], 2);
        assert!(fragments.recent.is_empty() && fragments.bytes() < 1000);
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
                // The last one that became whole is kept until the next fragment comes.
                let last = fragments.recent.back().map_or(0, |(_, datagram)| OVERHEAD + datagram.cost);
                prop_assert!(fragments.bytes() <= limits.fragment_bytes + last);
            }
        }
    }
}
