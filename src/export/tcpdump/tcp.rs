//! TCP's part of a line (RFC 9293 §3.1).

use super::line::Reader;
use super::seq_table::Relative;
use super::{http, tcp_options};
use crate::base::Endpoint;
use crate::wire::checksum;
use crate::wire::ip::{self, Ip, header_captured};
use crate::wire::protocol;
use crate::wire::reader::{Listener, Read};
use crate::wire::tcp::{HEADER, Header, Tcp};

const FIN: u16 = 0x01;
pub(super) const SYN: u16 = 0x02;
const RST: u16 = 0x04;
pub(super) const ACK: u16 = 0x10;
const URG: u16 = 0x20;

/// In the order in which they are printed, from bit 0 on.
const FLAGS: &[u8; 8] = b"FSRP.UEW";

/// How many bytes of a reset's payload are shown.
const RESET_TEXT: u32 = 30;

/// Prints a segment.
#[inline]
pub(super) fn print(reader: &mut Reader<'_, '_>, ip: &Ip, tcp: &Tcp) -> Read {
    let (source, destination) = match *tcp {
        Tcp::Nothing => {
            ip::addresses(reader, ip);
            reader.text(":");
            reader.truncated();
            return Ok(());
        }
        Tcp::Ports(source, destination) => (source, destination),
        Tcp::Header(header) => (header.source_port, header.destination_port),
    };
    if ip.next == protocol::TCP {
        reader.to.host(ip.source);
        reader.text(".");
        reader.to.port(source, false);
        reader.text(" > ");
        reader.to.host(ip.destination);
        reader.text(".");
        reader.to.port(destination, false);
    } else {
        // Behind other headers: the addresses are told already.
        reader.dec("", source);
        reader.dec(" > ", destination);
    }
    reader.text(": ");
    match tcp {
        Tcp::Header(header) => segment(reader, ip, header),
        _ => {
            reader.truncated();
            Ok(())
        }
    }
}

#[inline]
fn segment(reader: &mut Reader<'_, '_>, ip: &Ip, tcp: &Header) -> Read {
    let Ip { at, mut length, .. } = *ip;
    let Header {
        length: header, flags, ..
    } = *tcp;
    if header < HEADER {
        reader.dec(" tcp ", length.wrapping_sub(header));
        reader.dec(" [bad hdr length ", header);
        reader.dec(" - too short, < ", HEADER);
        reader.text("]");
        return Ok(());
    }
    if reader.quiet() > 0 {
        reader.dec("tcp ", length.wrapping_sub(header));
        if header > length {
            too_long(reader, header, length);
        }
        return Ok(());
    }
    reader.text("Flags [");
    print_flags(reader, flags);
    reader.text("]");
    let numbers = if reader.to.options.absolute_sequence || flags & ACK == 0 {
        Relative {
            seq: tcp.seq,
            ack: tcp.ack,
            sack_origin: 0,
        }
    } else {
        let source = Endpoint::new(ip.source, tcp.source_port);
        let destination = Endpoint::new(ip.destination, tcp.destination_port);
        let sequence = &mut reader.to.memory.sequence;
        sequence.relative(source, destination, tcp.seq, tcp.ack, flags & SYN != 0)
    };
    if header > length {
        too_long(reader, header, length);
        return Ok(());
    }
    if reader.verbose() > 0 && reader.to.verifies() && ip.fragment.is_none() && reader.has(at, length as usize) {
        verify(reader, ip, tcp)?;
    }
    length -= header;
    if length > 0 || flags & (SYN | FIN | RST) != 0 || reader.verbose() > 1 {
        reader.dec(", seq ", numbers.seq);
        if length > 0 {
            reader.dec(":", numbers.seq.wrapping_add(length));
        }
    }
    if flags & ACK != 0 {
        reader.dec(", ack ", numbers.ack);
    }
    reader.dec(", win ", tcp.window);
    if flags & URG != 0 {
        reader.dec(", urg ", tcp.urgent);
    }
    if header > HEADER {
        let options = tcp_options::Options {
            at: at + HEADER as usize,
            left: header - HEADER,
            flags,
            sack_origin: numbers.sack_origin,
            segment: (at + header as usize, length),
        };
        if !tcp_options::print(reader, options)? {
            return Ok(());
        }
    }
    reader.dec(", length ", length);
    if length == 0 {
        return Ok(());
    }
    header_captured(reader, at, header as usize)?;
    let data = at + header as usize;
    if flags & RST != 0 && reader.verbose() > 0 {
        return reset_text(reader, data, length);
    }
    if http::is_expected(tcp.source_port, tcp.destination_port) {
        http::print(reader, data, length)?;
    }
    Ok(())
}

#[inline]
fn print_flags(reader: &mut Reader<'_, '_>, flags: u16) {
    let (text, length) = &FLAG_TEXTS[usize::from(flags as u8)];
    reader.to.text.put_first(text, usize::from(*length));
}

/// The letters of each combination of flags, and how many they are.
const FLAG_TEXTS: [([u8; 8], u8); 256] = {
    let mut texts = [(*b"none    ", 4); 256];
    let mut flags = 1;
    while flags < 256 {
        let (mut text, mut length, mut bit) = ([0; 8], 0, 0);
        while bit < 8 {
            if flags >> bit & 1 != 0 {
                text[length] = FLAGS[bit];
                length += 1;
            }
            bit += 1;
        }
        texts[flags] = (text, length as u8);
        flags += 1;
    }
    texts
};

fn too_long(reader: &mut Reader<'_, '_>, header: u32, length: u32) {
    reader.dec(" [bad hdr length ", header);
    reader.dec(" - too long, > ", length);
    reader.text("]");
}

/// `, cksum 0x1234 (correct)`
fn verify(reader: &mut Reader<'_, '_>, ip: &Ip, tcp: &Header) -> Read {
    let mut sum = ip::sum_pseudo_header(reader, ip, ip.length)?;
    sum.add(reader.slice(ip.at, ip.length as usize)?);
    let sum = sum.finish();
    reader.hex_padded(", cksum 0x", tcp.checksum, 4);
    if sum == 0 {
        reader.text(" (correct)");
    } else {
        reader.hex_padded(" (incorrect -> 0x", checksum::should_be(tcp.checksum, sum), 4);
        reader.text(")");
    }
    Ok(())
}

/// What a reset says in its payload (RFC 9293 §3.5.3), with what is not printable in caret notation.
fn reset_text(reader: &mut Reader<'_, '_>, at: usize, length: u32) -> Read {
    reader.text(if reader.has(at, length as usize) {
        " [RST"
    } else {
        " [!RST"
    });
    if length > RESET_TEXT {
        reader.text("+");
    }
    reader.text(" ");
    for &byte in reader.rest(at, length.min(RESET_TEXT) as usize) {
        let mut byte = byte;
        if byte & 0x80 != 0 {
            byte &= 0x7f;
            reader.text("M-");
        }
        if !(0x20..0x7f).contains(&byte) {
            byte ^= 0x40;
            reader.text("^");
        }
        reader.to.text.put(&[byte]);
    }
    reader.text("]");
    Ok(())
}
