//! What a sender's compressor makes a habit of, and how sure that is.

use super::cells::Cell;
use super::symbols::Symbol;

/// A match in a message that could have been longer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// Where in the message the byte behind it is.
    pub(super) at: u32,
    /// How long the match is, and from how far back.
    pub(super) length: u16,
    pub(super) distance: u16,
}

impl Stop {
    /// Where in the message it begins.
    pub(super) fn start(&self) -> usize {
        (self.at as usize).saturating_sub(usize::from(self.length))
    }
}

/// Where the matches of one message stop, but for those that stop because they are as long as can be, or a block or the message ends there.
///
/// No more than [`MOST`](Self::MOST) of them are kept: a message may have millions.
#[derive(Debug, Default)]
pub(super) struct Stops {
    pub(super) all: Vec<Stop>,
    /// The longest match.
    pub(super) longest: u16,
    pending: bool,
}

impl Stops {
    const MOST: usize = 4096;
    /// RFC 1951 §3.2.5.
    const LONGEST_MATCH: u16 = 258;

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.longest = 0;
        self.pending = false;
    }

    /// `symbol` comes, before byte `at`. How many bytes it is.
    pub(super) fn symbol(&mut self, symbol: Symbol, at: usize) -> usize {
        match symbol {
            Symbol::EndOfBlock => {
                self.end();
                0
            }
            Symbol::Literal(_) | Symbol::Missing => {
                self.pending = false;
                1
            }
            Symbol::Match { length, distance } => {
                self.longest = self.longest.max(length);
                self.pending = length < Self::LONGEST_MATCH && self.all.len() < Self::MOST;
                if self.pending {
                    self.all.push(Stop {
                        at: (at + usize::from(length)) as u32,
                        length,
                        distance,
                    });
                }
                usize::from(length)
            }
        }
    }

    /// The block ends, or the message.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.pending) {
            self.all.pop();
        }
    }
}

/// What a sender's compressor has done so far.
///
/// Two habits are looked at. A match goes on for as long as it can: the byte behind a match is not the byte behind what it copies. And it copies from the
/// nearest place: there is none between that begins with the same bytes. zlib and what is made like it do both; of 10,000 matches, zlib-ng
/// copies 25 from elsewhere on its middle levels, others that keep a note of some places only (zlib on its lowest levels) one in three or ten, and
/// compressors that weigh several ways of saying the same (zopfli) stop early. Which kind it is shows with the matches of which all is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habits {
    pub(super) longest: Habit,
    pub(super) nearest: Habit,
    /// The longest match: maybe it cannot do longer ones, and stops there for that.
    longest_match: u16,
}

/// A habit, as far as it has shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habit {
    seen: u32,
    broken: u32,
}

impl Habit {
    /// So many matches must have shown the habit for one that alone decides.
    ///
    /// A compressor that breaks it once in n matches shows no break in so many, and one in the next, with a probability of at most 1 in 2.7 times as many, whatever
    /// n is. And for a message to come out wrong, the length that is right must be ruled out so, and just one wrong one of all the others fit all else.
    const FOR_ONE: u32 = 48;

    /// And so many for any number of which several have to agree.
    const FOR_SEVERAL: u32 = 128;

    /// One that is kept but for one match in so many is a habit still.
    const RARELY: u32 = 128;

    pub(super) fn see(&mut self, kept: bool) {
        self.broken += u32::from(!kept);
        self.seen = self.seen.saturating_add(1);
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken > 0
    }

    /// How many matches may decide alone.
    pub(super) fn alone(&self) -> usize {
        if self.is_broken() {
            0
        } else {
            (self.seen / Self::FOR_ONE) as usize
        }
    }

    /// Whether any number of matches may be asked.
    pub(super) fn is_firm(&self) -> bool {
        self.seen >= Self::FOR_SEVERAL && self.broken <= self.seen / Self::RARELY
    }
}

/// How often a match that is asked would have copied from a nearer place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nearer {
    asked: u8,
    yes: u8,
}

impl Nearer {
    /// Takes note of one more.
    pub(super) fn see(&mut self, nearer: bool) {
        self.asked = self.asked.saturating_add(1);
        self.yes = self.yes.saturating_add(u8::from(nearer));
    }

    /// Whether a sender that has the habit would hardly have done that.
    ///
    /// One that breaks it once in 128 matches would so be misjudged once in 10,000 gaps; wrong distances fail with every second match.
    pub(super) fn is_too_often(self) -> bool {
        self.yes >= 4 && u32::from(self.yes) * 8 >= u32::from(self.asked)
    }
}

impl Habits {
    /// Whether a match of `length` would have gone on.
    pub(super) fn would_go_on(&self, length: u16) -> bool {
        length < self.longest_match
    }

    /// There is nothing more to learn.
    pub(super) fn is_known(&self) -> bool {
        self.longest.seen >= 1 << 12
    }

    /// Takes note of what a message shows that begins at `from` in `line`, the history before it and itself. `budget` is what looking may cost,
    /// in cells.
    pub(super) fn observe(&mut self, line: &[Cell], from: isize, stops: &Stops, budget: &mut u64) {
        self.longest_match = self.longest_match.max(stops.longest);
        for stop in &stops.all {
            let Some(end) = from.checked_add_unsigned(stop.at as usize) else {
                return;
            };
            let Ok(end) = usize::try_from(end) else { continue };
            let (length, distance) = (usize::from(stop.length), usize::from(stop.distance));
            let byte = |at: Option<usize>| line.get(at?).and_then(|cell| cell.byte());
            if let (Some(next), Some(follow)) = (byte(Some(end)), byte(end.checked_sub(distance))) {
                self.longest.see(next != follow);
            }
            let Some(source) = end.checked_sub(length + distance) else {
                continue;
            };
            let Some(copied) = line.get(end - length..end) else {
                continue;
            };
            if copied.iter().any(|cell| cell.byte().is_none()) {
                continue;
            }
            let Some(left) = budget.checked_sub(distance as u64) else {
                continue;
            };
            *budget = left;
            self.nearest.see(!contains(&line[source + 1..end - 1], copied));
        }
    }
}

/// Whether `wanted`, all known, is somewhere in `cells`.
pub(super) fn contains(cells: &[Cell], wanted: &[Cell]) -> bool {
    let [first, second, rest @ ..] = wanted else {
        return false;
    };
    if cells.len() < wanted.len() {
        return false;
    }
    let last = cells.len() - wanted.len();
    (0..=last).any(|at| cells[at] == *first && cells[at + 1] == *second && cells[at + 2..].starts_with(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &[u8]) -> Vec<Cell> {
        text.iter().map(|&byte| Cell::known(byte)).collect()
    }

    fn habits(text: &[u8], stop: Stop) -> Habits {
        let mut habits = Habits::default();
        let stops = Stops {
            all: vec![stop],
            longest: stop.length,
            pending: false,
        };
        habits.observe(&line(text), 0, &stops, &mut 1000);
        habits
    }

    #[test]
    fn a_match_goes_on_and_copies_from_the_nearest_place() {
        let stop = |at, length, distance| Stop { at, length, distance };
        let kept = |habits: Habits| (!habits.longest.is_broken(), habits.nearest.broken == 0);
        assert_eq!(kept(habits(b"abcd-abce", stop(8, 3, 5))), (true, true));
        assert_eq!(kept(habits(b"abcd-abcd", stop(8, 3, 5))), (false, true));
        assert_eq!(kept(habits(b"abcd-abc-abce", stop(12, 3, 9))), (true, false));
        // The nearest place may overlap the match itself.
        assert_eq!(kept(habits(b"aaaaaa-aaaab", stop(11, 3, 8))), (true, false));
        // Of what is not known, nothing is concluded.
        let unknown = habits(b"abc", stop(3, 3, 9));
        assert_eq!((unknown.longest.seen, unknown.nearest.seen), (0, 0));
    }

    #[test]
    fn a_match_that_ends_with_its_block_says_nothing() {
        let mut stops = Stops::default();
        let copy = Symbol::Match { length: 4, distance: 9 };
        for symbol in [
            copy,
            Symbol::Literal(b'a'),
            copy,
            copy,
            Symbol::EndOfBlock,
            Symbol::Literal(b'b'),
            copy,
        ] {
            stops.symbol(symbol, 10);
        }
        stops.end();
        assert_eq!(stops.all.len(), 2);
    }

    #[test]
    fn a_few_exceptions_are_borne() {
        let mut nearer = Nearer::default();
        (0..3).for_each(|_| nearer.see(true));
        assert!(!nearer.is_too_often());
        nearer.see(true);
        assert!(nearer.is_too_often());
        let mut rarely = Nearer::default();
        (0..250).for_each(|n| rarely.see(n % 50 == 49));
        assert!(!rarely.is_too_often());
    }
}
