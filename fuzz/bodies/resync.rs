//! A search for a frame header, segment by segment. The first byte says what is known; then segments: a byte of length, bytes.
//! Beside not panicking: what is found or useless lies in the bytes that were shown.

use wschat_sniff::layer::ws::resync::{Expect, Found, Purpose, Resync};

/// One input.
pub fn run(data: &[u8]) {
    let Some((&flags, mut rest)) = data.split_first() else {
        return;
    };
    let maybe = |bits: u8| match bits & 3 {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    let purpose = if flags & 1 == 0 {
        Purpose::Regain
    } else {
        Purpose::Infer
    };
    let mut resync = Resync::new(Expect {
        purpose,
        masked: maybe(flags >> 1),
        deflate: maybe(flags >> 3),
    });
    let mut window = Vec::new();
    while let [length, behind @ ..] = rest {
        let (segment, next) = behind.split_at(usize::from(*length).min(behind.len()));
        rest = next;
        window.extend_from_slice(segment);
        match resync.look(&window, rest.is_empty()) {
            Found::Header(start) => {
                assert!(start.offset < window.len());
                assert!(maybe(flags >> 1).is_none_or(|masked| masked == start.masked));
                // The caller reads on from there; this one goes on looking.
            }
            Found::More { useless } => {
                assert!(useless <= window.len());
                if flags & 0x20 == 0 {
                    window.drain(..useless);
                    resync.drop_front(useless);
                }
            }
        }
    }
}
