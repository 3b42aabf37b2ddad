//! ICMP (RFC 792) and ICMPv6 (RFC 4443), in short: echo requests and replies with their numbers, of the others the kind.

use super::demux::Payload;
use super::line::{Line, Printed};

/// Prints an ICMP message: `ICMP echo request, id 7, seq 1, length 64`.
pub(super) fn print(line: &mut Line<'_>, payload: Payload) -> Printed {
    let Payload {
        at, length, version, ..
    } = payload;
    let v6 = version == 6;
    line.protocol = if v6 { "icmp6" } else { "icmp" };
    line.need(at, 2)?;
    let (kind, code) = (line.u8(at)?, line.u8(at + 1)?);
    line.text(if v6 { "ICMP6, " } else { "ICMP " });
    let echo = match (v6, kind) {
        (false, 8) | (true, 128) => Some("echo request"),
        (false, 0) | (true, 129) => Some("echo reply"),
        _ => None,
    };
    if let Some(echo) = echo {
        line.text(echo);
        line.dec(", id ", line.u16(at + 4)?);
        line.dec(", seq ", line.u16(at + 6)?);
    } else if let Some(name) = if v6 { name6(kind) } else { name4(kind, code) } {
        line.text(name);
    } else {
        line.dec("type-#", kind);
    }
    line.dec(", length ", length);
    Ok(())
}

fn name4(kind: u8, code: u8) -> Option<&'static str> {
    Some(match (kind, code) {
        (3, 0) => "net unreachable",
        (3, 1) => "host unreachable",
        (3, 2) => "protocol unreachable",
        (3, 3) => "port unreachable",
        (3, 4) => "unreachable - need to frag",
        (3, _) => "unreachable",
        (4, _) => "source quench",
        (5, _) => "redirect",
        (9, _) => "router advertisement",
        (10, _) => "router solicitation",
        (11, 0) => "time exceeded in-transit",
        (11, 1) => "ip reassembly time exceeded",
        (12, _) => "parameter problem",
        (13, _) => "time stamp query",
        (14, _) => "time stamp reply",
        (17, _) => "address mask request",
        (18, _) => "address mask reply",
        _ => return None,
    })
}

fn name6(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "destination unreachable",
        2 => "packet too big",
        3 => "time exceeded in-transit",
        4 => "parameter problem",
        130 => "multicast listener query",
        131 => "multicast listener report",
        132 => "multicast listener done",
        133 => "router solicitation",
        134 => "router advertisement",
        135 => "neighbor solicitation",
        136 => "neighbor advertisement",
        137 => "redirect",
        143 => "multicast listener report v2",
        _ => return None,
    })
}
