//! IPsec's authentication header (RFC 4302), behind which everything can still be read.

use crate::wire::reader::{Listener, Read, Reader};

/// Reads an authentication header; returns its length, `None` when the capture ends before it.
pub(crate) fn authentication<L: Listener>(reader: &mut Reader<'_, L>, at: usize) -> Read<Option<u32>> {
    reader.protocol = "ah";
    if !reader.has(at, 1) {
        reader.truncated();
        return Ok(None);
    }
    reader.text("AH");
    let words = reader.u8(at + 1)?;
    let length = (u32::from(words) + 2) * 4;
    reader.text("(");
    if reader.verbose() > 0 {
        reader.dec("length=", words);
        reader.dec("(", length);
        reader.text("-bytes),");
    }
    let reserved = reader.u16(at + 2)?;
    if reserved != 0 {
        reader.hex("reserved=0x", reserved);
        reader.text("[MustBeZero],");
    }
    reader.hex_padded("spi=0x", reader.u32(at + 4)?, 8);
    reader.text(",");
    reader.hex("seq=0x", reader.u32(at + 8)?);
    reader.text(",icv=0x");
    for n in 12..length as usize {
        reader.hex_bytes(&[reader.u8(at + n)?]);
    }
    reader.text("): ");
    Ok(Some(length))
}
