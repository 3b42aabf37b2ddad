//! Rules that were broken, as clauses.

use super::words::{Arg, Words};
use super::{Catalog, Language};
use crate::annotate::Story;
use crate::base::{Rule, Violation};

impl Catalog {
    /// Appends what `violation` breaks and what shows it, as a clause.
    pub fn violation(&'static self, violation: &Violation, out: &mut Vec<u8>) {
        // What shows it is plain by its contract.
        Language::of(self)
            .words(Story::EMPTY, out, Vec::extend_from_slice)
            .broken(violation.rule, &violation.about);
    }
}

impl Words<'_> {
    /// Writes what `rule` wants and did not get; `about` is what shows it.
    pub(super) fn broken(&mut self, rule: Rule, about: &str) {
        match about.is_empty() {
            true => self.rule(rule),
            false => self.rule_about(Arg::Rule(rule), Arg::Raw(about)),
        }
    }

    /// The same without what shows it.
    pub(super) fn rule(&mut self, rule: Rule) {
        match rule {
            Rule::DifferentBytes => self.r_different_bytes(),
            Rule::UrgentData => self.r_urgent_data(),
            Rule::HeadTooLong => self.r_head_too_long(),
            Rule::HeadSyntax => self.r_head_syntax(),
            Rule::HandshakeRequest => self.r_handshake_request(),
            Rule::HandshakeVersion => self.r_handshake_version(),
            Rule::HandshakeResponse => self.r_handshake_response(),
            Rule::DraftHandshake => self.r_draft_handshake(),
            Rule::AcceptMissing => self.r_accept_missing(),
            Rule::AcceptInvalid => self.r_accept_invalid(),
            Rule::SubprotocolNotOffered => self.r_subprotocol_not_offered(),
            Rule::ExtensionNotOffered => self.r_extension_not_offered(),
            Rule::ExtensionSyntax => self.r_extension_syntax(),
            Rule::ExtensionParameter => self.r_extension_parameter(),
            Rule::Http2FrameSize => self.r_http2_frame_size(),
            Rule::Http2Compression => self.r_http2_compression(),
            Rule::Http2Padding => self.r_http2_padding(),
            Rule::Http2FieldBlock => self.r_http2_field_block(),
            Rule::Http2TooManyStreams => self.r_http2_too_many_streams(),
            Rule::UnmaskedClientFrame => self.r_unmasked_client_frame(),
            Rule::MaskedServerFrame => self.r_masked_server_frame(),
            Rule::ReservedBit => self.r_reserved_bit(),
            Rule::ReservedOpcode => self.r_reserved_opcode(),
            Rule::NonMinimalLength => self.r_non_minimal_length(),
            Rule::LengthTopBit => self.r_length_top_bit(),
            Rule::ContinuationWithoutStart => self.r_continuation_without_start(),
            Rule::NewMessageInsideOne => self.r_new_message_inside_one(),
            Rule::ControlTooLong => self.r_control_too_long(),
            Rule::ControlFragmented => self.r_control_fragmented(),
            Rule::CloseOneByte => self.r_close_one_byte(),
            Rule::DataAfterClose => self.r_data_after_close(),
            Rule::CloseCode => self.r_close_code(),
            Rule::InvalidUtf8 => self.r_invalid_utf_8(),
            Rule::CloseReasonUtf8 => self.r_close_reason_utf_8(),
            Rule::InflateFailed => self.r_inflate_failed(),
            Rule::DeflateInsideBlock => self.r_deflate_inside_block(),
            Rule::CompressedBitMisplaced => self.r_compressed_bit_misplaced(),
            Rule::LateAnswer => self.r_late_answer(),
            Rule::NoAnswer => self.r_no_answer(),
        }
    }
}
