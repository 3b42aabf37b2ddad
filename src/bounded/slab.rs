//! Values that are too large, or needed for too short a time, to be kept with each of many connections.

/// At most so many values, each found by its user's handle. With more users, one that has not used its value lately loses it.
#[derive(Debug)]
pub struct Slab<T> {
    most: usize,
    slots: Vec<Slot<T>>,
    /// Slots that were released.
    free: Vec<u32>,
    /// Where the next slot to take over is looked for (the CLOCK algorithm).
    hand: usize,
}

#[derive(Debug)]
struct Slot<T> {
    value: T,
    /// How many users it has had.
    generation: u32,
    /// It was used since the hand last passed.
    used: bool,
}

/// Where a user's value is, as long as no other user has taken it over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Handle {
    slot: u32,
    /// Which user of the slot this is; 0: of none. Mistaken for another only after 2^32 of them.
    generation: u32,
}

impl Handle {
    /// To nothing.
    pub const NONE: Self = Self { slot: 0, generation: 0 };
}

impl<T> Slab<T> {
    /// Empty; `most` values at most, and one at least.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
        }
    }

    /// How many values there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The value of `handle`; or another, which is the handle's from now on, new from `make` or as its last user left it. `true`: another.
    #[inline]
    pub fn of(&mut self, handle: &mut Handle, make: impl FnOnce() -> T) -> (&mut T, bool) {
        let slot = handle.slot as usize;
        let good = handle.generation != 0
            && self
                .slots
                .get(slot)
                .is_some_and(|slot| slot.generation == handle.generation);
        let slot = if good { slot } else { self.assign(handle, make) };
        let slot = &mut self.slots[slot];
        slot.used = true;
        (&mut slot.value, !good)
    }

    /// The value of `handle` is not needed any more.
    pub fn release(&mut self, handle: &mut Handle) {
        if let Some(slot) = self.slots.get_mut(handle.slot as usize)
            && slot.generation == handle.generation
        {
            // Copies of the handle are not good any more.
            slot.generation = slot.generation.wrapping_add(1).max(1);
            self.free.push(handle.slot);
        }
        *handle = Handle::NONE;
    }

    #[cold]
    fn assign(&mut self, handle: &mut Handle, make: impl FnOnce() -> T) -> usize {
        let slot = if let Some(slot) = self.free.pop() {
            slot as usize
        } else if self.slots.len() < self.most.max(1) {
            self.slots.push(Slot {
                value: make(),
                generation: 0,
                used: false,
            });
            self.slots.len() - 1
        } else {
            // Nearly the one that was used longest ago, found in constant time: each use is passed over once.
            while std::mem::take(&mut self.slots[self.hand].used) {
                self.hand = (self.hand + 1) % self.slots.len();
            }
            let slot = self.hand;
            self.hand = (slot + 1) % self.slots.len();
            slot
        };
        let generation = self.slots[slot].generation.wrapping_add(1).max(1);
        self.slots[slot].generation = generation;
        *handle = Handle {
            slot: slot as u32,
            generation,
        };
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_not_used_lately_is_taken_over() {
        let mut slab = Slab::new(2);
        let mut handles = [Handle::NONE; 3];
        for (n, handle) in handles.iter_mut().enumerate() {
            let (value, anew) = slab.of(handle, || n);
            assert!(anew);
            *value = n;
        }
        let [first, second, third] = &mut handles;
        assert_eq!(slab.of(third, || 9), (&mut 2, false));
        assert_eq!(
            slab.of(second, || 9),
            (&mut 1, false),
            "the first was passed over first"
        );
        assert!(slab.of(first, || 9).1);
        assert_eq!(slab.slots.len(), 2);
    }

    #[test]
    fn a_released_slot_is_taken_next_and_its_handle_is_void() {
        let mut slab = Slab::new(2);
        let (mut first, mut second, mut third) = (Handle::NONE, Handle::NONE, Handle::NONE);
        slab.of(&mut first, || 1);
        slab.of(&mut second, || 2);
        let mut old = second;
        slab.release(&mut second);
        slab.of(&mut first, || 9);
        assert_eq!(*slab.of(&mut third, || 9).0, 2);
        assert!(slab.of(&mut old, || 9).1, "a copy of the handle is void");
    }
}
