//! Opens the next record of a direction: with the key and number that it should have, else, after a loss, with those that it may have.

use super::derive::next_secret;
use super::framer::Header;
use super::half::{Epoch, Reading};
use super::lost::Lost;
use super::opener::{Inner, Opener, Scratch, Tls12};
use super::secrets::{KeySource, Label, Random, Secret, Secrets};
use super::suite::Suite;

/// So many KeyUpdates may lie in a loss.
const GENERATIONS: usize = 8;

/// What is known of a connection that is needed to open its records.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) client_random: Option<Random>,
    /// The random under which the resumed session's secret was logged.
    pub(super) resumed_from: Option<Random>,
    pub(super) tls13: Option<bool>,
    pub(super) suite: Option<Suite>,
    /// The client offered early data, and (`Some`) the server took it or did not.
    pub(super) early: Option<Option<bool>>,
    /// What the next ChangeCipherSpec of TLS 1.2 changes to.
    pub(super) next: Option<Tls12>,
    /// Where the secrets came from.
    pub(super) source: Option<KeySource>,
    /// Trials that are left until one succeeds.
    pub(super) trials: u32,
    /// Nothing more will come, and nothing is waited for.
    pub(super) last: bool,
}

/// A record that someone wants to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sealed<'a> {
    pub(super) header: Header,
    pub(super) body: &'a [u8],
    /// The client has sent it.
    pub(super) client: bool,
    /// What came between the last record that was read and this one.
    pub(super) lost: Lost,
}

/// How that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is open. What was lost before it, of the plaintext: `Some(None)` when that cannot be known.
    Opened(Inner, Option<Option<u64>>),
    /// A secret or a decision is missing that may come.
    Waits,
    /// None of the keys opens it.
    Failed,
}

/// Tries numbers, and counts the trials.
struct Trial<'a, 'b> {
    sealed: &'b Sealed<'a>,
    left: &'b mut u32,
    out: &'b mut Scratch,
}

impl Trial<'_, '_> {
    fn numbers(&mut self, opener: &Opener, low: u64, high: u64) -> Option<(u64, Inner)> {
        for number in low..=high {
            if *self.left == 0 {
                return None;
            }
            *self.left -= 1;
            if let Some(inner) = opener.open(self.sealed.header, self.sealed.body, number, self.out) {
                return Some((number, inner));
            }
        }
        None
    }
}

/// Opens a record.
#[inline]
pub(super) fn open(
    reading: &mut Reading,
    known: &mut Known,
    sealed: &Sealed<'_>,
    secrets: &Secrets,
    max_trials: u32,
    out: &mut Scratch,
) -> Attempt {
    if sealed.lost.is_nothing()
        && let Some(opener) = &reading.opener
        && let Some(inner) = opener.open(sealed.header, sealed.body, reading.number, out)
    {
        reading.number += 1;
        (reading.current, reading.opened) = (true, true);
        return Attempt::Opened(inner, None);
    }
    let attempt = if known.tls13 == Some(false) {
        open_tls12(reading, known, sealed, secrets, out)
    } else {
        open_tls13(reading, known, sealed, secrets, out)
    };
    if let Attempt::Opened(..) = attempt {
        known.trials = max_trials;
        (reading.current, reading.opened) = (true, true);
    }
    attempt
}

fn open_tls12(
    reading: &mut Reading,
    known: &mut Known,
    sealed: &Sealed<'_>,
    secrets: &Secrets,
    out: &mut Scratch,
) -> Attempt {
    let lost = sealed.lost;
    let before = reading.number;
    let mut trial = Trial {
        sealed,
        left: &mut known.trials,
        out,
    };
    if let Some(opener) = &reading.opener
        && let Some(of) = reading.tls12
        && let Some((number, inner)) = trial.numbers(opener, before + lost.least, before + lost.most)
    {
        reading.number = number + 1;
        return Attempt::Opened(inner, plain_lost(&lost, number - before, of.suite, false));
    }
    // The ChangeCipherSpec may have been lost.
    let next = known.next.filter(|next| reading.tls12 != Some(*next));
    let next = next.filter(|_| lost.most > 0 || reading.tls12.is_none());
    let (mut tried, mut any) = (false, false);
    for of in reading
        .tls12
        .filter(|_| reading.opener.is_none())
        .into_iter()
        .chain(next)
    {
        any = true;
        let randoms = [Some(of.client_random), known.resumed_from];
        for master in randoms
            .iter()
            .flatten()
            .flat_map(|random| secrets.of(random, Label::Master))
        {
            tried = true;
            let Some(opener) = Opener::tls12(&of, &master.secret, sealed.client) else {
                continue;
            };
            if let Some((number, inner)) = trial.numbers(&opener, 0, lost.most) {
                known.source = Some(master.source);
                let lost = match number {
                    0 => None,
                    // The Finished message alone.
                    1 if lost.most == 1 => None,
                    _ => Some(None),
                };
                reading.enter(Epoch::Tls12);
                reading.number = number + 1;
                (reading.opener, reading.tls12, reading.changed) = (Some(opener), Some(of), true);
                return Attempt::Opened(inner, lost);
            }
        }
    }
    if !tried && any && secrets.may_grow() && !known.last {
        return Attempt::Waits;
    }
    Attempt::Failed
}

fn open_tls13(
    reading: &mut Reading,
    known: &mut Known,
    sealed: &Sealed<'_>,
    secrets: &Secrets,
    out: &mut Scratch,
) -> Attempt {
    let Some(random) = known.client_random else {
        return Attempt::Waits;
    };
    let lost = sealed.lost;
    let (epoch, before) = (reading.epoch, reading.number);
    if epoch == Epoch::Early && known.early == Some(None) && !known.last {
        return Attempt::Waits;
    }
    let mut trial = Trial {
        sealed,
        left: &mut known.trials,
        out,
    };
    if let Some(opener) = &reading.opener {
        let low = if reading.current { before + lost.least } else { before };
        // What was before a capture began late may be anything: the key is not proven.
        let high = before.saturating_add(if lost.late { 0 } else { lost.most });
        if let Some((number, inner)) = trial.numbers(opener, low, high) {
            reading.number = number + 1;
            let suite = known.suite.unwrap_or(Suite(0));
            let lost = match epoch {
                Epoch::Application(_) if lost.late => None,
                Epoch::Application(_) => plain_lost(&lost, number - before, suite, true),
                _ => None,
            };
            return Attempt::Opened(inner, lost);
        }
    }
    let (candidates, complete) = candidates(reading, known, &random, sealed, secrets);
    let suites: usize = candidates
        .iter()
        .map(|candidate| suites_of(known, &candidate.secret).len())
        .sum();
    let most = if lost.late {
        // A part of the trials that are left for each.
        u64::from(known.trials) / (suites.max(1) as u64)
    } else {
        lost.most
    };
    let mut trial = Trial {
        sealed,
        left: &mut known.trials,
        out,
    };
    for candidate in candidates {
        let known_suite = known.suite;
        let known_suite = known_suite.as_slice();
        let suites = if known_suite.is_empty() {
            Suite::with_secret_of(candidate.secret.bytes().len())
        } else {
            known_suite
        };
        let low = if candidate.epoch == epoch { before } else { 0 };
        let high = low.saturating_add(if candidate.epoch == Epoch::Handshake {
            most.min(64)
        } else {
            most
        });
        for &suite in suites {
            let Some(opener) = Opener::tls13(suite, &candidate.secret) else {
                continue;
            };
            let Some((number, inner)) = trial.numbers(&opener, low, high) else {
                continue;
            };
            let is_application = matches!(candidate.epoch, Epoch::Application(_));
            let gap = match candidate.epoch {
                _ if lost.late || lost.is_nothing() => None,
                Epoch::Application(0) if number == 0 => None,
                Epoch::Application(_) if candidate.epoch == epoch => plain_lost(&lost, number - low, suite, true),
                Epoch::Application(_) => Some(None),
                _ => None,
            };
            reading.enter(candidate.epoch);
            reading.number = number + 1;
            reading.opener = Some(opener);
            reading.secret = is_application.then_some(candidate.secret);
            known.suite = Some(suite);
            known.tls13 = Some(true);
            known.source = candidate.source.or(known.source);
            return Attempt::Opened(inner, gap);
        }
    }
    if !complete && secrets.may_grow() && !known.last {
        return Attempt::Waits;
    }
    Attempt::Failed
}

fn suites_of<'k>(known: &'k Known, secret: &Secret) -> &'k [Suite] {
    match &known.suite {
        Some(suite) => std::slice::from_ref(suite),
        None => Suite::with_secret_of(secret.bytes().len()),
    }
}

/// A secret that the next record may be encrypted with.
struct Candidate {
    epoch: Epoch,
    secret: Secret,
    source: Option<KeySource>,
}

/// The secrets that may be next, the likeliest first, and whether there is one for each epoch that may be.
fn candidates(
    reading: &Reading,
    known: &Known,
    random: &Random,
    sealed: &Sealed<'_>,
    secrets: &Secrets,
) -> (Vec<Candidate>, bool) {
    let mut found = Vec::new();
    let add = |found: &mut Vec<Candidate>, epoch: Epoch, label: Label| {
        let before = found.len();
        found.extend(secrets.of(random, label).map(|known| Candidate {
            epoch,
            secret: known.secret.clone(),
            source: Some(known.source),
        }));
        found.len() > before
    };
    let (handshake, traffic) = if sealed.client {
        (Label::ClientHandshake, Label::ClientTraffic)
    } else {
        (Label::ServerHandshake, Label::ServerTraffic)
    };
    let updated = match (&reading.secret, reading.epoch) {
        (Some(secret), Epoch::Application(generation)) if !sealed.lost.late => Some((secret, generation)),
        _ => None,
    };
    let mut complete = true;
    if let Some((secret, generation)) = updated {
        found.push(Candidate {
            epoch: Epoch::Application(generation),
            secret: secret.clone(),
            source: None,
        });
    } else {
        if reading.epoch == Epoch::Early && known.early == Some(Some(true)) {
            add(&mut found, Epoch::Early, Label::ClientEarly);
        }
        if !matches!(reading.epoch, Epoch::Application(_)) || sealed.lost.late {
            complete &= add(&mut found, Epoch::Handshake, handshake);
        }
        complete &= add(&mut found, Epoch::Application(0), traffic);
    }
    // KeyUpdates that were lost (RFC 8446 §7.2).
    let mut from = 0;
    for _ in 0..if sealed.lost.most > 0 { GENERATIONS } else { 0 } {
        let end = found.len();
        for index in from..end {
            let candidate = &found[index];
            let Epoch::Application(generation) = candidate.epoch else {
                continue;
            };
            for suite in suites_of(known, &candidate.secret).iter().take(1) {
                if let Some(secret) = next_secret(suite.hash(), &found[index].secret) {
                    let source = found[index].source;
                    let epoch = Epoch::Application(generation + 1);
                    found.push(Candidate { epoch, secret, source });
                }
            }
        }
        from = end;
    }
    if updated.is_some() && reading.opener.is_some() {
        // Its own key was tried already.
        found.remove(0);
    }
    (found, complete)
}

/// How much plaintext was in `count` lost records. `None`: none; `Some(None)`: that cannot be known.
fn plain_lost(lost: &Lost, count: u64, suite: Suite, tls13: bool) -> Option<Option<u64>> {
    if lost.bytes == 0 {
        return None;
    }
    let overhead = suite.cipher().and_then(|cipher| cipher.overhead(tls13));
    match overhead.map(|overhead| lost.bytes.saturating_sub(count * overhead)) {
        Some(0) => None,
        length => Some(length),
    }
}
