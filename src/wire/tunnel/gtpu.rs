//! GTP-U (3GPP TS 29.281 §5): what mobile networks carry their users' packets in.

use crate::wire::ip;
use crate::wire::reader::{Listener, Read, Reader};

/// Version 1, and not GTP'.
const VERSION: u8 = 0x30;
/// Any of the three flags brings four more bytes; the last of them says which extension header follows.
const OPTIONAL_FIELDS: u8 = 0x07;
const EXTENSION: u8 = 0x04;
/// A user's packet.
const G_PDU: u8 = 255;

pub(super) fn read<L: Listener>(reader: &mut Reader<'_, L>, start: usize, length: u32) -> Read {
    let [flags, kind, ..] = *reader.array::<8>(start)?;
    if flags & 0xf0 != VERSION || kind != G_PDU {
        return Ok(());
    }
    let mut at = start + 8;
    if flags & OPTIONAL_FIELDS != 0 {
        at += 4;
        let mut next = reader.u8(at - 1)?;
        while flags & EXTENSION != 0 && next != 0 {
            // Its length counts in words, and its last byte names the next one.
            let words = usize::from(reader.u8(at)?);
            if words == 0 {
                return Ok(());
            }
            at += words * 4;
            next = reader.u8(at - 1)?;
        }
    }
    reader.to.tunnel("GTP-U");
    ip::either(reader, at, length.saturating_sub((at - start) as u32))
}
