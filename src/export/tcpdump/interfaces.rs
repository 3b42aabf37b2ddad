//! Names of this machine's network interfaces, for the index that Linux's cooked header v2 carries.

use std::fs;
use std::path::Path;

/// Interface names by index.
///
/// As with tcpdump, the names are those of the machine that prints, whoever captured. They are asked for when an index is not
/// known, but then for all at once, and seldomer each time: a live capture may see an interface come up, and a file from
/// elsewhere may name any number of them.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    known: Vec<(u32, Box<[u8]>)>,
    misses: u64,
}

impl Interfaces {
    /// The name, or `None` when this machine has no such interface.
    pub(super) fn name(&mut self, index: u32) -> Option<&[u8]> {
        let find = |known: &[(u32, Box<[u8]>)]| known.iter().position(|(of, _)| *of == index);
        let at = match find(&self.known) {
            Some(at) => at,
            None => {
                self.misses += 1;
                if !self.misses.is_power_of_two() {
                    return None;
                }
                self.known = ask(Path::new("/sys/class/net"));
                find(&self.known)?
            }
        };
        Some(&self.known[at].1)
    }
}

/// Linux has a folder an interface, with a file that tells its index.
fn ask(folder: &Path) -> Vec<(u32, Box<[u8]>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let interface = |entry: fs::DirEntry| {
        let index = fs::read_to_string(entry.path().join("ifindex")).ok()?;
        Some((
            index.trim().parse().ok()?,
            entry.file_name().into_encoded_bytes().into(),
        ))
    };
    entries.flatten().filter_map(interface).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_index_1_and_0_is_none() {
        let mut interfaces = Interfaces::default();
        assert_eq!(interfaces.name(0), None);
        if cfg!(target_os = "linux") {
            // The first index that is unknown asks, the second one asks again.
            assert_eq!(interfaces.name(1), Some(&b"lo"[..]));
        }
    }
}
