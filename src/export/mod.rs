//! The views: sinks that write what they hear into a buffer, and the text tools that they share.

mod annotated;
mod columns;
pub mod comparison;
mod contents;
pub(crate) mod credentials;
mod decoded;
pub mod escape;
pub mod har;
pub mod html;
mod gzip;
pub mod hexdump;
pub mod hidden;
pub mod json;
pub mod json_text;
mod lanes;
mod left_out;
pub mod messages;
mod pcapng;
mod pdu;
#[cfg(test)]
mod samples;
pub mod palette;
mod put;
pub mod redact;
mod secrets;
pub mod sessions;
mod stripped;
mod summary;
mod table;
mod url;
mod utc;
mod view;
mod wrap;
pub mod tcpdump;
pub mod trace;

pub use annotated::Annotated;
pub use har::Har;
pub use html::Html;
pub use json::Json;
pub use messages::Messages;
pub use pdu::Pdu;
pub use sessions::Sessions;
pub use summary::Summary;
pub use table::{
    EXPORTERS, Exporter, HAR, HTML, JSON, MESSAGES, PCAPNG, PDU, SESSIONS, Setup, TCPDUMP, TRACE, heeding,
};
pub use view::View;
