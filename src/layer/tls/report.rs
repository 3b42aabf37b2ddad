//! What is told at the end of a run of TLS connections that stayed closed.

use std::collections::BTreeMap;

use super::facts::Unread;

/// So many server names are told of each reason.
const NAMES: usize = 3;

/// How many TLS connections there were, and why those that were not read were not.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Connections.
    pub connections: u64,
    /// Of which something was decrypted.
    pub decrypted: u64,
    /// Of which something was encrypted and nothing decrypted, by reason: how many, and the first few server names.
    pub unread: BTreeMap<Unread, (u64, Vec<Box<str>>)>,
    /// In so many of them the bound on trials was reached.
    pub trials_exhausted: u64,
    /// So many secrets did not fit into memory.
    pub secrets_refused: u64,
}

impl Report {
    /// A connection is over.
    pub(super) fn add(&mut self, decrypted: bool, unread: Option<Unread>, name: Option<&str>) {
        self.connections += 1;
        self.decrypted += u64::from(decrypted);
        if let Some(unread) = unread {
            let (count, names) = self.unread.entry(unread).or_default();
            *count += 1;
            if let Some(name) = name
                && names.len() <= NAMES
                && !names.iter().any(|known| **known == *name)
            {
                names.push(name.into());
            }
        }
    }
}
