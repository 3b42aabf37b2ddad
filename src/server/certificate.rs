//! The certificate of `--tls`: self-signed, made at every start, kept in memory only.

use std::fmt::Write as _;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{ToSpan, Zoned};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PublicKeyData, date_time_ymd};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Days that it is good for: more than 825 are refused by Apple's programs.
const DAYS: i64 = 397;

/// A certificate and its key.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
    /// SHA-256 of the certificate, as browsers show it: `AB:CD:…`.
    pub(super) fingerprint: String,
    /// SHA-256 of the public key in base64, as `--ignore-certificate-errors-spki-list` of Chromium wants it.
    pub(super) key_hash: String,
}

impl Certificate {
    /// Makes one for these names and addresses.
    pub(super) fn new(names: Vec<String>) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "wschat-server (self-signed)");
        // Browsers want to be told what it is for (RFC 5280 §4.2.1.12).
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let today = Zoned::now().date();
        let day = |days: i64| {
            let date = today.saturating_add(days.days());
            date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
        };
        // From yesterday on: clocks differ.
        (params.not_before, params.not_after) = (day(-1), day(DAYS - 1));
        let key = KeyPair::generate()?;
        let der = CertificateDer::from(params.self_signed(&key)?);
        let mut fingerprint = String::new();
        for byte in Sha256::digest(&der) {
            let _ = write!(
                fingerprint,
                "{}{byte:02X}",
                if fingerprint.is_empty() { "" } else { ":" }
            );
        }
        let key_hash = BASE64_STANDARD.encode(Sha256::digest(key.subject_public_key_info()));
        Ok(Self {
            der,
            key: key.into(),
            fingerprint,
            key_hash,
        })
    }
}
