//! What waits in many short queues, kept together: a connection for which nothing waits holds no memory, and in steady state
//! nothing is allocated.

/// The entries of all queues.
pub(super) struct Queues<T> {
    slots: Vec<Slot<T>>,
    /// The first of the slots that are not used.
    free: u32,
    /// All that are used are also in one list, by age.
    oldest: u32,
    newest: u32,
    used: usize,
    /// How many are used at most, in the long run.
    limit: usize,
}

struct Slot<T> {
    entry: T,
    owner: Owner,
    /// The next one of its queue, or that is free.
    next: u32,
    older: u32,
    newer: u32,
}

/// Whose a queue is: a connection's number and an index of a direction.
pub(super) type Owner = (u64, u8);

/// One queue; [`Queues`] has what is in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    first: u32,
    last: u32,
    length: u32,
}

const NONE: u32 = u32::MAX;

impl<T: Copy> Queues<T> {
    /// No entries, and room for so many.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: NONE,
            oldest: NONE,
            newest: NONE,
            used: 0,
            limit,
        }
    }

    /// Puts `entry` at the end of `queue`, which is `owner`'s.
    pub(super) fn push(&mut self, queue: &mut Queue, owner: Owner, entry: T) {
        let slot = Slot {
            entry,
            owner,
            next: NONE,
            older: self.newest,
            newer: NONE,
        };
        let index = match self.slots.get_mut(self.free as usize) {
            Some(place) => {
                let index = self.free;
                self.free = place.next;
                *place = slot;
                index
            }
            None => {
                self.slots.push(slot);
                // Whoever heeds `excess` never comes near to 2^32.
                (self.slots.len() - 1) as u32
            }
        };
        match self.slots.get_mut(self.newest as usize) {
            Some(newest) => newest.newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
        self.used += 1;
        match self.slots.get_mut(queue.last as usize) {
            Some(last) => last.next = index,
            None => queue.first = index,
        }
        queue.last = index;
        queue.length += 1;
    }

    /// The first entry of `queue`.
    pub(super) fn first(&self, queue: &Queue) -> Option<&T> {
        Some(&self.slots.get(queue.first as usize)?.entry)
    }

    /// Takes the first entry out of `queue`.
    pub(super) fn pop(&mut self, queue: &mut Queue) -> Option<T> {
        let index = queue.first;
        let slot = self.slots.get_mut(index as usize)?;
        let (entry, next, older, newer) = (slot.entry, slot.next, slot.older, slot.newer);
        slot.next = self.free;
        self.free = index;
        queue.first = next;
        if next == NONE {
            queue.last = NONE;
        }
        queue.length -= 1;
        match self.slots.get_mut(older as usize) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer as usize) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
        self.used -= 1;
        Some(entry)
    }

    /// Empties `queue`.
    pub(super) fn clear(&mut self, queue: &mut Queue) {
        while self.pop(queue).is_some() {}
    }

    /// When there are too many entries: the owner of the oldest of all, which is the first of its queue and is to be popped.
    pub(super) fn excess(&self) -> Option<Owner> {
        if self.used <= self.limit {
            return None;
        }
        Some(self.slots.get(self.oldest as usize)?.owner)
    }
}

impl Queue {
    /// An empty one.
    pub(super) const fn new() -> Self {
        Self {
            first: NONE,
            last: NONE,
            length: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.length as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    impl<T: Copy> Queues<T> {
        /// The entries of `queue`, the first one first.
        fn iter(&self, queue: &Queue) -> impl Iterator<Item = &T> {
            let mut index = queue.first;
            std::iter::from_fn(move || {
                let slot = self.slots.get(index as usize)?;
                index = slot.next;
                Some(&slot.entry)
            })
        }
    }

    proptest! {
        #[test]
        fn they_are_queues_and_the_oldest_entry_of_all_gives_way(steps in prop::collection::vec((0u8..4, 0u32..4), 0..200)) {
            let mut queues = Queues::new(10);
            let mut handles = [Queue::new(); 4];
            let mut model: [VecDeque<u32>; 4] = Default::default();
            for (step, (which, what)) in (0..).zip(steps) {
                let at = usize::from(which);
                if what > 0 {
                    queues.push(&mut handles[at], (7, which), step);
                    model[at].push_back(step);
                } else {
                    prop_assert_eq!(queues.pop(&mut handles[at]), model[at].pop_front());
                }
                if let Some((_, which)) = queues.excess() {
                    let at = usize::from(which);
                    let oldest = model.iter().filter_map(VecDeque::front).min().copied();
                    prop_assert_eq!(queues.pop(&mut handles[at]), oldest);
                    model[at].pop_front();
                }
                for (handle, model) in handles.iter().zip(&model) {
                    prop_assert!(queues.iter(handle).eq(model));
                    prop_assert_eq!((queues.first(handle), handle.len()), (model.front(), model.len()));
                }
                prop_assert!(queues.slots.len() <= 11);
            }
        }
    }
}
