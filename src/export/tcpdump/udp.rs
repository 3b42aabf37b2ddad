//! UDP (RFC 768), in short; but tunnels over it are followed, because there may be TCP inside.

use super::demux::Payload;
use super::line::{Line, Printed};
use super::{checksum, ip6, mpls, protocol, tcp, udp_tunnels};

const HEADER: u32 = 8;

const OTV: u16 = 8472;
const VXLAN: u16 = 4789;
const GENEVE: u16 = 6081;
const VXLAN_GPE: u16 = 4790;
const MPLS: u16 = 6635;

/// Prints a datagram: `10.0.0.1.53 > 10.0.0.2.4000: UDP, length 60`.
pub(super) fn print(line: &mut Line<'_>, payload: Payload) -> Printed {
    line.protocol = "udp";
    let Payload { at, mut length, .. } = payload;
    if !line.has(at, 4) {
        addresses(line, payload, None)?;
        line.truncated();
        return Ok(());
    }
    let (sport, dport) = (line.u16(at)?, line.u16(at + 2)?);
    addresses(line, payload, Some((sport, dport)))?;
    if length < HEADER {
        line.dec("truncated-udp ", length);
        return Ok(());
    }
    if !line.has(at, 6) {
        line.truncated();
        return Ok(());
    }
    let mut told = u32::from(line.u16(at + 4)?);
    if told == 0 && length > 65_535 {
        // A jumbogram (RFC 2675 §4).
        told = length;
    }
    if told < HEADER {
        line.dec("truncated-udplength ", told);
        return Ok(());
    }
    told -= HEADER;
    length = told.min(length - HEADER);
    if !line.has(at, HEADER as usize) {
        line.truncated();
        return Ok(());
    }
    if line.options.verbose > 0 && !line.options.unverified && !payload.fragmented {
        verify(line, payload, length)?;
    }
    let data = at + HEADER as usize;
    if line.options.quiet == 0 {
        let is = |port| sport == port || dport == port;
        if is(OTV) {
            return udp_tunnels::otv(line, data, length);
        }
        if is(VXLAN) {
            return udp_tunnels::vxlan(line, data, length);
        }
        if is(GENEVE) {
            return udp_tunnels::geneve(line, data, length);
        }
        if is(VXLAN_GPE) {
            return udp_tunnels::vxlan_gpe(line, data, length);
        }
        if is(MPLS) {
            return line.nested(|line| mpls::print(line, data, length));
        }
    }
    if told > length && !payload.fragmented {
        line.dec("UDP, bad length ", told);
        line.dec(" > ", length);
    } else {
        line.dec("UDP, length ", told);
    }
    Ok(())
}

fn addresses(line: &mut Line<'_>, payload: Payload, ports: Option<(u16, u16)>) -> Printed {
    if tcp::carrier(line, payload)? == protocol::UDP {
        tcp::addresses(line, payload, ports)?;
    } else if let Some((sport, dport)) = ports {
        // Behind other headers: the addresses are told already.
        line.port("", sport, true);
        line.port(" > ", dport, true);
    } else {
        return Ok(());
    }
    line.text(": ");
    Ok(())
}

/// `[udp sum ok] `: over IPv4 with `-vv`, over IPv6, which demands a checksum, with `-v`.
fn verify(line: &mut Line<'_>, payload: Payload, length: u32) -> Printed {
    let Payload { at, header, .. } = payload;
    let field = line.u16(at + 6)?;
    let v6 = payload.version == 6;
    if !v6 {
        if line.options.verbose < 2 {
            return Ok(());
        }
        if field == 0 {
            line.text("[no cksum] ");
            return Ok(());
        }
    }
    let whole = length + HEADER;
    if !line.has(at, whole as usize) {
        return Ok(());
    }
    let mut sum = checksum::Sum::default();
    if v6 {
        ip6::sum_pseudo_header(line, header, length + HEADER, protocol::UDP, &mut sum)?;
    } else {
        super::ip4::sum_pseudo_header(line, header, whole, protocol::UDP, &mut sum)?;
    }
    // The pseudo-header and the checksum count the same length, which may be less than the header's.
    sum.add(line.slice(at, whole as usize)?);
    let sum = sum.finish();
    if sum == 0 {
        line.text("[udp sum ok] ");
    } else {
        line.hex_padded("[bad udp cksum 0x", field, 4);
        line.hex_padded(" -> 0x", checksum::should_be(field, sum), 4);
        line.text("!] ");
    }
    Ok(())
}
