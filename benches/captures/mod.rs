//! Generated captures, kept under `target/bench/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The capture of this kind and size, made when it is not there.
pub(crate) fn capture(folder: &Path, kind: &str, size: u64) -> io::Result<PathBuf> {
    let path = folder.join(format!("{kind}-{size}.pcap"));
    if !path.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let unfinished = path.with_extension("part");
        let made = Command::new(cargo)
            .args(["bench", "--quiet", "--bench", "generate", "--", kind, &size.to_string()])
            .arg(&unfinished)
            .status()?;
        if !made.success() {
            return Err(io::Error::other(format!("could not make {}", path.display())));
        }
        if keys(&unfinished).exists() {
            fs::rename(keys(&unfinished), keys(&path))?;
        }
        fs::rename(unfinished, &path)?;
    }
    Ok(path)
}

/// The key log of the capture at `path`; of most kinds there is none.
pub(crate) fn keys(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".keys");
    path.into()
}
