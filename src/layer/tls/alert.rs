//! Alerts (RFC 8446 §6, and those of earlier versions that are still seen).

/// An alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alert {
    /// It ends the connection.
    pub fatal: bool,
    /// What it says, by its number.
    pub description: u8,
}

impl Alert {
    /// Reads the content of an alert record.
    pub(super) fn read(content: &[u8]) -> Option<Self> {
        match *content {
            [level @ 1..=2, description] => Some(Self {
                fatal: level == 2,
                description,
            }),
            _ => None,
        }
    }

    /// It says no more than that nothing more will be sent (RFC 8446 §6.1).
    pub const fn is_close_notify(self) -> bool {
        self.description == 0
    }

    /// Its registered name (IANA, "TLS Alerts").
    pub const fn name(self) -> &'static str {
        match self.description {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            111 => "certificate_unobtainable",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            114 => "bad_certificate_hash_value",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            121 => "ech_required",
            _ => "unknown",
        }
    }
}
