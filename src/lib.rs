//! `wschat_sniff` reads WebSocket conversations off the wire.
//!
//! # Guided tour
//!
//! The modules are in an order: each imports only from those above it in this list (`tests/module_order.rs` holds it).
//!
//! | module | what comes in | what goes out |
//! | --- | --- | --- |
//! | [`base`] | | the words everybody uses: time, endpoints, captured bytes, gaps, violations, limits |
//! | [`wire`] | a captured packet | a TCP segment (RFC 9293 §3.1), out of any link layer, defragmented |
//! | [`tcp`] | segments | two byte streams a connection, with gaps, and facts about each segment |
//! | [`record`] | | what leaves the engine, and [`record::Sink`], who receives it |
//! | `session` | | who is client, and what is counted of a session until it ends |
//! | [`layer`] | two streams a connection | records: layers that turn into each other (`detect`, [`layer::http1`], [`layer::ws`]) |
//! | [`dissect`] | messages | what they mean to the application |
//! | [`engine`] | packets | records: the modules above, wired together |
//! | [`select`] | records | which of them the user wants to see |
//! | [`annotate`] | packets and records | notes: who does what to whom, in no language yet |
//! | [`annotate::texts`] | notes | words |
//! | [`export`] | all of that | the four views |
//! | [`capture`] | interfaces (libpcap), savefiles (a reader of our own) | packets; the savefiles we write |
//! | `server` | | the reference chat server |
//! | [`cli`], [`run`] | the command line | one run |
//!
//! Packets are pushed, not pulled: the capture pushes a borrowed [`wire::Packet`] into the [`engine`], which pushes borrowed
//! [`record::Record`]s into a [`record::Sink`]; a view is a sink. Nothing from `base` to `engine` does I/O, reads a clock, logs or
//! starts a thread: time comes with the packet, so a replay is deterministic.
//!
//! What is missing is data, not an error (a [`base::Gap`], a hole in a payload), and what breaks a rule of an RFC is a
//! [`base::Violation`]; decoding goes on after both.

pub mod base;
pub mod bounded;
pub mod wire;
pub mod tcp;
pub mod record;
pub(crate) mod session;
pub mod layer;
pub mod dissect;
pub mod engine;
pub mod select;
pub mod annotate;
pub mod export;
pub mod capture;
#[cfg(feature = "server")]
pub mod server;
pub mod cli;
pub mod run;
