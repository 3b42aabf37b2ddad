//! Lenient views of IP headers: IPv4 (RFC 791 §3.1), IPv6 (RFC 8200 §3) and its extension headers (§4).
//!
//! Lengths that lie are corrected where it is known how they come about: a total length of 0 is what segmentation
//! offloading leaves behind, and what lies behind the total length is Ethernet's padding.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6Header, Ipv6HeaderSlice};

use crate::base::Captured;
use crate::wire::link::skip;

/// An IP datagram, or a fragment of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Datagram<'p> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// The protocol above (of an IPv6 fragment that is not the first: what its fragment header says).
    pub(super) protocol: u8,
    /// The identification of an IPv4 header.
    pub(super) id: Option<u16>,
    /// Time to live, or hop limit.
    pub(super) ttl: u8,
    /// Set when this is a part of a datagram only.
    pub(super) fragment: Option<Fragment>,
    /// What lies above.
    pub(super) payload: Captured<'p>,
}

/// Which part of its datagram a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Tells datagrams of the same two hosts apart.
    pub(super) id: u32,
    /// Where its payload begins, in bytes.
    pub(super) offset: usize,
    /// More fragments follow behind it.
    pub(super) more: bool,
}

/// Reads the header of whatever version its first four bits tell.
#[inline]
pub(super) fn datagram(data: Captured<'_>) -> Option<Datagram<'_>> {
    match data.bytes.first()? >> 4 {
        4 => ipv4(data),
        6 => ipv6(data),
        _ => None,
    }
}

#[inline]
fn ipv4(data: Captured<'_>) -> Option<Datagram<'_>> {
    let header = Ipv4HeaderSlice::from_slice(data.bytes).ok()?;
    let header_len = header.slice().len();
    let total = usize::from(header.total_len());
    let rest = data.wire_len.checked_sub(header_len)?;
    let length = match total {
        0 => rest,
        _ => total.checked_sub(header_len)?,
    };
    let payload = Captured::new(data.bytes.get(header_len..)?, length);
    let fragment = header.is_fragmenting_payload().then(|| Fragment {
        id: u32::from(header.identification()),
        offset: usize::from(header.fragments_offset().value()) * 8,
        more: header.more_fragments(),
    });
    Some(Datagram {
        source: IpAddr::V4(Ipv4Addr::from(header.source())),
        destination: IpAddr::V4(Ipv4Addr::from(header.destination())),
        protocol: header.protocol().0,
        id: Some(header.identification()),
        ttl: header.ttl(),
        fragment,
        payload,
    })
}

#[inline]
fn ipv6(data: Captured<'_>) -> Option<Datagram<'_>> {
    let header = Ipv6HeaderSlice::from_slice(data.bytes).ok()?;
    let rest = skip(data, Ipv6Header::LEN)?;
    let payload = match usize::from(header.payload_length()) {
        0 => rest,
        length => Captured::new(rest.bytes, length),
    };
    let mut datagram = Datagram {
        source: IpAddr::V6(Ipv6Addr::from(header.source())),
        destination: IpAddr::V6(Ipv6Addr::from(header.destination())),
        protocol: header.next_header().0,
        id: None,
        ttl: header.hop_limit(),
        fragment: None,
        payload,
    };
    if datagram.protocol != IpNumber::TCP.0 {
        extensions(&mut datagram)?;
    }
    Some(datagram)
}

/// Skips extension headers, up to the protocol above or up to a fragment header of more than one fragment.
pub(super) fn extensions(datagram: &mut Datagram<'_>) -> Option<()> {
    // Each turn takes at least eight bytes, so this ends.
    loop {
        let bytes = datagram.payload.bytes;
        let (next, length) = match IpNumber(datagram.protocol) {
            // All but two of them have this shape: next header, length in units of 8 bytes behind the first 8.
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber::MOBILITY_HEADER
            | IpNumber::HIP
            | IpNumber::SHIM6 => (*bytes.first()?, 8 + 8 * usize::from(*bytes.get(1)?)),
            IpNumber::AUTHENTICATION_HEADER => {
                let header = IpAuthHeaderSlice::from_slice(bytes).ok()?;
                (header.next_header().0, header.slice().len())
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER => {
                let header = Ipv6FragmentHeaderSlice::from_slice(bytes).ok()?;
                // An "atomic" fragment is the whole datagram (RFC 6946).
                if header.is_fragmenting_payload() {
                    datagram.fragment = Some(Fragment {
                        id: header.identification(),
                        offset: usize::from(header.fragment_offset().value()) * 8,
                        more: header.more_fragments(),
                    });
                }
                (header.next_header().0, 8)
            }
            _ => return Some(()),
        };
        datagram.payload = skip(datagram.payload, length)?;
        datagram.protocol = next;
        if datagram.fragment.is_some() {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(total: u16, flags: u16, rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0];
        packet.extend(total.to_be_bytes());
        packet.extend([0, 9]);
        packet.extend(flags.to_be_bytes());
        packet.extend([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend(rest);
        packet
    }

    fn v6(length: u16, next: u8, rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([next, 64]);
        packet.extend([0; 15]);
        packet.push(1);
        packet.extend([0; 15]);
        packet.push(2);
        packet.extend(rest);
        packet
    }

    fn payload(packet: &[u8], wire_len: usize) -> Captured<'_> {
        datagram(Captured::new(packet, wire_len)).expect("a datagram").payload
    }

    #[test]
    fn padding_is_cut() {
        let packet = v4(23, 0, b"abc\0\0\0");
        assert_eq!(payload(&packet, packet.len()), Captured::whole(b"abc"));
        let packet = v6(3, 6, b"abc\0\0\0");
        assert_eq!(payload(&packet, packet.len()), Captured::whole(b"abc"));
    }

    #[test]
    fn offloading_leaves_a_total_length_of_0() {
        let packet = v4(0, 0, b"abc");
        assert_eq!(payload(&packet, 100), Captured::new(b"abc", 80));
        let packet = v6(0, 6, b"abc");
        assert_eq!(payload(&packet, 100), Captured::new(b"abc", 60));
    }

    #[test]
    fn a_cut_packet_keeps_its_length() {
        let packet = v4(500, 0, b"abc");
        assert_eq!(payload(&packet, 500), Captured::new(b"abc", 480));
    }

    #[test]
    fn lengths_shorter_than_the_header_are_refused() {
        assert_eq!(datagram(Captured::whole(&v4(19, 0, b"abc"))), None);
        assert_eq!(datagram(Captured::whole(&v4(23, 0, b"abc")[..19])), None);
        assert_eq!(datagram(Captured::whole(&[])), None);
    }

    #[test]
    fn extension_headers_are_skipped() {
        let mut rest = vec![43, 0, 1, 4, 0, 0, 0, 0]; // hop-by-hop, then routing
        rest.extend([60, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // routing of 16 bytes, then destination options
        rest.extend([44, 0, 1, 4, 0, 0, 0, 0]); // destination options, then an atomic fragment
        rest.extend([6, 0, 0, 0, 0, 0, 0, 9]);
        rest.extend(b"tcp");
        let packet = v6(rest.len() as u16, 0, &rest);
        let found = datagram(Captured::whole(&packet)).expect("a datagram");
        assert_eq!(
            (found.protocol, found.fragment, found.payload.bytes),
            (6, None, &b"tcp"[..])
        );
        for end in 0..packet.len() {
            datagram(Captured::new(&packet[..end], packet.len()));
        }
    }

    #[test]
    fn fragments_know_their_place() {
        let packet = v4(23, 0x2000 | 3, b"abc");
        let found = datagram(Captured::whole(&packet)).and_then(|d| d.fragment);
        assert_eq!(
            found,
            Some(Fragment {
                id: 9,
                offset: 24,
                more: true
            })
        );
        let packet = v6(11, 44, &[6, 0, 0, 0x11, 0, 0, 0, 9, b'a', b'b', b'c']);
        let found = datagram(Captured::whole(&packet)).expect("a datagram");
        let fragment = Fragment {
            id: 9,
            offset: 16,
            more: true,
        };
        assert_eq!((found.fragment, found.protocol), (Some(fragment), 6));
    }
}
