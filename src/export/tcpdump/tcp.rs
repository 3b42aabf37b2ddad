//! TCP (RFC 9293 §3.1).

use super::demux::Payload;
use super::ip4::header_captured;
use super::line::{Line, Printed, Truncated};
use super::seq_table::{Ends, Relative};
use super::{checksum, http, ip4, ip6, protocol, tcp_options};

const HEADER: u32 = 20;
pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const ACK: u8 = 0x10;
pub(super) const URG: u8 = 0x20;

/// In the order in which they are printed, from bit 0 on.
pub(super) const FLAGS: &[u8; 8] = b"FSRP.UEW";

/// How many bytes of a reset's payload are shown.
const RESET_TEXT: u32 = 30;

/// Prints a segment.
pub(super) fn print(line: &mut Line<'_>, payload: Payload) -> Printed {
    line.protocol = "tcp";
    let Payload { at, mut length, .. } = payload;
    if !line.has(at, 4) {
        addresses(line, payload, None)?;
        line.byte(b':');
        line.truncated();
        return Ok(());
    }
    let (sport, dport) = (line.u16(at)?, line.u16(at + 2)?);
    if carrier(line, payload)? == protocol::TCP {
        addresses(line, payload, Some((sport, dport)))?;
    } else {
        // Behind other headers: the addresses are told already.
        line.dec("", sport);
        line.dec(" > ", dport);
    }
    line.text(": ");
    if !line.has(at, HEADER as usize) {
        line.truncated();
        return Ok(());
    }
    let header = u32::from(line.u8(at + 12)? >> 4) * 4;
    if header < HEADER {
        line.dec(" tcp ", length.wrapping_sub(header));
        line.dec(" [bad hdr length ", header);
        line.dec(" - too short, < ", HEADER);
        line.byte(b']');
        return Ok(());
    }
    let (seq, ack) = (line.u32(at + 4)?, line.u32(at + 8)?);
    let flags = line.u8(at + 13)?;
    if line.options.quiet > 0 {
        line.dec("tcp ", length.wrapping_sub(header));
        if header > length {
            too_long(line, header, length);
        }
        return Ok(());
    }
    line.text("Flags [");
    if flags == 0 {
        line.text("none");
    }
    for (bit, &name) in FLAGS.iter().enumerate() {
        if flags & 1 << bit != 0 {
            line.byte(name);
        }
    }
    line.byte(b']');
    let Relative { seq, ack, sack_origin } = if line.options.absolute_sequence || flags & ACK == 0 {
        Relative {
            seq,
            ack,
            sack_origin: 0,
        }
    } else {
        relative(line, payload, (sport, dport), seq, ack, flags & SYN != 0)?
    };
    if header > length {
        too_long(line, header, length);
        return Ok(());
    }
    if line.options.verbose > 0 && !line.options.unverified && !payload.fragmented && line.has(at, length as usize) {
        verify(line, payload)?;
    }
    length -= header;
    if line.options.verbose > 1 || length > 0 || flags & (SYN | FIN | RST) != 0 {
        line.dec(", seq ", seq);
        if length > 0 {
            line.dec(":", seq.wrapping_add(length));
        }
    }
    if flags & ACK != 0 {
        line.dec(", ack ", ack);
    }
    let window = line.u16(at + 14)?;
    line.dec(", win ", window);
    if flags & URG != 0 {
        let urgent = line.u16(at + 18)?;
        line.dec(", urg ", urgent);
    }
    if header > HEADER {
        let options = tcp_options::Options {
            at: at + HEADER as usize,
            left: header - HEADER,
            flags,
            sack_origin,
            segment: (at + header as usize, length),
        };
        if !tcp_options::print(line, options)? {
            return Ok(());
        }
    }
    line.dec(", length ", length);
    if length == 0 {
        return Ok(());
    }
    header_captured(line, at, header as usize)?;
    let data = at + header as usize;
    if flags & RST != 0 && line.options.verbose > 0 {
        return reset_text(line, data, length);
    }
    let http = http::PORTS.contains(&sport) || http::PORTS.contains(&dport);
    if http && !before_http(sport, dport) {
        http::print(line, data, length)?;
    }
    Ok(())
}

/// Whether one of the ports has another of tcpdump's application printers, which it asks before HTTP's.
fn before_http(sport: u16, dport: u16) -> bool {
    // telnet, SMTP, whois, BGP, PPTP, RESP, SSH, BEEP, OpenFlow (two), FTP.
    const FIRST: [u16; 11] = [23, 25, 43, 179, 1723, 6379, 22, 10288, 6633, 6653, 21];
    FIRST.contains(&sport) || FIRST.contains(&dport)
}

/// What the IP header says that it carries: another header may come before the payload.
pub(super) fn carrier(line: &Line<'_>, payload: Payload) -> Printed<u8> {
    line.u8(payload.header + if payload.version == 6 { 6 } else { 9 })
}

/// Both addresses, with their ports when they were captured.
pub(super) fn addresses(line: &mut Line<'_>, payload: Payload, ports: Option<(u16, u16)>) -> Printed {
    let header = payload.header;
    let udp = carrier(line, payload)? == protocol::UDP;
    let end = |line: &mut Line<'_>, v4: usize, v6: usize, port: Option<u16>| {
        match payload.version {
            6 => line.v6(header + v6)?,
            _ => line.v4(header + v4)?,
        }
        if let Some(port) = port {
            line.port(".", port, udp);
        }
        Ok::<_, Truncated>(())
    };
    end(line, 12, 8, ports.map(|p| p.0))?;
    line.text(" > ");
    end(line, 16, 24, ports.map(|p| p.1))
}

fn too_long(line: &mut Line<'_>, header: u32, length: u32) {
    line.dec(" [bad hdr length ", header);
    line.dec(" - too long, > ", length);
    line.byte(b']');
}

fn relative(
    line: &mut Line<'_>,
    payload: Payload,
    (source_port, destination_port): (u16, u16),
    seq: u32,
    ack: u32,
    syn: bool,
) -> Printed<Relative> {
    let header = payload.header;
    Ok(if payload.version == 6 {
        let ends = Ends {
            source: line.array(header + 8)?,
            destination: line.array(header + 24)?,
            source_port,
            destination_port,
        };
        line.memory.sequence.v6(ends, seq, ack, syn)
    } else {
        let ends = Ends {
            source: line.array(header + 12)?,
            destination: line.array(header + 16)?,
            source_port,
            destination_port,
        };
        line.memory.sequence.v4(ends, seq, ack, syn)
    })
}

/// `, cksum 0x1234 (correct)`
fn verify(line: &mut Line<'_>, payload: Payload) -> Printed {
    let Payload { at, length, header, .. } = payload;
    let mut sum = checksum::Sum::default();
    if payload.version == 6 {
        ip6::sum_pseudo_header(line, header, length, protocol::TCP, &mut sum)?;
    } else {
        ip4::sum_pseudo_header(line, header, length, protocol::TCP, &mut sum)?;
    }
    sum.add(line.slice(at, length as usize)?);
    let sum = sum.finish();
    let field = line.u16(at + 16)?;
    line.hex_padded(", cksum 0x", field, 4);
    if sum == 0 {
        line.text(" (correct)");
    } else {
        line.hex_padded(" (incorrect -> 0x", checksum::should_be(field, sum), 4);
        line.byte(b')');
    }
    Ok(())
}

/// What a reset says in its payload (RFC 9293 §3.5.3), with what is not printable in caret notation.
fn reset_text(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.text(if line.has(at, length as usize) {
        " [RST"
    } else {
        " [!RST"
    });
    if length > RESET_TEXT {
        line.byte(b'+');
    }
    line.byte(b' ');
    let shown = length.min(RESET_TEXT).min(line.end.saturating_sub(at) as u32);
    for &byte in line.slice(at, shown as usize)? {
        let mut byte = byte;
        if byte & 0x80 != 0 {
            byte &= 0x7f;
            line.text("M-");
        }
        if !(0x20..0x7f).contains(&byte) {
            byte ^= 0x40;
            line.byte(b'^');
        }
        line.byte(byte);
    }
    line.byte(b']');
    Ok(())
}
