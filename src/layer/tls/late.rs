//! Connections of TLS 1.3 whose ClientHello was not captured: their secrets are found by trying all that nobody has claimed.

use super::derive::next_secret;
use super::half::{Epoch, Half, Held};
use super::opener::{Opener, Scratch};
use super::reading::Known;
use super::secrets::{KeySource, Label, Random, Secret, Secrets};
use super::suite::Suite;

/// Numbers are tried in blocks of so many, each with all secrets, so that low numbers come first.
const BLOCK: u64 = 64;

/// Numbers beyond this are not tried.
const FARTHEST: u64 = 1 << 16;

/// So many KeyUpdates may have been before; they are tried with a quarter of the trials.
const GENERATIONS: u32 = 4;

/// A search waits for so many records, to try the shortest, unless there is a short one.
const RECORDS: usize = 8;
const SHORT: usize = 512;

/// What was found.
pub(super) struct Found {
    pub(super) random: Random,
    pub(super) client: bool,
    pub(super) suite: Suite,
    pub(super) source: KeySource,
    /// The key of the first record held, and its number, if both can be told.
    pub(super) first: Option<(Epoch, Opener, Option<Secret>, u64)>,
}

struct Candidate<'s> {
    random: Random,
    client: bool,
    suite: Suite,
    epoch: Epoch,
    source: KeySource,
    secret: std::borrow::Cow<'s, Secret>,
}

/// Looks for the secret of what `half` holds, of those from number `half.late_tried` on. `is_client`: who sends it, if that is known.
pub(super) fn search(
    half: &mut Half,
    known: &mut Known,
    is_client: Option<bool>,
    secrets: &Secrets,
    out: &mut Scratch,
) -> Option<Found> {
    if half.late_tried >= secrets.len() || known.trials == 0 {
        return None;
    }
    let records = half.held.iter().enumerate().filter_map(|(at, held)| match held {
        Held::Record { header, body, .. } if header.content == 23 => Some((at, *header, body)),
        _ => None,
    });
    let (at, header, body) = records.min_by_key(|(_, _, body)| body.len())?;
    if half.held.len() < RECORDS && body.len() > SHORT && !known.last {
        return None;
    }
    let from = std::mem::replace(&mut half.late_tried, secrets.len());
    let candidates: Vec<_> = secrets
        .unclaimed(from)
        .flat_map(|secret| {
            let (client, epoch) = match secret.label {
                Label::ClientTraffic => (true, Epoch::Application(0)),
                Label::ServerTraffic => (false, Epoch::Application(0)),
                Label::ClientHandshake => (true, Epoch::Handshake),
                Label::ServerHandshake => (false, Epoch::Handshake),
                Label::Master | Label::ClientEarly => return Vec::new(),
            };
            if is_client.is_some_and(|is_client| is_client != client) {
                return Vec::new();
            }
            let agreed = known.suite.as_slice();
            let suites = match agreed {
                [] => Suite::with_secret_of(secret.secret.bytes().len()),
                agreed => agreed,
            };
            let of = |&suite| Candidate {
                random: secret.random,
                client,
                suite,
                epoch,
                source: secret.source,
                secret: std::borrow::Cow::Borrowed(&secret.secret),
            };
            suites.iter().map(of).collect()
        })
        .collect();
    let budget = known.trials;
    let mut left = budget / 4 * 3;
    let mut found = numbers(&candidates, header, body, &mut left, out);
    if found.is_none() {
        let mut updated: Vec<Candidate<'_>> = Vec::new();
        let mut latest: Vec<_> = candidates
            .into_iter()
            .filter(|c| c.epoch == Epoch::Application(0))
            .collect();
        for generation in 1..=GENERATIONS {
            latest = latest
                .iter()
                .filter_map(|c| {
                    Some(Candidate {
                        epoch: Epoch::Application(generation),
                        secret: std::borrow::Cow::Owned(next_secret(c.suite.hash(), &c.secret)?),
                        ..*c
                    })
                })
                .collect();
            updated.extend(latest.iter().map(|c| Candidate {
                secret: c.secret.clone(),
                ..*c
            }));
        }
        left += budget / 4;
        found = numbers(&updated, header, body, &mut left, out);
    }
    known.trials = left;
    let (candidate, opener, number) = found?;
    let before: Option<u64> = half
        .held
        .iter()
        .take(at)
        .map(|held| matches!(held, Held::Record { .. }).then_some(1))
        .sum();
    let first = before.and_then(|before| number.checked_sub(before));
    let is_application = candidate.epoch != Epoch::Handshake;
    Some(Found {
        random: candidate.random,
        client: candidate.client,
        suite: candidate.suite,
        source: candidate.source,
        first: first.map(|first| {
            let secret = is_application.then(|| candidate.secret.into_owned());
            (candidate.epoch, opener, secret, first)
        }),
    })
}

fn numbers<'s>(
    candidates: &[Candidate<'s>],
    header: super::framer::Header,
    body: &[u8],
    left: &mut u32,
    out: &mut Scratch,
) -> Option<(Candidate<'s>, Opener, u64)> {
    for block in (0..FARTHEST).step_by(BLOCK as usize) {
        for candidate in candidates {
            if candidate.epoch == Epoch::Handshake && block > 0 {
                continue;
            }
            let Some(opener) = Opener::tls13(candidate.suite, &candidate.secret) else {
                continue;
            };
            for number in block..block + BLOCK {
                if *left == 0 {
                    return None;
                }
                *left -= 1;
                if opener.open(header, body, number, out).is_some() {
                    let candidate = Candidate {
                        secret: candidate.secret.clone(),
                        ..*candidate
                    };
                    return Some((candidate, opener, number));
                }
            }
        }
        if candidates.iter().all(|candidate| candidate.epoch == Epoch::Handshake) {
            break;
        }
    }
    None
}
