//! TZSP, which routers stream captured packets in (<https://en.wikipedia.org/wiki/TZSP>): a header of four bytes, tagged
//! fields up to an end tag, then the packet.

use super::frame;
use crate::wire::ip;
use crate::wire::link::ieee802_11;
use crate::wire::reader::{Listener, Read, Reader};

const PADDING: u8 = 0;
const END: u8 = 1;

pub(super) fn read<L: Listener>(reader: &mut Reader<'_, L>, start: usize, length: u32) -> Read {
    let [version, kind, ..] = *reader.array::<4>(start)?;
    // A received packet, or one to be sent.
    if version != 1 || kind > 1 {
        return Ok(());
    }
    let encapsulated = reader.u16(start + 2)?;
    let mut at = start + 4;
    loop {
        match reader.u8(at)? {
            END => break,
            PADDING => at += 1,
            _ => at += 2 + usize::from(reader.u8(at + 1)?),
        }
    }
    at += 1;
    let length = length.saturating_sub((at - start) as u32);
    reader.to.tunnel("TZSP");
    match encapsulated {
        1 => frame(reader, at, length),
        2 => ip::either(reader, at, length),
        18 => reader.nested(|reader| ieee802_11::read(reader, at, length)).map(drop),

        _ => Ok(()),
    }
}
