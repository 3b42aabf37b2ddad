//! Truth against the search: sessions cut anywhere, and bytes that are no frames.

use super::{Expect, Found, Purpose, Resync};

/// A small generator (splitmix64), so that every case is told by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }

    fn words(&mut self, n: u64) -> String {
        const WORDS: [&str; 12] = [
            "hello",
            "我们走吧",
            "ok",
            "とても いい です",
            "schön, été",
            "the",
            "a",
            "{",
            "meeting",
            "😀",
            "12:30",
            "\\n",
        ];
        (0..n)
            .map(|_| WORDS[self.below(12) as usize])
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Chat,
    Text,
    Binary,
    Deflate,
    Mixed,
}

struct Session {
    bytes: Vec<u8>,
    headers: Vec<usize>,
}

fn frame(out: &mut Vec<u8>, first: u8, payload: &[u8], key: Option<[u8; 4]>) {
    out.push(first);
    let mask = if key.is_some() { 0x80 } else { 0 };
    match payload.len() {
        n @ 0..126 => out.push(mask | n as u8),
        n @ 126..0x1_0000 => {
            out.push(mask | 126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(mask | 127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend(key.iter().flatten());
    out.extend(
        payload
            .iter()
            .zip(key.unwrap_or_default().into_iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
}

fn session(random: &mut Random, kind: Kind, masked: bool, frames: usize) -> Session {
    let mut bytes = Vec::new();
    let mut headers = Vec::new();
    let mut sender = crate::ws::inflate::tests::Sender::new(true, 15, 6);
    for _ in 0..frames {
        let kind = match kind {
            Kind::Mixed => [Kind::Chat, Kind::Text, Kind::Binary][random.below(3) as usize],
            kind => kind,
        };
        let most = if random.below(10) == 0 { 400 } else { 12 };
        let words = random.below(most);
        let key = masked.then(|| (random.next() as u32).to_be_bytes());
        headers.push(bytes.len());
        if random.below(12) == 0 {
            let n = [0, 4, 8][random.below(3) as usize];
            let payload = random.bytes(n);
            frame(&mut bytes, 0x89 + random.below(2) as u8, &payload, key);
            continue;
        }
        let chat = format!(
            "{{\"type\":\"say\",\"to\":{},\"content\":\"{}\"}}",
            random.below(99),
            random.words(words)
        );
        match kind {
            Kind::Chat => frame(&mut bytes, 0x81, chat.as_bytes(), key),
            Kind::Text => frame(&mut bytes, 0x81, random.words(words).as_bytes(), key),
            Kind::Deflate => frame(&mut bytes, 0xc1, &sender.message(chat.as_bytes()), key),
            Kind::Binary | Kind::Mixed => {
                let most = if random.below(10) == 0 { 5000 } else { 200 };
                let n = random.below(most);
                let payload = random.bytes(n as usize);
                frame(&mut bytes, 0x82, &payload, key);
            }
        }
    }
    Session { bytes, headers }
}

/// Looks at `bytes` segment by segment and drops what it is told to.
fn search(expect: Expect, bytes: &[u8], segments: &[usize]) -> Option<(usize, bool)> {
    let mut resync = Resync::new(expect);
    let mut dropped = 0;
    for &end in segments {
        match resync.look(&bytes[dropped..end], false) {
            Found::Header(start) => return Some((dropped + start.offset, start.masked)),
            Found::More { useless } => {
                dropped += useless;
                resync.drop_front(useless);
            }
        }
    }
    match resync.look(&bytes[dropped..], true) {
        Found::Header(start) => Some((dropped + start.offset, start.masked)),
        Found::More { .. } => None,
    }
}

fn cuts(random: &mut Random, session: &Session, from: usize, aligned: bool) -> Vec<usize> {
    let mut ends = Vec::new();
    if aligned {
        ends.extend(
            session
                .headers
                .iter()
                .filter(|&&header| header > from)
                .map(|header| header - from),
        );
    } else {
        let mut at = 0;
        while at + from < session.bytes.len() {
            at += 1 + random.below(1460) as usize;
            ends.push(at.min(session.bytes.len() - from));
        }
    }
    ends.push(session.bytes.len() - from);
    ends
}

#[derive(Default, Debug)]
struct Tally {
    tries: u32,
    first: u32,
    second: u32,
    late: u32,
    never: u32,
    wrong: u32,
}

fn tally(kind: Kind, masked: bool, aligned: bool, deflate: Option<bool>, tries: u64) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..tries {
        let mut random = Random(seed.wrapping_mul(0x1234_5678_9abc_def1) ^ kind as u64);
        let frames = 4 + random.below(20) as usize;
        let session = session(&mut random, kind, masked, frames);
        let from = 1 + random.below(session.bytes.len() as u64 * 2 / 3) as usize;
        let after: Vec<_> = session
            .headers
            .iter()
            .copied()
            .filter(|&header| header >= from)
            .collect();
        if after.len() < 2 {
            continue;
        }
        let segments = cuts(&mut random, &session, from, aligned);
        let expect = Expect {
            purpose: Purpose::Regain,
            masked: Some(masked),
            deflate,
        };
        tally.tries += 1;
        match search(expect, &session.bytes[from..], &segments) {
            None => tally.never += 1,
            Some((at, _)) if at + from == after[0] => tally.first += 1,
            Some((at, _)) if at + from == after[1] => tally.second += 1,
            Some((at, _)) if after.contains(&(at + from)) => tally.late += 1,
            Some(_) => tally.wrong += 1,
        }
    }
    tally
}

/// From the second header after the cut on, everything is found (the third in a few of a thousand tries), and nothing that is no frame.
#[test]
fn frames_are_found_again_wherever_the_cut_was() {
    const TRIES: u64 = 200;
    let kinds = [
        (Kind::Chat, Some(false)),
        (Kind::Text, Some(false)),
        (Kind::Deflate, Some(true)),
        (Kind::Deflate, None),
        (Kind::Mixed, Some(false)),
        (Kind::Binary, Some(false)),
        (Kind::Binary, None),
    ];
    for (kind, deflate) in kinds {
        for (masked, aligned) in [(false, false), (false, true), (true, false), (true, true)] {
            let tally = tally(kind, masked, aligned, deflate, TRIES);
            let what = format!("{kind:?} deflate {deflate:?} masked {masked} aligned {aligned}: {tally:?}");
            println!("{what}");
            assert!(
                tally.tries > 150 && tally.wrong == 0 && tally.late + tally.never <= 6,
                "{what}"
            );
        }
    }
}
