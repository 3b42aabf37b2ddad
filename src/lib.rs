//! `wschat_sniff` reads WebSocket conversations off the wire.
//!
//! # Guided tour
//!
//! The house has floors. Each floor imports only from floors above it in this list (`tests/floors.rs` enforces it):
//!
//! | floor | what comes in | what goes out |
//! | --- | --- | --- |
//! | [`base`] | | the words everybody uses: time, endpoints, captured bytes, gaps, violations, limits |
//! | [`net`] | a captured packet | a TCP segment (RFC 9293 §3.1), out of any link layer, defragmented |
//! | [`tcp`] | segments | two byte streams a connection, with gaps, and facts about each segment |
//! | [`http`] | the head of both streams | the upgrade (RFC 6455 §4) and its extensions (RFC 7692 §7) |
//! | [`ws`] | the rest of both streams | frames and messages (RFC 6455 §5), unmasked, joined, inflated |
//! | [`event`] | | what the engine says, and [`event::Sink`], who listens |
//! | [`engine`] | packets | events: the floors above, wired together |
//! | [`select`] | events | which of them the user wants to see |
//! | [`app`] | messages | what they mean to the application |
//! | [`narrate`] | packets and events | notes: who does what to whom, in no language yet |
//! | [`lang`] | notes | words |
//! | [`render`] | all of that | the four views |
//! | [`capture`] | interfaces (libpcap), savefiles (a reader of our own) | packets; the savefiles we write |
//! | `server` | | the reference chat server |
//! | [`cli`], [`run`] | the command line | one run |
//!
//! Packets are pushed, not pulled: the capture pushes a borrowed [`net::Packet`] into the [`engine`], which pushes borrowed
//! [`event::Event`]s into a [`event::Sink`]; a view is a sink. Nothing from `base` to `engine` does I/O, reads a clock, logs or
//! starts a thread: time comes with the packet, so a replay is deterministic.
//!
//! What is missing is data, not an error (a [`base::Gap`], a hole in a payload), and what breaks a rule of an RFC is a
//! [`base::Violation`]; decoding goes on after both.

pub mod base;
pub mod net;
pub mod tcp;
pub mod http;
pub mod ws;
pub mod event;
pub mod engine;
pub mod select;
pub mod app;
pub mod narrate;
pub mod lang;
pub mod render;
pub mod capture;
#[cfg(feature = "server")]
pub mod server;
pub mod cli;
pub mod run;
