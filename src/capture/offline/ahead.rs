//! Reading ahead: a thread that fills the next blocks of a file while the packets of this one are looked into.

use std::io::{self, Read};
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Room at the front of each block for the packet that the block before it ends inside of. More is copied the slow way.
pub(super) const FRONT: usize = 64 << 10;

/// Blocks that are filled ahead. They are small enough to stay in a cache until they are read.
const BLOCKS: usize = 2;

/// The reading thread's other end.
pub(super) struct Ahead {
    filled: Receiver<(Vec<u8>, io::Result<usize>)>,
    empty: SyncSender<Vec<u8>>,
}

impl Ahead {
    /// Starts reading `source` in blocks of `size` bytes. The thread has the rights that the caller has now.
    pub(super) fn start(mut source: Box<dyn Read + Send>, size: usize) -> Self {
        let (filled_out, filled) = sync_channel(BLOCKS);
        let (empty, empty_in) = sync_channel::<Vec<u8>>(BLOCKS + 1);
        for _ in 0..BLOCKS {
            // There is room for that many.
            let _ = empty.try_send(Vec::new());
        }
        thread::spawn(move || {
            while let Ok(mut block) = empty_in.recv() {
                block.resize(FRONT + size, 0);
                let read = loop {
                    match source.read(&mut block[FRONT..]) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        read => break read,
                    }
                };
                let last = !matches!(read, Ok(1..));
                if filled_out.send((block, read)).is_err() || last {
                    break;
                }
            }
        });
        Self { filled, empty }
    }

    /// Puts the next bytes of the file behind those of `buffer[*start..*end]`, perhaps in another buffer. Gives how many they are; 0 at
    /// the end.
    pub(super) fn next(&self, buffer: &mut Vec<u8>, start: &mut usize, end: &mut usize) -> io::Result<usize> {
        let Ok((mut block, read)) = self.filled.recv() else {
            // It has said that this was all, or why there is no more.
            return Ok(0);
        };
        let count = read?;
        let rest = *end - *start;
        if rest <= FRONT {
            block[FRONT - rest..FRONT].copy_from_slice(&buffer[*start..*end]);
            (*start, *end) = (FRONT - rest, FRONT + count);
            mem::swap(buffer, &mut block);
        } else {
            buffer.copy_within(*start..*end, 0);
            (*start, *end) = (0, rest);
            if buffer.len() < rest + count {
                buffer.resize(rest + count, 0);
            }
            buffer[rest..rest + count].copy_from_slice(&block[FRONT..FRONT + count]);
            *end += count;
        }
        // The thread is gone when it has read all.
        let _ = self.empty.try_send(block);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives at most so many bytes a call.
    struct Slowly(io::Cursor<Vec<u8>>, usize);

    impl Read for Slowly {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_bytes_come_in_order(
            length in 0usize..400_000,
            size in 1usize..100_000,
            most in 1usize..100_000,
            takes in prop::collection::vec(0usize..150_000, 1..9),
        ) {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7 / 3) as u8).collect();
            let (size, most) = (size.max(length / 200 + 1), most.max(length / 200 + 1));
            let ahead = Ahead::start(Box::new(Slowly(io::Cursor::new(bytes.clone()), most)), size);
            let (mut buffer, mut start, mut end) = (vec![0; 10], 3, 3);
            let mut got = Vec::new();
            for take in takes.iter().cycle() {
                let count = ahead.next(&mut buffer, &mut start, &mut end).unwrap();
                let take = if count == 0 { end - start } else { (*take).min(end - start) };
                got.extend_from_slice(&buffer[start..start + take]);
                start += take;
                if count == 0 {
                    break;
                }
            }
            prop_assert!(got == bytes);
        }
    }
}
