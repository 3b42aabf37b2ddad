//! A capture in a file: pcap, pcapng, either compressed. Beside not panicking: what is read does not depend on how the bytes come
//! (at once, or a few at a time as from a pipe), no packet is longer than libpcap would have it, and damage ends the reading.

use std::io::{self, Read};
use std::path::Path;

use wschat_sniff::capture::offline::Offline;

/// The longest packet of any link type (D-Bus, USB).
const LONGEST: usize = 128 << 20;

/// A small compressed file can hold this many empty packets and many more; these will do.
const PACKETS: usize = 2_000;

/// Gives a few bytes a call.
struct Slowly(io::Cursor<Vec<u8>>, usize);

impl Read for Slowly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 % 7 + 1;
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

/// A packet's time, link type, length on the wire and bytes.
type Read1 = (i64, i32, usize, Vec<u8>);

fn all(source: Box<dyn Read + Send>, size: Option<u64>) -> (Vec<Read1>, Option<String>) {
    let mut packets = Vec::new();
    let mut offline = match Offline::read(Path::new("fuzzed"), source, size, true, 64 << 20) {
        Ok(offline) => offline,
        Err(error) => return (packets, Some(error.to_string())),
    };
    while packets.len() < PACKETS {
        match offline.next_packet() {
            Ok(Some(raw)) => {
                assert!(raw.data.bytes.len() <= LONGEST);
                packets.push((raw.time.nanos(), raw.link.0, raw.data.wire_len, raw.data.bytes.to_vec()));
            }
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
    (packets, None)
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let at_once = all(Box::new(io::Cursor::new(data.to_vec())), Some(data.len() as u64));
    let slowly = all(Box::new(Slowly(io::Cursor::new(data.to_vec()), 0)), None);
    assert_eq!(at_once, slowly);
    if let Some(error) = &at_once.1 {
        assert!(
            error.lines().count() == 1 && !error.chars().any(char::is_control),
            "{error}"
        );
    }
}
