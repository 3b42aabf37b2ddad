//! Where packets come from and where they are written to. The only module that names the `pcap` crate.
//!
//! In: interfaces and files. Out: borrowed packets with their time and link type ([`Raw`]), and savefiles.
//! libpcap captures, lists interfaces and compiles filters; files are read and written, and filters run over them, by
//! ourselves: see [`offline`] and [`bpf`] for why.

mod error;
pub mod bpf;
pub mod devices;
pub mod filter;
mod filter_hints;
pub mod key_log_file;
mod libpcap;
pub mod link_types;
pub mod live;
pub mod offline;
mod outputs;
mod payload_folder;
pub mod privileges;
pub mod sandbox;
pub mod savefile;

pub use error::Error;
pub use libpcap::version as libpcap_version;
pub use outputs::Outputs;
pub use payload_folder::PayloadFolder;

use crate::base::{Captured, Timestamp};
use crate::wire::LinkType;

/// A packet as it was captured, before the filter: it has no number yet.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'p> {
    /// When it was captured.
    pub time: Timestamp,
    /// What its first byte is.
    pub link: LinkType,
    /// It was written by a machine of the other byte order than this one's, whose order some link types' headers have.
    pub swapped: bool,
    /// Its bytes, and how long it was on the wire.
    pub data: Captured<'p>,
}
