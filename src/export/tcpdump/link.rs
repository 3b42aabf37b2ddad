//! The first header of a packet, by link type.

use super::line::{Line, Printed};
use super::{cooked, ethernet, ip4, ip6, loopback, ppp};
use crate::wire::LinkType;

// The numbers are libpcap's DLT_ ones on Linux, and those of LINKTYPE_ where a savefile may hold these.
const NULL: i32 = 0;
const EN10MB: i32 = 1;
const PPP: i32 = 9;
const RAW: i32 = 12;
const RAW_BSD: i32 = 14;
const PPP_HDLC: i32 = 50;
const PPP_ETHER: i32 = 51;
const RAW_FILE: i32 = 101;
const C_HDLC: i32 = 104;
const LOOP: i32 = 108;
const LINUX_SLL: i32 = 113;
const PPP_PPPD: i32 = 166;
const IPV4: i32 = 228;
const IPV6: i32 = 229;
const LINUX_SLL2: i32 = 276;

/// Prints a packet of `length` bytes on the wire, and says in [`Line::link_length`] how long its link header is.
pub(super) fn print(line: &mut Line<'_>, link: LinkType, length: u32) -> Printed {
    match link.0 {
        EN10MB => ethernet::interface(line, length),
        LINUX_SLL => cooked::v1(line, length),
        LINUX_SLL2 => cooked::v2(line, length),
        NULL | LOOP => loopback::interface(line, length),
        RAW | RAW_BSD | RAW_FILE | IPV4 | IPV6 => raw(line, length),
        PPP | PPP_PPPD => ppp::interface(line, length),
        PPP_HDLC => ppp::hdlc_interface(line, length),
        PPP_ETHER => ppp::over_ethernet_interface(line, length),
        C_HDLC => ppp::cisco_interface(line, length),
        _ => {
            line.protocol = "unsupported";
            line.dump_payload(0, line.available(0))
        }
    }
}

/// A packet without link layer.
fn raw(line: &mut Line<'_>, length: u32) -> Printed {
    line.protocol = "raw";
    if line.options.link_header {
        line.text("ip: ");
    }
    line.protocol = "ipn";
    if length < 1 {
        line.dec("truncated-ip ", length);
        return Ok(());
    }
    match line.u8(0)? >> 4 {
        4 => ip4::print(line, 0, length),
        6 => ip6::print(line, 0, length),
        version => {
            line.dec("unknown ip ", version);
            Ok(())
        }
    }
}
