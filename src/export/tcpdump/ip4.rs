//! IPv4 (RFC 791).

use super::line::{Line, Printed};
use super::{checksum, demux, ip4_options, protocol};

const HEADER: u32 = 20;
const OFFSET: u16 = 0x1fff;
const MORE_FRAGMENTS: u16 = 0x2000;
const DONT_FRAGMENT: u16 = 0x4000;
const RESERVED: u16 = 0x8000;

/// Prints a datagram that begins at `at`; `length` is what the header before it left for it.
pub(super) fn print(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.nested(|line| datagram(line, at, length))
}

fn datagram(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "ip";
    let first = line.u8(at)?;
    match first >> 4 {
        4 => {}
        6 => {
            line.text("IP6, wrong link-layer encapsulation");
            line.invalid();
            return Ok(());
        }
        version => {
            line.dec("IP", version);
            line.invalid();
            return Ok(());
        }
    }
    if !line.options.link_header {
        line.text("IP ");
    }
    if !line.has(at, HEADER as usize) {
        line.truncated();
        return Ok(());
    }
    if length < HEADER {
        line.dec("truncated-ip ", length);
        return Ok(());
    }
    let header = u32::from(first & 0x0f) * 4;
    if header < HEADER {
        line.dec("bad-hlen ", header);
        return Ok(());
    }
    let total = u32::from(line.u16(at + 2)?);
    if length < total {
        line.dec("truncated-ip - ", total - length);
        line.text(" bytes missing! ");
    }
    if total < header {
        line.dec("bad-len ", total);
        return Ok(());
    }
    line.push_end(at, total);
    let payload_length = total - header;
    let fragment = line.u16(at + 6)?;
    let protocol = line.u8(at + 9)?;
    if line.options.verbose > 0 && !parenthesis(line, at, header)? {
        addresses(line, at)?;
        line.text(": ");
        line.truncated();
        line.pop_end();
        return Ok(());
    }
    if fragment & OFFSET == 0 {
        if !matches!(
            protocol,
            protocol::TCP | protocol::UDP | protocol::SCTP | protocol::DCCP
        ) {
            addresses(line, at)?;
            line.text(": ");
        }
        header_captured(line, at, header as usize)?;
        demux::print(
            line,
            demux::Payload {
                at: at + header as usize,
                length: payload_length,
                version: 4,
                header: at,
                fragmented: fragment & MORE_FRAGMENTS != 0,
                protocol,
            },
        )?;
    } else if line.options.quiet <= 1 {
        // The rest of a datagram whose beginning names the ports.
        addresses(line, at)?;
        line.dec(": ip-proto-", protocol);
    }
    line.pop_end();
    Ok(())
}

/// Gives the packet up, with a note, when a header's announced length was not captured.
pub(super) fn header_captured(line: &mut Line<'_>, at: usize, length: usize) -> Printed {
    if line.has(at, length) {
        return Ok(());
    }
    let available = line.available(at);
    line.dec(" [remaining caplen(", available);
    line.dec(") < header length(", length);
    line.text(")]");
    Err(super::line::Truncated)
}

fn addresses(line: &mut Line<'_>, at: usize) -> Printed {
    line.v4(at + 12)?;
    line.text(" > ");
    line.v4(at + 16)
}

/// Adds the pseudo-header (RFC 9293 §3.1) to a checksum over `length` bytes of a protocol.
pub(super) fn sum_pseudo_header(
    line: &Line<'_>,
    header: usize,
    length: u32,
    protocol: u8,
    sum: &mut checksum::Sum,
) -> Printed {
    sum.add(&line.array::<4>(header + 12)?);
    let header_length = u32::from(line.u8(header)? & 0x0f) * 4;
    let destination = match ip4_options::final_destination(line, header, header_length)? {
        Some(address) => address,
        None => line.array(header + 16)?,
    };
    sum.add(&destination);
    // The length has 16 bits, whatever the segment's.
    sum.add(&(length as u16).to_be_bytes());
    sum.add(&[0, protocol]);
    Ok(())
}

/// `-v`: the header's fields, and the line break behind them; `false` when the options are cut.
fn parenthesis(line: &mut Line<'_>, at: usize, header: u32) -> Printed<bool> {
    let service = line.u8(at + 1)?;
    let fragment = line.u16(at + 6)?;
    let protocol = line.u8(at + 9)?;
    line.hex("(tos 0x", service);
    line.text(["", ",ECT(1)", ",ECT(0)", ",CE"][usize::from(service & 3)]);
    let hops = line.u8(at + 8)?;
    if hops >= 1 {
        line.dec(", ttl ", hops);
    }
    let id = line.u16(at + 4)?;
    line.dec(", id ", id);
    line.dec(", offset ", u32::from(fragment & OFFSET) * 8);
    line.text(", flags [");
    let mut separator = "";
    for (flag, name) in [(MORE_FRAGMENTS, "+"), (DONT_FRAGMENT, "DF"), (RESERVED, "rsvd")] {
        if fragment & flag != 0 {
            line.text(separator);
            line.text(name);
            separator = ", ";
        }
    }
    if separator.is_empty() {
        line.text("none");
    }
    line.text("], proto ");
    line.text(protocol::name(protocol).unwrap_or("unknown"));
    line.dec(" (", protocol);
    let total = line.u16(at + 2)?;
    line.dec("), length ", total);
    let mut whole = true;
    if header > HEADER {
        line.text(", options (");
        whole = ip4_options::print(line, at + HEADER as usize, header - HEADER)?;
        if !whole {
            line.text(" [truncated-option]");
        }
        line.byte(b')');
    }
    if !line.options.unverified && line.has(at, header as usize) {
        let mut sum = checksum::Sum::default();
        sum.add(line.slice(at, header as usize)?);
        let sum = sum.finish();
        if sum != 0 {
            let field = line.u16(at + 10)?;
            line.hex(", bad cksum ", field);
            line.hex(" (->", checksum::should_be(field, sum));
            line.text(")!");
        }
    }
    line.text(")\n    ");
    Ok(whole)
}
