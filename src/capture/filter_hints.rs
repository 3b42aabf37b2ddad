//! Packets that a filter does not see into: those with a tag, and those in a tunnel.
//!
//! `port 8080` matches no packet of a VLAN, as in tcpdump. Whoever gets nothing for that reason is told so.

use super::Raw;
use super::bpf::Program;
use super::filter::{Expression, compile_for_file};
use crate::base::counted;
use crate::wire::{LinkType, ethertype};

/// The keywords that shift a filter behind a tag, and the EtherTypes of these.
const TAGS: &[(&str, &str, &[u16])] = &[
    (
        "vlan",
        "VLAN",
        &[ethertype::VLAN, ethertype::VLAN_QINQ, ethertype::VLAN_9100],
    ),
    ("mpls", "MPLS", &[ethertype::MPLS, ethertype::MPLS_MULTICAST]),
    ("pppoes", "PPPoE", &[ethertype::PPPOE_SESSION]),
];

/// Packets that carry other packets, which no keyword of the language reaches.
const TUNNELS: &str = "udp port 4789 or udp port 4790 or udp port 8472 or udp port 6081 or udp port 6635 or udp port 2152 \
                       or udp port 37008 or proto 47 or ip proto 4 or proto 41";

/// As many packets that do not match are looked at for tunnels: they say what kind of capture it is.
const LOOK_AT: u32 = 1_000;

/// What the filter passed over.
#[derive(Debug, Default)]
pub(super) struct Hints {
    tags: Vec<Tag>,
    tunnels: Option<Program>,
    looked_at: u32,
    tunnelled: u32,
}

#[derive(Debug)]
struct Tag {
    keyword: &'static str,
    name: &'static str,
    types: &'static [u16],
    /// The filter behind the tag.
    program: Program,
    packets: u64,
    /// The VLAN, while there is one only.
    vlan: Option<u16>,
}

impl Hints {
    /// For packets of Ethernet, where tags are.
    pub(super) fn prepare(&mut self, expression: &Expression, link: LinkType, swapped: bool) {
        if link != LinkType::ETHERNET || !self.tags.is_empty() || self.tunnels.is_some() {
            return;
        }
        let compile = |text: &str| compile_for_file(&Expression::typed(text), true, link, swapped, 262_144).ok();
        self.tunnels = compile(TUNNELS);
        self.tags = TAGS
            .iter()
            .filter_map(|&(keyword, name, types)| {
                Some(Tag {
                    keyword,
                    name,
                    types,
                    program: compile(&format!("{keyword} and ({})", expression.text()))?,
                    packets: 0,
                    vlan: None,
                })
            })
            .collect();
    }

    /// A packet that does not match.
    #[inline]
    pub(super) fn passed_over(&mut self, packet: &Raw<'_>) {
        if packet.link != LinkType::ETHERNET {
            return;
        }
        let &[.., high, low] = packet.data.bytes.get(..14).unwrap_or_default() else {
            return;
        };
        let kind = u16::from_be_bytes([high, low]);
        // All of these are above; IPv4, IPv6 and ARP, which nearly all packets are, are not.
        if kind > 0x0806 && kind != 0x86dd {
            self.tagged(packet, kind);
        }
        if self.looked_at < LOOK_AT {
            self.looked_at += 1;
            let tunnel = self.tunnels.as_ref();
            let matches = tunnel.is_some_and(|program| program.matches(packet.data.bytes, packet.data.wire_len));
            self.tunnelled += u32::from(matches);
        }
    }

    fn tagged(&mut self, packet: &Raw<'_>, kind: u16) {
        for tag in &mut self.tags {
            if tag.types.contains(&kind) && tag.program.matches(packet.data.bytes, packet.data.wire_len) {
                let vlan = match packet.data.bytes.get(14..16) {
                    Some(&[high, low]) => Some(u16::from_be_bytes([high, low]) & 0x0fff),
                    _ => None,
                };
                tag.vlan = vlan.filter(|_| tag.packets == 0 || tag.vlan == vlan);
                tag.packets += 1;
            }
        }
    }

    /// A line each. `matched`: packets that did match.
    pub(super) fn lines(&self, expression: &Expression, matched: u64) -> Vec<String> {
        let mut lines: Vec<String> = self
            .tags
            .iter()
            .filter(|tag| tag.packets > 0)
            .map(|tag| {
                let vlan = tag.vlan.filter(|_| tag.keyword == "vlan");
                let number = vlan.map_or_else(String::new, |vlan| format!(" {vlan}"));
                format!(
                    "{} of {}{number} did not match the filter: {}",
                    counted(tag.packets, "packet"),
                    tag.name,
                    expression.behind(tag.keyword)
                )
            })
            .collect();
        if matched == 0 && self.tunnelled > 0 && lines.is_empty() {
            lines.push(format!(
                "no packet matched the filter, and {} of the first {} carry others in a tunnel, which it does not see into: \
                 leave it out, or filter by what is outside",
                self.tunnelled, self.looked_at
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Captured, Timestamp};
    use crate::capture::filter::Filter;

    fn passed(expression: &str, packets: &[Vec<u8>]) -> Vec<String> {
        let mut filter = Filter::new(Expression::typed(expression), true);
        filter.prepare(LinkType::ETHERNET, false).unwrap();
        for bytes in packets {
            let raw = Raw {
                time: Timestamp::default(),
                link: LinkType::ETHERNET,
                swapped: false,
                data: Captured::new(bytes, bytes.len()),
            };
            filter.matches(&raw).unwrap();
        }
        filter.hints()
    }

    /// Ethernet, what is between, IPv4 with a TCP or UDP header.
    fn packet(between: &[u8], protocol: u8, port: u16) -> Vec<u8> {
        let mut ip = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        ip.extend(port.to_be_bytes());
        ip.extend([0; 18]);
        [&[0; 12][..], between, &ip].concat()
    }

    #[test]
    fn packets_of_a_vlan_that_the_filter_means_are_counted() {
        let tagged = |port| packet(&[0x81, 0, 0x20, 7, 8, 0], 6, port);
        let packets = [tagged(8080), tagged(8080), tagged(9), packet(&[8, 0], 6, 9)];
        assert_eq!(
            passed("port 8080 or port 80", &packets),
            ["2 packets of VLAN 7 did not match the filter: \"vlan and (port 8080 or port 80)\""]
        );
        assert_eq!(
            passed("port 8080", &packets[..1]),
            ["1 packet of VLAN 7 did not match the filter: \"vlan and port 8080\""]
        );
        assert!(passed("port 7", &packets).is_empty());
        assert!(passed("vlan and port 8080", &packets[..2]).is_empty());
    }

    #[test]
    fn a_tunnel_is_pointed_out_when_nothing_matches() {
        let vxlan = packet(&[8, 0], 17, 4789);
        let lines = passed("tcp port 8080", &[vxlan.clone(), packet(&[8, 0], 6, 9)]);
        assert!(lines.len() == 1 && lines[0].contains("1 of the first 2"), "{lines:?}");
        assert!(passed("tcp port 8080", &[vxlan, packet(&[8, 0], 6, 8080)]).is_empty());
    }
}
