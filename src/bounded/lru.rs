//! Doubly linked lists over the slots of a slab: moving, removing and finding the oldest take constant time.

/// No slot.
const NONE: u32 = u32::MAX;

/// `N` lists; each slot is in at most one of them.
#[derive(Debug)]
pub(crate) struct LruList<const N: usize> {
    nodes: Vec<Node>,
    lists: [List; N],
}

#[derive(Debug, Clone, Copy)]
struct Node {
    previous: u32,
    next: u32,
    /// Which list it is in; `N` or more when in none.
    list: u32,
}

#[derive(Debug, Clone, Copy)]
struct List {
    oldest: u32,
    newest: u32,
    length: usize,
}

impl<const N: usize> LruList<N> {
    pub(crate) fn new() -> Self {
        let empty = List {
            oldest: NONE,
            newest: NONE,
            length: 0,
        };
        Self {
            nodes: Vec::new(),
            lists: [empty; N],
        }
    }

    /// How many slots are in `list`.
    pub(crate) fn len(&self, list: usize) -> usize {
        self.lists[list].length
    }

    /// The slot that has been in `list` for longest.
    #[inline]
    pub(crate) fn oldest(&self, list: usize) -> Option<u32> {
        let slot = self.lists[list].oldest;
        (slot != NONE).then_some(slot)
    }

    /// In which list `slot` is.
    #[inline]
    pub(crate) fn list_of(&self, slot: u32) -> Option<usize> {
        let list = self.nodes.get(slot as usize)?.list as usize;
        (list < N).then_some(list)
    }

    /// Makes `slot` the newest of `list`, from wherever it was.
    pub(crate) fn push(&mut self, slot: u32, list: usize) {
        self.remove(slot);
        if self.nodes.len() <= slot as usize {
            let unused = Node {
                previous: NONE,
                next: NONE,
                list: NONE,
            };
            self.nodes.resize(slot as usize + 1, unused);
        }
        let ends = &mut self.lists[list];
        self.nodes[slot as usize] = Node {
            previous: ends.newest,
            next: NONE,
            list: list as u32,
        };
        match ends.newest {
            NONE => ends.oldest = slot,
            newest => self.nodes[newest as usize].next = slot,
        }
        ends.newest = slot;
        ends.length += 1;
    }

    /// Takes `slot` out of the list in which it is, if it is in one.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(list) = self.list_of(slot) else {
            return;
        };
        let Node { previous, next, .. } = self.nodes[slot as usize];
        self.nodes[slot as usize].list = NONE;
        let ends = &mut self.lists[list];
        match previous {
            NONE => ends.oldest = next,
            previous => self.nodes[previous as usize].next = next,
        }
        match next {
            NONE => ends.newest = previous,
            next => self.nodes[next as usize].previous = previous,
        }
        ends.length -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_do_what_queues_do(steps in prop::collection::vec((0u32..20, 0usize..3), 0..200)) {
            let mut lists = LruList::<2>::new();
            let mut model: [Vec<u32>; 2] = Default::default();
            for (slot, list) in steps {
                for queue in &mut model {
                    queue.retain(|&other| other != slot);
                }
                if list < 2 {
                    lists.push(slot, list);
                    model[list].push(slot);
                } else {
                    lists.remove(slot);
                }
                for (list, queue) in model.iter().enumerate() {
                    prop_assert_eq!(lists.oldest(list), queue.first().copied());
                    prop_assert_eq!(lists.len(list), queue.len());
                }
            }
            for (list, queue) in model.iter().enumerate() {
                for &slot in queue {
                    prop_assert_eq!(lists.oldest(list), Some(slot));
                    lists.remove(slot);
                }
            }
        }
    }
}
