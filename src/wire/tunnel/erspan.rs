//! ERSPAN, Cisco's mirrored frames over GRE (draft-foschiano-erspan-03): type I has no header of its own, type II one of eight
//! bytes, type III one of twelve with an optional subheader of eight.

use super::frame;
use crate::wire::reader::{Listener, Read, Reader};

pub(super) fn type1<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.to.tunnel("ERSPAN");
    frame(reader, at, length)
}

pub(super) fn type2<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.to.tunnel("ERSPAN");
    frame(reader, at + 8, length.saturating_sub(8))
}

pub(super) fn type3<L: Listener>(reader: &mut Reader<'_, L>, at: usize, length: u32) -> Read {
    reader.to.tunnel("ERSPAN");
    let has_subheader = reader.u8(at + 11)? & 1 != 0;
    let header = if has_subheader { 20 } else { 12 };
    frame(reader, at + header as usize, length.saturating_sub(header))
}
