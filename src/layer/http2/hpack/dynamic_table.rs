//! The dynamic table (RFC 7541 §2.3.2, §4): the fields that a sender has named lately, newest first.

use std::collections::VecDeque;

/// What an entry costs beside its name and value (§4.1).
const OVERHEAD: u32 = 32;

/// The entries of one direction. When something is missing of what the sender has put into it, those that came before are unknown, and those that
/// come after still have the right index, as they are counted from the newest.
#[derive(Debug)]
pub(super) struct DynamicTable {
    /// Names and values, oldest first, each entry's value behind its name. What lies before the oldest entry's is of no use any more.
    text: Vec<u8>,
    /// Oldest first.
    entries: VecDeque<Entry>,
    /// By the RFC's measure.
    size: u32,
    /// What `size` may be: what the sender has chosen, or `limit`.
    max_size: u32,
    /// A table that its sender makes larger than this is kept only in part.
    limit: u32,
    /// Older entries than these may exist, and what they are is not known.
    older_unknown: bool,
}

/// An entry; `None` where the capture does not say it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    name: Option<u32>,
    value: Option<u32>,
}

/// A name and a value, each as far as it is known.
pub(super) type Pair<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

impl Entry {
    fn length(&self) -> u32 {
        self.name.unwrap_or(0) + self.value.unwrap_or(0)
    }

    /// Of an entry that is not known whole, the least that it can be. An entry that is kept longer than the sender keeps it does no harm: it is never
    /// referred to.
    fn size(&self) -> u32 {
        self.length() + OVERHEAD
    }
}

impl DynamicTable {
    /// An empty table, of which at most `limit` bytes are kept.
    pub(super) fn new(max_size: u32, limit: u32) -> Self {
        Self {
            text: Vec::new(),
            entries: VecDeque::new(),
            size: 0,
            max_size: max_size.min(limit),
            limit,
            older_unknown: max_size > limit,
        }
    }

    /// Nothing is known of it any more, its size included.
    pub(super) fn forget(&mut self) {
        *self = Self {
            older_unknown: true,
            ..Self::new(self.limit, self.limit)
        };
    }

    /// Whether everything in it is known.
    pub(super) fn is_known(&self) -> bool {
        !self.older_unknown
    }

    /// Entry number `index`, from 0, the newest. `None` when there is none.
    pub(super) fn get(&self, index: u32) -> Option<Pair<'_>> {
        let Some(place) = self.entries.len().checked_sub(1 + index as usize) else {
            return self.older_unknown.then_some((None, None));
        };
        let entry = self.entries.get(place)?;
        let name_end = entry.start + entry.name.unwrap_or(0);
        let text = |length: Option<u32>, start: u32| self.text.get(start as usize..(start + length?) as usize);
        Some((text(entry.name, entry.start), text(entry.value, name_end)))
    }

    /// Adds an entry, and evicts the oldest ones until it fits (§4.4).
    pub(super) fn insert(&mut self, (name, value): Pair<'_>) {
        if !self.has_room(name.map_or(0, <[u8]>::len), value) {
            return;
        }
        let start = self.text.len() as u32;
        self.text.extend_from_slice(name.unwrap_or_default());
        self.finish_insert(start, name.map(<[u8]>::len), value);
    }

    /// The same with the name of entry number `index`, which may be evicted by it.
    pub(super) fn insert_named_by(&mut self, index: u32, value: Option<&[u8]>) {
        let start = self.text.len() as u32;
        let place = self.entries.len().checked_sub(1 + index as usize);
        let named = place.and_then(|place| self.entries.get(place)).copied();
        let name = named.and_then(|entry| Some((entry.start as usize, entry.name? as usize)));
        if !self.has_room(name.map_or(0, |(_, length)| length), value) {
            return;
        }
        if let Some((from, length)) = name {
            self.text.extend_from_within(from..from + length);
        }
        self.finish_insert(start, name.map(|(_, length)| length), value);
    }

    /// Whether there is room for such an entry. One that is larger than the whole table empties it, and that is no error (§4.4).
    fn has_room(&mut self, name: usize, value: Option<&[u8]>) -> bool {
        let size = name + value.map_or(0, <[u8]>::len) + OVERHEAD as usize;
        let fits = size <= self.max_size as usize;
        if !fits {
            self.entries.clear();
            self.text.clear();
            self.size = 0;
        }
        fits
    }

    fn finish_insert(&mut self, start: u32, name: Option<usize>, value: Option<&[u8]>) {
        self.text.extend_from_slice(value.unwrap_or_default());
        let entry = Entry {
            start,
            name: name.map(|length| length as u32),
            value: value.map(|value| value.len() as u32),
        };
        self.entries.push_back(entry);
        self.size += entry.size();
        self.evict();
    }

    /// The sender has chosen another maximum (§6.3).
    pub(super) fn resize(&mut self, max_size: u32) {
        self.max_size = max_size.min(self.limit);
        // Entries will be evicted here and not there.
        self.older_unknown |= max_size > self.limit;
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.max_size
            && let Some(oldest) = self.entries.pop_front()
        {
            self.size -= oldest.size();
        }
        // Moved to the front when half of it is of no use: once for as many bytes as are moved.
        let start = self
            .entries
            .front()
            .map_or(self.text.len(), |oldest| oldest.start as usize);
        if start > 256 && start * 2 >= self.text.len() {
            self.text.drain(..start);
            for entry in &mut self.entries {
                entry.start -= start as u32;
            }
        }
    }

    /// How much memory it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known<'a>(name: &'a str, value: &'a str) -> Pair<'a> {
        (Some(name.as_bytes()), Some(value.as_bytes()))
    }

    #[test]
    fn rfc7541_4_4_the_oldest_are_evicted_and_a_name_may_be_that_of_an_evicted_one() {
        let mut table = DynamicTable::new(2 * (32 + 2), 4096);
        table.insert(known("a", "1"));
        table.insert(known("b", "2"));
        assert_eq!(table.get(1), Some(known("a", "1")));
        table.insert_named_by(1, Some(b"3"));
        assert_eq!(
            (table.get(0), table.get(1)),
            (Some(known("a", "3")), Some(known("b", "2")))
        );
        assert_eq!(table.get(2), None);
        table.insert(known("name", &"x".repeat(40)));
        assert_eq!(table.get(0), None);
        table.insert(known("a", "4"));
        assert_eq!((table.get(0), table.get(1)), (Some(known("a", "4")), None));
        table.resize(0);
        assert_eq!((table.get(0), table.size), (None, 0));
    }

    #[test]
    fn what_came_before_a_loss_is_unknown_and_what_comes_after_has_the_right_index() {
        let mut table = DynamicTable::new(4096, 4096);
        table.insert(known("a", "1"));
        table.forget();
        table.insert(known("b", "2"));
        table.insert_named_by(7, Some(b"3"));
        assert_eq!(table.get(0), Some((None, Some(&b"3"[..]))));
        assert_eq!(
            (table.get(1), table.get(2)),
            (Some(known("b", "2")), Some((None, None)))
        );
    }

    #[test]
    fn a_million_entries_take_no_more_memory_than_the_table() {
        let mut table = DynamicTable::new(4096, 4096);
        for n in 0..1_000_000 {
            table.insert(known("name", &n.to_string()));
        }
        assert!(table.cost() < 4 * 4096, "{}", table.cost());
        assert_eq!(table.get(0), Some(known("name", "999999")));
        let oldest = (0..).take_while(|&n| table.get(n).is_some()).count() as u32 - 1;
        assert_eq!(table.get(oldest), Some(known("name", &(999_999 - oldest).to_string())));
    }
}
