//! PKTAP: what macOS captures on `any` and `pktap`, a header of Apple's before a packet of another link type. Its numbers are
//! little-endian.

use super::Outer;
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
    let outer = Outer {
        version: None,
        link,
        header,
        length,
    };
    if record == RECORD_PACKET {
        return outer.read_inner(reader, at);
    }
    if reader.link_header() {
        outer.describe(reader);
    }
    reader.text("no data");
    Ok(header as usize)
}
