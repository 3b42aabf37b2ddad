//! Link layers: from a packet's first byte to the network layer. One row of [`network`] a link type.
//!
//! The headers are described at <https://www.tcpdump.org/linktypes.html>; Ethernet in IEEE 802.3, VLAN tags in
//! IEEE 802.1Q, PPP in RFC 1661, PPPoE in RFC 2516, SNAP in IEEE 802, MPLS in RFC 3032.

use crate::base::Captured;
use crate::wire::LinkType;

/// The network layer of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network<'p> {
    /// From the first byte of the network layer's header on, padding included.
    pub(super) data: Captured<'p>,
    /// Which interface saw it, when the link layer says so (SLL2).
    pub(super) interface: Option<u32>,
}

impl LinkType {
    /// BSD loopback: a protocol family in the byte order of the machine that captured.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP.
    pub const PPP: Self = Self(9);
    /// Raw IP, as Linux numbers it.
    pub const RAW: Self = Self(12);
    /// PPP in HDLC-like framing (RFC 1662).
    pub const PPP_SERIAL: Self = Self(50);
    /// PPP over Ethernet, from the PPPoE header on (RFC 2516).
    pub const PPP_ETHER: Self = Self(51);
    /// Raw IP, as savefiles number it.
    pub const LINKTYPE_RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// OpenBSD loopback: a protocol family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// Where the network layer begins, when it is IP. Whether it is version 4 or 6 its own first byte tells.
#[inline]
pub(super) fn network<'p>(link: LinkType, data: Captured<'p>) -> Option<Network<'p>> {
    let bytes = data.bytes;
    let mut interface = None;
    let data = match link {
        LinkType::ETHERNET => ethernet(data)?,
        LinkType::LINUX_SLL2 => {
            interface = Some(u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?));
            ethertype(u16_at(bytes, 0)?, skip(data, 20)?)?
        }
        LinkType::LINUX_SLL => ethertype(u16_at(bytes, 14)?, skip(data, 16)?)?,
        LinkType::RAW | LinkType::LINKTYPE_RAW | LinkType::IPV4 | LinkType::IPV6 => data,
        // The family's value is not looked at: AF_INET is 2 everywhere, AF_INET6 has five values, and IP tells its
        // version itself.
        LinkType::NULL | LinkType::LOOP => skip(data, 4)?,
        LinkType::PPP | LinkType::PPP_SERIAL => ppp(data)?,
        LinkType::PPP_ETHER => ppp_protocol(skip(data, 6)?)?,
        LinkType::C_HDLC => ethertype(u16_at(bytes, 2)?, skip(data, 4)?)?,
        _ => return None,
    };
    Some(Network { data, interface })
}

/// Leaves the first `count` bytes off; `None` when the capture does not hold them.
#[inline]
pub(super) fn skip(data: Captured<'_>, count: usize) -> Option<Captured<'_>> {
    Some(Captured {
        bytes: data.bytes.get(count..)?,
        wire_len: data.wire_len.checked_sub(count)?,
    })
}

#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// From the destination's MAC address on. Also the inner frame of some tunnels.
#[inline]
pub(super) fn ethernet(data: Captured<'_>) -> Option<Captured<'_>> {
    ethertype(u16_at(data.bytes, 12)?, skip(data, 14)?)
}

/// `data` is what follows an EtherType (or a length, IEEE 802.3 §3.2.6).
#[inline]
pub(super) fn ethertype(kind: u16, data: Captured<'_>) -> Option<Captured<'_>> {
    match kind {
        0x0800 | 0x86dd => Some(data),
        _ => other_ethertype(kind, data),
    }
}

#[cold]
fn other_ethertype(mut kind: u16, mut data: Captured<'_>) -> Option<Captured<'_>> {
    // Each turn takes at least four bytes, so this ends.
    loop {
        match kind {
            0x0800 | 0x86dd => return Some(data),
            // 802.1Q, 802.1ad (QinQ) and the numbers that were used for the outer tag before it.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                kind = u16_at(data.bytes, 2)?;
                data = skip(data, 4)?;
            }
            // PPPoE session.
            0x8864 => return ppp_protocol(skip(data, 6)?),
            0x8847 | 0x8848 => return mpls(data),
            // SNAP in 802.2 LLC: DSAP and SSAP 0xAA, unnumbered information, an organisation code, an EtherType.
            // Linux cooked captures say 0x0004 for 802.2 instead of a length.
            0..=0x05dc if data.bytes.starts_with(&[0xaa, 0xaa, 0x03]) => {
                kind = u16_at(data.bytes, 6).filter(|&kind| kind > 0x05dc)?;
                data = skip(data, 8)?;
            }
            _ => return None,
        }
    }
}

/// Labels of four bytes up to the bottom of the stack; IP is recognised by its version.
fn mpls(mut data: Captured<'_>) -> Option<Captured<'_>> {
    loop {
        let bottom = data.bytes.get(2)? & 0x01 != 0;
        data = skip(data, 4)?;
        if bottom {
            return matches!(data.bytes.first()? >> 4, 4 | 6).then_some(data);
        }
    }
}

/// With or without address and control field (RFC 1662 §3.1).
fn ppp(data: Captured<'_>) -> Option<Captured<'_>> {
    // 0xFF and 0x0F are the addresses; the latter is Cisco's HDLC in captures of serial lines.
    match data.bytes {
        [0xff, 0x03, ..] => ppp_protocol(skip(data, 2)?),
        [0x0f | 0x8f, 0x00, ..] => ethertype(u16_at(data.bytes, 2)?, skip(data, 4)?),
        _ => ppp_protocol(data),
    }
}

/// From the protocol field on, of two bytes, or of one with its lowest bit set (RFC 1661 §2).
fn ppp_protocol(data: Captured<'_>) -> Option<Captured<'_>> {
    match data.bytes {
        [0x00, 0x21 | 0x57, ..] => skip(data, 2),
        [0x21 | 0x57, ..] => skip(data, 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: &[u8] = &[0x45, 1, 2, 3];

    fn found(link: LinkType, header: &[u8]) -> bool {
        let whole = [header, IP].concat();
        let mut cut_is_nothing = true;
        for end in 0..header.len() {
            // A cut header must not panic; it may still be recognised only when what is left is a header, too.
            cut_is_nothing &= network(link, Captured::new(&whole[..end], whole.len())).is_none();
        }
        cut_is_nothing && network(link, Captured::whole(&whole)).is_some_and(|n| n.data == Captured::whole(IP))
    }

    #[test]
    fn each_link_layer_leads_to_ip() {
        let mac = [0u8; 12];
        assert!(found(LinkType::ETHERNET, &[&mac[..], &[0x08, 0x00]].concat()));
        assert!(found(
            LinkType::ETHERNET,
            &[&mac[..], &[0x81, 0, 0, 5, 0x08, 0x00]].concat()
        ));
        assert!(found(
            LinkType::ETHERNET,
            &[&mac[..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd]].concat()
        ));
        assert!(found(
            LinkType::ETHERNET,
            &[&mac[..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0x00, 0x21]].concat()
        ));
        assert!(found(
            LinkType::ETHERNET,
            &[&mac[..], &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]].concat()
        ));
        assert!(found(
            LinkType::ETHERNET,
            &[&mac[..], &[0, 12, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00]].concat()
        ));
        let mut sll = [0u8; 16];
        sll[14] = 0x08;
        assert!(found(LinkType::LINUX_SLL, &sll));
        let mut sll2 = [0u8; 20];
        sll2[0] = 0x08;
        sll2[7] = 3;
        assert!(found(LinkType::LINUX_SLL2, &sll2));
        assert!(found(LinkType::PPP, &[0xff, 0x03, 0x00, 0x21]));
        assert!(found(LinkType::PPP_SERIAL, &[0x0f, 0x00, 0x08, 0x00]));
        assert!(found(LinkType::PPP_ETHER, &[0x11, 0, 0, 1, 0, 6, 0x00, 0x57]));
        assert!(found(LinkType::C_HDLC, &[0x0f, 0x00, 0x08, 0x00]));
        assert!(found(LinkType::NULL, &[2, 0, 0, 0]));
        assert!(found(LinkType::LOOP, &[0, 0, 0, 2]));
        assert!(found(LinkType::RAW, &[]));
    }

    #[test]
    fn sll2_names_the_interface() {
        let mut sll2 = [0u8; 24];
        (sll2[0], sll2[7]) = (0x08, 7);
        assert_eq!(
            network(LinkType::LINUX_SLL2, Captured::whole(&sll2)).and_then(|n| n.interface),
            Some(7)
        );
    }

    #[test]
    fn what_is_not_ip_is_left_alone() {
        let arp = [&[0u8; 12][..], &[0x08, 0x06], IP].concat();
        assert_eq!(network(LinkType::ETHERNET, Captured::whole(&arp)), None);
        assert_eq!(network(LinkType(147), Captured::whole(IP)), None);
    }
}
