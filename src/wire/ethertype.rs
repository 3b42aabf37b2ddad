//! Ethertypes: what follows an Ethernet header, or another one that borrows its numbers.

use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{arp, ip4, ip6, mpls, ppp};

/// Up to here the number in an Ethernet header is a length (IEEE 802.3 §3.2.6).
pub(crate) const LENGTH_MAX: u16 = 1500;
pub(crate) const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
/// Transparent Ethernet bridging: a whole frame, in tunnels.
pub(crate) const ETHERNET: u16 = 0x6558;
pub(crate) const VLAN: u16 = 0x8100;
pub(crate) const VLAN_QINQ: u16 = 0x88a8;
/// Numbers of the outer tag before it had one.
pub(crate) const VLAN_9100: u16 = 0x9100;
pub(crate) const VLAN_9200: u16 = 0x9200;
pub(crate) const IPV6: u16 = 0x86dd;
pub(crate) const PPP: u16 = 0x880b;
pub(crate) const MPLS: u16 = 0x8847;
pub(crate) const MPLS_MULTICAST: u16 = 0x8848;
pub(crate) const PPPOE_SESSION: u16 = 0x8864;
/// The number of PPP over Ethernet before it had one.
const PPPOE_SESSION_OLD: u16 = 0x3c13;
/// Jumbo frames: LLC without a length.
pub(crate) const JUMBO: u16 = 0x8870;

/// Reads what an ethertype says is at `at`; `false` when nothing is known about it.
#[inline]
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, ethertype: u16, at: usize, length: u32) -> Read<bool> {
    match ethertype {
        IPV4 => ip4::read(reader, at, length)?,
        IPV6 => ip6::read(reader, at, length)?,
        _ => return other(reader, ethertype, at, length),
    }
    Ok(true)
}

fn other<L: Listener>(reader: &mut Reader<'_, L>, ethertype: u16, at: usize, length: u32) -> Read<bool> {
    match ethertype {
        MPLS | MPLS_MULTICAST => mpls::read(reader, at, length)?,
        PPPOE_SESSION | PPPOE_SESSION_OLD => _ = ppp::over_ethernet(reader, at, length)?,
        PPP if length > 0 => {
            reader.text(": ");
            reader.nested(|reader| ppp::frame(reader, at, length))?;
        }
        PPP => {}
        ARP => arp::read(reader, at, length)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// tcpdump's name of an ethertype behind which TCP may be.
pub(crate) fn name(ethertype: u16) -> Option<&'static str> {
    Some(match ethertype {
        IPV4 => "IPv4",
        ARP => "ARP",
        ETHERNET => "TEB",
        VLAN => "802.1Q",
        IPV6 => "IPv6",
        PPP => "PPP",
        MPLS => "MPLS unicast",
        MPLS_MULTICAST => "MPLS multicast",
        PPPOE_SESSION => "PPPoE S",
        JUMBO => "Jumbo",
        VLAN_QINQ => "802.1Q-QinQ",
        VLAN_9100 => "802.1Q-9100",
        VLAN_9200 => "802.1Q-9200",
        _ => return None,
    })
}

/// `IPv4 (0x0800)`
pub(crate) fn name_and_number<L: Listener>(reader: &mut Reader<'_, L>, ethertype: u16, unknown: &str) {
    reader.text(name(ethertype).unwrap_or(unknown));
    reader.hex_padded(" (0x", ethertype, 4);
    reader.text(")");
}
