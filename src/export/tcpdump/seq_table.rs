//! The first sequence numbers seen of each conversation, from which tcpdump's relative numbers count.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use crate::base::Endpoint;

/// Which numbers a conversation's two directions count from.
///
/// Two maps, so that what is not used for long is forgotten: when the young one is full, the old one is dropped.
#[derive(Debug)]
pub(super) struct SeqTable {
    young: HashMap<Conversation, Origins, RandomState>,
    old: HashMap<Conversation, Origins, RandomState>,
    /// How many conversations one of them holds.
    most: usize,
}

/// Its two ends: the lower port first, of equal ports the lower address.
type Conversation = [Endpoint; 2];

/// Where the counting begins, for bytes that each of the ends sends.
type Origins = [u32; 2];

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
    /// What a place in a map takes: a conversation, its numbers, and a byte of the map's own.
    const PLACE_BYTES: usize = size_of::<(Conversation, Origins)>() + 1;

    /// No conversation is known yet; all together take at most `memory_bytes`.
    pub(super) fn new(memory_bytes: usize) -> Self {
        let places = (memory_bytes / 2 / Self::PLACE_BYTES).max(8);
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            // A map has a power of two of places, and doubles them when seven of eight are taken.
            most: (1 << places.ilog2()) / 8 * 7,
        }
    }

    /// The numbers of a segment that has its ACK flag.
    pub(super) fn relative(
        &mut self,
        source: Endpoint,
        destination: Endpoint,
        seq: u32,
        ack: u32,
        syn: bool,
    ) -> Relative {
        let reversed = (source.port, source.addr) > (destination.port, destination.addr);
        let (own, other) = (usize::from(reversed), usize::from(!reversed));
        let mut conversation = [source; 2];
        conversation[other] = destination;
        if let Some(origins) = self.get(&conversation)
            && !syn
        {
            return Relative {
                seq: seq.wrapping_sub(origins[own]),
                ack: ack.wrapping_sub(origins[other]),
                sack_origin: origins[other],
            };
        }
        // The packet that opens a conversation keeps its own numbers; the ones after it count from there. What it acknowledges
        // is the byte after the other side's first one, hence the 1.
        let mut origins = [seq; 2];
        origins[other] = ack.wrapping_sub(1);
        self.insert(conversation, origins);
        Relative {
            seq,
            ack,
            sack_origin: origins[other],
        }
    }

    fn get(&mut self, conversation: &Conversation) -> Option<Origins> {
        if !self.old.is_empty() && !self.young.contains_key(conversation) {
            let origins = self.old.remove(conversation)?;
            self.insert(*conversation, origins);
        }
        self.young.get(conversation).copied()
    }

    fn insert(&mut self, conversation: Conversation, origins: Origins) {
        if self.young.len() >= self.most {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(conversation, origins);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn end(host: u8, port: u16) -> Endpoint {
        Endpoint::new(Ipv4Addr::new(10, 0, 0, host).into(), port)
    }

    #[test]
    fn both_directions_count_from_the_first_packet_with_an_ack() {
        let mut table = SeqTable::new(1 << 20);
        let synack = table.relative(end(2, 7272), end(1, 60000), 500, 1001, true);
        assert_eq!((synack.seq, synack.ack), (500, 1001));
        let ack = table.relative(end(1, 60000), end(2, 7272), 1001, 501, false);
        assert_eq!((ack.seq, ack.ack), (1, 1));
    }

    #[test]
    fn equal_ports_are_told_apart_by_address() {
        let mut table = SeqTable::new(1 << 20);
        table.relative(end(2, 7000), end(1, 7000), 500, 1001, false);
        let back = table.relative(end(1, 7000), end(2, 7000), 1005, 510, false);
        assert_eq!((back.seq, back.ack), (5, 10));
    }

    #[test]
    fn what_is_not_used_is_forgotten_within_the_bound_and_what_is_used_stays() {
        let bound = 10_000;
        let mut table = SeqTable::new(bound);
        let mut use_of = |port: u16| table.relative(end(1, 1), end(2, port), 500, 7, false).seq;
        for port in 2..10_000 {
            use_of(port);
            assert!(port == 2 || use_of(2) == 0, "2 is used after each other one ({port})");
        }
        assert_eq!(use_of(5000), 500);
        assert_eq!(use_of(9999), 0);
        let places = table.young.capacity() + table.old.capacity();
        assert!(places * 8 / 7 * SeqTable::PLACE_BYTES <= bound);
    }
}
