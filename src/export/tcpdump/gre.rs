//! Generic routing encapsulation (RFC 2784, RFC 2890, the source routes of RFC 1701, and RFC 2637's enhanced form).

use super::line::{Line, Printed};
use super::{ethernet, ethertype, ip4, ip6, mpls, ppp};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const SOURCE_ROUTE: u16 = 0x0800;
const ACKNOWLEDGMENT: u16 = 0x0080;

/// What the flags are called, in the order in which they are listed.
const FLAGS: [(u16, &str); 6] = [
    (CHECKSUM, "checksum present"),
    (ROUTING, "routing present"),
    (KEY, "key present"),
    (SEQUENCE, "sequence# present"),
    (SOURCE_ROUTE, "source routing present"),
    (ACKNOWLEDGMENT, "ack present"),
];

const ETHERNET: u16 = 0x6558;

/// Prints a header and what it carries.
pub(super) fn print(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "gre";
    if !line.has(at, 2) || length < 2 {
        line.truncated();
        return Ok(());
    }
    let version = line.u16(at)? & 7;
    line.dec("GREv", version);
    let mut header = Header {
        flags: line.u16(at)?,
        at: at + 2,
        left: length - 2,
    };
    let shown = match version {
        0 => header.plain(line, length)?,
        1 => header.enhanced(line, length)?,
        _ => {
            line.text(" ERROR: unknown-version");
            true
        }
    };
    if !shown {
        line.truncated();
    }
    Ok(())
}

/// What is left of a header. What returns `false` or `None` ran out of bytes.
struct Header {
    flags: u16,
    at: usize,
    left: u32,
}

impl Header {
    fn take(&mut self, line: &Line<'_>, n: u32) -> Option<usize> {
        if !line.has(self.at, n as usize) || self.left < n {
            return None;
        }
        let at = self.at;
        self.at += n as usize;
        self.left -= n;
        Some(at)
    }

    fn print_flags(&self, line: &mut Line<'_>) {
        if line.options.verbose == 0 {
            return;
        }
        line.text(", Flags [");
        let mut separator = "";
        for (flag, name) in FLAGS {
            if self.flags & flag != 0 {
                line.text(separator);
                line.text(name);
                separator = ", ";
            }
        }
        line.text(if separator.is_empty() { "none]" } else { "]" });
    }

    /// The end of the header's line, and what stands between it and the payload's.
    fn finish(&self, line: &mut Line<'_>, kind: u16, length: u32) {
        if line.options.link_header {
            line.text(", proto ");
            line.text(ethertype::name(kind).unwrap_or("unknown"));
            line.hex_padded(" (0x", kind, 4);
            line.byte(b')');
        }
        line.dec(", length ", length);
    }

    fn plain(&mut self, line: &mut Line<'_>, length: u32) -> Printed<bool> {
        self.print_flags(line);
        let Some(kind) = self.take(line, 2) else {
            return Ok(false);
        };
        let kind = line.u16(kind)?;
        if self.flags & (CHECKSUM | ROUTING) != 0 {
            let Some(sum) = self.take(line, 2) else {
                return Ok(false);
            };
            if line.options.verbose > 0 {
                line.hex(", sum 0x", line.u16(sum)?);
            }
            let Some(offset) = self.take(line, 2) else {
                return Ok(false);
            };
            line.hex(", off 0x", line.u16(offset)?);
        }
        if self.flags & KEY != 0 {
            let Some(key) = self.take(line, 4) else {
                return Ok(false);
            };
            line.hex(", key=0x", line.u32(key)?);
        }
        if self.flags & SEQUENCE != 0 {
            let Some(sequence) = self.take(line, 4) else {
                return Ok(false);
            };
            line.dec(", seq ", line.u32(sequence)?);
        }
        if self.flags & ROUTING != 0 && !self.routes(line)? {
            return Ok(false);
        }
        self.finish(line, kind, length);
        line.text(if line.options.verbose > 0 { "\n\t" } else { ": " });
        let (at, left) = (self.at, self.left);
        match kind {
            ethertype::IPV4 => ip4::print(line, at, left)?,
            ethertype::IPV6 => ip6::print(line, at, left)?,
            ethertype::MPLS => mpls::print(line, at, left)?,
            ETHERNET => {
                line.nested(|line| ethernet::frame(line, at, left))?;
            }
            _ => line.hex("gre-proto-0x", kind),
        }
        Ok(true)
    }

    /// Source routes (RFC 1701), until an empty one.
    fn routes(&mut self, line: &mut Line<'_>) -> Printed<bool> {
        loop {
            let Some(entry) = self.take(line, 4) else {
                return Ok(false);
            };
            let family = line.u16(entry)?;
            let (offset, length) = (line.u8(entry + 2)?, line.u8(entry + 3)?);
            if family == 0 && length == 0 {
                return Ok(true);
            }
            let whole = match family {
                ethertype::IPV4 => {
                    line.text(", (rtaf=ip");
                    let whole = self.route(line, offset, length, 4)?;
                    line.byte(b')');
                    whole
                }
                0xfffe => {
                    line.text(", (rtaf=asn");
                    let whole = self.route(line, offset, length, 2)?;
                    line.byte(b')');
                    whole
                }
                _ => {
                    line.hex(", (rtaf=0x", family);
                    line.byte(b')');
                    true
                }
            };
            if !whole || self.left < u32::from(length) {
                return Ok(false);
            }
            self.at += usize::from(length);
            self.left -= u32::from(length);
        }
    }

    /// The stops of one route: addresses, or numbers of autonomous systems.
    fn route(&self, line: &mut Line<'_>, offset: u8, length: u8, size: u8) -> Printed<bool> {
        if offset & (size - 1) != 0 {
            line.dec(", badoffset=", offset);
            return Ok(true);
        }
        if length & (size - 1) != 0 {
            line.dec(", badlength=", length);
            return Ok(true);
        }
        if offset >= length {
            line.dec(", badoff/len=", offset);
            line.dec("/", length);
            return Ok(true);
        }
        for n in (0..length).step_by(size.into()) {
            let at = self.at + usize::from(n);
            if !line.has(at, size.into()) || self.left < u32::from(n + size) {
                return Ok(false);
            }
            line.text(if n == offset { " *" } else { " " });
            if size == 4 {
                line.v4(at)?;
            } else {
                line.hex("", line.u16(at)?);
            }
        }
        Ok(true)
    }

    fn enhanced(&mut self, line: &mut Line<'_>, length: u32) -> Printed<bool> {
        self.print_flags(line);
        let Some(kind) = self.take(line, 2) else {
            return Ok(false);
        };
        let kind = line.u16(kind)?;
        for (flag, name) in [(KEY, ", call "), (SEQUENCE, ", seq "), (ACKNOWLEDGMENT, ", ack ")] {
            if self.flags & flag != 0 {
                let Some(field) = self.take(line, 4) else {
                    return Ok(false);
                };
                let value = line.u32(field)?;
                line.dec(name, if flag == KEY { value & 0xffff } else { value });
            }
        }
        let empty = self.flags & SEQUENCE == 0;
        if empty {
            line.text(", no-payload");
        }
        self.finish(line, kind, length);
        if empty {
            return Ok(true);
        }
        line.text(if line.options.verbose > 0 { "\n\t" } else { ": " });
        match kind {
            ethertype::PPP => {
                let (at, left) = (self.at, self.left);
                line.nested(|line| ppp::frame(line, at, left))?;
            }
            _ => line.hex("gre-proto-0x", kind),
        }
        Ok(true)
    }
}
