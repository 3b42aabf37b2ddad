//! What is in a binary message that is a file of gzip (RFC 1952).

use std::io::Read;

use flate2::read::GzDecoder;

/// The beginning of every such file: magic, and the only method.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Unpacks at most `limit` bytes, and says how many there are, as far as the file knows that itself. `None` when it is no gzip, or
/// damaged before the first byte.
pub(super) fn unpack(bytes: &[u8], limit: usize) -> Option<(Vec<u8>, u64)> {
    if !bytes.starts_with(&MAGIC) {
        return None;
    }
    let mut out = Vec::new();
    // What is damaged behind is left out.
    let _ = GzDecoder::new(bytes).take(limit as u64).read_to_end(&mut out);
    let mut length = out.len() as u64;
    if out.len() == limit
        && let Some(size) = bytes.last_chunk()
    {
        length = length.max(u32::from_le_bytes(*size).into());
    }
    (length > 0).then_some((out, length))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn gzip_is_unpacked_up_to_a_bound() {
        assert_eq!(unpack(&packed(b"{}"), 100), Some((b"{}".to_vec(), 2)));
        let (some, length) = unpack(&packed(&vec![b'x'; 10 << 20]), 1000).unwrap();
        assert_eq!((some.len(), length), (1000, 10 << 20));
        assert_eq!(unpack(b"\x1f\x8b\x08 and no more", 1000), None);
        assert_eq!(unpack(b"{}", 1000), None);
    }
}
