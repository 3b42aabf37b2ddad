//! Per-Packet Information: a header with measurements before a packet of another link type, mostly 802.11. Its numbers are
//! little-endian.

use super::Outer;
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
    let outer = Outer {
        version: Some(bytes[0]),
        link,
        header,
        length,
    };
    outer.read_inner(reader, at)
}
