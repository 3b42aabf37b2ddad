//! What we need of the hello messages (RFC 8446 §4.1, RFC 5246 §7.4.1). All of them may be cut: what is there of one is read.

use super::secrets::Random;
use super::suite::Suite;

/// The random of a ServerHello that asks for another ClientHello (RFC 8446 §4.1.3).
const RETRY: Random = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Names longer than this are none that a host can have, and application protocols are shorter (RFC 7301 §3.1).
const LONGEST_NAME: usize = 255;

/// A ClientHello.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    /// Its random bytes, by which secrets are found.
    pub random: Random,
    /// Whom the client wants to talk to (RFC 6066 §3).
    pub server_name: Option<Box<str>>,
    /// The first few application protocols that it offers (RFC 7301).
    pub alpn: Vec<Box<str>>,
    /// It sends early data (RFC 8446 §4.2.10).
    pub early_data: bool,
    /// The session id, and the ticket of RFC 5077: what a session is resumed by in TLS 1.2.
    pub(super) session_id: Vec<u8>,
    pub(super) ticket: Vec<u8>,
}

/// A ServerHello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// Its random bytes.
    pub random: Random,
    /// The version that was agreed on: 0x0304 is TLS 1.3. `None`: cut before that can be told.
    pub version: Option<u16>,
    /// The cipher suite that was agreed on, unless the hello was cut before it.
    pub suite: Option<Suite>,
    /// The application protocol: TLS 1.3 tells it encrypted.
    pub alpn: Option<Box<str>>,
    /// It is a HelloRetryRequest.
    pub retry: bool,
    /// A key that both know already was chosen (RFC 8446 §4.2.11). `None`: cut before that can be told.
    pub(super) psk: Option<bool>,
    pub(super) session_id: Vec<u8>,
    /// MACs are computed over what was encrypted (RFC 7366).
    pub(super) encrypt_then_mac: bool,
}

/// EncryptedExtensions (RFC 8446 §4.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct EncryptedExtensions {
    pub(super) alpn: Option<Box<str>>,
    pub(super) early_data: bool,
}

impl ClientHello {
    /// Reads the body of one, or its beginning. `None`: cut before its random ends, or none at all.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        reader.u16().filter(is_version)?;
        let mut hello = Self {
            random: *reader.take(32)?.first_chunk()?,
            ..Self::default()
        };
        hello.read_rest(&mut reader);
        Some(hello)
    }

    fn read_rest(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.session_id = reader.vector8()?.to_vec();
        reader.vector16()?;
        reader.vector8()?;
        reader.u16()?;
        while let Some((kind, mut value)) = reader.extension() {
            match kind {
                0 => self.server_name = server_name(&mut value),
                16 => self.alpn = protocols(&mut value),
                35 => self.ticket = value.0.to_vec(),
                42 => self.early_data = true,
                _ => {}
            }
        }
        Some(())
    }
}

impl ServerHello {
    /// Reads the body of one, or (not `whole`) its beginning. `None`: cut before its random ends, or none at all.
    pub fn read(body: &[u8], whole: bool) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16().filter(is_version)?;
        let random = *reader.take(32)?.first_chunk()?;
        let mut hello = Self {
            random,
            version: whole.then_some(version),
            suite: None,
            alpn: None,
            retry: random == RETRY,
            psk: whole.then_some(false),
            session_id: Vec::new(),
            encrypt_then_mac: false,
        };
        hello.read_rest(&mut reader);
        Some(hello)
    }

    fn read_rest(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.session_id = reader.vector8()?.to_vec();
        self.suite = Some(Suite(reader.u16()?));
        reader.take(1)?;
        reader.u16()?;
        while let Some((kind, mut value)) = reader.extension() {
            match kind {
                16 => self.alpn = protocols(&mut value).into_iter().next(),
                22 => self.encrypt_then_mac = true,
                41 => self.psk = Some(true),
                43 => self.version = value.u16().or(self.version),
                _ => {}
            }
        }
        Some(())
    }
}

impl EncryptedExtensions {
    pub(super) fn read(body: &[u8]) -> Self {
        let mut reader = Reader(body);
        let mut read = Self::default();
        reader.u16();
        while let Some((kind, mut value)) = reader.extension() {
            match kind {
                16 => read.alpn = protocols(&mut value).into_iter().next(),
                42 => read.early_data = true,
                _ => {}
            }
        }
        read
    }
}

/// SSL 3.0 to TLS 1.2, one of which every hello names in its first field.
fn is_version(version: &u16) -> bool {
    (0x0300..=0x0303).contains(version)
}

/// The ticket of a NewSessionTicket of TLS 1.2 (RFC 5077 §3.3).
pub(super) fn ticket(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    reader.take(4)?;
    reader.vector16().filter(|ticket| !ticket.is_empty())
}

fn server_name(value: &mut Reader<'_>) -> Option<Box<str>> {
    value.u16()?;
    let kind = value.take(1)?;
    let name = value.vector16()?;
    (kind == [0]).then(|| text(name)).flatten()
}

/// The first few of a list of application protocols.
fn protocols(value: &mut Reader<'_>) -> Vec<Box<str>> {
    value.u16();
    std::iter::from_fn(|| value.vector8())
        .filter_map(text)
        .take(8)
        .collect()
}

fn text(bytes: &[u8]) -> Option<Box<str>> {
    (!bytes.is_empty() && bytes.len() <= LONGEST_NAME).then(|| String::from_utf8_lossy(bytes).into())
}

/// What is left of a message.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let &[high, low] = self.take(2)?.first_chunk()?;
        Some(u16::from_be_bytes([high, low]))
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let &[length] = self.take(1)?.first_chunk()?;
        self.take(length.into())
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }

    fn extension(&mut self) -> Option<(u16, Reader<'a>)> {
        let kind = self.u16()?;
        Some((kind, Reader(self.vector16()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8446_4_2_11_whether_a_hello_that_was_cut_has_chosen_a_key_is_not_known() {
        let start = [&[3, 3][..], &[9; 32], &[0, 0x13, 0x01, 0]].concat();
        let body = |extensions: &[u8]| [&start, &(extensions.len() as u16).to_be_bytes()[..], extensions].concat();
        let (version, key) = ([0, 43, 0, 2, 3, 4], [0, 41, 0, 2, 0, 0]);
        let psk = |body: &[u8], whole| ServerHello::read(body, whole).unwrap().psk;
        let with = body(&[version, key].concat());
        assert_eq!((psk(&with, true), psk(&with, false)), (Some(true), Some(true)));
        assert_eq!(
            (psk(&with[..44], false), psk(&body(&version), true)),
            (None, Some(false))
        );
    }
}
