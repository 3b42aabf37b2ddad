//! Ethernet (IEEE 802.3) with its VLAN tags (IEEE 802.1Q, 802.1ad).

use super::ethertype::{self, ETHERNET_LENGTH_MAX, Found, JUMBO, VLAN, VLAN_9100, VLAN_9200, VLAN_QINQ};
use super::line::{Line, Printed};
use super::llc;

const HEADER: u32 = 14;

/// Prints a packet of an Ethernet interface.
pub(super) fn interface(line: &mut Line<'_>, length: u32) -> Printed {
    line.link_length += frame(line, 0, length)?;
    Ok(())
}

/// Prints an Ethernet frame that begins at `start`; returns how long its headers are.
pub(super) fn frame(line: &mut Line<'_>, start: usize, length: u32) -> Printed<usize> {
    line.protocol = "ether";
    let mut captured = line.available(start);
    if length < captured {
        line.dec("[length ", length);
        line.dec(" < caplen ", captured);
        line.byte(b']');
        line.invalid();
        return Ok(length as usize);
    }
    if captured < HEADER {
        line.truncated();
        return Ok(captured as usize);
    }
    let whole = length;
    let (destination, source) = (start, start + 6);
    if line.options.link_header {
        addresses(line, source, destination)?;
    }
    let mut ethertype = line.u16(start + 12)?;
    let mut at = start + HEADER as usize;
    let mut length = length - HEADER;
    captured -= HEADER;
    let mut length_told = false;
    while matches!(ethertype, VLAN | VLAN_9100 | VLAN_9200 | VLAN_QINQ) {
        if captured < 4 {
            line.protocol = "vlan";
            line.truncated();
            return Ok(at - start + captured as usize);
        }
        if line.options.link_header {
            kind(line, ethertype);
            if length_told {
                line.text(", ");
            } else {
                line.dec(", length ", whole);
                line.text(": ");
                length_told = true;
            }
            tag(line, at)?;
        }
        ethertype = line.u16(at + 2)?;
        at += 4;
        length -= 4;
        captured -= 4;
    }
    let from_to = Some((source, destination));
    let header = at - start;
    if ethertype <= ETHERNET_LENGTH_MAX || ethertype == JUMBO {
        // An LLC header follows.
        let is_length = ethertype != JUMBO;
        if is_length {
            length = length.min(u32::from(ethertype));
            captured = captured.min(length);
            line.push_end(at, length);
            if line.options.link_header {
                line.text("802.3");
                if !length_told {
                    line.dec(", length ", length);
                    line.text(": ");
                }
            }
        }
        let n = match llc::print(line, at, length, from_to)? {
            Found::Known(n) => n,
            Found::Unknown(n) => {
                line.unknown_payload(at, captured)?;
                n
            }
        };
        if is_length {
            line.pop_end();
        }
        return Ok(header + n);
    }
    if line.options.link_header {
        kind(line, ethertype);
        if length_told {
            line.text(", ");
        } else {
            line.dec(", length ", whole);
            line.text(": ");
        }
    }
    if !ethertype::print(line, ethertype, at, length, from_to)? {
        if !line.options.link_header {
            addresses(line, source, destination)?;
            kind(line, ethertype);
            line.dec(", length ", whole);
            line.text(": ");
        }
        line.unknown_payload(at, captured)?;
    }
    Ok(header)
}

/// `00:00:00:00:00:01 > 00:00:00:00:00:02, `
fn addresses(line: &mut Line<'_>, source: usize, destination: usize) -> Printed {
    line.mac(source, 6)?;
    line.text(" > ");
    line.mac(destination, 6)?;
    line.text(", ");
    Ok(())
}

fn kind(line: &mut Line<'_>, ethertype: u16) {
    let name = ethertype::name(ethertype);
    match (line.options.quiet > 0, name) {
        (true, Some(name)) => line.text(name),
        (true, None) => {
            line.hex_padded("Unknown Ethertype (0x", ethertype, 4);
            line.byte(b')');
        }
        (false, name) => {
            line.text("ethertype ");
            line.text(name.unwrap_or("Unknown"));
            line.hex_padded(" (0x", ethertype, 4);
            line.byte(b')');
        }
    }
}

/// `vlan 7, p 0, `: the tag control information at `at`.
pub(super) fn tag(line: &mut Line<'_>, at: usize) -> Printed {
    let control = line.u16(at)?;
    line.dec("vlan ", control & 0xfff);
    line.dec(", p ", control >> 13);
    if control & 0x1000 != 0 {
        line.text(", DEI");
    }
    line.text(", ");
    Ok(())
}
