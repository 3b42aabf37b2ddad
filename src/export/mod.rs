//! The views: sinks that write what they hear into a buffer, and the text tools that they share.

mod annotated;
mod credentials;
pub mod escape;
pub mod hexdump;
pub mod hidden;
pub mod json;
pub mod json_text;
mod lanes;
pub mod messages;
mod pcapng;
mod pdu;
#[cfg(test)]
mod samples;
pub mod palette;
mod put;
pub mod redact;
mod selected;
mod summary;
mod table;
mod utc;
mod view;
mod wrap;
pub mod tcpdump;
pub mod trace;

pub use annotated::Annotated;
pub use json::Json;
pub use messages::Messages;
pub use pdu::Pdu;
pub use selected::{SelectedEvents, SelectedPackets};
pub use summary::Summary;
pub use table::{EXPORTERS, Exporter, JSON, MESSAGES, PCAPNG, PDU, Setup, TCPDUMP, TRACE};
pub use view::View;
