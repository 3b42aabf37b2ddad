//! The secrets that are known: by client random and label (RFC 9850 §2). Wiped when dropped, and shown by nobody.

use std::fmt;

use hashbrown::HashMap;
use zeroize::Zeroizing;

/// The longest one: a master secret, or a traffic secret of SHA-384.
const LONGEST: usize = 48;

/// So many are kept of one random for one label: a program that logs the right one late has logged few before it, and all are tried.
const MOST_ALIKE: usize = 8;

/// So many stand in one piece of memory, which never moves: moving would leave copies behind.
const BLOCK: usize = 256;

/// What a secret is for (RFC 9850 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Label {
    /// The master secret of TLS 1.2 (RFC 5246 §8.1).
    Master,
    /// Early data (RFC 8446 §4.2.10).
    ClientEarly,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

impl Label {
    pub(super) fn named(label: &[u8]) -> Option<Self> {
        Some(match label {
            b"CLIENT_RANDOM" => Label::Master,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => Label::ClientEarly,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
            b"CLIENT_TRAFFIC_SECRET_0" => Label::ClientTraffic,
            b"SERVER_TRAFFIC_SECRET_0" => Label::ServerTraffic,
            _ => return None,
        })
    }
}

/// Where a secret came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// A key log.
    KeyLog,
    /// The capture itself (a Decryption Secrets Block of pcapng).
    Capture,
}

impl KeySource {
    /// `keylog` or `capture`, as in the JSON view.
    pub const fn name(self) -> &'static str {
        match self {
            KeySource::KeyLog => "keylog",
            KeySource::Capture => "capture",
        }
    }
}

/// A secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret {
    bytes: Zeroizing<[u8; LONGEST]>,
    len: usize,
}

impl Secret {
    /// `None` when it is longer than any.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self {
            bytes: Zeroizing::new([0; LONGEST]),
            len: bytes.len(),
        };
        secret.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(secret)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The random bytes of a ClientHello, by which its secrets are found.
pub type Random = [u8; 32];

/// A secret with what it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) random: Random,
    pub(super) label: Label,
    pub(super) source: KeySource,
    pub(super) secret: Secret,
    /// The next one of the same random.
    next: Option<u32>,
}

/// The secrets of a client random.
#[derive(Debug, Clone, Copy)]
struct OfRandom {
    first: u32,
    last: u32,
    count: u32,
    /// A connection whose hello was captured has this random: no other one needs its secrets.
    claimed: bool,
}

/// All that are known.
#[derive(Debug, Default, Clone)]
pub struct Secrets {
    randoms: HashMap<Random, OfRandom, foldhash::quality::RandomState>,
    blocks: Vec<Vec<Known>>,
    count: usize,
    may_grow: bool,
    /// Bytes of memory that they may take.
    most: Option<usize>,
    refused: u64,
}

impl Secrets {
    /// None yet. `may_grow`: more may come while packets do, so that records wait for them.
    pub fn new(may_grow: bool) -> Self {
        Self {
            may_grow,
            ..Self::default()
        }
    }

    /// The same, in so many bytes of memory at most.
    pub(crate) fn within(self, bytes: usize) -> Self {
        let most = Some(bytes);
        Self { most, ..self }
    }

    /// How many did not fit into the memory that they may take.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// More may come, or (`false`) nothing needs to wait any more.
    pub fn set_may_grow(&mut self, may_grow: bool) {
        self.may_grow = may_grow;
    }

    /// Whether more may come.
    pub fn may_grow(&self) -> bool {
        self.may_grow
    }

    /// How many there are. It only grows, so it also tells whether new ones have come.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of memory that they take.
    pub fn cost(&self) -> usize {
        self.blocks.len() * BLOCK * size_of::<Known>()
            + self.randoms.capacity() * (size_of::<Random>() + size_of::<OfRandom>())
    }

    /// Adds one, unless it is known, or enough others like it are.
    pub(super) fn add(&mut self, random: Random, label: Label, secret: Secret, source: KeySource) {
        let Ok(index) = u32::try_from(self.count) else { return };
        let is_full = |(index, known): (usize, &Known)| known.secret == secret || index + 1 == MOST_ALIKE;
        if self.of(&random, label).enumerate().any(is_full) {
            return;
        }
        if self.most.is_some_and(|most| self.cost() >= most) {
            self.refused += 1;
            return;
        }
        match self.randoms.get_mut(&random) {
            Some(of) => {
                of.count += 1;
                let last = std::mem::replace(&mut of.last, index);
                if let Some(last) = self.at_mut(last) {
                    last.next = Some(index);
                }
            }
            None => {
                let of = OfRandom {
                    first: index,
                    last: index,
                    count: 1,
                    claimed: false,
                };
                self.randoms.insert(random, of);
            }
        }
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.push(Known {
                random,
                label,
                source,
                secret,
                next: None,
            });
            self.count += 1;
        }
    }

    /// Whether there is any of this random.
    pub(super) fn has(&self, random: &Random) -> bool {
        self.count_of(random) > 0
    }

    /// How many there are of this random. It only grows.
    pub(super) fn count_of(&self, random: &Random) -> u32 {
        self.randoms.get(random).map_or(0, |of| of.count)
    }

    /// Those of a random with this label: more than one when programs wrote two, of which one is right.
    pub(super) fn of(&self, random: &Random, label: Label) -> impl Iterator<Item = &Known> {
        let mut next = self.randoms.get(random).map(|of| of.first);
        std::iter::from_fn(move || {
            let known = self.at(next?)?;
            next = known.next;
            Some(known)
        })
        .filter(move |known| known.label == label)
    }

    /// A connection whose hello was captured has this random.
    pub(super) fn claim(&mut self, random: &Random) {
        if let Some(of) = self.randoms.get_mut(random) {
            of.claimed = true;
        }
    }

    /// Those, from number `from` on, that no connection has claimed, the newest first.
    pub(super) fn unclaimed(&self, from: usize) -> impl Iterator<Item = &Known> {
        (from..self.count)
            .rev()
            .filter_map(|index| self.at(index as u32))
            .filter(|known| self.randoms.get(&known.random).is_some_and(|of| !of.claimed))
    }

    fn at(&self, index: u32) -> Option<&Known> {
        self.blocks.get(index as usize / BLOCK)?.get(index as usize % BLOCK)
    }

    fn at_mut(&mut self, index: u32) -> Option<&mut Known> {
        self.blocks
            .get_mut(index as usize / BLOCK)?
            .get_mut(index as usize % BLOCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_secrets_for_one_label_are_both_kept_and_neither_is_shown() {
        let mut secrets = Secrets::new(false);
        let random = [7; 32];
        for secret in [[0x41; 48], [0x42; 48], [0x41; 48]] {
            let secret = Secret::new(&secret).unwrap();
            secrets.add(random, Label::Master, secret, KeySource::KeyLog);
        }
        assert_eq!((secrets.len(), secrets.of(&random, Label::Master).count()), (2, 2));
        assert_eq!(secrets.of(&random, Label::ClientTraffic).count(), 0);
        let shown = format!("{secrets:?}");
        assert!(!shown.contains("65") && !shown.contains("66"), "{shown}");
    }

    #[test]
    fn those_that_do_not_fit_are_counted() {
        let most = 100_000;
        let mut secrets = Secrets::new(false).within(most);
        for n in 0..10_000u16 {
            let mut random = [0; 32];
            random[..2].copy_from_slice(&n.to_be_bytes());
            let secret = Secret::new(&[1; 32]).unwrap();
            secrets.add(random, Label::Master, secret, KeySource::Capture);
        }
        assert!(secrets.cost() < 2 * most && secrets.len() > 500);
        assert_eq!(secrets.len() as u64 + secrets.refused(), 10_000);
    }

    #[test]
    fn of_secrets_for_one_label_only_so_many_are_kept() {
        let mut secrets = Secrets::new(false);
        for label in [Label::ClientTraffic, Label::ServerTraffic] {
            for byte in 0..100 {
                let secret = Secret::new(&[byte; 32]).unwrap();
                secrets.add([7; 32], label, secret, KeySource::Capture);
            }
            assert_eq!(secrets.of(&[7; 32], label).count(), MOST_ALIKE);
        }
        assert_eq!(secrets.count_of(&[7; 32]) as usize, 2 * MOST_ALIKE);
    }

    #[test]
    fn what_a_connection_has_claimed_is_tried_for_no_other() {
        let mut secrets = Secrets::new(false);
        for n in 0..600u16 {
            let mut random = [0; 32];
            random[..2].copy_from_slice(&n.to_be_bytes());
            let secret = Secret::new(&[1; 32]).unwrap();
            secrets.add(random, Label::ClientTraffic, secret, KeySource::Capture);
        }
        assert_eq!(secrets.unclaimed(0).count(), 600);
        secrets.claim(&[0; 32]);
        assert_eq!(secrets.unclaimed(0).count(), 599);
        assert_eq!(secrets.unclaimed(590).count(), 10);
    }
}
