//! What a packet is wrapped in, for hints about filters that look at the outermost headers only.

use crate::wire::ip::Ip;
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::tcp::Tcp;
use crate::wire::{Packet, link};

/// What stands around a packet's innermost TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Encapsulation {
    /// The identifier of the outermost VLAN tag (IEEE 802.1Q).
    pub vlan: Option<u16>,
    /// The name of the outermost tunnel: `VXLAN`, `GTP-U` and the like.
    pub tunnel: Option<&'static str>,
    /// There is a TCP segment, or the beginning of one.
    pub has_tcp: bool,
}

/// Says what a packet is wrapped in. Keeps nothing, and does not put fragments together.
pub fn encapsulation(packet: &Packet<'_>) -> Encapsulation {
    let mut reader = Reader::new(packet.data.bytes, Encapsulation::default());
    // A header that was cut ends the way like one that leads nowhere.
    _ = link::read(&mut reader, packet.link, packet.data.wire_len as u32);
    reader.to
}

impl Listener for Encapsulation {
    fn vlan(&mut self, id: u16) {
        self.vlan.get_or_insert(id);
    }

    fn tunnel(&mut self, name: &'static str) {
        self.tunnel.get_or_insert(name);
    }

    fn tcp(reader: &mut Reader<'_, Self>, _: &Ip, tcp: &Tcp) -> Read {
        reader.to.has_tcp = !matches!(tcp, Tcp::Nothing);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Captured, Timestamp};
    use crate::wire::LinkType;

    #[test]
    fn tags_and_tunnels_are_named_from_the_outside() {
        let ip = |protocol: u8, payload: &[u8]| {
            let length = (20 + payload.len() as u16).to_be_bytes();
            [
                &[
                    0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
                ][..],
                payload,
            ]
            .concat()
        };
        let tcp = [
            0x1c, 0x68, 0xec, 0xed, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0, 9, 0, 0, 0, 0,
        ];
        let tagged = [
            &[0; 12][..],
            &[0x81, 0, 0x20, 7, 0x81, 0, 0, 8, 8, 0],
            &ip(47, &[&[0, 0, 8, 0][..], &ip(4, &ip(6, &tcp))].concat()),
        ]
        .concat();
        let packet = Packet {
            number: 1,
            time: Timestamp::default(),
            link: LinkType::ETHERNET,
            data: Captured::whole(&tagged),
        };
        let found = encapsulation(&packet);
        assert_eq!((found.vlan, found.tunnel, found.has_tcp), (Some(7), Some("GRE"), true));
    }
}
