//! Things that are too large, or needed for too short a time, to live with each of many connections.

/// Lends things to whoever uses them, at most so many at once. With more users, one that has not used its thing lately loses it.
#[derive(Debug)]
pub struct Slab<T> {
    most: usize,
    places: Vec<Place<T>>,
    /// Places that were given back.
    free: Vec<u32>,
    /// Where who has to give way is looked for next.
    hand: usize,
}

#[derive(Debug)]
struct Place<T> {
    thing: T,
    /// How often it was lent.
    times: u32,
    /// It was used since the hand last passed.
    used: bool,
}

/// A claim to one of the things: good while nobody else has taken it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Handle {
    place: u32,
    /// Which time of its place it is; 0 is a claim to nothing. Mistaken for another only when one place was lent 2^32 times meanwhile.
    times: u32,
}

impl Handle {
    /// A claim to nothing.
    pub const NONE: Self = Self { place: 0, times: 0 };
}

impl<T> Slab<T> {
    /// Nothing is lent yet; `most` things at most, and one at least.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            places: Vec::new(),
            free: Vec::new(),
            hand: 0,
        }
    }

    /// How many things there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none has been lent yet.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The thing of `lease`; or another, to which it is a claim from now on, new from `make` or as its last user left it. `true`: another.
    #[inline]
    pub fn of(&mut self, lease: &mut Handle, make: impl FnOnce() -> T) -> (&mut T, bool) {
        let place = lease.place as usize;
        let good = lease.times != 0 && self.places.get(place).is_some_and(|place| place.times == lease.times);
        let place = if good { place } else { self.lend(lease, make) };
        let place = &mut self.places[place];
        place.used = true;
        (&mut place.thing, !good)
    }

    /// Nobody needs the thing of `lease` any more.
    pub fn give_back(&mut self, lease: &mut Handle) {
        if let Some(place) = self.places.get_mut(lease.place as usize)
            && place.times == lease.times
        {
            // Whoever else still has the claim has lost it.
            place.times = place.times.wrapping_add(1).max(1);
            self.free.push(lease.place);
        }
        *lease = Handle::NONE;
    }

    #[cold]
    fn lend(&mut self, lease: &mut Handle, make: impl FnOnce() -> T) -> usize {
        let place = if let Some(place) = self.free.pop() {
            place as usize
        } else if self.places.len() < self.most.max(1) {
            self.places.push(Place {
                thing: make(),
                times: 0,
                used: false,
            });
            self.places.len() - 1
        } else {
            // Nearly the one that was used longest ago, found in constant time: each use is passed over once.
            while std::mem::take(&mut self.places[self.hand].used) {
                self.hand = (self.hand + 1) % self.places.len();
            }
            let place = self.hand;
            self.hand = (place + 1) % self.places.len();
            place
        };
        let times = self.places[place].times.wrapping_add(1).max(1);
        self.places[place].times = times;
        *lease = Handle {
            place: place as u32,
            times,
        };
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_not_used_it_lately_loses_it() {
        let mut lending = Slab::new(2);
        let mut leases = [Handle::NONE; 3];
        for (n, lease) in leases.iter_mut().enumerate() {
            let (thing, anew) = lending.of(lease, || n);
            assert!(anew);
            *thing = n;
        }
        let [first, second, third] = &mut leases;
        assert_eq!(lending.of(third, || 9), (&mut 2, false));
        assert_eq!(
            lending.of(second, || 9),
            (&mut 1, false),
            "the first was passed over first"
        );
        assert!(lending.of(first, || 9).1);
        assert_eq!(lending.places.len(), 2);
    }

    #[test]
    fn what_was_given_back_is_lent_next_and_claimed_no_more() {
        let mut lending = Slab::new(2);
        let (mut first, mut second, mut third) = (Handle::NONE, Handle::NONE, Handle::NONE);
        lending.of(&mut first, || 1);
        lending.of(&mut second, || 2);
        let mut old = second;
        lending.give_back(&mut second);
        lending.of(&mut first, || 9);
        assert_eq!(*lending.of(&mut third, || 9).0, 2);
        assert!(lending.of(&mut old, || 9).1, "a copy of the claim is none any more");
    }
}
