//! TLS 1.3 (RFC 8446) around the traffic, by rustls: real handshakes, and their secrets in a key log.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::crypto::ring::cipher_suite;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, KeyLog, RootCertStore, ServerConfig, ServerConnection, SideData,
    SupportedCipherSuite,
};

const NAME: &str = "chat.example";

/// What all connections have in common.
pub(crate) struct Settings {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    keys: Arc<Keys>,
}

impl Settings {
    /// The one cipher suite is AES-128-GCM's or ChaCha20-Poly1305's.
    pub(crate) fn new(chacha: bool) -> io::Result<Self> {
        let suite: SupportedCipherSuite = if chacha {
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256
        } else {
            cipher_suite::TLS13_AES_128_GCM_SHA256
        };
        let mut provider = ring::default_provider();
        provider.cipher_suites = vec![suite];
        let provider = Arc::new(provider);
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([NAME.to_owned()]).map_err(io::Error::other)?;
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).map_err(io::Error::other)?;
        let keys = Arc::new(Keys::default());
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.key_log = Arc::<Keys>::clone(&keys);
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], signing_key.into())
            .map_err(io::Error::other)?;
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
            keys,
        })
    }

    /// The secrets of all connections so far, in the NSS format.
    pub(crate) fn key_log(&self) -> String {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Debug, Default)]
struct Keys(Mutex<String>);

impl KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = write!(log, "{label} ");
        for (bytes, end) in [(client_random, ' '), (secret, '\n')] {
            bytes.iter().for_each(|byte| {
                let _ = write!(log, "{byte:02x}");
            });
            log.push(end);
        }
    }
}

/// Both ends of one connection.
pub(crate) struct Tls {
    client: ClientConnection,
    server: ServerConnection,
}

impl Tls {
    /// Of which nothing has been sent.
    pub(crate) fn new(settings: &Settings) -> io::Result<Self> {
        let name = NAME.try_into().map_err(io::Error::other)?;
        Ok(Self {
            client: ClientConnection::new(Arc::clone(&settings.client), name).map_err(io::Error::other)?,
            server: ServerConnection::new(Arc::clone(&settings.server)).map_err(io::Error::other)?,
        })
    }

    /// What the client, then the server sends next of the handshake; nothing when it is done.
    pub(crate) fn handshake(&mut self) -> io::Result<[Vec<u8>; 2]> {
        let client = hand_over(&mut self.client, &mut self.server)?;
        Ok([client, hand_over(&mut self.server, &mut self.client)?])
    }

    /// `bytes` as records of the client, or of the server. The other end does not read them: it has nothing to answer.
    pub(crate) fn seal(&mut self, by_client: bool, bytes: &[u8]) -> io::Result<Vec<u8>> {
        if by_client {
            self.client.writer().write_all(bytes)?;
            records(&mut self.client)
        } else {
            self.server.writer().write_all(bytes)?;
            records(&mut self.server)
        }
    }
}

/// What one end has to send, which the other one reads.
fn hand_over<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
) -> io::Result<Vec<u8>> {
    let records = records(from)?;
    let mut rest = &records[..];
    while !rest.is_empty() {
        to.read_tls(&mut rest)?;
        to.process_new_packets().map_err(io::Error::other)?;
    }
    Ok(records)
}

fn records<S: SideData>(from: &mut ConnectionCommon<S>) -> io::Result<Vec<u8>> {
    let mut records = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut records)?;
    }
    Ok(records)
}
