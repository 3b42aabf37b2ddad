//! The `tcpdump` view: byte for byte what tcpdump 4.99 prints with `-n` and the same flags.
//!
//! What comes in: packets as captured. What goes out: their lines. This view needs no engine and shares nothing with it: it
//! prints headers as they are, damaged ones too, and each of its files follows what tcpdump shows of one protocol, down to where
//! it stops when bytes are missing. TCP over IPv4 and IPv6 is exact, in any of the link layers and tunnels that can carry it, and so
//! is HTTP on the ports where tcpdump looks for it; protocols for which tcpdump has more to say than a line have a short form.

mod arp;
mod checksum;
mod cooked;
mod demux;
mod dump;
mod ethernet;
mod ethertype;
mod gre;
mod http;
mod icmp;
mod interfaces;
mod ip4;
mod ip4_options;
mod ip6;
mod ip6_options;
mod ipsec;
mod line;
mod link;
mod llc;
mod loopback;
mod mpls;
mod mptcp;
mod names;
mod number;
mod options;
mod ppp;
mod printer;
mod protocol;
mod quick;
mod seq_table;
mod tcp;
mod tcp_options;
mod time;
mod udp;
mod udp_tunnels;

pub use names::{Names, Resolve};
pub use options::{Options, Precision, TimeFormat};
pub use printer::Printer;
pub(super) use time::Clock;
