//! PKTAP: what macOS captures on `any` and `pktap`, a header of Apple's before a packet of another link type. Its numbers are
//! little-endian.

use super::link_name;
use crate::wire::LinkType;
use crate::wire::reader::{Listener, Read, Reader};

/// Up to the fields that are read, and the least that the header may say of itself.
const HEADER: u32 = 108;
/// A packet follows.
const RECORD_PACKET: u32 = 1;

pub(super) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "pktap";
    let captured = reader.available(at);
    if captured < HEADER || length < HEADER {
        reader.truncated();
        return Ok(0);
    }
    let u32_at = |offset: usize| Ok(u32::from_le_bytes(*reader.array(at + offset)?));
    let (header, record, link) = (u32_at(0)?, u32_at(4)?, LinkType(u32_at(8)? as i32));
    if header < HEADER {
        reader.truncated();
        return Ok(0);
    }
    if captured < header || length < header {
        reader.truncated();
        return Ok(header as usize);
    }
    let describe = |reader: &mut Reader<'_, L>| {
        if reader.quiet() == 0 {
            reader.text("DLT ");
            reader.text(link_name(link));
            reader.dec(" (", link.0 as u32);
            reader.dec(") len ", header);
        } else {
            reader.text(link_name(link));
        }
        reader.dec(", length ", length);
        reader.text(": ");
    };
    if reader.link_header() {
        describe(reader);
    }
    let (inner, rest) = (at + header as usize, length - header);
    if record != RECORD_PACKET {
        reader.text("no data");
        return Ok(header as usize);
    }
    match reader.nested(|reader| super::read_at(reader, link, inner, rest).transpose())? {
        // tcpdump counts the inner header twice when it dumps what is behind the link layer.
        Some(more) => Ok(header as usize + 2 * more),
        None => {
            if !reader.link_header() {
                describe(reader);
            }
            reader.unknown_payload(inner, captured - header)?;
            Ok(header as usize)
        }
    }
}
