//! The views: sinks that write what they hear into a buffer, and the text tools that they share.

pub mod escape;
mod gzip;
pub mod hexdump;
pub mod hidden;
pub mod json;
pub mod json_text;
mod lanes;
pub mod messages;
#[cfg(test)]
mod samples;
pub mod palette;
mod put;
mod selected;
mod summary;
mod table;
mod utc;
mod view;
mod wrap;
pub mod tcpdump;
pub mod trace;

pub use json::Json;
pub use messages::Messages;
pub use selected::{SelectedEvents, SelectedPackets};
pub use summary::Summary;
pub use table::{EXPORTERS, Exporter, JSON, MESSAGES, Setup, TCPDUMP, TRACE};
pub use view::View;
