//! The way from a packet to its segment: link layer, IP, fragments, tunnels, TCP.

use std::net::IpAddr;

#[cfg(test)]
use crate::base::Captured;
use crate::base::Limits;
use crate::wire::fragments::Fragments;
use crate::wire::ip::{self, Ip};
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::segment::{is_short, payload, segment};
use crate::wire::tcp::Tcp;
use crate::wire::{Packet, Segment, ip6, link, tcp};

/// Finds the TCP segment in each packet. It keeps nothing but IP fragments.
#[derive(Debug)]
pub struct Decoder {
    fragments: Fragments,
}

/// What is looked for in a packet.
#[derive(Debug, Default)]
struct Finder(Option<Found>);

#[derive(Debug)]
enum Found {
    Segment(Ip, tcp::Header),
    Fragment(Ip),
}

impl Listener for Finder {
    fn fragment(&mut self, ip: &Ip) -> bool {
        self.0 = Some(Found::Fragment(*ip));
        false
    }

    #[inline]
    fn tcp(reader: &mut Reader<'_, Self>, ip: &Ip, tcp: &Tcp) -> Read {
        if let Tcp::Header(header) = tcp
            && header.fits(ip.length)
        {
            reader.to.0 = Some(Found::Segment(*ip, *header));
        }
        Ok(())
    }
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
        let mut reader = Reader::new(packet.data.bytes, Finder::default());
        // A header that was cut ends the way like one that leads nowhere.
        _ = link::read(&mut reader, packet.link, packet.data.wire_len as u32);
        match reader.to.0.as_ref()? {
            Found::Segment(ip, header) => Some(segment(packet.data, ip, header)),
            // What is not whole when it arrives is no part of a datagram.
            Found::Fragment(ip) if is_short(packet.data, ip) => None,
            Found::Fragment(ip) => self.add_fragment(packet, ip),
        }
    }

    #[cold]
    fn add_fragment<'a>(&'a mut self, packet: &Packet<'a>, ip: &Ip) -> Option<Segment<'a>> {
        let whole = self
            .fragments
            .add(ip, payload(packet.data, ip), packet.number, packet.time)?;
        // Fragments of a tunnel's inner datagram that came in fragments are not put together again: whoever fragments
        // fragments does not want to be read.
        let mut reader = Reader::new(whole.payload.bytes, Finder::default());
        let length = whole.payload.wire_len as u32;
        let datagram = Ip {
            protocol: whole.protocol,
            ttl: whole.ttl,
            // What was put together is the payload alone.
            header: 0,
            at: 0,
            length,
            fragment: None,
            ..*ip
        };
        _ = match ip.source {
            IpAddr::V4(_) => ip::payload(&mut reader, &datagram),
            // The destination options of RFC 8200 §4.1 are part of what is fragmented.
            IpAddr::V6(_) => ip6::reassembled(&mut reader, &datagram),
        };
        let Some(Found::Segment(ip, header)) = reader.to.0 else {
            return None;
        };
        Some(Segment {
            fragments: whole.packets,
            fragments_differ: whole.differs,
            ..segment(whole.payload, &ip, &header)
        })
    }
}

/// Whether the packet leads to an IP header that is whole.
#[cfg(test)]
pub(super) fn network(link: super::LinkType, data: Captured<'_>) -> Option<()> {
    struct Network(Option<()>);
    impl Listener for Network {
        fn tcp(reader: &mut Reader<'_, Self>, _: &Ip, _: &Tcp) -> Read {
            reader.to.0 = Some(());
            Ok(())
        }
    }
    let mut reader = Reader::new(data.bytes, Network(None));
    _ = link::read(&mut reader, link, data.wire_len as u32);
    reader.to.0
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
        assert!(!segment.fragments_differ);
    }

    #[test]
    fn what_was_short_on_the_wire_is_told_from_what_the_capture_has_cut() {
        let mut decoder = Decoder::new(&Limits::default());
        let whole = v4(6, 1, 0, &tcp(b"hello"));
        let mut is_short = |captured, wire_len| {
            let data = Captured::new(&whole[..captured], wire_len);
            decoder
                .decode(&packet(1, LinkType::RAW, data))
                .map(|segment| segment.is_short)
        };
        assert_eq!(is_short(45, 45), Some(false));
        assert_eq!(is_short(42, 45), Some(false));
        assert_eq!(is_short(42, 42), Some(true));
        assert_eq!(is_short(41, 44), Some(true));
        let parts = [v4(6, 1, 0x2000, &tcp(b"hell")), v4(6, 1, 3, b"o, fragments")];
        let short = packet(1, LinkType::RAW, Captured::whole(&parts[1][..24]));
        assert!(decoder.decode(&short).is_none());
        assert_eq!(payload(&mut decoder, 2, &parts[0]), None);
        let segment = payload(&mut decoder, 3, &parts[1]);
        assert_eq!(segment.as_deref(), Some(&b"hello, fragments"[..]));
    }

    #[test]
    fn ipv6_fragments_behind_a_link_layer_give_the_segment() {
        let mut decoder = Decoder::new(&Limits::default());
        let whole = tcp(b"hello, fragments");
        let mut decode = |offset: u8, more: u8, part: &[u8]| {
            let mut bytes = [
                &[0; 12][..],
                &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 8 + part.len() as u8, 44, 64],
            ]
            .concat();
            bytes.extend([1; 16]);
            bytes.extend([2; 16]);
            bytes.extend([6, 0, 0, offset | more, 0, 0, 0, 7]);
            bytes.extend(part);
            decoder
                .decode(&packet(1, LinkType::ETHERNET, Captured::whole(&bytes)))
                .map(|segment| segment.payload.bytes.to_vec())
        };
        assert_eq!(decode(0, 1, &whole[..24]), None);
        assert_eq!(decode(24, 0, &whole[24..]).as_deref(), Some(&b"hello, fragments"[..]));
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
        for _ in 0..300 {
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
            assert_eq!(found, (end >= 40).then(|| (end.saturating_sub(40), 5)));
        }
    }

    proptest! {
        #[test]
        fn garbage_is_no_danger(
            link in prop::sample::select([LinkType::TABLE, &[LinkType(147)]].concat()),
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
                if let Some(segment) = decoder.decode(&packet(1, link, data)) {
                    prop_assert!(segment.payload.bytes.len() <= segment.payload.wire_len);
                }
            }
        }
    }
}
