//! Generic routing encapsulation (RFC 2784, RFC 2890, the source routes of RFC 1701, and RFC 2637's enhanced form).

use crate::wire::reader::{Listener, Read, Reader};
use crate::wire::{ethertype, ip4, ip6, mpls, ppp};

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

/// Reads a header and what it carries.
pub(crate) fn read<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.protocol = "gre";
    if !reader.has(at, 2) || length < 2 {
        reader.truncated();
        return Ok(());
    }
    let version = reader.u16(at)? & 7;
    reader.dec("GREv", version);
    let mut header = Header {
        flags: reader.u16(at)?,
        at: at + 2,
        left: length - 2,
    };
    let shown = match version {
        0 => header.plain(reader, length)?,
        1 => header.enhanced(reader, length)?,
        _ => {
            reader.text(" ERROR: unknown-version");
            true
        }
    };
    if !shown {
        reader.truncated();
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
    fn take<L: Listener>(&mut self, reader: &Reader<'_, L>, n: u32) -> Option<usize> {
        if !reader.has(self.at, n as usize) || self.left < n {
            return None;
        }
        let at = self.at;
        self.at += n as usize;
        self.left -= n;
        Some(at)
    }

    fn print_flags<L: Listener>(&self, reader: &mut Reader<'_, L>) {
        if reader.verbose() == 0 {
            return;
        }
        reader.text(", Flags [");
        let mut separator = "";
        for (flag, name) in FLAGS {
            if self.flags & flag != 0 {
                reader.text(separator);
                reader.text(name);
                separator = ", ";
            }
        }
        reader.text(if separator.is_empty() { "none]" } else { "]" });
    }

    /// The end of the header's line, and what stands between it and the payload's.
    fn finish<L: Listener>(&self, reader: &mut Reader<'_, L>, kind: u16, length: u32) {
        if reader.link_header() {
            reader.text(", proto ");
            ethertype::name_and_number(reader, kind, "unknown");
        }
        reader.dec(", length ", length);
    }

    fn plain<L: Listener>(&mut self, reader: &mut Reader<'_, L>, length: u32) -> Read<bool> {
        self.print_flags(reader);
        let Some(kind) = self.take(reader, 2) else {
            return Ok(false);
        };
        let kind = reader.u16(kind)?;
        if self.flags & (CHECKSUM | ROUTING) != 0 {
            let Some(sum) = self.take(reader, 2) else {
                return Ok(false);
            };
            if reader.verbose() > 0 {
                reader.hex(", sum 0x", reader.u16(sum)?);
            }
            let Some(offset) = self.take(reader, 2) else {
                return Ok(false);
            };
            reader.hex(", off 0x", reader.u16(offset)?);
        }
        if self.flags & KEY != 0 {
            let Some(key) = self.take(reader, 4) else {
                return Ok(false);
            };
            reader.hex(", key=0x", reader.u32(key)?);
        }
        if self.flags & SEQUENCE != 0 {
            let Some(sequence) = self.take(reader, 4) else {
                return Ok(false);
            };
            reader.dec(", seq ", reader.u32(sequence)?);
        }
        if self.flags & ROUTING != 0 && !self.routes(reader)? {
            return Ok(false);
        }
        self.finish(reader, kind, length);
        reader.text(if reader.verbose() > 0 { "\n\t" } else { ": " });
        reader.to.tunnel("GRE");
        let (at, left) = (self.at, self.left);
        match kind {
            ethertype::IPV4 => ip4::read(reader, at, left)?,
            ethertype::IPV6 => ip6::read(reader, at, left)?,
            ethertype::MPLS => mpls::read(reader, at, left)?,
            ethertype::ETHERNET => super::frame(reader, at, left)?,
            _ => {
                reader.hex("gre-proto-0x", kind);
                if let Some(tunnel) = super::over_gre(kind, self.flags & SEQUENCE != 0) {
                    reader.not_opened(tunnel, at, left)?;
                }
            }
        }
        Ok(true)
    }

    /// Source routes (RFC 1701), until an empty one.
    fn routes<L: Listener>(&mut self, reader: &mut Reader<'_, L>) -> Read<bool> {
        loop {
            let Some(entry) = self.take(reader, 4) else {
                return Ok(false);
            };
            let family = reader.u16(entry)?;
            let (offset, length) = (reader.u8(entry + 2)?, reader.u8(entry + 3)?);
            if family == 0 && length == 0 {
                return Ok(true);
            }
            let whole = match family {
                ethertype::IPV4 => {
                    reader.text(", (rtaf=ip");
                    let whole = self.route(reader, offset, length, 4)?;
                    reader.text(")");
                    whole
                }
                0xfffe => {
                    reader.text(", (rtaf=asn");
                    let whole = self.route(reader, offset, length, 2)?;
                    reader.text(")");
                    whole
                }
                _ => {
                    reader.hex(", (rtaf=0x", family);
                    reader.text(")");
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
    fn route<L: Listener>(&self, reader: &mut Reader<'_, L>, offset: u8, length: u8, size: u8) -> Read<bool> {
        if offset & (size - 1) != 0 {
            reader.dec(", badoffset=", offset);
            return Ok(true);
        }
        if length & (size - 1) != 0 {
            reader.dec(", badlength=", length);
            return Ok(true);
        }
        if offset >= length {
            reader.dec(", badoff/len=", offset);
            reader.dec("/", length);
            return Ok(true);
        }
        for n in (0..length).step_by(size.into()) {
            let at = self.at + usize::from(n);
            if !reader.has(at, size.into()) || self.left < u32::from(n + size) {
                return Ok(false);
            }
            reader.text(if n == offset { " *" } else { " " });
            if size == 4 {
                reader.v4(at)?;
            } else {
                reader.hex("", reader.u16(at)?);
            }
        }
        Ok(true)
    }

    fn enhanced<L: Listener>(&mut self, reader: &mut Reader<'_, L>, length: u32) -> Read<bool> {
        self.print_flags(reader);
        let Some(kind) = self.take(reader, 2) else {
            return Ok(false);
        };
        let kind = reader.u16(kind)?;
        for (flag, name) in [(KEY, ", call "), (SEQUENCE, ", seq "), (ACKNOWLEDGMENT, ", ack ")] {
            if self.flags & flag != 0 {
                let Some(field) = self.take(reader, 4) else {
                    return Ok(false);
                };
                let value = reader.u32(field)?;
                reader.dec(name, if flag == KEY { value & 0xffff } else { value });
            }
        }
        let empty = self.flags & SEQUENCE == 0;
        if empty {
            reader.text(", no-payload");
        }
        self.finish(reader, kind, length);
        if empty {
            return Ok(true);
        }
        reader.text(if reader.verbose() > 0 { "\n\t" } else { ": " });
        match kind {
            ethertype::PPP => {
                reader.to.tunnel("PPTP");
                let (at, left) = (self.at, self.left);
                reader.nested(|reader| ppp::frame(reader, at, left))?;
            }
            _ => reader.hex("gre-proto-0x", kind),
        }
        Ok(true)
    }
}
