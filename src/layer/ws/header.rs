//! A frame's header (RFC 6455 §5.2): 2 to 14 bytes.
//!
//! ```text
//!  byte 0: FIN RSV1 RSV2 RSV3 opcode(4)    byte 1: MASK length(7)    [length: 2 or 8 bytes]    [masking key: 4 bytes]
//! ```

use crate::record::Opcode;

/// The longest header: two bytes, a length of eight, a masking key of four.
pub const MAX_HEADER: usize = 14;

/// A header as it was on the wire, without judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// FIN: the last (or only) frame of its message.
    pub fin: bool,
    /// RSV1: permessage-deflate compressed the message (RFC 7692 §6).
    pub rsv1: bool,
    /// RSV2.
    pub rsv2: bool,
    /// RSV3.
    pub rsv3: bool,
    /// The opcode.
    pub opcode: Opcode,
    /// The masking key, if the MASK bit is set.
    pub masking_key: Option<[u8; 4]>,
    /// Payload bytes that follow. A set top bit (which §5.2 forbids) is left off.
    pub length: u64,
    /// What is odd about the length field.
    pub length_form: LengthForm,
    /// Bytes of the header itself, 2 to 14.
    pub size: u8,
}

/// How the payload length was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthForm {
    /// In the fewest bytes that it needs.
    Minimal,
    /// In more bytes than it needs.
    NonMinimal,
    /// In 64 bits, with the top one set.
    TopBit,
}

impl Header {
    /// Whether one of RSV1 to RSV3 is set.
    pub const fn has_reserved_bits(&self) -> bool {
        self.rsv1 || self.rsv2 || self.rsv3
    }

    /// How long the header is that begins with these two bytes.
    #[inline]
    pub const fn size_of(second: u8) -> usize {
        let length = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + length + if second & 0x80 != 0 { 4 } else { 0 }
    }

    /// A masked frame's header of which all is there but its masking key, or a part of that; it stands as zeros.
    pub fn without_key(bytes: &[u8]) -> Option<Self> {
        let masked = bytes.get(1)? & 0x80 != 0;
        let size = Self::size_of(bytes[1]);
        if !masked || bytes.len() >= size || bytes.len() < size - 4 {
            return None;
        }
        let mut raw = [0; MAX_HEADER];
        raw[..size - 4].copy_from_slice(&bytes[..size - 4]);
        Self::parse(&raw[..size])
    }

    /// The header at the start of `bytes`; `None` when they end before it does.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[first, second, ref rest @ ..] = bytes else {
            return None;
        };
        let (length, length_form, rest) = match second & 0x7f {
            126 => {
                let (field, rest) = rest.split_first_chunk::<2>()?;
                let length = u64::from(u16::from_be_bytes(*field));
                let form = if length < 126 {
                    LengthForm::NonMinimal
                } else {
                    LengthForm::Minimal
                };
                (length, form, rest)
            }
            127 => {
                let (field, rest) = rest.split_first_chunk::<8>()?;
                let length = u64::from_be_bytes(*field);
                let form = if length >> 63 != 0 {
                    LengthForm::TopBit
                } else if length <= 0xffff {
                    LengthForm::NonMinimal
                } else {
                    LengthForm::Minimal
                };
                (length & (u64::MAX >> 1), form, rest)
            }
            short => (u64::from(short), LengthForm::Minimal, rest),
        };
        let masking_key = if second & 0x80 != 0 {
            Some(*rest.first_chunk::<4>()?)
        } else {
            None
        };
        Some(Self {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            rsv2: first & 0x20 != 0,
            rsv3: first & 0x10 != 0,
            opcode: Opcode::from_bits(first),
            masking_key,
            length,
            length_form,
            size: Self::size_of(second) as u8,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The other way round: what a sender would write, with the length in the form asked for.
    fn write(h: &Header, bits: u8) -> Vec<u8> {
        let mut out = vec![
            u8::from(h.fin) << 7
                | u8::from(h.rsv1) << 6
                | u8::from(h.rsv2) << 5
                | u8::from(h.rsv3) << 4
                | h.opcode.bits(),
        ];
        let mask = if h.masking_key.is_some() { 0x80 } else { 0 };
        match bits {
            7 => out.push(mask | h.length as u8),
            16 => {
                out.push(mask | 126);
                out.extend((h.length as u16).to_be_bytes());
            }
            _ => {
                out.push(mask | 127);
                out.extend(h.length.to_be_bytes());
            }
        }
        out.extend(h.masking_key.into_iter().flatten());
        out
    }

    proptest! {
        #[test]
        fn a_header_reads_back(
            fin: bool, [rsv1, rsv2, rsv3]: [bool; 3], opcode in 0u8..16, masking_key: Option<[u8; 4]>,
            length in prop_oneof![0u64..126, 126u64..0x1_0000, 0x1_0000u64..1 << 63],
            wider in 0usize..3,
        ) {
            let minimal = if length < 126 { 0 } else if length <= 0xffff { 1 } else { 2 };
            let form = minimal.max(wider);
            let length_form = if form == minimal { LengthForm::Minimal } else { LengthForm::NonMinimal };
            let mut header = Header { fin, rsv1, rsv2, rsv3, opcode: Opcode::from_bits(opcode), masking_key, length, length_form, size: 0 };
            let bytes = write(&header, [7, 16, 64][form]);
            header.size = bytes.len() as u8;
            prop_assert_eq!(Header::parse(&bytes), Some(header));
            for cut in 0..bytes.len() {
                prop_assert_eq!(Header::parse(&bytes[..cut]), None);
                let known = masking_key.is_some() && cut + 4 >= bytes.len();
                let keyless = Header { masking_key: Some([0; 4]), ..header };
                prop_assert_eq!(Header::without_key(&bytes[..cut]), known.then_some(keyless));
            }
        }
    }

    #[test]
    fn a_length_with_its_top_bit_set_is_told() {
        let header = Header::parse(&[0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0]).unwrap();
        assert_eq!((header.length, header.length_form), (0x1_0000, LengthForm::TopBit));
    }
}
