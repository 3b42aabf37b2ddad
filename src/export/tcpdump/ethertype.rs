//! Ethertypes: what follows an Ethernet header, or another one that borrows its numbers.

use super::line::{Line, Printed};
use super::{arp, ip4, ip6, mpls, ppp};

/// Up to here the number in an Ethernet header is a length (IEEE 802.3 §3.2.6).
pub(super) const ETHERNET_LENGTH_MAX: u16 = 1500;
pub(super) const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const REVERSE_ARP: u16 = 0x8035;
pub(super) const VLAN: u16 = 0x8100;
pub(super) const VLAN_QINQ: u16 = 0x88a8;
pub(super) const VLAN_9100: u16 = 0x9100;
pub(super) const VLAN_9200: u16 = 0x9200;
pub(super) const IPV6: u16 = 0x86dd;
pub(super) const PPP: u16 = 0x880b;
pub(super) const MPLS: u16 = 0x8847;
pub(super) const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_DISCOVERY: u16 = 0x8863;
const PPPOE_SESSION: u16 = 0x8864;
/// The numbers of PPP over Ethernet before it had any.
const PPPOE_DISCOVERY_OLD: u16 = 0x3c12;
const PPPOE_SESSION_OLD: u16 = 0x3c13;
pub(super) const JUMBO: u16 = 0x8870;

/// How long a header was, and whether what it carries was told too.
pub(super) enum Found {
    /// Told.
    Known(usize),
    /// Somebody else has to dump it.
    Unknown(usize),
}

/// Where the hardware addresses of the frame are, when it has some: source and destination.
pub(super) type Addresses = Option<(usize, usize)>;

/// Prints what an ethertype says is at `at`; `false` when nothing is known about it.
pub(super) fn print(
    line: &mut Line<'_>,
    ethertype: u16,
    at: usize,
    length: u32,
    _addresses: Addresses,
) -> Printed<bool> {
    match ethertype {
        IPV4 => ip4::print(line, at, length)?,
        IPV6 => ip6::print(line, at, length)?,
        MPLS | MPLS_MULTICAST => mpls::print(line, at, length)?,
        PPPOE_DISCOVERY | PPPOE_SESSION | PPPOE_DISCOVERY_OLD | PPPOE_SESSION_OLD => {
            ppp::over_ethernet(line, at, length)?;
        }
        PPP if length > 0 => {
            line.text(": ");
            line.nested(|line| ppp::frame(line, at, length))?;
        }
        PPP => {}
        ARP | REVERSE_ARP => arp::print(line, at, length)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// tcpdump's name of an ethertype.
pub(super) fn name(ethertype: u16) -> Option<&'static str> {
    Some(match ethertype {
        0x00fe => "GRE-OSI",
        0x0200 => "PUP",
        0x0500 => "Sprite",
        0x0600 => "NS",
        0x0707 => "GeoNet (old)",
        IPV4 => "IPv4",
        ARP => "ARP",
        0x1000 => "Trail",
        0x1111 => "CALM FAST",
        0x6001 => "MOP DL",
        0x6002 => "MOP RC",
        0x6003 => "DN",
        0x6004 => "LAT",
        0x6007 => "SCA",
        0x6558 => "TEB",
        REVERSE_ARP => "Reverse ARP",
        0x8038 => "Lanbridge",
        0x803c => "DEC DNS",
        0x803e => "DEC DTS",
        0x805b => "VEXP",
        0x805c => "VPROD",
        0x809b => "Appletalk",
        0x80f3 => "Appletalk ARP",
        VLAN => "802.1Q",
        0x8137 => "IPX",
        IPV6 => "IPv6",
        0x8808 => "MPCP",
        0x8809 => "Slow Protocols",
        PPP => "PPP",
        MPLS => "MPLS unicast",
        MPLS_MULTICAST => "MPLS multicast",
        PPPOE_DISCOVERY => "PPPoE D",
        PPPOE_SESSION => "PPPoE S",
        0x886f => "MS NLB heartbeat",
        JUMBO => "Jumbo",
        0x888e => "EAPOL",
        0x8899 => "Realtek protocols",
        0x88a2 => "AoE",
        VLAN_QINQ => "802.1Q-QinQ",
        0x88ca => "TIPC",
        0x88cc => "LLDP",
        0x88e5 => "802.1AE MACsec",
        0x88f7 => "PTP",
        0x8902 => "CFM",
        0x893a => "IEEE1905.1",
        0x8947 => "GeoNet",
        0x894f => "NSH",
        0x9000 => "Loopback",
        VLAN_9100 => "802.1Q-9100",
        VLAN_9200 => "802.1Q-9200",
        0xabcd => "CFM (old)",
        0xd28b => "Arista Vendor Specific Protocol",
        0xfefe => "OSI",
        _ => return None,
    })
}
