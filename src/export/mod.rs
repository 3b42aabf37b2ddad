//! The views: sinks that write what they hear into a buffer, and the text tools that they share.

mod columns;
pub mod comparison;
pub mod escape;
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
pub mod sessions;
mod summary;
mod table;
mod utc;
mod view;
mod wrap;
pub mod tcpdump;
pub mod trace;

pub use json::Json;
pub use messages::Messages;
pub use sessions::Sessions;
pub use summary::Summary;
pub use table::{EXPORTERS, Exporter, JSON, MESSAGES, SESSIONS, Setup, TCPDUMP, TRACE};
pub use view::View;
