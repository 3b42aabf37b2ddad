//! The views: sinks that write what they hear into a buffer, and the text tools that they share.

pub mod escape;
pub mod hexdump;
pub mod hidden;
pub mod json_text;
mod lanes;
pub mod palette;
mod view;
pub mod tcpdump;
pub mod trace;

pub use view::View;
