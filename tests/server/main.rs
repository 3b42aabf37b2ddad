//! The chat server, as its clients and its operator see it.
#![cfg(feature = "server")]

mod support;

mod life;
mod limits;
mod load;
mod page;
mod protocol;
