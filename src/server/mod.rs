//! The reference chat server.
