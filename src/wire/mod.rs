//! From a captured packet to a TCP segment (RFC 9293 §3.1), and to tcpdump's words for its headers. `etherparse` lives here.
//!
//! In: a [`Packet`] of any link type of [`LinkType::TABLE`]. Out: its [`Segment`], through [`Decoder`], which also puts IP fragments
//! together. Each header is read by one function (`reader`), whoever wants it. Nothing is judged: what a header says is believed
//! as long as it can be, and a packet that was cut still gives its segment, with the length that it had on the wire.

mod arp;
pub(crate) mod checksum;
mod decoder;
mod encapsulation;
pub(crate) mod ethertype;
mod fragments;
mod icmp;
pub(crate) mod ip;
pub(crate) mod ip4;
mod ip4_options;
pub(crate) mod ip6;
mod ip6_options;
mod ipsec;
pub(crate) mod link;
mod llc;
mod mpls;
mod ppp;
pub(crate) mod protocol;
pub(crate) mod reader;
mod segment;
pub(crate) mod tcp;
mod tunnel;
mod udp;

pub use decoder::Decoder;
pub use encapsulation::{Encapsulation, encapsulation};

use crate::base::{Captured, Endpoint, Timestamp};

/// So many hops may come or go on the way of a connection's segments, and of a datagram's fragments.
pub(crate) const TTL_CHANGE: u8 = 5;

/// A link type, as libpcap numbers them (`LINKTYPE_`/`DLT_` values as they come from `pcap_datalink`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkType(pub i32);

impl LinkType {
    /// The number in a savefile (`LINKTYPE_`), which differs from that of libpcap (`DLT_`) for a few:
    /// <https://www.tcpdump.org/linktypes.html>.
    pub const fn to_file(self) -> u32 {
        match self.0 {
            11 => 100,
            12 | 14 => 101,
            15 => 102,
            16 => 103,
            other => other as u32,
        }
    }
}

/// A packet as it was captured, borrowed from the capture's buffer.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'p> {
    /// From 1, over all inputs of the run, counted after the filter.
    pub number: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// What its first byte is.
    pub link: LinkType,
    /// Its bytes, and how long it was: as the capture says, unjudged, so that in a damaged file `wire_len` may be the smaller one
    /// (made without [`Captured::new`], which would hide that from the `tcpdump` view).
    pub data: Captured<'p>,
}

/// TCP's control bits (RFC 9293 §3.1), as in the 13th and 14th byte of its header: FIN is 0x01 … CWR is 0x80, AE 0x100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// The sender has finished sending.
    pub const fn fin(self) -> bool {
        self.0 & 0x01 != 0
    }
    /// Synchronise sequence numbers.
    pub const fn syn(self) -> bool {
        self.0 & 0x02 != 0
    }
    /// Reset the connection.
    pub const fn rst(self) -> bool {
        self.0 & 0x04 != 0
    }
    /// The urgent pointer counts.
    pub const fn urg(self) -> bool {
        self.0 & 0x20 != 0
    }
    /// Push.
    pub const fn psh(self) -> bool {
        self.0 & 0x08 != 0
    }
    /// The acknowledgment field counts.
    pub const fn ack(self) -> bool {
        self.0 & 0x10 != 0
    }
}

/// What a segment's checksum is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// Right.
    Right,
    /// Of the pseudo header alone: a network card is to do the rest, or has joined several segments.
    Partial,
    /// Neither: damaged, forged, or not computed where it was captured.
    Wrong,
    /// The packet was cut.
    Unknown,
}

/// A TCP segment (RFC 9293 §3.1) out of one packet, or out of the fragments of one datagram.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'p> {
    /// Who sent it.
    pub source: Endpoint,
    /// To whom.
    pub destination: Endpoint,
    /// Sequence number of its first byte (of the SYN, if it has one).
    pub seq: u32,
    /// The next sequence number that the sender expects; counts when `flags.ack()`.
    pub ack: u32,
    /// Control bits.
    pub flags: TcpFlags,
    /// The window as sent, not scaled.
    pub window: u16,
    /// The whole header as far as it was captured, its options included, which are raw and perhaps malformed.
    pub header: &'p [u8],
    /// The data, cut when the packet was cut.
    pub payload: Captured<'p>,
    /// The IP identification and time to live (hop limit), to tell a duplicate of the capture from a retransmission.
    pub ip_id: Option<u16>,
    /// See `ip_id`.
    pub ttl: u8,
    /// The packet was shorter on the wire than its IP header says, so that a receiver discards it.
    pub is_short: bool,
    /// The packets that brought the fragments of its datagram, this one among them; empty when it came whole.
    pub fragments: &'p [u64],
    /// Fragments of the datagram overlapped with different bytes, or told different lengths. The ones that came first were taken, of those
    /// that came the same way; systems differ in that (RFC 8200 §4.5 forbids it, RFC 5722 has the datagram dropped). A datagram that
    /// was whole before comes again with the first fragment that differs from it.
    pub fragments_differ: bool,
}
