//! The heads that are kept: begun ones, and requests that wait for their response. All connections share the room, and
//! the oldest head gives way, so that whoever sends heads without end takes no room from those who finish theirs.

use std::collections::BTreeMap;

use crate::base::Limits;

/// What a head costs beside its bytes: its share of the map's node and of the allocator.
const OVERHEAD: usize = 96;

/// The bytes of all heads that cannot be done with yet.
#[derive(Debug, Default)]
pub struct HeadStore {
    kept: BTreeMap<u64, Vec<u8>>,
    last: u64,
    /// What all of them cost, in bytes of memory.
    cost: usize,
    /// What they may cost.
    room: usize,
    /// Bytes of one head at most.
    pub(super) head_bytes: usize,
}

/// One of the heads that are kept; it may have given way.
#[derive(Debug)]
pub(super) struct Kept(u64);

impl HeadStore {
    /// No heads, in an eighth of [`Limits::memory_bytes`]; each of at most [`Limits::head_bytes`].
    pub fn new(limits: &Limits) -> Self {
        Self {
            room: limits.head_total(),
            head_bytes: limits.head_bytes,
            ..Self::default()
        }
    }

    /// What they cost, in bytes of memory.
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// Keeps `bytes`.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Kept {
        self.last += 1;
        self.put(self.last, bytes.to_vec());
        Kept(self.last)
    }

    /// That head goes on with `bytes`. `None` when it has given way, or does now.
    pub(super) fn append(&mut self, kept: &Kept, bytes: &[u8]) -> Option<&[u8]> {
        let mut head = self.take(kept)?;
        head.extend_from_slice(bytes);
        self.put(kept.0, head);
        self.kept.get(&kept.0).map(Vec::as_slice)
    }

    /// How many bytes there are of that head; none when it has given way.
    pub(super) fn length(&self, kept: &Kept) -> usize {
        self.kept.get(&kept.0).map_or(0, Vec::len)
    }

    /// Takes that head out, unless it has given way.
    pub(super) fn take(&mut self, kept: &Kept) -> Option<Vec<u8>> {
        let head = self.kept.remove(&kept.0)?;
        self.cost -= OVERHEAD + head.capacity();
        Some(head)
    }

    fn put(&mut self, number: u64, head: Vec<u8>) {
        self.cost += OVERHEAD + head.capacity();
        self.kept.insert(number, head);
        while self.cost > self.room
            && let Some((_, oldest)) = self.kept.pop_first()
        {
            self.cost -= OVERHEAD + oldest.capacity();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(room: usize) -> HeadStore {
        HeadStore::new(&Limits {
            memory_bytes: 8 * room,
            ..Limits::default()
        })
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut heads = heads(3 * (OVERHEAD + 100));
        let kept: Vec<_> = (0..4).map(|_| heads.keep(&[0; 100])).collect();
        let lengths: Vec<_> = kept.iter().map(|kept| heads.length(kept)).collect();
        assert_eq!(lengths, [0, 100, 100, 100]);
        assert!(heads.append(&kept[0], b"more").is_none());
    }

    #[test]
    fn what_is_taken_costs_nothing() {
        let mut heads = heads(1 << 20);
        let kept = heads.keep(b"GET");
        assert_eq!(heads.append(&kept, b" /"), Some(&b"GET /"[..]));
        assert_eq!(heads.take(&kept).as_deref(), Some(&b"GET /"[..]));
        assert_eq!((heads.cost(), heads.length(&kept)), (0, 0));
    }

    #[test]
    fn one_that_is_too_large_for_the_room_gives_way_itself() {
        let mut heads = heads(200);
        let kept = heads.keep(&[0; 50]);
        assert!(heads.append(&kept, &[0; 500]).is_none());
        assert_eq!(heads.cost(), 0);
    }
}
