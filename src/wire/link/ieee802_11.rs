//! Frames of wireless networks (IEEE 802.11 §9). Only data frames that are not encrypted are read; of the others there is one
//! short line.

use crate::wire::llc;
use crate::wire::reader::{Listener, Read, Reader};

const TYPE_DATA: u16 = 2;
/// Bits of a data frame's subtype.
const CF_ACK: u16 = 1;
const CF_POLL: u16 = 2;
const NO_DATA: u16 = 4;
const QOS: u16 = 8;

const TO_DS: u16 = 0x0100;
const FROM_DS: u16 = 0x0200;
const PROTECTED: u16 = 0x4000;

/// With `-v`, in this order.
const FLAGS: [(u16, &str); 6] = [
    (0x2000, "More Data "),
    (0x0400, "More Fragments "),
    (0x1000, "Pwr Mgmt "),
    (0x0800, "Retry "),
    (0x8000, "Strictly Ordered "),
    (PROTECTED, "Protected "),
];

/// Reads a frame without what radiotap may say about it.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read<usize> {
    frame(reader, at, length, false, 0)
}

/// Reads a frame whose header may be padded to words, with a checksum of `fcs` bytes behind it; returns how long its headers are.
pub(super) fn frame<L: Listener>(
    reader: &mut Reader<'_, L>,
    at: usize,
    length: u32,
    padded: bool,
    fcs: u32,
) -> Read<usize> {
    reader.protocol = "802.11";
    let Some(length) = length.checked_sub(fcs) else {
        reader.truncated();
        return Ok(reader.available(at) as usize);
    };
    let end = at + length.min(reader.available(at)) as usize;
    reader.within(end, |reader| without_fcs(reader, at, length, padded))
}

fn without_fcs<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32, padded: bool) -> Read<usize> {
    let Ok(&control) = reader.array(at) else {
        reader.truncated();
        return Ok(reader.available(at) as usize);
    };
    let control = u16::from_le_bytes(control);
    let subtype = control >> 4 & 0x0f;
    if control >> 2 & 3 != TYPE_DATA {
        reader.short("802.11", length);
        return Ok(0);
    }
    let between_stations = control & (TO_DS | FROM_DS) == TO_DS | FROM_DS;
    let mut header = if between_stations { 30 } else { 24 };
    if subtype & QOS != 0 {
        header += 2;
    }
    if padded {
        header = (header as usize).next_multiple_of(4) as u32;
    }
    if reader.available(at) < header {
        reader.truncated();
        return Ok(header as usize);
    }
    if reader.link_header() {
        describe(reader, at, control, subtype)?;
    }
    let (body, rest) = (at + header as usize, length.wrapping_sub(header));
    if subtype & NO_DATA != 0 {
        return Ok(header as usize);
    }
    if control & PROTECTED != 0 {
        reader.short("802.11 protected data", rest);
        return Ok(header as usize);
    }
    Ok(header as usize + llc::read(reader, body, rest)?)
}

fn describe<L: Listener>(reader: &mut Reader<'_, L>, at: usize, control: u16, subtype: u16) -> Read {
    if reader.verbose() > 0 {
        for (flag, name) in FLAGS {
            if control & flag != 0 {
                reader.text(name);
            }
        }
        reader.dec("", u16::from_le_bytes(*reader.array(at + 2)?));
        reader.text("us ");
    }
    if subtype & (CF_ACK | CF_POLL | QOS) != 0 {
        reader.text("CF ");
        reader.text(match subtype & (CF_ACK | CF_POLL) {
            0 => "",
            CF_ACK => "Ack",
            CF_POLL => "Poll",
            _ => "Ack/Poll",
        });
        reader.text(if subtype & QOS != 0 { "+QoS " } else { " " });
    }
    let names: &[&str] = match (control & TO_DS != 0, control & FROM_DS != 0) {
        (false, false) => &["DA:", "SA:", "BSSID:"],
        (false, true) => &["DA:", "BSSID:", "SA:"],
        (true, false) => &["BSSID:", "SA:", "DA:"],
        (true, true) => &["RA:", "TA:", "DA:", "SA:"],
    };
    for (name, offset) in names.iter().zip([4, 10, 16, 24]) {
        reader.text(name);
        reader.mac(at + offset, 6)?;
        reader.text(" ");
    }
    Ok(())
}
