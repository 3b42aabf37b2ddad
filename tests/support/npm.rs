//! Packages of npm that tests use.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs `package`, such as `axe-core@4`, once; gives the folder in which Node finds it. `Err` says why it is not there.
pub(crate) fn installed(package: &str) -> Result<PathBuf, String> {
    let name = package.split('@').next().unwrap_or_default();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(name);
    if folder.join("node_modules").join(name).exists() {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let output = Command::new("npm")
        .args([
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--fetch-retries=1",
            "--prefix",
        ])
        .arg(&folder)
        .arg(package)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    match output.status.success() {
        true => Ok(folder),
        false => Err(format!("npm: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
