//! What of a frame's header breaks RFC 6455 §5 or RFC 7692 §6.

use std::fmt::{Arguments, Display};

use super::{Decoder, Output};
use crate::base::PacketRef;
use crate::base::{Direction, Rule, Violation};
use crate::layer::ws::{Header, LengthForm, Opcode};

impl Decoder {
    /// Judges a header (RFC 6455 §5.1 to §5.5).
    #[inline]
    pub(super) fn check(&self, header: &Header, at: PacketRef, out: &mut impl Output) {
        let masked = header.masking_key.is_some();
        let odd = masked != (self.direction == Direction::ClientToServer)
            || header.rsv1
            || header.rsv2
            || header.rsv3
            || header.length_form != LengthForm::Minimal
            || self.closed && !header.opcode.is_control()
            || header.opcode.is_control() && (header.length > 125 || !header.fin)
            || matches!(header.opcode, Opcode::Reserved(_));
        if odd {
            self.report(header, at, out);
        }
    }

    #[cold]
    fn report(&self, header: &Header, at: PacketRef, out: &mut impl Output) {
        let name = header.opcode.name();
        let mut broken = |rule, detail: Arguments<'_>, about: &dyn Display| {
            if out.lists_violation() {
                out.violation(at, &Violation::new(rule, detail.to_string()).about(about.to_string()));
            }
        };
        match (self.direction, header.masking_key) {
            (Direction::ClientToServer, None) => {
                broken(
                    Rule::UnmaskedClientFrame,
                    format_args!("a {name} frame without a mask"),
                    &name,
                );
            }
            (Direction::ServerToClient, Some(_)) => {
                broken(
                    Rule::MaskedServerFrame,
                    format_args!("a {name} frame with a mask"),
                    &name,
                );
            }
            _ => {}
        }
        let rsv1 = header.rsv1 && !self.extended;
        if rsv1 && self.inflater.is_none() {
            broken(
                Rule::ReservedBit,
                format_args!("RSV1 on a {name} frame, and no extension agreed that uses it"),
                &"RSV1",
            );
        } else if rsv1 && !matches!(header.opcode, Opcode::Text | Opcode::Binary) {
            broken(
                Rule::CompressedBitMisplaced,
                format_args!("RSV1 on a {name} frame"),
                &name,
            );
        }
        for (bit, set) in [(2, header.rsv2), (3, header.rsv3)] {
            if set && !self.extended {
                broken(
                    Rule::ReservedBit,
                    format_args!("RSV{bit} on a {name} frame"),
                    &format_args!("RSV{bit}"),
                );
            }
        }
        if let Opcode::Reserved(bits) = header.opcode {
            broken(
                Rule::ReservedOpcode,
                format_args!("opcode 0x{bits:x}"),
                &format_args!("0x{bits:x}"),
            );
        }
        match header.length_form {
            LengthForm::Minimal => {}
            LengthForm::NonMinimal => broken(
                Rule::NonMinimalLength,
                format_args!(
                    "length {} in {} bytes",
                    header.length,
                    header.size - 2 - 4 * u8::from(header.masking_key.is_some())
                ),
                &header.length,
            ),
            LengthForm::TopBit => broken(
                Rule::LengthTopBit,
                format_args!("a 64-bit length with its top bit set"),
                &"",
            ),
        }
        if header.opcode.is_control() {
            if header.length > 125 {
                broken(
                    Rule::ControlTooLong,
                    format_args!("a {name} frame of {} bytes", header.length),
                    &format_args!("{name}, {}", header.length),
                );
            }
            if !header.fin {
                broken(
                    Rule::ControlFragmented,
                    format_args!("a {name} frame without FIN"),
                    &name,
                );
            }
        }
        // Pings and pongs may be exchanged until the connection is closed (§5.5.2).
        if self.closed && !header.opcode.is_control() {
            broken(
                Rule::DataAfterClose,
                format_args!("a {name} frame after the close frame"),
                &name,
            );
        }
    }
}
