//! From secrets to keys: HKDF-Expand-Label of TLS 1.3 (RFC 8446 §7.1) and the PRF of TLS 1.2 (RFC 5246 §5).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384};

use super::secrets::Secret;
use super::suite::Hash;

/// HKDF-Expand-Label with an empty context. Nothing when the secret is too short for the hash.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, out: &mut [u8]) -> Option<()> {
    let label = label.as_bytes();
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label_length = [u8::try_from(6 + label.len()).ok()?];
    let info = [&length[..], &label_length, b"tls13 ", label, &[0]];
    match hash {
        Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret)
            .ok()?
            .expand_multi_info(&info, out)
            .ok(),
        _ => Hkdf::<Sha256>::from_prk(secret)
            .ok()?
            .expand_multi_info(&info, out)
            .ok(),
    }
}

/// The secret after a KeyUpdate (RFC 8446 §7.2).
pub(super) fn next_secret(hash: Hash, secret: &Secret) -> Option<Secret> {
    let mut next = zeroize::Zeroizing::new([0; 48]);
    let next = next.get_mut(..hash.len())?;
    expand_label(hash, secret.bytes(), "traffic upd", next)?;
    Secret::new(next)
}

/// The PRF of TLS 1.2: `out` is filled with P_hash(secret, label + seed).
pub(super) fn prf(hash: Hash, secret: &[u8], label: &[u8], seed: [&[u8]; 2], out: &mut [u8]) -> Option<()> {
    match hash {
        Hash::Sha384 => p_hash::<Hmac<Sha384>>(secret, label, seed, out),
        _ => p_hash::<Hmac<Sha256>>(secret, label, seed, out),
    }
}

fn p_hash<M: Mac + KeyInit + Clone>(secret: &[u8], label: &[u8], seed: [&[u8]; 2], out: &mut [u8]) -> Option<()> {
    let keyed = <M as KeyInit>::new_from_slice(secret).ok()?;
    let of = |a: Option<&[u8]>, seeded: bool| {
        let mut mac = keyed.clone();
        mac.update(a.unwrap_or_default());
        if seeded {
            mac.update(label);
            seed.iter().for_each(|part| mac.update(part));
        }
        mac.finalize().into_bytes()
    };
    let mut a = of(None, true);
    let length = a.len();
    for part in out.chunks_mut(length) {
        part.copy_from_slice(&of(Some(&a), true)[..part.len()]);
        a = of(Some(&a), false);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8448 §3: the server's handshake traffic secret, its key and IV.
    #[test]
    fn rfc8448_3_server_handshake_key_and_iv() {
        let secret = [
            0xb6, 0x7b, 0x7d, 0x69, 0x0c, 0xc1, 0x6c, 0x4e, 0x75, 0xe5, 0x42, 0x13, 0xcb, 0x2d, 0x37, 0xb4, 0xe9, 0xc9,
            0x12, 0xbc, 0xde, 0xd9, 0x10, 0x5d, 0x42, 0xbe, 0xfd, 0x59, 0xd3, 0x91, 0xad, 0x38,
        ];
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        expand_label(Hash::Sha256, &secret, "key", &mut key).unwrap();
        expand_label(Hash::Sha256, &secret, "iv", &mut iv).unwrap();
        assert_eq!(key[..4], [0x3f, 0xce, 0x51, 0x60]);
        assert_eq!(iv[..4], [0x5d, 0x31, 0x3e, 0xb2]);
    }
}
