//! Numbers of the protocols over IP (IANA's registry) and tcpdump's names for them.

pub(super) const HOP_BY_HOP: u8 = 0;
pub(super) const ICMP: u8 = 1;
pub(super) const IGMP: u8 = 2;
pub(super) const IPV4: u8 = 4;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const DCCP: u8 = 33;
pub(super) const IPV6: u8 = 41;
pub(super) const ROUTING: u8 = 43;
pub(super) const FRAGMENT: u8 = 44;
pub(super) const GRE: u8 = 47;
pub(super) const ESP: u8 = 50;
pub(super) const AH: u8 = 51;
pub(super) const ICMPV6: u8 = 58;
pub(super) const NONE: u8 = 59;
pub(super) const DESTINATION_OPTIONS: u8 = 60;
pub(super) const MOBILITY_OLD: u8 = 62;
pub(super) const SCTP: u8 = 132;
pub(super) const MOBILITY: u8 = 135;
pub(super) const ETHERNET: u8 = 143;

/// tcpdump's name, `None` for what it calls `unknown`.
pub(super) fn name(protocol: u8) -> Option<&'static str> {
    Some(match protocol {
        HOP_BY_HOP => "Options",
        ICMP => "ICMP",
        IGMP => "IGMP",
        IPV4 => "IPIP",
        TCP => "TCP",
        8 => "EGP",
        9 => "IGRP",
        UDP => "UDP",
        DCCP => "DCCP",
        IPV6 => "IPv6",
        ROUTING => "Routing",
        FRAGMENT => "Fragment",
        46 => "RSVP",
        GRE => "GRE",
        ESP => "ESP",
        AH => "AH",
        55 => "Mobile IP",
        ICMPV6 => "ICMPv6",
        MOBILITY_OLD => "Mobile IP (old)",
        88 => "EIGRP",
        89 => "OSPF",
        103 => "PIM",
        108 => "Compressed IP",
        112 => "VRRP",
        113 => "PGM",
        SCTP => "SCTP",
        MOBILITY => "Mobility",
        ETHERNET => "Ethernet",
        _ => return None,
    })
}

/// Whether it is something to be carried, not one of IPv6's extension headers out of place.
pub(super) fn is_payload(protocol: u8) -> bool {
    !matches!(
        protocol,
        HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS | MOBILITY_OLD | MOBILITY
    )
}
