//! The Decryption Secrets Blocks of a pcapng file, before its packets are read: they may stand behind the packets that need them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use zeroize::Zeroizing;

use super::pcapng::{SECTION_HEADER, tls_secrets};

/// A block of secrets longer than this is none.
const LONGEST: u32 = 16 << 20;

/// Enough that headers close to each other cost no call of their own.
const BUFFER: usize = 64 << 10;

/// Gives the key logs in `file` one by one, if it is a pcapng file as it is. What is damaged ends the search.
pub(super) fn each(file: &File, take: &mut dyn FnMut(Zeroizing<Vec<u8>>)) {
    let _ = scan(BufReader::with_capacity(BUFFER, At { file, offset: 0 }), take);
}

/// Reads a file from a place of its own: where others read it stays as it is.
struct At<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl Seek for At<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let beyond = || io::Error::from(io::ErrorKind::InvalidInput);
        self.offset = match to {
            SeekFrom::Start(offset) => offset,
            SeekFrom::Current(by) => self.offset.checked_add_signed(by).ok_or_else(beyond)?,
            SeekFrom::End(_) => return Err(beyond()),
        };
        Ok(self.offset)
    }
}

fn scan(mut file: BufReader<At<'_>>, take: &mut dyn FnMut(Zeroizing<Vec<u8>>)) -> io::Result<()> {
    let mut big_endian = false;
    let mut first = true;
    loop {
        let mut head = [0; 12];
        file.read_exact(&mut head)?;
        let (kind, length, magic) = (&head[..4], &head[4..8], &head[8..]);
        if kind == SECTION_HEADER {
            big_endian = magic == [0x1a, 0x2b, 0x3c, 0x4d];
        } else if first {
            return Ok(());
        }
        first = false;
        let word = |bytes: &[u8]| {
            let bytes = bytes.first_chunk().copied().unwrap_or_default();
            if big_endian {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            }
        };
        let length = word(length);
        if length < 12 || length % 4 != 0 {
            return Ok(());
        }
        let rest = i64::from(length) - 12;
        if word(kind) == 10 && length <= LONGEST {
            let mut block = Zeroizing::new(vec![0; length as usize]);
            block[..12].copy_from_slice(&head);
            file.read_exact(&mut block[12..])?;
            tls_secrets(big_endian, &block).into_iter().for_each(&mut *take);
        } else {
            file.seek_relative(rest)?;
        }
    }
}
