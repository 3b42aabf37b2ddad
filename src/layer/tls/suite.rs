//! What a cipher suite does (RFC 8446 §B.4, RFC 5246 §A.5 and those after it), read off its registered name.

use super::suite_names::NAMES;

/// How a suite encrypts records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    /// AES in Galois/Counter Mode, with 16 or 32 bytes of key.
    Gcm(usize),
    /// AES in CCM mode: bytes of key, bytes of tag.
    Ccm(usize, usize),
    /// ChaCha20-Poly1305.
    ChaCha20,
    /// AES in CBC mode: bytes of key, and the hash of its HMAC.
    Cbc(usize, Hash),
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    /// Bytes of its output.
    pub(super) const fn len(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }
}

/// A cipher suite, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Suite(pub u16);

impl Suite {
    /// The registered name, if it has one that we know.
    pub fn name(self) -> Option<&'static str> {
        let at = NAMES.binary_search_by_key(&self.0, |&(number, _)| number).ok()?;
        Some(NAMES[at].1)
    }

    /// How it encrypts. `None`: not a way that we read.
    pub(super) fn cipher(self) -> Option<Cipher> {
        let name = self.name()?;
        let has = |part: &str| name.contains(part);
        let tag = if has("_CCM_8") { 8 } else { 16 };
        let mac = match name.rsplit('_').next() {
            Some("SHA256") => Hash::Sha256,
            Some("SHA384") => Hash::Sha384,
            _ => Hash::Sha1,
        };
        let key = if has("_AES_128_") {
            16
        } else if has("_AES_256_") {
            32
        } else {
            return has("_CHACHA20_").then_some(Cipher::ChaCha20);
        };
        if has("_GCM_") {
            Some(Cipher::Gcm(key))
        } else if has("_CCM") {
            Some(Cipher::Ccm(key, tag))
        } else {
            has("_CBC_").then_some(Cipher::Cbc(key, mac))
        }
    }

    /// The hash of its key derivation: SHA-256 unless its name says otherwise (RFC 5246 §5).
    pub(super) fn hash(self) -> Hash {
        match self.name() {
            Some(name) if name.ends_with("_SHA384") => Hash::Sha384,
            _ => Hash::Sha256,
        }
    }

    /// The suites of TLS 1.3 whose secrets are `length` bytes long, the likeliest first.
    pub(super) const fn with_secret_of(length: usize) -> &'static [Suite] {
        match length {
            32 => &[Suite(0x1301), Suite(0x1303), Suite(0x1304), Suite(0x1305)],
            48 => &[Suite(0x1302)],
            _ => &[],
        }
    }
}

impl Cipher {
    /// By how many bytes a record of TLS 1.2 or 1.3 (`tls13`) is longer than what it says, its header included. `None`: it depends
    /// on the padding.
    pub(super) const fn overhead(self, tls13: bool) -> Option<u64> {
        let tag = match self {
            Cipher::Gcm(_) | Cipher::ChaCha20 => 16,
            Cipher::Ccm(_, tag) => tag as u64,
            Cipher::Cbc(..) => return None,
        };
        Some(match self {
            _ if tls13 => 5 + tag + 1,
            Cipher::ChaCha20 => 5 + tag,
            _ => 5 + 8 + tag,
        })
    }

    /// Bytes of the shortest record that it can make, header included.
    pub(super) const fn shortest(self, tls13: bool) -> u64 {
        match (self.overhead(tls13), self) {
            (Some(overhead), _) => overhead,
            // The IV, and one block at least beside or around the MAC.
            (None, _) => 5 + 16 + 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_suite_does_stands_in_its_name() {
        let of = |number| (Suite(number).cipher(), Suite(number).hash());
        assert_eq!(of(0x1301), (Some(Cipher::Gcm(16)), Hash::Sha256));
        assert_eq!(of(0x1302), (Some(Cipher::Gcm(32)), Hash::Sha384));
        assert_eq!(of(0x1305), (Some(Cipher::Ccm(16, 8)), Hash::Sha256));
        assert_eq!(of(0xc030), (Some(Cipher::Gcm(32)), Hash::Sha384));
        assert_eq!(of(0xcca8), (Some(Cipher::ChaCha20), Hash::Sha256));
        assert_eq!(of(0xc0a3), (Some(Cipher::Ccm(32, 8)), Hash::Sha256));
        assert_eq!(of(0x002f), (Some(Cipher::Cbc(16, Hash::Sha1)), Hash::Sha256));
        assert_eq!(of(0xc028), (Some(Cipher::Cbc(32, Hash::Sha384)), Hash::Sha384));
        assert_eq!((of(0x000a).0, of(0x0005).0, of(0xeaea).0), (None, None, None));
        assert_eq!(Suite(0x000a).name(), Some("TLS_RSA_WITH_3DES_EDE_CBC_SHA"));
    }

    #[test]
    fn names_are_in_order() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
