//! NFLOG: what `iptables … -j NFLOG` hands over, and Android's captures of single apps. Netfilter's header, then attributes in the
//! byte order of the machine, the last of which is the packet.

use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ip4, ip6};

const HEADER: u32 = 4;
/// Length and type of an attribute.
const ATTRIBUTE: u32 = 4;
/// The attribute that is the packet.
const PAYLOAD: u16 = 9;

/// Linux's address families.
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

pub(super) fn read<L: Listener>(reader: &mut Reader<'_, L>, start: usize, whole: u32) -> Read<usize> {
    reader.protocol = "nflog";
    let Ok(&[family, version, ..]) = reader.array::<4>(start) else {
        reader.truncated();
        return Ok(HEADER as usize);
    };
    if version != 0 {
        reader.dec("version ", version);
        reader.text(" (unknown)");
        return Ok(HEADER as usize);
    }
    if reader.link_header() {
        describe(reader, start, family, whole)?;
    }
    let (mut at, mut length) = (start + HEADER as usize, whole.wrapping_sub(HEADER));
    while length > 0 {
        let Ok(&[l0, l1, t0, t1]) = reader.array(at) else {
            reader.truncated();
            return Ok(at - start);
        };
        let size = u32::from(u16::from_le_bytes([l0, l1])).next_multiple_of(4);
        if size < ATTRIBUTE || reader.available(at) < size {
            reader.truncated();
            return Ok(at - start);
        }
        if u16::from_le_bytes([t0, t1]) == PAYLOAD {
            at += ATTRIBUTE as usize;
            length = length.wrapping_sub(ATTRIBUTE);
            break;
        }
        at += size as usize;
        length = length.wrapping_sub(size);
    }
    match family {
        AF_INET => ip4::read(reader, at, length)?,
        AF_INET6 => ip6::read(reader, at, length)?,
        _ => {
            if !reader.link_header() {
                describe(reader, start, family, length.wrapping_add(HEADER))?;
            }
            reader.unknown_payload(at, reader.available(at))?;
        }
    }
    Ok(at - start)
}

/// `version 0, resource ID 5, family IPv4 (2), length 72: `
fn describe<L: Listener>(reader: &mut Reader<'_, L>, at: usize, family: u8, length: u32) -> Read {
    reader.dec("version ", reader.u8(at + 1)?);
    reader.dec(", resource ID ", reader.u16(at + 2)?);
    let name = match family {
        AF_INET => Some("IPv4"),
        AF_INET6 => Some("IPv6"),
        _ => None,
    };
    match (reader.quiet() > 0, name) {
        (true, Some(name)) => {
            reader.text(", ");
            reader.text(name);
        }
        (true, None) => {
            reader.hex_padded(", Unknown NFLOG (0x", family, 2);
            reader.text(")");
        }
        (false, name) => {
            reader.text(", family ");
            reader.text(name.unwrap_or("Unknown"));
            reader.dec(" (", family);
            reader.text(")");
        }
    }
    reader.dec(", length ", length);
    reader.text(": ");
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::base::{Captured, Limits, Timestamp};
    use crate::wire::{Decoder, LinkType, Packet};

    #[test]
    fn an_attribute_of_the_greatest_length_is_only_truncated() {
        for low in 0xfc..=0xff {
            let bytes = [super::AF_INET, 0, 0, 0, low, 0xff, 1, 0];
            let packet = Packet {
                number: 1,
                time: Timestamp::default(),
                link: LinkType(239),
                data: Captured::whole(&bytes),
            };
            assert!(Decoder::new(&Limits::default()).decode(&packet).is_none());
        }
    }
}
