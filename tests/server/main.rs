//! The chat server, as its clients and its operator see it.
#![cfg(feature = "server")]

#[path = "../support/npm.rs"]
mod npm;
mod sniffer;
mod support;

mod clients;
mod life;
mod limits;
mod load;
mod page;
mod protocol;
mod tls;
mod vanished;
