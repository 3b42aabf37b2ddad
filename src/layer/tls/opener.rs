//! Opens records with one key: AES-GCM, AES-CCM, ChaCha20-Poly1305, and AES-CBC with HMAC in both orders.
//!
//! What it opens is proven by the tag or the MAC: whoever guesses at a key or a sequence number may try.

use aes::cipher::block_padding::NoPadding;
use aes::cipher::consts::{U8, U12, U16};
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use aes::{Aes128, Aes256};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, Nonce, Tag};
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

use super::derive::{expand_label, prf};
use super::framer::{Header, LONGEST_BODY};
use super::secrets::{Random, Secret};
use super::suite::{Cipher, Hash, Suite};

/// The longest key block (RFC 5246 §6.3): twice a MAC of SHA-384, a key of 32 bytes and an IV of 16.
const KEY_BLOCK: usize = 2 * (48 + 32 + 16);

/// What TLS 1.2 makes the keys of both directions of: known once both hellos are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tls12 {
    pub(super) client_random: Random,
    pub(super) server_random: Random,
    pub(super) suite: Suite,
    /// The MAC is computed over what was encrypted (RFC 7366).
    pub(super) encrypt_then_mac: bool,
}

/// Opens the records of one direction.
pub(super) struct Opener {
    key: Key,
    tls13: bool,
    /// TLS 1.3 and ChaCha20: what the sequence number is added to. Else the first four bytes of the nonce, the salt.
    iv: [u8; 12],
}

enum Key {
    Gcm128(Box<Aes128Gcm>),
    Gcm256(Box<Aes256Gcm>),
    Ccm128(Box<Ccm<Aes128, U16, U12>>),
    Ccm256(Box<Ccm<Aes256, U16, U12>>),
    Ccm128Tag8(Box<Ccm<Aes128, U8, U12>>),
    Ccm256Tag8(Box<Ccm<Aes256, U8, U12>>),
    ChaCha20(Box<ChaCha20Poly1305>),
    Cbc(Box<Cbc>),
}

struct Cbc {
    /// 16 or 32 bytes.
    key: Zeroizing<Vec<u8>>,
    mac_key: Zeroizing<Vec<u8>>,
    hash: Hash,
    encrypt_then_mac: bool,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opener")
    }
}

/// What was in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inner {
    /// Its content type: TLS 1.3 hides it (RFC 8446 §5.2).
    pub(super) content: u8,
    /// How long the plaintext is.
    pub(super) length: usize,
}

/// Where plaintext is written: room for the longest record.
pub(super) type Scratch = Box<[u8; LONGEST_BODY]>;

impl Opener {
    /// The key of a traffic secret of TLS 1.3 (RFC 8446 §7.3).
    pub(super) fn tls13(suite: Suite, secret: &Secret) -> Option<Self> {
        let (cipher, hash) = (suite.cipher()?, suite.hash());
        if secret.bytes().len() != hash.len() {
            return None;
        }
        let length = match cipher {
            Cipher::Gcm(length) | Cipher::Ccm(length, _) => length,
            Cipher::ChaCha20 => 32,
            Cipher::Cbc(..) => return None,
        };
        let mut key = Zeroizing::new([0; 32]);
        let key = key.get_mut(..length)?;
        let mut iv = [0; 12];
        expand_label(hash, secret.bytes(), "key", key)?;
        expand_label(hash, secret.bytes(), "iv", &mut iv)?;
        let key = Key::aead(cipher, key)?;
        Some(Self { key, tls13: true, iv })
    }

    /// The key that the client (`client`) or the server writes with in TLS 1.2 (RFC 5246 §6.3).
    pub(super) fn tls12(of: &Tls12, master: &Secret, client: bool) -> Option<Self> {
        let cipher = of.suite.cipher()?;
        let (mac_length, key_length, iv_length) = match cipher {
            Cipher::Gcm(key) | Cipher::Ccm(key, _) => (0, key, 4),
            Cipher::ChaCha20 => (0, 32, 12),
            Cipher::Cbc(key, hash) => (hash.len(), key, 0),
        };
        let mut block = Zeroizing::new([0; KEY_BLOCK]);
        let block = block.get_mut(..2 * (mac_length + key_length + iv_length))?;
        let seed = [&of.server_random[..], &of.client_random];
        prf(of.suite.hash(), master.bytes(), b"key expansion", seed, block)?;
        let mut start = 0;
        let mut next = |length: usize| {
            let own = start + if client { 0 } else { length };
            start += 2 * length;
            own..own + length
        };
        let (mac_key, key, salt) = (next(mac_length), next(key_length), next(iv_length));
        let mut iv = [0; 12];
        iv.get_mut(..iv_length)?.copy_from_slice(block.get(salt)?);
        let key = block.get(key)?;
        let key = match cipher {
            Cipher::Cbc(_, hash) => Key::Cbc(Box::new(Cbc {
                key: Zeroizing::new(key.to_vec()),
                mac_key: Zeroizing::new(block.get(mac_key)?.to_vec()),
                hash,
                encrypt_then_mac: of.encrypt_then_mac,
            })),
            _ => Key::aead(cipher, key)?,
        };
        Some(Self { key, tls13: false, iv })
    }

    /// Opens a record, if its number is `number`: the plaintext stands at the beginning of `out` then.
    #[inline]
    pub(super) fn open(&self, header: Header, body: &[u8], number: u64, out: &mut Scratch) -> Option<Inner> {
        let length = match &self.key {
            Key::Gcm128(key) => self.aead(&**key, header, body, number, out),
            Key::Gcm256(key) => self.aead(&**key, header, body, number, out),
            Key::Ccm128(key) => self.aead(&**key, header, body, number, out),
            Key::Ccm256(key) => self.aead(&**key, header, body, number, out),
            Key::Ccm128Tag8(key) => self.aead(&**key, header, body, number, out),
            Key::Ccm256Tag8(key) => self.aead(&**key, header, body, number, out),
            Key::ChaCha20(key) => self.aead(&**key, header, body, number, out),
            Key::Cbc(cbc) => cbc.open(header, body, number, out),
        }?;
        if !self.tls13 {
            return Some(Inner {
                content: header.content,
                length,
            });
        }
        // The content, its type, zeros (RFC 8446 §5.4).
        let length = memchr_last_nonzero(&out[..length])?;
        Some(Inner {
            content: out[length],
            length,
        })
    }

    fn aead<A: AeadInOut<NonceSize = U12>>(
        &self,
        key: &A,
        header: Header,
        body: &[u8],
        number: u64,
        out: &mut Scratch,
    ) -> Option<usize> {
        let mut nonce = self.iv;
        let explicit = !self.tls13 && !matches!(self.key, Key::ChaCha20(_));
        let body = if explicit {
            let (nonce8, body) = body.split_at_checked(8)?;
            nonce[4..].copy_from_slice(nonce8);
            body
        } else {
            for (byte, number) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
                *byte ^= number;
            }
            body
        };
        let tag_length = Tag::<A>::default().len();
        let (body, tag) = body.split_at_checked(body.len().checked_sub(tag_length)?)?;
        let mut aad = [0; 13];
        let aad = if self.tls13 {
            aad[..5].copy_from_slice(&header.bytes());
            &aad[..5]
        } else {
            aad[..8].copy_from_slice(&number.to_be_bytes());
            aad[8..].copy_from_slice(&header.with_length(body.len()));
            &aad[..]
        };
        let buffer = InOutBuf::new(body, out.get_mut(..body.len())?).ok()?;
        let tag = <&Tag<A>>::try_from(tag).ok()?;
        key.decrypt_inout_detached(<&Nonce<A>>::from(&nonce), aad, buffer, tag)
            .ok()?;
        Some(body.len())
    }
}

/// The offset of the last byte that is not zero.
fn memchr_last_nonzero(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|&byte| byte != 0)
}

impl Key {
    fn aead(cipher: Cipher, key: &[u8]) -> Option<Self> {
        Some(match cipher {
            Cipher::Gcm(16) => Key::Gcm128(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Cipher::Gcm(_) => Key::Gcm256(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Cipher::Ccm(16, 16) => Key::Ccm128(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Cipher::Ccm(16, _) => Key::Ccm128Tag8(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Cipher::Ccm(_, 16) => Key::Ccm256(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Cipher::Ccm(..) => Key::Ccm256Tag8(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Cipher::ChaCha20 => Key::ChaCha20(Box::new(KeyInit::new_from_slice(key).ok()?)),
            Cipher::Cbc(..) => return None,
        })
    }
}

impl Cbc {
    /// RFC 5246 §6.2.3.2 (the MAC is encrypted as well), or RFC 7366 (the MAC stands behind what was encrypted).
    fn open(&self, header: Header, body: &[u8], number: u64, out: &mut Scratch) -> Option<usize> {
        let mac_length = self.hash.len();
        let mut encrypted = body;
        if self.encrypt_then_mac {
            let (before, mac) = body.split_at_checked(body.len().checked_sub(mac_length)?)?;
            encrypted = before;
            self.check(header, encrypted, number, mac)?;
        }
        let (iv, blocks) = encrypted.split_at_checked(16)?;
        if blocks.is_empty() || blocks.len() % 16 != 0 {
            return None;
        }
        let plain = out.get_mut(..blocks.len())?;
        self.decrypt(iv, blocks, plain)?;
        let padding = usize::from(*plain.last()?);
        let length = plain.len().checked_sub(padding + 1)?;
        let (content, padded) = plain.split_at(length);
        if padded.iter().any(|&byte| usize::from(byte) != padding) {
            return None;
        }
        if self.encrypt_then_mac {
            return Some(length);
        }
        let (content, mac) = content.split_at_checked(length.checked_sub(mac_length)?)?;
        self.check(header, content, number, mac)?;
        Some(content.len())
    }

    fn decrypt(&self, iv: &[u8], blocks: &[u8], out: &mut [u8]) -> Option<()> {
        if self.key.len() == 16 {
            let mode = cbc::Decryptor::<Aes128>::new_from_slices(&self.key, iv).ok()?;
            mode.decrypt_padded_b2b::<NoPadding>(blocks, out).ok()?;
        } else {
            let mode = cbc::Decryptor::<Aes256>::new_from_slices(&self.key, iv).ok()?;
            mode.decrypt_padded_b2b::<NoPadding>(blocks, out).ok()?;
        }
        Some(())
    }

    fn check(&self, header: Header, content: &[u8], number: u64, mac: &[u8]) -> Option<()> {
        let parts = [&number.to_be_bytes()[..], &header.with_length(content.len()), content];
        match self.hash {
            Hash::Sha1 => verify::<Hmac<Sha1>>(&self.mac_key, parts, mac),
            Hash::Sha256 => verify::<Hmac<Sha256>>(&self.mac_key, parts, mac),
            Hash::Sha384 => verify::<Hmac<Sha384>>(&self.mac_key, parts, mac),
        }
    }
}

fn verify<M: Mac + hmac::KeyInit>(key: &[u8], parts: [&[u8]; 3], mac: &[u8]) -> Option<()> {
    let mut computed = <M as hmac::KeyInit>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| computed.update(part));
    computed.verify_slice(mac).ok()
}
