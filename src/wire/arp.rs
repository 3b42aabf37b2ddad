//! ARP (RFC 826), in its short form.

use crate::wire::ethertype;
use crate::wire::reader::{Listener, Read, Reader};

const HEADER: usize = 8;

/// Reads a packet: `ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28`.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "arp";
    let header = *reader.array::<HEADER>(at)?;
    let (hardware, operation) = (usize::from(header[4]), header[7]);
    let for_ip = header[2..4] == ethertype::IPV4.to_be_bytes() && header[5] == 4 && hardware != 0;
    let sender = at + HEADER;
    let (sender_ip, target) = (sender + hardware, sender + hardware + 4);
    let target_ip = target + hardware;
    reader.need(target_ip, header[5].into())?;
    if !reader.link_header() {
        reader.text("ARP, ");
    }
    match operation {
        1 if for_ip => {
            reader.text("Request who-has ");
            reader.v4(target_ip)?;
            if reader.slice(target, hardware)?.iter().any(|&byte| byte != 0) {
                reader.text(" (");
                reader.mac(target, hardware)?;
                reader.text(")");
            }
            reader.text(" tell ");
            reader.v4(sender_ip)?;
        }
        2 if for_ip => {
            reader.text("Reply ");
            reader.v4(sender_ip)?;
            reader.text(" is-at ");
            reader.mac(sender, hardware)?;
        }
        other => reader.dec("operation ", other),
    }
    reader.dec(", length ", length);
    Ok(())
}
