//! The contexts of all directions, as many as there is room for.
//!
//! Each takes up to some 48 KB, and a sender pays hardly anything for that: forty bytes inflate to a window full of blanks. So together they
//! are bounded. Who has to give way is first who had such a bargain, then who has been silent for longest; what comes then in that
//! direction is read as after a late start.

use crate::bounded::LruList;

use super::cells::Cell;
use super::context::Context;
use super::habits::Stops;
use super::pool::Decompressors;

/// What inflating needs, and all directions share: decompressors, buffers, and the contexts of those directions that have one. One a
/// thread is enough.
#[derive(Debug)]
pub struct InflatePool {
    pub(super) tools: Tools,
    pub(super) contexts: Contexts,
}

/// Decompressors and buffers for any number of [`Context`]s.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) decompressors: Decompressors,
    /// Where bytes go that nobody will see.
    pub(super) sink: Vec<u8>,
    /// A message with its tail, for the symbol reader.
    pub(super) message: Vec<u8>,
    /// What the symbol reader makes of a message.
    pub(super) cells: Vec<Cell>,
    /// Where its matches stop.
    pub(super) stops: Stops,
    /// How much [`Island`](super::island::Island)s may still cost, in cells looked at. It grows with every message.
    pub(super) search_budget: u64,
}

/// About half a second's worth, and a tenth of a millisecond's for each message.
const SEARCH_BUDGET: u64 = 100_000_000;
const SEARCH_BUDGET_A_MESSAGE: u64 = 20_000;

impl InflatePool {
    /// An empty pool; it takes memory as it is used, for histories at most about `history_total` bytes.
    pub fn new(history_total: usize) -> Self {
        Self {
            tools: Tools {
                decompressors: Decompressors::default(),
                sink: Vec::new(),
                message: Vec::new(),
                cells: Vec::new(),
                stops: Stops::default(),
                search_budget: SEARCH_BUDGET,
            },
            contexts: Contexts::new(history_total),
        }
    }

    /// How many directions have lost their history because there was no room for all.
    pub fn evicted_histories(&self) -> u64 {
        self.contexts.evicted
    }
}

impl Tools {
    pub(super) fn earn(&mut self) {
        self.search_budget = (self.search_budget + SEARCH_BUDGET_A_MESSAGE).min(SEARCH_BUDGET);
    }
}

/// Contexts, each claimed by a [`Home`].
#[derive(Debug)]
pub(super) struct Contexts {
    places: Vec<Place>,
    free: Vec<u32>,
    /// The places by [`Worth`], those used longest ago first.
    order: LruList<2>,
    /// What all of them take, in bytes of memory.
    cost: usize,
    most: usize,
    evicted: u64,
}

#[derive(Debug)]
struct Place {
    context: Option<Context>,
    /// How often somebody lived here.
    times: u32,
    /// What it takes, as far as `Contexts::cost` knows.
    cost: usize,
    /// How many payload bytes it was made from.
    paid: u64,
}

/// Where a direction's context is, while it has not had to give way. `times` is 0 where there never was one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Home {
    place: u32,
    times: u32,
}

/// What an empty one takes, with its share of the lists and of the allocator.
const OVERHEAD: usize = size_of::<Place>() + 64;

/// A context that takes so many times as much memory as its messages took on the wire was a bargain. JSON as people chat is compressed
/// up to ten times, and has sent many messages before that much is kept of it.
const BARGAIN: usize = 32;

/// Which contexts give way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth {
    Bargain,
    Earned,
}

impl Contexts {
    fn new(most: usize) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            order: LruList::new(),
            cost: 0,
            most,
            evicted: 0,
        }
    }

    /// The context of `home`, if it is still there.
    #[inline]
    pub(super) fn at(&mut self, home: Home) -> Option<&mut Context> {
        let place = self.places.get_mut(home.place as usize)?;
        (place.times == home.times).then_some(place.context.as_mut()).flatten()
    }

    /// Whether `home` had a context that had to give way.
    pub(super) fn is_evicted(&mut self, home: Home) -> bool {
        home != Home::default() && self.at(home).is_none()
    }

    /// Gives `context` a home.
    #[cold]
    pub(super) fn settle(&mut self, context: Context) -> Home {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place {
                context: None,
                times: 0,
                cost: 0,
                paid: 0,
            });
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        let times = place.times.wrapping_add(1).max(1);
        *place = Place {
            context: Some(context),
            times,
            cost: OVERHEAD,
            paid: 0,
        };
        self.cost += OVERHEAD;
        Home { place: index, times }
    }

    /// The context of `home` has read a message of `paid` bytes: others may have to give way for what it takes now, or even it.
    #[inline]
    pub(super) fn used(&mut self, home: Home, paid: usize, tools: &mut Tools) {
        let Some(place) = self.places.get_mut(home.place as usize) else {
            return;
        };
        let Some(context) = &place.context else { return };
        let cost = OVERHEAD + context.cost();
        self.cost = self.cost - place.cost + cost;
        place.cost = cost;
        place.paid = place.paid.saturating_add(paid as u64);
        let earned = place.paid.saturating_mul(BARGAIN as u64) >= cost as u64;
        let worth = if earned { Worth::Earned } else { Worth::Bargain };
        self.order.push(home.place, worth as usize);
        while self.cost > self.most {
            let oldest = [Worth::Bargain, Worth::Earned]
                .into_iter()
                .find_map(|worth| self.order.oldest(worth as usize));
            let Some(oldest) = oldest else { break };
            self.evict(oldest, tools);
        }
    }

    /// The direction of `home` has ended.
    pub(super) fn remove(&mut self, home: Home, tools: &mut Tools) {
        if self.at(home).is_some() {
            self.empty(home.place, tools);
        }
    }

    #[cold]
    fn evict(&mut self, index: u32, tools: &mut Tools) {
        self.evicted += 1;
        self.empty(index, tools);
    }

    fn empty(&mut self, index: u32, tools: &mut Tools) {
        self.order.remove(index);
        let place = &mut self.places[index as usize];
        self.cost -= std::mem::take(&mut place.cost);
        if let Some(context) = place.context.take() {
            context.release(tools);
        }
        self.free.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::ws::inflate::tests::Sender;
    use crate::layer::ws::inflate::{Compressed, Inflated, Inflater};

    /// What a direction sends, and what we make of it.
    struct Line {
        sender: Sender,
        inflater: Inflater,
    }

    impl Line {
        fn new() -> Self {
            Self {
                sender: Sender::new(true, 15, 9),
                inflater: Inflater::new(true, 15),
            }
        }

        fn say(&mut self, pool: &mut InflatePool, text: &[u8]) -> Inflated {
            let (mut out, mut holes) = (Vec::new(), Vec::new());
            let payload = self.sender.message(text);
            let message = Compressed {
                payload: &payload,
                holes: &[],
                text: true,
                range: Default::default(),
            };
            let inflated = self.inflater.message(pool, message, 1 << 20, &mut out, &mut holes);
            assert!(pool.contexts.cost <= pool.contexts.most);
            let known = |at: usize| {
                holes.iter().all(|hole| {
                    hole.offset > at as u64 || hole.length.is_some_and(|length| hole.offset + length <= at as u64)
                })
            };
            assert!(
                (0..out.len()).all(|at| !known(at) || out[at] == text[at]),
                "nothing false is told"
            );
            inflated
        }
    }

    #[test]
    fn bargains_give_way_first_and_who_chats_keeps_its_history() {
        let mut pool = InflatePool::new(300 << 10);
        let mut honest: Vec<_> = (0..10).map(|_| Line::new()).collect();
        let mut greedy: Vec<_> = (0..60).map(|_| Line::new()).collect();
        for round in 0..2 {
            for (n, line) in honest.iter_mut().enumerate() {
                let text = format!(r#"{{"type":"say","content":"{n} says this for the {round}th time"}}"#);
                assert_eq!(line.say(&mut pool, text.as_bytes()), Inflated::Whole);
            }
            for line in &mut greedy {
                line.say(&mut pool, &[b' '; 32 << 10]);
            }
            assert!(pool.evicted_histories() > 40);
        }
        // Whose history was given up goes on as after a late start.
        assert_eq!(greedy[0].say(&mut pool, &[b' '; 100]), Inflated::Partial);
        assert_eq!(greedy[0].say(&mut pool, b"<literals>"), Inflated::Whole);
        for line in honest.iter_mut().chain(&mut greedy) {
            line.inflater.end(&mut pool);
        }
        assert_eq!(pool.contexts.cost, 0);
        assert_eq!(
            honest[0].say(&mut pool, b"0 says this"),
            Inflated::Partial,
            "what came before the end is gone"
        );
    }

    #[test]
    fn no_room_at_all_leaves_each_message_to_itself() {
        let mut pool = InflatePool::new(1);
        let mut line = Line::new();
        assert_eq!(line.say(&mut pool, b"something that comes again"), Inflated::Whole);
        assert_eq!(line.say(&mut pool, b"something that comes again"), Inflated::Partial);
        assert_eq!(pool.contexts.cost, 0);
    }
}
