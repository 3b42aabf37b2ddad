//! What can go wrong at the edge: one line each, saying what was wrong and what would be right.

use std::io;
use std::path::PathBuf;

/// An error of the capture. Displayed in one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be opened or read.
    #[error("{}: {}", .path.display(), reason(.error))]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that is no capture, or of a kind that is not read.
    #[error("{}: {reason}", .path.display())]
    NotACapture {
        /// Which.
        path: PathBuf,
        /// What it is instead, and what would be right.
        reason: String,
    },
    /// A capture that is damaged; everything before the damage was delivered.
    #[error("{}: {reason}, after {packets} whole packet{}", .path.display(), if *.packets == 1 { "" } else { "s" })]
    Damaged {
        /// Which.
        path: PathBuf,
        /// In what way.
        reason: String,
        /// How many packets came before.
        packets: u64,
    },
    /// A key log that cannot be used.
    #[error("--keylog {}: {reason}", .path.display())]
    KeyLog {
        /// Which.
        path: PathBuf,
        /// Why, and what would be right.
        reason: String,
    },
    /// A filter that libpcap does not compile.
    #[error("filter `{expression}`: {reason}; pcap-filter(7) describes the language")]
    Filter {
        /// The expression.
        expression: String,
        /// What libpcap says.
        reason: String,
    },
    /// A filter in a file that libpcap does not compile. What is in it was perhaps opened as root, and is not quoted.
    #[error("-F {}: does not compile as a filter expression; pcap-filter(7) describes the language", .path.display())]
    FilterFile {
        /// Which.
        path: PathBuf,
    },
    /// Anything else, in words of its own.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// What is wrong with a file, without its name.
    pub fn without_path(&self) -> String {
        match self {
            Self::File { error, .. } => reason(error),
            Self::NotACapture { reason, .. } | Self::Damaged { reason, .. } => reason.clone(),
            other => other.to_string(),
        }
    }
}

/// The system's words for an I/O error, without the number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// What libpcap says, without the crate's preamble.
pub(super) fn libpcap(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}
