//! One direction of a connection: its records, the key that opens the next one, and what waits for a key.

use std::collections::VecDeque;

use crate::base::PacketRef;
use crate::layer::Span;

use super::derive::next_secret;
use super::framer::{Framer, HEADER, Header};
use super::handshake::Messages;
use super::lost::Lost;
use super::opener::{Opener, Tls12};
use super::secrets::Secret;
use super::suite::Suite;

/// Encrypted bytes of one direction that wait for a key.
pub(super) const HELD_BYTES: usize = 256 << 10;

/// What a record costs beside its bytes.
const HELD_COST: usize = size_of::<Held>();

/// Which key a direction writes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Epoch {
    /// None yet.
    #[default]
    Plain,
    /// Early data (RFC 8446 §4.2.10).
    Early,
    /// The rest of the handshake.
    Handshake,
    /// Application data, after so many KeyUpdates.
    Application(u32),
    /// Any after a ChangeCipherSpec of TLS 1.2.
    Tls12,
}

/// The key of the next record, and its number.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) epoch: Epoch,
    /// The number of the next record, when none is lost.
    pub(super) number: u64,
    /// The key of `epoch`, once it is known.
    pub(super) opener: Option<Opener>,
    /// The traffic secret of `epoch`, when that is application data.
    pub(super) secret: Option<Secret>,
    /// What the keys of `epoch` are made of in TLS 1.2.
    pub(super) tls12: Option<Tls12>,
    /// A ChangeCipherSpec was seen.
    pub(super) changed: bool,
    /// A record of this epoch was opened.
    pub(super) current: bool,
    /// A record was opened in any epoch.
    pub(super) opened: bool,
    /// What came since the last record that was read, without what is held.
    pub(super) lost: Lost,
}

impl Reading {
    /// The next record is the first one of `epoch`.
    pub(super) fn enter(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.number = 0;
        self.opener = None;
        self.secret = None;
        self.current = false;
    }

    /// The next record is the first one after a KeyUpdate (RFC 8446 §7.2).
    pub(super) fn update(&mut self, suite: Option<Suite>) {
        let (Epoch::Application(generation), Some(secret), Some(suite)) = (self.epoch, self.secret.take(), suite)
        else {
            return;
        };
        self.enter(Epoch::Application(generation + 1));
        self.secret = next_secret(suite.hash(), &secret);
        self.opener = self.secret.as_ref().and_then(|secret| Opener::tls13(suite, secret));
    }
}

/// What waits for a key.
#[derive(Debug)]
pub(super) enum Held {
    Record {
        header: Header,
        body: Box<[u8]>,
        span: Span,
    },
    Lost(Lost),
}

impl Held {
    /// What is lost when nobody reads it.
    pub(super) fn lost(&self) -> Lost {
        match self {
            Held::Record { header, .. } => Lost::record(header.total(), None),
            Held::Lost(lost) => *lost,
        }
    }

    fn cost(&self) -> usize {
        match self {
            Held::Record { body, .. } => HELD_COST + body.len(),
            Held::Lost(_) => HELD_COST,
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) framer: Framer,
    pub(super) messages: Messages,
    pub(super) reading: Reading,
    pub(super) held: VecDeque<Held>,
    /// Bytes of memory that it takes.
    pub(super) held_cost: usize,
    /// What all that is held comes to.
    pub(super) held_lost: Lost,
    /// Where the plaintext has got to.
    pub(super) offset: u64,
    pub(super) decrypted: u64,
    pub(super) undecrypted: u64,
    /// What is held waits for something that may come: nothing behind it is tried.
    pub(super) blocked: bool,
    /// An encrypted record was captured whole.
    pub(super) whole: bool,
    /// It has ended (`true`: with a reset), and something is held still.
    pub(super) end: Option<(bool, PacketRef)>,
    /// How many secrets there were when they were tried for a direction that was begun late.
    pub(super) late_tried: usize,
}

impl Half {
    /// Bytes of memory that depend on what was sent.
    pub(super) fn cost(&self) -> usize {
        self.framer.cost() + self.messages.cost() + self.held_cost
    }

    pub(super) fn hold(&mut self, held: Held) {
        self.held_cost += held.cost();
        self.held_lost.add(&held.lost());
        self.held.push_back(held);
        while self.held_cost > HELD_BYTES {
            self.shed();
        }
    }

    /// Gives up what has been held longest. `false`: nothing is held.
    pub(super) fn shed(&mut self) -> bool {
        let Some(lost) = self.drop_first() else {
            return false;
        };
        let cause = lost.cause.or(Some(crate::base::GapCause::Evicted));
        self.reading.lost.add(&Lost { cause, ..lost });
        true
    }

    /// Drops the first thing held; tells what it was.
    pub(super) fn drop_first(&mut self) -> Option<Lost> {
        let first = self.held.pop_front()?;
        let lost = first.lost();
        self.held_cost -= first.cost();
        self.held_lost.subtract(&lost);
        if let Held::Record { .. } = first {
            self.undecrypted += lost.bytes;
        }
        if self.held.is_empty() {
            self.held_lost = Lost::default();
        }
        Some(lost)
    }

    /// Gives the body of a record back that was taken out to be tried.
    pub(super) fn put_back(&mut self, index: usize, bytes: Box<[u8]>) {
        if let Some(Held::Record { body, .. }) = self.held.get_mut(index) {
            *body = bytes;
        }
    }

    /// Takes the first record out, of which it is known that it can be read.
    pub(super) fn take_first(&mut self) -> Option<(Header, Box<[u8]>, Span)> {
        let undecrypted = self.undecrypted;
        let first = self.held.front_mut()?;
        let Held::Record { header, body, span } = first else {
            return None;
        };
        let (header, span) = (*header, *span);
        let body = std::mem::take(body);
        self.held_cost -= body.len();
        self.drop_first();
        self.undecrypted = undecrypted;
        Some((header, body, span))
    }

    /// The packet that completed the first record that is held.
    pub(super) fn first_held(&self) -> Option<u64> {
        self.held.iter().find_map(|held| match held {
            Held::Record { span, .. } => Some(span.last.packet),
            Held::Lost(_) => None,
        })
    }
}

/// Bytes of a record.
pub(super) fn total(body: &[u8]) -> u64 {
    (HEADER + body.len()) as u64
}
