//! UDP (RFC 768), in short; but tunnels over it are followed, because there may be TCP inside.

use etherparse::UdpHeaderSlice;

use crate::wire::ip::{self, Ip};
use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{checksum, protocol, tunnel};

const HEADER: u32 = 8;

/// Reads a datagram: `10.0.0.1.53 > 10.0.0.2.4000: UDP, length 60`.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip) -> Read {
    reader.protocol = "udp";
    let Ip { at, mut length, .. } = *ip;
    // Behind other headers the addresses are told already.
    let direct = ip.next == protocol::UDP;
    if !reader.has(at, 4) {
        if direct {
            ip::addresses(reader, ip);
            reader.text(": ");
        }
        reader.truncated();
        return Ok(());
    }
    let (source, destination) = (reader.u16(at)?, reader.u16(at + 2)?);
    if direct {
        reader.to.host(ip.source);
        reader.text(".");
    }
    reader.to.port(source, true);
    reader.text(" > ");
    if direct {
        reader.to.host(ip.destination);
        reader.text(".");
    }
    reader.to.port(destination, true);
    reader.text(": ");
    if length < HEADER {
        reader.dec("truncated-udp ", length);
        return Ok(());
    }
    let Ok(header) = UdpHeaderSlice::from_slice(reader.rest(at, HEADER as usize)) else {
        reader.truncated();
        return Ok(());
    };
    let mut told = u32::from(header.length());
    if told == 0 && length > 65_535 {
        // A jumbogram (RFC 2675 §4).
        told = length;
    }
    if told < HEADER {
        reader.dec("truncated-udplength ", told);
        return Ok(());
    }
    told -= HEADER;
    length = told.min(length - HEADER);
    if reader.verbose() > 0 && reader.to.verifies() && ip.fragment.is_none() {
        verify(reader, ip, &header, length + HEADER)?;
    }
    let data = at + HEADER as usize;
    let tunnel = tunnel::over_udp(source, destination).filter(|_| reader.quiet() == 0);
    if let Some(tunnel) = &tunnel
        && tunnel.is_opened
    {
        return (tunnel.read)(reader, data, length);
    }
    if told > length && ip.fragment.is_none() {
        reader.dec("UDP, bad length ", told);
        reader.dec(" > ", length);
    } else {
        reader.dec("UDP, length ", told);
    }
    match tunnel {
        Some(tunnel) => reader.not_opened(tunnel.read, data, length),
        None => Ok(()),
    }
}

/// `[udp sum ok] `: over IPv4 with `-vv`, over IPv6, which demands a checksum, with `-v`.
fn verify<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip, header: &UdpHeaderSlice<'_>, whole: u32) -> Read {
    let field = header.checksum();
    if !ip.is_v6() {
        if reader.verbose() < 2 {
            return Ok(());
        }
        if field == 0 {
            reader.text("[no cksum] ");
            return Ok(());
        }
    }
    if !reader.has(ip.at, whole as usize) {
        return Ok(());
    }
    let mut sum = ip::sum_pseudo_header(reader, ip, whole)?;
    // The pseudo-header and the checksum count the same length, which may be less than the header's.
    sum.add(reader.slice(ip.at, whole as usize)?);
    let sum = sum.finish();
    if sum == 0 {
        reader.text("[udp sum ok] ");
    } else {
        reader.hex_padded("[bad udp cksum 0x", field, 4);
        reader.hex_padded(" -> 0x", checksum::should_be(field, sum), 4);
        reader.text("!] ");
    }
    Ok(())
}
