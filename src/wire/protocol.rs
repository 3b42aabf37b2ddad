//! Numbers of the protocols over IP (IANA's registry) and tcpdump's names for those that may carry TCP.

pub(crate) const HOP_BY_HOP: u8 = 0;
pub(crate) const ICMP: u8 = 1;
pub(crate) const IPV4: u8 = 4;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const IPV6: u8 = 41;
pub(crate) const ROUTING: u8 = 43;
pub(crate) const FRAGMENT: u8 = 44;
pub(crate) const GRE: u8 = 47;
pub(crate) const AH: u8 = 51;
pub(crate) const ICMPV6: u8 = 58;
pub(crate) const DESTINATION_OPTIONS: u8 = 60;
pub(crate) const ETHERIP: u8 = 97;
pub(crate) const ETHERNET: u8 = 143;

/// tcpdump's name, `None` for what it calls `unknown` and for what cannot carry TCP.
pub(crate) fn name(protocol: u8) -> Option<&'static str> {
    Some(match protocol {
        HOP_BY_HOP => "Options",
        ICMP => "ICMP",
        IPV4 => "IPIP",
        TCP => "TCP",
        UDP => "UDP",
        IPV6 => "IPv6",
        ROUTING => "Routing",
        FRAGMENT => "Fragment",
        GRE => "GRE",
        AH => "AH",
        ICMPV6 => "ICMPv6",
        ETHERNET => "Ethernet",
        _ => return None,
    })
}

/// Whether a line about it has ports, and so names the hosts itself.
pub(crate) fn names_ports(protocol: u8) -> bool {
    matches!(protocol, TCP | UDP)
}
