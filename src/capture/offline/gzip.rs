//! gzip (RFC 1952): members one after the other.
//!
//! The decoders of `flate2` lose what a call has unpacked when it also finds the damage. Here that comes first and the damage with
//! the next call, so that every packet before it is seen.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// The largest window (RFC 1951 §2), in bits.
const WINDOW_BITS: u8 = 15;

/// Unpacks what `source` holds.
pub(super) struct Gzip<R> {
    source: R,
    /// The current member.
    member: Option<Decompress>,
    /// What the next call says.
    fault: Option<io::Error>,
}

impl<R: BufRead> Gzip<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            member: None,
            fault: None,
        }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let packed = self.source.fill_buf()?;
            let ended = packed.is_empty();
            if ended && self.member.is_none() {
                return Ok(0);
            }
            let member = self.member.get_or_insert_with(|| Decompress::new_gzip(WINDOW_BITS));
            let (read, written) = (member.total_in(), member.total_out());
            let status = member.decompress(packed, buffer, FlushDecompress::None);
            let (read, written) = (member.total_in() - read, (member.total_out() - written) as usize);
            self.source.consume(read as usize);
            let fault = match status {
                Ok(Status::StreamEnd) => {
                    self.member = None;
                    None
                }
                Ok(_) if ended && written == 0 => {
                    Some(io::Error::new(io::ErrorKind::UnexpectedEof, "its gzip data is cut off"))
                }
                Ok(_) => None,
                Err(_) => Some(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "its gzip data is damaged from here on",
                )),
            };
            match fault {
                Some(fault) if written == 0 => return Err(fault),
                fault => self.fault = fault,
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What comes out before the end, and what is wrong then.
    fn unpacked(packed: &[u8], source: usize, most: usize) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut gzip = Gzip::new(io::BufReader::with_capacity(source, packed));
        let (mut out, mut buffer) = (Vec::new(), vec![0; most]);
        loop {
            match gzip.read(&mut buffer) {
                Ok(0) => return (out, None),
                Ok(count) => out.extend_from_slice(&buffer[..count]),
                Err(error) => return (out, Some(error.kind())),
            }
        }
    }

    fn noise(seed: u32) -> impl Iterator<Item = u8> {
        let step = |n: &u32| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), step).map(|n| (n >> 24) as u8)
    }

    fn text() -> Vec<u8> {
        noise(1).take(20_000).flat_map(|n| n.to_string().into_bytes()).collect()
    }

    #[test]
    fn members_follow_one_another() {
        let both = [packed(&text()), packed(b""), packed(b"second")].concat();
        for (source, most) in [(1 << 16, 1 << 18), (1, 1), (7, 1000)] {
            assert_eq!(unpacked(&both, source, most), ([&text()[..], b"second"].concat(), None));
        }
    }

    #[test]
    fn what_comes_before_the_damage_is_not_lost() {
        let mut damaged = packed(&text());
        let middle = damaged.len() / 2;
        damaged[middle..]
            .iter_mut()
            .zip(noise(2))
            .for_each(|(byte, other)| *byte = other);
        let (slowly, kind) = unpacked(&damaged, 1, 1);
        assert_eq!(kind, Some(io::ErrorKind::InvalidData));
        // The damage may look like a few more characters.
        let same = slowly.iter().zip(&text()).take_while(|(a, b)| a == b).count();
        assert!(same > 10_000);
        assert_eq!(unpacked(&damaged, 1 << 16, 1 << 18), (slowly, kind));
        // Only the check sum at the end is wrong.
        let mut damaged = packed(&text());
        let trailer = damaged.len() - 8;
        damaged[trailer] ^= 1;
        assert_eq!(
            unpacked(&damaged, 1 << 16, 1 << 18),
            (text(), Some(io::ErrorKind::InvalidData))
        );
    }

    #[test]
    fn a_cut_file_is_read_to_its_end() {
        let whole = packed(&text());
        let cut = &whole[..whole.len() / 2];
        let (out, kind) = unpacked(cut, 1 << 16, 1 << 18);
        assert_eq!(kind, Some(io::ErrorKind::UnexpectedEof));
        assert!(out.len() > 10_000 && text().starts_with(&out));
        assert_eq!(unpacked(&whole[..5], 1 << 16, 10).1, Some(io::ErrorKind::UnexpectedEof));
        assert_eq!(unpacked(b"", 1 << 16, 10), (Vec::new(), None));
    }
}
