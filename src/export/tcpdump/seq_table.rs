//! The first sequence numbers seen of each conversation, from which tcpdump's relative numbers count.

use std::collections::HashMap;

use foldhash::quality::RandomState;

/// Which numbers a conversation's two directions count from.
///
/// A conversation is a pair of addresses and ports in an order of its own: the lower port first, of equal ports the lower
/// address. Bounded: it remembers at least the [`SeqTable::KEPT`] conversations of each IP version used last.
#[derive(Debug)]
pub(super) struct SeqTable {
    v4: Generations<Conversation<4>>,
    v6: Generations<Conversation<16>>,
}

/// Two ends, the one that orders first as `low`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Conversation<const N: usize> {
    low: [u8; N],
    high: [u8; N],
    ports: u32,
}

/// Where the counting begins: `low` for bytes sent by the end that orders first, `high` for the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origins {
    pub(super) low: u32,
    pub(super) high: u32,
}

/// What the table says about a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Relative {
    /// The sequence number to print.
    pub(super) seq: u32,
    /// The acknowledgment number to print.
    pub(super) ack: u32,
    /// What to take off the numbers of a SACK block.
    pub(super) sack_origin: u32,
}

impl SeqTable {
    /// Conversations of one IP version that are surely remembered.
    const KEPT: usize = 1 << 19;

    pub(super) fn new() -> Self {
        Self {
            v4: Generations::new(Self::KEPT),
            v6: Generations::new(Self::KEPT),
        }
    }

    /// The numbers of a segment that has its ACK flag, over IPv4.
    pub(super) fn v4(&mut self, ends: Ends<4>, seq: u32, ack: u32, syn: bool) -> Relative {
        relative(&mut self.v4, ends, seq, ack, syn)
    }

    /// The numbers of a segment that has its ACK flag, over IPv6.
    pub(super) fn v6(&mut self, ends: Ends<16>, seq: u32, ack: u32, syn: bool) -> Relative {
        relative(&mut self.v6, ends, seq, ack, syn)
    }
}

/// Who sent a segment to whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends<const N: usize> {
    pub(super) source: [u8; N],
    pub(super) destination: [u8; N],
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
}

impl<const N: usize> Ends<N> {
    /// The conversation, and whether the segment's sender is its `high` end.
    fn order(&self) -> (Conversation<N>, bool) {
        let (sport, dport) = (self.source_port, self.destination_port);
        let reversed = sport > dport || (sport == dport && self.source > self.destination);
        let conversation = if reversed {
            Conversation {
                low: self.destination,
                high: self.source,
                ports: u32::from(dport) << 16 | u32::from(sport),
            }
        } else {
            Conversation {
                low: self.source,
                high: self.destination,
                ports: u32::from(sport) << 16 | u32::from(dport),
            }
        };
        (conversation, reversed)
    }
}

fn relative<const N: usize>(
    table: &mut Generations<Conversation<N>>,
    ends: Ends<N>,
    seq: u32,
    ack: u32,
    syn: bool,
) -> Relative {
    let (conversation, reversed) = ends.order();
    // The packet that opens a conversation keeps its own numbers; the ones after it count from there. What it acknowledges
    // is the byte after the other side's first one, hence the 1.
    let first = if reversed {
        Origins {
            low: ack.wrapping_sub(1),
            high: seq,
        }
    } else {
        Origins {
            low: seq,
            high: ack.wrapping_sub(1),
        }
    };
    let sack_of = |origins: Origins| if reversed { origins.low } else { origins.high };
    match table.get(&conversation) {
        Some(origins) if !syn => {
            let origins = *origins;
            let (own, other) = if reversed {
                (origins.high, origins.low)
            } else {
                (origins.low, origins.high)
            };
            Relative {
                seq: seq.wrapping_sub(own),
                ack: ack.wrapping_sub(other),
                sack_origin: sack_of(origins),
            }
        }
        known => {
            match known {
                Some(origins) => *origins = first,
                None => table.insert(conversation, first),
            }
            Relative {
                seq,
                ack,
                sack_origin: sack_of(first),
            }
        }
    }
}

/// A map that forgets what was not used for long: two halves, and when the young one is full the old one is dropped.
#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, Origins, RandomState>,
    old: HashMap<K, Origins, RandomState>,
    kept: usize,
}

impl<K: Eq + std::hash::Hash + Copy> Generations<K> {
    fn new(kept: usize) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            kept,
        }
    }

    fn get(&mut self, key: &K) -> Option<&mut Origins> {
        if !self.old.is_empty() && !self.young.contains_key(key) {
            let origins = self.old.remove(key)?;
            self.insert(*key, origins);
        }
        self.young.get_mut(key)
    }

    fn insert(&mut self, key: K, origins: Origins) {
        if self.young.len() >= self.kept {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, origins);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(from: u8, sport: u16, to: u8, dport: u16) -> Ends<4> {
        Ends {
            source: [10, 0, 0, from],
            destination: [10, 0, 0, to],
            source_port: sport,
            destination_port: dport,
        }
    }

    #[test]
    fn both_directions_count_from_the_first_packet_with_an_ack() {
        let mut table = SeqTable::new();
        let synack = table.v4(ends(2, 7272, 1, 60000), 500, 1001, true);
        assert_eq!((synack.seq, synack.ack), (500, 1001));
        let ack = table.v4(ends(1, 60000, 2, 7272), 1001, 501, false);
        assert_eq!((ack.seq, ack.ack), (1, 1));
    }

    #[test]
    fn equal_ports_are_told_apart_by_address() {
        let mut table = SeqTable::new();
        table.v4(ends(2, 7000, 1, 7000), 500, 1001, false);
        let back = table.v4(ends(1, 7000, 2, 7000), 1005, 510, false);
        assert_eq!((back.seq, back.ack), (5, 10));
    }

    #[test]
    fn what_is_not_used_is_forgotten_and_what_is_used_stays() {
        let mut map = Generations::new(10);
        let origins = Origins { low: 1, high: 2 };
        for key in 0..1000u32 {
            map.insert(key, origins);
            assert!(map.get(&0).is_some(), "0 is used after each insertion ({key})");
        }
        assert!(map.young.len() + map.old.len() <= 20);
        assert!(map.get(&500).is_none());
        assert!(map.get(&999).is_some());
    }
}
