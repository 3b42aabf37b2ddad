//! A captured packet, referred to.

use super::Timestamp;

/// Where and when something came: a packet's number and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketRef {
    /// Packet number, from 1.
    pub packet: u64,
    /// Its time.
    pub time: Timestamp,
}
