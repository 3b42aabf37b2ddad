//! Link types: one row each in the table below, with the reader of its header.
//!
//! The headers are described at <https://www.tcpdump.org/linktypes.html>. A new link type is a file here and a row; `-y`, `-L`, the
//! check of savefiles and the errors come from the table.

pub(crate) mod ethernet;
pub(crate) mod ieee802_11;
mod linux_sll;
mod nflog;
mod null;
mod pktap;
mod ppi;
mod radiotap;
mod raw;

use crate::wire::LinkType;
use crate::wire::ppp;
use crate::wire::reader::{Listener, Read, Reader};

/// Makes of each row a constant of [`LinkType`], an entry of [`LinkType::TABLE`] and an arm of [`read_at`].
macro_rules! link_types {
    ($($number:literal $name:ident $libpcap:literal $what:literal => $read:path;)*) => {
        impl LinkType {
            $(#[doc = concat!($what, ".")] pub const $name: Self = Self($number);)*

            /// All link types that can be read.
            pub const TABLE: &[Self] = &[$(Self::$name),*];
        }

        /// libpcap's name.
        pub(crate) fn link_name(link: LinkType) -> &'static str {
            match link.0 {
                $($number => $libpcap,)*
                _ => "<unknown>",
            }
        }

        /// Reads a packet whose first header begins at `at`; returns how long the headers of the link layer are.
        #[inline]
        pub(crate) fn read_at<L: Listener>(
            reader: &mut Reader<'_, L>,
            link: LinkType,
            at: usize,
            length: u32,
        ) -> Option<Read<usize>> {
            Some(match link.0 {
                $($number => $read(reader, at, length),)*
                _ => return None,
            })
        }
    };
}

// Numbers are libpcap's DLT_ ones on Linux, and those of LINKTYPE_ where a savefile may hold these.
link_types! {
    0 NULL "NULL" "BSD loopback: a protocol family in the byte order of the machine that captured" => null::read;
    1 ETHERNET "EN10MB" "Ethernet" => ethernet::frame;
    9 PPP "PPP" "PPP" => ppp::interface;
    12 RAW "RAW" "Raw IP, as Linux numbers it" => raw::read;
    14 RAW_BSD "RAW" "Raw IP, as OpenBSD numbers it" => raw::read;
    50 PPP_SERIAL "PPP_SERIAL" "PPP in HDLC-like framing (RFC 1662), or Cisco HDLC" => ppp::hdlc_interface;
    51 PPP_ETHER "PPP_ETHER" "PPP over Ethernet, from the PPPoE header on (RFC 2516)" => ppp::over_ethernet;
    101 LINKTYPE_RAW "RAW" "Raw IP, as savefiles number it" => raw::read;
    104 C_HDLC "C_HDLC" "Cisco HDLC" => ppp::cisco_interface;
    105 IEEE802_11 "IEEE802_11" "802.11 frames" => ieee802_11::read;
    108 LOOP "LOOP" "OpenBSD loopback: a protocol family in network byte order" => null::read;
    113 LINUX_SLL "LINUX_SLL" "Linux cooked capture, version 1" => linux_sll::v1;
    127 RADIOTAP "IEEE802_11_RADIO" "802.11 frames behind a radiotap header" => radiotap::read;
    166 PPP_PPPD "PPP_PPPD" "PPP with a direction, as pppd writes it" => ppp::interface;
    192 PPI "PPI" "Per-Packet Information, then a packet of another link type" => ppi::read;
    228 IPV4 "IPV4" "Raw IPv4" => raw::read;
    229 IPV6 "IPV6" "Raw IPv6" => raw::read;
    239 NFLOG "NFLOG" "Netfilter's log" => nflog::read;
    258 PKTAP "PKTAP" "Apple's header, then a packet of another link type" => pktap::read;
    276 LINUX_SLL2 "LINUX_SLL2" "Linux cooked capture, version 2" => linux_sll::v2;
}

impl LinkType {
    /// Whether packets of this link type can be read.
    pub fn is_supported(self) -> bool {
        Self::TABLE.contains(&self)
    }
}

/// Reads a packet from its first byte on.
#[inline]
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, link: LinkType, length: u32) -> Read {
    match read_at(reader, link, 0, length) {
        Some(header) => {
            reader.link_length = header?;
            Ok(())
        }
        None => {
            reader.protocol = "unsupported";
            reader.dump_payload(0, reader.available(0))
        }
    }
}

/// What a header says that stands before a packet of another link type.
struct Outer {
    version: Option<u8>,
    link: LinkType,
    /// How long it is itself, and with the packet.
    header: u32,
    length: u32,
}

impl Outer {
    fn describe<L: Listener>(&self, reader: &mut Reader<'_, L>) {
        let name = link_name(self.link);
        if reader.quiet() == 0 {
            if let Some(version) = self.version {
                reader.dec("V.", version);
                reader.text(" ");
            }
            reader.text("DLT ");
            reader.text(name);
            reader.dec(" (", self.link.0 as u32);
            reader.dec(") len ", self.header);
        } else {
            reader.text(name);
        }
        reader.dec(", length ", self.length);
        reader.text(": ");
    }

    /// Reads the packet behind the header at `at`, which is whole.
    fn read_inner<L: Listener>(&self, reader: &mut Reader<'_, L>, at: usize) -> Read<usize> {
        if reader.link_header() {
            self.describe(reader);
        }
        let header = self.header as usize;
        let (inner, rest) = (at + header, self.length - self.header);
        match reader.nested(|reader| read_at(reader, self.link, inner, rest).transpose())? {
            // tcpdump counts the inner header twice when it dumps what is behind the link layer.
            Some(more) => Ok(header + 2 * more),
            None => {
                if !reader.link_header() {
                    self.describe(reader);
                }
                reader.unknown_payload(inner, reader.available(inner))?;
                Ok(header)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Captured;
    use crate::wire::decoder::network;

    /// An IPv4 header of a datagram without payload.
    const IP: [u8; 20] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];

    #[track_caller]
    fn leads_to_ip(link: LinkType, header: &[u8]) {
        let whole = [header, &IP].concat();
        assert!(network(link, Captured::whole(&whole)).is_some());
        for end in 0..whole.len() {
            assert!(network(link, Captured::new(&whole[..end], whole.len())).is_none());
        }
    }

    #[test]
    fn each_link_layer_leads_to_ip() {
        let mac = [0u8; 12];
        leads_to_ip(LinkType::ETHERNET, &[&mac[..], &[0x08, 0x00]].concat());
        leads_to_ip(LinkType::ETHERNET, &[&mac[..], &[0x81, 0, 0, 5, 0x08, 0x00]].concat());
        let stacked = [
            0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x91, 0, 0, 7, 0x92, 0, 0, 8, 0x08, 0x00,
        ];
        leads_to_ip(LinkType::ETHERNET, &[&mac[..], &stacked].concat());
        let pppoe = [0x11, 0, 0, 1, 0, 22, 0x00, 0x21];
        leads_to_ip(LinkType::ETHERNET, &[&mac[..], &[0x88, 0x64], &pppoe].concat());
        leads_to_ip(LinkType::PPP_ETHER, &pppoe);
        leads_to_ip(
            LinkType::ETHERNET,
            &[&mac[..], &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]].concat(),
        );
        leads_to_ip(
            LinkType::ETHERNET,
            &[&mac[..], &[0, 28, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00]].concat(),
        );
        let mut sll = [0u8; 16];
        sll[14] = 0x08;
        leads_to_ip(LinkType::LINUX_SLL, &sll);
        let mut sll2 = [0u8; 20];
        sll2[0] = 0x08;
        leads_to_ip(LinkType::LINUX_SLL2, &sll2);
        leads_to_ip(LinkType::PPP, &[0xff, 0x03, 0x00, 0x21]);
        leads_to_ip(LinkType::PPP_PPPD, &[0x00, 0x03, 0x00, 0x21]);
        leads_to_ip(LinkType::PPP_SERIAL, &[0x0f, 0x00, 0x08, 0x00]);
        leads_to_ip(LinkType::C_HDLC, &[0x0f, 0x00, 0x08, 0x00]);
        leads_to_ip(LinkType::NULL, &[2, 0, 0, 0]);
        leads_to_ip(LinkType::NULL, &[0, 0, 0, 2]);
        leads_to_ip(LinkType::LOOP, &[0, 0, 0, 2]);
        leads_to_ip(LinkType::RAW, &[]);
        leads_to_ip(LinkType::RAW_BSD, &[]);
    }

    #[test]
    fn what_is_not_ip_is_left_alone() {
        let arp = [&[0u8; 12][..], &[0x08, 0x06], &IP].concat();
        assert!(network(LinkType::ETHERNET, Captured::whole(&arp)).is_none());
        assert!(network(LinkType(147), Captured::whole(&IP)).is_none());
    }
}
