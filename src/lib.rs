//! `wschat_sniff` reads WebSocket conversations off the wire.
//!
//! Packets go into an [`engine::Engine`], [`record::Record`]s come out of it, to a [`record::Sink`]. The messages of a capture:
//!
//! ```no_run
//! use std::ops::ControlFlow;
//!
//! use wschat_sniff::engine::Engine;
//! use wschat_sniff::record::{Record, RecordKind, Sink};
//!
//! struct Messages;
//!
//! impl Sink for Messages {
//!     fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
//!         if let RecordKind::Message(message) = record.kind {
//!             println!("{} {:?}", record.source.sender(message.direction), message.text);
//!         }
//!         ControlFlow::Continue(())
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut engine = Engine::new(Default::default());
//!     wschat_sniff::replay("capture.pcap".as_ref(), &mut engine, &mut Messages)?;
//!     Ok(())
//! }
//! ```
//!
//! `examples/` has this as a program, an exporter, and a dissector of one's own.
//!
//! # Guided tour
//!
//! The modules are in an order: each imports only from those above it in this list (`tests/module_order.rs` holds it).
//!
//! | module | what comes in | what goes out |
//! | --- | --- | --- |
//! | [`base`] | | the words everybody uses: time, endpoints, captured bytes, gaps, violations, limits |
//! | [`bounded`] | | what keeps to a bound: the budget of memory, lists in the order of use, stores |
//! | [`wire`] | a captured packet | a TCP segment (RFC 9293 §3.1), out of any link layer, defragmented |
//! | [`tcp`] | segments | two byte streams a connection, with gaps, and facts about each segment |
//! | [`record`] | | what leaves the engine, and [`record::Sink`], who receives it |
//! | `session` | | who is client, and what is counted of a session until it ends |
//! | [`layer`] | two streams a connection | records: layers that turn into each other (`detect`, `proxy`, `tls`, [`layer::http1`], [`layer::http2`], [`layer::ws`]) |
//! | [`dissect`] | messages | what they mean to the application |
//! | [`engine`] | packets | records: the modules above, wired together |
//! | [`select`] | records | which of them the user wants to see |
//! | [`compare`] | records of two captures | which messages are the same, and what a proxy did with the others |
//! | [`annotate`] | packets and records | notes: who does what to whom, in no language yet |
//! | [`annotate::texts`] | notes | words |
//! | [`export`] | all of that | the views |
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
pub mod compare;
pub mod annotate;
pub mod export;
pub mod capture;
#[cfg(feature = "server")]
pub mod server;
pub mod cli;
pub mod run;

use std::path::Path;

/// Reads a capture file (pcap or pcapng, perhaps compressed) through `engine` and tells `sink` what it brings, until it says stop; then the
/// capture's end.
///
/// # Errors
/// When the file cannot be opened or read, or is damaged: what stands before the damage has been told.
pub fn replay(path: &Path, engine: &mut engine::Engine, sink: &mut dyn record::Sink) -> Result<(), capture::Error> {
    let mut input = capture::offline::Offline::open(path, true)?;
    let mut number = 0;
    let read = loop {
        let raw = match input.next_packet() {
            Ok(Some(raw)) => raw,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        number += 1;
        let packet = wire::Packet {
            number,
            time: raw.time,
            link: raw.link,
            data: raw.data,
        };
        if engine.packet(&packet, sink).is_break() {
            return Ok(());
        }
    };
    let _ = engine.finish(sink);
    read
}
