//! A key log in pieces: the first byte says how long each is. Beside not panicking: the pieces do not matter, and no secret is shown.

use wschat_sniff::layer::tls::{KeyLogReader, KeySource, Secrets};

/// One input.
pub(crate) fn run(data: &[u8]) {
    let Some((&size, log)) = data.split_first() else {
        return;
    };
    let read = |size: usize| {
        let mut secrets = Secrets::new(false);
        let mut reader = KeyLogReader::new(KeySource::KeyLog);
        for piece in log.chunks(size.max(1)) {
            reader.push(piece, &mut secrets);
        }
        reader.finish(&mut secrets);
        let lines = reader.lines();
        assert!(secrets.len() as u64 <= lines.used);
        (secrets.len(), lines)
    };
    assert_eq!(read(size.into()), read(usize::MAX));
}
