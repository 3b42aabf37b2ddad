//! What all TLS connections share: the secrets, what sessions are resumed by, and room to decrypt in.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use super::framer::LONGEST_BODY;
use super::opener::Scratch;
use super::secrets::{Random, Secrets};

/// Sessions that can be resumed are kept in two maps of so many: when one is full the other one is forgotten.
const RESUMABLE: usize = 4096;

/// What all TLS connections share.
#[derive(Debug)]
pub struct Shared {
    /// The secrets that are known.
    pub secrets: Secrets,
    pub(super) resumable: Resumable,
    /// Where records are decrypted.
    pub(super) scratch: Scratch,
    pub(super) max_trials: u32,
    /// Encrypted bytes that wait for keys in all connections.
    pub(super) held: usize,
    pub(super) max_held: usize,
}

impl Shared {
    /// `max_trials`: keys and sequence numbers that a connection may try in a row without finding one.
    pub fn new(secrets: Secrets, max_trials: u32) -> Self {
        Self::within(secrets, max_trials, usize::MAX)
    }

    /// The same, when so many bytes may wait for keys in all connections.
    pub(crate) fn within(secrets: Secrets, max_trials: u32, max_held: usize) -> Self {
        Self {
            secrets,
            resumable: Resumable::default(),
            scratch: Box::new([0; LONGEST_BODY]),
            max_trials,
            held: 0,
            max_held,
        }
    }

    /// How many secrets did not fit into memory.
    pub(crate) fn secrets_refused(&self) -> u64 {
        self.secrets.refused()
    }

    /// Bytes of memory that it takes, without what waits.
    pub(crate) fn cost(&self) -> usize {
        self.secrets.cost() + self.resumable.cost()
    }
}

/// By which session ids and tickets of TLS 1.2 sessions are resumed, and under which random their secret was logged first: some
/// libraries log no line for a resumed session.
#[derive(Debug, Default)]
pub(super) struct Resumable {
    hasher: RandomState,
    recent: HashMap<u64, Random, RandomState>,
    earlier: HashMap<u64, Random, RandomState>,
}

impl Resumable {
    /// A session can be resumed by `by` (a session id, or a ticket).
    pub(super) fn insert(&mut self, by: &[u8], random: Random) {
        if by.is_empty() {
            return;
        }
        if self.recent.len() >= RESUMABLE {
            self.earlier = std::mem::take(&mut self.recent);
        }
        self.recent.insert(self.hasher.hash_one(by), random);
    }

    fn cost(&self) -> usize {
        (self.recent.capacity() + self.earlier.capacity()) * size_of::<(u64, Random)>()
    }

    /// The random under which the secret of that session was logged.
    pub(super) fn find(&self, by: &[u8]) -> Option<Random> {
        let hash = self.hasher.hash_one(by);
        let found = self.recent.get(&hash).or_else(|| self.earlier.get(&hash));
        found.copied().filter(|_| !by.is_empty())
    }
}
