//! IPv4 (RFC 791).

use std::net::{IpAddr, Ipv4Addr};

use crate::wire::checksum;
use crate::wire::ip::{self, Fragment, Ip, addresses, header_captured};
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ip4_options, protocol};

const HEADER: u32 = 20;
const OFFSET: u16 = 0x1fff;
const MORE_FRAGMENTS: u16 = 0x2000;
const DONT_FRAGMENT: u16 = 0x4000;
const RESERVED: u16 = 0x8000;

/// Reads a datagram that begins at `at`; `length` is what the header before it left for it.
#[inline]
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.nested(|reader| datagram(reader, at, length))
}

#[inline]
fn datagram<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "ip";
    let Ok(bytes) = reader.array::<20>(at) else {
        return no_header(reader, at);
    };
    let header = u32::from(bytes[0] & 0x0f) * 4;
    if bytes[0] >> 4 != 4 || length < HEADER || header < HEADER {
        return damaged(reader, bytes[0], length);
    }
    if !reader.link_header() {
        reader.text("IP ");
    }
    let u16_at = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let mut total = u32::from(u16_at(2));
    if length < total {
        reader.dec("truncated-ip - ", total - length);
        reader.text(" bytes missing! ");
    }
    if total < header {
        reader.dec("bad-len ", total);
        // Segmentation offloading leaves a length of 0 behind.
        if L::PRINTS || total != 0 || length < header {
            return Ok(());
        }
        total = length;
    }
    reader.limit(at, total);
    let fragment = u16_at(6);
    let ip = Ip {
        source: IpAddr::V4(Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15])),
        destination: IpAddr::V4(Ipv4Addr::new(bytes[16], bytes[17], bytes[18], bytes[19])),
        id: Some(u16_at(4)),
        ttl: bytes[8],
        next: bytes[9],
        header: at,
        protocol: bytes[9],
        at: at + header as usize,
        length: total - header,
        fragment: (fragment & (OFFSET | MORE_FRAGMENTS) != 0).then(|| Fragment {
            id: u16_at(4).into(),
            offset: usize::from(fragment & OFFSET) * 8,
            more: fragment & MORE_FRAGMENTS != 0,
        }),
    };
    if reader.verbose() > 0 && !parenthesis(reader, &ip, bytes, header)? {
        addresses(reader, &ip);
        reader.text(": ");
        reader.truncated();
        return Ok(());
    }
    if ip.fragment.is_some() && !reader.to.fragment(&ip) {
        return Ok(());
    }
    if fragment & OFFSET == 0 {
        if !protocol::names_ports(ip.protocol) {
            addresses(reader, &ip);
            reader.text(": ");
        }
        header_captured(reader, at, header as usize)?;
        ip::payload(reader, &ip)
    } else {
        // The rest of a datagram whose beginning names the ports.
        if reader.quiet() <= 1 {
            addresses(reader, &ip);
            reader.dec(": ip-proto-", ip.protocol);
        }
        Ok(())
    }
}

#[cold]
fn no_header<L: Listener>(reader: &mut Reader<'_, L>, at: usize) -> Read {
    let first = reader.u8(at)?;
    if first >> 4 != 4 {
        return damaged(reader, first, 0);
    }
    if !reader.link_header() {
        reader.text("IP ");
    }
    reader.truncated();
    Ok(())
}

/// Says why this is no header of IPv4.
#[cold]
fn damaged<L: Listener>(reader: &mut Reader<'_, L>, first: u8, length: u32) -> Read {
    match first >> 4 {
        4 => {
            if !reader.link_header() {
                reader.text("IP ");
            }
            if length < HEADER {
                reader.dec("truncated-ip ", length);
            } else {
                reader.dec("bad-hlen ", (first & 0x0f) * 4);
            }
        }
        6 => {
            reader.text("IP6, wrong link-layer encapsulation");
            reader.invalid();
        }
        version => {
            reader.dec("IP", version);
            reader.invalid();
        }
    }
    Ok(())
}

/// `-v`: the header's fields, and the line break behind them; `false` when the options are cut.
fn parenthesis<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip, bytes: &[u8; 20], header: u32) -> Read<bool> {
    let at = ip.header;
    let u16_at = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let (service, fragment) = (bytes[1], u16_at(6));
    reader.hex("(tos 0x", service);
    reader.text(["", ",ECT(1)", ",ECT(0)", ",CE"][usize::from(service & 3)]);
    if ip.ttl >= 1 {
        reader.dec(", ttl ", ip.ttl);
    }
    reader.dec(", id ", u16_at(4));
    reader.dec(", offset ", u32::from(fragment & OFFSET) * 8);
    reader.text(", flags [");
    let mut separator = "";
    for (flag, name) in [(MORE_FRAGMENTS, "+"), (DONT_FRAGMENT, "DF"), (RESERVED, "rsvd")] {
        if fragment & flag != 0 {
            reader.text(separator);
            reader.text(name);
            separator = ", ";
        }
    }
    if separator.is_empty() {
        reader.text("none");
    }
    reader.text("], proto ");
    reader.text(protocol::name(ip.next).unwrap_or("unknown"));
    reader.dec(" (", ip.next);
    reader.dec("), length ", u16_at(2));
    let mut whole = true;
    if header > HEADER {
        reader.text(", options (");
        whole = ip4_options::read(reader, at + HEADER as usize, header - HEADER)?;
        if !whole {
            reader.text(" [truncated-option]");
        }
        reader.text(")");
    }
    if reader.to.verifies() && reader.has(at, header as usize) {
        let mut sum = checksum::Sum::default();
        sum.add(reader.slice(at, header as usize)?);
        let sum = sum.finish();
        if sum != 0 {
            reader.hex(", bad cksum ", u16_at(10));
            reader.hex(" (->", checksum::should_be(u16_at(10), sum));
            reader.text(")!");
        }
    }
    reader.text(")\n    ");
    Ok(whole)
}
