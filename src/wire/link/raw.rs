//! Packets without a link layer.

use crate::wire::ip;
use crate::wire::reader::{Listener, Read, Reader};

/// Reads a packet.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    if reader.link_header() {
        reader.text("ip: ");
    }
    reader.protocol = "ipn";
    if length < 1 {
        reader.dec("truncated-ip ", length);
        return Ok(0);
    }
    ip::either(reader, at, length)?;
    Ok(0)
}
