//! The way from a packet to its segment: link layer, IP, fragments, tunnels, TCP.

use crate::base::{Captured, Limits};
use crate::wire::fragments::Fragments;
use crate::wire::ip::{self, Datagram};
use crate::wire::link::{self, skip, u16_at};
use crate::wire::{Packet, Segment, segment};

/// Protocol numbers (<https://www.iana.org/assignments/protocol-numbers>) that lead on.
mod protocol {
    pub(super) const IPV4: u8 = 4;
    pub(super) const TCP: u8 = 6;
    pub(super) const IPV6: u8 = 41;
    pub(super) const GRE: u8 = 47;
    pub(super) const ETHERIP: u8 = 97;
}

/// How many tunnels in each other are followed.
const DEEPEST: usize = 4;

/// Finds the TCP segment in each packet. It keeps nothing but IP fragments.
#[derive(Debug)]
pub struct Decoder {
    fragments: Fragments,
}

impl Decoder {
    /// A decoder that keeps at most [`Limits::fragment_bytes`] for at most [`Limits::fragment_seconds`].
    pub fn new(limits: &Limits) -> Self {
        Self {
            fragments: Fragments::new(limits),
        }
    }

    /// Bytes of fragments that are kept.
    pub fn kept_bytes(&self) -> usize {
        self.fragments.bytes()
    }

    /// Of how many datagrams only some fragments have come.
    pub fn incomplete_datagrams(&self) -> u64 {
        self.fragments.incomplete()
    }

    /// The segment that `packet` carries or completes; `None` when it is not TCP, or not whole yet.
    #[inline]
    pub fn decode<'a>(&'a mut self, packet: &Packet<'a>) -> Option<Segment<'a>> {
        let network = link::network(packet.link, packet.data)?;
        let datagram = ip::datagram(network.data)?;
        if datagram.fragment.is_none() && datagram.protocol == protocol::TCP {
            return segment::segment(&datagram, network.interface);
        }
        self.detour(datagram, network.interface, packet)
    }

    /// Fragments and tunnels.
    #[cold]
    fn detour<'a>(
        &'a mut self,
        mut datagram: Datagram<'a>,
        interface: Option<u32>,
        packet: &Packet<'a>,
    ) -> Option<Segment<'a>> {
        let mut depth = 0;
        loop {
            if let Some(fragment) = datagram.fragment {
                let whole = self.fragments.add(&datagram, fragment, packet.number, packet.time)?;
                datagram.protocol = whole.protocol;
                datagram.payload = whole.payload;
                datagram.fragment = None;
                // The destination options of RFC 8200 §4.1 are part of what is fragmented.
                if datagram.id.is_none() {
                    ip::extensions(&mut datagram)?;
                }
                return within(datagram, depth, interface, Some(whole.first_packet));
            }
            if datagram.protocol == protocol::TCP {
                return segment::segment(&datagram, interface);
            }
            depth += 1;
            if depth > DEEPEST {
                return None;
            }
            datagram = ip::datagram(inner(datagram.protocol, datagram.payload)?)?;
        }
    }
}

/// What is in a datagram that came in fragments. Fragments of a tunnel's inner datagram are not put together again:
/// whoever fragments fragments does not want to be read.
fn within<'a>(
    mut datagram: Datagram<'a>,
    mut depth: usize,
    interface: Option<u32>,
    first_fragment: Option<u64>,
) -> Option<Segment<'a>> {
    while datagram.protocol != protocol::TCP {
        depth += 1;
        if depth > DEEPEST {
            return None;
        }
        datagram = ip::datagram(inner(datagram.protocol, datagram.payload)?)?;
        if datagram.fragment.is_some() {
            return None;
        }
    }
    let mut segment = segment::segment(&datagram, interface)?;
    segment.first_fragment = first_fragment;
    Some(segment)
}

/// The packet inside a tunnel's: IP in IP (RFC 2003, RFC 4213), GRE (RFC 2784, RFC 2890), EtherIP (RFC 3378).
fn inner(protocol: u8, payload: Captured<'_>) -> Option<Captured<'_>> {
    match protocol {
        protocol::IPV4 | protocol::IPV6 => Some(payload),
        protocol::ETHERIP => link::ethernet(skip(payload, 2)?),
        protocol::GRE => {
            let flags = u16_at(payload.bytes, 0)?;
            // Version 0 only. Checksum, key and sequence number have four bytes each.
            if flags & 0x0007 != 0 || flags & 0x4000 != 0 {
                return None;
            }
            let optional = [0x8000, 0x2000, 0x1000].iter().filter(|&&bit| flags & bit != 0).count();
            let kind = u16_at(payload.bytes, 2)?;
            let data = skip(payload, 4 + 4 * optional)?;
            // 0x6558 is a bridged Ethernet frame.
            if kind == 0x6558 {
                link::ethernet(data)
            } else {
                link::ethertype(kind, data)
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Timestamp;
    use crate::wire::LinkType;

    /// A TCP header without options, then `payload`.
    fn tcp(payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![
            0x1c, 0x68, 0xec, 0xed, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0, 9, 0, 0, 0, 0,
        ];
        bytes.extend(payload);
        bytes
    }

    fn v4(protocol: u8, id: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x45, 0];
        bytes.extend((20 + payload.len() as u16).to_be_bytes());
        bytes.extend([0, id]);
        bytes.extend(fragment.to_be_bytes());
        bytes.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend(payload);
        bytes
    }

    fn packet(number: u64, link: LinkType, data: Captured<'_>) -> Packet<'_> {
        Packet {
            number,
            time: Timestamp::default(),
            link,
            data,
        }
    }

    fn payload(decoder: &mut Decoder, number: u64, bytes: &[u8]) -> Option<Vec<u8>> {
        decoder
            .decode(&packet(number, LinkType::RAW, Captured::whole(bytes)))
            .map(|s| s.payload.bytes.to_vec())
    }

    #[test]
    fn fragments_in_any_order_give_the_segment() {
        let mut decoder = Decoder::new(&Limits::default());
        let whole = tcp(b"hello, fragments");
        assert_eq!(payload(&mut decoder, 1, &v4(6, 1, 3, &whole[24..])), None);
        assert_eq!(payload(&mut decoder, 2, &v4(6, 1, 0x2000, &whole[..16])), None);
        let last = v4(6, 1, 0x2002, &whole[16..24]);
        let last = packet(3, LinkType::RAW, Captured::whole(&last));
        let segment = decoder.decode(&last).expect("it is whole now");
        assert_eq!(segment.payload.bytes, b"hello, fragments");
        assert_eq!(segment.first_fragment, Some(2));
    }

    #[test]
    fn tunnels_are_followed() {
        let mut decoder = Decoder::new(&Limits::default());
        let inside = v4(6, 1, 0, &tcp(b"hi"));
        let ip_in_ip = v4(4, 2, 0, &inside);
        assert_eq!(payload(&mut decoder, 1, &ip_in_ip).as_deref(), Some(&b"hi"[..]));
        let gre = v4(47, 3, 0, &[&[0x20, 0, 8, 0, 0, 0, 0, 9][..], &inside].concat());
        assert_eq!(payload(&mut decoder, 2, &gre).as_deref(), Some(&b"hi"[..]));
        let bridged = [&[0, 0, 0x65, 0x58][..], &[0; 12], &[8, 0], &inside].concat();
        assert_eq!(
            payload(&mut decoder, 3, &v4(47, 4, 0, &bridged)).as_deref(),
            Some(&b"hi"[..])
        );
        let mut deep = inside;
        for _ in 0..20 {
            deep = v4(4, 2, 0, &deep);
        }
        assert_eq!(payload(&mut decoder, 4, &deep), None);
    }

    #[test]
    fn every_cut_of_a_packet_keeps_the_length_on_the_wire() {
        let mut decoder = Decoder::new(&Limits::default());
        let whole = v4(6, 1, 0, &tcp(b"hello"));
        for end in 0..=whole.len() {
            let cut = packet(1, LinkType::RAW, Captured::new(&whole[..end], whole.len()));
            let found = decoder
                .decode(&cut)
                .map(|s| (s.payload.bytes.len(), s.payload.wire_len));
            assert_eq!(found, (end >= 36).then(|| (end.saturating_sub(40), 5)));
        }
    }

    proptest! {
        #[test]
        fn garbage_is_no_danger(
            link in prop::sample::select(vec![0, 1, 9, 12, 50, 51, 101, 104, 108, 113, 228, 229, 276, 277]),
            version in prop::sample::select(vec![0x45u8, 0x60, 0x4f, 0]),
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
            more in 0usize..200,
        ) {
            let mut decoder = Decoder::new(&Limits::default());
            for at in [0, 4, 14, 16, 20] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = version;
                }
                let data = Captured::new(&bytes, bytes.len() + more);
                if let Some(segment) = decoder.decode(&packet(1, LinkType(link), data)) {
                    prop_assert!(segment.payload.bytes.len() <= segment.payload.wire_len);
                }
            }
        }
    }
}
