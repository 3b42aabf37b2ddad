//! What of a frame's header breaks RFC 6455 §5 or RFC 7692 §6.

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
        let mut broken = |rule, detail: String, about: String| {
            out.violation(at, &Violation::new(rule, detail).about(about));
        };
        match (self.direction, header.masking_key) {
            (Direction::ClientToServer, None) => {
                broken(
                    Rule::UnmaskedClientFrame,
                    format!("a {name} frame without a mask"),
                    name.to_string(),
                );
            }
            (Direction::ServerToClient, Some(_)) => {
                broken(
                    Rule::MaskedServerFrame,
                    format!("a {name} frame with a mask"),
                    name.to_string(),
                );
            }
            _ => {}
        }
        let rsv1 = header.rsv1 && !self.extended;
        if rsv1 && self.inflater.is_none() {
            broken(
                Rule::ReservedBit,
                format!("RSV1 on a {name} frame, and no extension agreed that uses it"),
                "RSV1".to_owned(),
            );
        } else if rsv1 && !matches!(header.opcode, Opcode::Text | Opcode::Binary) {
            broken(
                Rule::CompressedBitMisplaced,
                format!("RSV1 on a {name} frame"),
                name.to_string(),
            );
        }
        for (bit, set) in [(2, header.rsv2), (3, header.rsv3)] {
            if set && !self.extended {
                broken(
                    Rule::ReservedBit,
                    format!("RSV{bit} on a {name} frame"),
                    format!("RSV{bit}"),
                );
            }
        }
        if let Opcode::Reserved(bits) = header.opcode {
            broken(
                Rule::ReservedOpcode,
                format!("opcode 0x{bits:x}"),
                format!("0x{bits:x}"),
            );
        }
        match header.length_form {
            LengthForm::Minimal => {}
            LengthForm::NonMinimal => broken(
                Rule::NonMinimalLength,
                format!(
                    "length {} in {} bytes",
                    header.length,
                    header.size - 2 - 4 * u8::from(header.masking_key.is_some())
                ),
                header.length.to_string(),
            ),
            LengthForm::TopBit => broken(
                Rule::LengthTopBit,
                "a 64-bit length with its top bit set".into(),
                String::new(),
            ),
        }
        if header.opcode.is_control() {
            if header.length > 125 {
                broken(
                    Rule::ControlTooLong,
                    format!("a {name} frame of {} bytes", header.length),
                    format!("{name}, {}", header.length),
                );
            }
            if !header.fin {
                broken(
                    Rule::ControlFragmented,
                    format!("a {name} frame without FIN"),
                    name.to_string(),
                );
            }
        }
        // Pings and pongs may be exchanged until the connection is closed (§5.5.2).
        if self.closed && !header.opcode.is_control() {
            broken(
                Rule::DataAfterClose,
                format!("a {name} frame after the close frame"),
                name.to_string(),
            );
        }
    }
}
