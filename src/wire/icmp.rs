//! ICMP (RFC 792) and ICMPv6 (RFC 4443), in short: echo requests and replies with their numbers, of the others the type.

use crate::wire::ip::Ip;
use crate::wire::protocol;
use crate::wire::reader::{Listener, Read, Reader};

/// Reads a message: `ICMP echo request, id 7, seq 1, length 64`.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, ip: &Ip) -> Read {
    let v6 = ip.protocol == protocol::ICMPV6;
    reader.protocol = if v6 { "icmp6" } else { "icmp" };
    let kind = reader.u8(ip.at)?;
    reader.text(if v6 { "ICMP6, " } else { "ICMP " });
    let name = match (v6, kind) {
        (false, 8) | (true, 128) => "echo request",
        (false, 0) | (true, 129) => "echo reply",
        (false, 3) => "unreachable",
        (true, 1) => "destination unreachable",
        (true, 2) => "packet too big",
        (false, 5) | (true, 137) => "redirect",
        (false, 11) | (true, 3) => "time exceeded in-transit",
        (true, 133) => "router solicitation",
        (true, 134) => "router advertisement",
        (true, 135) => "neighbor solicitation",
        (true, 136) => "neighbor advertisement",
        _ => "",
    };
    reader.text(name);
    if name.is_empty() {
        reader.dec("type-#", kind);
    }
    if name.starts_with("echo") {
        reader.dec(", id ", reader.u16(ip.at + 4)?);
        reader.dec(", seq ", reader.u16(ip.at + 6)?);
    }
    reader.dec(", length ", ip.length);
    Ok(())
}
