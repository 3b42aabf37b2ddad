//! The `tcpdump` view: byte for byte what tcpdump 4.99 prints with `-n` and the same flags.
//!
//! What comes in: packets as captured. What goes out: their lines. This view needs no engine: the readers of headers in
//! [`crate::wire`] say what they find, damaged or cut as it may be, and here it is written. TCP over IPv4 and IPv6 is exact, in any of
//! the link layers and tunnels that can carry it and that tcpdump opens, and so is HTTP on the ports where tcpdump looks for it.
//! UDP, ICMP and ARP have their short form, everything else is one short line.

mod dump;
mod http;
mod interfaces;
mod line;
mod lines;
mod mptcp;
mod names;
mod number;
mod options;
mod printer;
mod seq_table;
mod tcp;
mod tcp_options;
mod text;
mod time;

pub use lines::Lines;
pub use names::{Names, Resolve};
pub use options::{Options, Precision, TimeFormat};
pub use printer::Printer;
pub(super) use time::Clock;
