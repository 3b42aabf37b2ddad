//! Per-Packet Information: a header with measurements before a packet of another link type, mostly 802.11. Its numbers are
//! little-endian.

use super::link_name;
use crate::wire::LinkType;
use crate::wire::reader::{Listener, Read, Reader};

const HEADER: usize = 8;

pub(super) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    reader.protocol = "ppi";
    if reader.available(at) < HEADER as u32 {
        reader.truncated();
        return Ok(reader.available(at) as usize);
    }
    let bytes = reader.array::<HEADER>(at)?;
    let header = u32::from(u16::from_le_bytes([bytes[2], bytes[3]]));
    let link = LinkType(u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as i32);
    if header < HEADER as u32 || reader.available(at) < header || length < header {
        reader.truncated();
        return Ok(HEADER);
    }
    let version = bytes[0];
    let describe = |reader: &mut Reader<'_, L>| {
        if reader.quiet() == 0 {
            reader.dec("V.", version);
            reader.text(" DLT ");
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
    match reader.nested(|reader| super::read_at(reader, link, inner, rest).transpose())? {
        // tcpdump counts the inner header twice when it dumps what is behind the link layer.
        Some(more) => Ok(header as usize + 2 * more),
        None => {
            if !reader.link_header() {
                describe(reader);
            }
            reader.unknown_payload(inner, reader.available(inner))?;
            Ok(header as usize)
        }
    }
}
