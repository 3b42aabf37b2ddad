//! What an IP header carries, by its protocol number.

use super::line::{Line, Printed};
use super::{ethernet, gre, icmp, ip4, ip6, ipsec, protocol, tcp, udp};

/// The payload of an IP header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload {
    /// Where it begins.
    pub(super) at: usize,
    /// How long it is, by the headers.
    pub(super) length: u32,
    /// 4 or 6.
    pub(super) version: u8,
    /// Where the IP header begins.
    pub(super) header: usize,
    /// Whether it is the first fragment of several.
    pub(super) fragmented: bool,
    /// What it is.
    pub(super) protocol: u8,
}

/// Prints a payload.
pub(super) fn print(line: &mut Line<'_>, mut payload: Payload) -> Printed {
    while payload.protocol == protocol::AH {
        let Some(advance) = ipsec::authentication(line, payload.at)? else {
            return Ok(());
        };
        payload.protocol = line.u8(payload.at)?;
        payload.at += advance as usize;
        payload.length = payload.length.wrapping_sub(advance);
    }
    let Payload {
        at, length, version, ..
    } = payload;
    match payload.protocol {
        protocol::TCP => tcp::print(line, payload),
        protocol::UDP => udp::print(line, payload),
        protocol::IPV4 => ip4::print(line, at, length),
        protocol::IPV6 => ip6::print(line, at, length),
        protocol::GRE => gre::print(line, at, length),
        protocol::ESP => ipsec::encapsulated(line, at, length),
        protocol::ETHERNET if version == 6 => {
            line.nested(|line| ethernet::frame(line, at, length))?;
            Ok(())
        }
        protocol::NONE => {
            line.text("no next header");
            Ok(())
        }
        protocol::ICMP | protocol::IGMP if version == 6 => {
            wrong_version(line, payload.protocol, "IPv4");
            Ok(())
        }
        protocol::ICMPV6 | protocol::ETHERNET if version == 4 => {
            wrong_version(line, payload.protocol, "IPv6");
            Ok(())
        }
        protocol::ICMP | protocol::ICMPV6 => icmp::print(line, payload),
        protocol::SCTP => with_ports(line, payload, "SCTP"),
        protocol::DCCP => with_ports(line, payload, "DCCP"),
        other => {
            match protocol::name(other) {
                Some(name) if protocol::is_payload(other) => {
                    line.text(name);
                    line.dec(", length ", length);
                }
                _ => {
                    line.dec(" ip-proto-", other);
                    line.dec(" ", length);
                }
            }
            Ok(())
        }
    }
}

/// A transport protocol of which only the ports are told.
fn with_ports(line: &mut Line<'_>, payload: Payload, name: &str) -> Printed {
    let ports = match line.has(payload.at, 4) {
        true => Some((line.u16(payload.at)?, line.u16(payload.at + 2)?)),
        false => None,
    };
    tcp::addresses(line, payload, ports)?;
    line.text(": ");
    line.text(name);
    line.dec(", length ", payload.length);
    Ok(())
}

fn wrong_version(line: &mut Line<'_>, number: u8, needed: &str) {
    line.byte(b'[');
    line.text(protocol::name(number).unwrap_or("unknown"));
    line.text(" requires ");
    line.text(needed);
    line.byte(b']');
    line.invalid();
}
