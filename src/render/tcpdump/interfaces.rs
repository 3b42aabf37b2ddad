//! Names of this machine's network interfaces, for the index that Linux's cooked header v2 carries.

use std::fs;

/// Interface names by index, asked from the system when an index is first seen.
///
/// As with tcpdump, the names are those of the machine that prints, whoever captured.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    known: Vec<(u32, Option<Box<[u8]>>)>,
}

impl Interfaces {
    /// How many indices are remembered; more are asked for again each time.
    const REMEMBERED: usize = 256;

    /// The name, or `None` when this machine has no such interface.
    pub(super) fn name(&mut self, index: u32) -> Option<&[u8]> {
        let at = match self.known.iter().position(|(known, _)| *known == index) {
            Some(at) => at,
            None => {
                if self.known.len() >= Self::REMEMBERED {
                    self.known.clear();
                }
                self.known.push((index, look_up(index)));
                self.known.len() - 1
            }
        };
        self.known[at].1.as_deref()
    }
}

/// Linux tells the index of each interface in a file.
fn look_up(index: u32) -> Option<Box<[u8]>> {
    fs::read_dir("/sys/class/net").ok()?.flatten().find_map(|entry| {
        let told = fs::read_to_string(entry.path().join("ifindex")).ok()?;
        let found = told.trim().parse() == Ok(index);
        found.then(|| entry.file_name().into_encoded_bytes().into())
    })
}
