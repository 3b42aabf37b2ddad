//! Runs the programs.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A real capture of 94 packets: Linux cooked, microseconds.
pub(crate) fn capture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/workerman-chat-2014/capture.pcap")
}

/// A file of `fixtures/`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Our program, in English, in UTC, without colours.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"));
    command
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env_remove("SUDO_UID")
        .env_remove("SUDO_GID")
        .stdin(Stdio::null());
    command
}

/// Runs our program to its end.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    command().args(arguments).output().unwrap()
}

/// Runs tcpdump to its end, as root if we are root.
pub(crate) fn tcpdump<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    Command::new("tcpdump")
        .env("TZ", "UTC")
        .args(is_root().then_some(["-Z", "root"]).into_iter().flatten())
        .args(arguments)
        .output()
        .unwrap()
}

/// What went to standard output.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What went to standard error.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The exit code.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A folder that every user may write to, gone when it is dropped.
pub(crate) fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(folder.path(), mode).unwrap();
    folder
}

/// A savefile in `folder` that repeats the packets of the capture until it is larger than `size`.
pub(crate) fn large(folder: &Path, size: usize) -> PathBuf {
    let bytes = fs::read(capture()).unwrap();
    let (header, packets) = bytes.split_at(24);
    let mut all = header.to_vec();
    while all.len() < size {
        all.extend_from_slice(packets);
    }
    let path = folder.join("large.pcap");
    fs::write(&path, all).unwrap();
    path
}
