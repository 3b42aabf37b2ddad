//! The four views.

pub mod tcpdump;
