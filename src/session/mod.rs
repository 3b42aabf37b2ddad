//! What is known of a WebSocket session whatever carries it: who is client, and what is counted until it ends.

mod roles;
mod stats;

pub(crate) use roles::{Carrier, Roles};
pub(crate) use stats::SessionStats;
